"""Tables of refunds seen once a day, of their stages, and of those that never come."""

from __future__ import annotations

import numpy as np
from tests.plots.samples.curves import refund_curve
from tests.plots.samples.numbers import wilson


def refund_curve_from_snapshots(rng: np.random.Generator, n: int) -> list[dict]:
    rows = []
    for row in refund_curve(rng, max(n, 1)):
        share, vague = row["estimate"], row["time_days"] % 1 > 0.4
        row |= {"at_least": share * 0.97, "at_most": share} if vague else {}
        row = {"at_least": share, "at_most": share, **row}
        row |= {"estimate": np.nan} if vague and share > 0 else {}
        first = ["time_days", "estimate", "ci_low", "ci_high", "at_least", "at_most"]
        ordered = {name: row[name] for name in [*first, *(set(row) - set(first))]}
        counts = ["n_at_risk", "n_events", "n_censored", "n"]
        made = {name: ordered[name] for name in [*first, *counts]}
        rows.append({**made, "interval": "Turnbull, bootstrap clustered by seller"})
    return rows


def stage_durations(rng: np.random.Generator, n: int) -> list[dict]:
    means = rng.uniform([0.2, 0.3, 4.0], [0.6, 1.2, 9.0])
    means = [*means, means.sum() * 0.98]
    return [
        {
            "stage": stage,
            "horizon_days": 30.0,
            "estimate": mean,
            "ci_low": max(mean - mean / np.sqrt(max(n, 1)), 0),
            "ci_high": mean + mean / np.sqrt(max(n, 1)),
            "median_days": mean * 0.8,
            "share_of_total": mean / means[-1],
            "n": n,
            "n_events": int(n * 0.97),
            "n_censored": n - int(n * 0.97),
            "n_pending": n // 60,
            "n_clusters": max(n // 20, 2),
            "interval": "restricted mean, Student, clustered by seller",
        }
        for stage, mean in zip(("decision", "start", "arrival", "total"), means, strict=True)
    ]


def never_refunded_share(rng: np.random.Generator, n: int) -> list[dict]:
    lost = int(rng.binomial(n, rng.uniform(0.02, 0.2)))
    share, low, high = wilson(lost, n)
    told = n >= 100 and lost > 0
    limits = (share, low, high) if told else (np.nan,) * 3
    names = ("estimate", "ci_low", "ci_high")
    return [
        {
            **dict(zip(names, limits, strict=True)),
            "at_most": high,
            "follow_up": "sufficient" if told else "not sufficient",
            "follow_up_p": 0.001 if told else 1.0,
            "model": "Weibull" if told else "none",
            "model_estimate": limits[0] * 0.95,
            "model_low": limits[1] * 0.95,
            "model_high": limits[2] * 0.95,
            "n": n,
            "n_events": n - lost,
            "n_censored": lost,
            "n_late": n // 2,
            "n_clusters": max(n // 20, 2),
            "interval": "Kaplan-Meier plateau, log-log, clustered by seller",
        }
    ]


MAKERS = {
    "refund_curve_from_snapshots": refund_curve_from_snapshots,
    "stage_durations": stage_durations,
    "never_refunded_share": never_refunded_share,
}
