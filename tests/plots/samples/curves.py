"""Tables of curves."""

from __future__ import annotations

import numpy as np
import pandas as pd
from tests.plots.samples.numbers import limits, waits
from tests.plots.samples.shares import MIX


def outcome_curve(
    rng: np.random.Generator, n: int, horizon: int = 240, step: int = 6
) -> list[dict]:
    words = [w for w, p in MIX.items() if p and w != "pending"]
    weights = np.array([MIX[w] for w in words])
    which = rng.choice(len(words), n, p=weights / weights.sum())
    when = np.where(np.isin(which, [0, 3]), 0.01, waits(rng, n, 8 * rng.uniform(0.6, 1.6), 1.3))
    when = np.where(which == 2, 72.0, when)
    seen = rng.uniform(0, 4000, n)
    return _race(words, which, when, seen, np.arange(0, horizon + 1.0, step))


def window_curve(rng: np.random.Generator, n: int, horizon: int = 240, step: int = 6) -> list[dict]:
    words = ["shipped", "cancelled", "ended_otherwise"]
    which = rng.choice(3, n, p=[0.94, 0.05, 0.01])
    when = waits(rng, n, 50 * rng.uniform(0.6, 1.6), 0.7)
    seen = rng.uniform(0, 4000, n)
    rows = _race(words, which, when, seen, np.arange(0, horizon + 1.0, step))
    open_ = pd.DataFrame(rows).groupby("time_hours", sort=False)
    left = 1 - open_["estimate"].sum().to_numpy()
    head = [row for row in rows if row["outcome"] == "shipped"]
    stays = [
        {**row, "outcome": "still_open", **limits(p, n)} for row, p in zip(head, left, strict=True)
    ]
    return [*stays, *rows]


def _race(words, which, when, seen, times) -> list[dict]:
    n, ended, rows = len(which), when <= seen, []
    for i, word in enumerate(words):
        for t in times:
            k = int((ended & (which == i) & (when <= t)).sum())
            known = n - int((~ended & (seen <= t)).sum())
            rows.append(
                {
                    "outcome": word,
                    "time_hours": t,
                    **limits(k / known, known),
                    "n_at_risk": int((np.minimum(when, seen) >= t).sum()),
                    "n_events": k,
                    "n_censored": n - known,
                    "n": n,
                    "n_clusters": max(n // 4, 1),
                    "interval": "Aalen-Johansen, log-log, clustered by seller",
                }
            )
    return rows


def _one_end(rng, n, time, times, when, seen, stop) -> list[dict]:
    rows, ended = [], when <= np.minimum(seen, stop)
    last = np.minimum(np.minimum(when, seen), stop)
    order = np.lexsort((~ended, last))
    left = np.cumprod(1 - ended[order] / np.arange(n, 0, -1))
    for t in times:
        k, gone = int((ended & (when <= t)).sum()), int((~ended & (last <= t)).sum())
        before = int((last <= t).sum())
        ends = limits(1 - left[before - 1] if before else 0.0, n)
        if t > last.max():
            ends = dict.fromkeys(ends, np.nan)
        rows.append(
            {
                time: t,
                **ends,
                "n_at_risk": int((last >= t).sum()),
                "n_events": k,
                "n_censored": gone,
                "n": n,
                "n_clusters": max(n // 4, 1),
                "interval": "Kaplan-Meier, log-log, clustered by seller",
            }
        )
    return rows


def refund_curve(rng: np.random.Generator, n: int, horizon: float = 30) -> list[dict]:
    when = waits(rng, n, rng.uniform(2, 9), 0.6)
    times = np.arange(0, horizon + 0.01, 0.25)
    return _one_end(rng, n, "time_days", times, when, rng.uniform(0, 180, n), 1e9)


def response_curve(rng: np.random.Generator, n: int, horizon: float = 96) -> list[dict]:
    when = waits(rng, n, rng.uniform(3, 12), 1.4)
    when = np.where(rng.random(n) < 0.15, 1e6, when)
    times = np.arange(0, horizon + 0.01, 1.0)
    return _one_end(rng, n, "time_hours", times, when, rng.uniform(0, 4000, n), 72.0)


MAKERS = {
    "outcome_curve": outcome_curve,
    "window_curve": window_curve,
    "refund_curve": refund_curve,
    "response_curve": response_curve,
}
