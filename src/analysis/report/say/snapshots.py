"""Sentences of what looks once a day can tell about refunds."""

from __future__ import annotations

import pandas as pd

from analysis.plots.groups import Group, group_columns, split
from analysis.plots.numbers import MIN_N, count, days, interval_text, percent
from analysis.report.say.words import Words, comparison, limits, listing, nothing, sentences

STOPS = (3.0, 7.0, 14.0)  # days that a sentence names
SUBJECT = "the share of refunds credited, as far as looks can tell"
NONE = "There are no refunds that a look has followed."


def say_refund_curve_from_snapshots(table: pd.DataFrame) -> str:
    """Return how many refunds looks show to be credited by when."""
    if table.empty:
        return nothing(SUBJECT)
    by = group_columns(table, "time_days")
    known = table.dropna(subset="ci_low")
    if known.empty:
        return NONE
    if by:
        return _by_group(table, known, by)
    n = table["n"].max()
    found = known[known["time_days"].isin(STOPS)]
    rows = found if len(found) else known.tail(1)
    parts = [f"{_bounds(row)} within {days(row['time_days'])}" for _, row in rows.iterrows()]
    few = "only " if n < MIN_N else ""
    last = days(known["time_days"].iloc[-1])
    return sentences(
        f"Of {few}{count(n)} refunds, as far as looks can tell, these were credited: "
        f"{listing(parts)}.",
        f"No look goes beyond {last}." if len(known) < len(table) else "",
    )


def _bounds(row: pd.Series) -> str:
    if pd.notna(row["estimate"]):
        return limits(row)
    low, high = percent(row["at_least"]), percent(row["at_most"])
    if low == high:
        return interval_text(row["at_least"], row["ci_low"], row["ci_high"], None)
    return f"between {low} and {high} ({percent(row['ci_low'])} to {percent(row['ci_high'])})"


def _by_group(table: pd.DataFrame, known: pd.DataFrame, by: list[str]) -> str:
    at = next((t for t in (7.0, 3.0, 14.0) if (known["time_days"] == t).any()), None)
    at = known["time_days"].max() if at is None else at
    least = table.assign(estimate=table["at_least"].where(table["ci_low"].notna()))
    groups = [_only(group, at) for group in split(least, by)]
    return comparison(
        groups, by, Words(f"{SUBJECT}, within {days(at)}", "refunds", "higher", "lower")
    )


def _only(group: Group, time: float) -> Group:
    rows = group.rows[group.rows["time_days"] == time].reset_index(drop=True)
    missing = group.rows.head(1).assign(estimate=float("nan"))
    return group._replace(rows=rows if len(rows) else missing)
