"""Axes as large as what stands around them allows, measured once.

matplotlib's constrained layout measures every text twice; the texts of these figures keep their
size and their distance from the axes, so that once is enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.layout_engine import LayoutEngine

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PADDING = 3.0  # points between the figure's edge and what stands nearest to it


class Fitted(LayoutEngine):
    """Layout of a figure with one axes, which may hold panels."""

    _adjust_compatible = False
    _colorbar_gridspec = False

    fits = False  # whether the axes were placed so that all that belongs to them is in the figure

    def execute(self, fig: Figure) -> None:
        """Place the axes so that all that belongs to them lies in the figure, if they can be."""
        (axes,) = fig.axes
        axes.set_position([0, 0, 1, 1])
        inside, around = axes.get_window_extent(), axes.get_tightbbox()
        padding = PADDING * fig.dpi / 72
        left, below = (inside.min - around.min + padding) / fig.bbox.size
        right, above = (around.max - inside.max + padding) / fig.bbox.size
        if left + right < 1 and below + above < 1:
            axes.set_position([left, below, 1 - left - right, 1 - below - above])
            self.fits = _centred_fit(axes, *fig.bbox.size)


def _centred_fit(axes: Axes, width: float, height: float) -> bool:
    """Whether texts in the middle of the axes, which has moved, lie in the figure still."""
    across = [axes.xaxis.label, axes.title, *axes.texts]
    boxes = [t.get_window_extent() for t in across if t.get_horizontalalignment() == "center"]
    up = axes.yaxis.label.get_window_extent()
    return all(box.x0 >= 0 and box.x1 <= width for box in boxes) and (
        up.y0 >= 0 and up.y1 <= height
    )
