"""Figure of the spread of sellers: how much they differ beyond luck."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.plots.groups import group_columns, header, largest, sizes_of, split
from analysis.plots.numbers import count, percent
from analysis.plots.rates import UNDER_LABEL, grouped_rows, share_axis, share_text
from analysis.plots.rows import Row, draw_rows, head, rows_axes
from analysis.plots.theme import (
    ESTIMATE,
    few_note,
    is_few,
    left_out,
    note,
    share_top,
    themed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = ("between\nsellers", "8 in 10\nrates", "luck", "n")
EDGES = (52.0, 142.0, 190.0, 244.0)


@themed
def plot_seller_spread(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw which part of the variance of outcomes lies between sellers, a dot a group.

    Beside it stand the range that holds the true rates of eight sellers in ten and the part of
    the variance of raw rates that is luck.

    Parameters
    ----------
    table
        Result of ``seller_spread``, with any ``by``.
    ax
        Axes to draw in; None makes a new figure.
    """
    by = group_columns(table, "estimate")
    groups, n_left = largest(split(table, by))
    rows = grouped_rows(groups, by, lambda group, words: _row(group.rows.loc[0], words))
    ax = rows_axes(ax, rows, extra=1.9)
    top = share_top([high for group in groups for high in group.rows["ci_high"]])
    share_axis(ax, "the variance of outcomes\nthat lies between sellers", top)
    draw_rows(ax, rows, columns=COLUMNS, edges=EDGES)
    head(ax, header(by))
    remarks = ["luck: share of the variance of the sellers' raw rates that chance alone makes"]
    remarks += few_note(sizes_of(groups)) + left_out(n_left)
    note(ax, remarks, below=UNDER_LABEL + (16 if top == 100 else 32))
    return ax


def _row(row: pd.Series, words: str) -> Row:
    between = "–"
    if not np.isnan(row["rate_low"]):
        low, high = percent(row["rate_low"]), percent(row["rate_high"])
        between = low if low == high else f"{low}–{high}"
    shares = [row[name] * 100 for name in ("estimate", "ci_low", "ci_high")]
    texts = (
        share_text(row["estimate"]),
        between.replace("under ", "<").replace("over ", ">"),
        share_text(row["luck_share"]),
        count(row["n"]),
    )
    return Row(words, *shares, texts=texts, look=ESTIMATE, few=is_few(row["n"]))
