"""Sentences of declared reasons: whose buyers declare other reasons than expected."""

from __future__ import annotations

import pandas as pd

from analysis.plots.labels import label, quoted
from analysis.plots.numbers import count, percent
from analysis.report.say.words import estimate, listing, nothing, sentences

MOST_NAMED = 3


def say_reason_gaming(table: pd.DataFrame) -> str:
    """Return which sellers' reasons depart from what is expected, for ``reason_gaming``."""
    if table.empty:
        return nothing("declared reasons")
    known = table[table["estimate"].notna() & table["p_value"].notna()]
    if known.empty:
        return "No seller has enough requests for its reasons to be compared."
    out = known[known["is_outlier"]].sort_values("p_value", kind="stable")
    if out.empty:
        return sentences(_none(known), _nearest(known))
    named = [_named(row) for _, row in out.head(MOST_NAMED).iterrows()]
    sellers = out["seller_id"].nunique()
    return sentences(
        f"{count(sellers)} of {count(known['seller_id'].nunique())} sellers have a mix of declared "
        f"reasons that luck, their requests and the common spread do not explain."
        if sellers > 1
        else f"One seller of {count(known['seller_id'].nunique())} has a mix of declared reasons "
        "that luck, its requests and the common spread do not explain.",
        f"The clearest: {listing(named)}.",
        "Who made them differ the table cannot tell.",
    )


def _none(known: pd.DataFrame) -> str:
    return (
        f"In none of {count(known['seller_id'].nunique())} sellers do the declared reasons depart "
        "from what such requests make expect by more than luck and the common spread."
    )


def _nearest(known: pd.DataFrame) -> str:
    row = known.sort_values("p_value", kind="stable").iloc[0]
    return f"The farthest, which may well be luck: {_named(row)}."


def _named(row: pd.Series) -> str:
    return (
        f"“{label(str(row['reason']))}” with seller {quoted(row['seller_id'])}, {estimate(row)} "
        f"where {percent(row['expected_share'])} is expected"
    )
