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


MAKERS = {"blocker_overlap": blocker_overlap, "window_hazard": window_hazard}
