"""Figure of how fast windows close: the rate per hour, interval by interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.plots.curve_panels import PLOT_HEIGHT
from analysis.plots.groups import Group, group_columns, header, largest, sizes_of, split
from analysis.plots.labels import label, wrap
from analysis.plots.lines import (
    Curve,
    at_risk_strip,
    draw_curve,
    head,
    label_ends,
    last_time,
    say_if_nothing,
    time_axis,
)
from analysis.plots.numbers import MIN_N, count
from analysis.plots.panels import Grid, edge_ticks, label_under, panel_axes, title
from analysis.plots.theme import (
    axes,
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

WHAT = "orders still open that close per hour (%)"
HIGHEST = 1.25  # top of the axis, of the highest estimate that rests on enough orders


@themed
def plot_window_hazard(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw how many of the orders still open close per hour, and by what: a step an interval.

    Groups get a panel each, with all ends together.

    Parameters
    ----------
    table
        Result of ``window_hazard``.
    ax
        Axes to draw in; None makes a new figure.
    """
    by = group_columns(table, "outcome")
    groups, n_left = largest(split(table, by))
    if by:
        return _panels(ax, groups, n_left, by)
    curves = _ends(groups[0])
    ax = axes(ax, height=PLOT_HEIGHT + 1.4)
    _rate_axis(ax, table)
    time_axis(ax, last_time(curves), "hours")
    for curve in curves:
        draw_curve(ax, curve, marks=False)
    say_if_nothing(ax, curves)
    ax.set_xlabel("hours since payment")
    head(ax, f"{WHAT}{_cut(ax, table)}")
    label_ends(ax, curves, [wrap(curve.label, 22) for curve in curves])
    words = f"open as the interval begins, of {count(curves[0].n)}:"
    below = at_risk_strip(ax, curves[:1], words, names=False)
    note(ax, few_note(table["n"], "pale"), below=below + 4)
    return ax


def _ends(group: Group) -> list[Curve]:
    parts = group.rows.groupby("outcome", sort=False)
    return [_steps(rows, label(word), word) for word, rows in parts]


def _steps(rows: pd.DataFrame, words: str, outcome: str) -> Curve:
    """Return a curve that holds each interval's rate from its beginning to its end."""
    rows = rows.sort_values("from_hours", kind="stable")
    time = np.append(rows["from_hours"], rows["to_hours"].iloc[-1])
    rates = (
        np.append(values, values[-1]) * 100
        for values in (rows[c].to_numpy(float) for c in ("estimate", "ci_low", "ci_high"))
    )
    at_risk = np.append(rows["n_at_risk"], np.nan)  # no interval begins where the last one ends
    none = np.zeros(len(time))
    return Curve(words, time, *rates, at_risk, none, rows["n"].max(), look_of(outcome))


def _top(table: pd.DataFrame) -> float:
    """Where the axis ends: above what is well known, not above the widest interval."""
    enough = table[table["n_at_risk"] >= MIN_N]
    known = (enough if len(enough) else table)["estimate"].max()
    known = 0.01 if np.isnan(known) else known
    return share_top([known * HIGHEST]) if known * HIGHEST <= 1 else np.ceil(known * HIGHEST) * 100


def _rate_axis(ax: Axes, table: pd.DataFrame) -> None:
    percent_axis(ax, axis="y", top=_top(table))


def _cut(ax: Axes, table: pd.DataFrame) -> str:
    """Return the words that say what the axis cuts off; it holds all that rests on enough."""
    top = ax.get_ylim()[1]
    if table["estimate"].max() * 100 > top:
        return f"\n(cut off: wider intervals, and rates of fewer than {MIN_N} at risk)"
    return "\n(wider intervals are cut off)" if table["ci_high"].max() * 100 > top else ""


def _panels(ax: Axes | None, groups: Sequence[Group], n_left: int, by: list[str]) -> Axes:
    grid = Grid(len(groups), min(3, len(groups)), height=1.5, over=0.5, under=0.6)
    ax, panels = panel_axes(ax, grid, extra=1.3)
    firsts = [
        group.rows[group.rows["outcome"] == group.rows["outcome"].iloc[0]] for group in groups
    ]
    curves = [
        _steps(rows, g.label, rows["outcome"].iloc[0])
        for g, rows in zip(groups, firsts, strict=True)
    ]
    shown = pd.concat(firsts)
    last = last_time(curves)
    for i, (panel, group, curve) in enumerate(zip(panels, groups, curves, strict=True)):
        _rate_axis(panel, shown)
        time_axis(panel, last, "hours", most=2)
        edge_ticks(panel)
        if i % grid.columns:
            panel.tick_params(axis="y", labelleft=False)
        draw_curve(panel, curve, marks=False)
        say_if_nothing(panel, [curve])
        title(panel, f"{group.label}\nn = {count(curve.n)}", columns=grid.columns)
    label_under(ax, f"hours since payment, by {header(by)}")
    ax.set_title(f"{WHAT}{_cut(panels[0], shown)}", loc="left")
    note(ax, few_note(sizes_of(groups), "pale") + left_out(n_left), below=28)
    return ax
