"""Figures of blockers: which rules stand in the way, and how asking late changes success."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.plots.groups import Group, group_columns, header, largest, split
from analysis.plots.labels import label
from analysis.plots.panels import draw_row_panels, label_under
from analysis.plots.rates import UNDER_LABEL, parts_of_whole, share_axis, share_row
from analysis.plots.rows import Row, draw_rows, rows_axes
from analysis.plots.theme import (
    SUCCESS,
    axis_end,
    left_out,
    look_of,
    note,
    percent_axis,
    share_top,
    themed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STOPPED = "all requests that this rule stopped first"
SUCCEEDED = "requests that ended in a cancelled order"


@themed
def plot_blocker_shares(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw which share of all requests each rule stopped first, coloured by when it did.

    Parameters
    ----------
    table
        Result of ``blocker_shares``. Groups get a panel per rule.
    ax
        Axes to draw in; None makes a new figure.
    """
    if group_columns(table, "blocker"):
        return parts_of_whole(table, ax, "blocker", STOPPED, look="stage")
    rows = [share_row(label(r["blocker"]), r, look_of(r["stage"])) for _, r in table.iterrows()]
    top = share_top(table["ci_high"])
    ax = rows_axes(ax, len(rows), extra=1.5)
    share_axis(ax, STOPPED, top)
    draw_rows(ax, rows, columns=("share", "n"))
    _legend(ax, list(dict.fromkeys(table["stage"].dropna())))
    return ax


@themed
def plot_success_by_order_age(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the success rate by how long after payment the buyer asked; a panel per group.

    Parameters
    ----------
    table
        Result of ``success_by_order_age``.
    ax
        Axes to draw in; None makes a new figure.
    """
    by = group_columns(table, "order_age")
    groups, n_left = largest(split(table, by))
    if by:
        return _ages_by_group(ax, groups, by, n_left)
    rows = _ages(groups[0])
    ax = rows_axes(ax, len(rows), extra=1.3)
    share_axis(ax, SUCCEEDED, 100)
    draw_rows(ax, rows, columns=("share", "n"))
    ax.set_title("asked this long after payment", loc="right", x=0, fontsize=10.5, pad=8)
    return ax


def _ages(group: Group) -> list[Row]:
    return [share_row(r["order_age"], r, SUCCESS) for _, r in group.rows.iterrows()]


def _ages_by_group(ax: Axes | None, groups: list[Group], by: list[str], n_left: int) -> Axes:
    rows = [
        [share_row(r["order_age"], r, SUCCESS, with_n=False) for _, r in group.rows.iterrows()]
        for group in groups
    ]
    ax, panels = draw_row_panels(ax, [group.label for group in groups], rows)
    for panel in panels:
        percent_axis(panel, top=100)
        panel.set_xticks([0, 50, 100])
    label_under(ax, f"share of {SUCCEEDED} (%), by {header(by)}{axis_end(100)}")
    note(ax, left_out(n_left), below=UNDER_LABEL)
    return ax


def _legend(ax: Axes, stages: list[str]) -> None:
    from matplotlib.lines import Line2D

    looks = [look_of(stage) for stage in stages]
    handles = [
        Line2D([], [], color=look.colour, marker=look.marker, linewidth=3, markersize=7)
        for look in looks
    ]
    ax.legend(
        handles,
        [label(stage) for stage in stages],
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=2,
        handlelength=1.6,
        borderaxespad=0.2,
    )
