"""Weighted sums of shares whose units come in clusters that reach over several shares.

Unit: a sum (a standardised share, a difference of two shares), described by counts: one row is one
cluster in one cell, and a cell is one of the shares that the sum is made of.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.curves.life_tables import checked_groups
from analysis.stats.curves.segments import numbered
from analysis.stats.shares.proportions import checked_counts
from analysis.stats.shares.ratios import ClusterVariance


class _Rows(NamedTuple):
    """Rows that have units, with what belongs to their cell."""

    target: np.ndarray
    cell: np.ndarray
    cluster: np.ndarray
    k: np.ndarray
    n: np.ndarray
    alone: np.ndarray
    share: np.ndarray  # of the cell
    weight: np.ndarray
    part: np.ndarray  # of the cell's units that the cluster (or the lone unit) has
    size: np.ndarray  # units of the cell


def weighted_sum_variance(
    target: np.ndarray,
    cell: np.ndarray,
    cluster: np.ndarray,
    k: np.ndarray,
    n: np.ndarray,
    weight: np.ndarray,
    *,
    n_targets: int | None = None,
    alone: np.ndarray | None = None,
) -> ClusterVariance:
    """Cluster-robust variance of ``sum of weight * share`` over the cells of each target.

    Parameters
    ----------
    target
        To which sum a row belongs, whole numbers from 0.
    cell
        To which share, whole numbers from 0; a cell belongs to one target.
    cluster
        Cluster of the row, whole numbers; the same number in several cells is the same cluster.
    k, n
        Counts of the row, ``0 <= k <= n``. A cluster has at most one row in a cell.
    weight
        Weight of the row's cell; may be negative.
    n_targets
        Number of targets; by default the largest number in ``target`` plus 1.
    alone
        True for rows that pool ``n`` units without a cluster, each then its own cluster.

    Returns
    -------
    ClusterVariance
        One value a target; NaN with fewer than two clusters. A cell that is all of one cluster
        has no variance between clusters: its units are taken as independent.

    Raises
    ------
    ValueError
        A count is negative or not a number, ``k > n``, or numbers do not fit.

    Notes
    -----
    The influence of a cluster is summed over cells before it is squared, so what a cluster has in
    common with itself elsewhere is allowed for. With one cell and weight 1 this is
    :func:`analysis.stats.cluster_variance`; corrections and degrees of freedom (Satterthwaite's,
    under independent units) are those of Bell and McCaffrey (2002) with the leverage of a cluster
    taken cell by cell.

    Examples
    --------
    The difference of two shares in the same three clusters, which differ in both alike:

    >>> target, cell, cluster = np.zeros(6, int), np.repeat([0, 1], 3), np.tile([0, 1, 2], 2)
    >>> k, n, weight = np.array([8, 5, 2, 7, 4, 1]), np.full(6, 10), np.repeat([1.0, -1.0], 3)
    >>> found = weighted_sum_variance(target, cell, cluster, k, n, weight)
    >>> found.variance.round(6).tolist(), found.n_clusters.tolist()
    ([0.0], [3])
    """
    target, n_targets = checked_groups(target, n_targets)
    k, n = checked_counts(k, n)
    cell, _ = checked_groups(cell, None)
    alone = np.zeros(len(k), bool) if alone is None else np.asarray(alone, bool)
    cluster, weight = np.asarray(cluster), np.asarray(weight, float)
    if not len(target) == len(cell) == len(cluster) == k.size == weight.size == alone.size:
        raise ValueError("target, cell, cluster, k, n, weight and alone must be of one length")
    rows = _rows(target, cell, cluster, k, n, alone, weight)
    variance = _between(rows, n_targets)
    has = n > 0
    pair, _ = _numbered(target[has & ~alone], cluster[has & ~alone])
    clusters = _sums(pair, np.ones(len(pair)), n_targets)
    n_clusters = np.rint(clusters + _sums(target, np.where(alone, n, 0), n_targets))
    n_clusters = n_clusters.astype(np.int64)
    with np.errstate(divide="ignore", invalid="ignore"):
        df = _freedom(rows, n_targets)
    enough = n_clusters >= 2
    return ClusterVariance(
        np.where(enough, variance, np.nan),
        np.where(enough, np.maximum(df, 1), np.nan),
        n_clusters,
    )


def _rows(
    target: np.ndarray,
    cell: np.ndarray,
    cluster: np.ndarray,
    k: np.ndarray,
    n: np.ndarray,
    alone: np.ndarray,
    weight: np.ndarray,
) -> _Rows:
    has = n > 0
    target, cell, cluster, alone, weight = (x[has] for x in (target, cell, cluster, alone, weight))
    k, n = k[has], n[has]
    n_cells = int(cell.max(initial=-1)) + 1
    size = np.bincount(cell, n, n_cells)
    share = np.bincount(cell, k, n_cells) / np.maximum(size, 1e-300)
    clusters = np.bincount(cell, np.where(alone, n, 1), n_cells)
    alone = alone | (clusters < 2)[cell]
    size = size[cell]
    part = np.where(alone, np.minimum(1 / size, 0.5), n / size)
    return _Rows(target, cell, cluster, k, n, alone, share[cell], weight, part, size)


def _between(rows: _Rows, n_targets: int) -> np.ndarray:
    """Return the variances."""
    r = rows
    scale = r.weight / r.size / np.sqrt(1 - r.part)
    squares = r.k * (1 - r.share) ** 2 + (r.n - r.k) * r.share**2
    variance = _sums(r.target, np.where(r.alone, scale**2 * squares, 0), n_targets)
    own = ~r.alone
    pair, of = _numbered(r.target[own], r.cluster[own])
    influence = _sums(of, (scale * (r.k - r.share * r.n))[own], len(pair))
    return variance + _sums(pair, influence**2, n_targets)


def _numbered(target: np.ndarray, cluster: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number the clusters of each target: the target of every number, the number of every row."""
    width = int(cluster.max(initial=0)) + 1
    keys, of = numbered(target.astype(np.int64) * width + cluster)
    return keys // width, of


def _freedom(rows: _Rows, n_targets: int) -> np.ndarray:
    """Degrees of freedom: squared trace over squared norm of the influences' covariance.

    If units are independent with the variances of their cells, the influences of clusters ``c``
    and ``d`` have the covariance ``(c == d) sum t h_c / (1 - h_c) - sum u_c u_d``, summed over
    cells, where ``t`` is the variance that a cell adds and ``u = h sqrt(t / (1 - h))``.
    """
    r = rows
    adds = r.weight**2 * r.share * (1 - r.share) / r.size
    whole = _sums(r.target, adds, n_targets)
    adds = np.where(whole[r.target] > 0, adds, r.weight**2 / r.size)
    reach = adds * r.part / (1 - r.part)
    squared = reach * r.part  # u ** 2
    units = np.where(r.alone, r.n, 1.0)
    trace = _sums(r.target, units * adds * r.part, n_targets)
    norm = _sums(r.target, np.where(r.alone, units * reach * (reach - 2 * squared), 0), n_targets)
    own = np.flatnonzero(~r.alone)
    pair, of = _numbered(r.target[own], r.cluster[own])
    reached, crossed = (_sums(of, x[own], len(pair)) for x in (reach, squared))
    norm += _sums(pair, reached**2 - 2 * reached * crossed, n_targets)
    first, second = _within(of)
    one, other = own[first], own[second]
    n_cells = int(r.cell.max(initial=-1)) + 1
    keys, index = np.unique(r.cell[one] * n_cells + r.cell[other], return_inverse=True)
    together = _sums(index, np.sqrt(squared[one] * squared[other]), len(keys))
    lone = _sums(r.cell, np.where(r.alone, units * squared, 0), n_cells)
    same = keys // max(n_cells, 1) == keys % max(n_cells, 1)
    cells = keys // max(n_cells, 1)
    owner = np.zeros(n_cells, np.int64)
    owner[r.cell] = r.target
    together[same] += lone[cells[same]]
    lone[cells[same]] = 0
    norm += _sums(owner[cells], together**2, n_targets)
    norm += _sums(owner, lone**2, n_targets)
    return trace**2 / norm


def _within(of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All ordered pairs of rows with the same number, a row with itself included."""
    order = np.argsort(of, kind="stable")
    _, start, length = np.unique(of[order], return_index=True, return_counts=True)
    mates = np.repeat(length, length)
    first = np.repeat(order, mates)
    begin = np.repeat(np.repeat(start, length), mates)
    step = np.arange(len(first)) - np.repeat(np.cumsum(mates) - mates, mates)
    return first, order[begin + step]


def _sums(index: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """Sums as floats, also where there are no rows."""
    return np.bincount(index, values, size).astype(float)
