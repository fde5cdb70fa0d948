"""Sentences of size: what more orders cost, how data is cut, what leaves the engine."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from analysis.plots.labels import label, plain
from analysis.plots.numbers import count, percent, ratio
from analysis.report.say.words import listing, nothing, sentences


def say_scale_costs(table: pd.DataFrame) -> str:
    """Return how CPU time grows, and what a billion orders would take, for ``scale_costs``."""
    ours = table[(table["peer"] == "ours") & table["estimate"].notna()]
    if ours.empty:
        return nothing("the cost of size")
    return sentences(*(_work(str(work), rows) for work, rows in ours.groupby("work", sort=False)))


def _work(work: str, rows: pd.DataFrame) -> str:
    last = rows.iloc[-1]
    sizes = f"n = {count(last['n'])}"
    grows = f"one size was measured ({sizes})"
    if not np.isnan(last["exponent"]):
        limits = _between(last["exponent_low"], last["exponent_high"], _power)
        inside = ", ".join(part for part in (limits, f"{sizes} sizes") if part)
        grows = f"CPU time grows with orders to the power {_power(last['exponent'])} ({inside})"
    measured = rows[rows["is_measured"]]
    seen = ""
    if len(measured):
        most = measured.iloc[-1]
        seen = f" and is {_seconds(most['estimate'])} for {count(most['n_orders'])} orders"
    return f"{plain(work)}: {grows}{seen}.{_carried(rows[~rows['is_measured']])}"


def _carried(rows: pd.DataFrame) -> str:
    if rows.empty:
        return ""
    row = rows.iloc[-1]
    limits = _between(row["ci_low"], row["ci_high"], ratio)
    cost = f"{_seconds(row['estimate'])}{f' ({limits})' if limits else ''}"
    return f" Carried on in a straight line, {count(row['n_orders'])} orders would take {cost}."


def _between(low: float, high: float, unit: Callable[[float], str]) -> str:
    """Return limits in words; a cost whose lower limit is 0 has an upper one only."""
    if np.isnan(low) or np.isnan(high):
        return ""
    return f"at most {unit(high)}" if low == 0 else f"{unit(low)} to {unit(high)}"


def _power(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _seconds(value: float) -> str:
    return f"{ratio(value)} CPU-seconds"


def say_dataset_parts(table: pd.DataFrame) -> str:
    """Return into how many parts the largest table is cut, for ``dataset_parts``."""
    if table.empty:
        return nothing("parts")
    most = table.loc[table["n_rows"].idxmax()]
    largest = f"The largest table, {plain(str(most['table']))}, has {count(most['n_rows'])} rows"
    if most["n_parts"] == 1:
        return f"{largest} in one part."
    most_rows = f"none with more than {count(most['most_rows'])} rows"
    return f"{largest} in {count(most['n_parts'])} parts, {most_rows}."


def say_rows_that_leave(table: pd.DataFrame) -> str:
    """Return how few rows leave the engine, for ``rows_that_leave``."""
    known = table[table["n_rows"] > 0]
    if known.empty:
        return nothing("what leaves the engine")
    parts = [
        f"{label(row.measure).lower()}: {count(row.n_leaving)} of {count(row.n_rows)} "
        f"{plain(row.unit)} ({percent(row.share)})"
        for row in known.itertuples()
    ]
    return f"Rows of counts that left the engine, beside the rows counted: {listing(parts)}."
