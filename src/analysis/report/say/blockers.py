"""Sentences of blockers: which rules stand in the way, and how asking late changes success."""

from __future__ import annotations

import pandas as pd

from analysis.plots.groups import Group, group_columns, header, largest, split
from analysis.plots.labels import label
from analysis.plots.numbers import MIN_N
from analysis.report.say.words import (
    MOST_NAMED,
    are_apart,
    estimate,
    hedge,
    in_each,
    limits,
    listing,
    nothing,
    pending,
    sentences,
)

NAMED_RULES = 3
BEFORE = "before payment"


def say_blocker_shares(table: pd.DataFrame) -> str:
    """Return which rules stop most requests, for the result of ``blocker_shares``."""
    if table.empty:
        return "No request met a rule that stood in its way."
    by = group_columns(table, "blocker")
    if by:
        return _by_group(table, by)
    ranked = table[table["n_events"] > 0].sort_values("estimate", ascending=False, kind="stable")
    if ranked.empty:
        return "No request that can be counted met a rule that stood in its way."
    top = ranked.iloc[0]
    others = [f"{_rule(row)}, {limits(row)}" for _, row in ranked.iloc[1:NAMED_RULES].iterrows()]
    leads = len(ranked) == 1 or are_apart(top, ranked.iloc[1])
    lead = (
        f"next {'comes' if len(others) == 1 else 'come'}" if leads else "It has no clear lead over"
    )
    first = f"Of all requests, {estimate(top)} were stopped first by the rule: {_rule(top)}."
    return sentences(
        first,
        f"{lead} {listing(others)}." if others else "",
        pending(top, "requests"),
        hedge(top, "requests"),
    )


def _rule(row: pd.Series) -> str:
    return label(str(row["blocker"]))


def _by_group(table: pd.DataFrame, by: list[str]) -> str:
    groups, n_left = largest(split(table, by), MOST_NAMED)
    text = in_each(groups, n_left, by, "the rule that stops most requests", _rule)
    return text or f"By {header(by)}, no request that can be counted met a rule."


def say_success_by_order_age(table: pd.DataFrame) -> str:
    """Return how success depends on how long after payment one asks, for that table."""
    if table.empty:
        return nothing("success by the age of the order")
    by = group_columns(table, "order_age")
    if not by:
        return _by_age(table)
    groups, n_left = largest(split(table, by), MOST_NAMED)
    parts = [_group_by_age(group) for group in groups]
    more = f"{n_left:,} more {'group is' if n_left == 1 else 'groups are'} in the table."
    return sentences(*parts, more if n_left else "")


def _ages(table: pd.DataFrame) -> pd.DataFrame:
    """The ages after payment to compare: those with enough requests, or else all that are known."""
    after = table[table["order_age"] != BEFORE].dropna(subset="estimate")
    enough = after[after["n"] >= MIN_N]
    return enough if len(enough) else after


def _by_age(table: pd.DataFrame) -> str:
    ages = _ages(table)
    before = table[table["order_age"] == BEFORE].dropna(subset="estimate")
    unpaid = f"Asked before payment, {estimate(before.iloc[0])} worked." if len(before) else ""
    if ages.empty:
        return unpaid or "No request is old enough to count yet."
    first, last = ages.iloc[0], ages.iloc[-1]
    text = f"of requests made {_when(first)}, {estimate(first)} worked"
    if len(ages) == 1:
        return sentences(f"{text}.", unpaid)
    verdict = "Whether asking early helps is not clear: the intervals overlap."
    if are_apart(first, last):
        more = "more" if first["estimate"] > last["estimate"] else "less"
        verdict = f"Asking early worked clearly {more} often than asking late."
    late = f"{text}; of those made {_when(last)}, {estimate(last)}."
    return sentences(late, verdict, _best(ages), unpaid)


def _best(ages: pd.DataFrame) -> str:
    """Name the age between the first and the last at which asking worked best, if it is clear."""
    best = ages.loc[ages["estimate"].idxmax()]
    ends = (ages.iloc[0], ages.iloc[-1])
    if not all(are_apart(best, end) and best["estimate"] > end["estimate"] for end in ends):
        return ""
    return f"It worked most often {_when(best)}: {estimate(best)}."


def _group_by_age(group: Group) -> str:
    ages = _ages(group.rows)
    before = group.rows[group.rows["order_age"] == BEFORE].dropna(subset="estimate")
    if ages.empty and len(before):
        return f"For {group.name}, {estimate(before.iloc[0])} worked when asked before payment."
    if ages.empty:
        return f"For {group.name}, no request is old enough to count yet."
    first, last = ages.iloc[0], ages.iloc[-1]
    text = f"For {group.name}, {estimate(first)} worked when asked {_when(first)}"
    if len(ages) == 1:
        return f"{text}."
    verdict = "which is no clear difference"
    if are_apart(first, last):
        verdict = f"clearly {'fewer' if first['estimate'] > last['estimate'] else 'more'}"
    return f"{text} and {estimate(last)} {_when(last)}, {verdict}."


def _when(row: pd.Series) -> str:
    return f"{label(str(row['order_age']))} after payment"
