"""The familiar wrong number beside the right one, and why they differ.

Each headline is computed twice on the same data: as public notebooks and dashboards do, and as
the other measures here do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from analysis.contract import MissingData, codes
from analysis.measures.counting import DAY, HOUR
from analysis.measures.curves import ended_by_own_time
from analysis.measures.durations import QUANTILE_HORIZON_DAYS, refund_mean, refund_spells
from analysis.measures.rates import cancellation_success_rate, request_rate
from analysis.measures.sellers import seller_scorecard
from analysis.sources import Tables, collect
from analysis.sources.tables import is_success
from analysis.stats.scales import normal_quantile

MEAN_DAYS = 30
SOON_DAYS = 7
RECENT_DAYS = 14
LOWEST_SELLERS = 10
COLUMNS = [
    "headline",
    "unit",
    "naive",
    "estimate",
    "ci_low",
    "ci_high",
    "difference",
    "n",
    "interval",
    "why_they_differ",
]


def naive_versus_right(
    tables: Tables, *, about: str | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Each headline as it is usually computed, as it should be, and why they differ.

    Parameters
    ----------
    tables
        Opened dataset.
    about
        "success", "requests", "refunds" or "sellers"; None gives all that the data can answer.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    DataFrame
        One row per headline: ``headline, unit, naive, estimate, ci_low, ci_high, difference, n,
        interval, why_they_differ``. ``unit`` is "share" or "days"; ``difference`` is naive minus
        estimate; ``n`` is the denominator of the estimate.

    Raises
    ------
    MissingData
        The data lacks what the headlines need.
    ValueError
        ``about`` is none of the words.
    """
    if about is not None and about not in _HEADLINES:
        raise ValueError(f"about must be one of {', '.join(_HEADLINES)}, got {about!r}")
    rows: list[dict[str, Any]] = []
    lacks: list[MissingData] = []
    for name in _HEADLINES if about is None else (about,):
        try:
            rows += _HEADLINES[name](tables, level)
        except MissingData as lack:
            lacks.append(lack)
    if not rows:
        raise lacks[0]
    table = pd.DataFrame(rows)
    return table.assign(difference=table["naive"] - table["estimate"])[COLUMNS]


def _row(headline: str, naive: float, right: pd.Series, why: str, unit: str = "share") -> dict:
    kept = {column: right[column] for column in ("estimate", "ci_low", "ci_high", "n", "interval")}
    return {"headline": headline, "unit": unit, "naive": naive, "why_they_differ": why, **kept}


def _share(k: float, n: float) -> float:
    return float(k) / float(n) if n else np.nan


def _success(tables: Tables, level: float) -> list[dict]:
    requests = tables.requests
    buyers = requests.filter(requests.requested_by == "buyer")
    decided = buyers.outcome != codes.PENDING
    asked = collect(
        buyers.aggregate(n=buyers.count(), k=is_success(buyers).sum(), decided=decided.sum())
    ).iloc[0]
    right = cancellation_success_rate(tables, level=level).iloc[0]
    rows = [
        _row(
            "Requests that work, counting those decided so far",
            _share(asked.k, asked.decided),
            right,
            "Drops the requests still open and counts young ones only if they were decided fast.",
        ),
        _row(
            "Requests that work, counting the open ones as failures",
            _share(asked.k, asked.n),
            right,
            "Calls a request a failure although nobody has decided it yet.",
        ),
    ]
    if tables.has("orders", "end_code"):
        rows.insert(0, _row("How often cancelling works", _cancelled(tables), right, _ORDERS_WHY))
    return rows


_ORDERS_WHY = (
    "Divides cancelled orders by all orders: it measures how many ask at all, mixed with sellers "
    "and systems that cancel, and says nothing of those who were refused."
)


def _cancelled(tables: Tables) -> float:
    orders = tables.orders
    cancelled = orders.end_code.isin(codes.CANCELLED_ENDS).fill_null(False)
    counts = collect(orders.aggregate(n=orders.count(), k=cancelled.sum())).iloc[0]
    return _share(counts.k, counts.n)


def _requests(tables: Tables, level: float) -> list[dict]:
    requests = tables.requests
    asked = requests.filter(requests.requested_by == "buyer")
    k = collect(asked.aggregate(k=asked.order_id.nunique())).k.iloc[0]
    n = collect(tables.orders.aggregate(n=tables.orders.count())).n.iloc[0]
    right = request_rate(tables, level=level).iloc[0]
    why = (
        "Divides by all orders: the unpaid ones too, and those placed so recently that their "
        "buyers have not had the time to ask."
    )
    return [_row("Buyers who ask to cancel", _share(k, n), right, why)]


def _refunds(tables: Tables, level: float) -> list[dict]:
    everything = refund_spells(tables, (), horizon_days=QUANTILE_HORIZON_DAYS, clock="calendar")
    credited, days = everything.events[:, 0], everything.time * HOUR / DAY
    mean = refund_mean(tables, horizon_days=MEAN_DAYS, level=level).iloc[0]
    rows = [
        _row(
            f"Mean days to the money (at most {MEAN_DAYS} of each)",
            _share((credited * np.minimum(days, MEAN_DAYS)).sum(), credited.sum()),
            mean,
            "Averages only the refunds that have arrived; the slow ones have not arrived yet.",
            "days",
        )
    ]
    recent = _recent(tables, level)
    return [*rows, recent] if recent is not None else rows


def _recent(tables: Tables, level: float) -> dict | None:
    """Refunds decided in the last two weeks: where leaving out the open ones misleads most."""
    spells = refund_spells(
        tables, (), horizon_days=RECENT_DAYS, clock="calendar", last_days=RECENT_DAYS
    )
    if not spells.events.sum():
        return None
    soon = spells.time * HOUR / DAY <= SOON_DAYS
    naive = _share(spells.events[soon, 0].sum(), spells.events[:, 0].sum())
    right = ended_by_own_time(spells, np.array([SOON_DAYS]), units=DAY // HOUR, level=level)
    return _row(
        f"Money back within {SOON_DAYS} days, of refunds decided in the last {RECENT_DAYS} days",
        naive,
        right.iloc[0],
        "Counts only refunds that have arrived, and of young ones only the quick have.",
    )


def _sellers(tables: Tables, level: float) -> list[dict]:
    card = seller_scorecard(tables, level=level)
    card = card[card["n"] > 0]
    if card.empty:
        raise MissingData("a mature request", needed_by="naive_versus_right")
    lowest = card.sort_values(["raw_rate", "seller_id"]).head(LOWEST_SELLERS)
    z = normal_quantile(level)
    spread = (lowest["ci_high"] - lowest["ci_low"]).to_numpy() / (2 * z)
    mean, error = lowest["estimate"].mean(), np.sqrt((spread**2).sum()) / len(lowest)
    right = pd.Series(
        {
            "estimate": mean,
            "ci_low": max(mean - z * error, 0.0),
            "ci_high": min(mean + z * error, 1.0),
            "n": int(lowest["n"].sum()),
            "interval": "mean of beta-binomial posteriors, normal",
        }
    )
    why = (
        f"A league table puts at the bottom whoever had bad luck with few requests: these "
        f"{len(lowest)} sellers had {lowest['n'].median():.0f} requests in the middle."
    )
    headline = f"Success with the {len(lowest)} sellers lowest in the league table"
    return [_row(headline, lowest["raw_rate"].mean(), right, why)]


_HEADLINES: dict[str, Callable[[Tables, float], list[dict]]] = {
    "success": _success,
    "requests": _requests,
    "refunds": _refunds,
    "sellers": _sellers,
}
