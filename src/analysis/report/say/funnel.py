"""Sentences of the funnel: which sellers are beyond what luck and their buyers explain."""

from __future__ import annotations

import pandas as pd

from analysis.plots.labels import quoted
from analysis.plots.numbers import count, percent, points
from analysis.report.say.words import estimate, listing, nothing, sentences

MOST_NAMED = 3


def say_seller_funnel(table: pd.DataFrame) -> str:
    """Return which sellers stand out, for the result of ``seller_funnel``."""
    if table.empty:
        return nothing("sellers")
    known = table[table["estimate"].notna() & table["expected_rate"].notna()]
    if known.empty:
        return "No seller has a request that is old enough to count yet."
    return sentences(_outliers(known), _naive(known), _spread(known))


def _outliers(known: pd.DataFrame) -> str:
    out = known[known["is_outlier"]].sort_values("q_value", kind="stable")
    whole = f"{count(len(known))} {'seller' if len(known) == 1 else 'sellers'}"
    if out.empty:
        return (
            f"None of {whole} is beyond what luck, its mix of requests and the common spread of "
            "sellers explain."
        )
    named = [_named(row) for _, row in out.head(MOST_NAMED).iterrows()]
    more = ", the clearest first" if len(out) > MOST_NAMED else ""
    verb = "is" if len(out) == 1 else "are"
    return (
        f"{count(len(out))} of {whole} {verb} beyond what luck, mix of requests and common spread "
        f"explain{more}: {listing(named)}."
    )


def _named(row: pd.Series) -> str:
    expected = percent(row["expected_rate"])
    return f"seller {quoted(row['seller_id'])} with {estimate(row)} where {expected} is expected"


def _naive(known: pd.DataFrame) -> str:
    beyond = (known["estimate"] < known["limit_low"]) | (known["estimate"] > known["limit_high"])
    if not beyond.any():
        return "All lie within the limits of luck alone."
    lie = "lies" if beyond.sum() == 1 else "lie"
    return (
        f"{count(int(beyond.sum()))} {lie} outside the limits that would hold if luck were all and "
        "nobody had looked at so many."
    )


def _spread(known: pd.DataFrame) -> str:
    sd = known["sd_between"].iloc[0]
    if pd.isna(sd) or sd == 0:
        return "Sellers scatter around what is expected of them no more than luck makes them."
    return (
        f"With luck and the mix of requests removed, sellers commonly scatter by {points(sd)} "
        "around what is expected; this number has no limits."
    )
