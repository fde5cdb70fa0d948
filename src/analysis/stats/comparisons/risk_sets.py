"""Who was at risk, in each of several groups, when somebody had the event.

Unit: a *point*, which is one time in one stratum, with a count per group. Strata are never compared
with each other; groups within a stratum are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.curves.life_tables import checked_groups, checked_rows, sorted_pairs
from analysis.stats.curves.segments import Segments, numbered


class RiskSets(NamedTuple):
    """Counts by group, and by stratum and time (points, sorted)."""

    segments: Segments  # which points are of which stratum
    time: np.ndarray
    n_at_risk: np.ndarray  # groups x points, just before the time
    n_events: np.ndarray  # causes x groups x points
    point: np.ndarray  # of each row of the counts that were given


def risk_sets(
    stratum: np.ndarray | None,
    group: np.ndarray,
    time: np.ndarray,
    n_events: np.ndarray,
    n_censored: np.ndarray,
    *,
    n_entered: np.ndarray | None = None,
    n_groups: int | None = None,
) -> RiskSets:
    """Gather counts by stratum, time and group, and count who is at risk.

    Parameters
    ----------
    stratum
        Stratum of each row of counts, whole numbers from 0; None: all are of one.
    group, time
        Of each row, in any order; the same may come in several rows.
    n_events
        Causes x rows.
    n_censored, n_entered
        Of each row; those who enter at a time are at risk after it. Without ``n_entered``
        everybody is at risk from the beginning.
    n_groups
        Number of groups; by default the largest number in ``group`` plus 1.

    Returns
    -------
    RiskSets
        One point per stratum and time in the counts.

    Raises
    ------
    ValueError
        As :func:`analysis.stats.curves.life_tables.life_table`.

    Examples
    --------
    >>> sets = risk_sets(None, [0, 1, 1], [2, 1, 2], [[1, 1, 0]], [0, 0, 1])
    >>> sets.time.tolist(), sets.n_at_risk.tolist(), sets.n_events[0].tolist()
    ([1, 2], [[1.0, 1.0], [2.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]])
    """
    group, n_groups = checked_groups(group, n_groups)
    stratum, n_strata = checked_groups(
        np.zeros(len(group), dtype=np.int64) if stratum is None else stratum, None
    )
    time = np.asarray(time)
    events = np.asarray(n_events, dtype=float)
    censored = np.asarray(n_censored, dtype=float)
    entered = [] if n_entered is None else [np.asarray(n_entered, dtype=float)]
    checked_rows(group, time, [stratum, *events, censored, *entered])
    point, found, starts = _numbered(stratum, time, n_strata)
    size, segments = len(found), Segments(starts)
    cell = group * size + point

    def by_cell(count: np.ndarray) -> np.ndarray:
        return np.bincount(cell, count, minlength=size * n_groups).reshape(n_groups, size)

    counted = np.array([by_cell(count) for count in events]).reshape(len(events), n_groups, size)
    leaving = counted.sum(axis=0)
    change = leaving + by_cell(censored) - (by_cell(entered[0]) if entered else 0.0)
    at_risk = np.array([segments.sum_from_end(own) for own in change]).reshape(n_groups, size)
    if entered:
        _check_entries(segments, at_risk, leaving)
    return RiskSets(segments, found, np.maximum(at_risk, 0.0), counted, point)


def _numbered(
    stratum: np.ndarray, time: np.ndarray, n_strata: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the point of each row, the times of the points, and where each stratum begins.

    Whole times of a small range are numbered by a table, which is quicker than sorting.
    """
    span = int(time.max(initial=0)) + 1 if time.dtype.kind in "iu" else 0
    if 0 < span * n_strata <= max(len(time), 1000) * 4:
        keys, point = numbered(stratum * span + time)
        return point, keys % span, np.searchsorted(keys, np.arange(n_strata + 1) * span)
    pairs = sorted_pairs(stratum, time)
    point = np.empty(len(time), dtype=np.int64)
    point[pairs.order] = np.cumsum(pairs.first) - 1
    return point, pairs.time, np.searchsorted(pairs.group, np.arange(n_strata + 1))


def _check_entries(segments: Segments, at_risk: np.ndarray, leaving: np.ndarray) -> None:
    slack = 1e-9 * max(1.0, float(at_risk.max(initial=0.0)))  # weighted counts carry rounding
    if (np.abs(at_risk[:, segments.first_rows]) > slack).any():
        raise ValueError("n_entered must add up to those who leave")
    if (at_risk < leaving - slack).any():
        raise ValueError("n_entered does not fit: more leave at a time than are at risk")
