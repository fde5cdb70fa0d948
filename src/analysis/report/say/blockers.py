"""Sentences of blockers: which rules stand in the way, and how asking late changes success."""

from __future__ import annotations

from typing import NamedTuple

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
    lead = "" if leads else f", without a clear lead over {others.pop(0)}"
    first = f"Of all requests, {estimate(top)} were stopped first by the rule: {_rule(top)}{lead}."
    return sentences(
        first,
        f"next {'comes' if len(others) == 1 else 'come'} {listing(others)}." if others else "",
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


class Ages(NamedTuple):
    """Shares by the age of the order: what can be compared, and what is beside it."""

    compared: pd.DataFrame  # after payment: those with enough requests, or else all that are known
    left_out: pd.DataFrame  # after payment, with too few requests
    before: pd.DataFrame  # before payment


def _ages(table: pd.DataFrame) -> Ages:
    known = table.dropna(subset="estimate").reset_index(drop=True)
    is_before = known["order_age"] == BEFORE
    after = known[~is_before]
    is_enough = after["n"] >= MIN_N if (after["n"] >= MIN_N).any() else after["n"] >= 0
    return Ages(after[is_enough], after[~is_enough], known[is_before])


def _by_age(table: pd.DataFrame) -> str:
    ages = _ages(table)
    unpaid = ""
    if len(ages.before):
        unpaid = f"Asked before payment, {estimate(ages.before.iloc[0])} worked."
    if ages.compared.empty:
        return unpaid or "No request is old enough to count yet."
    first, last = ages.compared.iloc[0], ages.compared.iloc[-1]
    text = f"of requests made {_when(first)}, {estimate(first)} worked"
    few = f"Those made {_too_few(ages)} are too few to say." if _too_few(ages) else ""
    if len(ages.compared) == 1:
        return sentences(f"{text}.", few, unpaid)
    verdict = "Between these two there is no clear difference: the intervals overlap."
    if are_apart(first, last):
        more = "more" if first["estimate"] > last["estimate"] else "less"
        other = label(str(last["order_age"]))
        verdict = f"Asking {_when(first)} worked clearly {more} often than asking after {other}."
    both = f"{text}; of those made {_when(last)}, {estimate(last)}."
    return sentences(both, verdict, few, _best(ages), unpaid)


def _too_few(ages: Ages) -> str:
    """Say on which side of the ages compared there are others, with too few requests."""
    at, ends = ages.left_out.index, ages.compared.index
    sides = {"earlier": at < ends[0], "later": at > ends[-1]}
    return listing([side for side, lies in sides.items() if lies.any()])


def _best(ages: Ages) -> str:
    """Name the age between the first and the last at which asking worked best, if it is clear."""
    compared = ages.compared
    best = compared.loc[compared["estimate"].idxmax()]
    ends = (compared.iloc[0], compared.iloc[-1])
    if not all(are_apart(best, end) and best["estimate"] > end["estimate"] for end in ends):
        return ""
    among = "of the ages with enough requests, it" if len(ages.left_out) else "it"
    return f"{among} worked most often {_when(best)}: {estimate(best)}."


def _group_by_age(group: Group) -> str:
    ages = _ages(group.rows)
    if ages.compared.empty and len(ages.before):
        before = estimate(ages.before.iloc[0])
        return f"For {group.name}, {before} worked when asked before payment."
    if ages.compared.empty:
        return f"For {group.name}, no request is old enough to count yet."
    first, last = ages.compared.iloc[0], ages.compared.iloc[-1]
    text = f"For {group.name}, {estimate(first)} worked when asked {_when(first)}"
    few = f"; those made {_too_few(ages)} are too few to say" if _too_few(ages) else ""
    if len(ages.compared) == 1:
        return f"{text}{few}."
    verdict = "which is no clear difference"
    if are_apart(first, last):
        verdict = f"clearly {'fewer' if first['estimate'] > last['estimate'] else 'more'}"
    return f"{text} and {estimate(last)} {_when(last)}, {verdict}{few}."


def _when(row: pd.Series) -> str:
    return f"{label(str(row['order_age']))} after payment"
