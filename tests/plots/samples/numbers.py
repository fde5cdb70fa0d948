"""Numbers of made-up tables: shares with Wilson limits, waits."""

from __future__ import annotations

import numpy as np

Z = 1.96
CLUSTERED = "Wilson, clustered by seller"


def wilson(k: int, n: int) -> tuple[float, float, float]:
    """Estimate and Wilson limits, all missing for n = 0."""
    if n == 0:
        return np.nan, np.nan, np.nan
    p = k / n
    middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z * np.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    return p, min(p, middle - half), max(p, middle + half)


def share(k: int, n: int, *, pending: int = 0, clusters: int = 40) -> dict:
    """Columns of a share as the measures return them."""
    estimate, low, high = wilson(k, n)
    return {
        "estimate": estimate,
        "ci_low": low,
        "ci_high": high,
        "n": n,
        "n_events": k,
        "n_pending": pending,
        "n_clusters": clusters,
        "interval": CLUSTERED,
    }


def limits(p: float, n: int) -> dict:
    estimate, low, high = wilson(round(p * n), n)
    return {"estimate": estimate, "ci_low": low, "ci_high": high}


def waits(rng: np.random.Generator, n: int, median: float, spread: float) -> np.ndarray:
    return np.exp(rng.normal(np.log(median), spread, n))
