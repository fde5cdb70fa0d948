"""What sentences share: lists, comparisons that the intervals support, and honest hedges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import pandas as pd

from analysis.plots.groups import Group, header, sizes_of
from analysis.plots.numbers import MIN_N, count, interval_text, percent

Unit = Callable[[float], str]
FEW_CLUSTERS = 10
CLEAR = 0.05  # a q-value (share of false discoveries) below it is called clear
WIDE = 0.3  # an interval of a share that is wider than this tells little
MOST_NAMED = 4  # groups that are all named; of more, only the extremes


class Words(NamedTuple):
    """How one measure speaks of its estimate."""

    subject: str  # what is compared: "success"
    noun: str  # what ``n`` counts: "requests"
    high: str  # said of the group with the largest estimate: "highest"
    low: str
    unit: Unit = percent


def nothing(subject: str) -> str:
    """Return the sentence for a table without rows."""
    return f"Nothing can be said about {subject}: the table has no rows."


def listing(items: Sequence[str]) -> str:
    """Join items as a sentence does.

    Examples
    --------
    >>> listing(["a"]), listing(["a", "b"]), listing(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def sentences(*parts: str) -> str:
    """Join the sentences that are not empty, each beginning with a capital letter."""
    return " ".join(part[0].upper() + part[1:] for part in parts if part)


def estimate(row: pd.Series, unit: Unit = percent) -> str:
    """Return a row's estimate with its interval and n."""
    return interval_text(row["estimate"], row["ci_low"], row["ci_high"], row["n"], unit=unit)


def limits(row: pd.Series, unit: Unit = percent) -> str:
    """Return a row's estimate with its interval; for where n stands in the sentence already."""
    return interval_text(row["estimate"], row["ci_low"], row["ci_high"], None, unit=unit)


def are_apart(one: pd.Series, other: pd.Series) -> bool:
    """Whether two intervals do not overlap; a missing limit never keeps two apart."""
    return bool(one["ci_low"] > other["ci_high"] or other["ci_low"] > one["ci_high"])


def pending(row: pd.Series, noun: str) -> str:
    """Return the sentence on what is too young to count."""
    n = row.get("n_pending", 0)
    if not n > 0:
        return ""
    one = f"{count(n)} more {noun.removesuffix('s')} is"
    return f"{one if n == 1 else f'{count(n)} more {noun} are'} too young to count."


def hedge(row: pd.Series, noun: str) -> str:
    """Return what limits the trust in one share: few clusters, one cluster, a wide interval."""
    clusters = row.get("n_clusters", FEW_CLUSTERS)
    if "seller" in str(row.get("interval", "")) and clusters < FEW_CLUSTERS:
        if clusters <= 1:
            return f"All these {noun} are of one seller, so this says nothing about others."
        return f"These {noun} are of only {count(clusters)} sellers, so the interval is rough."
    if row["ci_high"] - row["ci_low"] > WIDE:
        return "The interval is wide: take the share as a rough guide."
    return ""


def comparison(groups: list[Group], by: list[str], words: Words) -> str:
    """Compare groups by the first row of each: all of them if they are few, else the extremes.

    A group is called higher than another only if their intervals do not overlap. Groups with
    fewer than ``MIN_N`` cases are left out of the comparison where two have more, which says so.
    """
    known = [group for group in groups if pd.notna(group.rows["estimate"].iloc[0])]
    if not known:
        return f"No group has what it takes to estimate {words.subject}."
    if len(known) == 1:
        return _one(known[0], words) + _left_out(groups, known)
    enough = [g for g, n in zip(known, sizes_of(known), strict=True) if n >= MIN_N]
    compared = enough if len(enough) >= 2 else known
    ranked = sorted(compared, key=lambda group: -_first(group)["estimate"])
    text = _all(compared, by, words) if len(compared) <= MOST_NAMED else ""
    text = sentences(text, _extremes(ranked, by, words, named=bool(text)))
    return text + _left_out(groups, compared)


def _first(group: Group) -> pd.Series:
    return group.rows.iloc[0]


def _one(group: Group, words: Words) -> str:
    return f"For {group.name}, {words.subject} is {estimate(_first(group), words.unit)}."


def _all(groups: list[Group], by: list[str], words: Words) -> str:
    parts = [f"{group.short} {estimate(_first(group), words.unit)}" for group in groups]
    return f"By {header(by)}, {words.subject}: {listing(parts)}."


def _extremes(ranked: list[Group], by: list[str], words: Words, *, named: bool) -> str:
    top, bottom = ranked[0], ranked[-1]
    apart = are_apart(_first(top), _first(bottom))
    if named:
        if not apart:
            return "There is no clear difference: the intervals overlap."
        return f"It is clearly {words.high} for {top.short} than for {bottom.short}."
    highest, lowest = (
        f"{estimate(_first(group), words.unit)} for {group.short}" for group in (top, bottom)
    )
    if not apart:
        text = f"from {lowest} to {highest}, and those intervals overlap"
        return f"By {header(by)}, there is no clear difference in {words.subject}: {text}."
    return f"By {header(by)}, {words.subject} runs from {lowest} to {highest}."


def _left_out(groups: list[Group], compared: list[Group]) -> str:
    kept = {id(group) for group in compared}
    left = [group for group in groups if id(group) not in kept]
    if not left:
        return ""
    verb = "is" if len(left) == 1 else "are"
    why = why_left_out([_first(group)["estimate"] for group in left], sizes_of(left))
    return f" {len(left):,} of {len(groups):,} groups {verb} left out here ({why})."


def why_left_out(estimates: Sequence[float], sizes: Sequence[float]) -> str:
    """Return why rows are left out of a comparison: they have no estimate, or too few cases.

    Examples
    --------
    >>> import math
    >>> why_left_out([0.5, 0.4], [5, 9]), why_left_out([math.nan], [300])
    ('fewer than 30 cases', 'no estimate')
    >>> why_left_out([0.5, math.nan], [5, 0]), why_left_out([0.5, math.nan], [5, 300])
    ('fewer than 30 cases', 'no estimate or fewer than 30 cases')
    """
    few = f"fewer than {MIN_N} cases"
    if all(pd.isna(estimate) for estimate in estimates):
        return "no estimate"
    return few if max(sizes) < MIN_N else f"no estimate or {few}"


def in_each(
    groups: list[Group], n_left: int, by: list[str], what: str, name_of: Callable[[pd.Series], str]
) -> str:
    """Return the largest share in each group, e.g. the commonest blocker; "" if there is none."""
    found = [(group, commonest(group, name_of)) for group in groups]
    parts = [f"for {group.short}, {text}" for group, text in found if text]
    if not parts:
        return ""
    more = f"{n_left:,} more {'group is' if n_left == 1 else 'groups are'} in the table."
    return sentences(f"By {header(by)}, {what}: {'; '.join(parts)}.", more if n_left else "")


def commonest(group: Group, name_of: Callable[[pd.Series], str]) -> str:
    """Return the largest share of a group's rows, and the next one if its lead is not clear."""
    ranked = group.rows.dropna(subset="estimate").sort_values(
        "estimate", ascending=False, kind="stable"
    )
    if ranked.empty or ranked["n_events"].iloc[0] == 0:
        return ""
    top = ranked.iloc[0]
    text = f"{name_of(top)}, {estimate(top)}"
    if len(ranked) > 1 and ranked["n_events"].iloc[1] > 0 and not are_apart(top, ranked.iloc[1]):
        second = ranked.iloc[1]
        text += f", without a clear lead over {name_of(second)}, {limits(second)}"
    return text
