"""Figures of curves: how requests end, how long the window is open, when money and answers come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from analysis.plots.groups import Group, group_columns, header, largest, sizes_of, split
from analysis.plots.labels import label, wrap
from analysis.plots.lines import (
    STRIP_ROW,
    Curve,
    at_risk_strip,
    curve_of,
    draw_curve,
    head,
    label_ends,
    say_if_nothing,
    time_axis,
)
from analysis.plots.numbers import NO_DATA, count
from analysis.plots.panels import Grid, edge_ticks, label_under, panel_axes, title
from analysis.plots.theme import (
    ESTIMATE,
    GROUPS,
    INK,
    MUTED,
    SMALL,
    SUCCESS,
    Look,
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

PLOT_HEIGHT = 3.3  # inches of the curves themselves
CENSORED = "marks | where some were last seen without an end"
BIG_DROP = 0.05  # part of all requests that stop waiting at one time: worth a remark


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


@themed
def plot_refund_curve(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw which share of refunds is credited by when, a line with its band per group.

    Up to four groups share one pair of axes; more get a panel each, with the others' lines
    behind in grey.

    Parameters
    ----------
    table
        Result of ``refund_curve``.
    ax
        Axes to draw in; None makes a new figure.
    """
    return _one_end(
        table, ax, "time_days", "days since the decision", "refunds credited by then", ESTIMATE
    )


@themed
def plot_response_curve(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw which share of open requests sellers have answered by when.

    Where many requests stop waiting at one time (a deadline), the time is marked with the number
    that was still without an answer.

    Parameters
    ----------
    table
        Result of ``response_curve``.
    ax
        Axes to draw in; None makes a new figure.
    """
    return _one_end(
        table,
        ax,
        "time_hours",
        "hours since asking",
        "requests answered by then",
        SUCCESS,
        deadline=True,
    )


def _race(table: pd.DataFrame, ax: Axes | None, time: str, what: str, waiting: str) -> Axes:
    by = group_columns(table, "outcome")
    groups, n_left = largest(split(table, by))
    if by:
        return _race_panels(ax, groups, n_left, by, table, (time, what, waiting))
    curves = _outcomes(groups[0])
    ax = axes(ax, height=PLOT_HEIGHT + 1.4)
    top = share_top(table["ci_high"].fillna(table["estimate"]))
    percent_axis(ax, axis="y", top=top)
    time_axis(ax, table["time_hours"].max(), "hours")
    for curve in curves:
        draw_curve(ax, curve, marks=curve is curves[0])
    say_if_nothing(ax, curves)
    ax.set_xlabel(time)
    head(ax, f"share of {what} (%){axis_end(top)}")
    label_ends(ax, curves, [wrap(curve.label, 22) for curve in curves])
    below = at_risk_strip(ax, curves[:1], f"{waiting}, of {count(curves[0].n)}:", names=False)
    note(ax, _censored_note(curves[:1]) + few_note(table["n"], "pale"), below=below + 4)
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
    for i, (panel, group) in enumerate(zip(panels, groups, strict=True)):
        curves = _outcomes(group)
        _dress_panel(panel, i, grid, table["time_hours"].max(), "hours")
        for curve in curves:
            draw_curve(panel, curve, marks=False)
        _under_panel(panel, i, grid, curves[0], waiting)
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


def _one_end(
    table: pd.DataFrame,
    ax: Axes | None,
    time: str,
    axis_words: str,
    what: str,
    look: Look,
    *,
    deadline: bool = False,
) -> Axes:
    by = group_columns(table, time)
    groups, n_left = largest(split(table, by))
    unit = time.removeprefix("time_")
    looks = [look] if not by else GROUPS if len(groups) <= len(GROUPS) else [look] * len(groups)
    curves = [curve_of(g.rows, time, g.label, k) for g, k in zip(groups, looks, strict=False)]
    if len(curves) > len(GROUPS):
        return _panels(ax, curves, unit, f"{axis_words}, by {header(by)}", what, n_left)
    ax = axes(ax, height=PLOT_HEIGHT + 1.2 + 0.22 * len(curves))
    percent_axis(ax, axis="y")
    time_axis(ax, table[time].max(), unit)
    for curve in curves:
        draw_curve(ax, curve)
    say_if_nothing(ax, curves)
    ax.set_xlabel(axis_words)
    head(ax, f"share of {what} (%)")
    if by:
        label_ends(ax, curves, [f"{wrap(c.label, 20)}\nn = {count(c.n)}" for c in curves])
    if deadline and not by:
        _mark_deadline(ax, curves[0])
    waiting = "still waiting:" if by else f"still waiting, of {count(curves[0].n)}:"
    below = at_risk_strip(ax, curves, waiting, names=bool(by))
    remarks = _censored_note(curves) + few_note(sizes_of(groups), "pale") + left_out(n_left)
    note(ax, remarks, below=below + 4)
    return ax


def _panels(
    ax: Axes | None, curves: Sequence[Curve], unit: str, axis_words: str, what: str, n_left: int
) -> Axes:
    grid = Grid(len(curves), 3, height=1.3, over=0.5, under=0.6)
    ax, panels = panel_axes(ax, grid, extra=1.0)
    last = max(curve.time.max() for curve in curves)
    for i, (panel, curve) in enumerate(zip(panels, curves, strict=True)):
        _dress_panel(panel, i, grid, last, unit)
        for other in curves:
            if other is not curve:
                draw_curve(panel, other, quiet=True)
        draw_curve(panel, curve)
        _under_panel(panel, i, grid, curve, "waiting")
        words = f"{curve.label}\nn = {count(curve.n)}" + ("" if curve.is_known else f", {NO_DATA}")
        title(panel, words, columns=grid.columns, colour=INK if curve.is_known else MUTED)
    label_under(ax, axis_words)
    ax.set_title(f"share of {what} (%)", loc="left")
    remarks = ["grey: the other groups", *_censored_note(curves)]
    note(ax, remarks + few_note([c.n for c in curves], "pale") + left_out(n_left), below=28)
    return ax


def _dress_panel(panel: Axes, i: int, grid: Grid, last: float, unit: str) -> None:
    percent_axis(panel, axis="y")
    panel.set_yticks([0, 50, 100])
    time_axis(panel, last, unit, most=2)
    edge_ticks(panel)
    if i % grid.columns:
        panel.tick_params(axis="y", labelleft=False)


def _under_panel(panel: Axes, i: int, grid: Grid, curve: Curve, words: str) -> None:
    at_risk_strip(panel, [curve], "", names=False, inside=True, top=21 - STRIP_ROW)
    if i % grid.columns == 0:
        panel.annotate(
            words,
            xy=(0, 0),
            xycoords="axes fraction",
            xytext=(-20, -21),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize=SMALL,
            color=MUTED,
            annotation_clip=False,
        )


def _censored_note(curves: Sequence[Curve]) -> list[str]:
    return [CENSORED] if any(curve.censored.max(initial=0) > 0 for curve in curves) else []


def _mark_deadline(ax: Axes, curve: Curve) -> None:
    """Mark the time after which a large part of the requests is no longer waiting, unanswered."""
    gone = pd.Series(curve.censored).diff()
    if not gone.max() > BIG_DROP * curve.n:
        return
    at = int(gone.idxmax())
    ax.axvline(curve.time[at], color=MUTED, linewidth=1.2, linestyle=(0, (2, 2)), zorder=2)
    ax.annotate(
        f"{count(curve.at_risk[at])} still without\nan answer at {curve.time[at]:g} hours",
        xy=(curve.time[at], 8),
        xytext=(-6, 0),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=SMALL,
        color=INK,
    )
