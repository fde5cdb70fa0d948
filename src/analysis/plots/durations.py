"""Figures of durations: quantiles and means of the time to the money, and promises kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.plots.groups import Group, group_columns, header, largest, sizes_of, split
from analysis.plots.numbers import count, days, percent
from analysis.plots.rates import grouped_rows, share_text
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
    ESTIMATE,
    GRID,
    PORTIONS,
    SUCCESS,
    Look,
    few_note,
    is_few,
    left_out,
    note,
    percent_axis,
    themed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NOT_REACHED = "not reached"
CLOCK_DAYS = {"business": "business days", "business_local": "local business days"}


@themed
def plot_refund_quantiles(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw by which day the stated shares of refunds are credited, with intervals.

    Parameters
    ----------
    table
        Result of ``refund_quantiles``. A quantile that is not reached is said so at the right.
    ax
        Axes to draw in; None makes a new figure.
    """
    by = group_columns(table, "probability")
    groups, n_left = largest(split(table, by))
    shares = sorted(table["probability"].unique())
    looks = _portions(shares)
    if not by:
        return _quantile_rows(table, ax, looks)
    rows = [Row(_sized(group), texts=_texts(group, shares)) for group in groups]
    ax = rows_axes(ax, rows, extra=1.5)
    days_axis(ax, table)
    for y, group in enumerate(groups):
        _draw_quantiles(ax, y, group, looks)
    name_rows(ax, rows, columns=[percent(share) for share in shares])
    ax.set_xlabel("days from the decision until so many refunds are credited")
    legend_above(ax, list(looks.values()), [f"{percent(share)} of refunds" for share in shares])
    note(ax, few_note(sizes_of(groups)) + left_out(n_left), below=44)
    return ax


def _quantile_rows(table: pd.DataFrame, ax: Axes | None, looks: dict[float, Look]) -> Axes:
    rows = [
        _days_row(f"{percent(row['probability'])} of refunds", row, looks[row["probability"]])
        for _, row in table.iterrows()
    ]
    ax = rows_axes(ax, rows, extra=1.15)
    days_axis(ax, table)
    draw_rows(ax, rows, columns=("days", "n"))
    ax.set_xlabel("days from the decision until so many refunds are credited")
    note(ax, few_note(table["n"]), below=44)
    return ax


def _draw_quantiles(ax: Axes, y: float, group: Group, looks: dict[float, Look]) -> None:
    known = group.rows.dropna(subset="estimate")
    if known.empty:
        draw_absence(ax, y, NOT_REACHED)
    spread = np.linspace(-0.2, 0.2, len(looks)) if len(looks) > 1 else [0.0]
    places = dict(zip(looks, spread, strict=True))
    for _, row in known.iterrows():
        share = row["probability"]
        draw_estimates(ax, [(y + places[share], _days_row("", row, looks[share]))])


@themed
def plot_refund_mean(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the mean days to the money, up to the horizon, a dot with its interval per group.

    Parameters
    ----------
    table
        Result of ``refund_mean``.
    ax
        Axes to draw in; None makes a new figure.
    """
    by = group_columns(table, "horizon_days")
    groups, n_left = largest(split(table, by))
    rows = [_days_row(group.label, group.rows.loc[0], ESTIMATE) for group in groups]
    ax = rows_axes(ax, rows, extra=1.15)
    days_axis(ax, table)
    draw_rows(ax, rows, columns=("days", "n"))
    head(ax, header(by))
    ax.set_xlabel(f"mean days until credited, at most {table['horizon_days'].max():g} of each")
    note(ax, few_note(sizes_of(groups)) + left_out(n_left), below=44)
    return ax


@themed
def plot_refund_sla(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw which share of refunds is credited within the longest time quoted, a row per method.

    Parameters
    ----------
    table
        Result of ``refund_sla``. Methods without a promise have no estimate.
    ax
        Axes to draw in; None makes a new figure.
    """
    by = group_columns(table, "method")
    groups, n_left = largest(split(table, [*by, "method"]))
    rows = grouped_rows(groups, [*by, "method"], _promise_row)
    ax = rows_axes(ax, rows, extra=1.3)
    percent_axis(ax, top=100)
    draw_rows(ax, rows, columns=("in time", "n", "late"))
    ax.set_xlabel("share credited within the time promised (%)")
    note(ax, few_note(sizes_of(groups)) + left_out(n_left, "row"), below=44)
    return ax


def days_axis(ax: Axes, table: pd.DataFrame) -> None:
    """Give an axis of days limits from 0 that hold every estimate and known limit."""
    from matplotlib.ticker import MaxNLocator

    values = table[["estimate", "ci_low", "ci_high"]].to_numpy(float)
    known = values[np.isfinite(values)]
    ax.set_xlim(0, max(1.0, known.max() * 1.04) if known.size else 1.0)
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.grid(axis="x", color=GRID, linewidth=0.8)


def _days_row(words: str, row: pd.Series, look: Look) -> Row:
    texts = (_number(row["estimate"]), count(row["n"]))
    limits = (row["estimate"], row["ci_low"], row["ci_high"])
    return Row(words, *limits, texts=texts, look=look, few=is_few(row["n"]))


def _number(value: float) -> str:
    return NOT_REACHED if np.isnan(value) else days(value).rpartition(" ")[0]


def _portions(shares: list[float]) -> dict[float, Look]:
    """Light to dark for small to large shares; more than there are shades share the darkest."""
    return {share: PORTIONS[min(i, len(PORTIONS) - 1)] for i, share in enumerate(shares)}


def _promise_row(group: Group, words: str) -> Row:
    row = group.rows.loc[0]
    clock = CLOCK_DAYS.get(row["clock"], "days")
    promise = "no promise" if np.isnan(row["sla_days"]) else f"within {row['sla_days']:g} {clock}"
    shares = [row[name] * 100 for name in ("estimate", "ci_low", "ci_high")]
    texts = (share_text(row["estimate"]), count(row["n"]), count(row["n_late"]))
    return Row(f"{words}\n{promise}", *shares, texts=texts, look=SUCCESS, few=is_few(row["n"]))


def _sized(group: Group) -> str:
    return f"{group.label}\nn = {count(group.rows['n'].max())}"


def _texts(group: Group, shares: list[float]) -> tuple[str, ...]:
    found = group.rows.drop_duplicates("probability").set_index("probability")["estimate"]
    return tuple(_number(found.get(share, np.nan)) for share in shares)
