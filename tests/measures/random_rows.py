"""A few hundred random rows that keep the contract, with gaps wherever gaps are allowed.

Nothing here looks like a real marketplace: times are coarse so that many tie, sellers are few so
that they cluster, and every optional column is missing on some rows.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from tests.drawn import arrow_rows

from analysis.contract import TABLES, codes

AS_OF = pd.Timestamp("2026-06-30", tz="UTC")
SELLERS = 12
INSTANT = ("blocked", "instant_cancelled")
LATER = {
    "rejected_by_seller": "seller_rejected",
    "superseded_by_shipment": "shipped_during_request",
    "expired_not_cancelled": "seller_silent_not_cancelled",
}
METHODS = ("card", "paypal", "wallet", "store_credit", "pay_later", "cash_on_delivery")

Row = dict[str, Any]


def random_market(
    seed: int, n_orders: int = 300, *, weighted: bool = False, text_ids: bool = False
) -> dict[str, pa.Table]:
    """Return all six tables; ``weighted`` adds whole ``orders.weight`` from 0 to 3 with gaps."""
    made = _Made(np.random.default_rng(seed), weighted)
    for order in range(1, n_orders + 1):
        made.order(order)
    rows = made.rows
    for table in rows.values():
        made.random.shuffle(table)
    if text_ids:
        _name_ids(rows)
    return {name: arrow_rows(name, rows[name]) for name in TABLES}


class _Made:
    def __init__(self, random: np.random.Generator, weighted: bool) -> None:
        self.random, self.weighted = random, weighted
        self.rows: dict[str, list[Row]] = {name: [] for name in TABLES}
        for seller in range(SELLERS):
            self.rows["sellers"].append(
                {
                    "seller_id": seller,
                    "seller_country": self.pick(["CN", "TR", "DE"]),
                    "opened_at": self.maybe(AS_OF - pd.Timedelta(days=900)),
                    "size_tier": self.maybe(self.pick(codes.SIZE_TIERS)),
                    "seller_name": self.maybe(f"Shop {seller}"),
                }
            )

    def pick(self, values: Any) -> Any:
        return values[int(self.random.integers(len(values)))]

    def chance(self, share: float) -> bool:
        return bool(self.random.random() < share)

    def maybe(self, value: Any, share: float = 0.8) -> Any:
        return value if self.chance(share) else None

    def after(self, moment: pd.Timestamp, hours: float) -> pd.Timestamp:
        """Return a moment later by 0 to ``hours``, mostly on whole hours so that many tie."""
        seconds = int(self.random.integers(0, int(hours * 3600) + 1))
        whole = self.chance(0.6)
        later = moment + pd.Timedelta(seconds=seconds // 3600 * 3600 if whole else seconds)
        return min(later, AS_OF)

    def seen(self, moment: pd.Timestamp) -> pd.Timestamp | None:
        return moment if moment < AS_OF else None

    def order(self, order: int) -> None:
        placed = self.after(AS_OF - pd.Timedelta(days=75), 75 * 24 - 1)
        paid = self.maybe(self.seen(self.after(placed, 5)), 0.9)
        packed = self.maybe(self.seen(self.after(paid, 72)), 0.6) if paid else None
        shipped = self.maybe(self.seen(self.after(packed or paid, 96)), 0.6) if paid else None
        delivered = self.maybe(self.seen(self.after(shipped, 240)), 0.7) if shipped else None
        latest = delivered or shipped or packed or paid or placed
        ended = self.maybe(self.seen(self.after(latest, 400)), 0.6)
        row = {
            "order_id": order,
            "buyer_id": order // 3,
            "seller_id": self.maybe(int(SELLERS * self.random.random() ** 3), 0.85),
            "placed_at": placed,
            "paid_at": paid,
            "ship_by_at": self.maybe(placed + pd.Timedelta(days=5)),
            "packed_at": packed,
            "shipped_at": shipped,
            "delivered_at": delivered,
            "ended_at": ended,
            "end_code": self.maybe(self.pick(codes.ORDER_ENDS), 0.9) if ended else None,
            "payment_method": self.pick(["card", "wallet"]),
            "category": self.pick(["toys", "tools", "<b>$x$</b>"]),
            "buyer_country": "FR",
            "currency": "EUR",
            "amount_minor": int(self.random.integers(100, 9999)),
            "n_items": int(self.random.integers(1, 4)),
            "is_cancellable_goods": self.maybe(self.chance(0.9)),
            "replaces_order_id": self.pick([None, None, order - 1]) if order > 1 else None,
        }
        if self.weighted:
            row["weight"] = self.pick([None, 0.0, 1.0, 1.0, 2.0, 3.0])
        self.rows["orders"].append(row)
        self.dialogue(row, [self.request(row) for _ in range(self.pick([0, 1, 1, 2, 3]))])
        if ended and self.chance(0.2):
            self.refund(row, None, ended)

    def request(self, order: Row) -> Row:
        asked = self.after(order["placed_at"], 240)
        outcome = self.pick(codes.OUTCOMES)
        decided = asked if outcome in INSTANT else self.after(asked, 30)
        if outcome not in INSTANT and self.chance(0.2):
            decided = self.after(asked, 1000)
        if outcome == "pending" or decided == AS_OF:
            decided, outcome = None, "pending"
        made = {
            "request_id": len(self.rows["requests"]) + 1,
            "order_id": order["order_id"],
            "requested_at": asked,
            "requested_by": self.pick(["buyer", "buyer", "buyer", "seller", "platform"]),
            "reason": self.pick(codes.REASONS),
            "reason_text": self.maybe('said "no" & <i>left</i>', 0.3),
            "order_state": self.pick(codes.ORDER_STATES[:5]),
            "decided_at": decided,
            "decided_by": self.maybe(self.pick(codes.DECIDERS)) if decided else None,
            "outcome": outcome,
            "blocker": self.blocker(outcome),
        }
        self.rows["requests"].append(made)
        self.rules(made)
        if outcome in codes.SUCCESS:
            for _ in range(self.pick([1, 1, 2])):
                self.refund(order, made["request_id"], decided)
        return made

    def blocker(self, outcome: str) -> str | None:
        if outcome == "blocked":
            return self.pick(codes.BLOCKERS_AT_SUBMIT)
        return self.maybe(LATER.get(outcome), 0.8)

    def rules(self, request: Row) -> None:
        if request["blocker"] is None or not self.chance(0.9):
            return
        others = [self.pick(codes.BLOCKERS) for _ in range(self.pick([0, 0, 1, 2]))]
        met = dict.fromkeys([request["blocker"], *others])
        self.rows["blockers"] += [
            {"request_id": request["request_id"], "blocker": rule, "rank": rank}
            for rank, rule in enumerate(met, start=1)
        ]

    def refund(self, order: Row, request: int | None, decided: pd.Timestamp) -> None:
        started = self.maybe(self.seen(self.after(decided, 60)), 0.8)
        credited = self.maybe(self.seen(self.after(started or decided, 30 * 24)), 0.8)
        self.rows["refunds"].append(
            {
                "refund_id": len(self.rows["refunds"]) + 1,
                "order_id": order["order_id"],
                "request_id": request,
                "method": self.pick(METHODS),
                "currency": "EUR",
                "amount_minor": 100,
                "started_at": started,
                "credited_at": credited,
                "n_failures": int(self.chance(0.1)),
            }
        )

    def dialogue(self, order: Row, requests: list[Row]) -> None:
        """Walks that lead to the requests, and walks that lead nowhere."""
        for request in requests:
            self.walk(order["order_id"], codes.STEPS, [request["requested_at"]] * len(codes.STEPS))
        if self.chance(0.3):
            steps = codes.STEPS[: self.pick([1, 2, 3, 4, 5])]
            moments = [self.after(order["placed_at"], 100)]
            for _ in pairwise(steps):
                moments.append(self.after(moments[-1], 0.1))
            self.walk(order["order_id"], steps, moments)

    def walk(self, order: int, steps: Any, moments: list[pd.Timestamp]) -> None:
        session = self.rows["steps"][-1]["session_id"] + 1 if self.rows["steps"] else 1
        for step, moment in zip(steps, moments, strict=True):
            self.rows["steps"].append(
                {"session_id": session, "order_id": order, "step": step, "occurred_at": moment}
            )


def _name_ids(rows: dict[str, list[Row]]) -> None:
    """Turn every id into text."""
    for name, table in rows.items():
        ids = [column.name for column in TABLES[name].columns if column.kind == "id"]
        for row in table:
            for column in ids:
                if row.get(column) is not None:
                    row[column] = f"{column[0]}-{row[column]}"
                    if column == "replaces_order_id":
                        row[column] = "o" + row[column][1:]
