"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.plots.numbers import count, days, hours, interval_text, percent, points, span

NAN = float("nan")


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0%"),
        (0.00001, "under 0.1%"),
        (0.0005, "0.1%"),
        (0.068, "6.8%"),
        (0.0994, "9.9%"),
        (0.0996, "10%"),
        (0.10, "10%"),
        (0.6149, "61%"),
        (0.994, "99%"),
        (0.996, "99.6%"),
        (0.99951, "over 99.9%"),
        (1.0, "100%"),
        (NAN, "no data"),
    ],
)
def test_percent(share, text):
    assert percent(share) == text


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_only_nothing_reads_as_nothing_and_only_all_as_all(share):
    assert percent(share) not in {"0%", "0.0%", "100%", "100.0%"}


@given(st.floats(0.0005, 0.9994))
def test_a_share_is_never_off_by_more_than_its_last_digit(share):
    shown = float(percent(share).rstrip("%"))
    assert abs(shown - share * 100) <= (0.0501 if share < 0.1 or share >= 0.995 else 0.501)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=2).map(sorted))
def test_larger_shares_never_read_as_smaller(pair):
    def size(text):
        return float(text.removeprefix("under ").removeprefix("over ").rstrip("%"))

    assert size(percent(pair[0])) <= size(percent(pair[1]))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 days"),
        (0.01, "under 0.1 days"),
        (1.0, "1 day"),
        (5.23, "5.2 days"),
        (9.97, "10 days"),
    ],
)
def test_days(value, text):
    assert days(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.005, "under 1 minute"), (0.5, "30 minutes"), (1, "1 hour"), (6.25, "6.2 hours"),
     (72, "72 hours")],
)  # fmt: skip
def test_hours(value, text):
    assert hours(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1, "1 second"), (119, "119 seconds"), (120, "2 minutes"), (7199, "120 minutes"),
     (7200, "2 hours"), (47 * 3600, "47 hours"), (48 * 3600, "2 days")],
)  # fmt: skip
def test_span(seconds, text):
    assert span(seconds) == text


def test_count_and_points():
    assert [count(n) for n in (0, 999, 1164, 12.6, 0.44)] == ["0", "999", "1,164", "13", "0.4"]
    assert points(-0.5) == "50 percentage points"
    assert points(1e-6) == "under 0.1 percentage points"


def test_an_interval_names_its_denominator_and_a_limit_that_is_not_reached():
    assert interval_text(0.61, 0.58, 0.64, 1164) == "61% (58% to 64%, n = 1,164)"
    assert interval_text(0.5, 0.1, 0.9, 4) == "50% (10% to 90%, n = 4, few)"
    assert interval_text(5.0, 4.0, NAN, 40, unit=days) == "5 days (at least 4 days, n = 40)"
    assert interval_text(5.0, NAN, 9.0, 40, unit=days) == "5 days (at most 9 days, n = 40)"
    assert interval_text(5.0, NAN, NAN, 40, unit=days) == "5 days (n = 40)"
    assert interval_text(NAN, NAN, NAN, 0) == "no data (n = 0, few)"
    assert interval_text(0.5, 0.25, 0.75, None) == "50% (25% to 75%)"


@given(st.floats(0, 1), st.integers(0, 10**9))
def test_texts_never_show_a_missing_or_infinite_number(share, n):
    text = interval_text(share, max(share - 0.1, 0), NAN, n)
    assert not any(word in text for word in ("nan", "inf", "None"))
    assert not math.isnan(share)
