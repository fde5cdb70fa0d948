"""Groups beside a baseline group: differences and ratios of shares with clustered limits.

Unit: a group, described by counts per cluster as in :mod:`analysis.stats.shares.ratios`; the same
cluster (one seller) may be in both groups, and then their shares are not independent.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.shares.proportions import checked_counts
from analysis.stats.shares.ratios import RatioInterval, cluster_variance, ratio_interval
from analysis.stats.shares.two_shares import Limited, difference_of, ratio_of
from analysis.stats.shares.weighted_sums import weighted_sum_variance


class Contrast(NamedTuple):
    """Each group beside its baseline; arrays of one value a group."""

    share: RatioInterval  # of each group, baselines included
    difference: Limited  # share less the baseline's, in [-1, 1]
    ratio: Limited  # share over the baseline's
    p_value: np.ndarray  # of no difference; NaN with too few clusters on a side
    n_shared: np.ndarray  # int64, clusters on both sides
    interval: np.ndarray  # text, which method made the limits


def clustered_contrast(
    group: np.ndarray,
    cluster: np.ndarray,
    k: np.ndarray,
    n: np.ndarray,
    baseline: np.ndarray,
    *,
    level: float = 0.95,
    clusters: str | None = "cluster",
    alone: np.ndarray | None = None,
) -> Contrast:
    """Difference and ratio of each group's share and its baseline's.

    Parameters
    ----------
    group
        Group of each row, whole numbers from 0.
    cluster
        Cluster of each row, whole numbers from 0, alike in all groups.
    k, n
        Counts per cluster, as in :func:`analysis.stats.cluster_variance`.
    baseline
        For each group, the number of the group that it is compared with, -1 for none.
    level
        Confidence level, in (0, 1).
    clusters
        What a cluster is, for the name of the interval; None: every unit is independent.
    alone
        True for rows that pool units without a cluster, as in
        :func:`analysis.stats.cluster_variance`.

    Returns
    -------
    Contrast
        One value a group; NaN where a side has no units or there is no baseline.

    Raises
    ------
    ValueError
        As :func:`analysis.stats.ratio_interval`; or a baseline is no group.

    Notes
    -----
    Limits: the clustered Wilson limits of both sides, squared and added
    (:func:`analysis.stats.difference_of`), with the correlation that clusters on both sides bring:
    influences are summed by cluster over both groups (:func:`weighted_sum_variance`).
    Test: both counts are divided by their design effects (Rao and Scott 1992, Biometrics
    48:577-585) and compared by the score test, less the covariance, with Student's distribution.
    Without clusters that is Pearson's chi-squared test.
    A nominal 95% interval of a difference held the truth in 93.8 to 96.1% of 2,000 draws of 30
    clusters of very unequal sizes a side, whether none, half or all of them were shared (92.4% for
    shares of 0.95 and 0.90 in the same clusters), and in 97.6 to 99.5% with 8 clusters; the test
    rejected no difference at 0.05 in 3.5 to 6.2% of draws.

    Examples
    --------
    >>> group, cluster = np.repeat([0, 1], 3), np.tile([0, 1, 2], 2)
    >>> k, n = np.array([8, 5, 2, 7, 5, 1]), np.full(6, 10)
    >>> found = clustered_contrast(group, cluster, k, n, np.array([-1, 0]), clusters="seller")
    >>> [round(float(x[1]), 3) for x in found.difference], found.n_shared.tolist()
    ([-0.067, -0.153, 0.03], [0, 3])
    >>> str(found.interval[1])
    'Newcombe, clustered by seller, sellers on both sides'
    """
    baseline = np.asarray(baseline, dtype=np.int64)
    if (baseline >= len(baseline)).any():
        raise ValueError(f"baseline must be below {len(baseline)}, got {baseline.max()}")
    if clusters is None:
        alone = np.ones(np.shape(group), dtype=bool)
    k, n = checked_counts(k, n)
    alone = np.zeros(len(k), bool) if alone is None else np.asarray(alone, bool)
    group, cluster = np.asarray(group, dtype=np.int64), np.asarray(cluster, dtype=np.int64)
    options = {"n_groups": len(baseline), "alone": alone}
    share = ratio_interval(group, k, n, level=level, clusters=clusters, **options)
    spread = cluster_variance(group, k, n, **options)
    beside = _beside(group, cluster, k, n, alone, baseline)
    own = share.estimate * (1 - share.estimate) / np.maximum(share.n, 1e-300)
    worth = np.fmax(spread.variance, own) if clusters else own
    other = _taken(worth, baseline)
    enough = (share.n_clusters >= 2) & (_taken(share.n_clusters, baseline) >= 2)
    both = np.fmax(spread.variance, 0) + np.fmax(_taken(spread.variance, baseline), 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = (both - beside.variance) / 2
        shared = enough & (beside.n_shared > 0) & (worth > 0) & (other > 0)
        correlation = np.where(shared, covariance / np.sqrt(worth * other), 0.0)
    correlation = np.clip(np.nan_to_num(correlation), -1, 1)
    first, second = Limited(*share[:3]), Limited(*(_taken(x, baseline) for x in share[:3]))
    df = np.where(enough & (clusters is not None), beside.df, np.inf)
    p_value = _p_value(share, worth, baseline, correlation, df)
    return Contrast(
        share,
        difference_of(first, second, correlation=correlation),
        ratio_of(first, second, correlation=correlation),
        np.where(enough | (clusters is None), p_value, np.nan),
        beside.n_shared,
        _names(clusters, enough, beside.n_shared > 0),
    )


class _Beside(NamedTuple):
    variance: np.ndarray  # of each difference
    df: np.ndarray
    n_shared: np.ndarray


def _beside(
    group: np.ndarray,
    cluster: np.ndarray,
    k: np.ndarray,
    n: np.ndarray,
    alone: np.ndarray,
    baseline: np.ndarray,
) -> _Beside:
    """Variance of each difference, and how many clusters are on both sides."""
    size = len(baseline)
    order = np.argsort(group, kind="stable")
    length = np.bincount(group, minlength=size)
    start = np.cumsum(length) - length
    compared = np.flatnonzero(baseline >= 0)
    rows, target, side = [], [], []
    for of, sign in ((compared, 1.0), (baseline[compared], -1.0)):
        repeated = length[of]
        step = np.arange(repeated.sum()) - np.repeat(np.cumsum(repeated) - repeated, repeated)
        rows.append(order[np.repeat(start[of], repeated) + step])
        target.append(np.repeat(compared, repeated))
        side.append(np.full(repeated.sum(), sign))
    row, goal, weight = np.concatenate(rows), np.concatenate(target), np.concatenate(side)
    found = weighted_sum_variance(
        goal,
        2 * goal + (weight < 0),
        cluster[row],
        k[row],
        n[row],
        weight,
        n_targets=size,
        alone=alone[row],
    )
    own = (n[row] > 0) & ~alone[row]
    width = int(cluster.max(initial=0)) + 1
    either = np.unique(goal[own] * width + cluster[row][own]) // width
    shared = np.bincount(goal[own], minlength=size) - np.bincount(either, minlength=size)
    return _Beside(found.variance, found.df, shared)


def _taken(values: np.ndarray, baseline: np.ndarray) -> np.ndarray:
    """Value of each group's baseline, missing where it has none."""
    missing = 0 if values.dtype.kind == "i" else np.nan
    return np.where(baseline >= 0, values[np.maximum(baseline, 0)], missing)


def _p_value(
    share: RatioInterval,
    worth: np.ndarray,
    baseline: np.ndarray,
    correlation: np.ndarray,
    df: np.ndarray,
) -> np.ndarray:
    from scipy.special import stdtr

    with np.errstate(divide="ignore", invalid="ignore"):
        spread = share.estimate * (1 - share.estimate)
        n1 = np.where(spread > 0, spread / worth, share.n)  # effective
        n2 = _taken(n1, baseline)
        p1, p2 = share.estimate, _taken(share.estimate, baseline)
        common = (n1 * p1 + n2 * p2) / (n1 + n2)
        variance = 1 / n1 + 1 / n2 - 2 * correlation / np.sqrt(n1 * n2)
        variance = common * (1 - common) * variance
        statistic = np.where(p1 == p2, 0.0, np.abs(p1 - p2) / np.sqrt(np.maximum(variance, 0)))
        p_value = 2 * stdtr(np.where(np.isfinite(df), df, 1e15), -statistic)
    return np.where(np.isnan(p1 + p2), np.nan, np.minimum(p_value, 1))


def _names(clusters: str | None, enough: np.ndarray, shared: np.ndarray) -> np.ndarray:
    if clusters is None:
        return np.full(len(enough), "Newcombe")
    clustered = f"Newcombe, clustered by {clusters}"
    words = np.where(shared, f"{clustered}, {clusters}s on both sides", clustered)
    return np.where(enough, words, f"Newcombe, too few to cluster by {clusters}")
