"""Tables of shares."""

from __future__ import annotations

import numpy as np
from tests.plots.samples.numbers import share, wilson

from analysis.contract import codes

AGES = (
    ("before payment", -np.inf, 0.0),
    ("under 1 hour", 0.0, 1.0),
    ("1 to 6 hours", 1.0, 6.0),
    ("6 to 24 hours", 6.0, 24.0),
    ("1 to 2 days", 24.0, 48.0),
    ("2 to 4 days", 48.0, 96.0),
    ("4 to 7 days", 96.0, 168.0),
    ("7 days or more", 168.0, np.inf),
)
MIX = {  # share of each outcome
    "instant_cancelled": 0.14,
    "approved_by_seller": 0.38,
    "auto_approved_timeout": 0.09,
    "blocked": 0.26,
    "rejected_by_seller": 0.07,
    "superseded_by_shipment": 0.04,
    "expired_not_cancelled": 0.0,
    "withdrawn_by_buyer": 0.012,
    "preempted": 0.006,
    "pending": 0.002,
}
STAGES = {
    **dict.fromkeys(codes.BLOCKERS_AT_SUBMIT, "at_submit"),
    **dict.fromkeys(codes.BLOCKERS_DECIDED_LATER, "decided_later"),
}
BLOCKED = {
    "delivered_or_completed": 0.03,
    "already_shipped": 0.17,
    "payment_under_review": 0.05,
    "request_already_open": 0.01,
    "seller_rejected": 0.07,
    "shipped_during_request": 0.04,
}


def success_rate(rng: np.random.Generator, n: int) -> list[dict]:
    return [share(int(rng.binomial(n, rng.uniform(0.3, 0.9))), n, pending=n // 50)]


def request_rate(rng: np.random.Generator, n: int) -> list[dict]:
    return [share(int(rng.binomial(n, rng.uniform(0.04, 0.09))), n, pending=n // 10)]


def outcome_shares(rng: np.random.Generator, n: int) -> list[dict]:
    k = rng.multinomial(n, rng.dirichlet(np.array(list(MIX.values())) * 300))
    return [{"outcome": w, **share(int(c), n)} for w, c in zip(MIX, k, strict=True)]


def order_end_shares(rng: np.random.Generator, n: int) -> list[dict]:
    words = ["completed", "cancelled_by_request", "cancelled_by_seller", "unpaid_timeout", "open"]
    k = rng.multinomial(n, [0.86, 0.04, 0.008, 0.05, 0.042])
    rows = [{"end_code": w, **share(int(c), n)} for w, c in zip(words, k, strict=True)]
    return [{name: row[name] for name in row if name != "n_pending"} for row in rows]


def blocker_shares(rng: np.random.Generator, n: int) -> list[dict]:
    return [
        {"blocker": w, "stage": STAGES[w], **share(int(rng.binomial(n, p)), n)}
        for w, p in BLOCKED.items()
    ]


def success_by_order_age(rng: np.random.Generator, n: int) -> list[dict]:
    rows = []
    for i, (word, low, high) in enumerate(AGES):
        size = n // 8 if i else 0
        ages = {"order_age": word, "age_from_hours": low, "age_to_hours": high}
        rows.append({**ages, **share(int(rng.binomial(size, 0.95 - 0.11 * i)), size)})
    return rows


def cancel_flow_funnel(rng: np.random.Generator, n: int) -> list[dict]:
    reached, before, rows = n, None, []
    for word, p in zip([*codes.STEPS, "cancelled"], (1, 0.95, 0.8, 0.85, 0.9, 0.6), strict=True):
        reached = int(rng.binomial(reached, p))
        row = {"step": word, **share(reached, n)}
        del row["n_pending"]
        keys = list(row)
        passed = ("of_previous", "of_previous_low", "of_previous_high")
        row |= dict(zip(passed, wilson(reached, before or 0), strict=True))
        order = [*keys[:4], *passed, *keys[4:]]
        rows.append({key: row[key] for key in order})
        before = reached
    return rows


MAKERS = {
    "success_rate": success_rate,
    "request_rate": request_rate,
    "outcome_shares": outcome_shares,
    "order_end_shares": order_end_shares,
    "blocker_shares": blocker_shares,
    "success_by_order_age": success_by_order_age,
    "cancel_flow_funnel": cancel_flow_funnel,
}
