"""The truth beside the data: what no marketplace can see, and what no data set has yet.

``truth/requests``: the true reason, what was likely at submit, and the eventual end.
``truth/refunds``: when the money did arrive. ``truth/sellers`` and ``truth/buyers``: traits.
``truth/estimands.json``: true values of the published estimands (:mod:`.estimands`).
Only tests, and the notebook that checks the methods, may read it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.contract import codes
from analysis.marketplace.life import Lives
from analysis.marketplace.plan import PARTY, Plan
from analysis.marketplace.race import PROBABILITIES
from analysis.marketplace.record import Columns, kept
from analysis.marketplace.requests import SUCCESS

WORDS = {
    "true_reason": codes.REASONS,
    "eventual_outcome": codes.OUTCOMES,
}


def truth_of(plan: Plan, lives: Lives) -> dict[str, Columns]:
    """Truth about the requests and refunds that are on record at ``as_of``."""
    made, legs = lives.requests, lives.refunds
    requests = {
        "request_id": made.id,
        "true_reason": made.true_reason,
        "eventual_outcome": made.decided.outcome,
        "eventual_decided_at": made.decided.at,
        **{name: getattr(made.decided, name) for name in PROBABILITIES},
    }
    refunds = {
        "refund_id": legs.id,
        "eventual_started_at": legs.started,
        "eventual_credited_at": legs.credited,
        "eventual_n_failures": legs.n_failures,
    }
    return {
        "truth/requests": kept(requests, made.at <= plan.as_of),
        "truth/refunds": kept(refunds, legs.decided <= plan.as_of),
    }


def seller_sums(plan: Plan, lives: Lives) -> NDArray[np.float64]:
    """Sums by seller over buyers' requests on record: requests, sum of ``p_success``, successes.

    Shape (3, sellers).
    """
    made = lives.requests
    rows = np.flatnonzero((made.by == PARTY["buyer"]) & (made.at <= plan.as_of))
    seller = lives.orders.seller[made.row[rows]]
    success = SUCCESS[made.decided.outcome[rows]]
    weights = (np.ones(len(rows)), made.decided.p_success[rows], success)
    return np.stack([np.bincount(seller, weight, len(plan.sellers)) for weight in weights])


def seller_truth(plan: Plan, sums: NDArray[np.float64]) -> Columns:
    """Traits of every seller, and how likely its buyers' requests were to succeed."""
    sellers = plan.sellers
    n, likely, succeeded = sums
    with np.errstate(invalid="ignore"):
        p_success = likely / n
    approve, reject, over, silent = sellers.answers.T
    return {
        "seller_id": np.arange(len(sellers)),
        "order_share": sellers.volume,
        "handling_x": sellers.handling_x,
        "response_x": sellers.response_x,
        "p_approve": approve,
        "p_reject": reject,
        "p_ship_over": over,
        "p_silent": silent,
        "p_stock_out": sellers.stock_out,
        "n_requests": n.astype(np.int64),
        "n_eventual_successes": succeeded.astype(np.int64),
        "p_success": p_success,
    }


def buyer_truth(plan: Plan, first: int, last: int) -> Columns:
    """Odds of asking of the buyers ``first`` to ``last - 1``, relative to the middle kind."""
    ids = np.arange(first, last)
    kind = plan.draws.pick("buyers.kind", ids, plan.lookups.buyer_kind)
    return {"buyer_id": ids, "ask_odds": plan.lookups.buyer_odds[kind]}
