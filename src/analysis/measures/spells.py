"""Spells: times to an end, counted by group and whole units of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import ibis
import numpy as np

from analysis.measures.counting import Groups, groups_of
from analysis.sources import collect, whole_units

if TYPE_CHECKING:
    import ibis.expr.types as ir

CURVE_POINTS = 240  # a curve is returned on at most about this many times


class Spells(NamedTuple):
    """Times to an event on counts: one row per (group, time)."""

    groups: Groups
    time: np.ndarray  # whole units
    events: np.ndarray  # rows x causes
    censored: np.ndarray


def spell_counts(
    frame: ir.Table,
    by: Sequence[str],
    *,
    start: ir.TimestampValue,
    ended: ir.IntegerValue,
    cause: ir.IntegerValue,
    n_causes: int,
    age: ir.IntegerValue,
    unit_seconds: int,
    horizon_units: int,
) -> Spells:
    """Count, by group and whole units of time, how many spells ended in which way.

    Parameters
    ----------
    frame
        One row per spell.
    by
        Group columns.
    start
        When the spell began; rows where it is missing are left out.
    ended
        Seconds from start to the end, missing where there was none.
    cause
        Which end it was, 1 to ``n_causes``; 0 for an end that counts as censored.
    n_causes
        How many different ends there are.
    age
        Seconds from start to the end of observation: where nothing happened, censored there.
    unit_seconds
        Times are rounded up to whole units of this many seconds.
    horizon_units
        Spells longer than this are cut (censored) just after it: a curve to the horizon needs
        no more, and the table of counts stays small.
    """
    time = whole_units(ended.coalesce(age), unit_seconds)
    happened = ended.notnull() & (time <= horizon_units)
    named = frame.filter(start.notnull()).select(
        *by,
        time_=ibis.least(time, horizon_units + 1),
        cause_=happened.ifelse(cause, 0).cast("int64"),
    )
    counts = collect(named.group_by(*by, "time_", "cause_").aggregate(n=lambda t: t.count()))
    groups = groups_of(counts, by)
    events = np.zeros((len(counts), n_causes), dtype=np.int64)
    code, n = counts["cause_"].to_numpy(np.int64), counts["n"].to_numpy(np.int64)
    is_end = code > 0
    events[np.flatnonzero(is_end), code[is_end] - 1] = n[is_end]
    return Spells(groups, counts["time_"].to_numpy(np.int64), events, np.where(is_end, 0, n))


def first_end(ends: Sequence[ir.IntegerValue]) -> tuple[ir.IntegerValue, ir.IntegerValue]:
    """Return the earliest of several ends (in seconds, missing where it was none) and its number.

    Ends are numbered from 1; at a tie the one named first counts.
    """
    never = 2**62
    firsts = [seconds.coalesce(never).cast("int64") for seconds in ends]
    first = ibis.least(*firsts) if len(firsts) > 1 else firsts[0]
    numbered = [(seconds == first, i) for i, seconds in enumerate(firsts, 1)]
    return first.nullif(never), ibis.cases(*numbered, else_=0)


def curve_times(horizon: float, step: float) -> np.ndarray:
    """Times on which a curve to ``horizon`` is returned: multiples of ``step``, or coarser."""
    if horizon <= 0:
        raise ValueError(f"the horizon must be more than 0, got {horizon}")
    coarser = max(1, int(np.ceil(horizon / step / CURVE_POINTS)))
    times = np.arange(0, horizon + step / 2, step * coarser)
    return times if times[-1] >= horizon else np.append(times, horizon)
