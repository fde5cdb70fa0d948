"""Why an order cannot be cancelled at a moment: one ordered list of rules.

The first rule that applies is a request's ``blocker``; all that apply are its rows in
``blockers``. The same list answers what-if questions, and says what the rules would have said to
requests on record. An expression reads a :class:`Moment` (an order as it is when somebody asks)
and the :class:`Policy`; it uses nothing but comparisons, differences, ``&``, ``|`` and ``~``, so a
moment may hold NumPy arrays or the columns of a table in an engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import reduce
from operator import or_
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.contract import codes
from analysis.marketplace.clocks import HOUR
from analysis.marketplace.orders import Rows, Times
from analysis.marketplace.paths import Orders
from analysis.marketplace.plan import END, STATE
from analysis.marketplace.policy import Policy


@dataclass
class Moment:
    """Orders at the moment ``at`` when somebody asks to cancel; one element per request.

    Moments are whole seconds, and what does not happen lies after every other moment. Arrays
    here; :mod:`analysis.measures.moments` fills the same fields with columns of an engine.
    """

    at: Times
    paid: Times
    cleared: Times
    packed: Times
    shipped: Times
    delivered: Times
    disputed: Times
    ended: Times
    end: NDArray[np.int8]
    is_cancellable: NDArray[np.bool_]
    has_open_request: NDArray[np.bool_]
    n_before: NDArray[np.int8]  # requests that reached the seller before

    def take(self, rows: Rows) -> Moment:
        """Return the moments of ``rows`` only."""
        return Moment(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def moment_of(
    orders: Orders, rows: Rows, at: Times, *, open_request: NDArray[np.bool_], n_before: Any
) -> Moment:
    """Return the orders of ``rows`` as they are at ``at``."""
    own = ("paid", "cleared", "packed", "shipped", "delivered", "disputed", "ended", "end")
    return Moment(
        at=at,
        is_cancellable=orders.is_cancellable[rows],
        has_open_request=open_request,
        n_before=n_before,
        **{name: getattr(orders, name)[rows] for name in own},
    )


def _is_paid(m: Moment) -> Any:
    return m.paid <= m.at


def _window_is_over(m: Moment, policy: Policy) -> Any:
    is_late = m.at - m.paid > policy.cancel_window_hours * HOUR
    return _is_paid(m) & is_late & (policy.cancel_window_hours > 0)


RULES: tuple[tuple[str, Callable[[Moment, Policy], Any]], ...] = (
    ("already_cancelled", lambda m, p: (m.ended <= m.at) & (m.end != END["completed"])),
    (
        "delivered_or_completed",
        lambda m, p: (m.delivered <= m.at) | ((m.ended <= m.at) & (m.end == END["completed"])),
    ),
    ("dispute_or_case_open", lambda m, p: (m.disputed <= m.at) & (m.at < m.ended)),
    ("already_shipped", lambda m, p: m.shipped <= m.at),
    (
        "payment_under_review",
        lambda m, p: _is_paid(m) & (m.at < m.cleared) & (not p.cancel_in_review),
    ),
    ("request_already_open", lambda m, p: m.has_open_request),
    ("request_limit_reached", lambda m, p: (m.n_before >= p.max_requests) & (p.max_requests > 0)),
    ("non_cancellable_goods", lambda m, p: _is_paid(m) & ~m.is_cancellable),
    ("packed_or_label_created", lambda m, p: (m.packed <= m.at) & p.packed_blocks),
    ("cancel_window_elapsed", _window_is_over),
)
RULE_CODES = np.array([codes.BLOCKERS.index(code) for code, _ in RULES], np.int8)


def applying(moment: Moment, policy: Policy) -> NDArray[np.bool_]:
    """Which rules stand in the way: shape (rules in order, requests)."""
    return np.stack([expression(moment, policy) for _, expression in RULES])


def is_blocked(moment: Moment, policy: Policy) -> Any:
    """Whether any rule stands in the way."""
    return reduce(or_, (expression(moment, policy) for _, expression in RULES))


def is_instant(moment: Moment, policy: Policy) -> Any:
    """Whether a request that nothing blocks cancels at once, without the seller."""
    free = moment.at - moment.paid <= policy.free_window_hours * HOUR
    in_review = moment.at < moment.cleared
    return ~_is_paid(moment) | (free & (policy.free_window_hours > 0)) | in_review


def state_at(moment: Moment) -> NDArray[np.int8]:
    """State of the order (index into ``codes.ORDER_STATES``) that the buyer sees."""
    at = moment.at
    cases = (
        ((moment.ended <= at) & (moment.end == END["completed"]), "completed"),
        (moment.ended <= at, "cancelled"),
        (moment.disputed <= at, "disputed"),
        (moment.delivered <= at, "delivered"),
        (moment.shipped <= at, "shipped"),
        (moment.has_open_request, "cancel_pending"),
        (~_is_paid(moment), "awaiting_payment"),
        (at < moment.cleared, "payment_review"),
        (moment.packed <= at, "packed"),
    )
    conditions = [condition for condition, _ in cases]
    words = [np.int8(STATE[word]) for _, word in cases]
    return np.select(conditions, words, np.int8(STATE["awaiting_shipment"]))
