"""Sentences of the way to the money: which stage is slow, and whether all of it arrives."""

from __future__ import annotations

import pandas as pd

from analysis.plots.groups import group_columns, header, split
from analysis.plots.numbers import MIN_N, count, days, days_or_hours, interval_text, percent
from analysis.plots.stages import NOT_SUFFICIENT
from analysis.report.say.words import (
    Words,
    are_apart,
    comparison,
    estimate,
    listing,
    nothing,
    sentences,
)

TAKES = {
    "decision": "from asking to the decision",
    "start": "from the decision until the money is sent off",
    "arrival": "from sending off to the credit",
}
WHOLE = "the mean time from asking to the credit"
ADD_UP = 0.02  # how far the parts may be from the whole, to be called parts of it
NEVER = "the share of refunds that never arrive"


def say_stage_durations(table: pd.DataFrame) -> str:
    """Return which stage takes how long, and which of them is the slow one."""
    if table.empty:
        return nothing("which stage is slow")
    by = group_columns(table, "stage")
    if by:
        return _stages_by_group(table, by)
    known = table.dropna(subset="estimate").set_index("stage", drop=False)
    stages = known[known["stage"].isin(TAKES)]
    if stages.empty:
        return "No stage was followed for long enough to give its mean."
    parts = [f"{TAKES[stage]} {estimate(row, days_or_hours)}" for stage, row in stages.iterrows()]
    cut = f"counting at most {days(table['horizon_days'].max())} of each"
    whole = ""
    if "total" in known.index:
        whole = f"From asking to the credit it takes {estimate(known.loc['total'], days_or_hours)}."
    return sentences(
        f"On average, {cut}, it takes {listing(parts)}.", whole, _slowest(stages, known)
    )


def _slowest(stages: pd.DataFrame, known: pd.DataFrame) -> str:
    if len(stages) < 2:
        return ""
    ranked = stages.sort_values("estimate", ascending=False, kind="stable")
    first, second = ranked.iloc[0], ranked.iloc[1]
    if not are_apart(first, second):
        return "No stage is clearly the longest: the intervals overlap."
    part = f"{days_or_hours(first['estimate'])} on average"
    if _add_up(stages, known):
        part = f"{percent(first['share_of_total'])} of the whole"
    return f"The slow stage is that {TAKES[first['stage']]}, {part}."


def _add_up(stages: pd.DataFrame, known: pd.DataFrame) -> bool:
    """Whether the stages, each over its own cases, add up to the mean of the whole."""
    if "total" not in known.index or len(stages) < len(TAKES):
        return False
    return bool(abs(stages["estimate"].sum() / known.loc["total", "estimate"] - 1) <= ADD_UP)


def _stages_by_group(table: pd.DataFrame, by: list[str]) -> str:
    whole = table[table["stage"] == "total"]
    words = Words(WHOLE, "refunds", "longer", "shorter", days_or_hours)
    if whole["estimate"].notna().any():
        return comparison(split(whole, by), by, words)
    arrival = table[table["stage"] == "arrival"]
    if arrival.empty:
        return f"No group has what it takes to estimate {WHOLE}."
    words = words._replace(subject=f"the mean time {TAKES['arrival']}")
    return comparison(split(arrival, by), by, words)


def say_never_refunded_share(table: pd.DataFrame) -> str:
    """Return which share of refunds never arrives, or that this cannot be told yet."""
    if table.empty:
        return nothing(NEVER)
    by = group_columns(table, "estimate")
    if by:
        return _never_by_group(table, by)
    row = table.iloc[0]
    few = f"These are only {count(row['n'])} refunds." if 0 < row["n"] < MIN_N else ""
    return sentences(_never(row), few)


def _never(row: pd.Series) -> str:
    if row["n"] == 0:
        return "There are no refunds to follow."
    if row["follow_up"] == NOT_SUFFICIENT:
        bound = "" if pd.isna(row["at_most"]) else f" At most {percent(row['at_most'])} never do."
        size = f"({count(row['n_censored'])} of {count(row['n'])})"
        open_ = f"those still open {size} may only be slow"
        return f"Whether all refunds arrive cannot be told yet: {open_}.{bound}"
    if pd.isna(row["estimate"]):
        return "Whether all refunds arrive cannot be told: there is nothing to go by."
    if row["estimate"] == 0:
        most = f"at most {percent(row['ci_high'])} of {count(row['n'])} never do"
        return f"No refund is known to be lost: the one that took longest has arrived, and {most}."
    model = ""
    if pd.notna(row["model_estimate"]):
        own = interval_text(row["model_estimate"], row["model_low"], row["model_high"], None)
        model = f" A {row['model']} model of the waiting says {own}."
    seen = "they were followed for much longer than the last that did arrive took"
    return f"{estimate(row)} of refunds never arrive: {seen}.{model}"


def _never_by_group(table: pd.DataFrame, by: list[str]) -> str:
    told = table[table["estimate"].notna()]
    left = len(table) - len(told)
    if told.empty:
        return "In no group can it be told yet whether all refunds arrive."
    if (told["estimate"] == 0).all():
        most = percent(told["ci_high"].max())
        none = "no refund is known to be lost where that can be told"
        text = f"By {header(by)}, {none}; the widest interval goes up to {most}."
    else:
        text = comparison(split(told, by), by, Words(NEVER, "refunds", "higher", "lower"))
    verb = "is" if left == 1 else "are"
    more = f"{left:,} of {len(table):,} groups {verb} not claimed: not followed for long enough."
    return sentences(text, more if left else "")
