"""Sentences of policy and practice: does what happens follow the written rules."""

from __future__ import annotations

import pandas as pd

from analysis.plots.groups import Group, group_columns, header, largest, split
from analysis.plots.labels import label
from analysis.plots.numbers import count
from analysis.report.say.words import MOST_NAMED, estimate, limits, listing, sentences

SAY = {
    "must_block": "a rule stands in the way",
    "may_cancel_at_once": "the rules cancel at once",
    "up_to_the_seller": "the rules ask the seller",
}
NAMED = 3


def say_policy_versus_practice(table: pd.DataFrame) -> str:
    """Return where practice goes against the rules, for ``policy_versus_practice``."""
    if table.empty:
        return "No request that can be counted can be held against the rules."
    by = group_columns(table, "verdict")
    rules = f"the written rules ({label(str(table['policy'].iloc[0]))})"
    if by:
        groups, n_left = largest(split(table, by), MOST_NAMED)
        parts = [f"for {group.short}, {_worst(group)}" for group in groups]
        more = f"{n_left:,} more {'group is' if n_left == 1 else 'groups are'} in the table."
        text = f"By {header(by)}, what goes against {rules}: {'; '.join(parts)}."
        return sentences(text, more if n_left else "")
    kept = [_verdict(rows) for _, rows in table.groupby("verdict", sort=False)]
    breaches = _breaches(table)
    named = [_breach(row) for _, row in breaches.iloc[:NAMED].iterrows()]
    against = f"Against {rules}: {'; '.join(named)}."
    others = len(breaches) - NAMED
    more = f"{count(others)} more {'way is' if others == 1 else 'ways are'} in the table."
    return sentences(
        *kept,
        against if named else f"Nothing that can be counted went against {rules}.",
        more if others > 0 else "",
    )


def _breaches(table: pd.DataFrame) -> pd.DataFrame:
    against = table[table["is_breach"] & (table["n_events"] > 0)].dropna(subset="estimate")
    return against.sort_values("n_events", ascending=False, kind="stable")


def _verdict(rows: pd.DataFrame) -> str:
    """Return what becomes of most requests to which the rules say the same."""
    verdict = SAY.get(rows["verdict"].iloc[0], label(str(rows["verdict"].iloc[0])))
    known = rows.dropna(subset="estimate")
    happened = known[known["n_events"] > 0].sort_values("estimate", ascending=False, kind="stable")
    if happened.empty:
        return ""
    first, *others = (row for _, row in happened.iloc[:NAMED].iterrows())
    ends = [f"{label(str(row['practice']))} {limits(row)}" for row in others]
    first = f"{label(str(first['practice']))} {estimate(first)}"
    return f"Where {verdict}: {listing([first, *ends])}."


def _breach(row: pd.Series) -> str:
    verdict = SAY.get(row["verdict"], label(str(row["verdict"])))
    return f"{label(str(row['practice']))} where {verdict}, {limits(row)} of those"


def _worst(group: Group) -> str:
    breaches = _breaches(group.rows)
    return _breach(breaches.iloc[0]) if len(breaches) else "nothing"
