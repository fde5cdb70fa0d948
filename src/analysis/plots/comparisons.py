"""Figures of groups beside each other: differences of success rates, and rates at an equal mix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.plots.groups import Group, group_columns, header, largest, sizes_of, split
from analysis.plots.labels import value_label
from analysis.plots.numbers import count, signed_points
from analysis.plots.rates import UNDER_LABEL, grouped_rows, share_axis, share_row
from analysis.plots.rows import (
    Row,
    draw_crudes,
    draw_rows,
    head,
    legend_above,
    rows_axes,
)
from analysis.plots.theme import (
    ESTIMATE,
    NAIVE,
    SUCCESS,
    few_note,
    is_few,
    left_out,
    note,
    points_axis,
    themed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TOPS = (5, 10, 20, 40, 60, 80)  # ends of an axis of percentage points; else 100


@themed
def plot_success_rate_difference(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw how far each value's success rate is from the baseline's, in percentage points.

    Parameters
    ----------
    table
        Result of ``success_rate_difference``, with any ``by``.
    ax
        Axes to draw in; None makes a new figure.
    """
    by = group_columns(table, "baseline")
    groups, n_left = largest(split(table, by))
    rows = grouped_rows(groups, by, _difference_row)
    ax = rows_axes(ax, rows, extra=1.35)
    points_axis(ax, _end(pd.concat([group.rows for group in groups])))
    baseline = value_label(table["baseline"].iloc[0])
    sizes = {count(n) for n in table["n_baseline"]}
    size = f", n = {sizes.pop()}" if len(sizes) == 1 else ""
    ax.set_xlabel(f"success rate less that of {baseline}{size}\n(percentage points)")
    draw_rows(ax, rows, columns=("points", "n"))
    head(ax, header(by))
    remarks = few_note(sizes_of(groups)) + left_out(n_left)
    note(ax, remarks, below=UNDER_LABEL + 16)
    return ax


@themed
def plot_standardised_success_rate(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw each group's success rate at the mix of all requests, and a cross at its own mix.

    Parameters
    ----------
    table
        Result of ``standardised_success_rate``, with any ``by``.
    ax
        Axes to draw in; None makes a new figure.
    """
    by = group_columns(table, "estimate")
    groups, n_left = largest(split(table, by))
    rows = grouped_rows(
        groups, by, lambda group, words: share_row(words, group.rows.loc[0], SUCCESS)
    )
    ax = rows_axes(ax, rows, extra=1.6)
    share_axis(ax, "requests that ended in a cancelled order", 100)
    places = [y for y, row in enumerate(rows) if not row.heading]
    crude = [group.rows["crude_rate"].iloc[0] * 100 for group in groups]
    draw_crudes(ax, zip(places, crude, strict=True))
    draw_rows(ax, rows, columns=("share", "n"))
    head(ax, header(by))
    legend_above(ax, (SUCCESS, NAIVE), ("at the mix of all requests", "at the group's own mix"))
    lacking = any(group.rows["coverage_share"].iloc[0] < 1 for group in groups)
    remarks = ["no data: the group has none of some part of the mix"] if lacking else []
    remarks += few_note(sizes_of(groups)) + left_out(n_left)
    note(ax, remarks, below=UNDER_LABEL)
    return ax


def _difference_row(group: Group, words: str) -> Row:
    row = group.rows.loc[0]
    shares = [row[name] * 100 for name in ("estimate", "ci_low", "ci_high")]
    texts = (signed_points(row["estimate"]), count(row["n"]))
    few = is_few(min(row["n"], row["n_baseline"]))
    return Row(words, *shares, texts=texts, look=ESTIMATE, few=few)


def _end(rows: pd.DataFrame) -> float:
    """Where an axis of percentage points ends: where all limits fit."""
    ends = rows[["ci_low", "ci_high"]].abs().to_numpy(float) * 100
    largest_end = np.nanmax(ends) if np.isfinite(ends).any() else 100
    return next((top for top in TOPS if largest_end <= top), 100)
