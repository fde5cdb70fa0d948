"""Rows of dots with their intervals: a row an estimate, its name at the left, counts at the right.

Everything here is in units of the axis (percent, days); a row without an estimate keeps its place
and says "no data".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.plots.labels import shorten, wrap
from analysis.plots.numbers import NO_DATA
from analysis.plots.theme import (
    FEW_CONTRAST,
    INK,
    LINE_CONTRAST,
    MUTED,
    NAIVE,
    PAPER,
    SMALL,
    SUCCESS,
    Look,
    axes,
    pale,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Transform

ROW, ROW_OF_TWO = 0.36, 0.43  # inches from one row to the next, with names of one and two lines
LABEL_COLUMNS = 25  # characters in a line of a row's label
LABEL_EDGE = -8.0  # right edge of the names, points from the axes
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


Place = tuple[float, Row]  # how far down a row stands: 0 is the first


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
    draw_estimates(ax, ((y, row) for y, row in enumerate(rows) if not row.heading))
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
    for i, x in enumerate(edges):
        texts = [(y, row.texts[i], row.few) for y, row in enumerate(rows) if i < len(row.texts)]
        title = columns[i] if i < len(columns) else ""
        if texts or title:
            _write_column(ax, x, texts, title)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_yticks([])  # which would have two labels and three lines each
    if label_columns:
        _label_rows(ax, rows, label_columns)


def _label_rows(ax: Axes, rows: Sequence[Row], columns: int) -> None:
    place = _beside(ax, LABEL_EDGE)
    for y, row in enumerate(rows):
        ax.text(
            0,
            y,
            _lines(row.label, columns),
            transform=place,
            ha="right",
            va="center",
            fontsize=SMALL,
            linespacing=1.05,
            fontweight="bold" if row.heading else "normal",
            color=MUTED if row.few and not row.heading else INK,
        )


def _lines(words: str, columns: int = LABEL_COLUMNS) -> str:
    first, _, second = words.partition("\n")
    return f"{shorten(first, columns)}\n{second}" if second else wrap(first, columns)


def draw_estimates(ax: Axes, places: Iterable[Place], *, size: float = 7) -> None:
    """Draw the dots of rows with their intervals, hollow and dimmed where they rest on few cases.

    A row without an estimate says so. Rows that look alike are one mark of matplotlib's, whose
    cost is that of its marks and not of their points.
    """
    known = []
    for y, row in places:
        if np.isnan(row.estimate):
            draw_absence(ax, y)
        else:
            known.append((y, row))
    for same in _alike(known, lambda row: (row.look, row.few)):
        _draw_dots(ax, same, size)


def _alike(places: Iterable[Place], look: Callable[[Row], Any]) -> Iterable[list[Place]]:
    """Rows at their places, together with those of the same look."""
    found: dict[Any, list[Place]] = {}
    for place in places:
        found.setdefault(look(place[1]), []).append(place)
    return found.values()


def _draw_dots(ax: Axes, places: Sequence[Place], size: float) -> None:
    look, few = places[0][1].look, places[0][1].few
    draw_intervals(ax, places)
    ax.plot(
        [row.estimate for _, row in places],
        [y for y, _ in places],
        look.marker,
        color=look.colour,
        markerfacecolor=PAPER if few else look.colour,
        markeredgewidth=1.6 if few else 0.8,
        markersize=size,
        clip_on=False,
        zorder=4,
    )


def draw_crudes(ax: Axes, places: Iterable[tuple[float, float]]) -> None:
    """Draw the crosses of the familiar numbers, at (height, number), where there are any."""
    known = [(y, crude) for y, crude in places if not np.isnan(crude)]
    if not known:
        return
    ax.plot(
        [crude for _, crude in known],
        [y for y, _ in known],
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


def draw_intervals(ax: Axes, places: Iterable[Place], *, on_bars: bool = False) -> None:
    """Draw the limits of rows, thin where they rest on few cases, paler than dots but on bars.

    A limit that is missing runs, dotted, to the end of the axis.
    """
    known = [(y, row) for y, row in places if not (np.isnan(row.low) and np.isnan(row.high))]
    for same in _alike(known, lambda row: (row.look.colour, row.few, _is_open(row))):
        _draw_limits(ax, same, on_bars)


def _is_open(row: Row) -> bool:
    return bool(np.isnan(row.low) or np.isnan(row.high))


def _draw_limits(ax: Axes, places: Sequence[Place], on_bars: bool) -> None:
    first = places[0][1]
    contrast = FEW_CONTRAST if first.few else LINE_CONTRAST
    end = ax.get_xlim()[1]
    rows = [row for _, row in places]
    lows = [0.0 if np.isnan(row.low) else row.low for row in rows]
    highs = [end if np.isnan(row.high) else row.high for row in rows]
    ax.plot(
        [x for limits in zip(lows, highs, strict=True) for x in (*limits, np.nan)][:-1],
        [at for y, _ in places for at in (y, y, np.nan)][:-1],
        color=first.look.colour if on_bars else pale(first.look.colour, contrast),
        linewidth=1.6 if first.few else 3.0,
        linestyle=(0, (1, 1)) if _is_open(first) else "-",
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


def _beside(ax: Axes, x: float) -> Transform:
    """From 0 for the left edge of the axes and 1 for the right, and the height of a row.

    All is moved by ``x`` points.
    """
    from matplotlib.transforms import ScaledTranslation, blended_transform_factory

    moved = ScaledTranslation(x / 72, 0, ax.get_figure(root=True).dpi_scale_trans)
    return blended_transform_factory(ax.transAxes, ax.transData) + moved


def _write_column(ax: Axes, x: float, texts: Sequence[tuple[float, str, bool]], title: str) -> None:
    """Write texts, (height, words, few), at the right of the axes, under the title of the column.

    Their right edge is ``x`` points beside the axes.
    """
    common = {"transform": _beside(ax, x), "ha": "right", "fontsize": SMALL}
    for y, words, few in texts:
        ax.text(1, y, words, va="center", color=MUTED if few else INK, **common)
    if title:
        ax.text(1, -0.62, title, va="bottom", color=MUTED, **common)
