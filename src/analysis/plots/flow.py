"""Figure of the cancel dialogue: how far people get who set out to cancel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.plots.groups import group_columns
from analysis.plots.labels import label
from analysis.plots.numbers import count, percent
from analysis.plots.rates import parts_of_whole, share_axis, share_text
from analysis.plots.rows import Row, draw_absence, draw_intervals, name_rows, rows_axes
from analysis.plots.theme import (
    ESTIMATE,
    FEW_CONTRAST,
    INK,
    LINE_CONTRAST,
    SUCCESS,
    Look,
    few_note,
    is_few,
    note,
    pale,
    themed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BAR = 0.62  # height of a bar, of the distance between rows


@themed
def plot_cancel_flow_funnel(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw which share of sessions reached each step: a bar with its interval a step.

    Parameters
    ----------
    table
        Result of ``cancel_flow_funnel``. Groups get a panel per step.
    ax
        Axes to draw in; None makes a new figure.
    """
    if group_columns(table, "step"):
        return parts_of_whole(table, ax, "step", "sessions that got this far", top=100)
    rows = [_step_row(row) for _, row in table.iterrows()]
    ax = rows_axes(ax, rows, extra=1.4)
    share_axis(ax, "sessions that got this far", 100, n=table["n"].max())
    for y, row in enumerate(rows):
        if np.isnan(row.estimate):
            draw_absence(ax, y)
            continue
        colour = pale(row.look.colour, FEW_CONTRAST if row.few else LINE_CONTRAST)
        ax.barh(y, row.estimate, BAR, color=colour, zorder=2)
    known = [(y, row) for y, row in enumerate(rows) if not np.isnan(row.estimate)]
    draw_intervals(ax, [(y, replace(row, look=Look(INK))) for y, row in known], on_bars=True)
    name_rows(ax, rows, columns=("of all", "of step\nbefore", "sessions"))
    note(ax, few_note(table["n"], "pale"), below=44)
    return ax


def _step_row(row: pd.Series) -> Row:
    before = row["of_previous"]
    texts = (
        share_text(row["estimate"]),
        "" if np.isnan(before) else percent(before),
        count(row["n_events"]),
    )
    shares = [row[name] * 100 for name in ("estimate", "ci_low", "ci_high")]
    look = SUCCESS if row["step"] == "cancelled" else ESTIMATE
    return Row(label(row["step"]), *shares, texts=texts, look=look, few=is_few(row["n"]))
