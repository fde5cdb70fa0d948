"""The cancel dialogue: one session per submit, and sessions that were given up on the way.

A session with a submit has all five steps, and its submit is the moment of the request. A session
without one stops earlier. Session ids are ``order_id * 8 + number``: the request's number, or 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.contract import codes
from analysis.marketplace.clocks import DAY, NEVER
from analysis.marketplace.orders import Rows, Times
from analysis.marketplace.paths import Orders
from analysis.marketplace.plan import PARTY, Plan
from analysis.marketplace.requests import Requests

PER_ORDER = 8  # session ids per order
ABANDONED = 4
N_STEPS = len(codes.STEPS)


@dataclass
class Steps:
    """Steps reached; arrays with one element per step, ascending by session and step."""

    session: NDArray[np.int64]
    row: Rows  # of the order
    step: NDArray[np.int8]  # index into codes.STEPS
    at: Times


def make_steps(plan: Plan, orders: Orders, requests: Requests) -> Steps:
    """Record how buyers walked through the dialogue."""
    buyers = np.flatnonzero(requests.by == PARTY["buyer"])
    row, number = requests.row[buyers], requests.number[buyers]
    submitted = orders.id[row] * PER_ORDER + number
    left = _abandoned(plan, orders)
    given_up = orders.id[left] * PER_ORDER + ABANDONED
    session = np.concatenate([submitted, given_up])
    gaps = _gaps(plan, session)
    reached = np.full(len(session), N_STEPS)
    reached[len(submitted) :] = _steps_reached(plan, given_up)
    at = np.empty(gaps.shape, np.int64)
    row = np.concatenate([row, left])
    ends, starts = slice(len(submitted)), slice(len(submitted), None)
    at[:, ends] = requests.at[buyers] - gaps[::-1, ends]
    at[:, starts] = _started(plan, orders, left, given_up) + gaps[:, starts]
    np.maximum(at, orders.placed[row], out=at)
    return _flat(session, row, at, reached)


def _flat(session: NDArray, row: Rows, at: NDArray[np.int64], reached: NDArray) -> Steps:
    order = np.argsort(session)
    reached = reached[order]
    where = np.repeat(order, reached)
    step = np.arange(len(where)) - np.repeat(np.cumsum(reached) - reached, reached)
    return Steps(
        session=session[where],
        row=row[where],
        step=step.astype(np.int8),
        at=at.ravel()[step * len(session) + where].astype(np.int32),
    )


def _abandoned(plan: Plan, orders: Orders) -> Rows:
    given_up = plan.draws.coin("sessions.abandoned", orders.id, plan.world.dialogue.abandoned_share)
    return np.flatnonzero(given_up & (orders.paid < NEVER))


def _started(plan: Plan, orders: Orders, rows: Rows, session: NDArray) -> NDArray[np.int64]:
    mean = plan.world.asking.middle_mean_days * DAY
    after = plan.draws.exponential("sessions.start", session, mean)
    return orders.paid[rows] + after.astype(np.int64)


def _steps_reached(plan: Plan, session: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many steps an abandoned session reached, 1 to 4."""
    u = plan.draws.uniform("sessions.reached", session)
    survives = np.cumprod(plan.world.dialogue.reach_shares)
    return 1 + (u[:, None] < survives).sum(axis=1)


def _gaps(plan: Plan, session: NDArray[np.int64]) -> NDArray[np.int64]:
    """Seconds from the first step to each; shape (steps, sessions)."""
    dialogue = plan.world.dialogue
    gaps = np.zeros((N_STEPS, len(session)), np.int64)
    for step in range(1, N_STEPS):
        wait = plan.draws.lognormal(
            f"sessions.gap.{step}", session, dialogue.step_median_seconds, dialogue.step_sigma
        )
        gaps[step] = np.maximum(wait, 1)
        gaps[step] += gaps[step - 1]
    return gaps
