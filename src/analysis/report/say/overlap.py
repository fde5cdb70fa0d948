"""Sentences of overlapping blockers: what each rule has a part in."""

from __future__ import annotations

import pandas as pd

from analysis.plots.groups import group_columns, header, largest, split
from analysis.plots.labels import label
from analysis.plots.numbers import percent
from analysis.report.say.words import (
    MOST_NAMED,
    are_apart,
    estimate,
    hedge,
    in_each,
    limits,
    listing,
    pending,
    sentences,
)

NAMED_RULES = 3


def say_blocker_overlap(table: pd.DataFrame) -> str:
    """Return which rules have the largest part in what was stopped, for ``blocker_overlap``."""
    if table.empty:
        return "No request met a rule that stood in its way."
    by = group_columns(table, "blocker")
    if by:
        return _by_group(table, by)
    ranked = table[table["n_any"] > 0].dropna(subset="estimate")
    ranked = ranked.sort_values("estimate", ascending=False, kind="stable")
    if ranked.empty:
        return "No request that can be counted met a rule that stood in its way."
    top = ranked.iloc[0]
    others = [f"{_rule(row)}, {limits(row)}" for _, row in ranked.iloc[1:NAMED_RULES].iterrows()]
    return sentences(
        "Where several rules stood in the way, the request is split evenly among them: "
        f"{estimate(top)} of all requests fall to the rule: {_rule(top)}.",
        _next(ranked, others),
        _overlap(ranked),
        pending(top, "requests"),
        hedge(top, "requests"),
    )


def _rule(row: pd.Series) -> str:
    return label(str(row["blocker"]))


def _next(ranked: pd.DataFrame, others: list[str]) -> str:
    if not others:
        return ""
    if not are_apart(ranked.iloc[0], ranked.iloc[1]):
        return f"It has no clear lead over {listing(others)}."
    return f"Next {'comes' if len(others) == 1 else 'come'} {listing(others)}."


def _overlap(ranked: pd.DataFrame) -> str:
    """Name the rule for which it matters most how overlaps are counted."""
    shared = ranked["n_any"] - ranked["n_only"]
    if not (shared > 0).any():
        return "No request met two rules at once, so every way of counting gives the same."
    row = ranked.loc[shared.idxmax()]
    alone = f"was the only one for {percent(row['only_share'])}" if row["n_only"] else "never alone"
    return (
        f"Overlaps matter most for the rule {_rule(row)}: it stood in the way of "
        f"{percent(row['any_share'])} of all requests, {alone}, and came first for "
        f"{percent(row['first_share'])}."
    )


def _by_group(table: pd.DataFrame, by: list[str]) -> str:
    groups, n_left = largest(split(table.assign(n_events=table["n_any"]), by), MOST_NAMED)
    what = "the rule with the largest part, overlaps split evenly"
    return in_each(groups, n_left, by, what, _rule) or (
        f"By {header(by)}, no request that can be counted met a rule."
    )
