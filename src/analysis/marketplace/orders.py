"""Orders as they are placed: who buys what from whom, and when.

Everything is keyed by the order's id, so any set of orders can be made in any company. Buyers
repeat: a buyer's country and readiness to ask are drawn from the buyer's id; no order looks at
another order's outcome, which keeps blocks independent (a "repeat canceller" is a buyer of the
most ready kind).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from analysis.marketplace.clocks import DAY, HOUR
from analysis.marketplace.draws import Ids, interpolated
from analysis.marketplace.plan import METHOD, Plan

Times = NDArray[np.int32]
Rows = NDArray[np.integer]

ORDER_IDS = 2  # ids per ordinary order: its own, and that of the order that may replace it


@dataclass
class Placed:
    """Orders as they are placed; arrays with one element per order."""

    id: NDArray[np.int64]
    buyer: NDArray[np.int64]
    seller: NDArray[np.int32]  # index into Sellers
    country: NDArray[np.uint8]  # index into World.buyers.countries
    category: NDArray[np.uint8]  # index into World.goods.categories
    method: NDArray[np.uint8]  # index into codes.PAYMENT_METHODS
    n_items: NDArray[np.uint8]
    amount: NDArray[np.int64]  # minor units
    is_cancellable: NDArray[np.bool_]
    placed: Times
    replaces: NDArray[np.int64]  # order id, -1 = none

    def __len__(self) -> int:
        """Return the number of orders."""
        return len(self.id)


def place(plan: Plan, index: NDArray[np.int64]) -> Placed:
    """Place the ordinary orders number ``index`` (0 to n_orders - 1, ascending).

    Orders are spread evenly over the window's intensity, so ids ascend with days.
    """
    draws, look = plan.draws, plan.lookups
    ids = index * ORDER_IDS
    skew = draws.uniform("orders.buyer", ids) ** plan.world.buyers.concentration
    buyer = (skew * plan.n_buyers).astype(np.int64)
    country = draws.pick("buyers.country", buyer, look.country)
    day = _days(plan, (index + 0.5) / plan.n_orders)
    second = interpolated(look.second_of_day, draws.uniform("orders.second", ids), country)
    placed = np.minimum(day, plan.window.days - 1) * DAY + second.astype(np.int64)
    return Placed(
        id=ids,
        buyer=buyer,
        seller=plan.sellers.pick(draws, "orders.seller", ids),
        country=country,
        placed=placed.astype(np.int32),
        replaces=np.full(len(ids), -1),
        **_goods(plan, ids, country),
    )


def _days(plan: Plan, parts: NDArray[np.float64]) -> NDArray[np.int64]:
    """Day by whose end each of ``parts`` (shares of all orders, ascending) has been placed."""
    begins = np.searchsorted(parts, plan.window.order_ends, side="right")
    return np.repeat(np.arange(len(begins) + 1), np.diff(begins, prepend=0, append=len(parts)))


def _goods(plan: Plan, ids: Ids, country: NDArray[np.uint8]) -> dict[str, NDArray]:
    draws, look = plan.draws, plan.lookups
    category = draws.pick("orders.category", ids, look.category)
    price = draws.lognormal(
        "orders.amount", ids, look.price_median.take(category), look.price_sigma.take(category)
    )
    price *= look.minor_per_cent.take(country)
    np.maximum(np.rint(price, out=price), 1, out=price)
    share = look.cancellable.take(category)
    is_cancellable = share >= 1
    rows = np.flatnonzero(~is_cancellable)
    is_cancellable[rows] = draws.coin("orders.cancellable", ids[rows], share[rows])
    return {
        "category": category,
        "method": draws.pick("orders.method", ids, look.method, country),
        "n_items": draws.pick("orders.items", ids, look.items) + np.uint8(1),
        "amount": price.astype(np.int64),
        "is_cancellable": is_cancellable,
    }


def together(parts: list[Placed]) -> Placed:
    """Put orders together, in the order given."""
    return Placed(
        **{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Placed)}
    )


def replace_orders(plan: Plan, old: Placed, rows: Rows, cancelled: Times) -> Placed:
    """Place orders that replace those in ``rows``, which were cancelled at ``cancelled``."""
    again = plan.world.reordering
    draws, ids = plan.draws, old.id[rows] + 1
    most = DAY - 1
    wait = np.minimum(draws.exponential("reorders.wait", ids, again.mean_hours * HOUR), most)
    same = draws.coin("reorders.same_seller", ids, again.same_seller_share)
    other = plan.sellers.pick(draws, "orders.seller", ids)
    return Placed(
        id=ids,
        buyer=old.buyer[rows],
        seller=np.where(same, old.seller[rows], other),
        country=old.country[rows],
        placed=(cancelled + 60 + wait).astype(np.int32),
        replaces=old.id[rows],
        **_goods(plan, ids, old.country[rows])
        | {"category": old.category[rows], "is_cancellable": old.is_cancellable[rows]},
    )


def is_domestic(plan: Plan, placed: Placed) -> NDArray[np.bool_]:
    """Whether the order is shipped within the buyer's country."""
    table = plan.lookups.is_domestic
    from_country = plan.sellers.country.take(placed.seller).astype(np.int32)
    return table.ravel().take(from_country * table.shape[1] + placed.country)


def is_cash_on_delivery(orders: Placed) -> NDArray[np.bool_]:
    """Whether an order is paid at the door: it is under way before it is paid."""
    return orders.method == METHOD["cash_on_delivery"]
