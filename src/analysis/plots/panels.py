"""Small multiples: several axes in the place of one, which all share their limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analysis.plots.labels import shorten, wrap
from analysis.plots.rows import ROW_OF_TWO, Row, draw_rows
from analysis.plots.theme import INK, SMALL, axes, dressed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CURVE_GAP, ROW_GAP = 0.06, 0.115  # between columns of panels, as parts of the whole width
TEXT_EDGE = 37.0  # right edge of the text beside a panel of rows, points
PANEL_LABEL = 17  # characters in a line of the names of rows
PITCHES = (0.34, ROW_OF_TWO, 0.58)  # inches, of rows with names of one, two and three lines
TITLE_COLUMNS = 60  # characters of titles that fit beside each other


@dataclass(frozen=True)
class Grid:
    """Where panels stand: so many columns, each panel so high, so much room over and under it."""

    n: int
    columns: int
    height: float  # inches of the panel itself
    over: float  # inches for its title
    under: float  # inches for ticks and what stands under them
    gap: float = CURVE_GAP

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
        width = (1 - self.gap * (self.columns - 1)) / self.columns
        top = row * (self.over + self.height + self.under) + self.over
        bottom = 1 - (top + self.height) / self.inches
        return column * (width + self.gap), bottom, width, self.height / self.inches


def panel_axes(ax: Axes | None, grid: Grid, *, extra: float = 0.8) -> tuple[Axes, list[Axes]]:
    """Return the axes that hold the panels, and the panels."""
    whole = axes(ax, height=grid.inches + extra)
    whole.set_axis_off()
    return whole, [dressed(whole.inset_axes(grid.place(i))) for i in range(grid.n)]


def title(panel: Axes, text: str, *, columns: int, colour: str = INK) -> None:
    """Write the title of a panel at its upper left, on at most two lines of a row of panels."""
    first, _, second = text.partition("\n")
    fits = TITLE_COLUMNS // columns
    panel.annotate(
        f"{shorten(first, fits)}\n{second}" if second else wrap(first, fits),
        xy=(0, 1),
        xycoords="axes fraction",
        xytext=(0, 4),
        textcoords="offset points",
        va="bottom",
        color=colour,
        fontsize=SMALL,
        fontweight="bold",
        linespacing=1.05,
        annotation_clip=False,
    )


def edge_ticks(panel: Axes) -> None:
    """Keep the outer labels of the horizontal axis inside the panel, off its neighbours."""
    labels = panel.get_xticklabels()
    for text, side in ((labels[0], "left"), (labels[-1], "right")):
        text.set_horizontalalignment(side)


def label_under(whole: Axes, words: str, *, below: float = 4) -> None:
    """Write what the horizontal axes of all panels show, under them."""
    whole.annotate(
        wrap(words, 70),
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
    rows = [[replace(row, label=_wrapped(row.label)) for row in own] for own in rows]
    pitch = PITCHES[max(row.label.count("\n") for row in rows[0])]
    height = 0.1 + pitch * len(rows[0])
    grid = Grid(len(titles), columns, height=height, over=0.48, under=0.32, gap=ROW_GAP)
    whole, panels = panel_axes(ax, grid)
    for i, (panel, words, own) in enumerate(zip(panels, titles, rows, strict=True)):
        draw_rows(panel, own, label_columns=0 if i % columns else PANEL_LABEL, edges=(TEXT_EDGE,))
        title(panel, words, columns=columns)
    return whole, panels


def _wrapped(words: str) -> str:
    """Return the name of a row on at most two lines, and what stands under it on one more."""
    name, under, size = words.partition("\n")
    return wrap(name, PANEL_LABEL) + under + size
