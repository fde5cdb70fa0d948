"""From an opened dataset to small tables of counts: what all measures share.

A measure asks the engine for counts by group (and by seller, for the interval, or by time, for
a curve) and computes everything else on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import ibis
import numpy as np
import pandas as pd

from analysis import stats
from analysis.sources import Tables, collect, seconds_between, whole_units
from analysis.sources.tables import known_columns

if TYPE_CHECKING:
    import ibis.expr.types as ir

CLUSTER = "seller_id"
LONE = "lone_"  # request or order without seller that does not weigh 1
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
    """Return the requests that ``requested_by`` made (everybody's for None) and checked ``by``.

    Raises
    ------
    MissingData
        Requests have no ``decided_at``, or one of ``by`` is in none of the tables.
    """
    tables.need("requests", "decided_at", by=needed_by)
    frame = tables.requests_with_context
    by = known_columns(frame, by, needed_by=needed_by)
    if requested_by is not None:
        frame = frame.filter(frame.requested_by == requested_by)
    return frame, by


def orders_of(
    tables: Tables, by: Sequence[str], columns: Sequence[str] = (), *, needed_by: str
) -> tuple[ir.Table, list[str]]:
    """Return the orders, with their sellers only if ``by`` asks for one, and checked ``by``.

    Raises
    ------
    MissingData
        One of ``columns`` is not in orders, or one of ``by`` is in neither table.
    """
    orders = tables.need("orders", *columns, by=needed_by)
    wanted = [by] if isinstance(by, str) else list(by)
    if not set(wanted) <= set(orders.columns):
        orders = tables.orders_with_sellers
    return orders, known_columns(orders, wanted, needed_by=needed_by)


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
    index = counts.groupby([_places(counts[column]) for column in by]).ngroup().to_numpy()
    first = pd.Series(np.arange(len(counts))).groupby(index).first().to_numpy()
    return Groups(counts[list(by)].iloc[first].reset_index(drop=True), index)


def _places(column: pd.Series) -> np.ndarray:
    """Place of each value in the order of all, missing ones last, whatever the type."""
    places, values = pd.factorize(column, sort=True)
    return np.where(places < 0, len(values), places)


def cluster_keys(frame: ir.Table, by: Sequence[str]) -> list[str]:
    """Return ``by`` and, where sellers are known, the seller."""
    return [*by, *([CLUSTER] if CLUSTER in frame.columns and CLUSTER not in by else [])]


def share_table(
    frame: ir.Table,
    by: Sequence[str],
    event: ir.BooleanValue,
    *,
    counted: ir.BooleanValue,
    level: float,
) -> pd.DataFrame:
    """Share of the counted rows on which ``event`` holds, with clustered limits.

    Parameters
    ----------
    frame
        One row per unit; limits are clustered by seller where it has ``seller_id``, and rows
        count for ``weight`` where it has that.
    by
        Group columns.
    event
        What a row must be to count in the numerator. Missing is false.
    counted
        Which rows are in the denominator; the others are ``n_pending``.
    level
        Confidence level.

    Returns
    -------
    DataFrame
        ``*by, estimate, ci_low, ci_high, n, n_events, n_pending, n_clusters, interval``, groups
        sorted.
    """
    word = event.fill_null(False).ifelse("event", "other")
    table = word_table(frame, by, word, ("event",), counted=counted, level=level, name="word_")
    return table.drop(columns="word_")


def word_table(
    frame: ir.Table,
    by: Sequence[str],
    word: ir.StringValue,
    words: Sequence[str],
    *,
    counted: ir.BooleanValue,
    level: float,
    name: str,
) -> pd.DataFrame:
    """Share of the counted rows that have each of ``words``, with clustered limits.

    Parameters
    ----------
    frame, by, counted, level
        As in :func:`share_table`.
    word
        The word of a row; missing is none of them.
    words
        Words to return, in order, also those that no row has.
    name
        Name of their column.

    Returns
    -------
    DataFrame
        One row per group and word; columns as in :func:`share_table` with ``name`` after ``by``.
    """
    require_own_column(name, by)
    keys = cluster_keys(frame, by)
    frame = frame.mutate(counted_=counted.fill_null(False), word_=word)
    frame, weight, keys = _weighted(frame, keys)
    counts = collect(
        frame.group_by(*keys, "word_").aggregate(
            n=frame.counted_.ifelse(weight, 0).sum(),
            n_pending=frame.counted_.ifelse(0, weight).sum(),
        )
    )
    units = groups_of(counts, keys)
    n = np.bincount(units.index, counts["n"], minlength=units.n)
    pending = np.bincount(units.index, counts["n_pending"], minlength=units.n)
    events = {
        one: np.bincount(units.index, counts["n"].where(counts["word_"] == one, 0), units.n)
        for one in words
    }
    return tabulated(units.frame, by, events, n=n, level=level, name=name, n_pending=pending)


def tabulated(
    units: pd.DataFrame,
    by: Sequence[str],
    events: Mapping[str, np.ndarray],
    *,
    n: np.ndarray,
    level: float,
    name: str,
    n_pending: np.ndarray | None = None,
) -> pd.DataFrame:
    """Shares with limits from counts: one row per group and name in ``events``.

    Parameters
    ----------
    units
        What each count belongs to, one row a unit (a seller in a group): the columns of ``by``
        and, where known, ``seller_id``.
    by
        Group columns.
    events
        Name of a share -> its numerator in each unit.
    n, n_pending
        Denominator, and those too young for it, in each unit.
    level
        Confidence level.
    name
        Name of the column that holds the names.
    """
    groups = groups_of(units, by)
    alone = _alone(units)
    parts = []
    for position, (word, k) in enumerate(events.items()):
        part = groups.frame.assign(**{name: word}, **_limits(k, n, groups, alone, level))
        parts.append(part.assign(_group=np.arange(groups.n), _word=position))
    table = pd.concat(parts, ignore_index=True).sort_values(["_group", "_word"], kind="stable")
    if n_pending is not None:
        pending = np.bincount(groups.index, n_pending, minlength=groups.n)
        column = as_counts(pending)[table["_group"]]
        table.insert(table.columns.get_loc("n_events") + 1, "n_pending", column)
    return table.drop(columns=["_group", "_word"]).reset_index(drop=True)


def _alone(units: pd.DataFrame) -> np.ndarray | None:
    """Which units pool rows that have no seller; None where sellers are not known."""
    if CLUSTER not in units.columns:
        return None
    alone = units[CLUSTER].isna().to_numpy()
    return alone & units[LONE].isna().to_numpy() if LONE in units.columns else alone


def _limits(
    k: np.ndarray, n: np.ndarray, groups: Groups, alone: np.ndarray | None, level: float
) -> dict[str, np.ndarray]:
    found = stats.ratio_interval(
        groups.index,
        np.minimum(k, n),
        n,
        n_groups=groups.n,
        level=level,
        clusters="seller" if alone is not None else None,
        alone=alone,
    )
    return {
        "estimate": found.estimate,
        "ci_low": found.low,
        "ci_high": found.high,
        "n": as_counts(found.n),
        "n_events": as_counts(found.k),
        "n_clusters": found.n_clusters,
        "interval": found.interval,
    }


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
    row = frame.request_id if "request_id" in frame.columns else frame.order_id
    frame = frame.mutate(**{LONE: heavy.ifelse(row.cast("string"), None)})
    return frame, weight, [*keys, LONE]


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


def require_own_column(name: str, by: Iterable[str]) -> None:
    """Raise ValueError if groups are by a column that the table of results has itself."""
    if name in by:
        raise ValueError(f"by must not hold {name}: the result has a column of that name")


def curve_times(horizon: float, step: float) -> np.ndarray:
    """Times on which a curve to ``horizon`` is returned: multiples of ``step``, or coarser."""
    if horizon <= 0:
        raise ValueError(f"the horizon must be more than 0, got {horizon}")
    coarser = max(1, int(np.ceil(horizon / step / CURVE_POINTS)))
    times = np.arange(0, horizon + step / 2, step * coarser)
    return times if times[-1] >= horizon else np.append(times, horizon)


def positive(name: str, value: float) -> float:
    """Return ``value`` if it is more than 0 and finite.

    Raises
    ------
    ValueError
        It is not.
    """
    if not 0 < value < float("inf"):
        raise ValueError(f"{name} must be more than 0 and finite, got {value}")
    return value


def age(tables: Tables, moment: ir.TimestampValue) -> ir.IntegerValue:
    """Seconds from ``moment`` to the end of observation."""
    return seconds_between(moment, tables.as_of)
