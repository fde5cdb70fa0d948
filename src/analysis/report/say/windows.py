"""Sentences of closing windows: when an order stops being cancellable fastest."""

from __future__ import annotations

import pandas as pd

from analysis.plots.groups import group_columns, split
from analysis.plots.numbers import MIN_N, count, hours, percent
from analysis.report.say.curves import after
from analysis.report.say.rates import did
from analysis.report.say.words import (
    Words,
    are_apart,
    comparison,
    hedge,
    limits,
    nothing,
    sentences,
)

REFERENCE = 24.0  # hours after payment at which groups are compared


def say_window_hazard(table: pd.DataFrame) -> str:
    """Return when windows close fastest and by what, for the result of ``window_hazard``."""
    if table.empty:
        return nothing("how fast windows close")
    by = group_columns(table, "outcome")
    whole = table[table["outcome"] == table["outcome"].iloc[0]]
    if by:
        return _by_group(whole, by)
    known = whole.dropna(subset="estimate")
    if known.empty:
        return "How fast windows close is not known: no paid order was observed."
    enough = known[known["n_at_risk"] >= MIN_N]
    among = (
        f", of the intervals with {MIN_N} or more still open"
        if 0 < len(enough) < len(known)
        else ""
    )
    known = enough if len(enough) else known
    n = known["n"].max()
    ranked = known.sort_values("estimate", ascending=False, kind="stable")
    top, start = ranked.iloc[0], known.iloc[0]
    if top["estimate"] == 0:
        return f"None of {count(n)} windows was seen to close."
    few = "only " if n < MIN_N else ""
    return sentences(
        f"The windows of {few}{count(n)} paid orders close fastest {_between(top)} after payment"
        f"{among}: {limits(top)} of the orders still open, each hour{_mostly(table, top)}.",
        _lead(ranked),
        f"{_between(start)} after payment it is {limits(start)}." if start.name != top.name else "",
        hedge(
            top.drop("ci_high").reindex([*top.index]).fillna({"ci_high": top["ci_low"]}), "orders"
        ),
    )


def _between(row: pd.Series) -> str:
    ends = row["from_hours"], row["to_hours"]
    in_days = all(end >= 96 and end % 24 == 0 for end in ends)
    first, last = (after(end) if in_days else hours(end) for end in ends)
    return f"between {first} and {last}" if row["from_hours"] > 0 else f"within {last}"


def _mostly(table: pd.DataFrame, top: pd.Series) -> str:
    """Name the end that closes most windows in the fastest interval."""
    same = (table["from_hours"] == top["from_hours"]) & (table["outcome"] != top["outcome"])
    parts = table[same].sort_values("n_events", ascending=False, kind="stable")
    if parts.empty or parts["n_events"].iloc[0] == 0:
        return ""
    row = parts.iloc[0]
    if row["n_events"] == top["n_events"]:
        return f", all because they {did(row['outcome'])}"
    return f", most often because they {did(row['outcome'])} ({percent(row['estimate'])})"


def _lead(ranked: pd.DataFrame) -> str:
    if len(ranked) < 2 or are_apart(ranked.iloc[0], ranked.iloc[1]):
        return ""
    return f"That is no clear lead over the time {_between(ranked.iloc[1])}."


def _by_group(whole: pd.DataFrame, by: list[str]) -> str:
    times = whole.dropna(subset="estimate")["from_hours"]
    if times.empty:
        return "No group has what it takes to say how fast windows close."
    at = REFERENCE if (times == REFERENCE).any() else times.min()
    rows = whole[whole["from_hours"] == at].reset_index(drop=True)
    subject = (
        f"the share of open windows that close per hour, {_between(rows.iloc[0])} after payment"
    )
    words = Words(subject, "orders", "higher", "lower")
    return comparison(split(rows, by), by, words)
