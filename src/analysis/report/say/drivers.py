"""Sentences of what goes with success, and of why its rate changed."""

from __future__ import annotations

import pandas as pd

from analysis.plots.groups import group_columns, split
from analysis.plots.labels import column_label, group_name, quoted
from analysis.plots.numbers import MIN_N, count, moment, percent, signed_points, unit_apart
from analysis.report.say.words import CLEAR, listing, nothing, sentences

NAMED = 4
UNTOLD = 1.0  # limits of a difference of shares so far apart (of 2 at most) tell nothing
NO_SIGN = 0.5  # a p-value so large is no sign of any difference
TRUSTED = "taken on trust"


def say_success_drivers(table: pd.DataFrame) -> str:
    """Return which circumstances go with success, for the result of ``success_drivers``."""
    if table.empty:
        return nothing("what goes with success")
    known = table.dropna(subset="estimate")
    clear = known[known["q_value"] < CLEAR]
    clear = clear.iloc[(-clear["estimate"].abs()).argsort(kind="stable")]
    enough = clear[clear["n"] >= MIN_N]
    alike = _alike(table["factor"].nunique())
    return sentences(
        _clear(enough, alike) if len(enough) else _unclear(known, clear, alike),
        _settled(table),
        _trusted(table),
        "What goes together need not be cause and effect." if len(known) else "",
    )


def _alike(n_factors: int) -> str:
    """Say what a model of so many circumstances holds alike."""
    return "the other circumstances here alike" if n_factors > 1 else "taken by itself"


def _clear(clear: pd.DataFrame, alike: str) -> str:
    first, *others = [_difference(row) for _, row in clear.head(NAMED).iterrows()]
    if not others:
        more = "more" if clear["estimate"].iloc[0] > 0 else "less"
        return f"One circumstance goes clearly with {more} success, {alike}: {first}."
    text = (
        f"{len(clear):,} circumstances go clearly with success or its absence, {alike}, "
        f"most of all {first}."
    )
    return f"{text} Then {'follows' if len(others) == 1 else 'follow'} {'; '.join(others)}."


def _unclear(known: pd.DataFrame, few: pd.DataFrame, alike: str) -> str:
    """Say how near the differences come to being clear; ``few`` are those with few requests."""
    if known.empty:
        return "No circumstance has what it takes to compare its levels."
    if len(few):
        return (
            f"No circumstance of {MIN_N} or more requests goes clearly with success, {alike}. "
            f"Clear by its limits, but resting on few requests: {_difference(few.iloc[0])}."
        )
    none = f"no circumstance goes clearly with success, {alike}"
    enough = known[known["n"] >= MIN_N]
    ranked = (enough if len(enough) else known).sort_values("p_value", kind="stable")
    least = ranked.iloc[0]
    if least["ci_high"] - least["ci_low"] >= UNTOLD:
        widest = f"{_limits(least, 'ci_low', 'ci_high')} points ({_size(least['n'])})"
        return f"{none}, and nothing can be told: even the least unclear may be {widest}."
    if least["p_value"] >= NO_SIGN:
        return f"{none}, and none comes near it, not even {_difference(least)}."
    return f"{none}. The least unclear: {_difference(least)}."


def _difference(row: pd.Series) -> str:
    """One level against its reference, with limits and the crude difference."""
    name = group_name([row["factor"]], [row["level"]])
    more = "more" if row["estimate"] > 0 else "less"
    size = signed_points(abs(row["estimate"])).removeprefix("+")
    text = f"{name}, {size} percentage points {more} than {quoted(row['reference'])}"
    return f"{text} ({_limits(row, 'ci_low', 'ci_high')}, {_size(row['n'])}; {_crude(row)})"


def _limits(row: pd.Series, low: str, high: str) -> str:
    return f"{signed_points(row[low])} to {signed_points(row[high])}"


def _size(n: float) -> str:
    return f"n = {count(n)}" + (", few" if n < MIN_N else "")


def _crude(row: pd.Series) -> str:
    return f"crude {signed_points(row['crude_difference'])}"


def _settled(table: pd.DataFrame) -> str:
    """Levels at which nothing else can matter."""
    apart = table[table["interval"].str.match("none: (every|no) request worked")]
    if apart.empty:
        return ""
    apart = apart.sort_values("n", ascending=False, kind="stable")
    parts = [
        f"{group_name([row['factor']], [row['level']])} "
        f"({'all' if row['n_events'] else 'none'} of {count(row['n'])} worked)"
        for _, row in apart.head(NAMED).iterrows()
    ]
    more = len(apart) - len(parts)
    parts += [f"{more:,} more"] if more > 0 else []
    return f"Set apart, since they settle the outcome by themselves: {listing(parts)}."


def _trusted(table: pd.DataFrame) -> str:
    names = table.loc[table["known"] == TRUSTED, "factor"]
    names = [quoted(column_label(name)) for name in dict.fromkeys(names)]
    if not names:
        return ""
    return f"That {listing(names)} was known before the outcome is taken on trust."


def say_explain_change(table: pd.DataFrame) -> str:
    """Return why the success rate changed, for the result of ``explain_change``."""
    if table.empty:
        return nothing("a change of the success rate")
    by = group_columns(table, "part")
    total = table[table["part"] == "total"]
    cells = split(table[table["part"] == "cell"], by) if by else []
    if total.empty:
        return f"The table has {len(table):,} parts of a change, and no whole."
    whole = total.iloc[0]
    when = moment(whole["split_at"])
    if pd.isna(whole["estimate"]):
        return (
            f"The success rate before and after {when} cannot be compared: there are "
            f"{count(whole['n_before'])} and {count(whole['n_after'])} requests that count."
        )
    return sentences(_change(whole, when), _two_parts(whole), _cells(cells) if cells else "")


def _is_clear(row: pd.Series, low: str = "ci_low", high: str = "ci_high") -> bool:
    return bool(row[low] > 0 or row[high] < 0)


def _change(whole: pd.Series, when: str) -> str:
    rates = whole["rate_before"], whole["rate_after"]
    before, after = map(unit_apart(percent, *rates), rates)
    rates = (
        f"from {before} (n = {count(whole['n_before'])}) before {when} "
        f"to {after} (n = {count(whole['n_after'])}) since"
    )
    change = f"{signed_points(whole['estimate'])} percentage points"
    limits = _limits(whole, "ci_low", "ci_high")
    if not _is_clear(whole):
        return f"The success rate did not clearly change, {rates}: {change} ({limits})."
    verb = "rose" if whole["estimate"] > 0 else "fell"
    return f"The success rate {verb}, {rates}: {change} ({limits})."


def _two_parts(whole: pd.Series) -> str:
    mix = f"{signed_points(whole['mix_effect'])} ({_limits(whole, 'mix_low', 'mix_high')})"
    rate = f"{signed_points(whole['rate_effect'])} ({_limits(whole, 'rate_low', 'rate_high')})"
    return (
        f"Of this, {mix} is because other requests were made, and {rate} because requests that "
        "are alike did better or worse."
    )


def _cells(cells: list) -> str:
    rows = [(group.short, group.rows.iloc[0]) for group in cells]
    rows = [(name, row) for name, row in rows if pd.notna(row["estimate"])]
    moved = [(name, row) for name, row in rows if _is_clear(row) and row["n"] >= MIN_N]
    moved.sort(key=lambda one: -abs(one[1]["estimate"]))
    parts = [
        f"{name} {signed_points(row['estimate'])} ({_limits(row, 'ci_low', 'ci_high')})"
        for name, row in moved[:NAMED]
    ]
    own = [
        f"{name}, {percent(row['rate_before'])} to {percent(row['rate_after'])}"
        for name, row in rows
        if row["q_value"] < CLEAR
    ]
    return sentences(
        f"The clear parts of the change: {listing(parts)}." if parts else "",
        f"Success itself changed clearly for {listing(own[:NAMED])}."
        if own
        else "In no cell did success itself change clearly.",
    )
