"""Figures of races: by when requests end in which way, and what closes the window of orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from analysis.plots.curve_panels import PLOT_HEIGHT, censored_note, dress_panel, under_panel
from analysis.plots.groups import Group, group_columns, header, largest, sizes_of, split
from analysis.plots.labels import label, wrap
from analysis.plots.lines import (
    Curve,
    at_risk_strip,
    curve_of,
    draw_curve,
    head,
    label_ends,
    last_time,
    say_if_nothing,
    time_axis,
)
from analysis.plots.numbers import count
from analysis.plots.panels import Grid, label_under, panel_axes, title
from analysis.plots.theme import (
    axes,
    axis_end,
    few_note,
    left_out,
    look_of,
    note,
    percent_axis,
    share_top,
    themed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend


@themed
def plot_outcome_curve(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw by when how many requests ended in which way: a line with its band per outcome.

    Groups get a panel each. Lines and not stacked areas, so that every share starts at 0 and
    has its interval.

    Parameters
    ----------
    table
        Result of ``outcome_curve``.
    ax
        Axes to draw in; None makes a new figure.
    """
    return _race(table, ax, "hours since asking", "requests that ended so by then", "undecided")


@themed
def plot_window_curve(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw how many orders can still be cancelled, and what closed the window of the others.

    Parameters
    ----------
    table
        Result of ``window_curve``.
    ax
        Axes to draw in; None makes a new figure.
    """
    return _race(table, ax, "hours since payment", "paid orders", "still open")


def _race(table: pd.DataFrame, ax: Axes | None, time: str, what: str, waiting: str) -> Axes:
    by = group_columns(table, "outcome")
    groups, n_left = largest(split(table, by))
    if by:
        return _race_panels(ax, groups, n_left, by, table, (time, what, waiting))
    curves = _outcomes(groups[0])
    ax = axes(ax, height=PLOT_HEIGHT + 1.4)
    top = share_top(table["ci_high"].fillna(table["estimate"]))
    percent_axis(ax, axis="y", top=top)
    time_axis(ax, last_time(curves), "hours")
    for curve in curves:
        draw_curve(ax, curve, marks=curve is curves[0])
    say_if_nothing(ax, curves)
    ax.set_xlabel(time)
    head(ax, f"share of {what} (%){axis_end(top)}")
    label_ends(ax, curves, [wrap(curve.label, 22) for curve in curves])
    below = at_risk_strip(
        ax, curves[:1], f"{waiting} just before, of {count(curves[0].n)}:", names=False
    )
    note(ax, censored_note(curves[:1]) + few_note(table["n"], "pale"), below=below + 4)
    return ax


def _outcomes(group: Group) -> list[Curve]:
    parts = group.rows.groupby("outcome", sort=False)
    return [curve_of(rows, "time_hours", label(word), look_of(word)) for word, rows in parts]


def _race_panels(
    ax: Axes | None,
    groups: Sequence[Group],
    n_left: int,
    by: list[str],
    table: pd.DataFrame,
    words: tuple[str, str, str],
) -> Axes:
    time, what, waiting = words
    grid = Grid(len(groups), min(3, len(groups)), height=1.5, over=0.5, under=0.6)
    ax, panels = panel_axes(ax, grid, extra=1.8)
    every = [_outcomes(group) for group in groups]
    last = last_time([curve for curves in every for curve in curves])
    for i, (panel, group, curves) in enumerate(zip(panels, groups, every, strict=True)):
        dress_panel(panel, i, grid, last, "hours")
        for curve in curves:
            draw_curve(panel, curve, marks=False)
        under_panel(panel, i, grid, curves[0], waiting)
        title(panel, f"{group.label}\nn = {count(curves[0].n)}", columns=grid.columns)
    label_under(ax, f"{time}, by {header(by)}")
    legend = _legend(ax, list(dict.fromkeys(table["outcome"])))
    legend.set_title(f"share of {what} (%)")
    note(ax, few_note(sizes_of(groups), "pale") + left_out(n_left), below=28)
    return ax


def _legend(ax: Axes, words: Sequence[str]) -> Legend:
    from matplotlib.lines import Line2D

    looks = [look_of(word) for word in words]
    handles = [Line2D([], [], color=look.colour, linestyle=look.line, lw=2) for look in looks]
    return ax.legend(
        handles,
        [label(word) for word in words],
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        borderaxespad=0.4,
        borderpad=0,
        ncols=2,
        handlelength=2.6,
        columnspacing=1.4,
        alignment="left",
    )
