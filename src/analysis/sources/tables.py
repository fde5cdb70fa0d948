"""An opened dataset: the tables, where they live, and when observation ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from analysis.contract import GroupError, Manifest, MissingData, codes
from analysis.sources.engine import collect, kept_in_engine
from analysis.sources.ranges import edges_of, in_ranges, near
from analysis.sources.words import in_words

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends import BaseBackend


MOST_WIDE = 2_000_000  # orders up to which the joins that are kept have every column
MOST_LOOSE = 20_000_000  # orders up to which joins are kept as they are, of more packed
FEW = ("seller_id", "weight", "size_tier")  # of order and seller that a narrow join has
OF_THE_ORDER = ("placed_at", "paid_at", "packed_at", "shipped_at", "delivered_at", "ended_at")
OF_THE_ORDER += ("end_code", "payment_method", "is_cancellable_goods")  # what a policy looks at
FEW_OF_REQUESTS = (*FEW, "paid_at", "payment_method")
KEPT_OF_REQUESTS = (*FEW_OF_REQUESTS, *OF_THE_ORDER)
OF_THE_REQUEST = ("requested_at", "decided_at", "reason", "order_state")
FEW_OF_REFUNDS = (*FEW, "buyer_country")
OF_RESULTS = ("estimate", "ci_low", "ci_high", "interval", "p_value", "q_value", "k", "n")
OF_RESULTS += ("n_events", "n_pending", "n_censored", "n_at_risk", "n_clusters")


_RowsOf: TypeAlias = "Callable[[str, Iterable[str]], ir.Table]"  # a table, with columns needed


class Size(NamedTuple):
    """How large a table is."""

    n_rows: int
    n_sellers: int  # that sell anything, or, where there is a table of them, all


@dataclass(frozen=True)
class Tables:
    """The tables of one dataset as Ibis expressions, and ``as_of``, when observation ends.

    Opened by :func:`analysis.open_tables`. Nothing here is changed by a measure; the joins that
    many measures need are made once, on first use, and kept in the engine.
    """

    as_of: datetime
    frames: Mapping[str, ir.Table]
    backend: BaseBackend
    manifest: Manifest | None = None
    folder: Path | None = None  # where the dataset lies, if it was opened from its folder
    notes: tuple[str, ...] = ()  # what a reader must know before believing a number
    _kept: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def has(self, table: str, *columns: str) -> bool:
        """Whether the data has ``table`` with all ``columns``."""
        return table in self.frames and set(columns) <= set(self.frames[table].columns)

    def need(self, table: str, *columns: str, by: str = "") -> ir.Table:
        """Return ``table``.

        Raises
        ------
        MissingData
            The table, or one of ``columns``, is not in this data; ``by`` says who asks.
        """
        if table not in self.frames:
            raise MissingData(f"the table {table}", needed_by=by, known=self.frames)
        for column in columns:
            if column not in self.frames[table].columns:
                raise MissingData(f"the column {table}.{column}", needed_by=by)
        return self.frames[table]

    @property
    def orders(self) -> ir.Table:
        """One row per order."""
        return self.need("orders")

    @property
    def requests(self) -> ir.Table:
        """One row per attempt to cancel."""
        return self.need("requests")

    @property
    def orders_with_sellers(self) -> ir.Table:
        """One row per order with the columns of its seller, where there are sellers."""
        return self.once("orders_with_sellers", self._join_sellers)

    @property
    def requests_with_context(self) -> ir.Table:
        """One row per request with the columns of its order and seller."""
        name = "requests_with_context"
        return self.once(name, self._join_requests) if self._is_large else self._kept_join(name)

    @property
    def refunds_with_context(self) -> ir.Table:
        """One row per refund leg with its order, its seller and ``due_since`` (the decision)."""
        name = "refunds_with_context"
        return self.once(name, self._join_refunds) if self._is_large else self._kept_join(name)

    def requests_with(self, columns: Iterable[str] = ()) -> ir.Table:
        """One row per request with ``columns`` of its order and seller, and those mostly asked for.

        Up to 2,000,000 orders all are there (:attr:`requests_with_context`). Of more, the join
        that is kept has few, and the others are joined where they are asked for.
        """
        name = "requests_with_few" if self._is_large else "requests_with_context"
        few = _some(self._kept_join(name), self.requests.columns, FEW_OF_REQUESTS, columns)
        return self.joined(few, columns) if self._is_large else few

    def refunds_with(self, columns: Iterable[str] = ()) -> ir.Table:
        """One row per refund leg with ``due_since`` and ``columns``, as :meth:`requests_with`."""
        if not self._is_large:
            own = (*self.need("refunds").columns, *OF_THE_REQUEST, "due_since")
            return _some(self.refunds_with_context, own, FEW_OF_REFUNDS, columns)
        return self.joined(self._kept_join("refunds_with_few"), columns)

    @property
    def joins(self) -> dict[str, Callable[[], list[ir.Table]]]:
        """What makes the joins that are kept, part by part, by the names they are kept under."""
        if self._is_large:
            return {
                "requests_with_few": partial(self._in_parts, "requests", self._join_few_requests),
                "refunds_with_few": partial(self._in_parts, "refunds", self._join_few_refunds),
            }
        return {
            "requests_with_context": lambda: [self._join_requests()],
            "refunds_with_context": lambda: [self._join_refunds()],
        }

    def joined(self, frame: ir.Table, columns: Iterable[str]) -> ir.Table:
        """Add those of ``columns`` that ``frame`` lacks and its order or seller has."""
        return self._joined(frame, columns, self._rows)

    def _joined(
        self,
        frame: ir.Table,
        columns: Iterable[str],
        rows_of: _RowsOf,
    ) -> ir.Table:
        wanted = set(columns)
        for table, key in (("orders", "order_id"), ("sellers", "seller_id")):
            if table in self.frames and key in frame.columns:
                news = _among(self.frames[table], wanted - set(frame.columns))
                frame = _left_join(frame, rows_of(table, news).select(key, *news), key)
        return frame

    def _rows(self, table: str, columns: Iterable[str]) -> ir.Table:
        return self.need(table)

    def _in_parts(self, table: str, join: Callable[[_RowsOf], ir.Table]) -> list[ir.Table]:
        """Return a join of ``table`` with its orders in ranges of their ids, words as numbers."""
        edges = edges_of(self.orders.order_id, self.n_rows(table) + self.n_rows("orders"))

        @cache
        def ranges(name: str, columns: tuple[str, ...]) -> list[ir.Table]:
            frame = in_words(self.backend, self.need(name), columns)
            if name in (table, "orders"):
                return in_ranges(frame, "order_id", edges)
            parts = in_ranges(self.need(table), "order_id", edges)
            if edges and name == "requests":
                return [near(frame, refunds, "request_id") for refunds in parts]
            return [frame] * len(parts)

        def rows_of(part: int, name: str, columns: Iterable[str]) -> ir.Table:
            return ranges(name, tuple(columns))[part]

        return [join(partial(rows_of, part)) for part in range(len(edges) + 1)]

    @property
    def _is_large(self) -> bool:
        return self.n_rows("orders") > MOST_WIDE

    def size(self, table: str) -> Size:
        """Return how many rows ``table`` has, and how many sellers there are."""
        return Size(self.n_rows(table), self.once("n_sellers", self._count_sellers))

    def n_rows(self, table: str) -> int:
        """Return how many rows ``table`` has."""
        frame = self.need(table)
        counted = self.once(f"n_rows of {table}", lambda: collect(frame.aggregate(n=frame.count())))
        return int(counted["n"].iloc[0])

    def _count_sellers(self) -> int:
        if "seller_id" not in self.orders.columns:
            return 0
        if "sellers" in self.frames:
            return self.n_rows("sellers")
        counted = self.orders.aggregate(n=self.orders.seller_id.nunique())
        return int(collect(counted)["n"].iloc[0])

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what ``make`` gave when ``name`` was first asked for."""
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]

    def in_engine(self, name: str, make: Callable[[], list[ir.Table]]) -> ir.Table:
        """Return the table whose parts ``make`` gives, computed once and kept in the engine."""

        def keep() -> ir.Table:
            packed = self.n_rows("orders") > MOST_LOOSE
            return kept_in_engine(self.backend, name, make(), packed=packed)

        return self.once(name, keep)

    def _kept_join(self, name: str) -> ir.Table:
        return self.in_engine(name, self.joins[name])

    def forget(self, name: str) -> None:
        """Keep no longer what was asked for as ``name``."""
        self._kept.pop(name, None)

    def _join_sellers(self) -> ir.Table:
        orders = self.orders
        if "sellers" not in self.frames or "seller_id" not in orders.columns:
            return orders
        return _left_join(orders, self.frames["sellers"], "seller_id")

    def _join_requests(self) -> ir.Table:
        return self._joined_requests(self._all_columns(), self._rows)

    def _join_few_requests(self, rows_of: _RowsOf) -> ir.Table:
        return self._joined_requests(KEPT_OF_REQUESTS, rows_of)

    def _joined_requests(self, columns: Iterable[str], rows_of: _RowsOf) -> ir.Table:
        own = [column for column in self.requests.columns if column != "reason_text"]
        return self._joined(rows_of("requests", own).select(*own), columns, rows_of)

    def _all_columns(self) -> set[str]:
        frames = [self.frames[name] for name in ("orders", "sellers") if name in self.frames]
        return {column for frame in frames for column in frame.columns}

    def _join_refunds(self) -> ir.Table:
        return self._joined_refunds(self._all_columns(), self._rows)

    def _join_few_refunds(self, rows_of: _RowsOf) -> ir.Table:
        joined = self._joined_refunds([*FEW_OF_REFUNDS, "ended_at"], rows_of)
        return joined.drop(*({"ended_at"} & set(joined.columns)))  # due_since has it

    def _joined_refunds(self, columns: Iterable[str], rows_of: _RowsOf) -> ir.Table:
        refunds = rows_of("refunds", self.need("refunds").columns)
        joined = self._joined(refunds, columns, rows_of)
        if "request_id" in refunds.columns:
            made = _among(self.requests, {"request_id", *OF_THE_REQUEST})
            requests = rows_of("requests", made).select(*made)
            joined = _left_join(joined, requests, "request_id")
        ends = [joined[column] for column in ("decided_at", "ended_at") if column in joined.columns]
        if not ends:
            raise MissingData("the columns refunds.request_id and orders.ended_at")
        due = ends[0] if len(ends) == 1 else ends[0].coalesce(ends[1])
        return joined.mutate(due_since=due)


def _some(frame: ir.Table, *columns: Iterable[str]) -> ir.Table:
    """Return the frame with few columns: what is made of it is sent and planned sooner."""
    return frame.select(*_among(frame, {name for names in columns for name in names}))


def _among(frame: ir.Table, wanted: set[str]) -> list[str]:
    return [column for column in frame.columns if column in wanted]


def _left_join(left: ir.Table, right: ir.Table, key: str) -> ir.Table:
    """Join keeping every row of ``left``; where both have a column, ``left`` has the word."""
    news = [c for c in right.columns if c == key or c not in left.columns]
    if news == [key]:
        return left
    joined = left.join(right.select(*news), key, how="left", lname="", rname="{name}_joined")
    return joined.drop(*({f"{key}_joined"} & set(joined.columns)))


def as_names(columns: str | Iterable[str]) -> list[str]:
    """Return one name of a column, or several, as a list; each once."""
    return [columns] if isinstance(columns, str) else list(dict.fromkeys(columns))


def known_columns(frame: ir.Table, wanted: Iterable[str], *, needed_by: str) -> list[str]:
    """Return ``wanted`` as a list, each once, if ``frame`` has them all.

    Raises
    ------
    MissingData
        One of them is in none of the tables; says which there are.
    GroupError
        One of them holds lists or structures, or is called like a number of the result.
    """
    wanted = as_names(wanted)
    for column in wanted:
        if column not in frame.columns:
            raise MissingData(f"the column {column}", needed_by=needed_by, known=frame.columns)
        if frame[column].type().is_nested():
            kind = frame[column].type()
            raise GroupError(f"{needed_by} needs plain values in {column}, which holds {kind}")
        if column in OF_RESULTS:
            raise GroupError(
                f"{needed_by} has a column {column} of its own: rename that of the data"
            )
    return wanted


def is_success(requests: ir.Table) -> ir.BooleanValue:
    """Whether a request cancelled its order."""
    return requests.outcome.isin(codes.SUCCESS)
