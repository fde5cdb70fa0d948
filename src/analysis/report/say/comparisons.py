"""Sentences of groups beside each other: differences of success rates, rates at an equal mix."""

from __future__ import annotations

import pandas as pd

from analysis.plots.groups import Group, group_columns, split
from analysis.plots.labels import quoted
from analysis.plots.numbers import MIN_N, count, percent, points
from analysis.report.say.words import (
    CLEAR,
    MOST_NAMED,
    Words,
    comparison,
    hedge,
    limits,
    listing,
    nothing,
    pending,
    sentences,
)


def say_success_rate_difference(table: pd.DataFrame) -> str:
    """Return who differs from the baseline, for the result of ``success_rate_difference``."""
    if table.empty:
        return nothing("differences in success")
    groups = split(table, group_columns(table, "baseline"))
    known = [group for group in groups if pd.notna(_row(group)["estimate"])]
    baseline = quoted(table["baseline"].iloc[0])
    if not known:
        names = listing([group.short for group in groups[:MOST_NAMED]])
        return f"How success differs from {baseline} cannot be said yet for {names}."
    ranked = sorted(known, key=lambda group: -abs(_row(group)["estimate"]))
    clear = [group for group in ranked if _is_clear(_row(group))]
    if not clear:
        first = f"No difference in success from {baseline} is certain, given how many are compared"
        largest = f"the largest is that of {_apart(ranked[0])}."
        return sentences(f"{first}; {largest}", _few(known))
    named = [_apart(group) for group in clear[:MOST_NAMED]]
    more = len(clear) - len(named)
    others = len(known) - len(clear)
    return sentences(
        f"Success differs from that of {baseline} for {'; '.join(named)}.",
        f"{count(more)} more differ." if more > 1 else "One more differs." if more else "",
        f"For {count(others)} of {count(len(known))} compared no difference is certain."
        if others
        else "",
        _few(known),
        "These are differences between the requests that were made, not effects.",
    )


def say_standardised_success_rate(table: pd.DataFrame) -> str:
    """Return rates at an equal mix, for the result of ``standardised_success_rate``."""
    if table.empty:
        return nothing("success at an equal mix")
    by = group_columns(table, "estimate")
    if not by:
        return _overall(table.iloc[0])
    groups = split(table, by)
    words = Words("success at the mix of all requests", "requests", "higher", "lower")
    lacking = [g for g in groups if _row(g)["coverage_share"] < 1 and _row(g)["n"] > 0]
    known = [group for group in groups if pd.notna(_row(group)["estimate"])]
    compared = comparison(known or groups, by, words)
    return sentences(compared, _moved(known), _lacking(lacking, len(groups)))


def _overall(row: pd.Series) -> str:
    if pd.isna(row["estimate"]):
        return sentences("No request is old enough to count yet.", pending(row, "requests"))
    return sentences(
        f"At the mix of all requests, {limits(row)} of {count(row['n'])} requests worked.",
        pending(row, "requests"),
        hedge(row, "requests"),
    )


def _row(group: Group) -> pd.Series:
    return group.rows.iloc[0]


def _is_clear(row: pd.Series) -> bool:
    apart = row["ci_low"] > 0 or row["ci_high"] < 0
    return bool(apart and row["q_value"] < CLEAR)


def _apart(group: Group) -> str:
    row = _row(group)
    sides = f"{percent(row['rate'])} against {percent(row['baseline_rate'])}"
    return f"{group.short} ({sides}: {_difference(row)}, n = {count(row['n'])})"


def _difference(row: pd.Series) -> str:
    """Return a difference with its limits, in words for its sign."""
    low, high = row["ci_low"], row["ci_high"]
    size = f"{points(row['estimate'])} {_way(row['estimate'])}"
    if pd.isna(low) or pd.isna(high):
        return size
    if low < 0 < high:
        return f"{size}, from {_short(low)} lower to {_short(high)} higher"
    near, far = sorted((low, high), key=abs)
    return f"{size}, {_short(near)} to {_short(far)}"


def _way(difference: float) -> str:
    return "lower" if difference < 0 else "higher"


def _short(difference: float) -> str:
    return points(difference).removesuffix(" percentage points")


def _few(known: list[Group]) -> str:
    few = [g for g in known if min(_row(g)["n"], _row(g)["n_baseline"]) < MIN_N]
    if not few:
        return ""
    verb = "rests" if len(few) == 1 else "rest"
    return f"{count(len(few))} of the comparisons {verb} on fewer than {MIN_N} requests on a side."


def _moved(groups: list[Group]) -> str:
    """Say where the equal mix moves a rate most, if it moves one by more than its interval."""
    known = [g for g in groups if _row(g)["n"] >= MIN_N]
    outside = [
        g for g in known if not _row(g)["ci_low"] <= _row(g)["crude_rate"] <= _row(g)["ci_high"]
    ]
    if not known:
        return ""
    if not outside:
        return "The mix explains little: every rate at its own mix lies within these limits."
    most = max(outside, key=lambda g: abs(_row(g)["estimate"] - _row(g)["crude_rate"]))
    row = _row(most)
    return (
        f"The mix matters most for {most.short}: {percent(row['crude_rate'])} at its own mix, "
        f"{percent(row['estimate'])} at that of all."
    )


def _lacking(lacking: list[Group], n_groups: int) -> str:
    if not lacking:
        return ""
    one = len(lacking) == 1
    names = listing([group.short for group in lacking[:MOST_NAMED]])
    named = f" ({names})" if len(lacking) <= MOST_NAMED else ""
    verb = "has" if one else "have"
    return (
        f"{count(len(lacking))} of {count(n_groups)} groups{named} {verb} no requests in some part "
        "of the mix, so nothing is said of what their rate would be."
    )
