"""Figure of the funnel: sellers around what is expected of them, with limits by their size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.plots.labels import value_label
from analysis.plots.numbers import NO_DATA, count
from analysis.plots.theme import (
    GRID,
    INK,
    MEANINGS,
    MUTED,
    PAPER,
    SMALL,
    SUCCESS,
    axes,
    note,
    signed_tick,
    themed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_NAMED = 8
OUTLIER = MEANINGS["blocked"]
ROOM = 1.15  # of the vertical axis, beyond the farthest dot


@themed
def plot_seller_funnel(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw each seller's success rate minus what is expected of it over its number of requests.

    A line through each dot reaches to the limits that allow for the common spread of sellers,
    two ticks on it are the limits of chance alone.

    Parameters
    ----------
    table
        Result of ``seller_funnel``.
    ax
        Axes to draw in; None makes a new figure.
    """
    ax = axes(ax, height=4.9)
    known = table[table["difference"].notna() & table["estimate"].notna()]
    if known.empty:
        return _no_data(ax)
    _draw_limits(ax, known)
    for is_outlier, look in ((False, SUCCESS), (True, OUTLIER)):
        part = known[known["is_outlier"] == is_outlier]
        ax.plot(
            part["n"],
            part["difference"] * 100,
            look.marker,
            color=look.colour,
            mec=PAPER,
            markersize=8 if is_outlier else 5,
            linestyle="none",
            zorder=4,
        )
    _name(ax, known[known["is_outlier"]])
    _dress(ax, known)
    note(ax, _remarks(known), below=44)
    return ax


def _draw_limits(ax: Axes, known: pd.DataFrame) -> None:
    n, expected = known["n"], known["expected_rate"]
    wide = [(known[name] - expected) * 100 for name in ("wide_low", "wide_high")]
    ax.vlines(n, *wide, color=GRID, linewidth=2.0, zorder=1)
    for name in ("limit_low", "limit_high"):
        ends = (known[name] - expected) * 100
        ax.plot(n, ends, "_", color=MUTED, markersize=5, linestyle="none", zorder=2)
    ax.axhline(0, color=INK, linewidth=1.0, zorder=3)


def _name(ax: Axes, outliers: pd.DataFrame) -> None:
    for _, row in outliers.sort_values("q_value", kind="stable").head(MOST_NAMED).iterrows():
        ax.annotate(
            value_label(row["seller_id"]),
            xy=(row["n"], row["difference"] * 100),
            xytext=(6, 4),
            textcoords="offset points",
            color=OUTLIER.colour,
            fontsize=SMALL,
        )


def _dress(ax: Axes, known: pd.DataFrame) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    most = float(known["n"].max())
    ax.set_xscale("log")
    ax.set_xlim(0.8, max(most, 2) * 1.5)
    ax.xaxis.set_major_locator(FixedLocator(_sizes(most)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value)))
    ax.xaxis.set_minor_locator(NullLocator())
    reach = max(float(known["difference"].abs().max()) * 100 * ROOM, 5.0)
    ax.set_ylim(-reach, reach)
    ax.set_yticks([tick for tick in ax.get_yticks() if abs(tick) <= reach])
    ax.yaxis.set_major_formatter(signed_tick)
    ax.grid(axis="y", color=GRID, linewidth=0.8)
    ax.set_xlabel(f"mature requests of the seller (log scale), at most n = {count(most)}")
    ax.set_ylabel("success rate minus expected\n(percentage points)")


def _sizes(most: float) -> list[float]:
    """Ticks for numbers of requests: whole powers of ten, and of few requests some between."""
    steps = (1, 2, 3, 4, 5) if most < 6 else (1, 2, 5) if most < 50 else (1,)
    ticks = [step * 10.0**power for power in range(10) for step in steps]
    return [tick for tick in ticks if tick <= max(most, 2)]


def _remarks(known: pd.DataFrame) -> list[str]:
    lines = [
        f"n = {count(len(known))} sellers; large: beyond luck and the common spread",
        "ticks: limits if luck were all; grey line: limits that allow for the common spread",
    ]
    left = int(known["is_outlier"].sum()) - MOST_NAMED
    return lines + ([f"and {left:,} more such sellers in the table"] if left > 0 else [])


def _no_data(ax: Axes) -> Axes:
    ax.set_axis_off()
    ax.text(0.5, 0.5, NO_DATA, transform=ax.transAxes, ha="center", va="center", color=MUTED)
    return ax
