"""Figures of blockers: which rules stand in the way, and how asking late changes success."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from analysis.plots.groups import Group, group_columns, header, largest, split
from analysis.plots.labels import label
from analysis.plots.numbers import count
from analysis.plots.panels import draw_row_panels, edge_ticks, label_under
from analysis.plots.rates import UNDER_LABEL, parts_of_whole, share_axis, share_row, share_text
from analysis.plots.rows import Row, draw_rows, head, legend_above, rows_axes
from analysis.plots.theme import (
    INK,
    PAPER,
    SUCCESS,
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

STOPPED = "all requests that this rule stopped first"
SUCCEEDED = "requests that ended in a cancelled order"
STAGE = "stage"
RANGE = [
    "lines: from stopped by this rule alone to stopped by it at all",
    "diamonds: stopped by it first",
]
OVERLAP_EDGES = (46.0, 92.0, 138.0, 184.0)  # points beside the axes
SPLIT = "all requests, overlaps split"


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
    ax = parts_of_whole(table, ax, "blocker", STOPPED, look="stage")
    stages = list(dict.fromkeys(table["stage"].dropna()))
    legend_above(ax, [look_of(stage) for stage in stages], [label(stage) for stage in stages])
    return ax


@themed
def plot_blocker_overlap(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the part of each rule in the requests that were stopped, where rules overlap.

    The dot is the even split (Shapley) with its interval; the thin line under it runs from the
    requests that the rule alone stopped to all that it stood in the way of, with a diamond at
    those that it stopped first.

    Parameters
    ----------
    table
        Result of ``blocker_overlap``. Groups get a panel per rule, with the dots only.
    ax
        Axes to draw in; None makes a new figure.
    """
    if group_columns(table, "blocker"):
        counted = table.assign(n_events=table["n_any"])
        return parts_of_whole(counted, ax, "blocker", SPLIT, look=STAGE)
    rows = [_overlap_row(row) for _, row in table.iterrows()]
    ax = rows_axes(ax, rows, extra=1.9)
    top = share_top([*table["ci_high"], *table["any_share"]])
    share_axis(ax, SPLIT, top, n=table["n"].max())
    draw_rows(ax, rows, columns=("even\nsplit", "first", "alone", "at all"), edges=OVERLAP_EDGES)
    for y, row in table.iterrows():
        _draw_range(ax, y, row)
    stages = list(dict.fromkeys(table[STAGE].dropna()))
    words = [label(stage) for stage in stages]
    legend_above(ax, [look_of(stage) for stage in stages], words, lift=32)
    note(ax, RANGE + few_note(table["n"]), below=UNDER_LABEL + (0 if top == 100 else 16))
    return ax


def _overlap_row(row: pd.Series) -> Row:
    shares = ("estimate", "first_share", "only_share", "any_share")
    texts = tuple(share_text(row[name]) for name in shares)
    return replace(share_row(label(row["blocker"]), row, look_of(row[STAGE])), texts=texts)


def _draw_range(ax: Axes, y: float, row: pd.Series) -> None:
    """Draw, under a dot, the ways of counting that are not shared out."""
    if pd.isna(row["estimate"]):
        return
    only, first, whole = (row[f"{name}_share"] * 100 for name in ("only", "first", "any"))
    style = {"color": INK, "clip_on": False, "zorder": 3, "label": "_ways of counting"}
    ax.plot([only, whole], [y + 0.27] * 2, "-|", linewidth=1.0, markersize=5, **style)
    ax.plot([first], [y + 0.27], "D", markersize=4, markerfacecolor=PAPER, **style)


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
    rows = [share_row(r["order_age"], r, SUCCESS) for _, r in table.iterrows()]
    ax = rows_axes(ax, rows, extra=1.3)
    share_axis(ax, SUCCEEDED, 100)
    draw_rows(ax, rows, columns=("share", "n"))
    head(ax, "asked, from payment")
    note(ax, few_note(table["n"]), below=UNDER_LABEL)
    return ax


def _ages_by_group(ax: Axes | None, groups: list[Group], by: list[str], n_left: int) -> Axes:
    rows = [
        [share_row(r["order_age"], r, SUCCESS, counted="") for _, r in group.rows.iterrows()]
        for group in groups
    ]
    titles = [f"{group.label}\nn = {count(group.rows['n'].sum())}" for group in groups]
    ax, panels = draw_row_panels(ax, titles, rows)
    for panel in panels:
        percent_axis(panel, top=100)
        panel.set_xticks([0, 50, 100])
        edge_ticks(panel)
    label_under(ax, f"share of {SUCCEEDED} (%), by {header(by)}")
    sizes = [n for group in groups for n in group.rows["n"]]
    note(ax, few_note(sizes) + left_out(n_left), below=UNDER_LABEL)
    return ax
