"""Sentences of the cancel dialogue: how far people get who set out to cancel."""

from __future__ import annotations

import pandas as pd

from analysis.plots.groups import group_columns, split
from analysis.plots.labels import label
from analysis.plots.numbers import MIN_N, count, interval_text
from analysis.report.say.words import Words, comparison, hedge, limits, listing, nothing, sentences

ENDS = {"submit": "submitted a request", "cancelled": "ended in a cancelled order"}


def say_cancel_flow_funnel(table: pd.DataFrame) -> str:
    """Return how far people get in the dialogue, for the result of ``cancel_flow_funnel``."""
    if table.empty:
        return nothing("how far people get in the dialogue")
    by = group_columns(table, "step")
    if by:
        words = Words("the share of sessions that submit", "sessions", "higher", "lower")
        submits = table[table["step"] == "submit"]
        return comparison(split(submits, by), by, words)
    n = table["n"].max()
    if not n > 0:
        return "There are no sessions to follow."
    rows = {row["step"]: row for _, row in table.dropna(subset="estimate").iterrows()}
    parts = [f"{limits(rows[step])} {words}" for step, words in ENDS.items() if step in rows]
    if not parts:
        return f"How far people get is not known for these {count(n)} sessions."
    few = "only " if n < MIN_N else ""
    return sentences(
        f"Of {few}{count(n)} sessions that set out to cancel, {listing(parts)}.",
        _largest_loss(table),
        hedge(rows.get("submit", table.iloc[0]), "sessions"),
    )


def _largest_loss(table: pd.DataFrame) -> str:
    """Name the step inside the dialogue that the fewest of those before it reached."""
    steps = table[table["step"] != "cancelled"].reset_index(drop=True)
    before = steps["of_previous"].astype(float)
    if before.isna().all() or before.min() >= 1:
        return ""
    at = int(before.idxmin())
    names = [label(str(steps["step"].iloc[i])) for i in (at - 1, at)] if at else []
    if not names:
        return ""
    row = steps.iloc[at]
    ends = (row["of_previous_low"], row["of_previous_high"])
    share = interval_text(before.iloc[at], *ends, None)
    return f"The largest loss within the dialogue: of those who {names[0]}, {share} {names[1]}."
