"""Axes as large as what stands around them allows, measured once.

matplotlib's constrained layout measures every text twice; the texts of these figures keep their
size and their distance from the axes, so that once is enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.layout_engine import LayoutEngine

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PADDING = 3.0  # points between the figure's edge and what stands nearest to it


class Fitted(LayoutEngine):
    """Layout of a figure with one axes, which may hold panels."""

    _adjust_compatible = False
    _colorbar_gridspec = False

    def execute(self, fig: Figure) -> None:
        """Place the axes so that all that belongs to them lies in the figure."""
        (axes,) = fig.axes
        axes.set_position([0, 0, 1, 1])
        inside, around = axes.get_window_extent(), axes.get_tightbbox(for_layout_only=True)
        padding = PADDING * fig.dpi / 72
        left, below = (inside.min - around.min + padding) / fig.bbox.size
        right, above = (around.max - inside.max + padding) / fig.bbox.size
        if left + right < 1 and below + above < 1:
            axes.set_position([left, below, 1 - left - right, 1 - below - above])
