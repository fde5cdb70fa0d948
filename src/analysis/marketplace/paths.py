"""Paths of orders: paying, review, packing, shipping, and the end that each order comes to.

``travel`` gives orders the path they take if nobody asks to cancel them; requests then change the
path, and ``settle`` works out anew what happens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.marketplace.clocks import DAY, HOUR, NEVER, or_never, seconds
from analysis.marketplace.orders import Placed, Rows, Times, is_domestic
from analysis.marketplace.plan import END, Plan


@dataclass
class Orders(Placed):
    """Orders with their path; requests to cancel change the path in place.

    ``ship_plan`` is when the seller would ship, ``closed`` when something else would end the
    order (with ``closed_end``): whichever comes first happens, see :func:`settle`.
    """

    paid: Times
    cleared: Times  # payment review is over
    ship_by: Times
    packed: Times
    ship_plan: Times
    closed: Times
    closed_end: NDArray[np.int8]  # index into codes.ORDER_ENDS
    is_domestic: NDArray[np.bool_]  # shipped within the buyer's country
    transit: Times  # seconds on the way
    confirm: Times  # seconds from delivery to completion
    is_lost: NDArray[np.bool_]
    dispute_from: Times  # from when the buyer means to open a dispute
    shipped: Times
    delivered: Times
    disputed: Times
    ended: Times
    end: NDArray[np.int8]


def travel(plan: Plan, placed: Placed) -> Orders:
    """Give every order the path that it takes if nobody asks to cancel it."""
    ids, n = placed.id, len(placed)
    paid, is_paid = _paying(plan, placed)
    cleared = paid + _review(plan, placed)
    look = plan.lookups.deadline_seconds
    promise = look.take(plan.draws.pick("orders.deadline", ids, plan.lookups.deadline))
    handling, is_late = _handling(plan, placed, cleared, promise)
    home = is_domestic(plan, placed)
    transit, confirm = _carrying(plan, placed, home)
    ship_plan = or_never(cleared + handling, is_paid)
    orders = Orders(
        **vars(placed),
        paid=or_never(paid, is_paid),
        cleared=or_never(cleared, is_paid),
        ship_by=or_never(cleared + promise, is_paid),
        packed=_packing(plan, placed, cleared, ship_plan),
        ship_plan=ship_plan,
        closed=np.full(n, NEVER, np.int32),
        closed_end=np.full(n, -1, np.int8),
        is_domestic=home,
        transit=transit,
        confirm=confirm,
        is_lost=plan.draws.coin("orders.lost", ids, plan.world.shipping.lost_share),
        dispute_from=np.full(n, NEVER, np.int32),
        **{name: np.empty(0, np.int32) for name in ("shipped", "delivered", "ended")},
        disputed=np.full(n, NEVER, np.int32),
        end=np.empty(0, np.int8),
    )
    _close_of_itself(plan, orders, is_paid, handling, promise, is_late)
    settle(plan, orders)
    return orders


def _paying(plan: Plan, placed: Placed) -> tuple[Times, NDArray[np.bool_]]:
    """When each order is or would be paid, and whether it is."""
    pay, draws, look = plan.world.payments, plan.draws, plan.lookups
    slow = look.is_slow
    median = np.where(slow, pay.slow_median_hours * HOUR, pay.prompt_median_seconds)
    sigma = np.where(slow, pay.slow_sigma, pay.prompt_sigma)
    wait = draws.lognormal(
        "orders.pay", placed.id, median.take(placed.method), sigma.take(placed.method)
    )
    in_time = wait < seconds(plan.policy.unpaid_close_days, DAY)
    is_paid = in_time & ~draws.coin("orders.unpaid", placed.id, pay.unpaid_share)
    return placed.placed + np.minimum(wait, NEVER // 4).astype(np.int32), is_paid


def _review(plan: Plan, placed: Placed) -> Times:
    """Seconds of payment review; 0 for methods without one."""
    pay, look = plan.world.payments, plan.lookups
    if pay.review == "fixed" or plan.policy.review_hours == 0:
        fixed = np.where(look.is_reviewed, seconds(plan.policy.review_hours), 0).astype(np.int32)
        return fixed.take(placed.method)
    ids, draws = placed.id, plan.draws
    is_quick = draws.coin("orders.approval_kind", ids, pay.approval_quick_share)
    quick = draws.exponential("orders.approval_quick", ids, pay.approval_quick_mean_hours)
    median, sigma = pay.approval_slow_median_hours, pay.approval_slow_sigma
    slow = draws.lognormal("orders.approval_slow", ids, median, sigma)
    hours = np.where(is_quick, quick, slow) * look.is_reviewed.take(placed.method)
    return (hours * HOUR).astype(np.int32)


def _handling(
    plan: Plan, placed: Placed, cleared: Times, promise: Times
) -> tuple[Times, NDArray[np.bool_]]:
    """Seconds from clearing to shipping, and whether that is too late.

    Part of the parcels that would be late are rushed out in the last hours.
    """
    ship, draws = plan.world.shipping, plan.draws
    median = plan.sellers.handling_x.take(placed.seller) * (ship.handling_median_days * DAY)
    median *= plan.window.load(plan.window.handling_x, cleared)
    wait = draws.lognormal("orders.handling", placed.id, median, ship.handling_sigma)
    handling = np.minimum(wait, NEVER // 4).astype(np.int32)
    is_late = handling > promise
    rows = np.flatnonzero(is_late)
    rows = rows[draws.coin("orders.rush", placed.id[rows], ship.rush_share)]
    before = draws.uniform("orders.rush_hours", placed.id[rows]) * (ship.rush_hours * HOUR)
    handling[rows] = np.maximum(promise[rows] - before.astype(np.int32), promise[rows] // 2)
    is_late[rows] = False
    return handling, is_late


def _packing(plan: Plan, placed: Placed, cleared: Times, ship_plan: Times) -> Times:
    ship = plan.world.shipping
    median = ship.pack_lead_median_hours * HOUR
    lead = plan.draws.lognormal("orders.pack", placed.id, median, ship.pack_lead_sigma)
    return np.maximum(ship_plan - lead.astype(np.int32), cleared)


def _carrying(plan: Plan, placed: Placed, home: NDArray[np.bool_]) -> tuple[Times, Times]:
    """Seconds on the way, and from delivery to completion."""
    ship, draws = plan.world.shipping, plan.draws
    median = np.where(home, ship.domestic_median_days * DAY, ship.transit_median_days * DAY)
    sigma = np.where(home, ship.domestic_sigma, ship.transit_sigma)
    transit = draws.lognormal("orders.transit", placed.id, median, sigma)
    median = ship.confirm_median_days * DAY
    confirm = draws.lognormal("orders.confirm", placed.id, median, ship.confirm_sigma)
    most = seconds(ship.confirm_at_most_days, DAY)
    return transit.astype(np.int32), np.minimum(confirm, most).astype(np.int32)


def _close_of_itself(
    plan: Plan,
    orders: Orders,
    is_paid: NDArray[np.bool_],
    handling: Times,
    promise: Times,
    is_late: NDArray[np.bool_],
) -> None:
    """Close orders that are not paid, rejected as a risk, out of stock, or not shipped in time."""
    pay, draws, ids = plan.world.payments, plan.draws, orders.id
    rows = np.flatnonzero(~is_paid)
    close(orders, rows, orders.placed[rows] + _unpaid_after(plan), "unpaid_timeout")
    is_reviewed = plan.lookups.is_reviewed.take(orders.method)
    risky = draws.coin("orders.risk", ids, pay.risk_close_share)
    rows = np.flatnonzero(is_paid & is_reviewed & risky)
    after = draws.uniform("orders.risk_hours", ids[rows]) * (pay.risk_close_hours * HOUR)
    close(orders, rows, orders.paid[rows] + after.astype(np.int32), "risk_rejected")
    short = draws.coin("orders.stock_out", ids, plan.sellers.stock_out.take(orders.seller))
    rows = np.flatnonzero(is_paid & short)
    spell = np.minimum(handling[rows], promise[rows])
    after = draws.uniform("orders.stock_out_at", ids[rows]) * spell
    close(orders, rows, orders.cleared[rows] + after.astype(np.int32), "cancelled_by_seller")
    rows = np.flatnonzero(is_paid & is_late)
    close(orders, rows, timeout_at(plan, orders, rows), "ship_timeout")


def _unpaid_after(plan: Plan) -> int:
    return seconds(plan.policy.unpaid_close_days, DAY)


def timeout_at(plan: Plan, orders: Orders, rows: Rows) -> Times:
    """When the platform closes the orders of ``rows`` if they are still not shipped."""
    if not plan.policy.ship_timeout_cancels:
        return np.full(len(rows), NEVER, np.int32)
    longer = plan.draws.coin(
        "orders.extension", orders.id[rows], plan.world.shipping.extension_share
    )
    extension = np.where(longer, seconds(plan.policy.extension_days, DAY), 0).astype(np.int32)
    return orders.ship_by[rows] + extension


def close(orders: Orders, rows: Rows, at: Times, end: str) -> None:
    """Let ``rows`` end at ``at`` unless something closes them earlier."""
    first = at < orders.closed[rows]
    rows = rows[first]
    orders.closed[rows] = at[first]
    orders.closed_end[rows] = END[end]


def settle(plan: Plan, orders: Orders, rows: Rows | None = None) -> None:
    """Work out what happens: shipping and what follows from it, or the closing.

    ``rows`` are settled anew after a request changed their path; by default all orders.
    """
    part = slice(None) if rows is None else rows
    ships = orders.ship_plan[part] <= np.minimum(orders.closed[part], NEVER - 1)
    shipped = or_never(orders.ship_plan[part], ships)
    arrived = shipped + orders.transit[part]
    ended = np.where(ships, arrived + orders.confirm[part], orders.closed[part])
    end = np.where(ships, np.int8(END["completed"]), orders.closed_end[part])
    delivered = np.minimum(arrived, NEVER)
    lost = np.flatnonzero(ships & orders.is_lost[part])
    delivered[lost] = NEVER
    ended[lost] = shipped[lost] + seconds(plan.world.shipping.lost_days, DAY)
    end[lost] = END["lost"]
    if rows is None:
        orders.shipped, orders.delivered, orders.ended, orders.end = shipped, delivered, ended, end
        return
    orders.shipped[rows], orders.delivered[rows] = shipped, delivered
    orders.ended[rows], orders.end[rows] = ended, end
    _dispute(plan, orders, rows[(orders.dispute_from[rows] < NEVER) & ships])


def _dispute(plan: Plan, orders: Orders, rows: Rows) -> None:
    """Let buyers who failed to cancel open a dispute; they do not confirm before it is over."""
    rule, asking, draws, ids = plan.policy.dispute, plan.world.asking, plan.draws, orders.id[rows]
    slack = asking.dispute_slack_days * DAY
    wait = (draws.uniform("disputes.wait", ids) * slack).astype(np.int32)
    earliest = orders.shipped[rows] + seconds(rule.opens_after_days, DAY)
    opened = np.maximum(earliest, orders.dispute_from[rows] + wait)
    longer = (draws.uniform("disputes.length", ids) * slack).astype(np.int32)
    over = opened + seconds(rule.negotiation_days, DAY) + longer
    won = draws.coin("disputes.won", ids, asking.dispute_won_share)
    arrived = np.where(orders.is_lost[rows], orders.ended[rows], orders.delivered[rows])
    orders.disputed[rows] = opened
    orders.ended[rows] = np.where(won, over, np.maximum(over, arrived))
    orders.end[rows[won]] = END["dispute_refunded"]
    late = orders.delivered[rows] > orders.ended[rows]
    orders.delivered[rows[late]] = NEVER
