"""One look for every figure: sizes, colours by meaning, axes, and the figure without rows.

A figure is made without pyplot and its style is set for the making of that figure only, so that
plotting here changes nothing in the program that calls it. Colours mean the same everywhere and
differ in lightness too; where lines or marks share a figure their dashes or shapes differ as well.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.plots.numbers import MIN_N

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 7.6  # inches; about 760 pixels on a page, still legible at half of that
TEXT, SMALL = 12.0, 10.5  # points
INK, MUTED, GRID, PAPER = "#22262B", "#5B6570", "#DCE0E4", "#FFFFFF"
LINE_CONTRAST, FEW_CONTRAST = 4.5, 3.0  # of intervals with paper; WCAG 2.1 asks 3 of graphics

STYLE = {
    "font.family": ["DejaVu Sans"],
    "font.size": TEXT,
    "text.parse_math": False,  # text from the data may hold a dollar sign
    "text.usetex": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.labelsize": TEXT,
    "axes.formatter.useoffset": False,
    "axes.unicode_minus": True,
    "axes.titlesize": TEXT,
    "axes.facecolor": PAPER,
    "figure.facecolor": PAPER,
    "figure.dpi": 100,
    "lines.linewidth": 2.0,
    "lines.solid_capstyle": "butt",
    "legend.frameon": False,
    "legend.fontsize": SMALL,
}


class Look(NamedTuple):
    """How one meaning is drawn."""

    colour: str
    line: str | tuple = "-"
    marker: str = "o"


SOLID, DASHED, DOTTED, DASHDOT = "-", (0, (5, 1.6)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5))

# Cancelled: blue-green. Stood in the way: orange to red-brown. Nobody decided: grey.
SUCCESS = Look("#0B7A75")
ESTIMATE = Look("#1F5A8C")  # a number that is neither good nor bad: a duration, a share of orders
NAIVE = Look("#767D85", DOTTED, "X")  # the familiar number, beside the right one
OTHER = Look("#6E6A9E", DASHDOT, "P")
MEANINGS = {
    "instant_cancelled": Look("#00404D", DASHDOT, "D"),
    "approved_by_seller": Look("#0B7A75", SOLID, "o"),
    "auto_approved_timeout": Look("#2F9C92", DASHED, "s"),
    "blocked": Look("#D55E00", SOLID, "^"),
    "rejected_by_seller": Look("#9C2A10", DASHED, "v"),
    "superseded_by_shipment": Look("#B8860B", DASHDOT, ">"),
    "expired_not_cancelled": Look("#7A4A1E", DOTTED, "<"),
    "withdrawn_by_buyer": Look("#6E6A9E", DASHED, "P"),
    "preempted": Look("#8A5A83", DOTTED, "X"),
    "pending": Look("#8A8F94", DOTTED, "o"),
    # what closes the window after paying
    "closed_in_any_way": Look("#22262B", SOLID, "o"),
    "still_open": Look("#0B7A75", SOLID, "o"),
    "packed": Look("#B8860B", DASHDOT, "s"),
    "shipped": Look("#D55E00", DASHED, "^"),
    "cancelled": Look("#00404D", DASHDOT, "D"),
    "ended_otherwise": Look("#6E6A9E", DOTTED, "X"),
    # how orders end
    "completed": Look("#1F5A8C", SOLID, "o"),
    "cancelled_by_request": Look("#0B7A75", SOLID, "D"),
    "cancelled_by_seller": Look("#9C2A10", DASHED, "v"),
    "open": Look("#8A8F94", DOTTED, "o"),
    # when a blocker stood in the way
    "at_submit": Look("#D55E00", SOLID, "^"),
    "decided_later": Look("#9C2A10", DASHED, "v"),
}
GROUPS = (  # groups have no meaning of their own
    Look("#332288", SOLID, "o"),
    Look("#B0488F", DASHED, "s"),
    Look("#6B7A12", DASHDOT, "^"),
    Look("#2E86C1", DOTTED, "D"),
)
PORTIONS = (Look("#5E97CC", SOLID, "o"), Look("#2F6CA3", SOLID, "s"), Look("#12365A", SOLID, "D"))


def look_of(word: str) -> Look:
    """Return how a meaning is drawn; words without a meaning of their own share one look."""
    return MEANINGS.get(word, OTHER)


@functools.cache
def pale(colour: str, contrast: float = FEW_CONTRAST) -> str:
    """Return a colour mixed with paper, as light as this contrast with it allows.

    A colour without so much contrast of its own is returned as it is.

    Examples
    --------
    >>> pale("#000000"), pale("#AAAAAA")
    ('#949494', '#AAAAAA')
    """
    from matplotlib.colors import to_hex, to_rgb

    for part in np.linspace(0, 1, 101):
        mixed = to_hex(part * np.array(to_rgb(colour)) + (1 - part) * np.array(to_rgb(PAPER)))
        if _contrast_with_paper(to_rgb(mixed)) >= contrast:
            return mixed
    return colour


def _contrast_with_paper(rgb: Sequence[float]) -> float:
    """Contrast as WCAG 2.1 computes it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 1.05 / (float(np.dot(linear, (0.2126, 0.7152, 0.0722))) + 0.05)


def themed(plot: Callable[[pd.DataFrame, Axes | None], Axes]) -> Callable[..., Axes]:
    """Draw in this style, and a table without rows as axes that say so."""

    @functools.wraps(plot)
    def drawn(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
        import matplotlib as mpl

        with mpl.rc_context(STYLE):
            return no_rows(ax) if table.empty else plot(table, ax)

    return drawn


def axes(ax: Axes | None, *, height: float) -> Axes:
    """Return ``ax``, or the axes of a new figure of this height in inches."""
    if ax is None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        from analysis.plots.fitting import Fitted

        figure = Figure(figsize=(WIDTH, height), layout=Fitted(), facecolor=PAPER)
        FigureCanvasAgg(figure)
        ax = figure.add_subplot()
    return dressed(ax)


def dressed(ax: Axes) -> Axes:
    """Return axes with light lines: no box, a thin base line, a grid behind everything."""
    ax.set_facecolor(PAPER)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(MUTED)
    ax.tick_params(
        axis="both", which="both", colors=MUTED, labelcolor=INK, labelsize=SMALL, length=3
    )
    ax.set_axisbelow(True)
    as_text([ax.xaxis.label, ax.yaxis.label])
    return ax


def no_rows(ax: Axes | None, words: str = "no rows") -> Axes:
    """Return axes that say that there is nothing to draw."""
    ax = axes(ax, height=1.2)
    ax.set_axis_off()
    ax.text(0.5, 0.5, words, transform=ax.transAxes, ha="center", va="center", color=MUTED)
    return ax


def percent_axis(ax: Axes, *, axis: str = "x", top: float = 100) -> None:
    """Give an axis of percent its limits, few ticks and a light grid."""
    from matplotlib.ticker import FuncFormatter

    along = getattr(ax, f"{axis}axis")
    getattr(ax, f"set_{axis}lim")(0, top)
    along.set_ticks(np.linspace(0, top, {5: 6, 10: 6, 60: 4}.get(top, 5)))
    along.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}%"))
    ax.grid(axis=axis, color=GRID, linewidth=0.8)


def points_axis(ax: Axes, top: float, *, n_ticks: int = 5) -> None:
    """Give an axis of percentage points limits alike on both sides of a line at 0."""
    ax.set_xlim(-top, top)
    ax.set_xticks(np.linspace(-top, top, n_ticks))
    ax.xaxis.set_major_formatter(signed_tick)
    ax.grid(axis="x", color=GRID, linewidth=0.8)
    ax.axvline(0, color=MUTED, linewidth=1.0, zorder=1)


def signed_tick(value: float, position: int = 0) -> str:
    """Return a number on an axis of differences, with its sign.

    Examples
    --------
    >>> signed_tick(30), signed_tick(-2.5), signed_tick(0)
    ('+30', '−2.5', '0')
    """
    return f"{value:+g}".replace("-", "−") if value else "0"


def share_top(shares: Sequence[float]) -> float:
    """Return where an axis of percent ends: 100, or less where all shares are small."""
    known = [share * 100 for share in shares if np.isfinite(share)]
    tops = (1, 2, 5, 10, 20, 40, 60, 100)
    return next((top for top in tops if known and max(known) <= top), 100)


def axis_end(top: float) -> str:
    """Return the words that a label adds where an axis of percent does not go to 100."""
    return "" if top == 100 else f"\n(this axis ends at {top:g}%)"


def is_few(n: float) -> bool:
    """Whether an estimate rests on too few cases to be drawn in full colour."""
    return not n >= MIN_N


def few_note(sizes: Sequence[float], drawn: str = "hollow") -> list[str]:
    """Return the remark on estimates that rest on few cases, if there are any."""
    return [f"{drawn}: fewer than {MIN_N} cases"] if any(0 < n < MIN_N for n in sizes) else []


def cut_note(is_cut: bool) -> list[str]:
    """Return the remark on intervals of which the axis shows a part only, if there are any."""
    return ["intervals that run off the axis are cut"] if is_cut else []


def note(ax: Axes, words: Sequence[str], *, below: float) -> None:
    """Write remarks under the axes, ``below`` points under them; nothing if there are none."""
    if words:
        ax.annotate(
            "\n".join(words),
            xy=(0, 0),
            xycoords="axes fraction",
            xytext=(0, -below),
            textcoords="offset points",
            va="top",
            color=MUTED,
            fontsize=SMALL,
            annotation_clip=False,
        )


def as_text(texts: Sequence[object]) -> None:
    """Make sure that texts that matplotlib made itself are never read as formulas."""
    for text in texts:
        text.set_parse_math(False)


def left_out(n: int, what: str = "group", rule: str = "the largest are drawn") -> list[str]:
    """Return the remark on groups that are not drawn."""
    return [] if n == 0 else [f"and {n:,} more {what}{'s' if n > 1 else ''} in the table ({rule})"]
