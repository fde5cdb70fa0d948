"""Sentences of mistakes: how far the familiar number is from the right one, and why."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from analysis.plots.labels import plain
from analysis.plots.numbers import days_or_hours, percent, points, unit_apart
from analysis.report.say.words import estimate, nothing, sentences

UNITS = {"share": percent, "days": days_or_hours}


def say_naive_versus_right(table: pd.DataFrame) -> str:
    """Return how wrong the familiar numbers are, for the result of ``naive_versus_right``."""
    if table.empty:
        return nothing("familiar numbers")
    return sentences(*(_headline(row) for _, row in table.iterrows()))


def _headline(row: pd.Series) -> str:
    headline = plain(str(row["headline"]))
    if pd.isna(row["naive"]) or pd.isna(row["estimate"]):
        return f"{headline}: the data cannot tell."
    unit = _unit(row)
    right = f"{headline}: usually computed as {unit(row['naive'])}, it is {estimate(row, unit)}."
    if row["ci_low"] <= row["naive"] <= row["ci_high"]:
        return f"{right} Here the familiar number lies within the interval of the right one."
    side = "high" if row["difference"] > 0 else "low"
    why = plain(str(row["why_they_differ"])) if pd.notna(row["why_they_differ"]) else ""
    return f"{right} The familiar number is {_size(row)} too {side}. {why}".rstrip()


def _unit(row: pd.Series) -> Callable[[float], str]:
    """Return the unit that keeps the familiar number apart from the right one and its limits."""
    unit = UNITS.get(row["unit"], days_or_hours)
    return unit_apart(unit, *(row[name] for name in ("naive", "estimate", "ci_low", "ci_high")))


def _size(row: pd.Series) -> str:
    return (
        points(row["difference"])
        if row["unit"] == "share"
        else days_or_hours(abs(row["difference"]))
    )
