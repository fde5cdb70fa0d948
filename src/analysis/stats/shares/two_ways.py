"""Shares of units that cluster in two ways at once: orders by seller and by buyer.

Unit: a group (one share). One way is described by counts per cluster, the other, which may have
millions of clusters, by sums of squares alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.shares.proportions import checked_counts, clustered_wilson
from analysis.stats.shares.ratios import RatioInterval, cluster_variance, ratio_interval


class SquareSums(NamedTuple):
    """Sums over clusters of products of their counts; arrays of one value a group."""

    kk: np.ndarray  # sum of k squared
    kn: np.ndarray  # sum of k times n
    nn: np.ndarray  # sum of n squared

    def variance(self, share: np.ndarray, n: np.ndarray) -> np.ndarray:
        """Variance between clusters of ``k - share * n``, over ``n`` squared."""
        with np.errstate(divide="ignore", invalid="ignore"):
            squares = self.kk - 2 * share * self.kn + share**2 * self.nn
            return np.maximum(squares, 0) / n**2


def two_way_interval(
    group: np.ndarray,
    k: np.ndarray,
    n: np.ndarray,
    others: SquareSums,
    pairs: SquareSums,
    n_others: np.ndarray,
    *,
    level: float = 0.95,
    clusters: tuple[str | None, str] = ("cluster", "other"),
    alone: np.ndarray | None = None,
) -> RatioInterval:
    """Share of each group with limits that allow for clusters in two ways.

    Parameters
    ----------
    group, k, n
        Counts per cluster of the first way, as in :func:`analysis.stats.cluster_variance`.
    others
        Sums over the clusters of the second way, one value a group.
    pairs
        Sums over the clusters that both ways make together.
    n_others
        Number of clusters of the second way.
    level
        Confidence level, in (0, 1).
    clusters
        What a cluster of each way is, for the name of the interval; the first None where there
        is no first way.
    alone
        True for rows that pool units without a cluster, as in
        :func:`analysis.stats.cluster_variance`.

    Returns
    -------
    RatioInterval
        One value a group; ``n_clusters`` are those of the first way.

    Raises
    ------
    ValueError
        As :func:`analysis.stats.ratio_interval`.

    Notes
    -----
    ``variance = V_first + V_other - V_pair``, at least the larger of the two single ones, with
    the degrees of freedom of the first in the proportion that it has in the sum (Satterthwaite).
    ``V_first`` is :func:`analysis.stats.cluster_variance`, the others are the sums of squares
    times ``C / (C - 1)``. Limits are Wilson's at the sample size that this is worth.
    Source: Cameron, Gelbach and Miller (2011), J. Bus. Econ. Stat. 29:238-249.

    Examples
    --------
    Two sellers and two buyers, one of whom asks always:

    >>> sums = SquareSums(np.array([100.0]), np.array([100.0]), np.array([200.0]))
    >>> pairs = SquareSums(np.array([50.0]), np.array([50.0]), np.array([100.0]))
    >>> k, n = np.array([5, 5]), np.array([10, 10])
    >>> found = two_way_interval(np.zeros(2, int), k, n, sums, pairs, np.array([2]))
    >>> found.estimate.tolist(), found.interval.tolist()
    ([0.5], ['Wilson, clustered by cluster and other'])
    """
    size = len(n_others)
    first, other = clusters
    k, n = checked_counts(k, n)
    options = {"n_groups": size, "alone": alone}
    plain = ratio_interval(group, k, n, level=level, clusters=first, **options)
    spread = cluster_variance(group, k, n, **options)
    many = np.asarray(n_others, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        grown = np.where(many >= 2, many / (many - 1), np.nan)
        by_other = others.variance(plain.estimate, plain.n) * grown
        by_pair = pairs.variance(plain.estimate, plain.n)
        one_way = first is not None and spread.n_clusters >= 2
        sum_ = np.fmax(spread.variance + by_other - by_pair, np.fmax(spread.variance, by_other))
        variance = np.where(one_way, sum_, by_other)
        df = np.where(one_way, spread.df * (variance / spread.variance) ** 2, many - 1)
        df = np.where(one_way & (spread.variance == 0), spread.df, df)
    known = (many >= 2) & (plain.n > 0)
    low, high = clustered_wilson(
        plain.k,
        plain.n,
        np.where(known, variance, 0.0),
        df=np.where(known, np.maximum(df, 1), np.inf),
        level=level,
    )
    return plain._replace(
        low=np.where(known, low, plain.low),
        high=np.where(known, high, plain.high),
        interval=np.where(known, _names(first, other, one_way), plain.interval),
    )


def _names(first: str | None, other: str, one_way: np.ndarray) -> np.ndarray:
    if first is None:
        return np.asarray(f"Wilson, clustered by {other}")
    both = f"Wilson, clustered by {first} and {other}"
    return np.where(one_way, both, f"Wilson, clustered by {other}, too few to cluster by {first}")
