"""Figures of comparisons: how much longer, which ends are commoner, what brings money sooner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.plots.groups import Group, group_columns, header, largest, sizes_of, split
from analysis.plots.labels import column_label, label, value_label
from analysis.plots.numbers import count, days, ratio
from analysis.plots.panels import draw_row_panels, edge_ticks, label_under
from analysis.plots.rates import UNDER_LABEL, parts_of_whole, share_row
from analysis.plots.rows import Row, draw_estimates, draw_rows, head, legend_above, rows_axes
from analysis.plots.theme import (
    ESTIMATE,
    GRID,
    GROUPS,
    MUTED,
    SUCCESS,
    axis_end,
    cut_note,
    few_note,
    is_few,
    left_out,
    note,
    percent_axis,
    share_top,
    themed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PANELS = 9
RATIO_ENDS = (0.005, 200)  # an axis of ratios goes no further, unless an estimate does
MOST_TICKS = 9
RATIO_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


@themed
def plot_refund_time_difference(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw how many days longer or shorter refunds take than the baseline's, with intervals.

    Parameters
    ----------
    table
        Result of ``refund_time_difference``. Groups get a panel per value.
    ax
        Axes to draw in; None makes a new figure.
    """
    by = group_columns(table, "compared")
    beside = value_label(table["baseline"].iloc[0])
    what = f"days longer (+) or shorter (−) than {beside}"
    most = f"at most {table['horizon_days'].max():g} days of each refund count"
    if by:
        return _differences_by_group(table, ax, by, [what, most])
    rows = [_difference_row(value_label(row["value"]), row) for _, row in table.iterrows()]
    ax = rows_axes(ax, rows, extra=1.4)
    _around_zero(ax, table)
    draw_rows(ax, rows, columns=("days", "n"))
    head(ax, column_label(table["compared"].iloc[0]))
    ax.set_xlabel(f"{what}\n({most})")
    note(ax, few_note(table["n"]), below=UNDER_LABEL + 16)
    return ax


def _differences_by_group(
    table: pd.DataFrame, ax: Axes | None, by: list[str], words: Sequence[str]
) -> Axes:
    groups, n_left = largest(split(table, by))
    values = list(dict.fromkeys(table["value"]))[:MOST_PANELS]
    rows = [[_cell(group, value) for group in groups] for value in values]
    ax, panels = draw_row_panels(ax, [value_label(value) for value in values], rows)
    shown = pd.concat([group.rows for group in groups])
    for panel in panels:
        _around_zero(panel, shown)
        edge_ticks(panel)
    label_under(ax, f"{words[0]}, by {header(by)}")
    remarks = few_note(sizes_of(groups)) + left_out(n_left)
    more = len(set(table["value"])) - len(values)
    note(ax, [words[1], *remarks, *left_out(more, "value")], below=UNDER_LABEL)
    return ax


def _cell(group: Group, value: str) -> Row:
    found = group.rows[group.rows["value"] == value]
    name = f"{group.label}\nn = {count(group.rows['n'].max())}"
    return Row(name) if found.empty else _difference_row(name, found.iloc[0])


def _difference_row(words: str, row: pd.Series) -> Row:
    limits = (row["estimate"], row["ci_low"], row["ci_high"])
    texts = (signed_days(row["estimate"]), count(row["n"]))
    few = is_few(min(row["n"], row["n_baseline"]))
    return Row(words, *limits, texts=texts, look=ESTIMATE, few=few)


def signed_days(value: float) -> str:
    """Return a difference in days with its sign, for a column of text.

    Examples
    --------
    >>> signed_days(1.234), signed_days(-12.0), signed_days(0.01), signed_days(float("nan"))
    ('+1.2', '−12', '+<0.1', '–')
    """
    if np.isnan(value):
        return "–"
    size = days(abs(value)).rpartition(" ")[0].replace("under ", "<")
    return f"{'−' if value < 0 else '+' if value > 0 else ''}{size}"


def _around_zero(ax: Axes, table: pd.DataFrame) -> None:
    """Give an axis of differences limits that hold every known limit, and a line at 0."""
    from matplotlib.ticker import MaxNLocator

    values = table[["estimate", "ci_low", "ci_high"]].to_numpy(float)
    known = np.append(values[np.isfinite(values)], 0.0)
    low, high = known.min(), known.max()
    room = 0.06 * max(high - low, 1.0)
    ax.set_xlim(low - room, high + room)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.grid(axis="x", color=GRID, linewidth=0.8)
    ax.axvline(0, color=MUTED, linewidth=1.2, zorder=2)


@themed
def plot_outcome_difference(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw which share of requests ended in each way by the horizon, a panel per outcome.

    Parameters
    ----------
    table
        Result of ``outcome_difference``. Values are rows; with groups, groups are rows and the
        largest values marks beside each other.
    ax
        Axes to draw in; None makes a new figure.
    """
    by = group_columns(table, "outcome")
    what = f"requests that ended so within {table['horizon_hours'].max():g} hours"
    if by:
        return _outcomes_by_group(table, ax, by, what)
    between = table["compared"].iloc[0]
    rows = table.drop(columns=["compared"])
    rows.insert(0, between, rows.pop("value"))
    return parts_of_whole(rows, ax, "outcome", what)


def _outcomes_by_group(table: pd.DataFrame, ax: Axes | None, by: list[str], what: str) -> Axes:
    groups, n_left = largest(split(table, by))
    sizes = table.groupby("value", sort=False)["n"].max().sort_values(ascending=False)
    values = list(sizes.index[: len(GROUPS)])
    outcomes = list(dict.fromkeys(table["outcome"]))[:MOST_PANELS]
    rows = [[_mark(group, outcome, values[0], 0) for group in groups] for outcome in outcomes]
    ax, panels = draw_row_panels(ax, [label(one) for one in outcomes], rows)
    top = share_top(table["ci_high"])
    steps = np.linspace(0, 0.45, len(values))
    for panel, outcome in zip(panels, outcomes, strict=True):
        percent_axis(panel, top=top)
        panel.set_xticks([0, top / 2, top])
        edge_ticks(panel)
        for i, (value, step) in enumerate(zip(values, steps, strict=True)):
            marks = [_mark(group, outcome, value, i) for group in groups if i]
            known = [(y + step, m) for y, m in enumerate(marks) if np.isfinite(m.estimate)]
            draw_estimates(panel, known, size=5)
        panel.set_ylim(len(groups) - 0.3, -0.5)
    legend_above(panels[0], GROUPS[: len(values)], [value_label(v) for v in values], lift=30)
    label_under(ax, f"share of {what} (%), by {header(by)}{axis_end(top)}")
    remarks = few_note(sizes_of(groups)) + left_out(n_left)
    note(ax, remarks + left_out(len(sizes) - len(values), "value"), below=UNDER_LABEL)
    return ax


def _mark(group: Group, outcome: str, value: str, number: int) -> Row:
    rows = group.rows
    found = rows[(rows["outcome"] == outcome) & (rows["value"] == value)]
    name = f"{group.label}\nn = {count(rows['n'].max())}"
    if found.empty:
        return Row(name)
    row = share_row(name, found.iloc[0], GROUPS[number], counted="")
    return replace(row, texts=())  # of one of several marks: the numbers are in the table


@themed
def plot_refund_drivers(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw how much sooner the money arrives at each level of each factor, on a log scale.

    Parameters
    ----------
    table
        Result of ``refund_drivers``.
    ax
        Axes to draw in; None makes a new figure.
    """
    rows: list[Row] = []
    ends = _ratio_ends(table)
    for factor in dict.fromkeys(table["factor"]):
        rows.append(Row(column_label(factor), heading=True))
        rows += [_ratio_row(row, ends) for _, row in table[table["factor"] == factor].iterrows()]
    ax = rows_axes(ax, rows, extra=1.4)
    _ratio_axis(ax, ends)
    draw_rows(ax, rows, columns=("ratio", "n"))
    ax.set_xlabel(
        "hazard of the money arriving, as a ratio to the reference level\n(right: sooner)"
    )
    is_cut = (table["ci_low"] < ends[0]) | (table["ci_high"] > ends[1])
    note(ax, few_note(table["n"]) + cut_note(is_cut.any()), below=UNDER_LABEL + 16)
    return ax


def _ratio_row(row: pd.Series, ends: tuple[float, float]) -> Row:
    limits = (row["estimate"], *np.clip([row["ci_low"], row["ci_high"]], *ends))
    text = "ref." if row["status"] == "reference" else "–"
    text = ratio(row["estimate"]) if text == "–" and np.isfinite(row["estimate"]) else text
    look = ESTIMATE if row["status"] == "reference" else SUCCESS
    few = is_few(row["n"])
    return Row(
        value_label(row["level"]), *limits, texts=(text, count(row["n"])), look=look, few=few
    )


def _ratio_ends(table: pd.DataFrame) -> tuple[float, float]:
    """Where an axis of ratios ends: it holds every estimate, and limits that are not extreme."""
    limits = table[["ci_low", "ci_high"]].to_numpy(float)
    known = np.clip(limits[np.isfinite(limits)], *RATIO_ENDS)
    estimates = table["estimate"].to_numpy(float)
    held = np.concatenate([known, estimates[np.isfinite(estimates) & (estimates > 0)], (0.8, 1.25)])
    return held.min() / 1.1, held.max() * 1.1


def _ratio_axis(ax: Axes, ends: tuple[float, float]) -> None:
    """Give a log axis of ratios its ends, and a line at 1."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    ax.set_xscale("log")
    ax.set_xlim(*ends)
    low, high = ax.get_xlim()
    ticks = [tick for tick in RATIO_TICKS if low <= tick <= high]
    powers = [tick for tick in ticks if np.log10(tick).is_integer()]
    ax.xaxis.set_major_locator(FixedLocator(powers if len(ticks) > MOST_TICKS else ticks))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.grid(axis="x", color=GRID, linewidth=0.8)
    ax.axvline(1, color=MUTED, linewidth=1.2, zorder=2)
