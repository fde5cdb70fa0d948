"""Figure of one order: until when it could be cancelled, when that was asked, which rules stood."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from analysis.plots.labels import label, wrap
from analysis.plots.numbers import moment
from analysis.plots.rows import Row, draw_absence, name_rows, rows_axes
from analysis.plots.theme import (
    GRID,
    INK,
    MEANINGS,
    MUTED,
    PAPER,
    SMALL,
    dressed,
    left_out,
    look_of,
    no_rows,
    note,
    themed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOMENTS = ("requested_at", "stood_since", "cancellable_until")
ROOM = 0.10  # of the span of the card's moments, left and right of them
LEAST_SPAN = pd.Timedelta(hours=2)
MOST_ROWS = 24
NEVER = "non_cancellable_goods"


class Line(NamedTuple):
    """One line of the card."""

    kind: str  # "open" or "never" for the window, "asked" for a request, "rule" for a rule
    words: str
    source: pd.Series


@themed
def plot_why_not(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw one order in time: until when it could be cancelled, when asked, since when rules stood.

    Parameters
    ----------
    table
        Result of ``why_not``.
    ax
        Axes to draw in; None makes a new figure.
    """
    card = _with_plain_times(table)
    if card["requested_at"].isna().all():
        return no_rows(ax, "nobody asked to cancel this order")
    lines = _lines(card)
    n_left = max(len(lines) - MOST_ROWS, 0)
    lines = lines[:MOST_ROWS]
    rows = [Row(line.words) for line in lines]
    ax = rows_axes(ax, rows, extra=1.0 + 0.2 * (n_left > 0))
    first, last = _limits(card)
    _time_axis(ax, first, last)
    for y, line in enumerate(lines):
        _DRAW[line.kind](ax, y, line.source)
    name_rows(ax, rows)
    note(ax, left_out(n_left, "line", "the first are drawn"), below=44)
    return ax


def _with_plain_times(table: pd.DataFrame) -> pd.DataFrame:
    """The card with its moments in UTC and without a zone, as figures want them."""
    plain = {
        name: pd.to_datetime(table[name], utc=True).dt.tz_localize(None).astype("datetime64[us]")
        for name in MOMENTS
    }
    return table.assign(**plain)


def _lines(card: pd.DataFrame) -> list[Line]:
    lines = [_window(card)]
    requests = card.dropna(subset="requested_at").groupby("request_id", sort=False, dropna=False)
    for number, (_, rows) in enumerate(requests):
        words = "asked again" if number else "asked to cancel"
        asked = f"{words}\n{moment(rows['requested_at'].iloc[0])}"
        lines.append(Line("asked", asked, rows.iloc[0]))
        met = rows.dropna(subset="blocker").sort_values("rank", kind="stable")
        lines += [Line("rule", _rule(row), row) for _, row in met.iterrows()]
    return lines


def _window(card: pd.DataFrame) -> Line:
    """The first line: until when the order could be cancelled; never, for some goods."""
    if (card["blocker"] == NEVER).any():
        return Line("never", "could be cancelled\nat no time", card.iloc[0])
    until = card["cancellable_until"].max()
    words = "still open" if pd.isna(until) else f"until {moment(until)}"
    return Line("open", f"could be cancelled\n{words}", card.iloc[0])


def _rule(row: pd.Series) -> str:
    known = pd.notna(row["stood_since"])
    since = f"since {moment(row['stood_since'])}" if known else "since when is not recorded"
    return f"{label(str(row['blocker']))}\n{since}"


def _limits(card: pd.DataFrame) -> tuple[pd.Timestamp, pd.Timestamp]:
    moments = pd.concat([card[name] for name in MOMENTS]).dropna()
    first, last = moments.min(), moments.max()
    room = max((last - first) * ROOM, (LEAST_SPAN - (last - first)) / 2)
    return first - room, last + room


def _time_axis(ax: Axes, first: pd.Timestamp, last: pd.Timestamp) -> None:
    from matplotlib.dates import AutoDateLocator, DateFormatter

    dressed(ax)
    ax.xaxis_date()
    ax.set_xlim(first, last)
    locator = AutoDateLocator(minticks=2, maxticks=5)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(DateFormatter(_date_format(last - first)))
    dates = list(dict.fromkeys(f"{at:%Y-%m-%d}" for at in (first, last)))
    ax.set_xlabel(f"time in UTC, {' to '.join(dates)}")
    ax.grid(axis="x", color=GRID, linewidth=0.8)


def _date_format(span: pd.Timedelta) -> str:
    longest = ((1.5, "%H:%M"), (6, "%m-%d\n%H:%M"), (300, "%m-%d"))
    return next((words for days, words in longest if span < pd.Timedelta(days=days)), "%Y-%m")


def _draw_open(ax: Axes, y: float, row: pd.Series) -> None:
    """Draw the window: from the left edge (it opened earlier) until it closed."""
    look, until = MEANINGS["still_open"], row["cancellable_until"]
    first, last = ax.get_xlim()
    end = last if pd.isna(until) else ax.convert_xunits(until)
    ax.plot([first, end], [y, y], color=look.colour, linewidth=9, label="open")
    closed = {"marker": "|", "color": INK, "markeredgewidth": 2.5}
    mark = {"marker": ">", "color": look.colour} if pd.isna(until) else closed
    ax.plot([end], [y], markersize=16, clip_on=False, label="closed", **mark)


def _draw_never(ax: Axes, y: float, _row: pd.Series) -> None:
    draw_absence(ax, y, "goods of this kind cannot be cancelled")


def _draw_asked(ax: Axes, y: float, row: pd.Series) -> None:
    """Draw the moment of asking, down through all lines, and what came of it."""
    at = ax.convert_xunits(row["requested_at"])
    ax.plot([at, at], [y, MOST_ROWS], color=MUTED, lw=1.0, ls=(0, (2, 2)), zorder=1, label="_")
    look = look_of(row["outcome"])
    ax.plot([at], [y], "D", color=look.colour, markersize=9, zorder=4, label="asked")
    state = "" if pd.isna(row["order_state"]) else f"{label(str(row['order_state']))}: "
    _say(ax, y, at, f"{state}{label(str(row['outcome']))}")


def _draw_rule(ax: Axes, y: float, row: pd.Series) -> None:
    """Draw since when a rule stood, up to the request that met it."""
    if pd.isna(row["stood_since"]):
        return
    look = look_of(row["stage"])
    since, asked = (ax.convert_xunits(row[name]) for name in ("stood_since", "requested_at"))
    ax.plot([since, max(since, asked)], [y, y], color=look.colour, linewidth=6, label="rule")
    ax.plot([since], [y], look.marker, color=look.colour, markersize=10, zorder=4, label="since")


def _say(ax: Axes, y: float, x: float, words: str) -> None:
    """Write beside a mark, on the side where there is more room."""
    first, last = ax.get_xlim()
    right = x - first < 0.5 * (last - first)
    ax.annotate(
        wrap(words, 26),
        xy=(x, y),
        xytext=(11 if right else -11, 0),
        textcoords="offset points",
        ha="left" if right else "right",
        va="center",
        fontsize=SMALL,
        color=INK,
        annotation_clip=False,
        bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.0, "alpha": 0.85},
        zorder=5,
    )


_DRAW = {"open": _draw_open, "never": _draw_never, "asked": _draw_asked, "rule": _draw_rule}
