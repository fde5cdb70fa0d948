"""Tables of sellers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from tests.plots.samples.numbers import Z


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
            "n": n,
            "n_events": k,
            "n_pending": 1,
            "response_median_hours": np.where(n > 3, rng.uniform(2, 30, n_sellers), np.nan),
            "refund_median_days": np.where(n > 3, rng.uniform(1, 9, n_sellers), np.nan),
            "n_refunds": k,
            "interval": "beta-binomial posterior, prior fitted to all sellers",
        }
    )


WHOLE = {"seller_scorecard": seller_scorecard}
