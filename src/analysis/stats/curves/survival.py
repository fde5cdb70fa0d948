"""Time until one end: Kaplan-Meier curves of many groups at once, on counts.

Unit: one spell, counted by group and by the time at which it ended with the event or was
censored. At one time events come before censorings, as usual. Hundreds of groups and a million
times are one call.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.curves.life_tables import life_table
from analysis.stats.curves.segments import Segments


class SurvivalCurve(NamedTuple):
    """One row per group and time at which a spell ended or was censored, sorted."""

    group: np.ndarray
    time: np.ndarray
    n_at_risk: np.ndarray  # just before the time
    n_event: np.ndarray
    n_censored: np.ndarray
    survival: np.ndarray  # share for whom the event is still to come, right after the time
    variance: np.ndarray  # of survival, Greenwood; NaN where survival is 0
    hazard: np.ndarray  # cumulative, Nelson-Aalen
    hazard_variance: np.ndarray
    segments: Segments  # which rows are whose


def kaplan_meier(
    group: np.ndarray,
    time: np.ndarray,
    n_event: np.ndarray,
    n_censored: np.ndarray,
    *,
    n_entered: np.ndarray | None = None,
    n_groups: int | None = None,
) -> SurvivalCurve:
    """Kaplan-Meier curve of each group, from counts.

    Parameters
    ----------
    group
        Group of each row of counts, whole numbers from 0.
    time
        Time of each row, at least 0, in any unit. Rows may come in any order, and one group and
        time in several rows.
    n_event, n_censored
        How many spells ended with the event, and how many were last seen without it, at that
        time. Need not be whole (weights).
    n_entered
        How many came under observation at that time (left truncation). They are at risk after
        it: a spell is at risk over (entry, exit], as in R. By default all are from the start.
    n_groups
        Number of groups; by default the largest number in ``group`` plus 1.

    Returns
    -------
    SurvivalCurve
        One row per group and time at which somebody left; a group without rows has none.

    Raises
    ------
    ValueError
        Lengths or group numbers do not fit; a time or count is negative or not finite; entries
        do not add up to exits, or somebody leaves before entering.

    Notes
    -----
    Source: Kaplan and Meier (1958), J. Am. Stat. Assoc. 53:457-481; variance Greenwood (1926);
    hazard Nelson (1972) and Aalen (1978) with variance ``sum d / Y**2``. Spells count as
    independent of each other.

    Examples
    --------
    Four spells end at 1, 2, 2 and 4; one is censored at 3:

    >>> curve = kaplan_meier([0] * 4, [1, 2, 3, 4], [1, 2, 0, 1], [0, 0, 1, 0])
    >>> curve.n_at_risk.tolist(), curve.survival.round(4).tolist()
    ([5.0, 4.0, 2.0, 1.0], [0.8, 0.4, 0.4, 0.0])
    """
    events = np.asarray(n_event)[None]
    table = life_table(group, time, events, n_censored, n_entered, n_groups)
    segments, at_risk, events = table.segments, table.n_at_risk, table.n_events[0]
    share, stay = events / at_risk, at_risk - events
    survival = segments.running_product(stay / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = survival**2 * segments.running_sum(share / stay)
    return SurvivalCurve(
        segments.group,
        table.time,
        at_risk,
        events,
        table.n_censored,
        survival,
        variance,
        segments.running_sum(share),
        segments.running_sum(share / at_risk),
        segments,
    )
