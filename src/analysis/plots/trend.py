"""Figure of success over time: cohorts with intervals, their usual scatter, and nowcasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.plots.groups import group_columns, header, largest, sizes_of, split
from analysis.plots.lines import head
from analysis.plots.numbers import NO_DATA, count
from analysis.plots.panels import ROW_GAP, Grid, label_under, panel_axes, title
from analysis.plots.theme import (
    GRID,
    LINE_CONTRAST,
    MUTED,
    PAPER,
    SUCCESS,
    Look,
    axes,
    few_note,
    is_few,
    left_out,
    note,
    pale,
    percent_axis,
    themed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT, PANEL_HEIGHT = 3.9, 1.5  # inches
BELOW = 58.0  # points under the axes where remarks begin
NOWCAST = Look("#0B7A75", (0, (1.2, 1.2)), "D")
SIGNALS = {"above": Look("#1F5A8C", "-", "^"), "below": Look("#D55E00", "-", "v")}
WHAT = "share of requests that ended in a cancelled order"
ROOM_DAYS = 4  # beside the first and the last cohort


@themed
def plot_success_rate_trend(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the success rate of each cohort with its interval, over the band of usual scatter.

    Cohorts outside the band are triangles, nowcasts are diamonds with dotted intervals. Groups
    have a panel each.

    Parameters
    ----------
    table
        Result of ``success_rate_trend``, with any ``by``.
    ax
        Axes to draw in; None makes a new figure.
    """
    by = group_columns(table, "cohort_at")
    if by:
        return _panels(table, ax, by)
    ax = axes(ax, height=HEIGHT)
    _draw(ax, table)
    _date_axis(ax, table)
    head(ax, WHAT)
    ax.set_xlabel(f"{_asked(table)}\n{_sizes(table)}")
    note(ax, _remarks(table) + few_note(table["n"], "pale"), below=BELOW)
    return ax


def _panels(table: pd.DataFrame, ax: Axes | None, by: list[str]) -> Axes:
    groups, n_left = largest(split(table, by))
    grid = Grid(len(groups), min(2, len(groups)), PANEL_HEIGHT, over=0.62, under=0.34, gap=ROW_GAP)
    whole, panels = panel_axes(ax, grid, extra=1.1)
    for panel, group in zip(panels, groups, strict=True):
        _draw(panel, group.rows)
        _date_axis(panel, table)
        title(panel, f"{group.label}\n{_sizes(group.rows)}", columns=grid.columns)
    label_under(whole, f"{WHAT}, by {header(by)}\n{_asked(table)}")
    remarks = _remarks(table) + few_note(sizes_of(groups), "pale") + left_out(n_left)
    note(whole, remarks, below=BELOW)
    return whole


def _asked(table: pd.DataFrame) -> str:
    first, last = table["cohort_at"].min(), table["cohort_at"].max()
    return f"when buyers asked, cohorts of {first:%Y-%m-%d} to {last:%Y-%m-%d}"


def _sizes(rows: pd.DataFrame) -> str:
    least, most = count(rows["n"].min()), count(rows["n"].max())
    return f"n = {most} a cohort" if least == most else f"n = {least} to {most} a cohort"


def _remarks(table: pd.DataFrame) -> list[str]:
    lines = ["band: usual scatter of cohorts around the line, their common rate"]
    if table["is_nowcast"].any():
        lines.append("diamond, dotted: a nowcast, because some requests are not decided yet")
    if table["signal"].isin(list(SIGNALS)).any():
        lines.append("triangle: a cohort outside the usual scatter")
    return lines


def _draw(ax: Axes, rows: pd.DataFrame) -> None:
    percent_axis(ax, axis="y")
    if rows["estimate"].isna().all():
        ax.text(0.5, 0.5, NO_DATA, transform=ax.transAxes, ha="center", color=MUTED, style="italic")
        return
    when = _days(rows["cohort_at"])
    low, high, centre = (
        rows[c].to_numpy(float) * 100 for c in ("control_low", "control_high", "centre")
    )
    ax.fill_between(when, low, high, step="mid", color=GRID, alpha=0.7, linewidth=0, zorder=1)
    ax.plot(when, centre, color=MUTED, linewidth=1.2, zorder=2)
    for x, (_, row) in zip(when, rows.iterrows(), strict=True):
        if np.isfinite(row["estimate"]):
            _draw_cohort(ax, x, row)


def _draw_cohort(ax: Axes, x: float, row: pd.Series) -> None:
    look = NOWCAST if row["is_nowcast"] else SIGNALS.get(row["signal"], SUCCESS)
    few = is_few(row["n"])
    colour = pale(look.colour) if few else look.colour
    ends = [row["ci_low"] * 100, row["ci_high"] * 100]
    line = {"linestyle": look.line, "linewidth": 1.2 if few else 2.4}
    ax.plot([x, x], ends, color=pale(colour, LINE_CONTRAST), **line)
    ax.plot(
        [x],
        [row["estimate"] * 100],
        look.marker,
        color=colour,
        markerfacecolor=PAPER if row["is_nowcast"] else colour,
        markersize=6 if look is SUCCESS else 7,
        clip_on=False,
        zorder=4,
    )


def _days(moments: pd.Series) -> np.ndarray:
    from matplotlib.dates import date2num

    return np.asarray(date2num(moments.dt.tz_localize(None).to_numpy()), float)


def _date_axis(ax: Axes, table: pd.DataFrame) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    when = _days(table["cohort_at"])
    ax.set_xlim(when.min() - ROOM_DAYS, when.max() + ROOM_DAYS)
    locator = AutoDateLocator(minticks=2, maxticks=5)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
