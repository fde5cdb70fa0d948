"""What panels of curves share: their axes, who is still counted in each, and the remarks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis.plots.lines import STRIP_ROW, Curve, at_risk_strip, time_axis
from analysis.plots.panels import Grid, edge_ticks
from analysis.plots.theme import MUTED, SMALL, percent_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLOT_HEIGHT = 3.3  # inches of curves that have the figure to themselves
CENSORED = "marks | where some were last seen without an end"


def dress_panel(panel: Axes, i: int, grid: Grid, last: float, unit: str) -> None:
    """Give a panel of shares over time its axes; only the first column has numbers at the left."""
    percent_axis(panel, axis="y")
    panel.set_yticks([0, 50, 100])
    time_axis(panel, last, unit, most=2)
    edge_ticks(panel)
    if i % grid.columns:
        panel.tick_params(axis="y", labelleft=False)


def under_panel(panel: Axes, i: int, grid: Grid, curve: Curve, words: str) -> None:
    """Write how many are still counted under a panel, and in the first column what they are."""
    at_risk_strip(panel, [curve], "", names=False, inside=True, top=21 - STRIP_ROW)
    if i % grid.columns == 0:
        panel.annotate(
            words,
            xy=(0, 0),
            xycoords="axes fraction",
            xytext=(-20, -21),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize=SMALL,
            color=MUTED,
            annotation_clip=False,
        )


def censored_note(curves: Sequence[Curve]) -> list[str]:
    """Return the remark on marks of the censored, if there are any."""
    return [CENSORED] if any(curve.censored.max(initial=0) > 0 for curve in curves) else []
