"""Lives of orders: everything that happens to a set of orders, to its eventual end.

``live`` is the whole of the marketplace for orders that have been placed; an order that replaces
a cancelled one lives by the same functions and is not replaced again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.marketplace.orders import Placed, place, replace_orders
from analysis.marketplace.paths import Orders, travel
from analysis.marketplace.plan import PARTY, Plan
from analysis.marketplace.refunds import RefundLegs, make_refunds
from analysis.marketplace.requests import SUCCESS, Requests, make_requests
from analysis.marketplace.steps import Steps, make_steps


@dataclass
class Lives:
    """Orders with all that came of them, nothing cut off; rows point into ``orders``."""

    orders: Orders
    requests: Requests
    refunds: RefundLegs
    steps: Steps


def live(plan: Plan, placed: Placed) -> Lives:
    """Let placed orders live to their end."""
    orders = travel(plan, placed)
    requests = make_requests(plan, orders)
    refunds = make_refunds(plan, orders, requests)
    return Lives(orders, requests, refunds, make_steps(plan, orders, requests))


def live_ordinary(plan: Plan, first: int, last: int) -> Lives:
    """Lives of the ordinary orders number ``first`` to ``last - 1``."""
    return live(plan, place(plan, np.arange(first, last)))


def replacements(plan: Plan, lives: Lives) -> Placed:
    """Orders placed anew by buyers who cancelled, most of them after a mistake; by id."""
    again, requests = plan.world.reordering, lives.requests
    cancelled = SUCCESS[requests.decided.outcome] & (requests.by == PARTY["buyer"])
    rows = np.flatnonzero(cancelled)
    is_mistake = plan.lookups.is_mistake[requests.true_reason[rows]]
    share = np.where(is_mistake, again.mistake_share, again.other_share)
    order_ids = lives.orders.id[requests.row[rows]]
    rows = rows[plan.draws.coin("reorders.again", order_ids, share)]
    rows = rows[np.argsort(requests.row[rows])]
    return replace_orders(plan, lives.orders, requests.row[rows], requests.decided.at[rows])
