"""Figures of trust: how often intervals hold the truth, and estimates beside the truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.plots.labels import plain
from analysis.plots.numbers import count, days, tenths
from analysis.plots.rates import UNDER_LABEL, share_text
from analysis.plots.rows import ROW, ROW_OF_TWO, Row, draw_estimates, legend_above, name_rows
from analysis.plots.theme import (
    GRID,
    INK,
    MEANINGS,
    NAIVE,
    PAPER,
    SUCCESS,
    Look,
    axes,
    dressed,
    is_few,
    note,
    percent_axis,
    share_top,
    themed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STUDY_COLUMNS = 34  # characters in a line of a study's name
BROKEN = MEANINGS["blocked"]  # a promise that was not kept, an interval that misses
TRUTH = Look(INK, "none", "|")
TRUTH_COLUMNS = 34
OVER, UNDER = 0.5, 0.75  # inches over the rows of a panel and under them
EDGES = (52.0, 120.0, 182.0)  # right edges of the columns of text, points beside the axes


@themed
def plot_coverage_study(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw how often each interval held the truth, a cross for the familiar method.

    Parameters
    ----------
    table
        Result of ``coverage_study``. The band is where a promise counts as kept.
    ax
        Axes to draw in; None makes a new figure.
    """
    return _studies(table, ax, 100, "share of datasets whose interval holds the truth (%)")


@themed
def plot_size_study(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw how often each test found a difference that is not there, a cross for familiar ones.

    Parameters
    ----------
    table
        Result of ``size_study``. The band is where a promise counts as kept.
    ax
        Axes to draw in; None makes a new figure.
    """
    top = share_top([*table["ci_high"], *table["naive"], 0.1])
    return _studies(table, ax, top, "share of datasets with a false alarm at 5% (%)")


def _studies(table: pd.DataFrame, ax: Axes | None, top: float, what: str) -> Axes:
    rows = list(_study_rows(table))
    ax = axes(ax, height=1.75 + ROW_OF_TWO * max(len(rows), 2))
    percent_axis(ax, top=top)
    ax.set_xticks([0, top / 2, top])
    studies = [study for _, study in rows]
    for y, (row, study) in enumerate(rows):
        if study is not None:
            _draw_study(ax, y, row, study)
    columns = ("ours", "familiar", "datasets")
    names = [row for row, _ in rows]
    name_rows(ax, names, columns=columns, label_columns=STUDY_COLUMNS, edges=EDGES)
    ax.set_xlabel(what)
    kept = any(study is not None and study["verdict"] == "kept" for study in studies)
    broken = any(study is not None and study["verdict"] != "kept" for study in studies)
    looks = [(SUCCESS, "promise kept", kept), (BROKEN, "not kept", broken)]
    looks = [(look, words) for look, words, drawn in looks if drawn] + [(NAIVE, "familiar method")]
    legend_above(ax, *zip(*looks, strict=True))
    note(ax, ["band: where a promise counts as kept"], below=UNDER_LABEL)
    return ax


def _study_rows(table: pd.DataFrame) -> Iterator[tuple[Row, pd.Series | None]]:
    """Rows under a heading for each topic."""
    for topic, studies in table.groupby("topic", sort=False):
        yield Row(plain(str(topic)).capitalize(), heading=True), None
        for _, study in studies.iterrows():
            look = SUCCESS if study["verdict"] == "kept" else BROKEN
            shares = [study[name] * 100 for name in ("estimate", "ci_low", "ci_high")]
            texts = (tenths(study["estimate"]), tenths(study["naive"]), count(study["n"]))
            name = f"{plain(str(study['estimand']))}\n{plain(str(study['estimator']))}"
            yield Row(name, *shares, texts=texts, look=look, few=is_few(study["n"])), study


def _draw_study(ax: Axes, y: float, row: Row, study: pd.Series) -> None:
    band = [study["least"] * 100, study["most"] * 100]
    ax.fill_betweenx([y - 0.5, y + 0.5], *band, color=GRID, alpha=0.7, linewidth=0, zorder=1)
    if np.isfinite(study["naive"]):
        naive = study["naive"] * 100
        ax.plot([naive], [y], NAIVE.marker, color=NAIVE.colour, mec=PAPER, ms=9, clip_on=False)
    draw_estimates(ax, [(y, row)])


@themed
def plot_estimates_versus_truth(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw each estimate with its interval and, as a tick, the truth: shares above, days below.

    Parameters
    ----------
    table
        Result of ``estimates_versus_truth``.
    ax
        Axes to draw in; None makes a new figure.
    """
    parts = [(unit, table[table["unit"] == unit]) for unit in ("share", "days")]
    parts = [(unit, _truth_rows(rows)) for unit, rows in parts if len(rows)]
    ax, panels = _stacked(ax, [len(rows) for _, rows in parts])
    for panel, (unit, rows) in zip(panels, parts, strict=True):
        _draw_truths(panel, unit, rows)
    looks = (SUCCESS, BROKEN, TRUTH)
    legend_above(ax, looks, ("interval holds the truth", "it does not", "the truth"), lift=0)
    return ax


def _truth_rows(table: pd.DataFrame) -> list[tuple[Row, float]]:
    """Return rows with the truth of each, under a heading for each topic."""
    is_share = (table["unit"] == "share").all()
    scale, text = (100, share_text) if is_share else (1, _days_text)
    rows: list[tuple[Row, float]] = []
    for topic, members in table.groupby("topic", sort=False):
        rows.append((Row(plain(str(topic)).capitalize(), heading=True), np.nan))
        for _, one in members.iterrows():
            look = SUCCESS if one["is_inside"] else BROKEN
            values = [one[name] * scale for name in ("estimate", "ci_low", "ci_high")]
            texts = (text(one["estimate"]), text(one["truth"]), count(one["n"]))
            name = plain(str(one["estimand"]))
            row = Row(name, *values, texts=texts, look=look, few=is_few(one["n"]))
            rows.append((row, one["truth"] * scale))
    return rows


def _days_text(value: float) -> str:
    return "–" if np.isnan(value) else days(value)


def _stacked(ax: Axes | None, sizes: Sequence[int]) -> tuple[Axes, list[Axes]]:
    """Return axes with one panel under the other, each as high as its number of rows asks."""
    heights = [ROW * max(size, 2) for size in sizes]
    whole_height = sum(heights) + (OVER + UNDER) * len(sizes)
    whole = axes(ax, height=whole_height + 0.35)
    whole.set_axis_off()
    panels, top = [], whole_height
    for height in heights:
        top -= OVER + height
        place = (0, top / whole_height, 1, height / whole_height)
        panels.append(dressed(whole.inset_axes(place)))
        top -= UNDER
    return whole, panels


def _draw_truths(panel: Axes, unit: str, rows: Sequence[tuple[Row, float]]) -> None:
    if unit == "share":
        percent_axis(panel, top=100)
    else:
        known = [x for row, true in rows for x in (row.estimate, row.high, true) if np.isfinite(x)]
        panel.set_xlim(0, max([1.0, *known]) * 1.15)
        panel.grid(axis="x", color=GRID, linewidth=0.8)
    marked = [(y, row, true) for y, (row, true) in enumerate(rows) if not row.heading]
    draw_estimates(panel, [(y, row) for y, row, _ in marked])
    known = [(true, y) for y, _, true in marked if np.isfinite(true)]
    truths, places = [true for true, _ in known], [y for _, y in known]
    panel.plot(truths, places, TRUTH.marker, color=TRUTH.colour, ms=15, mew=1.6, zorder=5)
    names = [row for row, _ in rows]
    columns = ("estimate", "truth", "n")
    name_rows(panel, names, columns=columns, label_columns=TRUTH_COLUMNS, edges=EDGES)
    panel.set_xlabel("share (%)" if unit == "share" else "days")
