"""Figures of money: what is still owed, and what came back as new orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.plots.groups import Group, group_columns, header, largest, sizes_of, split
from analysis.plots.labels import group_label
from analysis.plots.numbers import NO_DATA, amount, count, days
from analysis.plots.rates import UNDER_LABEL, grouped_rows, share_axis, share_row
from analysis.plots.rows import (
    Row,
    draw_absence,
    draw_estimates,
    draw_rows,
    head,
    legend_above,
    name_rows,
    rows_axes,
)
from analysis.plots.theme import (
    PORTIONS,
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


@themed
def plot_open_refund_liability(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw which part of the money owed will be paid within each horizon, a dot each a currency.

    Parameters
    ----------
    table
        Result of ``open_refund_liability``. Amounts are drawn as parts of what is owed, so that
        currencies share an axis; the amounts stand at the right.
    ax
        Axes to draw in; None makes a new figure.
    """
    by = group_columns(table, "currency")
    by_open = table.assign(n_seen=table["n"], n=table["n_open"])
    groups, n_left = largest(split(by_open, [*by, "currency"]))
    looks = _looks(table)
    rows = [_owed(group) for group in groups]
    ax = rows_axes(ax, rows, extra=1.6)
    share_axis(ax, "money owed that will be with the buyers", 100)
    for y, group in enumerate(groups):
        _draw_horizons(ax, y, group, looks)
    name_rows(ax, rows, columns=("open", "seen"))
    legend_above(ax, list(looks.values()), [f"within {days(d)}" for d in looks])
    note(ax, few_note(sizes_of(groups)) + left_out(n_left), below=UNDER_LABEL)
    return ax


def _owed(group: Group) -> Row:
    row = group.rows.iloc[0]
    owed = f"{amount(row['open_minor'], row['currency'])} owed"
    words = group_label(group.values[:-1])
    name = f"{words}\n{owed}" if words else owed
    return Row(name, texts=(count(row["n_open"]), count(row["n_seen"])), few=is_few(row["n_open"]))


def _draw_horizons(ax: Axes, y: float, group: Group, looks: dict[float, Look]) -> None:
    rows = group.rows[(group.rows["open_minor"] > 0) & group.rows["estimate"].notna()]
    if rows.empty:
        draw_absence(ax, y, NO_DATA if group.rows["open_minor"].max() > 0 else "none owed")
    spread = dict(zip(looks, np.linspace(-0.22, 0.22, len(looks)), strict=True))
    for _, row in rows.iterrows():
        limits = [row[name] / row["open_minor"] * 100 for name in ("estimate", "ci_low", "ci_high")]
        horizon = row["horizon_days"]
        mark = Row("", *limits, look=looks[horizon], few=is_few(row["n_open"]))
        draw_estimates(ax, [(y + spread[horizon], mark)])


def _looks(table: pd.DataFrame) -> dict[float, Look]:
    """Light to dark for near to far horizons."""
    horizons = sorted(table["horizon_days"].unique())
    return {days_: PORTIONS[min(i, len(PORTIONS) - 1)] for i, days_ in enumerate(horizons)}


@themed
def plot_recovered_sales(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw which share of cancelled sales was bought again, a dot with its interval a currency.

    Parameters
    ----------
    table
        Result of ``recovered_sales``.
    ax
        Axes to draw in; None makes a new figure.
    """
    by = group_columns(table, "currency")
    groups, n_left = largest(split(table, [*by, "currency"]))
    rows = grouped_rows(groups, [*by, "currency"], _recovered_row)
    ax = rows_axes(ax, rows, extra=1.3)
    share_axis(ax, "cancelled sales bought again", share_top(table["ci_high"]))
    draw_rows(ax, rows, columns=("share", "orders"))
    head(ax, header([*by, "currency"]))
    note(ax, few_note(sizes_of(groups)) + left_out(n_left), below=UNDER_LABEL + 16)
    return ax


def _recovered_row(group: Group, words: str) -> Row:
    return share_row(words, group.rows.iloc[0], SUCCESS)
