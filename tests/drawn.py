"""Tables drawn as text in a test, completed to whole datasets of the contract.

A drawing has a line of column names and a line a row, cells parted by ``|``; an empty cell is a
missing value, ``""`` an empty text. What is not drawn is filled in so that the history is legal:

- ids count 1, 2, 3, ...; every request has its own order, every order its own seller and buyer;
- orders are placed and paid a day before the first thing that is drawn about them, or 60 days
  before ``as_of``; a successful request ends its order when it is decided;
- requests are ``approved_by_seller`` an hour after asking, 40 days before ``as_of``, by buyers;
  a refusal names the blocker that it means; a refund drawn alone gets its own request;
- optional columns that nobody draws are there and empty, but for ``is_cancellable_goods``
  (true) and ``weight`` (left out: most data has none).

Columns that are not in the contract are kept; their cells are numbers if all of them are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
import pyarrow as pa

from analysis.contract import TABLES, Column, codes

DAY = pd.Timedelta(days=1)
HOUR = pd.Timedelta(hours=1)

DECIDERS = {
    "approved_by_seller": "seller",
    "rejected_by_seller": "seller",
    "superseded_by_shipment": "seller",
    "auto_approved_timeout": "platform_timeout",
    "expired_not_cancelled": "platform_timeout",
    "withdrawn_by_buyer": "buyer",
    "pending": None,
}
MEANT_BLOCKERS = {
    "blocked": "already_shipped",
    "rejected_by_seller": "seller_rejected",
    "superseded_by_shipment": "shipped_during_request",
    "expired_not_cancelled": "seller_silent_not_cancelled",
}

Row = dict[str, Any]


def drawn_frames(
    as_of: str, drawings: dict[str, str | None], without: Iterable[str] = ()
) -> dict[str, pa.Table]:
    """Return whole Arrow tables of the contract for the drawings (table name -> text).

    ``without`` leaves out tables (``"sellers"``) or columns (``"orders.shipped_at"``).
    """
    end = pd.Timestamp(as_of, tz="UTC")
    rows = {name: parsed(name, text) for name, text in drawings.items() if text is not None}
    refunds, steps = rows.get("refunds"), rows.get("steps")
    _complete_refunds(refunds or [], rows, end)
    requests = rows.setdefault("requests", [])
    _complete_requests(requests, end)
    _complete_steps(steps or [], end)
    orders = _orders(rows, end)
    sellers = rows.setdefault("sellers", [{"seller_id": s} for s in _ids(orders, "seller_id")])
    _complete_sellers(sellers)
    _complete_blockers(rows.get("blockers") or [], requests)
    left_out = set(without)
    return {
        name: arrow_rows(name, rows[name], left_out)
        for name in TABLES
        if name in rows and name not in left_out
    }


def parsed(name: str, text: str) -> list[Row]:
    """Return the drawn rows of the table ``name``, cells as values of their columns' kinds."""
    lines = [
        [cell.strip() for cell in line.split("|")] for line in text.splitlines() if line.strip()
    ]
    if not lines:
        return []
    head, *body = lines
    uneven = [line for line in body if len(line) != len(head)]
    if uneven or len(set(head)) < len(head):
        raise ValueError(f"{name} is not drawn evenly: {uneven or head}")
    columns = {
        column: _values(name, column, [line[i] for line in body]) for i, column in enumerate(head)
    }
    return [{column: columns[column][i] for column in head} for i in range(len(body))]


def arrow_rows(name: str, rows: list[Row], without: Iterable[str] = ()) -> pa.Table:
    """Return completed rows as an Arrow table with the types of the contract."""
    left_out = {c.removeprefix(f"{name}.") for c in without if c.startswith(f"{name}.")}
    drawn = {column for row in rows for column in row}
    columns = {
        column.name: pa.array([row.get(column.name) for row in rows], _type(column, rows))
        for column in TABLES[name].columns
        if column.name not in left_out and (column.name in drawn or column.name != "weight")
    }
    extra = sorted(drawn - set(TABLES[name].names))
    columns |= {c: pa.array([row.get(c) for row in rows]) for c in extra}
    return pa.table(columns)


def _values(name: str, column: str, cells: list[str]) -> list[Any]:
    kind = TABLES[name].column(column).kind if column in TABLES[name].names else ""
    if kind == "time":
        return [_moment(cell) if cell else None for cell in cells]
    if kind in ("code", "text"):
        return [cell.strip('"') if cell else None for cell in cells]
    if kind == "flag":
        return [{"true": True, "false": False}[cell] if cell else None for cell in cells]
    for read in (int, float):
        try:
            return [read(cell) if cell else None for cell in cells]
        except ValueError:
            continue
    return [cell or None for cell in cells]


def _moment(cell: str) -> pd.Timestamp:
    stamp = pd.Timestamp(cell)
    return stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")


def _type(column: Column, rows: list[Row]) -> pa.DataType:
    if column.kind == "id":
        is_text = any(isinstance(row.get(column.name), str) for row in rows)
        return pa.string() if is_text else pa.int64()
    return {
        "time": pa.timestamp("ms", tz="UTC"),
        "code": pa.string(),
        "text": pa.string(),
        "money": pa.int64(),
        "count": pa.int64(),
        "flag": pa.bool_(),
        "number": pa.float64(),
    }[column.kind]


def _fill(rows: list[Row], column: str, values: Iterable[Any] | Any) -> None:
    """Set ``column`` of every row unless it was drawn; one value for all or one a row."""
    each = values if isinstance(values, list) else [values] * len(rows)
    for row, value in zip(rows, each, strict=True):
        row.setdefault(column, value)


def _count(rows: list[Row]) -> list[int]:
    return list(range(1, len(rows) + 1))


def _ids(rows: list[Row], column: str) -> list[Any]:
    return list(dict.fromkeys(row[column] for row in rows if row.get(column) is not None))


def _complete_refunds(refunds: list[Row], rows: dict[str, list[Row]], end: pd.Timestamp) -> None:
    _fill(refunds, "refund_id", _count(refunds))
    if refunds and "requests" not in rows:
        rows["requests"] = [
            {
                "request_id": row.get("request_id", i),
                "order_id": row.get("order_id", i),
                "requested_at": (row.get("started_at") or end - 40 * DAY) - HOUR,
            }
            for i, row in enumerate(refunds, start=1)
            if row.get("request_id", i) is not None
        ]
    requests = rows.get("requests", [])
    _fill(requests, "request_id", _count(requests))
    _fill(requests, "order_id", _count(requests))
    order_of = {row["request_id"]: row["order_id"] for row in requests}
    request_of = {row["order_id"]: row["request_id"] for row in requests}
    for i, row in enumerate(refunds, start=1):
        known = order_of.get(row.get("request_id", i))
        row.setdefault("order_id", i if known is None else known)
        row.setdefault("request_id", request_of.get(row["order_id"]))
    _fill(refunds, "method", "card")
    _fill(refunds, "currency", "USD")
    _fill(refunds, "amount_minor", 1000)
    _fill(refunds, "n_failures", 0)


def _complete_requests(requests: list[Row], end: pd.Timestamp) -> None:
    _fill(requests, "request_id", _count(requests))
    _fill(requests, "order_id", _count(requests))
    _fill(requests, "requested_at", end - 40 * DAY)
    for row in requests:
        undecided = row.get("decided_at", end) is None
        row.setdefault("outcome", codes.PENDING if undecided else "approved_by_seller")
        is_open = row["outcome"] == codes.PENDING or row["requested_at"] is None
        row.setdefault("decided_at", None if is_open else row["requested_at"] + HOUR)
        decider = DECIDERS.get(row["outcome"], "platform")
        row.setdefault("decided_by", None if row["decided_at"] is None else decider)
        row.setdefault("blocker", MEANT_BLOCKERS.get(row["outcome"]))
    _fill(requests, "requested_by", "buyer")
    _fill(requests, "reason", "changed_mind")
    _fill(requests, "order_state", "awaiting_shipment")


def _complete_steps(steps: list[Row], end: pd.Timestamp) -> None:
    _fill(steps, "session_id", 1)
    _fill(steps, "order_id", [row["session_id"] for row in steps])
    seen: dict[Any, int] = {}
    for row in steps:
        place = seen.get(row["session_id"], 0)
        seen[row["session_id"]] = place + 1
        row.setdefault("step", codes.STEPS[min(place, len(codes.STEPS) - 1)])
        row.setdefault("occurred_at", end - 40 * DAY + place * pd.Timedelta(minutes=1))


def _orders(rows: dict[str, list[Row]], end: pd.Timestamp) -> list[Row]:
    """Complete the drawn orders, or one for every order that another table names."""
    others = [row for name in ("requests", "refunds", "steps") for row in rows.get(name, ())]
    if "orders" not in rows:
        rows["orders"] = [{"order_id": order} for order in _ids(others, "order_id")]
    orders = rows["orders"]
    _fill(orders, "order_id", _count(orders))
    for row in orders:
        about = [other for other in others if other.get("order_id") == row["order_id"]]
        first = min(_moments([*about, row]), default=end - 59 * DAY)
        row.setdefault("placed_at", first - DAY)
        _end_by_request(row, about)
    _fill(orders, "paid_at", [row["placed_at"] for row in orders])
    _fill(orders, "buyer_id", _count(orders))
    _fill(orders, "seller_id", _count(orders))
    _fill(orders, "payment_method", "card")
    _fill(orders, "category", "toys")
    _fill(orders, "buyer_country", "FR")
    _fill(orders, "currency", "USD")
    _fill(orders, "amount_minor", 1000)
    _fill(orders, "n_items", 1)
    _fill(orders, "is_cancellable_goods", True)
    return orders


def _moments(rows: list[Row]) -> list[pd.Timestamp]:
    late = {"ship_by_at"}
    return [
        v for row in rows for c, v in row.items() if isinstance(v, pd.Timestamp) and c not in late
    ]


def _end_by_request(order: Row, about: list[Row]) -> None:
    ends = [row["decided_at"] for row in about if row.get("outcome") in codes.SUCCESS]
    if ends and "end_code" not in order and "ended_at" not in order:
        order |= {"end_code": "cancelled_by_request", "ended_at": ends[0]}


def _complete_sellers(sellers: list[Row]) -> None:
    _fill(sellers, "seller_id", _count(sellers))
    _fill(sellers, "seller_country", "CN")
    _fill(sellers, "opened_at", pd.Timestamp("2015-01-01", tz="UTC"))
    _fill(sellers, "size_tier", "small")
    _fill(sellers, "seller_name", [f"Shop {row['seller_id']}" for row in sellers])


def _complete_blockers(blockers: list[Row], requests: list[Row]) -> None:
    _fill(blockers, "request_id", _count(blockers))
    first = {row["request_id"]: row["blocker"] for row in requests}
    seen: dict[Any, int] = {}
    for row in blockers:
        seen[row["request_id"]] = seen.get(row["request_id"], 0) + 1
        row.setdefault("rank", seen[row["request_id"]])
        row.setdefault("blocker", first.get(row["request_id"]) or "already_shipped")
