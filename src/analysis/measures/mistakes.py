"""Headlines as they are usually computed, each beside the right number: rows, topic by topic.

A maker takes opened tables and a level and returns one row per headline.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from analysis.contract import MissingData, codes
from analysis.measures.answers import answered
from analysis.measures.asking import request_rate
from analysis.measures.counting import DAY, HOUR, MINUTE, age, requests_of, seen
from analysis.measures.curves import ended_by_own_time
from analysis.measures.durations import (
    QUANTILE_HORIZON_DAYS,
    refund_curve,
    refund_mean,
    refund_spells,
)
from analysis.measures.races import outcome_curve
from analysis.measures.rates import cancellation_success_rate
from analysis.measures.sellers import seller_scorecard
from analysis.measures.spells import spell_counts
from analysis.sources import Tables, collect
from analysis.sources.tables import is_success
from analysis.stats.scales import normal_quantile

MEAN_DAYS = 30
SOON_DAYS = 7
RECENT_DAYS = 14
MONTH_DAYS = 30
ANSWER_HOURS = 72
LOWEST_SELLERS = 10
_APPROVED = "approved_by_seller"


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
    right = answered(cancellation_success_rate, tables, level=level).iloc[0]
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
    return [*rows, _monthly_success(tables, right), *_approved(tables, level)]


def _monthly_success(tables: Tables, right: pd.Series) -> dict:
    """What a dashboard of the last month shows: events of one month over starts of the same."""
    asked, decided = (
        age(tables, tables.requests[name]) < MONTH_DAYS * DAY
        for name in ("requested_at", "decided_at")
    )
    buyers = tables.requests.requested_by == "buyer"
    counts = collect(
        tables.requests.aggregate(
            n=(buyers & asked).sum(),
            k=(buyers & decided.fill_null(False) & is_success(tables.requests)).sum(),
        )
    ).iloc[0]
    return _row(
        f"Requests that work, by the calendar of the last {MONTH_DAYS} days",
        _share(counts.k, counts.n),
        right,
        "Divides what was decided in a month by what was asked in it: other requests above the "
        "line than below it, so the share moves whenever demand does.",
    )


def _approved(tables: Tables, level: float) -> list[dict]:
    """Approval as if nothing else could end a request, beside the race that it is."""
    curve = answered(outcome_curve, tables, horizon_hours=ANSWER_HOURS, level=level)
    last = curve[(curve["outcome"] == _APPROVED) & (curve["time_hours"] == ANSWER_HOURS)]
    if last.empty:
        return []
    frame, _ = requests_of(tables, (), "buyer", needed_by="naive_versus_right")
    spells = spell_counts(
        frame,
        (),
        start=frame.requested_at,
        seconds=seen(tables, frame.requested_at, frame.decided_at),
        cause=((frame.outcome == _APPROVED) & frame.decided_at.notnull()).ifelse(1, 0),
        n_causes=1,
        unit_seconds=MINUTE,
        horizon_units=ANSWER_HOURS * HOUR // MINUTE,
    )
    alone = ended_by_own_time(spells, np.array([ANSWER_HOURS]), units=HOUR // MINUTE, level=level)
    return [
        _row(
            f"Requests that the seller approves within {ANSWER_HOURS} hours",
            alone["estimate"].iloc[0],
            last.iloc[0],
            "One minus Kaplan-Meier takes refused, blocked and overtaken requests for ones that "
            "may still be approved, and so promises approvals that cannot come.",
        )
    ]


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
    n = tables.n_rows("orders")
    right = answered(request_rate, tables, level=level).iloc[0]
    why = (
        "Divides by all orders: the unpaid ones too, and those placed so recently that their "
        "buyers have not had the time to ask."
    )
    return [_row("Buyers who ask to cancel", _share(k, n), right, why)]


def _refunds(tables: Tables, level: float) -> list[dict]:
    everything = refund_spells(
        tables, (), horizon_days=QUANTILE_HORIZON_DAYS, clock="calendar", by_seller=False
    )
    credited, days = everything.events[:, 0], everything.time * HOUR / DAY
    mean = answered(refund_mean, tables, horizon_days=MEAN_DAYS, level=level).iloc[0]
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
    return [*rows, *([recent] if recent is not None else []), _monthly_refunds(tables, level)]


def _monthly_refunds(tables: Tables, level: float) -> dict:
    refunds = tables.refunds_with()
    due, credited = (
        (age(tables, moment) < MONTH_DAYS * DAY).fill_null(False)
        for moment in (refunds.due_since, refunds.credited_at)
    )
    counts = collect(refunds.aggregate(n=due.sum(), k=credited.sum())).iloc[0]
    curve = answered(refund_curve, tables, horizon_days=MONTH_DAYS, level=level)
    right = curve[curve["time_days"] == MONTH_DAYS]
    empty = {"estimate": np.nan, "ci_low": np.nan, "ci_high": np.nan, "n": 0, "interval": ""}
    return _row(
        f"Money back, by the calendar of the last {MONTH_DAYS} days",
        _share(counts.k, counts.n),
        right.iloc[0] if len(right) else pd.Series(empty),
        "Divides what arrived in a month by what was decided in it: the money that arrives now "
        "was mostly decided before.",
    )


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
    card = answered(seller_scorecard, tables, level=level)
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
        f"{len(lowest)} sellers had a median of {lowest['n'].median():.0f} requests."
    )
    headline = f"Success with the {len(lowest)} sellers lowest in the league table"
    return [_row(headline, lowest["raw_rate"].mean(), right, why)]


HEADLINES: dict[str, Callable[[Tables, float], list[dict]]] = {
    "success": _success,
    "requests": _requests,
    "refunds": _refunds,
    "sellers": _sellers,
}
