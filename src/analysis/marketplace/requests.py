"""Requests to cancel: who asks, when, why, what they say, and what becomes of it.

Up to four requests an order: number 0 is the seller's own cancellation, 1 the buyer's first, 2 a
second try after a failure, 3 an impatient repetition while the first is still open. A request's
id is ``order_id * 4 + number``, and its luck is keyed by it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from analysis.contract import codes
from analysis.marketplace.blockers import (
    RULE_CODES,
    applying,
    is_instant,
    moment_of,
    state_at,
)
from analysis.marketplace.clocks import DAY, HOUR, NEVER
from analysis.marketplace.orders import Rows, Times
from analysis.marketplace.paths import Orders, close, settle, timeout_at
from analysis.marketplace.plan import BLOCKER, DECIDER, END, OUTCOME, PARTY, REASON, Plan
from analysis.marketplace.race import NONE, PROBABILITIES, Decided, Open, run_race

PER_ORDER = 4  # request ids per order
SUCCESS = np.isin(codes.OUTCOMES, codes.SUCCESS)
EARLY, MIDDLE, WAITING = range(3)


@dataclass
class Requests:
    """Requests with their eventual end; arrays with one element per request."""

    id: NDArray[np.int64]
    row: Rows  # of the order
    at: Times
    by: NDArray[np.int8]
    true_reason: NDArray[np.int8]
    reason: NDArray[np.int8]  # declared
    state: NDArray[np.int8]
    applies: NDArray[np.bool_]  # (requests, rules): what stood in the way at submit
    decided: Decided

    def __len__(self) -> int:
        """Return the number of requests."""
        return len(self.id)

    @property
    def number(self) -> NDArray[np.int64]:
        """Which of an order's requests it is."""
        return self.id % PER_ORDER


def concatenate(parts: list[Requests]) -> Requests:
    """Put requests together, ascending by id."""
    order = np.argsort(np.concatenate([p.id for p in parts]), kind="stable")
    decided = Decided(
        **{
            f.name: np.concatenate([getattr(p.decided, f.name) for p in parts])[order]
            for f in fields(Decided)
        }
    )
    own = [f.name for f in fields(Requests) if f.name != "decided"]
    return Requests(
        **{name: np.concatenate([getattr(p, name) for p in parts])[order] for name in own},
        decided=decided,
    )


def make_requests(plan: Plan, orders: Orders) -> Requests:
    """Let buyers and sellers ask; changes the paths of ``orders`` accordingly."""
    first = _first_requests(plan, orders)
    impatient = _impatient_requests(plan, orders, first)
    second = _second_requests(plan, orders, first)
    return concatenate([first, impatient, second, _sellers_cancellations(plan, orders)])


def _first_requests(plan: Plan, orders: Orders) -> Requests:
    paid, at, segment = _when_paid_orders_are_asked_about(plan, orders)
    unpaid, unpaid_at = _when_unpaid_orders_are_cancelled(plan, orders)
    reasons, draws = plan.lookups, plan.draws
    picked = draws.pick(
        "requests.reason", orders.id[paid] * PER_ORDER + 1, reasons.reasons, segment
    )
    other = draws.pick(
        "requests.unpaid_reason", orders.id[unpaid] * PER_ORDER + 1, reasons.unpaid_reasons
    )
    row = np.concatenate([paid, unpaid])
    true = np.concatenate([reasons.reason_code[picked], reasons.unpaid_reason_code[other]])
    none = np.zeros(len(row), np.int8)
    return _submit(plan, orders, row, np.concatenate([at, unpaid_at]), true, 1, none)


def _when_paid_orders_are_asked_about(
    plan: Plan, orders: Orders
) -> tuple[Rows, Times, NDArray[np.int64]]:
    """Rows, moments and segments (early, middle, waiting) of first requests on paid orders."""
    asking, draws = plan.world.asking, plan.draws
    rows = np.flatnonzero(draws.uniform("requests.asks", orders.id) < ask_share(plan, orders))
    rows = rows[orders.paid[rows] < NEVER]
    ids = orders.id[rows] * PER_ORDER + 1
    segment = np.searchsorted(
        np.cumsum(asking.segment_shares)[:2], draws.uniform("requests.segment", ids), "right"
    )
    spell = draws.exponential("requests.when", ids, 1.0)
    means = np.array([asking.early_mean_hours * HOUR, asking.middle_mean_days * DAY, 0.0])
    promised = (orders.ship_by[rows] - orders.paid[rows]) / (asking.waiting_mean_days * DAY)
    waited = np.where(
        spell < promised, spell, promised + (spell - promised) / asking.waiting_jump
    ) * (asking.waiting_mean_days * DAY)
    after = np.where(segment == WAITING, waited, spell * means[segment])
    at = orders.paid[rows] + 1 + after.astype(np.int32)
    keep = _still_asks(plan, orders, rows, ids, at)
    return rows[keep], at[keep], segment[keep]


def ask_share(plan: Plan, orders: Orders) -> NDArray[np.float64]:
    """Probability that the buyer of each order sets out to cancel it."""
    look, asking = plan.lookups, plan.world.asking
    kind = plan.draws.pick("buyers.kind", orders.buyer, look.buyer_kind)
    odds = look.buyer_odds.take(kind)
    odds *= look.category_odds.take(orders.category)
    odds *= look.method_odds.take(orders.method)
    odds *= np.where(orders.is_domestic, asking.domestic_odds, 1.0)
    odds *= asking.ask_share / (1 - asking.ask_share)
    return odds / (1 + odds)


def _still_asks(
    plan: Plan, orders: Orders, rows: Rows, ids: NDArray[np.int64], at: Times
) -> NDArray[np.bool_]:
    """Few buyers ask to cancel what has been delivered or has ended."""
    u = plan.draws.uniform("requests.still_asks", ids)
    asking = plan.world.asking
    share = np.where(orders.delivered[rows] <= at, asking.delivered_share, 1.0)
    return u < np.where(orders.ended[rows] <= at, asking.ended_share, share)


def _when_unpaid_orders_are_cancelled(plan: Plan, orders: Orders) -> tuple[Rows, Times]:
    pay, draws = plan.world.payments, plan.draws
    rows = np.flatnonzero(orders.paid == NEVER)
    rows = rows[draws.coin("orders.unpaid_cancel", orders.id[rows], pay.unpaid_cancelled_share)]
    mean = pay.unpaid_cancel_mean_hours * HOUR
    after = draws.exponential("orders.unpaid_cancel_at", orders.id[rows], mean)
    at = orders.placed[rows] + 60 + after.astype(np.int32)
    in_time = at < orders.ended[rows]
    return rows[in_time], at[in_time]


def _impatient_requests(plan: Plan, orders: Orders, first: Requests) -> Requests:
    """Ask once more while the first request is open."""
    spell = first.decided.at - first.at
    ids = orders.id[first.row] * PER_ORDER + 3
    again = plan.draws.coin("requests.impatient", ids, plan.world.asking.impatient_share)
    rows = np.flatnonzero(again & (spell > HOUR))
    part = plan.draws.uniform("requests.impatient_at", ids[rows])
    at = first.at[rows] + 1 + ((spell[rows] - 1) * part).astype(np.int32)
    one = np.ones(len(rows), np.int8)
    return _submit(plan, orders, first.row[rows], at, first.true_reason[rows], 3, one, is_open=True)


def _second_requests(plan: Plan, orders: Orders, first: Requests) -> Requests:
    """Try again after a failure."""
    asking, draws, decided = plan.world.asking, plan.draws, first.decided
    in_review = decided.blocker == BLOCKER["payment_under_review"]
    refused = decided.outcome == OUTCOME["rejected_by_seller"]
    refused |= decided.outcome == OUTCOME["expired_not_cancelled"]
    share = np.where(in_review, asking.again_after_review_share, asking.again_after_other_share)
    share = np.where(refused, asking.again_after_rejection_share, share)
    ids = orders.id[first.row] * PER_ORDER + 2
    again = draws.coin("requests.again", ids, share) & ~SUCCESS[decided.outcome]
    rows = np.flatnonzero(again & (decided.at < NEVER))
    ids, row = ids[rows], first.row[rows]
    wait = 60 + draws.exponential("requests.again_at", ids, asking.again_mean_hours * HOUR)
    start = np.where(in_review[rows], orders.cleared[row], decided.at[rows])
    at = start + wait.astype(np.int32)
    keep = _still_asks(plan, orders, row, ids, at)
    rows, row, at = rows[keep], row[keep], at[keep]
    before = (decided.outcome[rows] != OUTCOME["blocked"]).astype(np.int8)
    return _submit(plan, orders, row, at, first.true_reason[rows], 2, before)


def _submit(
    plan: Plan,
    orders: Orders,
    row: Rows,
    at: Times,
    true: NDArray[np.int8],
    number: int,
    n_before: NDArray[np.int8],
    *,
    is_open: bool = False,
) -> Requests:
    """Submit requests of buyers: blocked at once, done at once, or open to the seller."""
    ids = orders.id[row] * PER_ORDER + number
    moment = moment_of(orders, row, at, open_request=np.full(len(row), is_open), n_before=n_before)
    applies = applying(moment, plan.policy)
    blocked = applies.any(axis=0)
    instant = ~blocked & is_instant(moment, plan.policy)
    declared = _declared(plan, ids, true)
    decided = _decided_at_once(at, blocked, applies)
    open_to_seller = np.flatnonzero(~blocked & ~instant)
    asked = Open(
        ids[open_to_seller], row[open_to_seller], at[open_to_seller], declared[open_to_seller]
    )
    decided.put(open_to_seller, run_race(plan, orders, asked))
    by = np.full(len(row), PARTY["buyer"], np.int8)
    made = Requests(ids, row, at, by, true, declared, state_at(moment), applies.T, decided)
    if not is_open:
        _change_paths(plan, orders, made, open_to_seller)
    return made


def _declared(plan: Plan, ids: NDArray[np.int64], true: NDArray[np.int8]) -> NDArray[np.int8]:
    """The reason given; blaming the seller makes refusal likelier, so some do not."""
    hides = plan.draws.coin("requests.misreport", ids, plan.world.asking.misreport_share)
    hides &= plan.lookups.is_seller_fault[true]
    return np.where(hides, np.int8(REASON["changed_mind"]), true)


def _decided_at_once(at: Times, blocked: NDArray[np.bool_], applies: NDArray[np.bool_]) -> Decided:
    n = len(at)
    first = RULE_CODES[applies.argmax(axis=0)]
    word = np.where(blocked, OUTCOME["blocked"], OUTCOME["instant_cancelled"])
    success = np.where(blocked, 0, 1).astype(np.float32)
    return Decided(
        outcome=word.astype(np.int8),
        at=at.copy(),
        by=np.full(n, DECIDER["platform"], np.int8),
        blocker=np.where(blocked, first, NONE).astype(np.int8),
        ship_at=np.full(n, NEVER, np.int32),
        **{name: np.full(n, np.nan, np.float32) for name in PROBABILITIES if name != "p_success"},
        p_success=success,
    )


def _change_paths(plan: Plan, orders: Orders, made: Requests, opened: Rows) -> None:
    """Let orders end by, or go on after, the requests."""
    decided = made.decided
    success = SUCCESS[decided.outcome]
    ends = made.row[success]
    orders.ship_plan[ends] = NEVER
    close(orders, ends, decided.at[success], "cancelled_by_request")
    goes_on = opened[~success[opened]]
    rows = made.row[goes_on]
    preempted = decided.outcome[goes_on] == OUTCOME["preempted"]
    ship_at = np.where(preempted, NEVER, decided.ship_at[goes_on])
    orders.ship_plan[rows] = ship_at
    orders.packed[rows] = np.minimum(orders.packed[rows], ship_at)
    close(orders, rows, timeout_at(plan, orders, rows), "ship_timeout")
    failed = np.flatnonzero(~success)
    _mean_to_dispute(plan, orders, made.row[failed], decided.at[failed])
    settle(plan, orders, made.row)


def _mean_to_dispute(plan: Plan, orders: Orders, rows: Rows, failed: Times) -> None:
    """Some buyers whose request failed before delivery mean to open a dispute."""
    if not plan.policy.dispute.is_allowed:
        return
    means = plan.draws.coin("disputes.means", orders.id[rows], plan.world.asking.dispute_share)
    means &= orders.ended[rows] > failed
    rows, failed = rows[means], failed[means]
    orders.dispute_from[rows] = np.minimum(orders.dispute_from[rows], failed)


def _sellers_cancellations(plan: Plan, orders: Orders) -> Requests:
    """One request for every order that the seller cancelled of its own accord."""
    row = np.flatnonzero(orders.end == END["cancelled_by_seller"])
    ids = orders.id[row] * PER_ORDER
    at = orders.ended[row]
    share = plan.world.answering.pricing_error_share
    is_error = plan.draws.coin("requests.pricing_error", ids, share)
    reason = np.where(is_error, REASON["pricing_error"], REASON["out_of_stock"]).astype(np.int8)
    none = np.zeros(len(row), bool)
    moment = moment_of(orders, row, at - 1, open_request=none, n_before=none.astype(np.int8))
    nothing = np.zeros((len(RULE_CODES), len(row)), bool)
    decided = _decided_at_once(at, none, nothing)
    decided.by[:] = DECIDER["seller"]
    by = np.full(len(row), PARTY["seller"], np.int8)
    return Requests(ids, row, at, by, reason, reason, state_at(moment), nothing.T, decided)
