"""Blockers: which rules stood in the way of a cancellation.

Unit: one cancellation request. Denominator: all mature requests, also those that succeeded, so
the shares of blockers and the success rate are parts of one whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pandas as pd

from analysis.contract import MissingData, codes
from analysis.measures.counting import (
    HOUR,
    as_counts,
    mature_requests,
    requests_of,
    require_own_columns,
)
from analysis.measures.rates import HORIZON_HOURS
from analysis.measures.shares import share_table, word_table
from analysis.sources import Tables, collect, seconds_between
from analysis.sources.tables import is_success

if TYPE_CHECKING:
    import ibis.expr.types as ir

STAGES = {
    **dict.fromkeys(codes.BLOCKERS_AT_SUBMIT, "at_submit"),
    **dict.fromkeys(codes.BLOCKERS_DECIDED_LATER, "decided_later"),
}
ORDER_AGES = (  # name, from hours, to hours since payment
    ("before payment", -np.inf, 0.0),
    ("under 1 hour", 0.0, 1.0),
    ("1 to 6 hours", 1.0, 6.0),
    ("6 to 24 hours", 6.0, 24.0),
    ("1 to 2 days", 24.0, 48.0),
    ("2 to 4 days", 48.0, 96.0),
    ("4 to 7 days", 96.0, 168.0),
    ("7 days or more", 168.0, np.inf),
)
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


def blocker_shares(
    tables: Tables,
    *,
    by: Sequence[str] = (),
    horizon_hours: float = HORIZON_HOURS,
    level: float = 0.95,
    requested_by: str | None = "buyer",
) -> pd.DataFrame:
    """Share of mature requests that each rule stopped first.

    Parameters
    ----------
    tables
        Opened dataset; needs ``requests`` with ``blocker``, and ``orders``.
    by
        Grouping columns of requests, orders or sellers.
    horizon_hours
        A request counts once it is this old at ``as_of``.
    level
        Confidence level, in (0, 1).
    requested_by
        Whose requests: "buyer", "seller", "platform", or None for everybody's.

    Returns
    -------
    DataFrame
        One row per group and blocker that occurs anywhere, in order of precedence: ``*by,
        blocker, stage, estimate, ci_low, ci_high, n, n_events, n_pending, n_clusters, interval``.
        ``stage`` is "at_submit" or "decided_later". The estimate is a share of *all* mature
        requests, not only of those that failed.

    Raises
    ------
    MissingData
        ``blocker``, or a column in ``by``, is not in the data.
    """
    tables.need("requests", "blocker", by="blocker_shares")
    frame, by = requests_of(tables, by, requested_by, needed_by="blocker_shares")
    require_own_columns("stage", by)
    mature, in_time = mature_requests(tables, frame, horizon_hours)
    word = in_time.ifelse(frame.blocker, None)
    table = word_table(frame, by, word, codes.BLOCKERS, counted=mature, level=level, name="blocker")
    table.insert(len(by) + 1, "stage", table["blocker"].map(STAGES))
    occurs = table.groupby("blocker")["n_events"].transform("sum") > 0
    return table[occurs].reset_index(drop=True)


def success_by_order_age(
    tables: Tables,
    *,
    by: Sequence[str] = (),
    horizon_hours: float = HORIZON_HOURS,
    level: float = 0.95,
    requested_by: str | None = "buyer",
) -> pd.DataFrame:
    """Success rate by how long after payment the buyer asked.

    Parameters
    ----------
    tables, by, horizon_hours, level, requested_by
        As in :func:`analysis.cancellation_success_rate`; ``orders`` needs ``paid_at``.

    Returns
    -------
    DataFrame
        One row per group and age of the order, all ages in order: ``*by, order_age,
        age_from_hours, age_to_hours, estimate, ci_low, ci_high, n, n_events, n_pending,
        n_clusters, interval``. An age runs from ``age_from_hours`` (included) to
        ``age_to_hours`` (not included); "before payment" also holds orders never paid.

    Raises
    ------
    MissingData
        ``paid_at``, or a column in ``by``, is not in the data.
    """
    tables.need("orders", "paid_at", by="success_by_order_age")
    frame, by = requests_of(tables, by, requested_by, needed_by="success_by_order_age")
    require_own_columns(_AGES, by)
    frame = frame.mutate(age_step_=order_age_step(frame))
    mature, in_time = mature_requests(tables, frame, horizon_hours)
    table = share_table(
        frame,
        [*by, "age_step_"],
        is_success(frame) & in_time,
        counted=mature,
        level=level,
    )
    return _all_ages(table, by)


def order_age_step(requests: ir.Table) -> ir.IntegerValue:
    """Place in ``ORDER_AGES`` of each request, by the time from payment to asking."""
    return by_order_age(requests, range(len(ORDER_AGES)))


def by_order_age(requests: ir.Table, values: Sequence[Any]) -> ir.Value:
    """Return the one of ``values``, which stand for ``ORDER_AGES``, that fits each request."""
    paid_ago = seconds_between(requests.paid_at, requests.requested_at)
    limits = [int(to * HOUR) for _, _, to in ORDER_AGES[1:-1]]
    return ibis.cases(
        (paid_ago.isnull() | (paid_ago < 0), values[0]),
        *((paid_ago < limit, value) for limit, value in zip(limits, values[1:-1], strict=True)),
        else_=values[-1],
    )


_AGES = ["order_age", "age_from_hours", "age_to_hours"]


def _all_ages(table: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Every age for every group, also those in which nobody asked."""
    ages = pd.DataFrame(ORDER_AGES, columns=_AGES)
    ages.insert(0, "age_step_", np.arange(len(ages)))
    groups = table[list(by)].drop_duplicates() if by else pd.DataFrame(index=[0])
    table = groups.merge(ages, how="cross").merge(table, on=[*by, "age_step_"], how="left")
    for column in ("n", "n_events", "n_pending", "n_clusters"):
        table[column] = as_counts(table[column].fillna(0).to_numpy(float))
    table["interval"] = table["interval"].fillna("none: nobody asked")
    return table.drop(columns="age_step_")


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
