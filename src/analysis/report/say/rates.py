"""Sentences of shares: how often asking works, how requests and orders end, how many ask."""

from __future__ import annotations

import pandas as pd

from analysis.plots.groups import group_columns, header, largest, split
from analysis.plots.labels import label
from analysis.plots.numbers import MIN_N, count
from analysis.report.say.words import (
    MOST_NAMED,
    Words,
    comparison,
    estimate,
    hedge,
    in_each,
    limits,
    listing,
    nothing,
    pending,
    sentences,
)

NAMED_ENDS = 3
DID = {  # outcome -> what became of the requests
    "instant_cancelled": "were cancelled at once",
    "approved_by_seller": "were approved by the seller",
    "auto_approved_timeout": "went through because the seller let the deadline pass",
    "blocked": "were blocked at once",
    "rejected_by_seller": "were refused by the seller",
    "superseded_by_shipment": "were overtaken by shipment",
    "expired_not_cancelled": "expired without a cancellation",
    "withdrawn_by_buyer": "were withdrawn by the buyer",
    "preempted": "became void because the order ended otherwise",
    "pending": "were still undecided",
    "completed": "were completed",
    "cancelled_by_request": "were cancelled at somebody's request",
    "cancelled_by_seller": "were cancelled by the seller",
    "cancelled": "were cancelled",
    "unpaid_timeout": "were never paid",
    "ship_timeout": "were not shipped in time",
    "risk_rejected": "were refused as a risk",
    "unavailable": "were unavailable",
    "dispute_refunded": "were refunded after a dispute",
    "lost": "were lost",
    "open": "were still open",
    "shipped": "had been shipped",
    "packed": "had been packed",
    "ended_otherwise": "had ended otherwise",
    "closed_in_any_way": "had been closed",
}


def say_success_rate(table: pd.DataFrame) -> str:
    """Return how often asking works, for the result of ``cancellation_success_rate``."""
    words = Words("the share of requests that worked", "requests", "higher", "lower")
    single = "{} of requests to cancel ended in a cancelled order."
    return _share(table, words, single, "no request is old enough to count yet")


def say_request_rate(table: pd.DataFrame) -> str:
    """Return how many ask, for the result of ``request_rate``."""
    words = Words("the share of paid orders asked to be cancelled", "orders", "higher", "lower")
    single = "Buyers asked to cancel {} of paid orders."
    return _share(table, words, single, "no paid order is old enough to count yet")


def say_outcome_shares(table: pd.DataFrame) -> str:
    """Return how requests ended, for the result of ``outcome_shares``."""
    return _parts(table, "outcome", "requests", "how requests end")


def say_order_end_shares(table: pd.DataFrame) -> str:
    """Return how orders ended, for the result of ``order_end_shares``."""
    return _parts(table, "end_code", "orders", "how orders end")


def _share(table: pd.DataFrame, words: Words, single: str, none: str) -> str:
    if table.empty:
        return nothing(words.subject)
    by = group_columns(table, "estimate")
    if by:
        return comparison(split(table, by), by, words)
    row = table.iloc[0]
    if pd.isna(row["estimate"]):
        return sentences(f"{none}.", pending(row, words.noun))
    return sentences(single.format(estimate(row)), pending(row, words.noun), hedge(row, words.noun))


def _parts(table: pd.DataFrame, word: str, noun: str, subject: str) -> str:
    if table.empty:
        return nothing(subject)
    by = group_columns(table, word)
    if by:
        return _parts_by_group(table, by, word, noun)
    n = table["n"].max()
    happened = table[table["n_events"] > 0].sort_values("estimate", ascending=False, kind="stable")
    if happened.empty:
        return f"None of {count(n)} {noun} can be counted yet." if n else f"There are no {noun}."
    named, rest = happened.iloc[:NAMED_ENDS], happened.iloc[NAMED_ENDS:]
    parts = [f"{limits(row)} {did(row[word])}" for _, row in named.iterrows()]
    few = "only " if n < MIN_N else ""
    others = [label(str(value)) for value in rest[word]]
    return sentences(
        f"Of {few}{count(n)} {noun}, {listing(parts)}.",
        f"Less often: {listing(others)}." if others else "",
        hedge(happened.iloc[0], noun),
    )


def did(word: str) -> str:
    """Return what became of requests or orders that ended so."""
    return DID.get(word, f"ended as {label(str(word))}")


def _parts_by_group(table: pd.DataFrame, by: list[str], word: str, noun: str) -> str:
    groups, n_left = largest(split(table, by), MOST_NAMED)
    text = in_each(groups, n_left, by, "the commonest end", lambda row: label(str(row[word])))
    return text or f"By {header(by)}, no {noun} can be counted yet."
