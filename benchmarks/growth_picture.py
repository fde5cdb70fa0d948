"""The picture of how the cost grows: seconds above, memory below, one column for each work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from analysis.plots.theme import (
    GRID,
    GROUPS,
    MUTED,
    NAIVE,
    OTHER,
    PAPER,
    STYLE,
    SUCCESS,
    Look,
    as_text,
    dressed,
)

SIZE = 11.0, 7.4  # inches
OURS = SUCCESS
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
COSTS = {"cpu_seconds": "CPU-seconds", "peak_mb": "largest process (MB)"}


def draw(found: pd.DataFrame, path: Path) -> Figure:
    """Draw ours and the peers on logarithmic axes and write the picture."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=SIZE, layout="constrained", facecolor=PAPER)
        FigureCanvasAgg(figure)
        works = list(found["work"].unique())
        panels = figure.subplots(len(COSTS), len(works), sharex=True, sharey="row", squeeze=False)
        looks = dict(_looks(found))
        for row, (cost, words) in zip(panels, COSTS.items(), strict=True):
            for panel, work in zip(row, works, strict=True):
                _draw_panel(panel, found[found["work"] == work], cost, looks)
            _scale(row[0].yaxis, found[cost], lambda value, _: f"{value:,.10g}")
            row[0].set_ylabel(words)
        _scale(panels[0][0].xaxis, found["n_orders"], _power)
        for panel, work in zip(panels[0], works, strict=True):
            panel.set_title(work, loc="left")
        for panel in panels[-1]:
            panel.set_xlabel("orders")
        _name_lines(figure, looks)
        figure.savefig(path, dpi=110, metadata={"Software": None})
    return figure


def _scale(axis: Axis, values: pd.Series, words: Callable[[float, int], str]) -> None:
    """Give an axis whole powers of ten from end to end, named in plain text."""
    low, high = np.floor(np.log10(values.min())), np.ceil(np.log10(values.max()))
    powers = 10.0 ** np.arange(low, max(high, low + 1) + 1)
    limits = powers[0] * 0.8, powers[-1] * 1.25
    getattr(axis.axes, f"set_{axis.axis_name}lim")(*limits)
    axis.set_major_locator(FixedLocator(powers))
    axis.set_major_formatter(FuncFormatter(words))
    axis.set_minor_formatter(NullFormatter())


def _power(value: float, _: int) -> str:
    return "10" + str(round(np.log10(value))).translate(RAISED)


def _looks(found: pd.DataFrame) -> Iterator[tuple[str, Look]]:
    """Return how each is drawn: ours first, peers with a look of their own."""
    yield "", OURS
    peers = [peer for peer in found["peer"].unique() if peer]
    marks = (*GROUPS, OTHER, NAIVE)
    for i, peer in enumerate(peers):
        one = marks[i % len(marks)]
        yield peer, one if i < len(marks) else one._replace(marker="X")


def _draw_panel(panel: Axes, found: pd.DataFrame, cost: str, looks: dict[str, Look]) -> None:
    dressed(panel)
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.grid(color=GRID, linewidth=0.8)
    for peer, own in found.groupby("peer", sort=False):
        look = looks[peer]
        style = {"color": look.colour, "linestyle": look.line, "marker": look.marker}
        panel.plot(own["n_orders"], own[cost], **style, markersize=6, label=peer or "ours")


def _name_lines(figure: Figure, looks: dict[str, Look]) -> None:
    lines = [
        Line2D([], [], color=look.colour, linestyle=look.line, marker=look.marker)
        for look in looks.values()
    ]
    names = [peer or "ours" for peer in looks]
    legend = figure.legend(lines, names, loc="outside upper center", ncols=4, frameon=False)
    as_text(legend.get_texts())
    for text in legend.get_texts():
        text.set_color(MUTED)
