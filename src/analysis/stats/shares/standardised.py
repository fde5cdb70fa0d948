"""Standardised shares: what a group's share would be if it had the mix of a standard.

Unit: a group, described by counts per cluster and stratum.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.curves.life_tables import checked_groups
from analysis.stats.scales import interval_names
from analysis.stats.shares.proportions import checked_counts, clustered_wilson
from analysis.stats.shares.weighted_sums import weighted_sum_variance

WHOLE = 1 - 1e-9  # part of the standard that a group must have units for


class Standardised(NamedTuple):
    """Standardised share of each group; arrays of one value a group."""

    estimate: np.ndarray  # in [0, 1]; NaN where a group lacks a stratum of the standard
    low: np.ndarray
    high: np.ndarray
    coverage_share: np.ndarray  # part of the standard whose strata the group has units in
    n_clusters: np.ndarray  # int64
    interval: np.ndarray  # text, which method made the limits


def standardised_share(
    group: np.ndarray,
    stratum: np.ndarray,
    cluster: np.ndarray,
    k: np.ndarray,
    n: np.ndarray,
    standard: np.ndarray,
    *,
    n_groups: int | None = None,
    level: float = 0.95,
    clusters: str | None = "cluster",
    alone: np.ndarray | None = None,
) -> Standardised:
    """Directly standardised share of each group, with limits that allow for clusters.

    Parameters
    ----------
    group, stratum, cluster
        Numbers from 0 of each row; a row is one cluster in one stratum of one group.
    k, n
        Counts of the row, ``0 <= k <= n``.
    standard
        Weight of each stratum, at least 0; they are divided by their sum.
    n_groups
        Number of groups; by default the largest number in ``group`` plus 1.
    level
        Confidence level, in (0, 1).
    clusters
        What a cluster is, for the name of the interval; None: every unit is independent.
    alone
        True for rows that pool ``n`` units without a cluster, each then its own cluster.

    Returns
    -------
    Standardised
        One value a group. A group without units in a stratum that has weight has no estimate:
        nothing in the data says what its share there would be.

    Raises
    ------
    ValueError
        A count is negative or not a number, ``k > n``, a weight is negative or none is positive,
        or numbers do not fit.

    Notes
    -----
    ``sum of weight * k_s / n_s`` over strata. Its variance is that of a weighted sum
    (:func:`weighted_sum_variance`): influences are summed by cluster over strata. A stratum in
    which all or no units have the property adds the variance of ``(k + 1/2) / (n + 1)`` instead
    of none. Limits are Wilson's at the sample size that the variance is worth, at most the one it
    would be worth without clusters; with one stratum they are those of
    :func:`analysis.stats.ratio_interval`.
    Source: Breslow and Day (1987), Statistical methods in cancer research II, 2.4, for direct
    standardisation; Korn and Graubard (1998), Survey Methodology 24:193-201, for the limits.
    A nominal 95% interval held the truth in 93.4 to 96.7% of 2,000 draws of 10 or 40 clusters of
    very unequal sizes that reach over one, three or four strata.

    Examples
    --------
    Half of the standard in each of two strata, in which the shares are 0.8 and 0.2:

    >>> zero, stratum = np.zeros(2, int), np.array([0, 1])
    >>> found = standardised_share(
    ...     zero, stratum, zero, np.array([80, 2]), np.array([100, 10]), np.ones(2), clusters=None
    ... )
    >>> [round(float(x[0]), 3) for x in found[:4]]
    [0.5, 0.374, 0.626, 1.0]
    """
    group, n_groups = checked_groups(group, n_groups)
    k, n = checked_counts(k, n)
    weight = _checked_standard(standard)
    stratum, cluster = np.asarray(stratum, np.int64), np.asarray(cluster, np.int64)
    lone = np.zeros(len(k), bool) if alone is None else np.asarray(alone, bool)
    if clusters is None:
        lone = np.ones(len(k), bool)
    cell = group * len(weight) + stratum
    shape = n_groups, len(weight)
    size, events = (np.bincount(cell, x, n_groups * len(weight)).reshape(shape) for x in (n, k))
    coverage = ((size > 0) * weight).sum(axis=1)
    known = coverage >= WHOLE
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(size > 0, np.minimum(events / size, 1), 0.0)
        extreme = (size > 0) & ((events == 0) | (events >= size))
        shrunk = (events + 0.5) / (size + 1)
        of_unit = np.where(extreme, shrunk * (1 - shrunk), share * (1 - share))
        each = np.where(size > 0, weight**2 / size, 0.0)
    estimate = np.clip((weight * share).sum(axis=1), 0, 1)
    found = weighted_sum_variance(
        group, cell, cluster, k, n, weight[stratum], n_targets=n_groups, alone=lone
    )
    enough = found.n_clusters >= 2
    clustered = enough & (clusters is not None)
    independent = (each * of_unit).sum(axis=1)
    variance = np.where(
        clustered, found.variance + (each * of_unit * extreme).sum(axis=1), independent
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = (estimate > 0) & (estimate < 1)
        worth = np.where(inner, estimate * (1 - estimate) / independent, 1 / each.sum(axis=1))
    worth = np.where(known, worth, 0.0)
    low, high = clustered_wilson(
        estimate * worth,
        worth,
        variance,
        df=np.where(clustered, found.df, np.inf),
        level=level,
    )
    estimate = np.where(known, estimate, np.nan)
    low, high = np.fmin(low, estimate), np.fmax(high, estimate)
    name = interval_names("standardised, Wilson", clusters, enough)
    return Standardised(
        estimate,
        np.where(known, low, np.nan),
        np.where(known, high, np.nan),
        np.clip(coverage, 0, 1),
        found.n_clusters,
        name,
    )


def _checked_standard(standard: np.ndarray) -> np.ndarray:
    weight = np.asarray(standard, dtype=float)
    if not (weight >= 0).all() or (len(weight) and not weight.sum() > 0):
        raise ValueError(f"standard must be weights of at least 0, not all 0, got {standard}")
    return weight / weight.sum() if len(weight) else weight
