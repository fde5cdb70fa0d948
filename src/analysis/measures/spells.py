"""Spells: times to an end, counted by group, seller and whole units of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import ibis
import numpy as np
import pandas as pd

from analysis import stats
from analysis.measures.counting import CLUSTER, HOUR, MINUTE, Groups, groups_of
from analysis.measures.pools import pooled
from analysis.sources import Size, collect, whole_units

if TYPE_CHECKING:
    import ibis.expr.types as ir

QUARTER = 15 * MINUTE
MOST_IN_MINUTES = 1_000_000  # spells whose time is counted in minutes
USUAL_GROUPS = 10  # of a table by groups, of which nobody has counted how many they are
NEVER = datetime(9999, 12, 31, tzinfo=UTC)  # later than any end
CURVE_POINTS = 240  # a curve is returned on at most about this many times


class Spells(NamedTuple):
    """Times to an event on counts: one row per (group, seller, time, end, weight)."""

    groups: Groups
    time: np.ndarray  # whole units
    events: np.ndarray  # rows x causes; weighted where orders are
    censored: np.ndarray
    end: np.ndarray  # 0 censored, else the number of the cause
    n_spells: np.ndarray  # that weigh more than 0
    n_squared: np.ndarray | None  # sums of squared weights; None where there are no weights
    cluster: np.ndarray | None  # number of the seller, -1 for none; None where not known


def spell_counts(frame: ir.Table, by: Sequence[str], *, n_causes: int, **measured: Any) -> Spells:
    """Count spells as :func:`counted_spells` does, whose parameters ``measured`` are."""
    counts = counted_spells(frame, by, n_causes=n_causes, **measured)
    return spells_of(counts, by, n_causes)


def counted_spells(
    frame: ir.Table,
    by: Sequence[str],
    *,
    start: ir.TimestampValue,
    seconds: ir.IntegerValue,
    cause: ir.IntegerValue,
    n_causes: int,
    unit_seconds: int,
    horizon_units: int,
    size: Size | None = None,
    with_seconds: bool = False,
) -> pd.DataFrame:
    """Count, by group, seller and whole units of time, how many spells ended in which way.

    Parameters
    ----------
    frame
        One row per spell.
    by
        Group columns.
    start
        When the spell began; rows where it is missing are left out.
    seconds
        Seconds that the spell was seen: from its start to its end, or, where there was none, to
        the end of observation (:func:`analysis.measures.counting.seen`).
    cause
        Which end it was, 1 to ``n_causes``; 0 where there was none, or one that counts as censored.
    n_causes
        How many different ends there are.
    unit_seconds
        Times are rounded up to whole units of this many seconds.
    horizon_units
        Spells longer than this are cut (censored) just after it: a curve to the horizon needs
        no more, and the table of counts stays small.
    size
        How many rows and sellers there are at most: spells are counted by seller, and for their
        ``weight``, where the frame has these. None: neither; spells are independent of each other
        and count once.
    with_seconds
        Whether to add up the seconds that the spells were seen, as well.

    Returns
    -------
    DataFrame
        One row per group, seller, weight, time and end: ``*by, cluster_, weight_, time_, cause_,
        n, seconds``, without what is not known or not asked for.

    Raises
    ------
    ValueError
        The horizon is shorter than a unit.

    Notes
    -----
    Where counts by seller would be more than about a million rows, sellers are dealt out to pools
    (:mod:`analysis.measures.pools`), each then one cluster.
    """
    if horizon_units < 1:
        raise ValueError(f"the horizon must be at least {unit_seconds} seconds")
    columns = {"seconds_": seconds, "cause_": cause.cast("int64")}
    by_seller = size is not None and CLUSTER in frame.columns
    keys = {"cluster_": frame[CLUSTER]} if by_seller else {}
    if size is not None and "weight" in frame.columns:
        keys["weight_"] = frame.weight.fill_null(1.0)
    named = _in_units(
        frame.filter(start.notnull()).select(*by, **keys, **columns), unit_seconds, horizon_units
    )
    if by_seller and CLUSTER not in by:
        n_groups = USUAL_GROUPS if by else 1
        named = pooled(named, "cluster_", size, horizon_units * n_causes * n_groups)
    sums = {"seconds": named.seconds_.sum()} if with_seconds else {}
    counts = named.group_by(*by, *keys, "time_", "cause_").aggregate(n=named.count(), **sums)
    return collect(counts, in_words=False)


def unit_of(size: Size, horizon_hours: float) -> int:
    """Seconds to which times are rounded up: 60, or 900 where spells are more than a million.

    For spells that are censored only when observation ends. What ended by each whole hour is
    counted exactly all the same: only the few still going on then are taken as seen to the end of
    their quarter.
    """
    fits = horizon_hours * HOUR % QUARTER == 0
    return QUARTER if fits and size.n_rows > MOST_IN_MINUTES else MINUTE


def _in_units(frame: ir.Table, unit_seconds: int, horizon_units: int) -> ir.Table:
    """Turn ``seconds_`` into ``time_`` in whole units, and cut what is too long.

    Each step names what the next one uses, so that no engine is sent an expression twice.
    """
    frame = frame.mutate(units_=whole_units(frame.seconds_, unit_seconds))
    within = frame.units_ <= horizon_units
    return frame.mutate(
        time_=ibis.least(frame.units_, horizon_units + 1), cause_=within.ifelse(frame.cause_, 0)
    )


def spells_of(counts: pd.DataFrame, by: Sequence[str], n_causes: int) -> Spells:
    """Return counts of :func:`counted_spells` as spells."""
    code, n = counts["cause_"].to_numpy(np.int64), counts["n"].to_numpy(np.int64)
    n_spells, n_squared = n, None
    if "weight_" in counts.columns:
        weight = counts["weight_"].to_numpy(float)
        n, n_spells, n_squared = n * weight, np.where(weight > 0, n, 0), n * weight**2
    events = np.zeros((len(counts), n_causes), dtype=n.dtype)
    is_end = code > 0
    events[np.flatnonzero(is_end), code[is_end] - 1] = n[is_end]
    cluster = counts["cluster_"] if "cluster_" in counts.columns else None
    return Spells(
        groups_of(counts, by),
        counts["time_"].to_numpy(np.int64),
        events,
        np.where(is_end, 0, n),
        code,
        n_spells,
        n_squared,
        None if cluster is None else pd.factorize(cluster, sort=True)[0],
    )


def in_order(spells: Spells) -> Spells:
    """Rows by group, time, end and seller: sums do not depend on how the engine gave them."""
    keys = [spells.n_spells, spells.end, spells.time, spells.groups.index]
    order = np.lexsort(keys if spells.cluster is None else [keys[0], spells.cluster, *keys[1:]])
    columns = (None if column is None else column[order] for column in spells[1:])
    return Spells(Groups(spells.groups.frame, spells.groups.index[order]), *columns)


def cells_of(spells: Spells) -> stats.Cells:
    """Return the counts as cells, for estimates that allow for sellers."""
    n = spells.events.sum(axis=1) + spells.censored
    return stats.Cells(
        spells.groups.index,
        spells.time,
        spells.end,
        n,
        spells.cluster,
        None,
        spells.n_squared,
        spells.n_spells,
    )


def with_first_end(frame: ir.Table, ends: Sequence[str], keep: Sequence[str]) -> ir.Table:
    """Return the columns ``keep`` with ``end_`` and ``cause_``, the earliest of several ends.

    Parameters
    ----------
    frame
        One row per spell.
    ends
        Columns with the moment of each end, missing where it was none. Ends are numbered from 1;
        at a tie the one named first counts. Where there was none, ``end_`` is missing and
        ``cause_`` is 0.
    keep
        Columns of ``frame`` that are still needed.
    """
    never = ibis.literal(NEVER)
    names = [f"end_{i}_" for i in range(len(ends))]
    firsts = [frame[moment].coalesce(never) for moment in ends]
    frame = frame.select(*keep, **dict(zip(names, firsts, strict=True)))
    each = [frame[name] for name in names]
    frame = frame.mutate(first_=ibis.least(*each) if len(each) > 1 else each[0])
    numbered = [(frame[name] == frame.first_, i) for i, name in enumerate(names, 1)]
    cause = ibis.cases((frame.first_ == never, 0), *numbered, else_=0)
    return frame.select(*keep, end_=frame.first_.nullif(never), cause_=cause.cast("int64"))


def curve_times(horizon: float, step: float) -> np.ndarray:
    """Times on which a curve to ``horizon`` is returned: multiples of ``step``, or coarser."""
    if horizon <= 0:
        raise ValueError(f"the horizon must be more than 0, got {horizon}")
    coarser = max(1, int(np.ceil(horizon / step / CURVE_POINTS)))
    times = np.arange(0, horizon + step / 2, step * coarser)
    return times if times[-1] >= horizon else np.append(times, horizon)
