"""Tables of why not: overlapping rules, closing windows."""

from __future__ import annotations

import numpy as np
from tests.plots.samples.numbers import Z, share
from tests.plots.samples.shares import BLOCKED, STAGES


def blocker_overlap(rng: np.random.Generator, n: int) -> list[dict]:
    rows = []
    for word, p in BLOCKED.items():
        whole = int(rng.binomial(n, p))
        only = int(rng.binomial(whole, 0.7))
        first = only + int(rng.binomial(whole - only, 0.6))
        made = share((whole + only) // 2, n, pending=n // 40)
        made |= {
            f"{name}_share": k / n if n else np.nan
            for name, k in (("first", first), ("only", only), ("any", whole))
        }
        made |= {"n_first": first, "n_only": only, "n_any": whole}
        made["interval"] = "Wilson of parts, clustered by seller"
        rows.append({"blocker": word, "stage": STAGES[word], **{c: made[c] for c in OVERLAP}})
    return rows


OVERLAP = (
    "estimate",
    "ci_low",
    "ci_high",
    "first_share",
    "only_share",
    "any_share",
    "n",
    "n_first",
    "n_only",
    "n_any",
    "n_pending",
    "n_clusters",
    "interval",
)


def window_hazard(rng: np.random.Generator, n: int, step: int = 12) -> list[dict]:
    """Windows that close at a rate of their own in each interval; half of them by shipment."""
    at_risk, rows = n, []
    speed = rng.uniform(0.5, 2)
    for start in range(0, 240, step):
        rate = speed * (0.004 if start < 24 else 0.02)
        whole = int(rng.binomial(at_risk, 1 - np.exp(-rate * step)))
        shipped = int(rng.binomial(whole, 0.8))
        time = (at_risk - whole / 2) * step
        for i, (word, k) in enumerate(
            (("closed_in_any_way", whole), ("shipped", shipped), ("cancelled", whole - shipped))
        ):
            rows.append((i, {"outcome": word, **_rate(k, time, start, step, at_risk, n)}))
        at_risk -= whole
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])]


def _rate(k: int, time: float, start: int, step: int, at_risk: int, n: int) -> dict:
    low, high = (k + Z**2 / 2 + side * Z * np.sqrt(k + Z**2 / 4) for side in (-1, 1))
    known = time > 0
    return {
        "from_hours": float(start),
        "to_hours": float(start + step),
        "estimate": k / time if known else np.nan,
        "ci_low": max(low, 0) / time if known else np.nan,
        "ci_high": high / time if known else np.nan,
        "n_at_risk": at_risk,
        "n_events": k,
        "exposure_hours": time,
        "n": n,
        "n_clusters": 40,
        "interval": "Poisson score, clustered by seller",
    }


def policy_versus_practice(rng: np.random.Generator, n: int) -> list[dict]:
    """Requests by what the rules say; one in twenty went another way."""
    rows = []
    for (verdict, practices), part in zip(PRACTICE.items(), (0.4, 0.3, 0.3), strict=True):
        size = int(n * part)
        counts = rng.multinomial(size, np.array(list(practices.values()), float))
        for word, k in zip(practices, counts, strict=True):
            made = share(int(k), size, pending=size // 20)
            head = {"verdict": verdict, "practice": word, "is_breach": word in BREACHES[verdict]}
            tail = {"policy": "aliexpress", "interval": made.pop("interval")}
            rows.append({**head, **made, **tail})
    return rows


PRACTICE = {
    "must_block": {"blocked": 0.95, "approved_by_seller": 0.05},
    "may_cancel_at_once": {"instant_cancelled": 0.96, "rejected_by_seller": 0.04},
    "up_to_the_seller": {
        "approved_by_seller": 0.6,
        "auto_approved_timeout": 0.15,
        "rejected_by_seller": 0.13,
        "superseded_by_shipment": 0.1,
        "past_deadline": 0.02,
    },
}
BREACHES = {
    "must_block": {"approved_by_seller"},
    "may_cancel_at_once": {"rejected_by_seller"},
    "up_to_the_seller": {"past_deadline"},
}
MAKERS = {
    "policy_versus_practice": policy_versus_practice,
    "blocker_overlap": blocker_overlap,
    "window_hazard": window_hazard,
}
