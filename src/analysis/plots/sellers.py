"""Figure of sellers: the shrunk success rate beside the raw one, and the two typical waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.plots.labels import value_label
from analysis.plots.numbers import count
from analysis.plots.rates import UNDER_LABEL, share_axis, share_text
from analysis.plots.rows import (
    ROW,
    Row,
    draw_crudes,
    draw_rows,
    head,
)
from analysis.plots.theme import (
    MUTED,
    SUCCESS,
    axes,
    few_note,
    is_few,
    left_out,
    note,
    themed,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

MOST_SELLERS = 30
COLUMNS = ("share", "n", "place", "median\nanswer", "median\nrefund")
EDGES = (42.0, 90.0, 158.0, 210.0, 262.0)
PLACE = 2  # the column whose texts grow with the number of sellers
PLACE_CHARACTERS = 9  # for which it has room
CHARACTER_POINTS = 6.7
ROW_SCALE = 0.72  # rows of sellers are closer than other rows: ids take one line


@themed
def plot_seller_scorecard(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw sellers in the order of the table: shrunk rate with interval, arrow from the raw rate.

    The first sellers of the table are drawn (those with the most requests); how many are not is
    said under the axes.

    Parameters
    ----------
    table
        Result of ``seller_scorecard``.
    ax
        Axes to draw in; None makes a new figure.
    """
    drawn = table.sort_values("n", ascending=False, kind="stable").head(MOST_SELLERS)
    rows = [_row(row) for _, row in drawn.iterrows()]
    ax = axes(ax, height=1.7 + ROW * ROW_SCALE * max(len(rows), 2))
    share_axis(ax, "requests that ended in a cancelled order", 100)
    draw_crudes(ax, enumerate(drawn["raw_rate"] * 100))
    for y, (raw, row) in enumerate(zip(drawn["raw_rate"] * 100, rows, strict=True)):
        _draw_pull(ax, y, raw, row.estimate)
    draw_rows(ax, rows, columns=COLUMNS, edges=_edges(rows))
    head(ax, "seller")
    note(ax, _remarks(len(table) - len(rows)) + few_note(drawn["n"]), below=UNDER_LABEL)
    return ax


def _edges(rows: Sequence[Row]) -> tuple[float, ...]:
    """Right edges of the columns; places of very many sellers need more room."""
    longest = max((len(row.texts[PLACE]) for row in rows), default=0)
    more = CHARACTER_POINTS * max(longest - PLACE_CHARACTERS, 0)
    return tuple(edge + more * (i >= PLACE) for i, edge in enumerate(EDGES))


def _row(row: pd.Series) -> Row:
    texts = (
        share_text(row["estimate"]),
        count(row["n"]),
        _place(row),
        _short(row["response_median_hours"], "h"),
        _short(row["refund_median_days"], "d"),
    )
    shares = [row[name] * 100 for name in ("estimate", "ci_low", "ci_high")]
    name = value_label(row["seller_id"])
    return Row(name, *shares, texts=texts, look=SUCCESS, few=is_few(row["n"]))


def _place(row: pd.Series) -> str:
    low, high = count(row["rank_low"]), count(row["rank_high"])
    return low if low == high else f"{low}–{high}"


def _short(value: float, unit: str) -> str:
    return "–" if np.isnan(value) else f"{count(round(value, 1))} {unit}"


def _draw_pull(ax: Axes, y: float, raw: float, estimate: float) -> None:
    if np.isnan(raw) or abs(raw - estimate) < 2:
        return
    ax.annotate(
        "",
        xy=(estimate, y),
        xytext=(raw, y),
        arrowprops={"arrowstyle": "-|>", "color": MUTED, "lw": 1.0, "shrinkA": 5, "shrinkB": 4},
    )


def _remarks(n_left: int) -> list[str]:
    lines = [
        "dot: estimate with its interval; cross: the seller's raw rate, which an arrow",
        "draws towards all sellers' rates the more, the fewer requests there are;",
        "place: where among all sellers it may stand, 1 is the highest rate",
    ]
    return lines + left_out(n_left, "seller", "those with the most requests are drawn")
