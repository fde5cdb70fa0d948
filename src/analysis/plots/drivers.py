"""Figures of what goes with success, and of why its rate changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.plots.groups import group_columns, header, largest, split
from analysis.plots.labels import column_label, value_label
from analysis.plots.numbers import count, signed_points
from analysis.plots.panels import draw_row_panels, edge_ticks, label_under
from analysis.plots.rows import (
    Row,
    draw_crudes,
    draw_estimates,
    legend_above,
    name_rows,
    rows_axes,
)
from analysis.plots.theme import (
    ESTIMATE,
    MUTED,
    NAIVE,
    SMALL,
    Look,
    cut_note,
    few_note,
    is_few,
    left_out,
    note,
    points_axis,
    themed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 60
ENDS = (
    1,
    2,
    4,
    6,
    10,
    12,
    16,
    20,
    30,
    40,
    60,
    80,
    100,
)  # where an axis of percentage points may end
MIX = Look("#6E6A9E", "-", "s")
LESS, MORE = "less success", "more success"


@themed
def plot_success_drivers(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw each level's difference from its reference, adjusted with its interval and crude.

    Parameters
    ----------
    table
        Result of ``success_drivers``. Levels that settle the outcome, and references, have words
        in place of a dot.
    ax
        Axes to draw in; None makes a new figure.
    """
    group_columns(table, "factor")
    shown = table.head(MOST_ROWS)
    top = _end(shown)
    rows, crude, words = _driver_rows(shown, top)
    ax = rows_axes(ax, rows, extra=1.5)
    points_axis(ax, top)
    places = [(y, row) for y, row in enumerate(rows) if not row.heading]
    draw_crudes(ax, [(y, crude[y]) for y, _ in places])
    draw_estimates(ax, [(y, row) for y, row in places if np.isfinite(row.estimate)])
    for y, row in places:
        if not np.isfinite(row.estimate):
            _write_instead(ax, y, words[y], crude[y])
    name_rows(ax, rows, columns=("points", "n"))
    ax.set_xlabel(f"difference in the share that worked, percentage points\n{LESS} ← → {MORE}")
    legend_above(ax, [ESTIMATE, NAIVE], ["others alike", "crude difference"])
    remarks = few_note(table["n"]) + left_out(len(table) - len(shown), "row", "the first are drawn")
    note(ax, remarks + _cut_note(shown, top), below=62)
    return ax


@themed
def plot_explain_change(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw each cell's part of the change, and of it what is mix and what is rate.

    Parameters
    ----------
    table
        Result of ``explain_change``, with any ``by``.
    ax
        Axes to draw in; None makes a new figure.
    """
    by = group_columns(table, "part")
    is_total = (table["part"] == "total").to_numpy()
    cells, n_left = largest(split(table[~is_total], by) if by else [])
    named = [(group.label, group.rows.iloc[0]) for group in cells]
    named += [("all requests", row) for _, row in table[is_total].iterrows()]
    top = _end(table)
    kinds = (
        ("part of the change", ("estimate", "ci_low", "ci_high"), ESTIMATE),
        ("other requests (mix)", ("mix_effect", "mix_low", "mix_high"), MIX),
        ("other success (rate)", ("rate_effect", "rate_low", "rate_high"), ESTIMATE),
    )
    rows = [
        [_cell(words, row, names, look, top) for words, row in named] for _, names, look in kinds
    ]
    ax, panels = draw_row_panels(ax, [title for title, _, _ in kinds], rows)
    for panel in panels:
        points_axis(panel, top, n_ticks=3)
        edge_ticks(panel)
    what = f", by {header(by)}" if by else ""
    label_under(ax, f"change of the success rate, percentage points{what}")
    sizes = table["n"].fillna(0)
    note(ax, few_note(sizes) + left_out(n_left, "cell") + _cut_note(table, top), below=44)
    return ax


def _cell(words: str, row: pd.Series, names: Sequence[str], look: Look, top: float) -> Row:
    estimate, low, high = (row[name] * 100 for name in names)
    return Row(
        f"{words}\nn = {count(row['n'])}",
        estimate if abs(estimate) <= top else np.nan,
        max(low, -top),
        min(high, top),
        texts=(signed_points(estimate / 100),),
        look=look,
        few=is_few(row["n"]),
    )


def _driver_rows(table: pd.DataFrame, top: float) -> tuple[list[Row], list[float], list[str]]:
    """Rows under a heading a factor, and for each the crude difference and words for no dot."""
    rows, crude, words = [], [], []
    for factor in dict.fromkeys(table["factor"]):
        rows.append(Row(column_label(factor), heading=True))
        crude.append(np.nan)
        words.append("")
        for _, row in table[table["factor"] == factor].iterrows():
            low, high = max(row["ci_low"] * 100, -top), min(row["ci_high"] * 100, top)
            rows.append(
                Row(
                    value_label(row["level"]),
                    row["estimate"] * 100,
                    low,
                    high,
                    texts=(signed_points(row["estimate"]), count(row["n"])),
                    look=ESTIMATE,
                    few=is_few(row["n"]),
                )
            )
            crude.append(row["crude_difference"] * 100)
            words.append(_instead(row["interval"]))
    return rows, crude, words


def _instead(interval: str) -> str:
    """Words for a row without a dot."""
    if interval == "reference":
        return "compared with"
    return interval.removeprefix("none: ") if interval.startswith("none: ") else "no data"


def _write_instead(ax: Axes, y: float, words: str, crude: float) -> None:
    """Write words where there is no dot, on the side of 0 that the crude difference leaves free."""
    side = -1 if crude > 0 else 1
    ax.annotate(
        words,
        xy=(0, y),
        xytext=(6 * side, 0),
        textcoords="offset points",
        ha="left" if side > 0 else "right",
        va="center",
        color=MUTED,
        style="italic",
        fontsize=SMALL,
    )


def _end(table: pd.DataFrame) -> float:
    """Where the axis ends: where all estimates, and the limits that rest on enough, fit."""
    enough = table[~table["n"].map(is_few)]
    names = ["crude_difference"] if "crude_difference" in table else ["mix_effect", "rate_effect"]
    sizes = [table["estimate"], *(table[name] for name in names)]
    sizes += [enough["ci_low"], enough["ci_high"]]
    largest_ = np.nanmax(np.concatenate([[0.0], *(size.abs() * 100 for size in sizes)]))
    return next(end for end in ENDS if largest_ <= end + 1e-9)


def _cut_note(table: pd.DataFrame, top: float) -> list[str]:
    off = (table["ci_low"] * 100 < -top - 1e-9) | (table["ci_high"] * 100 > top + 1e-9)
    return cut_note(off.any())
