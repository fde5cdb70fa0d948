"""Business days, the working clock, the calendar."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from analysis.marketplace import load_world
from analysis.marketplace.clocks import (
    DAY,
    HOUR,
    NEVER,
    add_business_seconds,
    make_window,
    make_work_clock,
    or_never,
    second_of_day_table,
)
from analysis.marketplace.draws import Draws

WORLD = load_world("aliexpress")


def epoch(text: str) -> int:
    return int(pd.Timestamp(text, tz="UTC").timestamp())


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2025-11-03 10:00", 1, "2025-11-04 10:00"),  # Monday to Tuesday
        ("2025-11-07 10:00", 1, "2025-11-10 10:00"),  # Friday to Monday
        ("2025-11-08 15:00", 1, "2025-11-11 00:00"),  # Saturday counts as Friday midnight
        ("2025-11-06 12:00", 3, "2025-11-11 12:00"),
        ("2025-11-05 12:00", 20, "2025-12-03 12:00"),  # four weeks
        ("2025-11-05 12:00", 0.25, "2025-11-05 18:00"),
    ],
)
def test_business_days_skip_weekends(start, days, end):
    got = add_business_seconds(np.array([epoch(start)]), np.array([int(days * DAY)]))
    assert pd.Timestamp(got[0], unit="s") == pd.Timestamp(end)


def test_business_days_agree_with_numpy_on_whole_days():
    starts = np.arange("2025-06-04", "2025-12-01", dtype="datetime64[D]")
    starts = starts[np.is_busday(starts)]
    for days in (1, 4, 5, 13, 20):
        seconds = starts.astype("datetime64[s]").astype(int) + 11 * HOUR
        got = add_business_seconds(seconds, np.full(len(seconds), days * DAY))
        expected = np.busday_offset(starts, days).astype("datetime64[s]").astype(int) + 11 * HOUR
        assert (got == expected).all()


def test_the_working_clock_keeps_time_over_days_and_is_slow_at_night():
    clock = make_work_clock(WORLD.answering)
    assert clock.work_at(np.array([0, DAY, 9 * DAY])) == pytest.approx([0, DAY, 9 * DAY])
    at = np.array([2, 3, 12, 13]) * HOUR
    night, _, day = np.diff(clock.work_at(at))
    assert night / day == pytest.approx(WORLD.answering.night_speed)


def test_the_working_clock_turns_back_to_the_wall():
    clock = make_work_clock(WORLD.answering)
    moments = np.arange(-3 * DAY, 9 * DAY, 1234)
    assert clock.wall_at(clock.work_at(moments)) == pytest.approx(moments)


def test_what_does_not_happen_happens_never():
    moments = np.array([5, 6, NEVER, NEVER + 7], np.int32)
    got = or_never(moments, np.array([True, False, True, False]))
    assert got.tolist() == [5, NEVER, NEVER, NEVER + 7] and got.dtype == np.int32


def test_a_sale_raises_orders_on_its_days_and_load_for_some_days_more():
    calm = dataclasses.replace(WORLD.calendar, day_noise_sigma=0.0)
    window = make_window(calm, Draws(1))
    by_day = pd.Series(
        np.diff(window.order_ends, prepend=0), pd.date_range("2025-06-04", periods=180)
    )
    # 11.11 was a Tuesday: three times the Tuesday before
    assert by_day["2025-11-11"] / by_day["2025-11-04"] == pytest.approx(3)
    load = pd.Series(window.response_x[:180], by_day.index)
    assert (load["2025-11-11":"2025-11-19"] == 2).all()  # 3 days and 6 days of strain
    assert load["2025-11-10"] == load["2025-11-20"] == 1


def test_load_is_read_by_the_day_and_is_none_long_after_the_window():
    window = make_window(WORLD.calendar, Draws(1))
    eleventh = (pd.Timestamp("2025-11-11") - pd.Timestamp("2025-06-04")).days
    moments = np.array([0, eleventh * DAY + 5, 900 * DAY, NEVER])
    assert window.load(window.response_x, moments).tolist() == [1, 2, 1, 1]


def test_buyers_order_at_their_own_time_of_day():
    quantiles = second_of_day_table(WORLD)
    codes = [country.code for country in WORLD.buyers.countries]
    middle = quantiles.shape[1] // 2
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert (quantiles[:, [0, -1]] == [0, DAY]).all()
    # the calm of 4 a.m. in Seoul (UTC+9) is at 19 h UTC, in New York (UTC-5) at 9 h
    for code, calm in (("KR", 19), ("US", 9)):
        density = np.histogram(quantiles[codes.index(code)], bins=24, range=(0, DAY))[0]
        assert abs(int(density.argmin()) - calm) <= 1
    assert quantiles[codes.index("KR"), middle] != quantiles[codes.index("US"), middle]
