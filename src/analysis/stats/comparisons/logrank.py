"""Do groups wait equally long: the log-rank test and its weighted relatives, on counts.

Unit: one spell, counted by group and by the time at which it ended with the event or was
censored. A million spells on whole hours are a few thousand counts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.comparisons.cluster_rows import used_clusters
from analysis.stats.comparisons.risk_sets import RiskSets, risk_sets
from analysis.stats.curves.segments import Segments
from analysis.stats.quadratic import chi_square_p, hotelling_p, quadratic_form


class LogRank(NamedTuple):
    """One test of equal curves."""

    chisq: float  # NaN where there is nothing to compare
    df: int
    p_value: float
    observed: np.ndarray  # events of each group, weighted as the test weighs them
    expected: np.ndarray  # those it would have had if all groups were alike
    variance: np.ndarray  # groups x groups, of observed - expected
    n_clusters: int  # 0: every spell counts as independent of the others


def log_rank(
    group: np.ndarray,
    time: np.ndarray,
    n_event: np.ndarray,
    n_censored: np.ndarray,
    *,
    stratum: np.ndarray | None = None,
    cluster: np.ndarray | None = None,
    rho: float = 0.0,
    n_entered: np.ndarray | None = None,
    n_groups: int | None = None,
) -> LogRank:
    """Test whether the event comes equally fast in all groups.

    Parameters
    ----------
    group
        Group of each row of counts, whole numbers from 0.
    time
        Time of each row, at least 0, in any unit; rows in any order.
    n_event, n_censored
        How many spells ended with the event, and how many were last seen without it.
    stratum
        Stratum of each row; groups are compared within strata only.
    cluster
        Cluster of each row (a seller), whole numbers from 0: spells of one cluster need not be
        independent. None: all spells are independent.
    rho
        Times count for (share still waiting) ** ``rho``: 0 is the log-rank test, 1 the test of
        Peto and Peto, which looks at the early times most.
    n_entered
        How many came under observation at that time (left truncation); not with ``cluster``.
    n_groups
        Number of groups; by default the largest number in ``group`` plus 1.

    Returns
    -------
    LogRank
        Groups in which nobody is ever at risk take no part and cost no degree of freedom.

    Raises
    ------
    ValueError
        Lengths, group numbers or counts do not fit, or ``n_entered`` comes with ``cluster``.

    Notes
    -----
    Source: Mantel (1966), Cancer Chemother. Rep. 50:163-170; Harrington and Fleming (1982),
    Biometrika 69:553-566. Variance hypergeometric, as R's ``survdiff``. With clusters: sums over
    each cluster of the score's influence functions (Lin and Wei 1989, J. Am. Stat. Assoc.
    84:1074-1078), which is R's robust score test of ``coxph`` with Breslow's ties; the p-value is
    Hotelling's, from the F distribution with as many degrees of freedom as clusters allow. In
    simulations without a difference, with sellers of different pace that lean to one group, a 5 %
    test of two groups rejected 6.1 % of the time with 10 clusters of equal size, 4.9 % with 10 of
    heavy-tailed size, 5.8 % and 5.1 % with 20; of four groups 4.9, 3.7, 5.5 and 3.3 %. Without
    clusters the same test rejected 24 to 56 %.

    Examples
    --------
    Two groups of three; the second waits longer:

    >>> test = log_rank([0, 0, 0, 1, 1, 1], [1, 2, 3, 4, 5, 6], [1] * 6, [0] * 6)
    >>> round(test.chisq, 4), test.df, round(test.p_value, 4)
    (5.0517, 1, 0.0246)
    >>> test.observed.tolist(), test.expected.round(4).tolist()
    ([3.0, 3.0], [1.15, 4.85])
    """
    if cluster is not None and n_entered is not None:
        raise ValueError("n_entered must be None where rows have a cluster")
    events = np.asarray(n_event)[None]
    sets = risk_sets(
        stratum, group, time, events, n_censored, n_entered=n_entered, n_groups=n_groups
    )
    at_risk, died = sets.n_at_risk, sets.n_events[0]
    whole, ended = at_risk.sum(axis=0), died.sum(axis=0)
    part = np.divide(at_risk, whole, out=np.zeros(at_risk.shape), where=whole > 0)
    weight = _weights(sets.segments, whole, ended, rho)
    observed = died @ weight
    expected = part @ (weight * ended)
    score = observed - expected
    if cluster is None:
        variance = _hypergeometric(weight, whole, ended, part)
        chisq, df = quadratic_form(score, variance)
        p, n_clusters = chi_square_p(chisq, df), 0
    else:
        sums = _cluster_sums(sets, weight, part, group, n_event, n_censored, cluster)
        variance, n_clusters = sums.T @ sums, len(sums)
        chisq, df = quadratic_form(score, variance)
        p = hotelling_p(chisq, df, n_clusters)
    return LogRank(chisq, df, p, observed, expected, variance, n_clusters)


def _weights(segments: Segments, whole: np.ndarray, ended: np.ndarray, rho: float) -> np.ndarray:
    """Return (share still waiting just before each time) ** rho, in each stratum by itself."""
    if rho == 0:
        return np.ones(len(whole))
    with np.errstate(divide="ignore", invalid="ignore"):
        stay = np.where(whole > 0, (whole - ended) / whole, 1.0)
    return segments.previous(segments.running_product(stay), 1.0) ** rho


def _hypergeometric(
    weight: np.ndarray, whole: np.ndarray, ended: np.ndarray, part: np.ndarray
) -> np.ndarray:
    """Variance of observed - expected when the events of a time are drawn from those at risk."""
    tied = np.where(whole > 1, (whole - ended) / np.maximum(whole - 1, 1e-300), 0.0)
    spread = weight**2 * ended * tied
    return np.diag(part @ spread) - (part * spread) @ part.T


def _cluster_sums(
    sets: RiskSets,
    weight: np.ndarray,
    part: np.ndarray,
    group: np.ndarray,
    n_event: np.ndarray,
    n_censored: np.ndarray,
    cluster: np.ndarray,
) -> np.ndarray:
    """Influence on the score, summed over each cluster: clusters x groups.

    A spell of group ``g`` adds ``w (1_g - part)`` where it has the event, and takes away the sum
    of ``w (1_g - part) d / Y`` over the times until its end.
    """
    group, n_event = np.asarray(group), np.asarray(n_event, dtype=float)
    spells = n_event + np.asarray(n_censored, dtype=float)
    cluster = used_clusters(cluster, spells)
    n_clusters = int(cluster.max(initial=-1)) + 1
    whole, ended = sets.n_at_risk.sum(axis=0), sets.n_events[0].sum(axis=0)
    hazard = weight * np.divide(ended, whole, out=np.zeros(len(whole)), where=whole > 0)
    own = sets.segments.running_sum(hazard)[sets.point] * spells
    sums = np.empty((n_clusters, len(part)))
    for one, share in enumerate(part):
        shared = sets.segments.running_sum(hazard * share)
        here = (group == one).astype(float)
        rows = weight[sets.point] * n_event * (here - share[sets.point])
        rows -= here * own - shared[sets.point] * spells
        sums[:, one] = np.bincount(cluster, rows, minlength=n_clusters)
    return sums
