"""Tables of sellers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from tests.plots.samples.numbers import Z, share


def seller_scorecard(n_sellers: int = 120, seed: int = 5) -> pd.DataFrame:
    """Scorecard of so many sellers, the largest first."""
    rng = np.random.default_rng(seed)
    n = np.sort(rng.zipf(1.5, n_sellers).clip(0, 3000))[::-1]
    k = rng.binomial(n, rng.beta(6, 4, n_sellers))
    estimate = (k + 6) / (n + 10)
    half = Z * np.sqrt(estimate * (1 - estimate) / (n + 11))
    with np.errstate(invalid="ignore"):
        raw = np.where(n > 0, k / np.maximum(n, 1), np.nan)
    return pd.DataFrame(
        {
            "seller_id": np.arange(1, n_sellers + 1) * 7,
            "estimate": estimate,
            "ci_low": (estimate - half).clip(0, 1),
            "ci_high": (estimate + half).clip(0, 1),
            "raw_rate": raw,
            "expected_rate": np.where(n > 0, 0.6, np.nan),
            "observed_expected": raw / 0.6,
            "adjusted_rate": estimate,
            "rank": np.argsort(np.argsort(-estimate)) + 1.0,
            "rank_low": np.maximum(np.argsort(np.argsort(-estimate)) - 9.0, 1.0),
            "rank_high": np.minimum(np.argsort(np.argsort(-estimate)) + 11.0, float(n_sellers)),
            "p_breach": np.where(estimate < 0.4, 0.8, 0.1),
            "threshold": 0.4,
            "n": n,
            "n_events": k,
            "n_pending": 1,
            "response_median_hours": np.where(n > 3, rng.uniform(2, 30, n_sellers), np.nan),
            "refund_median_days": np.where(n > 3, rng.uniform(1, 9, n_sellers), np.nan),
            "n_refunds": k,
            "interval": "beta-binomial posterior, averaged over plausible priors",
        }
    )


def seller_spread(rng: np.random.Generator, n: int) -> list[dict]:
    """How much made-up sellers differ; nothing can tell with fewer than two requests."""
    known = n > 1
    mean, part = rng.uniform(0.3, 0.8), rng.uniform(0.01, 0.2)
    sd = np.sqrt(mean * (1 - mean) * part)
    row = {
        "estimate": part,
        "ci_low": max(part - 3 / n, 0.0) if known else np.nan,
        "ci_high": min(part + 6 / n, 1.0) if known else np.nan,
        "mean_rate": mean,
        "sd_rates": sd,
        "rate_low": max(mean - 1.28 * sd, 0.0),
        "rate_high": min(mean + 1.28 * sd, 1.0),
        "luck_share": rng.uniform(0.2, 0.9),
        "p_value": float(rng.choice([0.2, 1e-6])),
    }
    if not known:
        row = dict.fromkeys(row, np.nan)
    counts = {"n": n, "n_events": round(n / 2), "n_pending": n // 50, "n_clusters": n // 9}
    return [{**row, **counts, "interval": "adjusted profile likelihood, beta-binomial"}]


def seller_funnel(n_sellers: int = 90, seed: int = 6) -> pd.DataFrame:
    """Funnel of so many sellers, one of them far below what is expected."""
    rng = np.random.default_rng(seed)
    n = np.sort(rng.zipf(1.5, n_sellers).clip(1, 900))[::-1]
    expected = rng.uniform(0.5, 0.6, n_sellers)
    k = rng.binomial(n, expected)
    k[0] = n[0] // 5
    pairs = zip(k.tolist(), n.tolist(), strict=True)
    rows = pd.DataFrame([share(one, every, pending=2) for one, every in pairs])
    half = Z * np.sqrt(expected * (1 - expected) / n)
    score = (rows["estimate"] - expected) / half * Z
    return pd.DataFrame(
        {
            "seller_id": np.arange(1, n_sellers + 1) * 7,
            **{name: rows[name] for name in ("estimate", "ci_low", "ci_high")},
            "expected_rate": expected,
            "difference": rows["estimate"] - expected,
            "limit_low": (expected - half).clip(0, 1),
            "limit_high": (expected + half).clip(0, 1),
            "wide_low": (expected - half - 0.05).clip(0, 1),
            "wide_high": (expected + half + 0.05).clip(0, 1),
            "z": score,
            "z_wide": score / 1.3,
            "phi": 1.4,
            "sd_between": 0.03,
            "p_value": np.where(np.arange(n_sellers) == 0, 1e-9, 0.4),
            "q_value": np.where(np.arange(n_sellers) == 0, 1e-7, 0.8),
            "is_outlier": np.arange(n_sellers) == 0,
            "n": n,
            "n_events": k,
            "n_pending": rows["n_pending"],
            "interval": "Wilson",
        }
    )


def reason_gaming(seed: int = 7) -> pd.DataFrame:
    """Declared reasons of thirty sellers; the first one's buyers all changed their mind."""
    rng = np.random.default_rng(seed)
    words, mix = ["changed_mind", "too_slow", "other"], [0.5, 0.4, 0.1]
    rows = []
    for seller, n in enumerate(np.sort(rng.integers(20, 300, 30))[::-1], start=1):
        counts = rng.multinomial(n, [0.9, 0.05, 0.05] if seller == 1 else mix)
        for word, k, expected in zip(words, counts, mix, strict=True):
            found = share(int(k), int(n))
            p = 1e-9 if seller == 1 and word != "other" else rng.uniform(0.01, 1)
            rows.append(
                {
                    "seller_id": seller * 7,
                    "reason": word,
                    **{name: found[name] for name in ("estimate", "ci_low", "ci_high")},
                    "expected_share": expected,
                    "difference": found["estimate"] - expected,
                    "spread": 0.002,
                    "p_value": p,
                    "q_value": min(p * 20, 1.0),
                    "is_outlier": p * 20 < 0.05,
                    "n": int(n),
                    "n_events": int(k),
                    "interval": "Wilson",
                }
            )
    return pd.DataFrame(rows)


MAKERS = {"seller_spread": seller_spread}
WHOLE = {
    "seller_scorecard": seller_scorecard,
    "seller_funnel": seller_funnel,
    "reason_gaming": reason_gaming,
}
