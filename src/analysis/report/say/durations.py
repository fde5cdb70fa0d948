"""Sentences of durations: how many days to the money, and whether promises are kept."""

from __future__ import annotations

import pandas as pd

from analysis.plots.durations import CLOCK_DAYS
from analysis.plots.groups import group_columns, split
from analysis.plots.labels import group_name, label
from analysis.plots.numbers import MIN_N, count, days, days_or_hours, percent
from analysis.report.say.words import (
    MOST_NAMED,
    Words,
    are_apart,
    comparison,
    estimate,
    limits,
    listing,
    nothing,
    sentences,
    why_left_out,
)


def say_refund_quantiles(table: pd.DataFrame) -> str:
    """Return by which day how many refunds are credited, for ``refund_quantiles``."""
    if table.empty:
        return nothing("how long refunds take")
    by = group_columns(table, "probability")
    if by:
        least = table["probability"].min()
        subject = f"the time until {_portion(least)} of refunds are credited"
        rows = table[table["probability"] == least]
        return comparison(
            split(rows, by), by, Words(subject, "refunds", "longer", "shorter", days_or_hours)
        )
    return _quantiles(table)


def _quantiles(table: pd.DataFrame) -> str:
    n, still = table["n"].max(), table["n_censored"].max()
    if n == 0:
        return "There are no refunds to follow."
    few = "only " if n < MIN_N else ""
    parts = [
        f"{_portion(row['probability'])} {'were credited ' if i == 0 else ''}"
        f"within {limits(row, days_or_hours)}"
        for i, (_, row) in enumerate(table.dropna(subset="estimate").iterrows())
    ]
    beyond = [_portion(p) for p in table.loc[table["estimate"].isna(), "probability"]]
    return sentences(
        f"Of {few}{count(n)} refunds, {listing(parts)}." if parts else "",
        f"Too few are credited so far to say when {listing(beyond)} will be." if beyond else "",
        f"{count(still)} of {count(n)} had not been credited when last seen." if still else "",
    )


def _portion(probability: float) -> str:
    return "half" if probability == 0.5 else percent(probability)


def say_refund_mean(table: pd.DataFrame) -> str:
    """Return how many days a refund takes on average, up to the horizon, for ``refund_mean``."""
    if table.empty:
        return nothing("how long refunds take on average")
    by = group_columns(table, "horizon_days")
    horizon = days(table["horizon_days"].max())
    if by:
        subject = f"the mean time to the money (counting at most {horizon} of each refund)"
        return comparison(
            split(table, by), by, Words(subject, "refunds", "longer", "shorter", days_or_hours)
        )
    row = table.iloc[0]
    if pd.isna(row["estimate"]):
        return f"The mean up to {horizon} is not known: nothing was observed for so long."
    mean = estimate(row, days_or_hours)
    return f"A refund takes {mean} on average, counting at most {horizon} of each."


def say_refund_sla(table: pd.DataFrame) -> str:
    """Return how many refunds keep the time quoted for their method, for ``refund_sla``."""
    if table.empty:
        return nothing("promises kept")
    by = group_columns(table, "method")
    known = table.dropna(subset="estimate")
    if known.empty:
        return "No refund has a time promised for it and can be counted yet."
    enough = known[known["n"] >= MIN_N]
    rows = enough if len(enough) else known
    ranked = rows.sort_values("estimate", kind="stable")
    if len(ranked) > MOST_NAMED:
        return sentences(*_worst_and_best(ranked, by), _without(table, rows))
    return sentences(
        *(f"Of refunds by {_named(row, by)}, {_kept(row)}." for _, row in rows.iterrows()),
        _without(table, rows),
    )


def _worst_and_best(ranked: pd.DataFrame, by: list[str]) -> tuple[str, str]:
    worst, best = ranked.iloc[0], ranked.iloc[-1]
    low, high = (
        f"refunds by {_named(row, by)}{_lead(row, other, by)}: {_kept(row)}."
        for row, other in ((worst, ranked.iloc[1]), (best, ranked.iloc[-2]))
    )
    if not are_apart(worst, best):
        low = f"refunds by {_named(worst, by)}: {_kept(worst)}."
        return f"Promises are kept alike, as far as one can tell. The lowest share, {low}", ""
    return f"Promises are kept least often for {low}", f"They are kept most often for {high}"


def _lead(row: pd.Series, other: pd.Series, by: list[str]) -> str:
    return "" if are_apart(row, other) else f" (without a clear lead over {_named(other, by)})"


def _without(table: pd.DataFrame, rows: pd.DataFrame) -> str:
    left = table.drop(rows.index)
    if left.empty:
        return ""
    verb = "is" if len(left) == 1 else "are"
    why = why_left_out(left["estimate"].tolist(), left["n"].tolist())
    return f"{len(left):,} of {len(table):,} rows {verb} left out here ({why})."


def _named(row: pd.Series, by: list[str]) -> str:
    method = label(str(row["method"]))
    return f"{method} ({group_name(by, [row[column] for column in by])})" if by else method


def _kept(row: pd.Series) -> str:
    promised = f"{row['sla_days']:g} {CLOCK_DAYS.get(row['clock'], 'days')}"
    promise = promised.removesuffix("s") if row["sla_days"] == 1 else promised
    late = row["n_late"]
    tail = f"; {count(late)} came later or {'is' if late == 1 else 'are'} overdue" if late else ""
    return f"{estimate(row)} were credited within {promise}{tail}"
