"""Sentences of money: what is still owed, and what came back as new orders."""

from __future__ import annotations

import pandas as pd

from analysis.plots.groups import Group, group_columns, largest, split
from analysis.plots.labels import plain
from analysis.plots.numbers import amount, count, days
from analysis.report.say.words import (
    Words,
    comparison,
    estimate,
    hedge,
    listing,
    nothing,
    sentences,
)

MOST_SUMS = 3  # currencies (of groups) that a sentence names


def say_open_refund_liability(table: pd.DataFrame) -> str:
    """Return what is owed and by when it will be paid, for ``open_refund_liability``."""
    if table.empty:
        return nothing("money still owed")
    by = group_columns(table, "currency")
    owed = table[(table["n_open"] > 0) & (table["open_minor"] > 0)]
    if owed.empty:
        return "No refund is still owed."
    groups, n_left = largest(split(owed.assign(n=owed["n_open"]), [*by, "currency"]), MOST_SUMS)
    more = f"{n_left:,} more {'sum is' if n_left == 1 else 'sums are'} in the table."
    without = any(_is_all(row) for group in groups for _, row in group.rows.iterrows())
    return sentences(
        *(_owed(group, bool(by)) for group in groups),
        "Where no limits are given, all that was followed for so long has arrived."
        if without
        else "",
        more if n_left else "",
    )


def _owed(group: Group, is_grouped: bool) -> str:
    known = group.rows.dropna(subset="estimate")
    row = group.rows.iloc[0]
    whose = f"For {group.name}: " if is_grouped else ""
    total, n = amount(row["open_minor"], row["currency"]), row["n_open"]
    refunds = "refund" if n == 1 else "refunds"
    first = f"{whose}{total} {'is' if n == 1 else 'are'} owed in {count(n)} {refunds}"
    if known.empty:
        return f"{first}; when it will be paid cannot be told."
    parts = [f"{_expected(r)} within {days(r['horizon_days'])}" for _, r in known.iterrows()]
    unknown = known[known["unknown_minor"] >= 1]
    beyond = ""
    if len(unknown):
        last = unknown.iloc[-1]
        rest = amount(last["unknown_minor"], last["currency"])
        beyond = f"; {rest} of it may outlast everything observed so far"
    return f"{first}: expected with the buyers are {listing(parts)}{beyond}."


def _expected(row: pd.Series) -> str:
    low, high = (amount(row[name], row["currency"]) for name in ("ci_low", "ci_high"))
    middle = amount(row["estimate"], row["currency"])
    if _is_all(row):
        return middle
    return f"{middle} ({low.rpartition(' ')[0]} to {high.rpartition(' ')[0]})"


def _is_all(row: pd.Series) -> bool:
    """Whether all is expected to arrive, without limits: the curve has come to its end."""
    return bool(row["open_minor"] == row["estimate"] == row["ci_low"] == row["ci_high"])


def say_recovered_sales(table: pd.DataFrame) -> str:
    """Return which share of cancelled sales was bought again, for ``recovered_sales``."""
    if table.empty:
        return nothing("sales bought again")
    by = group_columns(table, "currency")
    within = days(table["horizon_days"].max())
    subject = f"the share of cancelled sales bought again within {within}"
    if by or len(table) > 1:
        words = Words(subject, "orders", "higher", "lower")
        return comparison(split(table, [*by, "currency"]), [*by, "currency"], words)
    row = table.iloc[0]
    lost = amount(row["cancelled_minor"], row["currency"])
    if pd.isna(row["estimate"]):
        return (
            f"No paid order in {plain(str(row['currency']))} was cancelled long enough ago to tell."
        )
    return sentences(
        f"Of {lost} of cancelled sales, buyers bought {estimate(row)} again within {within}.",
        hedge(row, "orders"),
    )
