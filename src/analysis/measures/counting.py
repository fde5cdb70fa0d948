"""From an opened dataset to small tables of counts: what all measures share.

A measure asks the engine for counts by group (and by seller, for the interval, or by time, for
a curve) and computes everything else on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import ibis
import numpy as np
import pandas as pd

from analysis.contract import GroupError, codes
from analysis.measures.pools import pooled
from analysis.sources import Tables, seconds_between
from analysis.sources.tables import as_names, known_columns
from analysis.stats.curves.segments import numbered

if TYPE_CHECKING:
    import ibis.expr.types as ir

CLUSTER = "seller_id"
HOUR = 3600
DAY = 24 * HOUR
MINUTE = 60
ROWS_OF_A_SELLER = 500  # that a table of counts may have, before sellers are pooled


class Groups(NamedTuple):
    """The groups of a table of counts, and to which of them each row belongs."""

    frame: pd.DataFrame  # one row per group, the columns of ``by``, sorted
    index: np.ndarray  # group number of every row of the counts

    @property
    def n(self) -> int:
        """Number of groups."""
        return len(self.frame)


def requests_of(
    tables: Tables,
    by: Sequence[str],
    requested_by: str | None,
    *,
    needed_by: str,
    columns: Iterable[str] = (),
) -> tuple[ir.Table, list[str]]:
    """Return the requests that ``requested_by`` made (everybody's for None) and checked ``by``.

    Sellers are pooled where they are very many, unless ``by`` asks for them. Of the columns of
    orders and sellers, those in ``by`` and ``columns`` are there, if the data has them.

    Raises
    ------
    MissingData
        Requests have no ``decided_at``, or one of ``by`` is in none of the tables.
    ValueError
        ``requested_by`` is no party.
    """
    tables.need("requests", "decided_at", by=needed_by)
    by = known_columns(tables.requests_with_context, by, needed_by=needed_by)
    frame = tables.requests_with([*by, *columns])
    if requested_by is not None:
        frame = frame.filter(frame.requested_by == checked_party(requested_by))
    return in_pools(tables, frame, by, "requests"), by


def orders_of(
    tables: Tables, by: Sequence[str], columns: Sequence[str] = (), *, needed_by: str
) -> tuple[ir.Table, list[str]]:
    """Return the orders, with their sellers only if ``by`` asks for one, and checked ``by``.

    Sellers are pooled where they are very many, unless ``by`` asks for them.

    Raises
    ------
    MissingData
        One of ``columns`` is not in orders, or one of ``by`` is in neither table.
    """
    orders = tables.need("orders", *columns, by=needed_by)
    wanted = as_names(by)
    if not set(wanted) <= set(orders.columns):
        orders = tables.orders_with_sellers
    by = known_columns(orders, wanted, needed_by=needed_by)
    return in_pools(tables, orders, by, "orders"), by


def in_pools(
    tables: Tables,
    frame: ir.Table,
    by: Sequence[str],
    table: str,
    *,
    rows_of_a_seller: int = ROWS_OF_A_SELLER,
) -> ir.Table:
    """Return ``frame``, made of ``table``, with pools of sellers where sellers are too many."""
    if CLUSTER in by or CLUSTER not in frame.columns:
        return frame
    return pooled(frame, CLUSTER, tables.size(table), rows_of_a_seller)


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
    row, index = alike(*(_places(counts[column]) for column in by))
    frame = counts[list(by)].iloc[row].reset_index(drop=True)
    numbers = frame.select_dtypes("category").columns
    return Groups(frame.astype(dict.fromkeys(numbers, "str")), index)


def _places(column: pd.Series) -> np.ndarray:
    """Place of each value in the order of all, missing ones last, whatever the type."""
    places, values = pd.factorize(column, sort=True)
    return np.where(places < 0, len(values), places).astype(np.int64)


def alike(*columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number the rows that are alike in all columns of whole numbers from 0.

    Returns some row of each number, and the number of each row; numbers rise as the columns do,
    the first one before the others, so that they do not depend on the order of the rows.
    """
    key = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        size = int(column.max(initial=0)) + 1
        if (int(key.max(initial=0)) + 1) * size >= 2**62:
            key = numbered(key)[1]
        key = key * size + column
    found, number = numbered(key)
    row = np.empty(len(found), np.int64)
    row[number] = np.arange(len(key))
    return row, number


def cluster_keys(frame: ir.Table, by: Sequence[str]) -> list[str]:
    """Return ``by`` and, where sellers are known, the seller."""
    return [*by, *([CLUSTER] if CLUSTER in frame.columns and CLUSTER not in by else [])]


def with_columns(frame: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """Return the frame with new columns after its own; one value alone stands in every row.

    ``DataFrame.assign`` adds them one by one, which takes most of the time of a small table.

    Raises
    ------
    GroupError
        The frame has one of them already: groups are by a column that the result has itself.
    """
    require_own_columns(columns, frame.columns)
    return pd.concat([frame, pd.DataFrame(columns, index=frame.index)], axis=1)


def as_counts(values: np.ndarray) -> np.ndarray:
    """Return whole numbers as int64, and weighted counts, which need not be whole, as they are."""
    whole = np.rint(values)
    return whole.astype(np.int64) if np.allclose(values, whole, rtol=0, atol=1e-6) else values


def require_own_columns(names: str | Iterable[str], by: Iterable[str]) -> None:
    """Raise GroupError if groups are by a column that the table of results has itself."""
    for name in as_names(names):
        if name in by:
            raise GroupError(f"by must not hold {name}: the result has a column of that name")


def checked_party(requested_by: str) -> str:
    """Return who asked, if it is a word of ``codes.PARTIES``.

    Raises
    ------
    ValueError
        It is not.
    """
    if requested_by not in codes.PARTIES:
        allowed = ", ".join(repr(party) for party in codes.PARTIES)
        raise ValueError(f"requested_by must be one of {allowed} or None, got {requested_by!r}")
    return requested_by


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


def seen(
    tables: Tables,
    start: ir.TimestampValue,
    end: ir.TimestampValue,
    between: Callable[..., ir.IntegerValue] = seconds_between,
) -> ir.IntegerValue:
    """Seconds from ``start`` to ``end``, or, where that is missing, to the end of observation."""
    return between(start, end.coalesce(ibis.literal(tables.as_of)))
