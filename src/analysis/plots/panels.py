"""Small multiples: several axes in the place of one, which all share their limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.plots.labels import wrap
from analysis.plots.rows import Row, draw_rows
from analysis.plots.theme import INK, SMALL, axes, dressed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 72.0
GAP = 0.045  # between columns of panels, as a part of the whole width


@dataclass(frozen=True)
class Grid:
    """Where panels stand: so many columns, each panel so high, so much room over and under it."""

    n: int
    columns: int
    height: float  # inches of the panel itself
    over: float  # inches for its title
    under: float  # inches for ticks and what stands under them

    @property
    def n_rows(self) -> int:
        """Rows of panels."""
        return -(-self.n // self.columns)

    @property
    def inches(self) -> float:
        """Height of all panels together."""
        return self.n_rows * (self.over + self.height + self.under)

    def place(self, i: int) -> tuple[float, float, float, float]:
        """Return left, bottom, width and height of panel ``i`` as parts of the whole."""
        row, column = divmod(i, self.columns)
        width = (1 - GAP * (self.columns - 1)) / self.columns
        top = row * (self.over + self.height + self.under) + self.over
        bottom = 1 - (top + self.height) / self.inches
        return column * (width + GAP), bottom, width, self.height / self.inches


def panel_axes(ax: Axes | None, grid: Grid, *, extra: float = 0.8) -> tuple[Axes, list[Axes]]:
    """Return the axes that hold the panels, and the panels."""
    whole = axes(ax, height=grid.inches + extra)
    whole.set_axis_off()
    return whole, [dressed(whole.inset_axes(grid.place(i))) for i in range(grid.n)]


def title(panel: Axes, text: str, *, columns: int, colour: str = INK) -> None:
    """Write the title of a panel at its upper left, on at most two lines."""
    panel.annotate(
        wrap(text, columns),
        xy=(0, 1),
        xycoords="axes fraction",
        xytext=(0, 4),
        textcoords="offset points",
        va="bottom",
        color=colour,
        fontsize=SMALL,
        fontweight="bold",
        linespacing=0.95,
        annotation_clip=False,
    )


def label_under(whole: Axes, words: str, *, below: float = 4) -> None:
    """Write what the horizontal axes of all panels show, under them."""
    whole.annotate(
        words,
        xy=(0.5, 0),
        xycoords="axes fraction",
        xytext=(0, -below),
        textcoords="offset points",
        ha="center",
        va="top",
        color=INK,
        annotation_clip=False,
    )


def draw_row_panels(
    ax: Axes | None, titles: Sequence[str], rows: Sequence[Sequence[Row]], *, n_columns: int = 3
) -> tuple[Axes, list[Axes]]:
    """Draw one panel of rows per title; all panels have the same rows, named at the left."""
    columns = min(n_columns, len(titles))
    height = 0.16 + 0.34 * len(rows[0])
    grid = Grid(len(titles), columns, height=height, over=0.5, under=0.3)
    whole, panels = panel_axes(ax, grid)
    for i, (panel, words, own) in enumerate(zip(panels, titles, rows, strict=True)):
        draw_rows(panel, own, labels=i % columns == 0)
        title(panel, words, columns=48 // columns)
    return whole, panels
