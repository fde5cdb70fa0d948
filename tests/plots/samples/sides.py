"""Tables of comparisons: times, outcomes, hazard ratios."""

from __future__ import annotations

import numpy as np
import pandas as pd
from tests.plots.samples.numbers import limits

VALUES = {"paypal": -3.2, "debit_card": 1.4, "wallet": -8.1}
OUTCOMES = {"approved_by_seller": 0.5, "blocked": 0.25, "rejected_by_seller": 0.08}


def refund_time_difference(rng: np.random.Generator, n: int) -> list[dict]:
    mean, half = rng.uniform(9, 12), 9 / np.sqrt(max(n, 1))
    rows = []
    for i, (value, gap) in enumerate(VALUES.items()):
        gap = gap * rng.uniform(0.5, 1.5)
        size = max(n // (i + 2), 1)
        p = float(np.exp(-abs(gap) / half))
        rows.append(
            {
                "compared": "method",
                "value": value,
                "baseline": "card",
                "horizon_days": 30.0,
                "estimate": gap,
                "ci_low": gap - half,
                "ci_high": gap + half,
                "p_value": p,
                "q_value": p,
                "logrank_p_value": p,
                "mean_days": mean + gap,
                "baseline_mean_days": mean,
                "n": size,
                "n_baseline": n,
                "n_events": int(size * 0.97),
                "n_censored": size - int(size * 0.97),
                "n_clusters": 40,
                "interval": "difference of restricted means, clustered by seller",
            }
        )
    return rows


def outcome_difference(rng: np.random.Generator, n: int) -> list[dict]:
    rows = []
    for outcome, share in OUTCOMES.items():
        p = float(rng.uniform(0, 0.08))
        for i, value in enumerate(("card", "wallet", "cash_voucher")):
            size = max(n // (i + 1), 1)
            shown = limits(share * rng.uniform(0.6, 1.4), size)
            rows.append(
                {
                    "outcome": outcome,
                    "compared": "payment_method",
                    "value": value,
                    "horizon_hours": 96.0,
                    **shown,
                    "p_value": p,
                    "q_value": p,
                    "n": size,
                    "n_events": round(shown["estimate"] * size),
                    "n_censored": 1,
                    "n_clusters": 40,
                    "interval": "Aalen-Johansen, log-log, clustered by seller",
                }
            )
    return rows


def refund_drivers() -> pd.DataFrame:
    factors = {
        "method": [("card", 1.0), ("paypal", 2.1), ("wallet", 33.7), ("bank_transfer", np.nan)],
        "size_tier": [("small", 0.856), ("medium", 1.0), ("not recorded", 1.04)],
    }
    rows = []
    for factor, levels in factors.items():
        for i, (level, ratio) in enumerate(levels):
            is_reference = ratio == 1.0
            p = (
                np.nan
                if is_reference or np.isnan(ratio)
                else float(np.exp(-9 * abs(np.log(ratio))))
            )
            wide = 1.0 if is_reference else 1.2
            rows.append(
                {
                    "factor": factor,
                    "level": level,
                    "reference": "card" if factor == "method" else "medium",
                    "estimate": ratio,
                    "ci_low": ratio / wide,
                    "ci_high": ratio * wide,
                    "p_value": p,
                    "q_value": p,
                    "n": 900 // (i + 1),
                    "n_events": 800 // (i + 1),
                    "n_censored": 900 // (i + 1) - 800 // (i + 1),
                    "n_clusters": 60,
                    "status": "reference"
                    if is_reference
                    else "infinite"
                    if np.isnan(ratio)
                    else "estimated",
                    "interval": "Cox, Efron ties, clustered by seller",
                }
            )
    return pd.DataFrame(rows)


MAKERS = {
    "refund_time_difference": refund_time_difference,
    "outcome_difference": outcome_difference,
}
WHOLE = {"refund_drivers": refund_drivers}
