"""Sums within groups, all groups at once: the same as group by group."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analysis.stats.curves.reading import Reader
from analysis.stats.curves.segments import Segments, rising

values = st.lists(st.floats(0.001, 1000), max_size=40)
groups = st.lists(values, min_size=1, max_size=12)


def joined(drawn):
    lengths = [len(own) for own in drawn]
    x = np.array([value for own in drawn for value in own])
    return Segments(np.concatenate([[0], np.cumsum(lengths)])), x


@given(groups)
def test_running_sums_and_products_are_those_of_each_group_alone_to_the_last_bit(drawn):
    segments, x = joined(drawn)
    each = [np.array(own, dtype=float) for own in drawn]
    expected = {
        "running_sum": [np.cumsum(own) for own in each],
        "running_product": [np.cumprod(own) for own in each],
        "sum_from_end": [np.cumsum(own[::-1])[::-1] for own in each],
    }
    for name, parts in expected.items():
        found = getattr(segments, name)(x)
        np.testing.assert_array_equal(found, np.concatenate(parts), err_msg=name)


@given(groups)
def test_neighbours_and_ends_stay_within_the_group(drawn):
    segments, x = joined(drawn)
    assert segments.group.tolist() == [g for g, own in enumerate(drawn) for _ in own]
    assert segments.previous(x, -1.0).tolist() == [v for own in drawn for v in [-1.0, *own][:-1]]
    assert segments.following(x, -2.0).tolist() == [v for own in drawn for v in [*own, -2.0][1:]]
    assert segments.first(x, -3.0).tolist() == [own[0] if own else -3.0 for own in drawn]
    assert segments.last(x, -3.0).tolist() == [own[-1] if own else -3.0 for own in drawn]


@given(groups, st.floats(0.001, 1000))
def test_the_first_row_that_meets_a_condition(drawn, bound):
    segments, x = joined(drawn)
    expected, start = [], 0
    for own in drawn:
        meets = [start + i for i, value in enumerate(own) if value > bound]
        expected.append(meets[0] if meets else -1)
        start += len(own)
    assert segments.first_where(x > bound).tolist() == expected


times = st.lists(st.integers(0, 20), unique=True, max_size=12).map(sorted)


@given(st.lists(times, min_size=1, max_size=6), st.lists(st.integers(-1, 22), max_size=8))
def test_rows_are_located_and_read_by_time(drawn, at):
    segments, time = joined(drawn)
    column = np.arange(float(len(time))) + 1
    read = Reader(segments, time, np.array(at))
    step, following, until = read.step(column, 0.5), read.next(column), read.until(column)
    for number, own in enumerate(drawn):
        rows = column[segments.group == number]
        for i, moment in enumerate(at):
            passed = [value for t, value in zip(own, rows, strict=True) if t <= moment]
            ahead = [value for t, value in zip(own, rows, strict=True) if t >= moment]
            expected = (passed[-1] if passed else 0.5) if ahead else np.nan
            np.testing.assert_equal(step[number, i], expected)
            assert following[number, i] == (ahead[0] if ahead else 0)
            assert until[number, i] == sum(passed)


numbers = st.lists(
    st.one_of(
        st.floats(0, allow_infinity=False, allow_nan=False),
        st.integers(0, 40).map(lambda bits: 1.0 + bits * 2.0**-52),  # differ in the last bits only
        st.sampled_from([-0.0, 0.0, 7.0, 1e300, 5e-324]),
    ),
    max_size=60,
)


@given(numbers)
def test_numbers_are_put_in_order_by_all_their_bits_and_equal_ones_as_they_come(drawn):
    x = np.array(drawn, dtype=float)
    np.testing.assert_array_equal(rising(x), np.argsort(x, kind="stable"))


@given(st.lists(st.one_of(st.integers(0, 3), st.integers(0, 2**63 - 1)), max_size=60))
def test_whole_numbers_of_any_size_are_put_in_order(drawn):
    x = np.array(drawn, dtype=np.int64)
    np.testing.assert_array_equal(rising(x), np.argsort(x, kind="stable"))
