"""Sentences of the spread of sellers: how much they differ, and how much of it is luck."""

from __future__ import annotations

import pandas as pd

from analysis.plots.groups import group_columns, split
from analysis.plots.numbers import count, percent
from analysis.report.say.words import Words, comparison, estimate, nothing, pending, sentences

SIGN = 0.05  # a p-value below is called a sign that sellers differ
WORDS = Words(
    "the part of the variance of outcomes that lies between sellers", "requests", "larger", "lower"
)


def say_seller_spread(table: pd.DataFrame) -> str:
    """Return how much sellers differ beyond luck, for the result of ``seller_spread``."""
    if table.empty:
        return nothing(WORDS.subject)
    by = group_columns(table, "estimate")
    if by:
        return comparison(split(table, by), by, WORDS)
    row = table.iloc[0]
    if pd.isna(row["estimate"]):
        few = "The requests at hand cannot tell how much sellers differ."
        return sentences(few, pending(row, "requests"))
    return sentences(_first(row), _luck(row), _part(row))


def _first(row: pd.Series) -> str:
    sellers = f"{count(row['n_clusters'])} sellers"
    if row["estimate"] == 0:
        return (
            f"The success rates of {sellers} differ no more than luck alone would make them: "
            f"one common rate of {percent(row['mean_rate'])} is the best account of them."
        )
    text = f"eight in ten have a true rate between {percent(row['rate_low'])}"
    text += f" and {percent(row['rate_high'])}"
    if row["p_value"] < SIGN:
        return f"{sellers} differ beyond luck: {text}."
    return f"Whether {sellers} differ beyond luck is not settled; as far as can be told, {text}."


def _luck(row: pd.Series) -> str:
    if pd.isna(row["luck_share"]):
        return ""
    return f"Luck alone makes {percent(row['luck_share'])} of the variance of their raw rates."


def _part(row: pd.Series) -> str:
    if row["p_value"] >= SIGN:
        return (
            "The part of the variance of outcomes that lies between sellers is "
            f"{estimate(row)}; none at all is not ruled out."
        )
    return f"Of the variance of outcomes, {estimate(row)} lies between sellers."
