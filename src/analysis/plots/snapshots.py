"""Figure of what looks once a day can tell about refunds: bounds, and the band around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.plots.curve_panels import PLOT_HEIGHT, censored_note, small_panels
from analysis.plots.groups import Group, group_columns, header, largest, sizes_of, split
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

TIME = "time_days"
AXIS = "days since the decision"
WHAT = "share of refunds credited by then, as looks show it (%)"
WAITING = "known to be waiting"
BETWEEN = "dark: between two looks, so not known where; pale: interval around it"


class Bounds(NamedTuple):
    """The lower bound of a share as a curve, and its upper bound in percent."""

    curve: Curve
    top: np.ndarray


@themed
def plot_refund_curve_from_snapshots(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw between which shares the credited refunds lie, a band in a paler band per group.

    Up to four groups share one pair of axes; more get a panel each.

    Parameters
    ----------
    table
        Result of ``refund_curve_from_snapshots``.
    ax
        Axes to draw in; None makes a new figure.
    """
    by = group_columns(table, TIME)
    groups, n_left = largest(split(table, by))
    looks = [ESTIMATE] if not by else GROUPS
    if len(groups) > len(GROUPS):
        looks = [ESTIMATE] * len(groups)
    drawn = [_bounds(group, look) for group, look in zip(groups, looks, strict=False)]
    remarks = [BETWEEN, *censored_note([one.curve for one in drawn])]
    remarks += few_note(sizes_of(groups), "pale") + left_out(n_left)
    if len(groups) > len(GROUPS):
        words = {"axis_words": f"{AXIS}, by {header(by)}", "head": WHAT, "remarks": remarks}
        curves = [one.curve for one in drawn]
        return small_panels(
            ax, curves, lambda panel, i: _draw(panel, drawn[i]), unit="days", **words
        )
    return _together(ax, drawn, by, remarks)


def _bounds(group: Group, look: Look) -> Bounds:
    rows = group.rows.sort_values(TIME, kind="stable")
    known = rows["ci_low"].notna()
    lower = rows.assign(estimate=rows["at_least"].where(known))
    upper = rows["at_most"].where(known).to_numpy(float) * 100
    return Bounds(curve_of(lower, TIME, group.label, look), upper)


def _together(
    ax: Axes | None, drawn: Sequence[Bounds], by: list[str], remarks: Sequence[str]
) -> Axes:
    curves = [one.curve for one in drawn]
    ax = axes(ax, height=PLOT_HEIGHT + 1.4 + 0.22 * len(curves))
    percent_axis(ax, axis="y")
    time_axis(ax, last_time(curves), "days")
    for one in drawn:
        _draw(ax, one)
    say_if_nothing(ax, curves)
    ax.set_xlabel(AXIS)
    head(ax, WHAT)
    if by:
        label_ends(ax, curves, [f"{wrap(c.label, 20)}\nn = {count(c.n)}" for c in curves])
    words = f"{WAITING}:" if by else f"{WAITING}, of {count(curves[0].n)}:"
    below = at_risk_strip(ax, curves, words, names=bool(by))
    note(ax, remarks, below=below + 4)
    return ax


def _draw(ax: Axes, one: Bounds) -> None:
    band = ax.fill_between(
        one.curve.time,
        one.curve.estimate,
        one.top,
        step="post",
        color=one.curve.look.colour,
        alpha=0.55,
        linewidth=0,
        zorder=2.5,
    )
    band.set_label(f"_bounds of {one.curve.label}")
    draw_curve(ax, one.curve)
