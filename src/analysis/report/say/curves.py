"""Sentences of curves: what had happened by when."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.plots.curves import deadline_of
from analysis.plots.groups import Group, group_columns, split
from analysis.plots.numbers import MIN_N, count, days, hours
from analysis.report.say.rates import did
from analysis.report.say.words import (
    Words,
    comparison,
    limits,
    listing,
    nothing,
    sentences,
)

NAMED_ENDS = 3
OPEN = "still_open"
REFERENCE = {"hours": (24.0, 12.0, 48.0), "days": (7.0, 5.0, 14.0)}  # to compare groups at
STOPS = {"hours": (6.0, 24.0, 72.0), "days": (3.0, 7.0, 14.0)}  # times a sentence names


def say_outcome_curve(table: pd.DataFrame) -> str:
    """Return how many requests had ended in which way by when, for ``outcome_curve``."""
    if table.empty:
        return nothing("how soon requests end")
    by = group_columns(table, "outcome")
    if by:
        words = Words("the share of requests approved by the seller", "requests", "higher", "lower")
        return _race_by_group(table, by, "approved_by_seller", "asking", words)
    first, last = _race_times(table)
    n = table["n"].max()
    text = f"Of {_few(n)}{count(n)} requests, {_ends(table, first)} {after(first)} after asking"
    if last > first:
        text += f"; {after(last)} after asking, {_ends(table, last)}"
    undecided = table.loc[table["time_hours"] == last, "n_at_risk"].max()
    left = f"{count(undecided)} {'was' if undecided == 1 else 'were'} undecided until then."
    return sentences(f"{text}.", left if undecided else "")


def say_window_curve(table: pd.DataFrame) -> str:
    """Return how long an order can be cancelled, for ``window_curve``."""
    if table.empty:
        return nothing("how long orders can be cancelled")
    by = group_columns(table, "outcome")
    if by:
        words = Words(
            "the share of paid orders that can still be cancelled", "orders", "higher", "lower"
        )
        return _race_by_group(table, by, OPEN, "payment", words)
    stays = table[table["outcome"] == OPEN].dropna(subset="estimate")
    if stays.empty:
        return "How long orders can be cancelled is not known: none was observed."
    n = stays["n"].max()
    first, *later = (row for _, row in _at(stays, "time_hours", (24.0, 72.0)).iterrows())
    start = after(first["time_hours"])
    parts = [f"{limits(first)} could still be cancelled {start} after payment"]
    parts += [f"{limits(row)} after {after(row['time_hours'])}" for row in later]
    closed = stays[stays["estimate"] <= 0.5]
    half = "More than half could still be cancelled when observation ended."
    if len(closed):
        half = f"Half of the windows had closed by {after(closed['time_hours'].iloc[0])}."
    last = stays["time_hours"].iloc[-1]
    ends = _ends(table[table["outcome"] != OPEN], last)
    return sentences(
        f"Of {_few(n)}{count(n)} paid orders, {listing(parts)}.",
        half,
        f"By {after(last)} after payment, {ends}." if ends else "",
    )


def say_refund_curve(table: pd.DataFrame) -> str:
    """Return how many refunds were credited by when, for ``refund_curve``."""
    words = Words("the share of refunds credited", "refunds", "higher", "lower")
    return _one_end(table, "time_days", "refunds", "were credited", words, "the decision")


def say_response_curve(table: pd.DataFrame) -> str:
    """Return how soon sellers answer, and how many never do, for ``response_curve``."""
    words = Words("the share of open requests answered", "requests", "higher", "lower")
    text = _one_end(table, "time_hours", "open requests", "were answered", words, "asking")
    if table.empty or group_columns(table, "time_hours"):
        return text
    at = deadline_of(table)
    if at is None:
        return text
    still = f"{count(at['n_at_risk'])} still had no answer"
    return f"{text} At {after(at['time_hours'])}, {still}; then the waiting ends for many."


def after(time: float) -> str:
    """Return hours as a sentence says them: in days from four days on."""
    return days(time / 24) if time >= 96 and time % 24 == 0 else hours(time)


def _few(n: float) -> str:
    return "only " if n < MIN_N else ""


def _at(rows: pd.DataFrame, time: str, wanted: Sequence[float]) -> pd.DataFrame:
    """The rows at the wanted times that the table has, or else its last one."""
    found = rows[rows[time].isin(wanted)]
    return found if len(found) else rows.tail(1)


def _race_times(table: pd.DataFrame) -> tuple[float, float]:
    known = table.dropna(subset="estimate")["time_hours"]
    last = known.max() if len(known) else table["time_hours"].max()
    return (24.0, last) if (known == 24.0).any() else (last, last)


def _ends(table: pd.DataFrame, time: float) -> str:
    rows = table[(table["time_hours"] == time) & (table["n_events"] > 0)].dropna(subset="estimate")
    rows = rows.sort_values("estimate", ascending=False, kind="stable").iloc[:NAMED_ENDS]
    parts = [f"{limits(row)} {did(row['outcome'])}" for _, row in rows.iterrows()]
    return listing(parts) if parts else "none had ended"


def _race_by_group(
    table: pd.DataFrame, by: list[str], outcome: str, start: str, words: Words
) -> str:
    rows = table[table["outcome"] == outcome]
    if rows.empty:
        return f"No group has {words.subject}."
    return _compared_at(rows, by, "time_hours", words, start)


def _one_end(
    table: pd.DataFrame, time: str, noun: str, happened: str, words: Words, start: str
) -> str:
    if table.empty:
        return nothing(words.subject)
    by = group_columns(table, time)
    if by:
        return _compared_at(table, by, time, words, start)
    unit = time.removeprefix("time_")
    known, n = table.dropna(subset="estimate"), table["n"].max()
    if known.empty or n == 0:
        return f"There are no {noun} to follow."
    say = after if unit == "hours" else days
    first, *later = (row for _, row in _at(known, time, STOPS[unit]).iterrows())
    parts = [f"{limits(first)} {happened} within {say(first[time])}"]
    parts += [f"{limits(row)} within {say(row[time])}" for row in later]
    ends = f"Nothing was observed beyond {say(known[time].iloc[-1])}."
    return sentences(
        f"Of {_few(n)}{count(n)} {noun}, {listing(parts)}.",
        ends if len(known) < len(table) else "",
    )


def _compared_at(table: pd.DataFrame, by: list[str], time: str, words: Words, start: str) -> str:
    unit = time.removeprefix("time_")
    times = table.dropna(subset="estimate")[time]
    at = next((t for t in REFERENCE[unit] if (times == t).any()), times.max())
    if pd.isna(at):
        return f"No group has what it takes to estimate {words.subject}."
    groups = [_only(group, time, at) for group in split(table, by)]
    say = after if unit == "hours" else days
    named = words._replace(subject=f"{words.subject} {say(at)} after {start}")
    return comparison(groups, by, named)


def _only(group: Group, time: str, at: float) -> Group:
    rows = group.rows[group.rows[time] == at].reset_index(drop=True)
    return group._replace(
        rows=rows if len(rows) else group.rows.head(1).assign(estimate=float("nan"))
    )
