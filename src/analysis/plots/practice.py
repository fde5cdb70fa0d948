"""Figure of policy and practice: what became of requests, by what the rules say to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.plots.groups import Group, group_columns, header, largest, split
from analysis.plots.labels import label
from analysis.plots.numbers import count
from analysis.plots.panels import draw_row_panels, edge_ticks, label_under
from analysis.plots.rates import UNDER_LABEL, share_axis, share_row
from analysis.plots.rows import Row, draw_rows, legend_above, rows_axes
from analysis.plots.theme import (
    ESTIMATE,
    MEANINGS,
    Look,
    few_note,
    left_out,
    note,
    percent_axis,
    themed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RULES_KEPT, BREACH = ESTIMATE, Look(MEANINGS["rejected_by_seller"].colour, marker="X")
WHAT = "requests to which the rules say the same"
TOLD = {
    "must_block": "a rule stands in the way",
    "may_cancel_at_once": "may cancel at once",
    "up_to_the_seller": "up to the seller",
}


@themed
def plot_policy_versus_practice(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw what became of requests under what the rules say to them, breaches in red.

    Parameters
    ----------
    table
        Result of ``policy_versus_practice``. Groups get a panel for each verdict and practice.
    ax
        Axes to draw in; None makes a new figure.
    """
    by = group_columns(table, "verdict")
    if by:
        return _by_group(table, ax, by)
    rows: list[Row] = []
    for verdict, part in table.groupby("verdict", sort=False):
        n = count(part["n"].max())
        rows.append(Row(f"{TOLD.get(verdict, label(str(verdict)))}\nn = {n}", heading=True))
        rows += [_row(label(str(row["practice"])), row) for _, row in part.iterrows()]
    ax = rows_axes(ax, rows, extra=1.3)
    share_axis(ax, WHAT, 100)
    draw_rows(ax, rows, columns=("share", "count"))
    _explain(ax, table)
    note(ax, few_note(table["n"]), below=UNDER_LABEL)
    return ax


def _row(words: str, row: pd.Series, *, counted: str = "n_events") -> Row:
    return share_row(words, row, BREACH if row["is_breach"] else RULES_KEPT, counted=counted)


def _explain(ax: Axes, table: pd.DataFrame) -> None:
    ways = [(False, RULES_KEPT, "as the rules say"), (True, BREACH, "against the rules")]
    shown = [
        (look, words) for is_breach, look, words in ways if (table["is_breach"] == is_breach).any()
    ]
    legend_above(ax, [look for look, _ in shown], [words for _, words in shown])


def _by_group(table: pd.DataFrame, ax: Axes | None, by: list[str]) -> Axes:
    groups, n_left = largest(split(table, by))
    order = {word: i for i, word in enumerate(TOLD)}
    kinds = table[["verdict", "practice"]].drop_duplicates()
    kinds = kinds.sort_values("verdict", key=lambda words: words.map(order), kind="stable")
    rows = [_panel(group, kinds) for group in groups]
    ax, panels = draw_row_panels(ax, [group.label for group in groups], rows, n_columns=2)
    for panel in panels:
        percent_axis(panel, top=100)
        panel.set_xticks([0, 50, 100])
        edge_ticks(panel)
    label_under(ax, f"share of {WHAT} (%), by {header(by)}")
    remarks = ["crosses: against the rules"] if table["is_breach"].any() else []
    sizes = [n for group in groups for n in group.rows["n"]]
    note(ax, remarks + few_note(sizes) + left_out(n_left), below=UNDER_LABEL)
    return ax


def _panel(group: Group, kinds: pd.DataFrame) -> list[Row]:
    """Return the rows of one group: under each verdict and its n, every practice that occurs."""
    rows: list[Row] = []
    for verdict, part in kinds.groupby("verdict", sort=False):
        own = group.rows[group.rows["verdict"] == verdict]
        n = own["n"].max() if len(own) else 0
        told = TOLD.get(verdict, label(str(verdict)))
        rows.append(Row(told, texts=(f"n = {count(n)}",), heading=True))
        for practice in part["practice"]:
            found = own[own["practice"] == practice]
            name = label(str(practice))
            rows.append(Row(name) if found.empty else _row(name, found.iloc[0], counted=""))
    return rows
