"""Figure of declared reasons: which seller's differ most from what is expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.plots.labels import label, shorten, value_label
from analysis.plots.numbers import NO_DATA, count
from analysis.plots.rates import UNDER_LABEL, share_axis, share_text
from analysis.plots.rows import Row, draw_crudes, draw_rows, head, rows_axes
from analysis.plots.theme import ESTIMATE, MEANINGS, few_note, is_few, no_rows, note, themed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 16
COLUMNS = ("declared", "expected", "n")
EDGES = (58.0, 122.0, 166.0)


@themed
def plot_reason_gaming(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the departures that luck explains least: the declared share beside the expected one.

    Parameters
    ----------
    table
        Result of ``reason_gaming``.
    ax
        Axes to draw in; None makes a new figure.
    """
    tested = table[table["p_value"].notna()].sort_values("p_value", kind="stable")
    if tested.empty:
        return no_rows(ax, NO_DATA)
    drawn = tested.head(MOST_ROWS)
    rows = [_row(row) for _, row in drawn.iterrows()]
    ax = rows_axes(ax, rows, extra=2.1)
    share_axis(ax, "the seller's orders asked about whose buyer gave it", 100)
    expected = drawn["expected_share"].where(drawn["estimate"].notna())
    draw_crudes(ax, enumerate(expected * 100))
    draw_rows(ax, rows, columns=COLUMNS, edges=EDGES)
    head(ax, "seller: reason")
    note(ax, _remarks(len(rows), len(tested)) + few_note(drawn["n"]), below=UNDER_LABEL)
    return ax


def _row(row: pd.Series) -> Row:
    words = f"{shorten(value_label(row['seller_id']), 20)}:\n{label(str(row['reason']))}"
    shares = [row[name] * 100 for name in ("estimate", "ci_low", "ci_high")]
    texts = (share_text(row["estimate"]), share_text(row["expected_share"]), count(row["n"]))
    look = MEANINGS["blocked"] if row["is_outlier"] else ESTIMATE
    return Row(words, *shares, texts=texts, look=look, few=is_few(row["n"]))


def _remarks(n_drawn: int, n_tested: int) -> list[str]:
    lines = [
        "dot: declared, with its interval; cross: expected of such requests",
        "triangle: beyond luck and the common spread of sellers",
    ]
    if n_drawn == n_tested:
        return [*lines, f"all that could be tested are drawn: {n_tested:,}"]
    return [*lines, f"the {n_drawn:,} least explained by luck of {n_tested:,} tested are drawn"]
