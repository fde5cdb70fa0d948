"""The figure of what size costs: CPU time against the number of orders, both logarithmic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.plots.labels import plain, wrap
from analysis.plots.lines import head, spread
from analysis.plots.numbers import NO_DATA, count
from analysis.plots.theme import (
    GRID,
    GROUPS,
    INK,
    LINE_CONTRAST,
    MUTED,
    NAIVE,
    PAPER,
    SMALL,
    Look,
    axes,
    note,
    pale,
    themed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT = 4.4  # inches
OUTSIDE = 1.4  # inches of it above and below the axes
POINTS = 72.0
LABEL_COLUMNS = 26
LABEL_LINE = 15.0  # points
BELOW = 44.0  # points
PEER_MARKERS = ("X", "P", "v", "<", ">", "d", "*", "h")
ROOM = 0.1  # powers of ten beyond the least and the greatest value
APART = 0.09  # powers of ten between the limits of lines that end at one number of orders


@themed
def plot_scale_costs(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw CPU time against orders: measured as dots, carried to a billion as a dashed line.

    Parameters
    ----------
    table
        Result of ``scale_costs``.
    ax
        Axes to draw in; None makes a new figure.
    """
    lines = list(_lines(table))
    texts = [_name(rows) for _, rows in lines]
    ax = axes(ax, height=max(HEIGHT, OUTSIDE + LABEL_LINE / POINTS * _n_lines(texts)))
    known = table[table["estimate"] > 0]
    _log_axes(ax, known)
    for look, rows in lines:
        _draw(ax, rows[rows["estimate"] > 0], look)
    carried = [(look, row) for look, rows in lines for row in _carried(rows)]
    for place, (look, row) in enumerate(carried, 1):
        _draw_limits(ax, row, look, row["n_orders"] * 10 ** (APART * place))
    _label(ax, lines, texts)
    head(ax, "CPU time, seconds")
    ax.set_xlabel("orders")
    note(ax, _remarks(known, ax.get_ylim()[0]), below=BELOW)
    return ax


def _remarks(known: pd.DataFrame, foot: float) -> list[str]:
    carried = known[~known["is_measured"]]
    words = ["dashed: not measured, a straight line carried on, with limits beside its end"]
    is_open = (carried["ci_low"] < foot).any()
    return words * (len(carried) > 0) + ["dotted: the lower limit is off the axis"] * bool(is_open)


def _lines(table: pd.DataFrame) -> Iterator[tuple[Look, pd.DataFrame]]:
    """Ours in colours, one a work; the peers' in grey, with a mark each."""
    ours = cycle(GROUPS)
    peers = (NAIVE._replace(marker=marker) for marker in cycle(PEER_MARKERS))
    for (_, peer), rows in table.groupby(["work", "peer"], sort=False):
        yield next(ours if peer == "ours" else peers), rows


def _carried(rows: pd.DataFrame) -> list[pd.Series]:
    """Return the rows that were not measured and have limits."""
    known = (rows["estimate"] > 0) & rows["ci_low"].notna() & rows["ci_high"].notna()
    return [row for _, row in rows[known & ~rows["is_measured"]].iterrows()]


def _draw(ax: Axes, points: pd.DataFrame, look: Look) -> None:
    is_measured = points["is_measured"].to_numpy(bool)
    x, y = points["n_orders"].to_numpy(float), points["estimate"].to_numpy(float)
    line = {"color": look.colour, "linewidth": 1.6}
    ax.plot(x[is_measured], y[is_measured], marker=look.marker, ms=7, **line)
    for i in np.flatnonzero(~is_measured):
        if i > 0:
            ax.plot(x[[i - 1, i]], y[[i - 1, i]], linestyle=(0, (3, 2)), **line)


def _draw_limits(ax: Axes, row: pd.Series, look: Look, x: float) -> None:
    """Draw an estimate with its limits at ``x``; a lower limit off the axis leaves it dotted."""
    foot = ax.get_ylim()[0]
    line = {"color": pale(look.colour, LINE_CONTRAST), "linewidth": 2.4}
    dots = (0, (1, 1)) if row["ci_low"] < foot else "-"
    ax.plot([x, x], [max(row["ci_low"], foot), row["estimate"]], linestyle=dots, **line)
    ax.plot([x, x], [row["estimate"], row["ci_high"]], **line)
    ax.plot([x], [row["estimate"]], look.marker, color=look.colour, mfc=PAPER, ms=6, zorder=4)


def _log_axes(ax: Axes, known: pd.DataFrame) -> None:
    """Give both axes whole powers of ten, from below the least value to above the greatest.

    That of orders goes on as far as limits need that stand beside each other.
    """
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    ax.set(xscale="log", yscale="log")
    of_cost = known[["estimate", "ci_high"]].to_numpy(float).ravel()
    pairs = ((ax.xaxis, known["n_orders"].to_numpy(float)), (ax.yaxis, of_cost))
    for along, values in pairs:
        values = values[np.isfinite(values)]
        low, high = (values.min(), values.max()) if len(values) else (1.0, 10.0)
        first = np.floor(np.log10(low))
        last = max(np.ceil(np.log10(high)), first + 1)
        along.set_major_locator(FixedLocator(10.0 ** np.arange(first, last + 1)))
        along.set_minor_locator(NullLocator())
        along.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
        limits = 10.0 ** (first - ROOM), 10.0 ** (last + ROOM)
        along.axes.set(**{f"{along.axis_name}lim": limits})
    n_limits = int(known["ci_high"].notna().sum())
    ax.set_xlim(right=ax.get_xlim()[1] * 10 ** (APART * (n_limits + 1) if n_limits else 0))
    ax.grid(color=GRID, linewidth=0.8)


def _short(value: float) -> str:
    """Return a round number in few letters."""
    for size, letter in ((1e9, " bn"), (1e6, " m"), (1e3, " k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _name(rows: pd.DataFrame) -> str:
    """Name ours with the power and the number of sizes, a peer in as few lines as can be."""
    row = rows.iloc[0]
    if row["peer"] != "ours":
        return wrap(f"{plain(str(row['work']))}, {plain(str(row['peer']))}", LABEL_COLUMNS)
    is_known = (rows["estimate"] > 0).any() and not np.isnan(row["exponent"])
    power = f"power {row['exponent']:.2f}" if is_known else NO_DATA
    return f"{wrap(plain(str(row['work'])), LABEL_COLUMNS)}\n{power}, n = {count(row['n'])}"


def _n_lines(texts: Sequence[str]) -> int:
    return sum(text.count("\n") + 1 for text in texts)


def _label(ax: Axes, lines: Sequence[tuple[Look, pd.DataFrame]], texts: Sequence[str]) -> None:
    """Name each line at the right, near its end, none on another."""
    bottom, top = np.log10(ax.get_ylim())
    ends = [np.nanmax(rows["estimate"].to_numpy(float), initial=0.0) for _, rows in lines]
    wanted = [(np.log10(end) - bottom) / (top - bottom) if end > 0 else 0.0 for end in ends]
    inches = ax.get_figure(root=True).get_size_inches()[1] - OUTSIDE
    heights = [_n_lines([text]) * LABEL_LINE / POINTS / inches for text in texts]
    for place, (look, _), text in zip(spread(wanted, heights, 1.0), lines, texts, strict=True):
        ax.annotate(
            text,
            xy=(1.06, place),
            xycoords="axes fraction",
            va="center",
            fontsize=SMALL,
            linespacing=0.95,
            color=MUTED if look.colour == NAIVE.colour else INK,
            annotation_clip=False,
        )
        mark = {"color": look.colour, "ms": 7, "transform": ax.transAxes, "clip_on": False}
        ax.plot([1.035], [place], look.marker, **mark)
