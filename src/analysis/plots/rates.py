"""Figures of shares: how often asking works, how requests and orders end, how many ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.plots.groups import Group, group_columns, header, largest, sizes_of, split
from analysis.plots.labels import group_label, label, value_label
from analysis.plots.numbers import count, percent
from analysis.plots.panels import draw_row_panels, edge_ticks, label_under
from analysis.plots.rows import Row, draw_rows, head, rows_axes
from analysis.plots.theme import (
    ESTIMATE,
    SUCCESS,
    Look,
    axis_end,
    few_note,
    is_few,
    left_out,
    look_of,
    note,
    percent_axis,
    share_top,
    themed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UNDER_LABEL = 44.0  # points under the axes where remarks begin


@themed
def plot_success_rate(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the success rate of each group as a dot with its interval, on 0 to 100%.

    Parameters
    ----------
    table
        Result of ``cancellation_success_rate``, with any ``by``.
    ax
        Axes to draw in; None makes a new figure.

    Returns
    -------
    Axes
        The axes drawn in.
    """
    return _one_share(table, ax, SUCCESS, "requests that ended in a cancelled order", top=100)


@themed
def plot_request_rate(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw which share of paid orders is asked to be cancelled, a dot with its interval a group.

    Parameters
    ----------
    table
        Result of ``request_rate``.
    ax
        Axes to draw in; None makes a new figure.
    """
    return _one_share(table, ax, ESTIMATE, "paid orders whose buyer asked to cancel")


@themed
def plot_outcome_shares(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw how requests ended: a dot with its interval per outcome, or a panel each for groups.

    Parameters
    ----------
    table
        Result of ``outcome_shares``.
    ax
        Axes to draw in; None makes a new figure.
    """
    return parts_of_whole(table, ax, "outcome", "requests that ended so", top=100)


@themed
def plot_order_end_shares(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw how orders ended: a dot with its interval per end, or a panel each for groups.

    Parameters
    ----------
    table
        Result of ``order_end_shares``.
    ax
        Axes to draw in; None makes a new figure.
    """
    return parts_of_whole(table, ax, "end_code", "orders that ended so", top=100)


def share_text(share: float) -> str:
    """Return a share for a column of text, where a dash says that there is none."""
    if np.isnan(share):
        return "–"
    return percent(share).replace("under ", "<").replace("over ", ">")


def share_row(words: str, row: pd.Series, look: Look, *, counted: str = "n") -> Row:
    """Return a row of a table of shares in percent of the axis, its count in column ``counted``."""
    texts = (share_text(row["estimate"]),)
    texts += (count(row[counted]),) if counted else ()
    return Row(
        words,
        row["estimate"] * 100,
        row["ci_low"] * 100,
        row["ci_high"] * 100,
        texts=texts,
        look=look,
        few=is_few(row["n"]),
    )


def share_axis(ax: Axes, what: str, top: float, *, n: float | None = None) -> None:
    """Give the axes of shares their limits and say what they are shares of, and of how many."""
    percent_axis(ax, top=top)
    size = "" if n is None else f", n = {count(n)}"
    ax.set_xlabel(f"share of {what} (%){size}{axis_end(top)}")


def _one_share(
    table: pd.DataFrame, ax: Axes | None, look: Look, what: str, *, top: float | None = None
) -> Axes:
    by = group_columns(table, "estimate")
    groups, n_left = largest(split(table, by))
    rows = grouped_rows(groups, by, lambda group, words: share_row(words, group.rows.loc[0], look))
    ax = rows_axes(ax, rows, extra=1.15)
    if top is None:
        top = share_top([high for group in groups for high in group.rows["ci_high"]])
    share_axis(ax, what, top)
    draw_rows(ax, rows, columns=("share", "n"))
    head(ax, header(by))
    remarks = few_note(sizes_of(groups)) + left_out(n_left)
    note(ax, remarks, below=UNDER_LABEL + (0 if top == 100 else 16))
    return ax


def grouped_rows(
    groups: Sequence[Group], by: Sequence[str], row: Callable[[Group, str], Row]
) -> list[Row]:
    """Return a row a group; with several group columns, under headings of all but the last."""
    if len(by) < 2:
        return [row(group, group.label) for group in groups]
    rows: list[Row] = []
    above = None
    for group in groups:
        words = group_label(group.values[:-1])
        if words != above:
            rows.append(Row(words, heading=True))
        above = words
        rows.append(row(group, value_label(group.values[-1])))
    return rows


def parts_of_whole(
    table: pd.DataFrame,
    ax: Axes | None,
    word: str,
    what: str,
    *,
    top: float | None = None,
    look: str = "",
) -> Axes:
    """Draw a table with one row per group and ``word``: rows, or with groups a panel per word.

    ``look`` names the column whose words choose the colours; else ``word`` does.
    """
    look = look or word
    by = group_columns(table, word)
    top = share_top(table["ci_high"]) if top is None else top
    if by:
        return _parts_by_group(table, ax, by, (word, look, what), top)
    rows = [
        share_row(label(r[word]), r, look_of(r[look]), counted="n_events")
        for _, r in table.iterrows()
    ]
    ax = rows_axes(ax, rows, extra=1.3)
    share_axis(ax, what, top, n=table["n"].max())
    draw_rows(ax, rows, columns=("share", "count"))
    note(ax, few_note(table["n"]), below=UNDER_LABEL + (0 if top == 100 else 16))
    return ax


def _parts_by_group(
    table: pd.DataFrame, ax: Axes | None, by: list[str], words: tuple[str, str, str], top: float
) -> Axes:
    word, look, what = words
    groups, n_left = largest(split(table, by))
    occurs = table.groupby(word, sort=False)["n_events"].sum()
    shown = [w for w in dict.fromkeys(table[word]) if occurs[w] > 0] or [table[word].iloc[0]]
    rows = [[_cell(group, word, w, look) for group in groups] for w in shown]
    ax, panels = draw_row_panels(ax, [label(w) for w in shown], rows)
    for panel in panels:
        percent_axis(panel, top=top)
        panel.set_xticks([0, top / 2, top])
        edge_ticks(panel)
    label_under(ax, f"share of {what} (%), by {header(by)}{axis_end(top)}")
    sizes = sizes_of(groups)
    note(ax, few_note(sizes) + left_out(n_left), below=UNDER_LABEL)
    return ax


def _cell(group: Group, word: str, value: str, look: str) -> Row:
    found = group.rows[group.rows[word] == value]
    name = f"{group.label}\nn = {count(group.rows['n'].max())}"
    if found.empty:
        return Row(name)
    row = found.iloc[0]
    return share_row(name, row, look_of(row[look]), counted="")
