"""Tables of money."""

from __future__ import annotations

import numpy as np
from tests.plots.samples.numbers import share


def open_refund_liability(rng: np.random.Generator, n: int) -> list[dict]:
    n_open = n // 8
    owed = float(n_open * rng.integers(1500, 4000))
    parts = np.sort(rng.uniform(0.3, 0.99, 3))
    return [
        {
            "currency": "EUR",
            "horizon_days": horizon,
            "estimate": owed * part,
            "ci_low": owed * max(part - 0.08, 0),
            "ci_high": owed * min(part + 0.08, 1),
            "open_minor": owed,
            "unknown_minor": owed * (1 - part) if horizon > 60 else 0.0,
            "n_open": n_open,
            "n": n,
            "interval": "Kaplan-Meier forecast, predictive, clustered by seller",
        }
        for horizon, part in zip((7.0, 30.0, 90.0), parts, strict=True)
    ]


def recovered_sales(rng: np.random.Generator, n: int) -> list[dict]:
    k = int(rng.binomial(n, rng.uniform(0.1, 0.4)))
    row = share(k, n, pending=n // 20)
    limits = {name: row.pop(name) for name in ("estimate", "ci_low", "ci_high")}
    money = {"cancelled_minor": n * 2500.0, "recovered_minor": k * 2500.0}
    row["interval"] = "Wilson on money, clustered by seller"
    return [{"currency": "EUR", "horizon_days": 7.0, **limits, **money, **row}]


MAKERS = {"open_refund_liability": open_refund_liability, "recovered_sales": recovered_sales}
