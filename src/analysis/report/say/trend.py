"""Sentences of success over time: what was unusual, and how the youngest cohorts will end."""

from __future__ import annotations

import pandas as pd

from analysis.plots.groups import Group, group_columns, header, largest, split
from analysis.plots.numbers import count, percent
from analysis.report.say.words import MOST_NAMED, estimate, listing, nothing, sentences


def say_success_rate_trend(table: pd.DataFrame) -> str:
    """Return what was unusual and what is to come, for the result of ``success_rate_trend``."""
    if table.empty:
        return nothing("success over time")
    by = group_columns(table, "cohort_at")
    if not by:
        return sentences(_usual(table), _nowcast(table))
    groups, n_left = largest(split(table, by), MOST_NAMED)
    more = f"{n_left:,} more {'group is' if n_left == 1 else 'groups are'} in the table."
    parts = [f"for {group.short}, {_brief(group)}" for group in groups]
    return sentences(f"By {header(by)}: {'; '.join(parts)}.", more if n_left else "")


def _usual(rows: pd.DataFrame) -> str:
    settled = rows[~rows["is_nowcast"] & rows["estimate"].notna()]
    limited = settled[settled["control_low"].notna()]
    if settled.empty:
        return "No cohort of requests is settled yet."
    if limited.empty:
        return f"{_noun(len(settled))} settled, too few to say what scatter is usual."
    centre = percent(limited["centre"].iloc[0])
    whole = f"{_noun(len(limited))} settled, with a common success rate of {centre}"
    odd = limited[limited["signal"].isin(["above", "below"])]
    if odd.empty:
        return f"{whole}; none is outside the usual scatter."
    parts = [f"{_when(row)} ({row['signal']}, {estimate(row)})" for _, row in odd.iterrows()]
    named = listing(parts[:MOST_NAMED])
    more = f" and {count(len(parts) - MOST_NAMED)} more" if len(parts) > MOST_NAMED else ""
    return f"{whole}; outside the usual scatter: {named}{more}."


def _noun(n: int) -> str:
    return "one cohort is" if n == 1 else f"{count(n)} cohorts are"


def _when(row: pd.Series) -> str:
    return f"that of {row['cohort_at']:%Y-%m-%d}"


def _nowcast(rows: pd.DataFrame) -> str:
    young = rows[rows["is_nowcast"]]
    known = young[young["estimate"].notna()]
    if young.empty:
        return ""
    if known.empty:
        return "How the youngest cohorts will end cannot be said yet."
    row = known.iloc[-1]
    n = row["n_pending"]
    still = "none is open" if n == 0 else f"{count(n)} {'is' if n == 1 else 'are'} undecided"
    return (
        f"The youngest cohort, {_when(row)}, is a nowcast: {estimate(row)} will have worked "
        f"(of its requests so far {still})."
    )


def _brief(group: Group) -> str:
    rows = group.rows
    settled = rows[~rows["is_nowcast"] & rows["estimate"].notna()]
    odd = settled[settled["signal"].isin(["above", "below"])]
    known = rows[rows["estimate"].notna()]
    if known.empty:
        return "no cohort can be estimated"
    last = known.iloc[-1]
    end = f"the last, {_when(last)}, at {estimate(last)}"
    end += " by a nowcast" if last["is_nowcast"] else ""
    whole = len(settled)
    outside = f"{count(len(odd)) if len(odd) else 'none'} of {count(whole)} settled cohorts"
    return f"{outside} outside the usual scatter, {end}" if whole else f"no settled cohort, {end}"
