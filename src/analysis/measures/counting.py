"""From an opened dataset to small tables of counts: what all measures share.

A measure asks the engine for counts by group (and by seller, for the interval, or by time, for
a curve) and computes everything else on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import ibis
import numpy as np
import pandas as pd

from analysis import stats
from analysis.contract import MissingData
from analysis.sources import Tables, collect, seconds_between, whole_units
from analysis.sources.tables import known_columns

if TYPE_CHECKING:
    import ibis.expr.types as ir

CLUSTER = "seller_id"
HOUR = 3600
DAY = 24 * HOUR
MINUTE = 60
CURVE_POINTS = 240  # a curve is returned on at most about this many times


class Groups(NamedTuple):
    """The groups of a table of counts, and to which of them each row belongs."""

    frame: pd.DataFrame  # one row per group, the columns of ``by``, sorted
    index: np.ndarray  # group number of every row of the counts

    @property
    def n(self) -> int:
        """Number of groups."""
        return len(self.frame)


def requests_of(
    tables: Tables, by: Sequence[str], requested_by: str | None, *, needed_by: str
) -> tuple[ir.Table, list[str]]:
    """Return the requests that ``requested_by`` made (everybody's for None) and checked ``by``."""
    frame = tables.requests_with_context
    by = known_columns(frame, by, needed_by=needed_by)
    if requested_by is not None:
        frame = frame.filter(frame.requested_by == requested_by)
    return frame, by


def mature_requests(
    tables: Tables, frame: ir.Table, horizon_hours: float
) -> tuple[ir.BooleanValue, ir.BooleanValue]:
    """Return which requests are old enough to count, and which were decided within the horizon."""
    horizon = int(positive("horizon_hours", horizon_hours) * HOUR)
    mature = age(tables, frame.requested_at) >= horizon
    in_time = seconds_between(frame.requested_at, frame.decided_at) <= horizon
    return mature, in_time.fill_null(False)


def groups_of(counts: pd.DataFrame, by: Sequence[str]) -> Groups:
    """Number the groups in ``counts``; with no ``by`` there is one, even if there are no rows."""
    if not by:
        return Groups(pd.DataFrame(index=[0]), np.zeros(len(counts), dtype=np.int64))
    index = counts.groupby(list(by), sort=True, dropna=False, observed=True).ngroup().to_numpy()
    first = pd.Series(np.arange(len(counts))).groupby(index).first().to_numpy()
    return Groups(counts[list(by)].iloc[first].reset_index(drop=True), index)


def cluster_keys(frame: ir.Table, by: Sequence[str]) -> list[str]:
    """Return ``by`` and, where sellers are known, the seller."""
    return [*by, *([CLUSTER] if CLUSTER in frame.columns and CLUSTER not in by else [])]


def share_table(
    frame: ir.Table,
    by: Sequence[str],
    shares: Mapping[str, ir.BooleanValue],
    *,
    counted: ir.BooleanValue,
    level: float,
    word: str | None = None,
) -> pd.DataFrame:
    """Share of the counted rows for which each of ``shares`` holds, with clustered limits.

    Parameters
    ----------
    frame
        One row per unit; limits are clustered by seller where it has ``seller_id``.
    by
        Group columns.
    shares
        Name of the share -> expression on ``frame``. Missing is false.
    counted
        Which rows are in the denominator; the others are ``n_pending``.
    level
        Confidence level.
    word
        Name of the column that says which share a row is; None if there is only one share.

    Returns
    -------
    DataFrame
        ``*by, [word], estimate, ci_low, ci_high, n, n_events, n_pending, n_clusters, interval``;
        groups sorted, shares in the order given.
    """
    keys = cluster_keys(frame, by)
    counted = counted.fill_null(False)
    frame, weight, keys = _weighted(frame.mutate(counted_=counted), keys)
    counts = collect(
        frame.group_by(*keys).aggregate(
            n=frame.counted_.ifelse(weight, 0).sum(),
            n_pending=frame.counted_.ifelse(0, weight).sum(),
            **{
                f"k{i}": (frame.counted_ & share.fill_null(False)).ifelse(weight, 0).sum()
                for i, share in enumerate(shares.values())
            },
        )
    )
    groups = groups_of(counts, by)
    alone = counts[CLUSTER].isna().to_numpy() if CLUSTER in keys else None
    if "lone_" in keys:
        alone = alone & counts["lone_"].isna().to_numpy()
    parts = []
    for position, name in enumerate(shares):
        part = _share_rows(counts, f"k{position}", groups, level=level, alone=alone)
        if word is not None:
            part.insert(len(by), word, name)
        parts.append(part.assign(_group=np.arange(groups.n), _share=position))
    table = pd.concat(parts, ignore_index=True).sort_values(["_group", "_share"], kind="stable")
    return table.drop(columns=["_group", "_share"]).reset_index(drop=True)


def _weighted(frame: ir.Table, keys: list[str]) -> tuple[ir.Table, Any, list[str]]:
    """Return the frame, what a row counts for, and the keys with heavy lone rows kept apart.

    A row without seller is a cluster of its own; such rows are pooled in the counts while they
    weigh 1, and get a key each when they do not.
    """
    if "weight" not in frame.columns:
        return frame, 1, keys
    weight = frame.weight.fill_null(1.0)
    heavy = (frame[CLUSTER].isnull() & (weight != 1)) if CLUSTER in frame.columns else None
    if heavy is None:
        return frame, weight, keys
    frame = frame.mutate(lone_=heavy.ifelse(frame.order_id.cast("string"), None))
    return frame, weight, [*keys, "lone_"]


def _share_rows(
    counts: pd.DataFrame, k: str, groups: Groups, *, level: float, alone: np.ndarray | None
) -> pd.DataFrame:
    rows = groups.frame.copy()
    limits = stats.ratio_interval(
        groups.index,
        counts[k].to_numpy(),
        counts["n"].to_numpy(),
        n_groups=groups.n,
        level=level,
        clusters="seller" if alone is not None else None,
        alone=alone,
    )
    pending = np.bincount(groups.index, counts["n_pending"].to_numpy(float), minlength=groups.n)
    return rows.assign(
        estimate=limits.estimate,
        ci_low=limits.low,
        ci_high=limits.high,
        n=as_counts(limits.n),
        n_events=as_counts(limits.k),
        n_pending=as_counts(pending),
        n_clusters=limits.n_clusters,
        interval=limits.interval,
    )


def as_counts(values: np.ndarray) -> np.ndarray:
    """Return whole numbers as int64, and weighted counts, which need not be whole, as they are."""
    whole = np.rint(values)
    return whole.astype(np.int64) if np.allclose(values, whole, rtol=0, atol=1e-6) else values


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
    causes: Mapping[str, ir.IntegerValue],
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
    causes
        Name -> seconds from start to that end, missing where it did not happen. The earliest
        counts; at a tie the one named first.
    age
        Seconds from start to the end of observation: where nothing happened, censored there.
    unit_seconds
        Times are rounded up to whole units of this many seconds.
    horizon_units
        Spells longer than this are cut (censored) just after it: a curve to the horizon needs
        no more, and the table of counts stays small.
    """
    frame = frame.filter(start.notnull())
    never = 2**62
    firsts = [seconds.coalesce(never).cast("int64") for seconds in causes.values()]
    first = ibis.least(*firsts) if len(firsts) > 1 else firsts[0]
    ended = first <= age
    cause = ibis.cases(
        *(((ended & (seconds == first)), i + 1) for i, seconds in enumerate(firsts)), else_=0
    )
    time = whole_units(ended.ifelse(first, age), unit_seconds)
    beyond = time > horizon_units
    named = frame.select(
        *by,
        time_=beyond.ifelse(horizon_units + 1, time),
        cause_=beyond.ifelse(0, cause).cast("int64"),
    )
    counts = collect(named.group_by(*by, "time_", "cause_").aggregate(n=lambda t: t.count()))
    groups = groups_of(counts, by)
    events = np.zeros((len(counts), len(causes)), dtype=np.int64)
    code, n = counts["cause_"].to_numpy(np.int64), counts["n"].to_numpy(np.int64)
    happened = code > 0
    events[np.flatnonzero(happened), code[happened] - 1] = n[happened]
    return Spells(groups, counts["time_"].to_numpy(np.int64), events, np.where(happened, 0, n))


def curve_times(horizon: float, step: float) -> np.ndarray:
    """Times on which a curve to ``horizon`` is returned: multiples of ``step``, or coarser."""
    if horizon <= 0:
        raise ValueError(f"the horizon must be more than 0, got {horizon}")
    coarser = max(1, int(np.ceil(horizon / step / CURVE_POINTS)))
    times = np.arange(0, horizon + step / 2, step * coarser)
    return times if times[-1] >= horizon else np.append(times, horizon)


def positive(name: str, value: float) -> float:
    """Return ``value`` if it is more than 0.

    Raises
    ------
    ValueError
        It is not.
    """
    if not value > 0:
        raise ValueError(f"{name} must be more than 0, got {value}")
    return value


def age(tables: Tables, moment: ir.TimestampValue) -> ir.IntegerValue:
    """Seconds from ``moment`` to the end of observation."""
    return seconds_between(moment, tables.as_of)


def need_columns(frame: ir.Table, table: str, columns: Sequence[str], *, needed_by: str) -> None:
    """Raise :class:`MissingData` unless ``frame`` has all ``columns`` of ``table``."""
    for column in columns:
        if column not in frame.columns:
            raise MissingData(f"the column {table}.{column}", needed_by=needed_by)
