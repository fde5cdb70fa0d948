"""Sentences of sellers: who stands out, and how far that can be told from luck."""

from __future__ import annotations

import pandas as pd

from analysis.plots.labels import quoted
from analysis.plots.numbers import MIN_N, count, days_or_hours, hours, percent
from analysis.report.say.words import are_apart, estimate, listing, nothing, sentences


def say_seller_scorecard(table: pd.DataFrame) -> str:
    """Return which sellers stand out, for the result of ``seller_scorecard``."""
    if table.empty:
        return nothing("sellers")
    known = table.dropna(subset="estimate")
    enough = known[known["n"] >= MIN_N]
    if len(enough) < 2:
        compared = "Too few sellers have enough requests to be compared."
        return sentences(_largest(known), compared if len(table) > 1 else "", _luck(table))
    ranked = enough.sort_values("estimate", kind="stable")
    low, high = ranked.iloc[0], ranked.iloc[-1]
    both = f"{_scored(low)} to {_scored(high)}"
    if are_apart(low, high):
        first = f"Success differs clearly between sellers: from {both}."
    else:
        first = (
            f"No seller stands out clearly: success runs from {both}, and the intervals overlap."
        )
    return sentences(first, _places(enough), _breaches(known), _luck(table), _largest(known))


def _places(enough: pd.DataFrame) -> str:
    """Say how well the last place is known, among the sellers with enough requests."""
    row = enough.sort_values("rank", ascending=False, kind="stable").iloc[0]
    low, high = count(row["rank_low"]), count(row["rank_high"])
    last = f"seller {quoted(row['seller_id'])}, the lowest of those with enough requests,"
    if low == high:
        return f"{last} has place {low} among all sellers, and the data leave little doubt of it."
    return f"{last} may have any place from {low} to {high} among all sellers."


def _breaches(known: pd.DataFrame) -> str:
    below = int((known["p_breach"] > 0.5).sum())
    limit = percent(known["threshold"].iloc[0])
    if below == 0:
        return f"No seller is more likely than not to have a true rate below {limit}."
    sellers = "seller is" if below == 1 else "sellers are"
    return f"{below:,} {sellers} more likely than not to have a true rate below {limit}."


def _scored(row: pd.Series) -> str:
    return f"{estimate(row)} with seller {quoted(row['seller_id'])}"


def _luck(table: pd.DataFrame) -> str:
    few = int((table["n"] < MIN_N).sum())
    if few == 0:
        return ""
    rates = "rate is" if few == 1 else "rates are"
    none = int((table["n"] == 0).sum())
    young = f" ({none:,} {'has' if none == 1 else 'have'} none old enough to count)" if none else ""
    return (
        f"{few:,} of {len(table):,} sellers {'has' if few == 1 else 'have'} fewer than {MIN_N} "
        f"requests{young}; their {rates} drawn towards everybody's, because a few cases are "
        "mostly luck."
    )


def _largest(known: pd.DataFrame) -> str:
    """Describe the seller with the most requests."""
    if known.empty:
        return "No seller can be scored yet."
    row = known.sort_values("n", ascending=False, kind="stable").iloc[0]
    waits = [
        words.format(unit(row[column]))
        for column, unit, words in (
            ("response_median_hours", hours, "half of the answers come within {}"),
            ("refund_median_days", days_or_hours, "half of the refunds within {}"),
        )
        if pd.notna(row[column])
    ]
    raw = f" (as counted: {percent(row['raw_rate'])})" if pd.notna(row["raw_rate"]) else ""
    tail = f"; {listing(waits)}" if waits else ""
    return (
        f"The seller with the most requests (seller {quoted(row['seller_id'])}, "
        f"n = {count(row['n'])}) has a success rate of {percent(row['estimate'])}{raw}{tail}."
    )
