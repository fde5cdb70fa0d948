"""Figures of the way to the money: which stage is slow, and whether all of it arrives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.plots.durations import days_axis
from analysis.plots.groups import Group, group_columns, header, largest, sizes_of, split
from analysis.plots.numbers import count, days, percent
from analysis.plots.panels import draw_row_panels, edge_ticks, label_under
from analysis.plots.rates import grouped_rows, share_axis, share_text
from analysis.plots.rows import (
    Place,
    Row,
    draw_absence,
    draw_estimates,
    draw_intervals,
    draw_rows,
    head,
    name_rows,
    rows_axes,
)
from analysis.plots.theme import (
    ESTIMATE,
    OTHER,
    SUCCESS,
    Look,
    few_note,
    is_few,
    left_out,
    note,
    share_top,
    themed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STAGES = {  # as a person calls them
    "decision": "asking to decision",
    "start": "decision to sending",
    "arrival": "sending to credit",
    "total": "asking to credit",
}
NOT_TOLD = "cannot be told yet"
NOT_SUFFICIENT = "not sufficient"


@themed
def plot_stage_durations(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the mean days of each stage and of all together, a panel each for groups.

    Parameters
    ----------
    table
        Result of ``stage_durations``.
    ax
        Axes to draw in; None makes a new figure.
    """
    by = group_columns(table, "stage")
    horizon = table["horizon_days"].max()
    words = f"mean days, counting at most {horizon:g} of each"
    if by:
        return _stage_panels(table, ax, by, words)
    rows = [_stage_row(STAGES[row["stage"]], row) for _, row in table.iterrows()]
    ax = rows_axes(ax, rows, extra=1.15)
    days_axis(ax, table)
    draw_rows(ax, rows, columns=("days", "n", "of all"))
    ax.set_xlabel(words)
    note(ax, few_note(table["n"]), below=44)
    return ax


def _stage_panels(table: pd.DataFrame, ax: Axes | None, by: list[str], words: str) -> Axes:
    groups, n_left = largest(split(table, by))
    shown = [stage for stage in STAGES if (table["stage"] == stage).any()]
    rows = [[_stage_cell(group, stage) for group in groups] for stage in shown]
    ax, panels = draw_row_panels(ax, [STAGES[stage] for stage in shown], rows, n_columns=2)
    for panel in panels:
        days_axis(panel, table)
        edge_ticks(panel)
    label_under(ax, f"{words}, by {header(by)}")
    note(ax, few_note(table["n"]) + left_out(n_left), below=44)
    return ax


def _stage_cell(group: Group, stage: str) -> Row:
    found = group.rows[group.rows["stage"] == stage]
    name = f"{group.label}\nn = {count(group.rows['n'].max())}"
    if found.empty:
        return Row(name)
    row = _stage_row(name, found.iloc[0])
    return Row(name, row.estimate, row.low, row.high, row.texts[:1], row.look, row.few)


def _stage_row(words: str, row: pd.Series) -> Row:
    limits = (row["estimate"], row["ci_low"], row["ci_high"])
    own = row["share_of_total"] if row["stage"] != "total" else np.nan
    length = "–" if np.isnan(row["estimate"]) else days(row["estimate"]).rpartition(" ")[0]
    texts = (length, count(row["n"]), "–" if np.isnan(own) else percent(own))
    look = SUCCESS if row["stage"] == "total" else ESTIMATE
    return Row(words, *limits, texts=texts, look=look, few=is_few(row["n"]))


@themed
def plot_never_refunded_share(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw which share of refunds never arrives, or, where that is not known, at most how many.

    Parameters
    ----------
    table
        Result of ``never_refunded_share``.
    ax
        Axes to draw in; None makes a new figure.
    """
    by = group_columns(table, "estimate")
    groups, n_left = largest(split(table, by))
    rows = grouped_rows(groups, by, lambda group, words: _never_row(words, group.rows.loc[0]))
    ax = rows_axes(ax, rows, extra=1.3)
    top = share_top([group.rows["at_most"].max() for group in groups])
    share_axis(ax, "refunds that never arrive", top)
    _draw_never(ax, [(y, row) for y, row in enumerate(rows) if not row.heading])
    name_rows(ax, rows, columns=("never", "at most", "n"))
    head(ax, header(by))
    is_open = any(row.look is OTHER for row in rows)
    remarks = [f"dotted: {NOT_TOLD}, but at most so many"] if is_open else []
    remarks += few_note(sizes_of(groups)) + left_out(n_left)
    note(ax, remarks, below=44 + (0 if top == 100 else 16))
    return ax


def _never_row(words: str, row: pd.Series) -> Row:
    told = row["follow_up"] != NOT_SUFFICIENT
    high = row["ci_high"] if told else row["at_most"]
    look: Look = ESTIMATE if told else OTHER
    texts = (share_text(row["estimate"]), share_text(row["at_most"]), count(row["n"]))
    shares = (row["estimate"] * 100, row["ci_low"] * 100, high * 100)
    return Row(words, *shares, texts=texts, look=look, few=is_few(row["n"]))


def _draw_never(ax: Axes, places: Sequence[Place]) -> None:
    draw_estimates(ax, [(y, row) for y, row in places if row.look is not OTHER])
    untold = [(y, row) for y, row in places if row.look is OTHER]
    for y, row in untold:
        if np.isnan(row.high):
            draw_absence(ax, y)
    draw_intervals(ax, [(y, row) for y, row in untold if not np.isnan(row.high)])
