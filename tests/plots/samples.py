"""Result tables for the tests of figures and sentences: seeded, in the shape of the measures.

``SAMPLES`` has one realistic table per measure; ``grouped(name, groups)`` the same for several
groups. The shapes are checked against the real measures in ``test_real_tables.py``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from analysis.contract import codes

Z = 1.96
AGES = (
    ("before payment", -np.inf, 0.0),
    ("under 1 hour", 0.0, 1.0),
    ("1 to 6 hours", 1.0, 6.0),
    ("6 to 24 hours", 6.0, 24.0),
    ("1 to 2 days", 24.0, 48.0),
    ("2 to 4 days", 48.0, 96.0),
    ("4 to 7 days", 96.0, 168.0),
    ("7 days or more", 168.0, np.inf),
)
MIX = {  # share of each outcome
    "instant_cancelled": 0.14,
    "approved_by_seller": 0.38,
    "auto_approved_timeout": 0.09,
    "blocked": 0.26,
    "rejected_by_seller": 0.07,
    "superseded_by_shipment": 0.04,
    "expired_not_cancelled": 0.0,
    "withdrawn_by_buyer": 0.012,
    "preempted": 0.006,
    "pending": 0.002,
}
STAGES = {
    **dict.fromkeys(codes.BLOCKERS_AT_SUBMIT, "at_submit"),
    **dict.fromkeys(codes.BLOCKERS_DECIDED_LATER, "decided_later"),
}
BLOCKED = {
    "delivered_or_completed": 0.03,
    "already_shipped": 0.17,
    "payment_under_review": 0.05,
    "request_already_open": 0.01,
    "seller_rejected": 0.07,
    "shipped_during_request": 0.04,
}
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


def success_rate(rng: np.random.Generator, n: int) -> list[dict]:
    return [share(int(rng.binomial(n, rng.uniform(0.3, 0.9))), n, pending=n // 50)]


def request_rate(rng: np.random.Generator, n: int) -> list[dict]:
    return [share(int(rng.binomial(n, rng.uniform(0.04, 0.09))), n, pending=n // 10)]


def outcome_shares(rng: np.random.Generator, n: int) -> list[dict]:
    k = rng.multinomial(n, rng.dirichlet(np.array(list(MIX.values())) * 300))
    return [{"outcome": w, **share(int(c), n)} for w, c in zip(MIX, k, strict=True)]


def order_end_shares(rng: np.random.Generator, n: int) -> list[dict]:
    words = ["completed", "cancelled_by_request", "cancelled_by_seller", "unpaid_timeout", "open"]
    k = rng.multinomial(n, [0.86, 0.04, 0.008, 0.05, 0.042])
    rows = [{"end_code": w, **share(int(c), n)} for w, c in zip(words, k, strict=True)]
    return [{name: row[name] for name in row if name != "n_pending"} for row in rows]


def _waits(rng: np.random.Generator, n: int, median: float, spread: float) -> np.ndarray:
    return np.exp(rng.normal(np.log(median), spread, n))


def outcome_curve(
    rng: np.random.Generator, n: int, horizon: int = 240, step: int = 6
) -> list[dict]:
    words = [w for w, p in MIX.items() if p and w != "pending"]
    weights = np.array([MIX[w] for w in words])
    which = rng.choice(len(words), n, p=weights / weights.sum())
    when = np.where(np.isin(which, [0, 3]), 0.01, _waits(rng, n, 8 * rng.uniform(0.6, 1.6), 1.3))
    when = np.where(which == 2, 72.0, when)
    seen = rng.uniform(0, 4000, n)
    return _race(words, which, when, seen, np.arange(0, horizon + 1.0, step))


def window_curve(rng: np.random.Generator, n: int, horizon: int = 240, step: int = 6) -> list[dict]:
    words = ["shipped", "cancelled", "ended_otherwise"]
    which = rng.choice(3, n, p=[0.94, 0.05, 0.01])
    when = _waits(rng, n, 50 * rng.uniform(0.6, 1.6), 0.7)
    seen = rng.uniform(0, 4000, n)
    rows = _race(words, which, when, seen, np.arange(0, horizon + 1.0, step))
    open_ = pd.DataFrame(rows).groupby("time_hours", sort=False)
    left = 1 - open_["estimate"].sum().to_numpy()
    head = [row for row in rows if row["outcome"] == "shipped"]
    stays = [
        {**row, "outcome": "still_open", **_limits(p, n)} for row, p in zip(head, left, strict=True)
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
                    **_limits(k / known, known),
                    "n_at_risk": int((np.minimum(when, seen) >= t).sum()),
                    "n_events": k,
                    "n_censored": n - known,
                    "n": n,
                    "interval": "Aalen-Johansen, log-log",
                }
            )
    return rows


def _limits(p: float, n: int) -> dict:
    estimate, low, high = wilson(round(p * n), n)
    return {"estimate": estimate, "ci_low": low, "ci_high": high}


def _one_end(rng, n, time, times, when, seen, stop) -> list[dict]:
    rows, ended = [], when <= np.minimum(seen, stop)
    last = np.minimum(np.minimum(when, seen), stop)
    order = np.lexsort((~ended, last))
    left = np.cumprod(1 - ended[order] / np.arange(n, 0, -1))
    for t in times:
        k, gone = int((ended & (when <= t)).sum()), int((~ended & (last <= t)).sum())
        before = int((last <= t).sum())
        limits = _limits(1 - left[before - 1] if before else 0.0, n)
        if t > last.max():
            limits = dict.fromkeys(limits, np.nan)
        rows.append(
            {
                time: t,
                **limits,
                "n_at_risk": int((last >= t).sum()),
                "n_events": k,
                "n_censored": gone,
                "n": n,
                "interval": "Kaplan-Meier, log-log",
            }
        )
    return rows


def refund_curve(rng: np.random.Generator, n: int, horizon: float = 30) -> list[dict]:
    when = _waits(rng, n, rng.uniform(2, 9), 0.6)
    times = np.arange(0, horizon + 0.01, 0.25)
    return _one_end(rng, n, "time_days", times, when, rng.uniform(0, 180, n), 1e9)


def response_curve(rng: np.random.Generator, n: int, horizon: float = 96) -> list[dict]:
    when = _waits(rng, n, rng.uniform(3, 12), 1.4)
    when = np.where(rng.random(n) < 0.15, 1e6, when)
    times = np.arange(0, horizon + 0.01, 1.0)
    return _one_end(rng, n, "time_hours", times, when, rng.uniform(0, 4000, n), 72.0)


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
            "interval": "Kaplan-Meier, log-log, inverted",
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
            "interval": "restricted mean, normal",
        }
    ]


def refund_sla(rng: np.random.Generator, n: int) -> list[dict]:
    promises = {"card": (20, "business"), "wallet": (3, "calendar"), "paypal": (30, "calendar")}
    rows = []
    for i, (method, (days, clock)) in enumerate(promises.items()):
        size = max(n // (i + 1), 1)
        k = int(rng.binomial(size, 0.95))
        row = {"method": method, "sla_days": days, "clock": clock, **share(k, size)}
        del row["n_pending"], row["n_clusters"]
        interval = row.pop("interval")
        rows.append({**row, "n_censored": 0, "n_late": size - k, "interval": interval})
    return rows


def blocker_shares(rng: np.random.Generator, n: int) -> list[dict]:
    return [
        {"blocker": w, "stage": STAGES[w], **share(int(rng.binomial(n, p)), n)}
        for w, p in BLOCKED.items()
    ]


def success_by_order_age(rng: np.random.Generator, n: int) -> list[dict]:
    rows = []
    for i, (word, low, high) in enumerate(AGES):
        size = n // 8 if i else 0
        ages = {"order_age": word, "age_from_hours": low, "age_to_hours": high}
        rows.append({**ages, **share(int(rng.binomial(size, 0.95 - 0.11 * i)), size)})
    return rows


def cancel_flow_funnel(rng: np.random.Generator, n: int) -> list[dict]:
    reached, before, rows = n, None, []
    for word, p in zip([*codes.STEPS, "cancelled"], (1, 0.95, 0.8, 0.85, 0.9, 0.6), strict=True):
        reached = int(rng.binomial(reached, p))
        row = {"step": word, **share(reached, n)}
        del row["n_pending"]
        keys = list(row)
        row["of_previous"] = np.nan if before is None else reached / max(before, 1)
        order = [*keys[:4], "of_previous", *keys[4:]]
        rows.append({key: row[key] for key in order})
        before = reached
    return rows


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


def naive_versus_right() -> pd.DataFrame:
    rows = [
        ("How often cancelling works", "share", 0.048, 0.612, 0.58, 0.641, 1164,
         "Divides by orders."),
        ("Requests that work, counting those decided so far", "share", 0.63, 0.612, 0.58, 0.641,
         1164, "Drops the requests still open."),
        ("Mean days to the money (at most 30 of each)", "days", 5.1, 6.4, 6.1, 6.7, 980,
         "Averages only the refunds that have arrived."),
        ("Money back within 7 days, of refunds decided in the last 14 days", "share", 0.93, 0.55,
         0.49, 0.61, 210, "Counts only refunds that have arrived."),
    ]  # fmt: skip
    names = ["headline", "unit", "naive", "estimate", "ci_low", "ci_high", "n", "why_they_differ"]
    table = pd.DataFrame(rows, columns=names)
    table.insert(6, "difference", table["naive"] - table["estimate"])
    table.insert(8, "interval", CLUSTERED)
    return table


def why_not(
    rows: Sequence[tuple] | None = None, until: str | None = "2025-11-03 14:05"
) -> pd.DataFrame:
    """Card of order 123; rows are (request, asked, state, outcome, rank, blocker, stood since)."""
    if rows is None:
        rows = [
            (9, "2025-11-03 20:05", "shipped", "blocked", 1, "already_shipped", "2025-11-03 14:05")
        ]
    names = [
        "request_id",
        "requested_at",
        "order_state",
        "outcome",
        "rank",
        "blocker",
        "stood_since",
    ]
    card = pd.DataFrame(rows, columns=names)
    card.insert(0, "order_id", 123)
    card.insert(7, "stage", card["blocker"].map(STAGES))
    card["cancellable_until"] = until
    for name in ("requested_at", "stood_since", "cancellable_until"):
        card[name] = pd.to_datetime(card[name], utc=True)
    return card


MAKERS: dict[str, Callable[[np.random.Generator, int], list[dict]]] = {
    "success_rate": success_rate,
    "outcome_shares": outcome_shares,
    "request_rate": request_rate,
    "order_end_shares": order_end_shares,
    "outcome_curve": outcome_curve,
    "window_curve": window_curve,
    "refund_curve": refund_curve,
    "refund_quantiles": refund_quantiles,
    "refund_mean": refund_mean,
    "refund_sla": refund_sla,
    "response_curve": response_curve,
    "blocker_shares": blocker_shares,
    "success_by_order_age": success_by_order_age,
    "cancel_flow_funnel": cancel_flow_funnel,
}
WHOLE: dict[str, Callable[[], pd.DataFrame]] = {
    "seller_scorecard": seller_scorecard,
    "naive_versus_right": naive_versus_right,
    "why_not": why_not,
}
NAMES = (*MAKERS, *WHOLE)


@functools.cache
def _made(name: str, n: int, seed: int) -> pd.DataFrame:
    return pd.DataFrame(MAKERS[name](np.random.default_rng(seed), n))


def overall(name: str, *, n: int = 1200, seed: int = 1) -> pd.DataFrame:
    """Sample table of a measure without groups."""
    return WHOLE[name]() if name in WHOLE else _made(name, n, seed).copy()


def grouped(
    name: str, groups: Sequence, *, by: Sequence[str] = ("group",), seed: int = 1
) -> pd.DataFrame:
    """Sample table of a measure for groups (values, or tuples of values), each half the last."""
    parts = []
    for i, group in enumerate(groups):
        part = overall(name, n=max(1600 // 2**i, 8), seed=seed + i)
        values = group if isinstance(group, tuple) else (group,)
        for position, (column, value) in enumerate(zip(by, values, strict=True)):
            part.insert(position, column, [value] * len(part))
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
