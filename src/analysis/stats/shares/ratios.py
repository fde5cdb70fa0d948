"""Shares of units that come in clusters: many requests of one seller are not independent.

Unit: a group (one share), described by counts per cluster: one row is one cluster of one group
with ``n`` units, ``k`` of which have the property. Counts may be weighted (not whole).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.curves.life_tables import checked_groups
from analysis.stats.scales import checked_level, interval_names
from analysis.stats.shares.proportions import checked_counts, clustered_wilson, wilson


class ClusterVariance(NamedTuple):
    """Variance of each group's share; arrays of one value a group."""

    variance: np.ndarray  # NaN with fewer than two clusters
    df: np.ndarray  # degrees of freedom of that variance, at least 1; NaN likewise
    n_clusters: np.ndarray  # int64, clusters that have units


class RatioInterval(NamedTuple):
    """Share of each group with its limits; arrays of one value a group."""

    estimate: np.ndarray  # sum of k / sum of n, in [0, 1]; NaN where n is 0
    low: np.ndarray
    high: np.ndarray
    n: np.ndarray  # sum of n
    k: np.ndarray  # sum of k
    n_clusters: np.ndarray  # int64, clusters that have units
    interval: np.ndarray  # text, which method made the limits


def cluster_variance(
    group: np.ndarray,
    k: np.ndarray,
    n: np.ndarray,
    *,
    n_groups: int | None = None,
    alone: np.ndarray | None = None,
    squares: np.ndarray | None = None,
) -> ClusterVariance:
    """Cluster-robust variance of ``sum k / sum n`` in each group.

    Parameters
    ----------
    group
        Group of each row, whole numbers from 0.
    k, n
        Counts of each row, ``0 <= k <= n``. A row is one cluster (it must not be split over
        rows); rows with ``n == 0`` are no cluster.
    n_groups
        Number of groups; by default the largest number in ``group`` plus 1.
    alone
        True for rows that pool ``n`` units without a cluster, each then its own cluster. Such
        units have weight 1; give a unit of another weight its own row.
    squares
        Sum of squares over the units of each row, where a unit may count in part (``k`` is then
        the sum of the parts). Only rows that are ``alone`` need it. By default units count whole.

    Returns
    -------
    ClusterVariance
        One value a group.

    Raises
    ------
    ValueError
        A count is negative or not a number, ``k > n``, or lengths or group numbers do not fit.

    Notes
    -----
    With ``p`` the share, ``h = n_c / N`` the part of cluster ``c`` and ``e = k_c - p n_c`` its
    residual, the variance is ``sum e**2 / (1 - h) / N**2``. With clusters of one size this is
    ``C / (C - 1) * sum e**2 / N**2`` with ``C - 1`` degrees of freedom. With unequal ones (a few
    large sellers) that is too small, and an interval made of it covers too rarely; a test shows
    by how much.
    Source: Bell and McCaffrey (2002), Survey Methodology 28:169-181, bias-reduced linearization
    (CR2) and Satterthwaite degrees of freedom, in closed form for a ratio of counts.

    Examples
    --------
    >>> found = cluster_variance(np.zeros(3, int), np.array([8, 5, 2]), np.array([10, 10, 10]))
    >>> found.variance.round(6).tolist(), found.df.round(6).tolist(), found.n_clusters.tolist()
    ([0.03], [2.0], [3])
    """
    group, k, n, alone, n_groups = _checked_rows(group, k, n, alone, n_groups)

    whole, events = (np.bincount(group, x, minlength=n_groups) for x in (n, k))
    with np.errstate(divide="ignore", invalid="ignore"):
        p = (events / whole)[group]
        apart = k * (1 - p) ** 2 + (n - k) * p**2
        apart += 0 if squares is None else np.asarray(squares, float) - k
        squared = np.where(alone, np.maximum(apart, 0), (k - p * n) ** 2)
    return residual_variance(group, squared, n, np.where(alone, n, n > 0), n_groups=n_groups)


def residual_variance(
    group: np.ndarray, squared: np.ndarray, size: np.ndarray, members: np.ndarray, *, n_groups: int
) -> ClusterVariance:
    """Variance of a ratio ``sum k / sum size`` from the squared residuals of its clusters.

    Parameters
    ----------
    group
        Group of each row, whole numbers from 0.
    squared
        Squared residual ``k - p size`` of each row; of a row that pools clusters, their sum.
    size
        Units (requests, hours at risk) of each row.
    members
        Clusters in each row: 1, 0 where it has no units, or how many it pools (all of one size).
    n_groups
        Number of groups.

    Returns
    -------
    ClusterVariance
        One value a group; see :func:`cluster_variance`.

    Examples
    --------
    >>> one = np.ones(3)
    >>> group, squared = np.zeros(3, int), np.array([9.0, 0.0, 9.0])
    >>> found = residual_variance(group, squared, 10 * one, one, n_groups=1)
    >>> found.variance.round(6).tolist(), found.df.round(6).tolist()
    ([0.03], [2.0])
    """

    def total(rows: np.ndarray) -> np.ndarray:
        return np.bincount(group, np.where(members > 0, rows, 0.0), minlength=n_groups)

    with np.errstate(divide="ignore", invalid="ignore"):
        whole = total(size)
        part = size / members / whole[group]
        left_out = 1 - part
        variance = total(squared / left_out) / whole**2
        df = satterthwaite(group, members * part**2, part, n_groups)
    clusters = total(members)
    enough = clusters >= 2
    return ClusterVariance(
        np.where(enough, variance, np.nan),
        np.where(enough, df, np.nan),
        np.rint(clusters).astype(np.int64),
    )


def satterthwaite(
    group: np.ndarray, squares: np.ndarray, part: np.ndarray, n_groups: int
) -> np.ndarray:
    """Degrees of freedom of the variance between clusters, by their parts of each group.

    Parameters
    ----------
    group
        Group of each row.
    squares
        Sum of ``part**2`` over the clusters of the row.
    part
        What part of its group each of them is.
    n_groups
        Number of groups.

    Returns
    -------
    ndarray
        At least 1; of no meaning for a group with fewer than two clusters.

    Notes
    -----
    Source: Bell and McCaffrey (2002), as :func:`cluster_variance`; working model of independent
    units.

    Examples
    --------
    >>> satterthwaite(np.zeros(4, int), np.full(4, 1 / 16), np.full(4, 1 / 4), 1).round(6).tolist()
    [3.0]
    """

    def total(rows: np.ndarray) -> np.ndarray:
        return np.bincount(group, np.where(squares > 0, rows, 0), minlength=n_groups)

    with np.errstate(divide="ignore", invalid="ignore"):
        left_out = 1 - part
        crossed = total(squares / left_out) ** 2
        df = 1 / (total(squares) + crossed - total(squares * (part / left_out) ** 2))
    return np.maximum(df, 1)


def ratio_interval(
    group: np.ndarray,
    k: np.ndarray,
    n: np.ndarray,
    *,
    n_groups: int | None = None,
    level: float = 0.95,
    clusters: str | None = "cluster",
    alone: np.ndarray | None = None,
) -> RatioInterval:
    """Share ``sum k / sum n`` of each group, with limits that allow for its clusters.

    Parameters
    ----------
    group, k, n, n_groups
        Counts per cluster, as in :func:`cluster_variance`.
    level
        Confidence level, in (0, 1).
    clusters
        What a cluster is, for the name of the interval (``"seller"``). None: rows are not
        clusters, every unit is independent and the limits are plain Wilson.
    alone
        True for rows that pool units without a cluster, as in
        :func:`cluster_variance`.

    Returns
    -------
    RatioInterval
        One value a group. ``interval`` is ``"Wilson"``, ``"Wilson, clustered by seller"``, or,
        for a group with fewer than two clusters, whose limits are plain Wilson too,
        ``"Wilson, too few to cluster by seller"``.

    Raises
    ------
    ValueError
        As :func:`cluster_variance`; or ``level`` is not in (0, 1).

    Notes
    -----
    :func:`analysis.stats.clustered_wilson` on :func:`cluster_variance`. Groups do not influence
    each other.

    Examples
    --------
    Two groups; the second has one seller only:

    >>> group, k, n = np.array([0, 0, 0, 1]), np.array([8, 5, 2, 3]), np.array([10, 10, 10, 4])
    >>> shares = ratio_interval(group, k, n, clusters="seller")
    >>> shares.estimate.tolist(), shares.n_clusters.tolist()
    ([0.5, 0.75], [3, 1])
    >>> shares.low.round(3).tolist(), shares.high.round(3).tolist()
    ([0.085, 0.301], [0.915, 0.954])
    >>> shares.interval.tolist()
    ['Wilson, clustered by seller', 'Wilson, too few to cluster by seller']
    """
    level = checked_level(level)
    if clusters is None:
        alone = np.ones(np.shape(group), dtype=bool)
    found = cluster_variance(group, k, n, n_groups=n_groups, alone=alone)
    size = len(found.variance)
    k, n = (np.bincount(group, np.asarray(x, float), minlength=size) for x in (k, n))
    k = np.minimum(k, n)  # sums of weighted counts carry rounding
    with np.errstate(invalid="ignore"):
        estimate = k / n
    low, high = wilson(k, n, level=level)
    enough = found.n_clusters >= 2
    named = interval_names("Wilson", clusters, enough)
    if clusters is None:
        return RatioInterval(estimate, low, high, n, k, found.n_clusters, named)
    wide_low, wide_high = clustered_wilson(k, n, found.variance, df=found.df, level=level)
    return RatioInterval(
        estimate,
        np.where(enough, wide_low, low),
        np.where(enough, wide_high, high),
        n,
        k,
        found.n_clusters,
        named,
    )


def _checked_rows(
    group: np.ndarray, k: np.ndarray, n: np.ndarray, alone: np.ndarray | None, n_groups: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]:
    group, n_groups = checked_groups(group, n_groups)
    k, n = checked_counts(k, n)
    alone = np.zeros(len(group), bool) if alone is None else np.asarray(alone, dtype=bool)
    if not len(group) == k.size == alone.size:
        raise ValueError(
            f"group, k, n and alone must be of one length, got {len(group)}, {k.size}, {alone.size}"
        )
    return group, k, n, alone, n_groups
