"""Rows of dots with their intervals: a row an estimate, its name at the left, counts at the right.

Everything here is in units of the axis (percent, days); a row without an estimate keeps its place
and says "no data".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.plots.labels import shorten, wrap
from analysis.plots.numbers import NO_DATA
from analysis.plots.theme import (
    FEW_ALPHA,
    INK,
    MUTED,
    NAIVE,
    PAPER,
    SMALL,
    SUCCESS,
    Look,
    as_text,
    axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW, ROW_OF_TWO = 0.36, 0.43  # inches from one row to the next, with names of one and two lines
LABEL_COLUMNS = 25  # characters in a line of a row's label
RIGHT = (46.0, 112.0, 168.0, 224.0)  # right edges of the columns of text, points beside the axes


@dataclass(frozen=True)
class Row:
    """One row: an estimate with its limits, or a heading."""

    label: str
    estimate: float = np.nan
    low: float = np.nan
    high: float = np.nan
    texts: tuple[str, ...] = ()  # for the columns at the right
    look: Look = SUCCESS
    few: bool = False  # rests on few cases: drawn dimmed
    heading: bool = False


def rows_axes(ax: Axes | None, rows: Sequence[Row], *, extra: float = 1.0) -> Axes:
    """Return axes for these rows, with ``extra`` inches for what is above and below them."""
    pitch = ROW_OF_TWO if any("\n" in _lines(row.label) for row in rows) else ROW
    return axes(ax, height=extra + pitch * max(len(rows), 2))


def draw_rows(
    ax: Axes,
    rows: Sequence[Row],
    *,
    columns: Sequence[str] = (),
    label_columns: int = LABEL_COLUMNS,
    edges: Sequence[float] = RIGHT,
) -> None:
    """Draw rows from the top down, with the headings of the text ``columns`` over them."""
    for y, row in enumerate(rows):
        if not row.heading:
            draw_estimate(ax, y, row)
    name_rows(ax, rows, columns=columns, label_columns=label_columns, edges=edges)


def name_rows(
    ax: Axes,
    rows: Sequence[Row],
    *,
    columns: Sequence[str] = (),
    label_columns: int = LABEL_COLUMNS,
    edges: Sequence[float] = RIGHT,
) -> None:
    """Write the names of rows at the left and their texts at the right, and draw no mark.

    Names have at most ``label_columns`` characters in a line; 0 leaves them out.
    """
    for y, row in enumerate(rows):
        for x, text in zip(edges, row.texts, strict=False):
            beside(ax, y, x, text, colour=MUTED if row.few else INK)
    for x, text in zip(edges, columns, strict=False):
        beside(ax, -0.62, x, text, colour=MUTED, va="bottom")
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0, pad=8)
    if label_columns:
        _label_rows(ax, rows, label_columns)
    else:
        ax.set_yticks([])


def _label_rows(ax: Axes, rows: Sequence[Row], columns: int) -> None:
    ax.set_yticks(range(len(rows)))
    ax.set_yticklabels([_lines(row.label, columns) for row in rows], linespacing=1.05)
    as_text(ax.get_yticklabels())
    for text, row in zip(ax.get_yticklabels(), rows, strict=True):
        text.set_fontweight("bold" if row.heading else "normal")
        text.set_color(MUTED if row.few and not row.heading else INK)


def _lines(words: str, columns: int = LABEL_COLUMNS) -> str:
    first, _, second = words.partition("\n")
    return f"{shorten(first, columns)}\n{second}" if second else wrap(first, columns)


def draw_estimate(ax: Axes, y: float, row: Row, *, size: float = 7) -> None:
    """Draw one dot with its interval, hollow and dimmed where it rests on few cases."""
    if np.isnan(row.estimate):
        draw_absence(ax, y)
        return
    alpha = FEW_ALPHA if row.few else 1.0
    draw_interval(ax, y, row, alpha=alpha)
    ax.plot(
        [row.estimate],
        [y],
        row.look.marker,
        color=row.look.colour,
        markerfacecolor=PAPER if row.few else row.look.colour,
        markeredgewidth=1.6 if row.few else 0.8,
        markersize=size,
        alpha=1.0 if row.few else alpha,
        clip_on=False,
        zorder=4,
    )


def draw_crude(ax: Axes, y: float, crude: float) -> None:
    """Draw the cross of the familiar number in a row, if there is one."""
    if np.isnan(crude):
        return
    ax.plot(
        [crude],
        [y],
        NAIVE.marker,
        color=NAIVE.colour,
        markeredgecolor=PAPER,
        markersize=8,
        clip_on=False,
        zorder=2.5,
    )


def draw_absence(ax: Axes, y: float, words: str = NO_DATA) -> None:
    """Say, in a row without an estimate, that there is none."""
    ax.annotate(
        words,
        xy=(0, y),
        xycoords=("axes fraction", "data"),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        color=MUTED,
        style="italic",
        fontsize=SMALL,
    )


def draw_interval(ax: Axes, y: float, row: Row, *, alpha: float = 1.0) -> None:
    """Draw the limits; a limit that is missing runs, dotted, to the end of the axis."""
    if np.isnan(row.low) and np.isnan(row.high):
        return
    low = 0.0 if np.isnan(row.low) else row.low
    high = ax.get_xlim()[1] if np.isnan(row.high) else row.high
    open_end = np.isnan(row.low) or np.isnan(row.high)
    ax.plot(
        [low, high],
        [y, y],
        color=row.look.colour,
        linewidth=3.0,
        linestyle=(0, (1, 1)) if open_end else "-",
        alpha=0.55 * alpha,
        solid_capstyle="butt",
        clip_on=False,
        zorder=3,
    )


def head(ax: Axes, words: str) -> None:
    """Write what the rows are, over their names."""
    ax.annotate(
        wrap(words, LABEL_COLUMNS),
        xy=(0, 1),
        xycoords="axes fraction",
        xytext=(-8, 4),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=MUTED,
        fontsize=SMALL,
        annotation_clip=False,
    )


def legend_above(
    ax: Axes, looks: Sequence[Look], words: Sequence[str], *, lift: float = 20.0
) -> None:
    """Explain marks in a line over the axes, ``lift`` points up, clear of the heads of columns."""
    from matplotlib.lines import Line2D
    from matplotlib.transforms import ScaledTranslation

    handles = [
        Line2D([], [], color=look.colour, marker=look.marker, linewidth=3, markersize=7)
        for look in looks
    ]
    up = ScaledTranslation(0, lift / 72, ax.get_figure(root=True).dpi_scale_trans)
    ax.legend(
        handles,
        words,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        bbox_transform=ax.transAxes + up,
        ncols=3,
        handlelength=1.6,
        columnspacing=1.4,
        borderaxespad=0,
    )


def beside(
    ax: Axes, y: float, x: float, text: str, *, colour: str = INK, va: str = "center"
) -> None:
    """Write text at the right of the axes, its right edge ``x`` points beside them."""
    ax.annotate(
        text,
        xy=(1, y),
        xycoords=("axes fraction", "data"),
        xytext=(x, 0),
        textcoords="offset points",
        ha="right",
        va=va,
        color=colour,
        fontsize=SMALL,
        annotation_clip=False,
    )
