"""Sentences of mistakes: how far the familiar number is from the right one, and why."""

from __future__ import annotations

import pandas as pd

from analysis.plots.labels import plain
from analysis.plots.naive import headline_unit, size_of_mistake
from analysis.report.say.words import estimate, nothing, sentences


def say_naive_versus_right(table: pd.DataFrame) -> str:
    """Return how wrong the familiar numbers are, for the result of ``naive_versus_right``."""
    if table.empty:
        return nothing("familiar numbers")
    return sentences(*(_headline(row) for _, row in table.iterrows()))


def _headline(row: pd.Series) -> str:
    headline = plain(str(row["headline"]))
    if pd.isna(row["naive"]) or pd.isna(row["estimate"]):
        return f"{headline}: the data cannot tell."
    unit = headline_unit(row)
    right = f"{headline}: usually computed as {unit(row['naive'])}, it is {estimate(row, unit)}."
    if row["ci_low"] <= row["naive"] <= row["ci_high"]:
        return f"{right} Here the familiar number lies within the interval of the right one."
    side = "high" if row["difference"] > 0 else "low"
    why = plain(str(row["why_they_differ"])) if pd.notna(row["why_they_differ"]) else ""
    return f"{right} The familiar number is {size_of_mistake(row)} too {side}. {why}".rstrip()
