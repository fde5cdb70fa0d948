"""Time until the first of several ends: Aalen-Johansen curves of many groups, on counts.

Unit: one spell, counted by group, time and cause of its end, or censored. The shares that have
ended in each way and the share that has not add up to 1 at every time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.curves.life_tables import life_table
from analysis.stats.curves.segments import Segments
from analysis.stats.scales import Pair, probability_limits


class Changes(NamedTuple):
    """Where one cause has ends, and so a cumulative incidence changes."""

    rows: np.ndarray  # of the curve
    latest: np.ndarray  # of each row of the curve: :meth:`Segments.latest` of ``rows``


class IncidenceCurve(NamedTuple):
    """One row per group and time at which a spell ended or was censored, sorted."""

    group: np.ndarray
    time: np.ndarray
    n_at_risk: np.ndarray  # just before the time
    n_events: np.ndarray  # rows x causes
    n_censored: np.ndarray
    survival: np.ndarray  # share with no end yet, right after the time
    survival_variance: np.ndarray  # Greenwood; 0 where survival is 0
    incidence: np.ndarray  # rows x causes, share that has ended so
    variance: np.ndarray  # rows x causes, of incidence, Greenwood type
    segments: Segments  # which rows are whose
    changes: tuple[Changes, ...]  # of each cause


def aalen_johansen(
    group: np.ndarray,
    time: np.ndarray,
    n_events: np.ndarray,
    n_censored: np.ndarray,
    *,
    n_entered: np.ndarray | None = None,
    n_groups: int | None = None,
) -> IncidenceCurve:
    """Cumulative incidence of each cause in each group, from counts.

    Parameters
    ----------
    group
        Group of each row of counts, whole numbers from 0.
    time
        Time of each row, at least 0, in any unit. Rows may come in any order, and one group and
        time in several rows.
    n_events
        Rows x causes: how many spells ended in each way at that time. Need not be whole.
    n_censored
        How many were last seen without an end.
    n_entered
        How many came under observation at that time (left truncation); at risk after it. By
        default all are from the start.
    n_groups
        Number of groups; by default the largest number in ``group`` plus 1.

    Returns
    -------
    IncidenceCurve
        One row per group and time at which somebody left; a group without rows has none.

    Raises
    ------
    ValueError
        Lengths or group numbers do not fit; a time or count is negative or not finite; entries
        do not add up to exits, or somebody leaves before entering.

    Notes
    -----
    Source: Aalen and Johansen (1978), Scand. J. Statist. 5:141-150. Variance of Greenwood type,
    ties included: with ``c_j(u)`` the change of the estimate at ``t`` when one more spell at
    risk at ``u`` ends by cause ``j``, the sum over ``u`` of ``sum_j d_j c_j**2 - (sum_j d_j
    c_j)**2 / Y``; preferred by Allignol, Schumacher and Beyersmann (2010), Biom. J. 52:126-137.
    When nobody enters late it equals the infinitesimal jackknife of R's ``survfit`` exactly:
    what those at risk at two times contribute is then uncorrelated. With late entries the
    jackknife would need the joint counts of entry and exit; this variance does not. Spells
    count as independent of each other. For the variance of R's ``cuminc`` see
    :func:`aalen_variance`.

    Examples
    --------
    Of five spells one ends by the first cause at 1 and one at 3, two by the second at 2:

    >>> ends = [[1, 0], [0, 2], [1, 0], [0, 0]]
    >>> curve = aalen_johansen([0] * 4, [1, 2, 3, 4], ends, [0, 0, 0, 1])
    >>> curve.incidence.round(4).tolist()
    [[0.2, 0.0], [0.2, 0.4], [0.4, 0.4], [0.4, 0.4]]
    >>> curve.survival.round(4).tolist()
    [0.8, 0.4, 0.2, 0.2]
    """
    counts = np.asarray(n_events)
    if counts.ndim != 2:
        raise ValueError(f"n_events must be rows x causes, got {counts.ndim} dimension(s)")
    table = life_table(group, time, counts.T, n_censored, n_entered, n_groups)
    segments, at_risk, events = table.segments, table.n_at_risk, table.n_events
    together = table.n_ended
    survival = segments.running_product((at_risk - together) / at_risk)
    before = segments.previous(survival, 1.0)
    both = where_some_stay(at_risk, together, together / at_risk)
    square = segments.running_sum(both)
    gone = segments.previous(square, 0.0)
    incidence, variance = np.empty(events.shape), np.empty(events.shape)
    changes = tuple(_changes(segments, own) for own in events)
    for cause, (rows, latest) in enumerate(changes):  # in all other rows nothing changes
        some, left, risk = segments.of_rows(rows), before[rows], at_risk[rows]
        hazard = events[cause, rows] / risk
        jump = left * hazard
        reached = some.running_sum(jump)
        mixed = np.divide(jump, risk, out=jump)
        alone = np.subtract(1, hazard, out=hazard)
        alone *= np.multiply(left, mixed, out=left)
        summed = _quadratic(some, reached, alone, mixed, both[rows], gone[rows])
        _spread(reached, latest, incidence[cause])
        _spread(summed, latest, variance[cause])
    return IncidenceCurve(
        segments.group,
        table.time,
        at_risk,
        events.T,
        table.n_censored,
        survival,
        survival**2 * square,
        incidence.T,
        variance.T,
        segments,
        changes,
    )


def aalen_variance(curve: IncidenceCurve) -> np.ndarray:
    """Variance of each cumulative incidence by Aalen's (1978) formula.

    Parameters
    ----------
    curve
        From :func:`aalen_johansen`.

    Returns
    -------
    ndarray
        Rows x causes.

    Notes
    -----
    The estimator of R's ``cmprsk::cuminc``: every cause, and all other causes together, count
    as independent of each other also at tied times, with variance ``d (Y - d) / (Y - 1)`` for
    ``d`` of ``Y`` ends at one time. Without ties each term of the sum is ``Y / (Y - 1)`` times
    that of ``curve.variance``. Source: Aalen (1978), Ann. Statist. 6:534-545.

    Examples
    --------
    >>> curve = aalen_johansen([0] * 3, [1, 2, 3], [[1, 0], [0, 1], [1, 0]], [0] * 3)
    >>> aalen_variance(curve).round(4).tolist()
    [[0.1111, 0.0], [0.1111, 0.1389], [0.25, 0.1389]]
    """
    segments, at_risk, events = curve.segments, curve.n_at_risk, curve.n_events.T
    together = events.sum(axis=0)
    before = segments.previous(curve.survival, 1.0)
    ratio = where_some_stay(at_risk, together, at_risk)
    variance = np.empty(events.shape)
    for cause, own in enumerate(events):
        own_part, others = _tied(at_risk, own), _tied(at_risk, together - own)
        both = ratio**2 * (own_part + others)
        gone = segments.previous(segments.running_sum(both), 0.0)
        rows, latest = curve.changes[cause]
        summed = _quadratic(
            segments.of_rows(rows),
            curve.incidence[rows, cause],
            (before**2 * own_part)[rows],
            (before * ratio * own_part)[rows],
            both[rows],
            gone[rows],
        )
        _spread(summed, latest, variance[cause])
    return variance.T


def incidence_limits(
    curve: IncidenceCurve,
    *,
    level: float = 0.95,
    kind: str = "log-log",
    variance: np.ndarray | None = None,
) -> Pair:
    """Pointwise limits of the cumulative incidences.

    Parameters
    ----------
    curve
        From :func:`aalen_johansen`.
    level
        Confidence level, in (0, 1).
    kind
        As in :func:`analysis.stats.survival_limits`. The incidence itself is transformed, so
        ``"log-log"`` is symmetric in ``log(-log F)``, as in R's ``survfit`` (not in ``log(-log(1
        - F))``).
    variance
        By default ``curve.variance``; or :func:`aalen_variance`.

    Returns
    -------
    low, high : ndarray
        Rows x causes, in [0, 1]. NaN where the incidence is 0, except for ``"plain"``.

    Raises
    ------
    ValueError
        ``level`` is not in (0, 1), or ``kind`` is unknown.

    Examples
    --------
    >>> curve = aalen_johansen([0] * 3, [1, 2, 3], [[1, 0], [0, 1], [0, 0]], [0, 0, 1])
    >>> low, high = incidence_limits(curve)
    >>> low.round(3).tolist()
    [[0.009, nan], [0.009, 0.009], [0.009, 0.009]]
    """
    variance = curve.variance if variance is None else variance
    limits = np.empty((2, *variance.T.shape))
    for cause, (rows, latest) in enumerate(curve.changes):
        shares = (np.append(0.0, column[rows, cause]) for column in (curve.incidence, variance))
        for side, limit in enumerate(probability_limits(*shares, level=level, kind=kind)):
            np.take(limit, latest, out=limits[side, cause], mode="clip")
    return limits[0].T, limits[1].T


def _changes(segments: Segments, events: np.ndarray) -> Changes:
    rows = np.flatnonzero(events > 0)
    return Changes(rows, segments.latest(rows))


def _quadratic(
    segments: Segments,
    incidence: np.ndarray,
    alone: np.ndarray,
    mixed: np.ndarray,
    both: np.ndarray,
    gone: np.ndarray,
) -> np.ndarray:
    """Sum over ``u <= t`` of ``alone - 2 f mixed + f**2 both``, ``f = F(t) - F(u)``, at each t.

    All are of the rows with an end of the cause: in others ``alone`` and ``mixed`` are 0 and ``F``
    and the sum stay as they are. ``gone`` is the sum of ``both`` over all rows before the row.
    ``F`` is measured from its last value, not from 0: what is left of it is small where the last
    few at risk make the terms large, so nothing cancels.
    """
    whole = np.repeat(segments.last(incidence, 0.0), segments.lengths)
    left = whole - incidence
    earlier = segments.previous(left, 0.0)  # what is left from the event before up to this one
    earlier[segments.first_rows] = whole[segments.first_rows]
    weighed = np.multiply(left, both, out=whole)
    across = gone - segments.previous(gone, 0.0)
    across *= earlier
    across -= segments.previous(weighed, 0.0)
    slope = np.subtract(mixed, weighed, out=weighed)
    earlier *= across
    constant = segments.running_sum(alone - left * (mixed + slope) + earlier)
    slope -= across
    total = segments.running_sum(slope)
    total *= 2
    total += np.multiply(left, gone + both, out=slope)
    total *= left
    total += constant
    return np.maximum(total, 0.0, out=total)


def _spread(values: np.ndarray, latest: np.ndarray, out: np.ndarray) -> None:
    """Carry values of some rows to all, by :meth:`Segments.latest`; 0 ahead of the first."""
    np.take(np.append(0.0, values), latest, out=out, mode="clip")  # "raise" would copy


def _tied(at_risk: np.ndarray, events: np.ndarray) -> np.ndarray:
    """Variance of the share of ``Y`` at risk that has one of ``d`` tied events."""
    fewer = np.where(at_risk > 1, (at_risk - events) / np.maximum(at_risk - 1, 1e-300), 1.0)
    return events * np.where(events > 1, fewer, 1.0) / at_risk**2


def where_some_stay(at_risk: np.ndarray, events: np.ndarray, numerator: np.ndarray) -> np.ndarray:
    """``numerator / (Y - d)``; 0 where all at risk end at once: nothing changes after that.

    Examples
    --------
    >>> where_some_stay(np.array([4.0, 2.0]), np.array([1.0, 2.0]), np.array([6.0, 1.0])).tolist()
    [2.0, 0.0]
    """
    stay = at_risk - events
    nobody = np.flatnonzero(stay <= 0)
    stay[nobody] = np.inf
    return np.divide(numerator, stay, out=stay)
