"""Figure of mistakes: the familiar number beside the right one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.plots.labels import wrap
from analysis.plots.numbers import (
    NO_DATA,
    count,
    days_or_hours,
    interval_text,
    percent,
    points,
    unit_apart,
)
from analysis.plots.panels import Grid, panel_axes
from analysis.plots.rows import Row, draw_estimates
from analysis.plots.theme import (
    ESTIMATE,
    GRID,
    INK,
    MUTED,
    NAIVE,
    PAPER,
    SMALL,
    is_few,
    note,
    percent_axis,
    themed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEADLINE_COLUMNS = 74
UNITS = {"share": percent, "days": days_or_hours}


@themed
def plot_naive_versus_right(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw each headline twice: a cross as it is usually computed, the right dot with its interval.

    Parameters
    ----------
    table
        Result of ``naive_versus_right``. Each headline has its own axis, since units differ.
    ax
        Axes to draw in; None makes a new figure.
    """
    grid = Grid(len(table), 1, height=0.42, over=0.52, under=0.34)
    ax, panels = panel_axes(ax, grid, extra=0.7)
    for panel, (_, row) in zip(panels, table.iterrows(), strict=True):
        _draw_headline(panel, row)
    note(ax, ["cross: as it is usually computed; dot: the right number with its interval"], below=6)
    return ax


def _draw_headline(panel: Axes, row: pd.Series) -> None:
    is_share = row["unit"] == "share"
    scale = 100 if is_share else 1
    naive, *limits = (row[name] * scale for name in ("naive", "estimate", "ci_low", "ci_high"))
    _scale(panel, is_share, [naive, *limits])
    panel.set_ylim(1, -1)
    panel.set_yticks([])
    right = Row("", *limits, look=ESTIMATE, few=is_few(row["n"]))
    draw_estimates(panel, [(0.0, right)], size=10)
    if np.isfinite(naive) and np.isfinite(limits[0]):
        _draw_error(panel, naive, limits[0])
    if np.isfinite(naive):
        panel.plot([naive], [0], NAIVE.marker, color=NAIVE.colour, mec=PAPER, ms=11, clip_on=False)
    _say_above(panel, row)


def _scale(panel: Axes, is_share: bool, values: list[float]) -> None:
    """Shares on 0 to 100%, days from 0."""
    from matplotlib.ticker import MaxNLocator

    if is_share:
        percent_axis(panel, top=100)
        return
    known = [value for value in values if np.isfinite(value)]
    panel.set_xlim(0, max([1.0, *known]) * 1.15)
    panel.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    panel.xaxis.set_major_formatter(lambda value, _: f"{value:g} d")
    panel.grid(axis="x", color=GRID, linewidth=0.8)


def _draw_error(panel: Axes, naive: float, right: float) -> None:
    """Draw the size of the mistake as a line from the right number to the familiar one."""
    panel.plot([right, naive], [0, 0], color=MUTED, linewidth=1.2, linestyle=(0, (2, 2)), zorder=2)


def _say_above(panel: Axes, row: pd.Series) -> None:
    lines = (
        (wrap(str(row["headline"]), HEADLINE_COLUMNS, lines=1), "bold", INK, 19),
        (_numbers(row), "normal", INK, 4),
    )
    for text, weight, colour, above in lines:
        panel.annotate(
            text,
            xy=(0, 1),
            xycoords="axes fraction",
            xytext=(0, above),
            textcoords="offset points",
            va="bottom",
            fontsize=SMALL,
            fontweight=weight,
            color=colour,
            annotation_clip=False,
        )


def _numbers(row: pd.Series) -> str:
    if np.isnan(row["estimate"]) or np.isnan(row["naive"]):
        return f"{NO_DATA} (n = {count(row['n'])})"
    limits = (row[name] for name in ("estimate", "ci_low", "ci_high", "n"))
    unit, off = headline_unit(row), size_of_mistake(row)
    return f"usually {unit(row['naive'])}, right {interval_text(*limits, unit=unit)}: off by {off}"


def headline_unit(row: pd.Series) -> Callable[[float], str]:
    """Return the unit that keeps the familiar number apart from the right one and its limits."""
    unit = UNITS.get(row["unit"], days_or_hours)
    return unit_apart(unit, *(row[name] for name in ("naive", "estimate", "ci_low", "ci_high")))


def size_of_mistake(row: pd.Series) -> str:
    """Return how far the familiar number is from the right one, without a sign."""
    is_share = row["unit"] == "share"
    return (points if is_share else days_or_hours)(abs(row["difference"]))
