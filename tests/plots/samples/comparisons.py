"""Tables of groups beside each other, and of success over time."""

from __future__ import annotations

import numpy as np
import pandas as pd
from tests.plots.samples.numbers import share, wilson

WEEKS = 9


def success_rate_difference(rng: np.random.Generator, n: int) -> list[dict]:
    size = max(n // 3, 0)
    k, k_base = int(rng.binomial(size, rng.uniform(0.3, 0.9))), int(rng.binomial(n, 0.55))
    rate, low, high = wilson(k, size)
    base, base_low, base_high = wilson(k_base, n)
    p_value = float(rng.uniform(0, 0.2)) if size else np.nan
    return [
        {
            "payment_method": "paypal",
            "baseline": "card",
            "estimate": rate - base,
            "ci_low": rate - base - np.hypot(rate - low, base_high - base),
            "ci_high": rate - base + np.hypot(high - rate, base - base_low),
            "rate": rate,
            "baseline_rate": base,
            "ratio": rate / base if base else np.nan,
            "ratio_low": rate / base * 0.8 if base else np.nan,
            "ratio_high": rate / base * 1.25 if base else np.nan,
            "p_value": p_value,
            "q_value": p_value,
            "n": size,
            "n_events": k,
            "n_pending": n // 50,
            "n_baseline": n,
            "n_events_baseline": k_base,
            "n_clusters": 40,
            "n_shared_clusters": 25,
            "interval": "Newcombe, clustered by seller, sellers on both sides",
        }
    ]


def standardised_success_rate(rng: np.random.Generator, n: int) -> list[dict]:
    one = share(int(rng.binomial(n, rng.uniform(0.3, 0.9))), n, pending=n // 50)
    crude, low, high = wilson(int(rng.binomial(n, 0.5)), n)
    columns = {name: one[name] for name in ("estimate", "ci_low", "ci_high")}
    columns |= {"crude_rate": crude, "crude_low": low, "crude_high": high}
    columns |= {"coverage_share": 1.0 if n else 0.0, "n_strata": 6}
    columns |= {name: one[name] for name in ("n", "n_events", "n_pending", "n_clusters")}
    return [{**columns, "interval": "standardised, Wilson, clustered by seller"}]


def success_rate_trend(rng: np.random.Generator, n: int) -> list[dict]:
    rows, centre = [], float(rng.uniform(0.3, 0.8))
    for week in range(WEEKS):
        size = int(rng.integers(n // 2, n + 1))
        one = share(int(rng.binomial(size, min(centre + 0.3 * (week == 4), 1))), size)
        reach = 3 * np.sqrt(centre * (1 - centre) / size) if size else np.nan
        low, high = max(centre - reach, 0), min(centre + reach, 1)
        young = week == WEEKS - 1
        place = 1 + (one["estimate"] > high) - 1 * (one["estimate"] < low)
        rows.append(
            {
                "cohort_at": pd.Timestamp("2026-01-05", tz="UTC") + pd.Timedelta(weeks=week),
                "estimate": one["estimate"],
                "ci_low": one["ci_low"],
                "ci_high": one["ci_high"],
                "centre": centre if size else np.nan,
                "control_low": low if size else np.nan,
                "control_high": high if size else np.nan,
                "signal": "not yet" if young or not size else ("below", "within", "above")[place],
                "is_nowcast": young,
                "n": size,
                "n_events": one["n_events"],
                "n_pending": size // 10 if young else 0,
                "n_clusters": 40,
                "interval": "Wilson, clustered by seller",
            }
        )
    return rows


MAKERS = {
    "success_rate_difference": success_rate_difference,
    "standardised_success_rate": standardised_success_rate,
    "success_rate_trend": success_rate_trend,
}
