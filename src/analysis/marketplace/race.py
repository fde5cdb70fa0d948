"""The race that an open request starts: who ends it first, and how likely each end was.

While a request is open a seller who means to answer, and one who stays silent, holds the parcel
back; a seller who ships over the request does not. The request ends by the first of: the answer,
shipping over it, something else that closes the order, the deadline of the policy. A buyer who
withdraws does so at some moment before that end.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from analysis.marketplace.clocks import HOUR, NEVER, seconds
from analysis.marketplace.orders import Rows, Times
from analysis.marketplace.paths import Orders, timeout_at
from analysis.marketplace.plan import BLOCKER, DECIDER, END, OUTCOME, REASON, Plan

APPROVE, REJECT, SHIP_OVER, SILENT = range(4)
NONE = np.int8(-1)


@dataclass
class Open:
    """Requests that reached the seller; arrays with one element per request."""

    id: NDArray[np.int64]
    row: Rows  # of the order
    at: Times
    reason: NDArray[np.int8]  # declared

    def __len__(self) -> int:
        """Return the number of requests."""
        return len(self.id)


@dataclass
class Decided:
    """How requests ended; ``p_*`` are what was likely when they were submitted."""

    outcome: NDArray[np.int8]
    at: Times
    by: NDArray[np.int8]
    blocker: NDArray[np.int8]
    ship_at: Times  # when the seller ships after or over the request, NEVER if cancelled
    p_success: NDArray[np.float32]
    p_approve: NDArray[np.float32]  # the seller's answer, were there time enough
    p_reject: NDArray[np.float32]
    p_ship_over: NDArray[np.float32]
    p_silent: NDArray[np.float32]

    def put(self, rows: Rows, other: Decided) -> None:
        """Write ``other`` into ``rows``."""
        for field in fields(self):
            getattr(self, field.name)[rows] = getattr(other, field.name)


@dataclass
class _Forces:
    """Everything that may end the requests; moments are in seconds of the market."""

    answers: NDArray[np.float64]  # (requests, 4)
    median: NDArray[np.float64]  # response, working seconds
    offset: NDArray[np.int64]  # seconds, the seller's zone
    planned: Times  # shipping, when nobody asks
    closed: Times
    closed_end: NDArray[np.int8]
    deadline: Times


def run_race(plan: Plan, orders: Orders, asked: Open) -> Decided:
    """Let open requests run to their end."""
    forces = _forces(plan, orders, asked)
    answered, ships, kind = _moves(plan, asked, forces)
    ends = np.stack([answered, ships, forces.closed, forces.deadline])
    first = np.argmin(ends, axis=0)
    at = ends.min(axis=0)
    withdraws = plan.draws.coin("requests.withdraw", asked.id, plan.world.answering.withdraw_share)
    part = plan.draws.uniform("requests.withdraw_at", asked.id)
    at = np.where(withdraws, asked.at + ((at - asked.at) * part).astype(np.int32), at)
    decided = _named(plan, forces, kind, np.where(withdraws, 4, first), at)
    resume = plan.draws.uniform("requests.resume", asked.id) * (
        plan.world.answering.resume_hours * HOUR
    )
    goes_on = np.maximum(forces.planned, at + resume.astype(np.int32))
    is_over = decided.outcome == OUTCOME["superseded_by_shipment"]
    decided.ship_at = np.where(is_over, ships, goes_on).astype(np.int32)
    _likelihoods(plan, asked, forces, decided)
    return decided


def _forces(plan: Plan, orders: Orders, asked: Open) -> _Forces:
    rows, answering = asked.row, plan.world.answering
    seller = orders.seller[rows]
    median = plan.sellers.response_x[seller] * plan.window.load(plan.window.response_x, asked.at)
    timeout = timeout_at(plan, orders, rows)
    times_out = timeout < orders.closed[rows]
    wait = seconds(plan.policy.answer_deadline_hours)
    is_endless = plan.policy.silence == "waits"
    return _Forces(
        answers=_answer_shares(plan, orders, asked),
        median=median * (answering.response_median_hours * HOUR),
        offset=plan.sellers.utc_offset[seller],
        planned=orders.ship_plan[rows],
        closed=np.where(times_out, timeout, orders.closed[rows]),
        closed_end=np.where(times_out, END["ship_timeout"], orders.closed_end[rows]).astype(
            np.int8
        ),
        deadline=np.full(len(asked), NEVER, np.int32) if is_endless else asked.at + np.int32(wait),
    )


def _answer_shares(plan: Plan, orders: Orders, asked: Open) -> NDArray[np.float64]:
    """The seller's inclinations, shifted by what it sees of this request."""
    answering, rows = plan.world.answering, asked.row
    early = asked.at - orders.paid[rows] < answering.early_hours * HOUR
    shift = answering.reject_shift_fault * plan.lookups.is_seller_fault[asked.reason]
    shift = shift + answering.reject_shift_packed * (orders.packed[rows] <= asked.at)
    shift += answering.reject_shift_early * (early & (asked.reason == REASON["changed_mind"]))
    shares = plan.sellers.answers[orders.seller[rows]]
    shares[:, REJECT] *= np.exp(shift)
    return shares / shares.sum(axis=1, keepdims=True)


def _moves(plan: Plan, asked: Open, forces: _Forces) -> tuple[Times, Times, NDArray[np.int64]]:
    """When the seller answers, when it ships over the request, and what kind of move it means."""
    answering, draws, clock = plan.world.answering, plan.draws, plan.work_clock
    u = draws.uniform("requests.move", asked.id)
    kind = (u[:, None] > np.cumsum(forces.answers, axis=1)[:, :3]).sum(axis=1)
    work = draws.lognormal("requests.response", asked.id, forces.median, answering.response_sigma)
    local = clock.wall_at(clock.work_at(asked.at + forces.offset) + work)
    answered = np.minimum(np.ceil(local) - forces.offset, NEVER - 1).astype(np.int32)
    median, sigma = answering.ship_over_median_hours * HOUR, answering.ship_over_sigma
    over = draws.lognormal("requests.ship_over", asked.id, median, sigma)
    planned = np.maximum(forces.planned, asked.at + 1)
    over = np.minimum(planned, asked.at + 1 + over.astype(np.int32))
    goes_on = (kind == SILENT) & (plan.policy.silence == "waits")
    ships = np.where(kind == SHIP_OVER, over, np.where(goes_on, planned, NEVER))
    answers = (kind == APPROVE) | (kind == REJECT)
    return np.where(answers, answered, NEVER), ships, kind


def _named(
    plan: Plan, forces: _Forces, kind: NDArray, first: NDArray[np.int64], at: Times
) -> Decided:
    """Turn the first of (answer, shipment, closing, deadline, withdrawal) into codes."""
    cancels = plan.policy.silence == "auto_approve"
    answer = np.where(kind == APPROVE, OUTCOME["approved_by_seller"], OUTCOME["rejected_by_seller"])
    silence = OUTCOME["auto_approved_timeout" if cancels else "expired_not_cancelled"]
    others = ("superseded_by_shipment", "preempted", silence, "withdrawn_by_buyer")
    named = [np.full(len(at), o if isinstance(o, int) else OUTCOME[o]) for o in others]
    closer = np.full(len(END) + 1, DECIDER["platform_timeout"])
    closer[END["risk_rejected"]] = DECIDER["platform_risk"]
    closer[END["cancelled_by_seller"]] = DECIDER["seller"]
    seller, timeout, buyer = (DECIDER[w] for w in ("seller", "platform_timeout", "buyer"))
    by = np.array([seller, seller, -1, timeout, buyer])[first]
    outcome = np.choose(first, [answer, *named]).astype(np.int8)
    blocker = np.full(len(OUTCOME), NONE)
    blocker[OUTCOME["rejected_by_seller"]] = BLOCKER["seller_rejected"]
    blocker[OUTCOME["superseded_by_shipment"]] = BLOCKER["shipped_during_request"]
    blocker[OUTCOME["expired_not_cancelled"]] = BLOCKER["seller_silent_not_cancelled"]
    n = len(at)
    return Decided(
        outcome=outcome,
        at=at.astype(np.int32),
        by=np.where(by < 0, closer[forces.closed_end], by).astype(np.int8),
        blocker=blocker[outcome],
        ship_at=np.empty(n, np.int32),
        **{name: np.empty(n, np.float32) for name in PROBABILITIES},
    )


PROBABILITIES = ("p_success", "p_approve", "p_reject", "p_ship_over", "p_silent")


def _likelihoods(plan: Plan, asked: Open, forces: _Forces, decided: Decided) -> None:
    """What was likely at submit, over the seller's move and the buyer's patience.

    The order's own path (planned shipping, stock-out, risk, ship deadline) is held as it is.
    """
    from scipy.special import ndtr

    answering, clock = plan.world.answering, plan.work_clock
    left = np.minimum(forces.closed, forces.deadline) - asked.at
    local = asked.at + forces.offset
    work = np.maximum(clock.work_at(local + left) - clock.work_at(local), 1)
    in_time = ndtr(np.log(work / forces.median) / answering.response_sigma)
    median, sigma = answering.ship_over_median_hours * HOUR, answering.ship_over_sigma
    held = ndtr(-np.log(np.maximum(left, 1) / median) / sigma) * (forces.planned > asked.at + left)
    approve, reject, over, silent = forces.answers.T
    cancels = (plan.policy.silence == "auto_approve") & (forces.deadline <= forces.closed)
    by_deadline = (approve + reject) * (1 - in_time) + silent + over * held
    decided.p_success[:] = (1 - answering.withdraw_share) * (
        approve * in_time + cancels * by_deadline
    )
    decided.p_approve[:], decided.p_reject[:] = approve, reject
    decided.p_ship_over[:], decided.p_silent[:] = over, silent
