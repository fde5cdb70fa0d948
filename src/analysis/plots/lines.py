"""Curves over time with their bands, a strip of who is still counted, and marks of the censored.

A curve is a step function of its table: it holds its value until the next time. Where the table
has no estimate the line stops.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.plots.labels import shorten, wrap
from analysis.plots.numbers import NO_DATA, count
from analysis.plots.theme import GRID, INK, MUTED, SMALL, Look, is_few, pale

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_POINTS, QUIET_POINTS = 250, 40  # of a line; more are thinned evenly, the ends kept
MOST_MARKS = 20  # censoring marks on one line
STRIP_TOP, STRIP_ROW = 46.0, 15.0  # points under the axes
TICK_STEPS = {
    "hours": (1, 2, 4, 6, 12, 24, 48, 72, 96, 120, 168, 336, 720),
    "days": (1, 2, 5, 10, 15, 30, 60, 90),
}
LABEL_LINE = 14.0  # points between the labels of neighbouring lines


@dataclass(frozen=True)
class Curve:
    """One curve, in percent, by time."""

    label: str
    time: np.ndarray
    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    at_risk: np.ndarray
    censored: np.ndarray  # so far
    n: float
    look: Look

    @property
    def is_known(self) -> bool:
        """Whether there is anything to draw."""
        return bool(np.isfinite(self.estimate).any())


def curve_of(rows: pd.DataFrame, time: str, words: str, look: Look) -> Curve:
    """Return the curve of one group (and outcome) of a table of curves."""
    rows = rows.sort_values(time, kind="stable")
    shares = (rows[name].to_numpy(float) * 100 for name in ("estimate", "ci_low", "ci_high"))
    counts = (rows[name].to_numpy(float) for name in ("n_at_risk", "n_censored"))
    return Curve(words, rows[time].to_numpy(float), *shares, *counts, rows["n"].max(), look)


def draw_curve(ax: Axes, curve: Curve, *, marks: bool = True, quiet: bool = False) -> None:
    """Draw one curve with its band; ``quiet``: a thin line for comparison, without a band."""
    kept = _thinned(len(curve.time), QUIET_POINTS if quiet else MOST_POINTS)
    few = is_few(curve.n)
    colour = GRID if quiet else pale(curve.look.colour) if few else curve.look.colour
    if not quiet:
        band = ax.fill_between(
            curve.time[kept],
            curve.low[kept],
            curve.high[kept],
            step="post",
            color=curve.look.colour,
            alpha=0.10 if few else 0.20,
            linewidth=0,
        )
        band.set_label(f"_interval of {curve.label}")
    ax.plot(
        curve.time[kept],
        curve.estimate[kept],
        drawstyle="steps-post",
        color=colour,
        linestyle="-" if quiet else curve.look.line,
        linewidth=1.0 if quiet else 2.0,
        label=f"_{curve.label}" if quiet else curve.label,
        zorder=1.5 if quiet else 3,
    )
    if np.isfinite(curve.estimate).sum() == 1 and not quiet:
        ax.plot(curve.time, curve.estimate, curve.look.marker, color=curve.look.colour, label="_")
    if marks and not quiet:
        _mark_censored(ax, curve)


def _thinned(size: int, most: int) -> np.ndarray:
    return np.unique(np.linspace(0, size - 1, min(size, most)).round().astype(int))


def _mark_censored(ax: Axes, curve: Curve) -> None:
    """Mark, on the line, times at which some were last seen without an end."""
    new = np.diff(curve.censored, prepend=0) > 0
    at = np.flatnonzero(new & np.isfinite(curve.estimate) & (curve.time > 0))
    at = at[_thinned(len(at), MOST_MARKS)]
    ax.plot(
        curve.time[at],
        curve.estimate[at],
        linestyle="none",
        marker="|",
        markersize=7,
        markeredgewidth=1.2,
        color=curve.look.colour,
        label=f"_censored of {curve.label}",
        zorder=4,
    )


def say_if_nothing(ax: Axes, curves: Sequence[Curve]) -> None:
    """Say "no data" where none of the curves has an estimate."""
    if not any(curve.is_known for curve in curves):
        ax.text(0.5, 0.5, NO_DATA, transform=ax.transAxes, ha="center", color=MUTED, style="italic")


def last_time(curves: Sequence[Curve]) -> float:
    """Return where an axis of time ends: shortly after the last estimate of any curve."""
    known = [curve.time[np.isfinite(curve.estimate)] for curve in curves if curve.is_known]
    whole = max((curve.time.max() for curve in curves), default=1.0)
    return min(max((times.max() for times in known), default=whole) * 1.05, whole)


def time_axis(ax: Axes, last: float, unit: str, *, most: int = 6) -> None:
    """Give the axis of time its limits and a few round ticks."""
    last = last if last > 0 else 1.0
    step = next((s for s in TICK_STEPS[unit] if last / s <= most), last / most)
    ax.set_xlim(0, last)
    ax.set_xticks(np.arange(0, last + step * 1e-9, step))


def head(ax: Axes, words: str) -> None:
    """Write what the vertical axis shows, over its upper end."""
    ax.annotate(
        "\n".join(wrap(line, 64) for line in words.split("\n")),
        xy=(0, 1),
        xycoords="axes fraction",
        xytext=(-34, 9),
        textcoords="offset points",
        va="bottom",
        color=INK,
        annotation_clip=False,
    )


def label_ends(ax: Axes, curves: Sequence[Curve], texts: Sequence[str]) -> None:
    """Name each curve at the right of the axes, in the order of their ends, none on another."""
    lines = [text.count("\n") + 1 for text in texts]
    ends = [curve.estimate[np.isfinite(curve.estimate)] for curve in curves]
    wanted = [end[-1] if len(end) else 0.0 for end in ends]
    span = ax.get_ylim()[1] - ax.get_ylim()[0]
    height = ax.get_window_extent().height / ax.get_figure(root=True).dpi * 72
    line = LABEL_LINE * span / max(height - 60, 60)
    places = spread(wanted, [n * line for n in lines], span)
    for curve, text, end, place in zip(curves, texts, wanted, places, strict=True):
        _label_end(ax, curve, text, end, place)


def _label_end(ax: Axes, curve: Curve, text: str, end: float, place: float) -> None:
    words = text if curve.is_known else f"{text}: {NO_DATA}"
    ends = (((1.005, 1.03), (end, place), 0.8), ((1.03, 1.08), (place, place), 2.0))
    for x, y, width in ends if curve.is_known else ends[1:]:
        ax.plot(
            x,
            y,
            transform=ax.get_yaxis_transform(),
            color=curve.look.colour,
            linestyle=curve.look.line if width > 1 else "-",
            linewidth=width,
            clip_on=False,
            label="_leader",
        )
    ax.annotate(
        words,
        xy=(1.09, place),
        xycoords=ax.get_yaxis_transform(),
        va="center",
        fontsize=SMALL,
        linespacing=0.95,
        color=MUTED if is_few(curve.n) or not curve.is_known else INK,
        annotation_clip=False,
    )


def spread(wanted: Sequence[float], heights: Sequence[float], top: float) -> list[float]:
    """Return places for labels, as near as can be to where they want to be, none on another.

    Parameters
    ----------
    wanted
        Centre that each label wants, in units of the axis.
    heights
        Height of each label.
    top
        Upper end of the axis, whose lower end is 0; labels go beyond only if there is no room.
    """
    order = np.argsort(wanted, kind="stable")
    places = np.asarray(wanted, float).copy()
    floor = -np.inf
    for i in order:
        places[i] = max(places[i], floor + heights[i] / 2)
        floor = places[i] + heights[i] / 2
    ceiling = max(top, sum(heights))
    for i in order[::-1]:
        places[i] = min(places[i], ceiling - heights[i] / 2)
        ceiling = places[i] - heights[i] / 2
    return places.tolist()


def at_risk_strip(
    ax: Axes,
    curves: Sequence[Curve],
    words: str,
    *,
    names: bool = True,
    inside: bool = False,
    top: float = STRIP_TOP,
) -> float:
    """Write how many are still counted at each tick, a row a curve; return points used.

    ``inside`` keeps the outer numbers between the ends of the axis.
    """
    _strip_text(ax, 0, top, words, ha="left", colour=MUTED)
    for row, curve in enumerate(curves, 1):
        below = top + row * STRIP_ROW
        if names:
            _strip_name(ax, curve, below)
        for tick, side in zip(ax.get_xticks(), _sides(ax, inside), strict=True):
            i = int(np.abs(curve.time - tick).argmin())
            is_near = abs(curve.time[i] - tick) <= np.ptp(curve.time) / 50
            if is_near and np.isfinite(curve.at_risk[i]):
                _strip_text(ax, tick, below, count(curve.at_risk[i]), ha=side)
    return top + (len(curves) + 1) * STRIP_ROW


def _sides(ax: Axes, inside: bool) -> list[str]:
    sides = ["center"] * len(ax.get_xticks())
    if inside:
        sides[0], sides[-1] = "left", "right"
    return sides


def _strip_name(ax: Axes, curve: Curve, below: float) -> None:
    ax.annotate(
        shorten(curve.label, 22),
        xy=(0, 0),
        xycoords="axes fraction",
        xytext=(-22, -below),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=SMALL,
        color=curve.look.colour,
        annotation_clip=False,
    )


def _strip_text(
    ax: Axes, x: float, below: float, text: str, *, ha: str = "center", colour: str = INK
) -> None:
    ax.annotate(
        text,
        xy=(x, 0),
        xycoords=ax.get_xaxis_transform(),
        xytext=(0, -below),
        textcoords="offset points",
        ha=ha,
        va="top",
        fontsize=SMALL,
        color=colour,
        annotation_clip=False,
    )
