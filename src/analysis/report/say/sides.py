"""Sentences of comparisons: how much longer, which ends are commoner, what brings money sooner.

A difference is called one only where its q-value says that it is not luck among so many.
"""

from __future__ import annotations

import pandas as pd

from analysis.measures.circumstances import MISSING, POOLED
from analysis.plots.groups import Group, group_columns, header, largest, split
from analysis.plots.labels import column_label, label, quoted
from analysis.plots.numbers import MIN_N, count, days, percent, ratio
from analysis.report.say.words import MOST_NAMED, limits, listing, nothing, sentences

OURS = (MISSING, POOLED)  # values that the measures name, not the data
CLEAR = 0.05  # largest q-value of what is called a difference


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
    clear = known[known["q_value"] < CLEAR].sort_values("estimate", ascending=False, kind="stable")
    baseline = _value(table["baseline"].iloc[0])
    between = column_label(table["compared"].iloc[0])
    if known.empty:
        return f"nothing can be compared with {between} {baseline}"
    if clear.empty:
        return f"there is no clear difference between any other {between} and {baseline}"
    longer, shorter = clear[clear["estimate"] > 0], clear[clear["estimate"] < 0][::-1]
    parts = [
        f"{word} for {_values(rows)}"
        for word, rows in (("longer", longer), ("less", shorter))
        if len(rows)
    ]
    text = f"compared with {baseline}, the money takes {' and '.join(parts)}"
    unclear = len(known) - len(clear)
    return f"{text}{f'; for {count(unclear)} more there is no clear difference' if unclear else ''}"


def _values(rows: pd.DataFrame) -> str:
    shown = rows.iloc[:MOST_NAMED].iterrows()
    named = [f"{_value(row['value'])} ({_by_days(row)})" for _, row in shown]
    rest = len(rows) - len(named)
    return listing([*named, *([f"{count(rest)} more"] if rest else [])])


def _by_days(row: pd.Series) -> str:
    """Return the size of a difference, its limits in the direction of the estimate."""
    ends = sorted((row["ci_low"], row["ci_high"]), key=abs)
    few = ", few" if min(row["n"], row["n_baseline"]) < MIN_N else ""
    near, far = (days(abs(end)).rpartition(" ")[0] for end in ends)
    return f"{days(abs(row['estimate']))}, {near} to {far}, n = {count(row['n'])}{few}"


def _not_known(table: pd.DataFrame) -> str:
    n = int(table["estimate"].isna().sum())
    if not n or n == len(table):
        return ""
    return f"For {count(n)} more nothing was observed for so long."


def _more(n: int) -> str:
    return f"{count(n)} more groups are in the table." if n else ""


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
    widest = sorted(clear, key=lambda one: _width(one.rows), reverse=True)
    parts = [_from_to(one) for one in widest[:most]]
    more = len(clear) - len(parts)
    rest = f"; {count(more)} more outcomes differ too" if more > 1 else ""
    rest = "; one more outcome differs too" if more == 1 else rest
    return f"by {between}, {'; '.join(parts)}{rest}"


def _width(rows: pd.DataFrame) -> float:
    return float(rows["estimate"].max() - rows["estimate"].min())


def _from_to(outcome: Group) -> str:
    """Return the smallest and the largest share of one outcome, of values with enough cases."""
    enough = outcome.rows[outcome.rows["n"] >= MIN_N]
    rows = enough if len(enough) > 1 else outcome.rows
    low, high = rows.loc[rows["estimate"].idxmin()], rows.loc[rows["estimate"].idxmax()]
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
    clear = known[known["q_value"] < CLEAR].sort_values("estimate", ascending=False, kind="stable")
    sooner, later = clear[clear["estimate"] > 1], clear[clear["estimate"] < 1][::-1]
    parts = [
        f"the money arrives {word} for {_levels(rows)}"
        for word, rows in (("sooner", sooner), ("later", later))
        if len(rows)
    ]
    text = f"with the other factors alike, {' and '.join(parts)}." if parts else ""
    unclear = len(known) - len(clear)
    differ = f"For {count(unclear)} more levels there is no clear difference from the reference."
    alone = "No level shows a clear difference from its reference."
    lost = len(compared) - len(known)
    lost_words = f"{count(lost)} levels have no finite ratio." if lost > 1 else ""
    lost_words = "One level has no finite ratio." if lost == 1 else lost_words
    return sentences(text, (differ if parts else alone) if unclear else "", lost_words)


def _levels(rows: pd.DataFrame) -> str:
    named = [_ratio_of(row) for _, row in rows.iloc[:MOST_NAMED].iterrows()]
    rest = len(rows) - len(named)
    return listing([*named, *([f"{count(rest)} more"] if rest else [])])


def _ratio_of(row: pd.Series) -> str:
    few = ", few" if row["n"] < MIN_N else ""
    inside = f"{ratio(row['ci_low'])} to {ratio(row['ci_high'])}, n = {count(row['n'])}{few}"
    name = f"{column_label(row['factor'])} {_value(row['level'])}"
    beside = _value(row["reference"])
    return f"{name} (hazard {ratio(row['estimate'])} times that of {beside}, {inside})"
