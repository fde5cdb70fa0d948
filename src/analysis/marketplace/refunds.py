"""Money going back: one row per leg, from the decision on.

Every paid order that ends without the buyer keeping the goods is refunded: in full (the legs add
up to the amount exactly) or in part. A leg is sent off some hours after the decision and arrives
after the time of its rail; business days are Monday to Friday in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.contract import codes
from analysis.marketplace.clocks import DAY, HOUR, NEVER, Seconds, add_business_seconds
from analysis.marketplace.orders import Rows, Times, is_cash_on_delivery
from analysis.marketplace.paths import Orders
from analysis.marketplace.plan import END, RAIL, Plan
from analysis.marketplace.requests import SUCCESS, Requests

LEGS = 2  # refund ids per order
REFUNDED_ENDS = (
    "cancelled_by_request",
    "cancelled_by_seller",
    "ship_timeout",
    "risk_rejected",
    "dispute_refunded",
    "lost",
)
_REFUNDED = np.array([*(word in REFUNDED_ENDS for word in codes.ORDER_ENDS), False])
_ONE_LEG = np.array([word in ("gift_card", "wallet") for word in codes.PAYMENT_METHODS])


@dataclass
class RefundLegs:
    """Legs with their eventual moments; arrays with one element per leg, ascending by id."""

    id: NDArray[np.int64]
    row: Rows  # of the order
    request: NDArray[np.int64]  # request id, -1 = none
    method: NDArray[np.int8]  # index into codes.REFUND_METHODS
    amount: NDArray[np.int64]
    decided: Times
    started: Times
    credited: Times
    n_failures: NDArray[np.int8]

    def __len__(self) -> int:
        """Return the number of legs."""
        return len(self.id)


def make_refunds(plan: Plan, orders: Orders, requests: Requests) -> RefundLegs:
    """Send the money of ended orders back."""
    due = _REFUNDED[orders.end] & (orders.paid < NEVER) & ~is_cash_on_delivery(orders)
    rows = np.flatnonzero(due)
    amount = _amounts_back(plan, orders, rows)
    on_card = _gift_card_parts(plan, orders, rows, amount)
    second = np.flatnonzero(on_card)
    row = np.concatenate([rows, rows[second]])
    method = orders.method[rows].astype(np.int8)  # payment methods come first among the rails
    method[_becomes_credit(plan, orders, rows)] = RAIL["store_credit"]
    gift = np.full(len(second), RAIL["gift_card"], np.int8)
    leg = np.concatenate([np.zeros(len(rows), int), np.ones(len(second), int)])
    ids = orders.id[row] * LEGS + leg
    order = np.argsort(ids)
    caused = _requests_of(orders, requests)
    return _travelling(
        plan,
        RefundLegs(
            id=ids[order],
            row=row[order],
            request=caused[row][order],
            method=np.concatenate([method, gift])[order],
            amount=np.concatenate([amount - on_card, on_card[second]])[order],
            decided=orders.ended[row][order],
            started=np.empty(0, np.int32),
            credited=np.empty(0, np.int32),
            n_failures=np.empty(0, np.int8),
        ),
    )


def _requests_of(orders: Orders, requests: Requests) -> NDArray[np.int64]:
    """Id of the request that ended each order, -1 if none did."""
    caused = np.full(len(orders), -1)
    success = SUCCESS[requests.decided.outcome]
    caused[requests.row[success]] = requests.id[success]
    return caused


def _amounts_back(plan: Plan, orders: Orders, rows: Rows) -> NDArray[np.int64]:
    refunds, draws, ids = plan.world.refunds, plan.draws, orders.id[rows]
    several = (orders.n_items[rows] > 1) * refunds.partial_share
    disputed = orders.end[rows] == END["dispute_refunded"]
    share = np.where(disputed, refunds.dispute_partial_share, several)
    partial = draws.coin("refunds.partial", ids, share)
    low, high = refunds.partial_range
    part = low + (high - low) * draws.uniform("refunds.part", ids)
    amount = orders.amount[rows]
    return np.where(partial, np.maximum((amount * part).astype(np.int64), 1), amount)


def _gift_card_parts(
    plan: Plan, orders: Orders, rows: Rows, amount: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Amount of the second leg, 0 = there is none."""
    refunds, draws, ids = plan.world.refunds, plan.draws, orders.id[rows]
    has_two = draws.coin("refunds.two_legs", ids, refunds.two_legs_share)
    low, high = refunds.two_legs_range
    part = low + (high - low) * draws.uniform("refunds.leg_part", ids)
    has_two &= ~_ONE_LEG[orders.method[rows]]
    return np.where(has_two, (amount * part).astype(np.int64), 0)


def _becomes_credit(plan: Plan, orders: Orders, rows: Rows) -> NDArray[np.bool_]:
    credit = plan.draws.coin(
        "refunds.store_credit", orders.id[rows], plan.world.refunds.voucher_credit_share
    )
    return credit & (orders.method[rows] == RAIL["cash_voucher"])


def _travelling(plan: Plan, legs: RefundLegs) -> RefundLegs:
    """Add when each leg is sent off and arrives."""
    refunds, draws = plan.world.refunds, plan.draws
    median = refunds.start_median_hours * HOUR * _by_rail(plan, "start_x")[legs.method]
    wait = draws.lognormal("refunds.start", legs.id, median, refunds.start_sigma)
    most = refunds.start_at_most_hours * HOUR
    legs.started = legs.decided + np.minimum(wait, most).astype(np.int32)
    failed = draws.coin("refunds.failure", legs.id, refunds.failure_share)
    legs.n_failures = failed.astype(np.int8)
    sent = legs.started.astype(np.int64) + plan.window.start
    arrived = _first_arrivals(plan, legs, sent)
    rows = np.flatnonzero(failed)
    low, high = refunds.failure_business_days
    again = (low + (high - low) * draws.uniform("refunds.retry", legs.id[rows])) * DAY
    rows, again = rows[again > 0], again[again > 0].astype(np.int64)
    arrived[rows] = add_business_seconds(arrived[rows], again)
    legs.credited = (np.maximum(arrived, sent) - plan.window.start).astype(np.int32)
    return legs


def _first_arrivals(plan: Plan, legs: RefundLegs, sent: Seconds) -> Seconds:
    """When each leg, sent off at ``sent``, arrives unless it fails; epoch seconds."""
    draws, ids = plan.draws, legs.id
    median, sigma, low, high, share = (
        _by_rail(plan, name)[legs.method]
        for name in ("median", "sigma", "low", "high", "quick_share")
    )
    lag = np.clip(draws.lognormal("refunds.rail", ids, median, sigma), low, high) * DAY
    quick = draws.coin("refunds.quick", ids, share)
    rows = np.flatnonzero(quick)
    lag[rows] = draws.uniform("refunds.within_day", ids[rows]) * DAY
    lag = lag.astype(np.int64)
    arrived = sent + lag
    by_business_days = (_by_rail(plan, "clock") == "business")[legs.method]
    rows = np.flatnonzero(by_business_days & ~quick)
    arrived[rows] = add_business_seconds(sent[rows], lag[rows])
    return arrived


def _by_rail(plan: Plan, name: str) -> NDArray:
    """Return a field of every rail, by method; a world has all rails that its methods need."""
    rails = plan.world.refunds.rails
    some = next(iter(rails.values()))
    return np.array([getattr(rails.get(word, some), name) for word in codes.REFUND_METHODS])
