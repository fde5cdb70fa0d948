"""Does each end come equally often in all groups, when several compete: Gray's test, on counts.

Unit: one spell, counted by group, time and cause of its end, or censored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from analysis.stats.comparisons.cluster_rows import ClusterRows, cluster_rows, used_clusters
from analysis.stats.comparisons.risk_sets import RiskSets, risk_sets
from analysis.stats.quadratic import chi_square_p, hotelling_p, quadratic_form


class Gray(NamedTuple):
    """One test of equal cumulative incidences for each cause."""

    chisq: np.ndarray  # NaN where there is nothing to compare
    df: np.ndarray  # int64
    p_value: np.ndarray
    score: np.ndarray  # causes x groups, positive where the cause is commoner than in the others
    variance: np.ndarray  # causes x groups x groups
    n_clusters: int  # 0: every spell counts as independent of the others


def gray_test(
    group: np.ndarray,
    time: np.ndarray,
    n_events: np.ndarray,
    n_censored: np.ndarray,
    *,
    stratum: np.ndarray | None = None,
    cluster: np.ndarray | None = None,
    n_groups: int | None = None,
) -> Gray:
    """Test, for each cause, whether its cumulative incidence is the same in all groups.

    Parameters
    ----------
    group
        Group of each row of counts, whole numbers from 0.
    time
        Time of each row, at least 0, in any unit; rows in any order.
    n_events
        Rows x causes: how many spells ended in each way at that time.
    n_censored
        How many were last seen without an end.
    stratum
        Stratum of each row; groups are compared within strata only.
    cluster
        Cluster of each row (a seller), whole numbers from 0: spells of one cluster need not be
        independent. None: all spells are independent.
    n_groups
        Number of groups; by default the largest number in ``group`` plus 1.

    Returns
    -------
    Gray
        One value a cause. A cause that never occurs has no test.

    Raises
    ------
    ValueError
        Lengths, group numbers or counts do not fit.

    Notes
    -----
    Source: Gray (1988), Ann. Statist. 16:1141-1154, with ``rho = 0``. Groups are compared on the
    subdistribution hazard, so the test asks whether the shares that have ended so differ, and not
    whether the cause itself works faster while nothing else has happened. Everybody at risk of
    group ``r`` counts for ``h_r = Y_r / S_r``; the variance is Gray's, where ``d`` events of the
    cause at one time count ``1 - (d - 1) / (h S_r - 1)`` of their variance, ``h`` the sum of
    ``h_r``, and ``d`` ends of one group by other causes ``1 - (d - 1) / (Y_r - 1)``: the
    hypergeometric corrections for ties with which R's ``cmprsk::cuminc`` is met to 1e-13.

    With clusters, the variance is the sum of squares of what clusters add to the score, less the
    mean of that, each square enlarged by ``1 / (1 - h)`` with ``h`` the cluster's part of the
    spells. To first order a spell of group ``r`` adds, with Gray's ``a`` and ``b`` of his
    variance, ``a / h_r`` when it ends by the cause and ``b / h_r`` when by another, less what it
    was at risk of: each times the hazard, common incidences assumed, until its end. The p-value
    is then Hotelling's. In simulations without a difference, with 10 or 20 sellers of different
    pace that lean to one group, a 5 % test of two groups rejected 3.2 to 6.3 % of the time and of
    four groups 1.3 to 7.0 %; with spells taken as independent, 21 to 49 %.

    Examples
    --------
    Two groups; in the second the first cause is rarer:

    >>> ends = [[1, 0], [1, 0], [0, 1], [1, 0], [0, 1], [0, 1], [1, 0], [0, 0]]
    >>> test = gray_test([0] * 4 + [1] * 4, [1, 2, 3, 4, 2, 3, 4, 5], ends, [0] * 7 + [1])
    >>> test.chisq.round(4).tolist(), test.df.tolist(), test.p_value.round(4).tolist()
    ([2.0449, 0.5949], [1, 1], [0.1527, 0.4405])
    """
    counts = np.asarray(n_events)
    if counts.ndim != 2:
        raise ValueError(f"n_events must be rows x causes, got {counts.ndim} dimension(s)")
    sets = risk_sets(stratum, group, time, counts.T, n_censored, n_groups=n_groups)
    before, after = _survival(sets)
    causes, keep = range(counts.shape[1]), cluster is not None
    found = [_one_cause(sets, before, after, cause, keep) for cause in causes]
    scores = [one.score for one in found]
    variances, n_clusters = [one.variance for one in found], 0
    if cluster is not None:
        number = used_clusters(cluster, counts.sum(axis=1) + np.asarray(n_censored))
        rows = _rows(np.asarray(group), sets, counts.T, np.asarray(n_censored), number)
        sums = [_cluster_sums(sets, rows, one, cause) for cause, one in enumerate(found)]
        variances, n_clusters = [one.T @ one for one in sums], int(number.max(initial=-1)) + 1
    forms = [quadratic_form(*pair) for pair in zip(scores, variances, strict=True)]
    if cluster is None:
        p_values = [chi_square_p(*form) for form in forms]
    else:
        p_values = [hotelling_p(*form, n_clusters, centred=True) for form in forms]
    n_causes, k = counts.shape[1], len(sets.n_at_risk)
    return Gray(
        np.array([chisq for chisq, _ in forms], dtype=float),
        np.array([df for _, df in forms], dtype=np.int64),
        np.array(p_values, dtype=float),
        np.array(scores, dtype=float).reshape(n_causes, k),
        np.array(variances, dtype=float).reshape(n_causes, k, k),
        n_clusters,
    )


class _Cause(NamedTuple):
    """The test of one cause; moves are what an end at a point adds to the score of each group."""

    score: np.ndarray
    variance: np.ndarray
    own_moves: list[np.ndarray]  # of the group that the list goes by: groups x points
    other_moves: list[np.ndarray]
    hazards: np.ndarray  # of the cause, where the incidence is the common one: groups x points


class _Rows(NamedTuple):
    """The counts that were given, those of each group sorted by cluster."""

    point: np.ndarray
    n_events: np.ndarray  # causes x rows
    n_spells: np.ndarray
    n_clusters: int
    size: np.ndarray  # spells of each cluster
    of_group: list[ClusterRows]


def _rows(
    group: np.ndarray,
    sets: RiskSets,
    n_events: np.ndarray,
    n_censored: np.ndarray,
    cluster: np.ndarray,
) -> _Rows:
    spells, n_clusters = n_events.sum(axis=0) + n_censored, int(cluster.max(initial=-1)) + 1
    of_group = [cluster_rows(cluster, n_clusters, group == r) for r in range(len(sets.n_at_risk))]
    size = np.bincount(cluster, spells, minlength=n_clusters)
    return _Rows(sets.point, n_events, spells, n_clusters, size, of_group)


def _survival(sets: RiskSets) -> tuple[np.ndarray, np.ndarray]:
    """Share of each group with no end yet, just before and right after each time."""
    at_risk, ended = sets.n_at_risk, sets.n_events.sum(axis=0)
    stay = np.divide(at_risk - ended, at_risk, out=np.ones(at_risk.shape), where=at_risk > 0)
    after = _each(sets.segments.running_product, stay)
    return _each(lambda x: sets.segments.previous(x, 1.0), after), after


def _one_cause(
    sets: RiskSets, before: np.ndarray, after: np.ndarray, cause: int, keep: bool
) -> _Cause:
    """Score of each group for one cause, and their variance; groups x points throughout.

    What single ends add is kept only where it is asked for: it is a matrix for every group.
    """
    segments, at_risk = sets.segments, sets.n_at_risk
    own = sets.n_events[cause]
    other = sets.n_events.sum(axis=0) - own
    worth = _ratio(at_risk, before)  # h of each group
    together, ended = worth.sum(axis=0), own.sum(axis=0)
    incidence = _each(segments.running_sum, before * _ratio(own, at_risk))
    free = 1 - _each(lambda x: segments.previous(x, 0.0), incidence)
    weighed = worth * free
    score = (own - weighed * _ratio(ended, weighed.sum(axis=0))).sum(axis=1)
    jump = _ratio(ended, together)  # of the incidence common to all groups
    left = 1 - segments.running_sum(jump)
    hazard = _ratio(jump, segments.previous(left, 1.0))
    part = _ratio(worth, together)
    variance, own_moves, other_moves = np.zeros((len(own), len(own))), [], []
    for r, h in enumerate(worth):
        drift = -worth * part[r]
        drift[r] += h
        passed = _each(segments.running_sum, drift * hazard)
        ahead = np.repeat(_each(lambda x: segments.last(x, 0.0), passed), segments.lengths, 1)
        ahead -= passed
        slope = _ratio(left, after[r]) * ahead
        first = _ratio(jump, h) * _tied(ended, together * before[r])
        second = _ratio(other[r] * _tied(other[r], at_risk[r]), h**2)
        inner = drift + ahead - slope
        variance += (inner * first) @ inner.T + (slope * second) @ slope.T
        if keep:
            own_moves.append(_ratio(inner, h))
            other_moves.append(-_ratio(slope, h))
    return _Cause(score, variance, own_moves, other_moves, _ratio(jump, before))


def _cluster_sums(sets: RiskSets, rows: _Rows, found: _Cause, cause: int) -> np.ndarray:
    """What clusters add to the score of one cause, less their mean: clusters x groups."""
    own_ends = rows.n_events[cause]
    other_ends = rows.n_events.sum(axis=0) - own_ends
    sums = np.zeros((rows.n_clusters, len(found.score)))
    own, ended = sets.n_events[cause], sets.n_events.sum(axis=0)
    for r, (moves, others) in enumerate(zip(found.own_moves, found.other_moves, strict=True)):
        steps = moves * found.hazards[r]
        steps += others * _ratio(ended[r] - own[r], sets.n_at_risk[r])
        drift = _each(sets.segments.running_sum, steps)
        inside, n_points = rows.of_group[r], steps.shape[1]
        sums += inside.table(own_ends, rows.point, n_points) @ moves.T
        sums += inside.table(other_ends, rows.point, n_points) @ others.T
        sums -= inside.table(rows.n_spells, rows.point, n_points) @ drift.T
    if rows.n_clusters < 2:
        return sums
    with np.errstate(divide="ignore"):
        pulls = 1 / np.sqrt(1 - rows.size / rows.size.sum())
    return (sums - sums.mean(axis=0)) * np.where(np.isfinite(pulls), pulls, 0.0)[:, None]


def _tied(events: np.ndarray, at_risk: np.ndarray) -> np.ndarray:
    """Part of the variance that is left when several events tie."""
    share = np.divide(events - 1, at_risk - 1, out=np.zeros(len(events)), where=at_risk > 1)
    return np.where(events > 1, np.maximum(1 - share, 0.0), 1.0)


def _ratio(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return one divided by the other, 0 where the other is 0."""
    one, other = np.broadcast_arrays(one, other)
    return np.divide(one, other, out=np.zeros(one.shape), where=other > 0)


def _each(how: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> np.ndarray:
    """Apply a running sum or look-up to every group."""
    return np.stack([how(own) for own in x]) if len(x) else x
