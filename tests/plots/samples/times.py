"""Tables of refund times."""

from __future__ import annotations

import numpy as np
from tests.plots.samples.numbers import share


def refund_quantiles(rng: np.random.Generator, n: int) -> list[dict]:
    median = rng.uniform(1, 9)
    width = 2.0 / np.sqrt(max(n, 1))
    return [
        {
            "probability": p,
            "estimate": median * f,
            "ci_low": median * f * (1 - width),
            "ci_high": median * f * (1 + width),
            "n": n,
            "n_events": int(n * 0.97),
            "n_censored": n - int(n * 0.97),
            "n_clusters": max(n // 4, 1),
            "interval": "Kaplan-Meier, log-log, inverted, clustered by seller",
        }
        for p, f in ((0.5, 1.0), (0.9, 2.1), (0.95, 2.6))
    ]


def refund_mean(rng: np.random.Generator, n: int) -> list[dict]:
    mean, half = rng.uniform(2, 10), 6 / np.sqrt(max(n, 1))
    return [
        {
            "horizon_days": 30.0,
            "estimate": mean,
            "ci_low": mean - half,
            "ci_high": mean + half,
            "n": n,
            "n_events": int(n * 0.97),
            "n_censored": n - int(n * 0.97),
            "n_clusters": max(n // 4, 1),
            "interval": "restricted mean, Student, clustered by seller",
        }
    ]


def refund_sla(rng: np.random.Generator, n: int) -> list[dict]:
    promises = {"card": (20, "business"), "wallet": (3, "calendar"), "paypal": (30, "calendar")}
    rows = []
    for i, (method, (days, clock)) in enumerate(promises.items()):
        size = max(n // (i + 1), 1)
        k = int(rng.binomial(size, 0.95))
        row = {"method": method, "sla_days": days, "clock": clock, **share(k, size)}
        del row["n_pending"]
        ends = {name: row.pop(name) for name in ("n_clusters", "interval")}
        rows.append({**row, "n_censored": 0, "n_late": size - k, **ends})
    return rows


MAKERS = {
    "refund_quantiles": refund_quantiles,
    "refund_mean": refund_mean,
    "refund_sla": refund_sla,
}
