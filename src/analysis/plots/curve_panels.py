"""What panels of curves share: their axes, who is still counted in each, and the remarks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from analysis.plots.lines import STRIP_ROW, Curve, at_risk_strip, last_time, time_axis
from analysis.plots.numbers import NO_DATA, count
from analysis.plots.panels import Grid, edge_ticks, label_under, panel_axes, title
from analysis.plots.theme import INK, MUTED, SMALL, note, percent_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLOT_HEIGHT = 3.3  # inches of curves that have the figure to themselves
CENSORED = "marks | where some were last seen without an end"


def small_panels(
    ax: Axes | None,
    curves: Sequence[Curve],
    draw: Callable[[Axes, int], None],
    *,
    unit: str,
    axis_words: str,
    head: str,
    remarks: Sequence[str],
) -> Axes:
    """Draw a panel per curve with ``draw(panel, number)``, its name over it, its counts under it.

    Parameters
    ----------
    ax
        Axes to draw in; None makes a new figure.
    curves
        What the panels are named after, and whose counts stand under them.
    draw
        Called with a panel that has its axes, and the number of its curve.
    unit
        Of time, "hours" or "days".
    axis_words, head, remarks
        What the horizontal axes show, what the vertical ones show, and the notes at the foot.
    """
    grid = Grid(len(curves), 3, height=1.3, over=0.5, under=0.6)
    ax, panels = panel_axes(ax, grid, extra=1.0)
    last = last_time(curves)
    for i, (panel, curve) in enumerate(zip(panels, curves, strict=True)):
        dress_panel(panel, i, grid, last, unit)
        draw(panel, i)
        under_panel(panel, i, grid, curve, "waiting")
        words = f"{curve.label}\nn = {count(curve.n)}" + ("" if curve.is_known else f", {NO_DATA}")
        title(panel, words, columns=grid.columns, colour=INK if curve.is_known else MUTED)
    label_under(ax, axis_words)
    ax.set_title(head, loc="left")
    note(ax, remarks, below=28)
    return ax


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
