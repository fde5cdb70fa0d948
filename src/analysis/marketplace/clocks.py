"""Time: the window, sale days and load, sellers' working clock, business days, countries' hours.

Inside the marketplace a moment is whole seconds since the window began (int32 or int64);
``NEVER`` stands for what does not happen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import NDArray

from analysis.marketplace.draws import Draws
from analysis.marketplace.people import Answering
from analysis.marketplace.world import Calendar, World

MINUTE = 60
HOUR = 3_600
DAY = 86_400
WEEK = 7 * DAY
WORKDAYS = 5 * DAY
EPOCH_TO_MONDAY = 3 * DAY  # 1970-01-01 was a Thursday
NEVER = 2**30  # 34 years after the window began
HOUR_KNOTS = 1 << 10  # resolution of the table of seconds of the day
AFTERMATH_DAYS = 400  # days after the window for which load is tabulated (there is none)

Seconds = NDArray[np.integer]


def seconds(value: float, unit: int = HOUR) -> int:
    """Whole seconds of ``value`` units."""
    return round(value * unit)


def or_never(moments: Seconds, happens: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Moments of what ``happens``, no earlier than ``NEVER`` for the rest."""
    late = np.multiply(~happens, NEVER, dtype=np.int32)
    return np.maximum(moments, late, out=late)  # np.where takes longer, it has to guess


@dataclass(frozen=True)
class Window:
    """The days in which orders are placed: epoch second of the start, day weights, load."""

    start: int
    days: int
    order_ends: NDArray[np.float64]  # (days,) share of orders placed by the end of each day
    response_x: NDArray[np.float32]  # (days + AFTERMATH_DAYS,)
    handling_x: NDArray[np.float32]

    @property
    def end(self) -> int:
        """Seconds from the start to the end of the window."""
        return self.days * DAY

    def load(self, table: NDArray[np.float32], moments: Seconds) -> NDArray[np.float32]:
        """How many times longer than normal things take at ``moments``."""
        day = np.asarray(moments) // DAY
        return table.take(np.minimum(day, len(table) - 1))


def make_window(calendar: Calendar, draws: Draws) -> Window:
    """Tabulate the calendar: orders by day, and load of sellers by day."""
    first = date.fromisoformat(calendar.starts_on)
    days = np.arange(calendar.days)
    weekday = (first.weekday() + days) % 7
    weights = np.asarray(calendar.weekday_weights)[weekday]
    weights = weights * np.exp(calendar.day_noise_sigma * draws.normal("window.day", days))
    response = np.ones(calendar.days + AFTERMATH_DAYS, np.float32)
    handling = np.ones_like(response)
    for sale in calendar.sales:
        begin = (date.fromisoformat(sale.first_day) - first).days
        strained = slice(max(begin, 0), max(begin + sale.days + sale.strain_days, 0))
        weights[max(begin, 0) : max(begin + sale.days, 0)] *= sale.orders_x
        response[strained] = np.maximum(response[strained], sale.response_x)
        handling[strained] = np.maximum(handling[strained], sale.handling_x)
    start = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp())
    ends = np.cumsum(weights) / weights.sum()
    return Window(start, calendar.days, ends, response, handling)


def second_of_day_table(world: World) -> NDArray[np.float64]:
    """Quantiles of the UTC second of the day at which each country's buyers order.

    Shape (countries, HOUR_KNOTS + 1), for :func:`analysis.marketplace.draws.interpolated`.
    """
    rows = []
    for country in world.buyers.countries:
        shift = round(country.utc_offset_hours)
        hours = np.roll(np.asarray(world.calendar.hour_weights), -shift)
        ends = np.concatenate([[0], np.cumsum(hours) / hours.sum()])
        at = np.arange(HOUR_KNOTS + 1) / HOUR_KNOTS
        rows.append(np.interp(at, ends, np.arange(25) * HOUR * 1.0))
    return np.array(rows)


@dataclass(frozen=True)
class WorkClock:
    """A clock that runs slower at night; over a whole day it keeps time.

    ``local`` moments are seconds since the window began, in the seller's zone.
    """

    wall: NDArray[np.float64]  # knots of one day, seconds
    work: NDArray[np.float64]  # working seconds passed at each knot

    def work_at(self, local: Seconds) -> NDArray[np.float64]:
        """Working seconds that have passed by ``local``."""
        day, second = np.divmod(local, DAY)
        return day * float(DAY) + np.interp(second, self.wall, self.work)

    def wall_at(self, work: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the local moment by which ``work`` working seconds have passed."""
        day, rest = np.divmod(work, DAY)
        return day * DAY + np.interp(rest, self.work, self.wall)


def make_work_clock(answering: Answering) -> WorkClock:
    """Return the clock of a seller who works by day and is slow by night."""
    knots = np.array([0, answering.day_from_hour, answering.day_to_hour, 24]) * float(HOUR)
    speed = np.array([answering.night_speed, 1.0, answering.night_speed])
    work = np.concatenate([[0], np.cumsum(np.diff(knots) * speed)])
    return WorkClock(knots, work * (DAY / work[-1]))


def add_business_seconds(epoch: Seconds, seconds: Seconds) -> Seconds:
    """Moment (epoch seconds) that lies ``seconds`` of Monday to Friday, UTC, after ``epoch``.

    A moment on a weekend counts as the Friday midnight before it.
    """
    week, inside = np.divmod(np.asarray(epoch) + EPOCH_TO_MONDAY, WEEK)
    worked = week * WORKDAYS + np.minimum(inside, WORKDAYS) + seconds
    week, inside = np.divmod(worked, WORKDAYS)
    return week * WEEK + inside - EPOCH_TO_MONDAY
