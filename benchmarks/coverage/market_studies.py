"""Studies of measures on synthetic marketplaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from analysis import measures
from analysis.contract import codes
from analysis.measures.counting import DAY, HOUR
from analysis.measures.rates import HORIZON_HOURS
from analysis.sources import Tables, collect, seconds_between
from analysis.sources.tables import is_success

from . import familiar
from .curves import arrived_by
from .markets import MARKETS, ORDERS, Truth
from .study import Found, Outcome, Study

BY = ["market"]
BLOCKER = "already_shipped"


def limits(table: pd.DataFrame) -> Found:
    """Estimates and limits of a measure, one row a market."""
    return Found(*(table[name].to_numpy(float) for name in ("estimate", "ci_low", "ci_high")))


def success_rate(tables: Tables, truth: Truth) -> Outcome:
    requests = tables.requests_with_context
    decided = requests.filter(
        (requests.requested_by == "buyer") & (requests.outcome != codes.PENDING)
    )
    naive = _wald(decided, is_success(decided))
    found = measures.cancellation_success_rate(tables, by=BY)
    return Outcome(limits(found), float(truth.success.mean()), naive)


def cancelled_orders(tables: Tables, truth: Truth) -> Outcome:
    """Compare the success rate with cancelled orders divided by orders."""
    orders = tables.orders
    cancelled = orders.end_code.isin(codes.CANCELLED_ENDS).fill_null(False)
    naive = _wald(orders, cancelled)
    found = measures.cancellation_success_rate(tables, by=BY)
    return Outcome(limits(found), float(truth.success.mean()), naive)


def request_rate(tables: Tables, truth: Truth) -> Outcome:
    found = measures.request_rate(tables, by=BY)
    orders = tables.orders
    whole = collect(orders.group_by("market").aggregate(n=orders.count())).sort_values("market")
    requests = tables.requests_with_context
    asked = requests.filter(requests.requested_by == "buyer")
    k = collect(asked.group_by("market").aggregate(k=asked.order_id.nunique()))
    naive = familiar.wald(k.sort_values("market").k.to_numpy(), whole.n.to_numpy())
    return Outcome(limits(found), truth.request_rate(), naive)


def credited(tables: Tables, truth: Truth) -> Outcome:
    curve = measures.refund_curve(tables, by=BY, horizon_days=7)
    ours = limits(curve[curve.time_days == 7])
    group, days = _arrived(tables)
    naive = arrived_by(group, days, len(ours.estimate), 7.0)
    return Outcome(ours, truth.value("refund_credited", days="7", method=None), naive)


def mean_refund(tables: Tables, truth: Truth) -> Outcome:
    ours = limits(measures.refund_mean(tables, by=BY, horizon_days=30))
    group, days = _arrived(tables)
    naive = familiar.mean(group, np.minimum(days, 30), len(ours.estimate))
    return Outcome(ours, truth.value("refund_mean", method=None), naive)


def median_refund(tables: Tables, truth: Truth) -> Outcome:
    ours = limits(measures.refund_quantiles(tables, by=BY, probabilities=[0.5]))
    naive = familiar.quantile(*_arrived(tables), len(ours.estimate), 0.5)
    return Outcome(ours, truth.value("refund_median", method=None), naive)


def answered(tables: Tables, truth: Truth) -> Outcome:
    curve = measures.response_curve(tables, by=BY, horizon_hours=24)
    ours = limits(curve[curve.time_hours == 24])
    requests = tables.requests_with_context
    done = requests.filter(
        (requests.requested_by == "buyer") & requests.outcome.isin(codes.SELLER_ANSWERS)
    )
    took = seconds_between(done.requested_at, done.decided_at)
    naive = _wald(done, took <= 24 * HOUR)
    return Outcome(ours, truth.value("answered", hours="24"), naive)


def _arrived(tables: Tables) -> tuple[np.ndarray, np.ndarray]:
    """Market and days of every refund that has arrived."""
    frame = tables.refunds_with_context
    frame = frame.filter(frame.credited_at.notnull())
    took = seconds_between(frame.due_since, frame.credited_at)
    rows = collect(frame.select("market", took=took))
    return pd.factorize(rows.market, sort=True)[0], rows.took.to_numpy() / DAY


def still_open(tables: Tables, truth: Truth) -> Outcome:
    curve = measures.window_curve(tables, by=BY, horizon_hours=24)
    ours = limits(curve[(curve.time_hours == 24) & (curve.outcome == "still_open")])
    orders = tables.orders
    paid = orders.filter(orders.paid_at.notnull() & orders.shipped_at.notnull())
    late = seconds_between(paid.paid_at, paid.shipped_at) > 24 * HOUR
    naive = _wald(paid, late)
    return Outcome(ours, truth.value("window_open", hours="24"), naive)


def stopped_by_shipment(tables: Tables, truth: Truth) -> Outcome:
    table = measures.blocker_shares(tables, by=BY)
    ours = limits(table[table.blocker == BLOCKER])
    late = truth.requests.blocker.eq(BLOCKER) & (truth.requests.took_hours <= HORIZON_HOURS)
    requests = tables.requests_with_context
    failed = requests.filter(
        (requests.requested_by == "buyer")
        & (requests.outcome != codes.PENDING)
        & ~is_success(requests)
    )
    naive = _wald(failed, failed.blocker == BLOCKER)
    return Outcome(ours, float(late.mean()), naive)


def _wald(frame: Any, event: Any) -> Found:
    """Share of a frame's rows on which an event holds, market by market."""
    counts = collect(frame.group_by("market").aggregate(n=frame.count(), k=event.sum()))
    counts = counts.sort_values("market")
    return familiar.wald(counts.k.to_numpy(), counts.n.to_numpy())


def _study(estimand: str, estimator: str, draw: Callable[..., Outcome], naive: str) -> Study:
    unit = "days" if " days to " in estimand else "share"
    return Study(
        "marketplace",
        estimand,
        estimator,
        "synthetic marketplace, AliExpress world and policy",
        f"{ORDERS:,} orders of 40 sellers",
        draw,
        naive,
        unit=unit,
        replications=MARKETS,
        of_markets=True,
    )


STUDIES = [
    _study(
        "success rate",
        "cancellation_success_rate",
        success_rate,
        "successes among the requests decided so far, Wald",
    ),
    _study(
        "success rate, not cancelled orders",
        "cancellation_success_rate",
        cancelled_orders,
        "cancelled orders divided by orders, Wald",
    ),
    _study(
        "request rate",
        "request_rate",
        request_rate,
        "orders with a request divided by orders, Wald",
    ),
    _study(
        "requests stopped by shipment",
        "blocker_shares",
        stopped_by_shipment,
        "share of the refusals, Wald",
    ),
    _study(
        "orders open after 24 hours",
        "window_curve",
        still_open,
        "share of the shipped orders, Wald",
    ),
    _study(
        "requests answered within 24 hours",
        "response_curve",
        answered,
        "share of the answers, Wald",
    ),
    _study(
        "refunds credited within 7 days",
        "refund_curve",
        credited,
        "share of the refunds that have arrived, Wald",
    ),
    _study(
        "mean days to the money, at most 30",
        "refund_mean",
        mean_refund,
        "mean of the refunds that have arrived",
    ),
    _study(
        "median days to the money",
        "refund_quantiles",
        median_refund,
        "median of the refunds that have arrived",
    ),
]
