"""Sentences of comparisons: how much longer, which ends are commoner, what brings money sooner.

A difference is called one only where its q-value says that it is not luck among so many, and
where each side has ``MIN_N`` cases.
"""

from __future__ import annotations

import pandas as pd

from analysis.measures.circumstances import MISSING, POOLED
from analysis.plots.groups import Group, group_columns, header, largest, split
from analysis.plots.labels import column_label, label, quoted
from analysis.plots.numbers import MIN_N, count, days, percent, ratio
from analysis.report.say.words import (
    CLEAR,
    MOST_NAMED,
    are_apart,
    limits,
    listing,
    nothing,
    sentences,
)

OURS = (MISSING, POOLED)  # values that the measures name, not the data


def say_refund_time_difference(table: pd.DataFrame) -> str:
    """Return how much longer refunds take than the baseline's, for ``refund_time_difference``."""
    if table.empty:
        return nothing("whether refunds take equally long")
    by = group_columns(table, "compared")
    horizon = days(table["horizon_days"].max())
    begin = f"counting at most {horizon} of each refund, "
    if by:
        groups, n_left = largest(split(table, by), MOST_NAMED)
        parts = [f"For {group.short}: {_longer(group.rows)}." for group in groups]
        return sentences(f"By {header(by)}, {begin.rstrip(', ')}:", *parts, _more(n_left))
    return sentences(begin + _longer(table) + ".", _not_known(table))


def _value(word: str) -> str:
    """Return a value in a sentence: in quotes unless it is a word, or says what was pooled."""
    return word if word in OURS else quoted(word)


def _longer(table: pd.DataFrame) -> str:
    """Compare all values of one group with its baseline."""
    known = table.dropna(subset="estimate")
    baseline = _value(table["baseline"].iloc[0])
    between = column_label(table["compared"].iloc[0])
    if known.empty:
        return f"nothing can be compared with {between} {baseline}"
    enough = known[known[["n", "n_baseline"]].min(axis=1) >= MIN_N]
    if enough.empty:
        return f"there are too few refunds to compare any other {between} with {baseline}"
    clear = enough[enough["q_value"] < CLEAR]
    clear = clear.sort_values("estimate", ascending=False, kind="stable")
    few = _too_few(len(known) - len(enough), "has", "have")
    if clear.empty:
        text = f"there is no clear difference between any other {between} and {baseline}"
        return f"{text}{'; ' if few else ''}{few}"
    longer, shorter = clear[clear["estimate"] > 0], clear[clear["estimate"] < 0][::-1]
    parts = [
        f"{word} for {_values(rows)}"
        for word, rows in (("longer", longer), ("less time", shorter))
        if len(rows)
    ]
    unclear = len(enough) - len(clear)
    return "; ".join(
        part
        for part in (
            f"compared with {baseline}, the money takes {', and '.join(parts)}",
            f"for {_so_many(unclear)} there is no clear difference" if unclear else "",
            few,
        )
        if part
    )


def _so_many(n: int) -> str:
    return "one more" if n == 1 else f"{count(n)} more"


def _too_few(n: int, *verbs: str) -> str:
    return f"{_so_many(n)} {verbs[n != 1]} too few refunds to say" if n else ""


def _values(rows: pd.DataFrame) -> str:
    shown = rows.iloc[:MOST_NAMED].iterrows()
    named = [f"{_value(row['value'])} ({_by_days(row)})" for _, row in shown]
    rest = len(rows) - len(named)
    return listing([*named, *([f"{count(rest)} more"] if rest else [])])


def _by_days(row: pd.Series) -> str:
    """Return the size of a difference, its limits in the direction of the estimate."""
    ends = sorted((row["ci_low"], row["ci_high"]), key=abs)
    near, far = (days(abs(end)).rpartition(" ")[0] for end in ends)
    return f"{days(abs(row['estimate']))}, {near} to {far}, n = {count(row['n'])}"


def _not_known(table: pd.DataFrame) -> str:
    n = int(table["estimate"].isna().sum())
    if not n or n == len(table):
        return ""
    return f"For {_so_many(n)} nothing was observed for so long."


def _more(n: int) -> str:
    return f"{_so_many(n)} {'group is' if n == 1 else 'groups are'} in the table." if n else ""


def say_outcome_difference(table: pd.DataFrame) -> str:
    """Return which outcomes are commoner for some than for others, for ``outcome_difference``."""
    if table.empty:
        return nothing("whether requests end alike")
    by = group_columns(table, "outcome")
    if by:
        groups, n_left = largest(split(table, by), MOST_NAMED)
        parts = [f"For {group.short}: {_apart(group.rows, 1)}." for group in groups]
        return sentences(f"By {header(by)}:", *parts, _more(n_left))
    return sentences(_apart(table, 3) + ".")


def _apart(table: pd.DataFrame, most: int) -> str:
    """Tell the outcomes whose shares differ most, and how many do not differ."""
    between = column_label(table["compared"].iloc[0])
    known = table.dropna(subset="estimate")
    outcomes = split(known, ["outcome"]) if len(known) else []
    clear = [one for one in outcomes if one.rows["q_value"].iloc[0] < CLEAR]
    if not outcomes:
        return f"nothing is known of how requests end by {between}"
    if not clear:
        return f"by {between}, there is no clear difference in how requests end"
    ends = [(one, *_ends(one)) for one in clear]
    apart = [one for one in ends if _are_ends(*one[1:])]
    if not apart:
        alone = "but no two with enough requests stand apart"
        return f"by {between}, how requests end differs when all are taken together, {alone}"
    widest = sorted(apart, key=lambda one: one[2]["estimate"] - one[1]["estimate"], reverse=True)
    parts = [_from_to(*one) for one in widest[:most]]
    more = len(clear) - len(parts)
    noun = "outcome differs" if more == 1 else "outcomes differ"
    rest = f"; {_so_many(more)} {noun} when all are taken together" if more else ""
    return f"by {between}, {'; '.join(parts)}{rest}"


def _ends(outcome: Group) -> tuple[pd.Series, pd.Series]:
    """Return the smallest and the largest share of one outcome, of values with enough cases."""
    enough = outcome.rows[outcome.rows["n"] >= MIN_N]
    rows = enough if len(enough) > 1 else outcome.rows
    return rows.loc[rows["estimate"].idxmin()], rows.loc[rows["estimate"].idxmax()]


def _are_ends(low: pd.Series, high: pd.Series) -> bool:
    """Whether two ends can be named: both have enough cases, and they stand apart."""
    return bool(min(low["n"], high["n"]) >= MIN_N and are_apart(low, high))


def _from_to(outcome: Group, low: pd.Series, high: pd.Series) -> str:
    ends = [f"{limits(row, percent)} for {_value(row['value'])}" for row in (low, high)]
    return f"the share {label(outcome.values[0])} goes from {ends[0]} to {ends[1]}"


def say_refund_drivers(table: pd.DataFrame) -> str:
    """Return what makes the money arrive sooner or later, for ``refund_drivers``."""
    if table.empty:
        return nothing("what makes the money arrive sooner")
    compared = table[table["status"] != "reference"]
    known = compared.dropna(subset="estimate")
    if known.empty:
        return "No ratio can be estimated: too few refunds were credited."
    enough = known[known["n"] >= MIN_N]
    clear = enough[enough["q_value"] < CLEAR]
    clear = clear.sort_values("estimate", ascending=False, kind="stable")
    sooner, later = clear[clear["estimate"] > 1], clear[clear["estimate"] < 1][::-1]
    parts = [
        f"{word} for {_levels(rows)}"
        for word, rows in (("sooner", sooner), ("later", later))
        if len(rows)
    ]
    text = f"with the other factors alike, the money arrives {', and '.join(parts)}."
    return sentences(
        text if parts else "",
        _unclear(len(enough) - len(clear), alone=not parts),
        _few_or_lost(len(known) - len(enough), len(compared) - len(known)),
    )


def _unclear(n: int, *, alone: bool) -> str:
    if n and alone:
        return "No level of enough refunds shows a clear difference from its reference."
    levels = "one more level" if n == 1 else f"{count(n)} more levels"
    return f"For {levels} there is no clear difference from the reference." if n else ""


def _few_or_lost(n_few: int, n_lost: int) -> str:
    """Say how many levels tell nothing: too few refunds, or no finite ratio."""
    parts = [
        f"{'one level' if n == 1 else f'{count(n)} levels'} {one if n == 1 else other}"
        for n, one, other in (
            (n_few, "has too few refunds to say", "have too few refunds to say"),
            (n_lost, "has no finite ratio", "have no finite ratio"),
        )
        if n
    ]
    return f"{listing(parts)}." if parts else ""


def _levels(rows: pd.DataFrame) -> str:
    named = [_ratio_of(row) for _, row in rows.iloc[:MOST_NAMED].iterrows()]
    rest = len(rows) - len(named)
    return listing([*named, *([f"{count(rest)} more"] if rest else [])])


def _ratio_of(row: pd.Series) -> str:
    inside = f"{ratio(row['ci_low'])} to {ratio(row['ci_high'])}, n = {count(row['n'])}"
    name = f"{column_label(row['factor'])} {_value(row['level'])}"
    beside = _value(row["reference"])
    return f"{name} (hazard {ratio(row['estimate'])} times that of {beside}, {inside})"
