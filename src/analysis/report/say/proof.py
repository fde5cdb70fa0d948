"""Sentences of trust: how often intervals hold the truth, and estimates beside the truth."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from analysis.plots.labels import plain
from analysis.plots.numbers import count, days, percent, tenths
from analysis.report.say.words import estimate, listing, nothing, sentences

MOST_NAMED = 6
UNITS: dict[str, Callable[[float], str]] = {"share": percent, "days": days}


def say_coverage_study(table: pd.DataFrame) -> str:
    """Return how many promises are kept, for the result of ``coverage_study``."""
    known = table.dropna(subset="estimate")
    if known.empty:
        return nothing("intervals")
    nominal = percent(known["nominal"].iloc[0])
    head = f"Of {count(len(known))} kinds of nominal {nominal} intervals, {_so_many_keep(known)}"
    return sentences(
        f"{head}; the lowest is {_named(known.loc[known['estimate'].idxmin()])}.",
        _not_kept(known),
        _familiar(known, worst=known["naive"].idxmin() if known["naive"].notna().any() else None),
    )


def say_size_study(table: pd.DataFrame) -> str:
    """Return how many tests raise as few false alarms as they say, for ``size_study``."""
    known = table.dropna(subset="estimate")
    if known.empty:
        return nothing("tests")
    nominal = percent(known["nominal"].iloc[0])
    tests = "tests" if len(known) > 1 else "test"
    head = f"Of {count(len(known))} {tests} at {nominal}, {_so_many_keep(known)}"
    worst = known["naive"].idxmax() if known["naive"].notna().any() else None
    return sentences(
        f"{head}; the highest is {_named(known.loc[known['estimate'].idxmax()])}.",
        _not_kept(known),
        _familiar(known, worst=worst),
    )


def _so_many_keep(known: pd.DataFrame) -> str:
    n = int((known["verdict"] == "kept").sum())
    words = "keeps its" if n == 1 else "keep their"
    many = "all" if n == len(known) > 1 else count(n) if n else "none"
    return f"{many} {words} promise"


def _named(row: pd.Series) -> str:
    """Return a study with its measured share."""
    name, method = plain(str(row["estimand"])), plain(str(row["estimator"]))
    return f"{method} for “{name}”, {estimate(row, tenths)}"


def _not_kept(known: pd.DataFrame) -> str:
    broken = known[known["verdict"] != "kept"]
    if broken.empty:
        return ""
    parts = [f"{_named(row)}: {plain(str(row['verdict']))}" for _, row in broken.iterrows()]
    left = len(parts) - MOST_NAMED
    more = f"; {count(left)} more are in the table" if left > 0 else ""
    return f"Not kept: {'; '.join(parts[:MOST_NAMED])}{more}."


def _familiar(known: pd.DataFrame, worst: object) -> str:
    """Return what the familiar methods do on the same datasets."""
    if worst is None:
        return ""
    rivals = known[known["naive"].notna()]
    n = int(((rivals["naive"] >= rivals["least"]) & (rivals["naive"] <= rivals["most"])).sum())
    keep = f"{count(n) if n else 'none'} of {count(len(rivals))} familiar methods"
    row = known.loc[worst]
    method = plain(str(row["naive_method"]))
    verb = "keeps" if n in (0, 1) else "keep"
    return (
        f"On the same datasets {keep} {verb} it; the farthest off is “{method}”, "
        f"{tenths(row['naive'])} where {percent(row['nominal'])} is promised."
    )


def say_estimates_versus_truth(table: pd.DataFrame) -> str:
    """Return how many intervals hold the truth, for the result of ``estimates_versus_truth``."""
    known = table.dropna(subset="estimate")
    if known.empty:
        return nothing("estimates beside the truth")
    inside = int(known["is_inside"].sum())
    which = f"{count(inside)} of {count(len(known))} intervals hold the truth"
    head = "all intervals hold the truth" if inside == len(known) else which
    return sentences(f"{_beside(known.iloc[0])}.", f"{head}.", _missed(known))


def _missed(known: pd.DataFrame) -> str:
    missed = known[~known["is_inside"]]
    if missed.empty:
        return ""
    parts = [_beside(row) for _, row in missed.head(MOST_NAMED).iterrows()]
    left = len(missed) - MOST_NAMED
    more = f", and {count(left)} more in the table" if left > 0 else ""
    return f"Missed: {listing(parts)}{more}."


def _beside(row: pd.Series) -> str:
    unit = UNITS.get(row["unit"], days)
    name = f"{plain(str(row['topic']))}, {plain(str(row['estimand']))}"
    return f"{name}: estimated {estimate(row, unit)}, in truth {unit(row['truth'])}"
