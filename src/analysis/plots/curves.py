"""Figures of curves to one end: by when the money is back, and by when sellers answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from analysis.plots.curve_panels import PLOT_HEIGHT, censored_note, small_panels
from analysis.plots.groups import group_columns, header, largest, sizes_of, split
from analysis.plots.labels import wrap
from analysis.plots.lines import (
    Curve,
    at_risk_strip,
    curve_of,
    draw_curve,
    head,
    label_ends,
    last_time,
    say_if_nothing,
    time_axis,
)
from analysis.plots.numbers import count
from analysis.plots.theme import (
    ESTIMATE,
    GROUPS,
    INK,
    MUTED,
    SMALL,
    SUCCESS,
    Look,
    axes,
    few_note,
    left_out,
    note,
    percent_axis,
    themed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BIG_DROP = 0.05  # part of all requests that stop waiting at one time: worth a remark
LEAST_DROP = 5  # and no fewer than so many of them


@themed
def plot_refund_curve(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw which share of refunds is credited by when, a line with its band per group.

    Up to four groups share one pair of axes; more get a panel each, with the others' lines
    behind in grey.

    Parameters
    ----------
    table
        Result of ``refund_curve``.
    ax
        Axes to draw in; None makes a new figure.
    """
    return _one_end(
        table, ax, "time_days", "days since the decision", "refunds credited by then", ESTIMATE
    )


@themed
def plot_response_curve(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw which share of open requests sellers have answered by when.

    Where many requests stop waiting at one time (a deadline), the time is marked with the number
    that was still without an answer.

    Parameters
    ----------
    table
        Result of ``response_curve``.
    ax
        Axes to draw in; None makes a new figure.
    """
    return _one_end(
        table,
        ax,
        "time_hours",
        "hours since asking",
        "requests answered by then",
        SUCCESS,
        deadline=True,
    )


def _one_end(
    table: pd.DataFrame,
    ax: Axes | None,
    time: str,
    axis_words: str,
    what: str,
    look: Look,
    *,
    deadline: bool = False,
) -> Axes:
    by = group_columns(table, time)
    groups, n_left = largest(split(table, by))
    unit = time.removeprefix("time_")
    looks = [look] if not by else GROUPS if len(groups) <= len(GROUPS) else [look] * len(groups)
    curves = [curve_of(g.rows, time, g.label, k) for g, k in zip(groups, looks, strict=False)]
    if len(curves) > len(GROUPS):
        return _panels(ax, curves, unit, f"{axis_words}, by {header(by)}", what, n_left)
    ax = axes(ax, height=PLOT_HEIGHT + 1.2 + 0.22 * len(curves))
    percent_axis(ax, axis="y")
    time_axis(ax, last_time(curves), unit)
    for curve in curves:
        draw_curve(ax, curve)
    say_if_nothing(ax, curves)
    ax.set_xlabel(axis_words)
    head(ax, f"share of {what} (%)")
    if by:
        label_ends(ax, curves, [f"{wrap(c.label, 20)}\nn = {count(c.n)}" for c in curves])
    if deadline and not by:
        _mark_deadline(ax, table)
    waiting = "still waiting:" if by else f"still waiting, of {count(curves[0].n)}:"
    below = at_risk_strip(ax, curves, waiting, names=bool(by))
    remarks = censored_note(curves) + few_note(sizes_of(groups), "pale") + left_out(n_left)
    note(ax, remarks, below=below + 4)
    return ax


def _panels(
    ax: Axes | None, curves: Sequence[Curve], unit: str, axis_words: str, what: str, n_left: int
) -> Axes:
    def draw(panel: Axes, i: int) -> None:
        for other in (*curves[:i], *curves[i + 1 :]):
            draw_curve(panel, other, quiet=True)
        draw_curve(panel, curves[i])

    remarks = ["grey: the other groups", *censored_note(curves)]
    remarks += few_note([c.n for c in curves], "pale") + left_out(n_left)
    words = {"axis_words": axis_words, "head": f"share of {what} (%)", "remarks": remarks}
    return small_panels(ax, curves, draw, unit=unit, **words)


def deadline_of(table: pd.DataFrame) -> pd.Series | None:
    """Return the row after which a large part of all requests stops waiting, if there is one.

    ``table`` is a ``response_curve`` of one group; ``n_at_risk`` of the row is how many were
    still without an answer just before. A few requests are no large part, however few there are.
    """
    rows = table.sort_values("time_hours", kind="stable", ignore_index=True)
    gone = rows["n_censored"].diff()
    is_large = gone.max() > BIG_DROP * rows["n"].max() and gone.max() >= LEAST_DROP
    return rows.loc[gone.idxmax()] if is_large else None


def _mark_deadline(ax: Axes, table: pd.DataFrame) -> None:
    at = deadline_of(table)
    if at is None:
        return
    ax.axvline(at["time_hours"], color=MUTED, linewidth=1.2, linestyle=(0, (2, 2)), zorder=2)
    ax.annotate(
        f"{count(at['n_at_risk'])} still without\nan answer at {at['time_hours']:g} hours",
        xy=(at["time_hours"], 8),
        xytext=(-6, 0),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=SMALL,
        color=INK,
    )
