"""The headline figures of the index, each with its interval and its denominator."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from analysis.contract import MissingData
from analysis.contract.codes import CANCELLED_ENDS
from analysis.measures import (
    blocker_shares,
    cancel_flow_funnel,
    cancellation_success_rate,
    order_end_shares,
    refund_quantiles,
    request_rate,
    response_curve,
)
from analysis.measures.answers import answered
from analysis.plots.labels import label
from analysis.plots.numbers import count, days, interval_text, percent
from analysis.report.say.words import are_apart
from analysis.report.site import Headline
from analysis.sources import Tables


def headline_figures(tables: Tables) -> list[Headline]:
    """Return the figures that this data can give, in the order of the notebooks."""
    figures = []
    for make in (_asked, _cancelled, _success, _blocker, _refund, _refund_tail, _answer, _dialogue):
        try:
            figure = make(tables)
        except MissingData:
            continue
        if figure is not None:
            figures.append(figure)
    return figures


def _figure(
    title: str, row: pd.Series, notebook: str, noun: str, unit: Callable[[float], str] = percent
) -> Headline | None:
    if np.isnan(row["estimate"]):
        return None
    text = interval_text(row["estimate"], row["ci_low"], row["ci_high"], None, unit=unit)
    value, _, limits = text.removesuffix(")").partition(" (")
    return Headline(value, title, limits, f"{count(row['n'])} {noun}", page=notebook)


def _asked(tables: Tables) -> Headline | None:
    row = answered(request_rate, tables).iloc[0]
    if row["n_events"] == 0:
        return None
    title = "of paid orders get a request to cancel within 30 days"
    return _figure(title, row, "00_the_data", "paid orders")


def _cancelled(tables: Tables) -> Headline | None:
    """Only where the data has no requests: then this is all that it can tell."""
    if answered(cancellation_success_rate, tables).iloc[0]["n"] > 0:
        return None
    ends = answered(order_end_shares, tables)
    ends = ends[ends["end_code"].isin(CANCELLED_ENDS)].sort_values("n_events", ascending=False)
    if ends.empty:
        return None
    return _figure("of orders end cancelled", ends.iloc[0], "00_the_data", "orders")


def _success(tables: Tables) -> Headline | None:
    row = answered(cancellation_success_rate, tables).iloc[0]
    return _figure("of requests to cancel work", row, "01_cancellation_success", "requests")


def _blocker(tables: Tables) -> Headline | None:
    table = answered(blocker_shares, tables)
    known = table[table["n_events"] > 0].dropna(subset="estimate")
    ranked = known.sort_values("estimate", ascending=False, kind="stable")
    if ranked.empty:
        return None
    row = ranked.iloc[0]
    title = f"of requests stopped by the commonest rule: {label(row['blocker'])}"
    if len(ranked) > 1 and not are_apart(row, ranked.iloc[1]):
        title += f", without a clear lead over {label(ranked['blocker'].iloc[1])}"
    return _figure(title, row, "02_why_not", "requests")


def _quantile(tables: Tables, probability: float) -> pd.Series:
    table = answered(refund_quantiles, tables)
    return table[table["probability"] == probability].iloc[0]


def _refund(tables: Tables) -> Headline | None:
    row = _quantile(tables, 0.5)
    return _figure("until half of the refunds have arrived", row, "03_refund_time", "refunds", days)


def _refund_tail(tables: Tables) -> Headline | None:
    row = _quantile(tables, 0.9)
    return _figure("until nine in ten refunds have arrived", row, "03_refund_time", "refunds", days)


def _answer(tables: Tables) -> Headline | None:
    curve = answered(response_curve, tables)
    day = curve[curve["time_hours"] == 24]
    if day.empty:
        return None
    title = "of open requests have the seller's answer within a day"
    return _figure(title, day.iloc[0], "04_sellers", "open requests")


def _dialogue(tables: Tables) -> Headline | None:
    funnel = answered(cancel_flow_funnel, tables)
    row = funnel[funnel["step"] == "submit"].iloc[0]
    title = "of sessions that set out to cancel submit a request"
    return _figure(title, row, "05_the_cancel_flow", "sessions")
