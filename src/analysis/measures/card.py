"""The card of one order: which rules stood in the way of cancelling it, and until when it was open.

Unit: one rule that one request met.
"""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd

from analysis.contract import MissingData
from analysis.measures.blockers import STAGES
from analysis.sources import Tables, collect

CARD = [
    "order_id",
    "request_id",
    "requested_at",
    "order_state",
    "outcome",
    "rank",
    "blocker",
    "stage",
    "stood_since",
    "cancellable_until",
]
# since when a blocker stands, as a column of the order (or of the request)
STANDS_SINCE = {
    "already_cancelled": "ended_at",
    "delivered_or_completed": "delivered_at",
    "already_shipped": "shipped_at",
    "partially_shipped": "shipped_at",
    "shipped_during_request": "shipped_at",
    "payment_under_review": "paid_at",
    "packed_or_label_created": "packed_at",
    "non_cancellable_goods": "placed_at",
    "seller_rejected": "decided_at",
    "seller_silent_not_cancelled": "decided_at",
}


def why_not(tables: Tables, order_id: int | str | None = None) -> pd.DataFrame:
    """The card of one order: which rules stood in the way, in order, and until when it was open.

    Parameters
    ----------
    tables
        Opened dataset; needs ``requests`` and ``orders``; all rules are listed where the data
        has ``blockers``, else only each request's first.
    order_id
        The order. Text that is a whole number is taken as one where ids are whole numbers. None
        takes the order whose requests met the most rules, the smallest id among those.

    Returns
    -------
    DataFrame
        One row per request of the order and rule, by time and rank: ``order_id, request_id,
        requested_at, order_state, outcome, rank, blocker, stage, stood_since,
        cancellable_until``. A request that met no rule has one row without blocker; an order
        without request one row without request. ``stood_since`` is when the rule began to
        stand, ``cancellable_until`` when shipping, delivery, the order's end (or the goods
        themselves) closed the window for good; missing while it is open.

    Raises
    ------
    ValueError
        There is no such order.
    MissingData
        No order is named, and no request in the data met a rule.
    """
    order = _order(tables, _most_blocked(tables) if order_id is None else order_id)
    requests = collect(tables.requests.filter(tables.requests.order_id == order["order_id"]))
    requests = requests.sort_values(["requested_at", "request_id"], ignore_index=True)
    rules = _rules(tables, requests)
    named = requests.drop(columns="blocker", errors="ignore")
    card = named.merge(rules, on="request_id", how="left")
    card = card if len(card) else card.reindex([0])  # nobody asked: one row without request
    card["order_id"] = order["order_id"]
    card["stage"] = card["blocker"].map(STAGES)
    card["stood_since"] = [_stood_since(order, requests, row) for row in card.to_dict("records")]
    card["stood_since"] = pd.to_datetime(card["stood_since"], utc=True)
    closed = _closed_at(order, set(card["blocker"].dropna()))
    card["cancellable_until"] = pd.to_datetime([closed] * len(card), utc=True)
    return card[CARD]


def _most_blocked(tables: Tables) -> int | str:
    requests = tables.need("requests", "blocker", by="why_not")
    met = requests.filter(requests.blocker.notnull())
    if tables.has("blockers"):
        ranks = (
            tables.need("blockers")
            .group_by("request_id")
            .aggregate(rules=lambda t: t["rank"].max())
        )
        met = met.left_join(ranks, "request_id")
        met = met.mutate(rules=met.rules.fill_null(1))  # its own, though it is not listed
    else:
        met = met.mutate(rules=1)
    found = collect(met.order_by([ibis.desc("rules"), "order_id"]).select("order_id").limit(1))
    if found.empty:
        raise MissingData("a request that met a rule", needed_by="why_not")
    return found["order_id"].iloc[0]


def _order(tables: Tables, order_id: int | str) -> dict[str, Any]:
    orders = tables.orders
    is_number = orders.order_id.type().is_integer()
    wanted = _whole_number(order_id) if is_number else str(order_id)
    found = collect(orders.filter(orders.order_id == wanted))
    if found.empty:
        raise ValueError(f"order_id {order_id!r} is not in this data")
    return found.iloc[0].to_dict()


def _whole_number(order_id: int | str) -> int:
    try:
        number = int(order_id)
        if isinstance(order_id, str) or number == order_id:
            return number
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"order_id must be a whole number here, got {order_id!r}")


def _rules(tables: Tables, requests: pd.DataFrame) -> pd.DataFrame:
    first = requests[["request_id"]].copy()
    first["rank"] = 1
    first["blocker"] = requests.get("blocker", pd.Series(None, index=requests.index, dtype="str"))
    first = first[first["blocker"].notna()]
    if not tables.has("blockers") or requests.empty:
        return first
    blockers = tables.need("blockers")
    wanted = blockers.request_id.isin(requests["request_id"].tolist())
    listed = collect(blockers.filter(wanted).select("request_id", "rank", "blocker"))
    alone = first[~first["request_id"].isin(listed["request_id"])]
    return pd.concat([listed, alone]).sort_values(["request_id", "rank"], ignore_index=True)


def _stood_since(order: dict[str, Any], requests: pd.DataFrame, row: dict[str, Any]) -> Any:
    if row["blocker"] == "request_already_open":
        return _open_since(requests, row)
    column = STANDS_SINCE.get(row["blocker"], "")
    moment = row.get(column) if column == "decided_at" else order.get(column)
    if pd.isna(moment) and row["blocker"] == "delivered_or_completed":
        moment = order.get("ended_at")
    return pd.NaT if moment is None else moment


def _open_since(requests: pd.DataFrame, row: dict[str, Any]) -> Any:
    """When the request was made that stood open when that of ``row`` came."""
    if "decided_at" not in requests.columns:
        return pd.NaT
    asked, decided = requests["requested_at"], requests["decided_at"]
    was_open = (asked <= row["requested_at"]) & ~(decided <= row["requested_at"])
    others = requests["request_id"] != row["request_id"]
    return asked[was_open & others].max()


def _closed_at(order: dict[str, Any], met: set[str]) -> Any:
    """When the order could no longer be cancelled, whoever asked; NaT while it still can."""
    columns = ["shipped_at", "delivered_at", "ended_at"]
    columns += ["packed_at"] if "packed_or_label_created" in met else []
    columns += ["placed_at"] if "non_cancellable_goods" in met else []
    moments = [order[c] for c in columns if order.get(c) is not None and pd.notna(order[c])]
    return min(moments) if moments else pd.NaT
