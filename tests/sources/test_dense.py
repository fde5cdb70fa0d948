"""Ids marked in a table: the same counts as counting them one by one."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.sources import dense
from analysis.sources.connecting import connect
from analysis.sources.dense import n_repeated, n_unknown
from analysis.sources.engine import registered

near = st.integers(-40, 40)
small = st.sampled_from([4, 16, 64])  # bytes of one table


@pytest.fixture(scope="module")
def rows():
    backend = connect()
    return lambda **columns: registered(backend, "rows", pa.table(columns))


def whole(numbers, kind=None):
    return pa.array(numbers, kind or pa.int64())


@settings(max_examples=60, deadline=None)
@given(numbers=st.lists(near), most=small)
def test_numbers_that_are_repeated(rows, numbers, most):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dense, "MOST_BYTES", most)
        patch.setattr(dense, "SPARSEST", 1_000)
        assert n_repeated(rows(number=whole(numbers))) == len(numbers) - len(set(numbers))


@settings(max_examples=60, deadline=None)
@given(pairs=st.lists(st.tuples(near, st.integers(0, 31))), n_places=st.integers(1, 32), most=small)
def test_numbers_and_places_that_are_repeated(rows, pairs, n_places, most):
    pairs = [(number, place % n_places) for number, place in pairs]
    numbers, places = zip(*pairs, strict=True) if pairs else ((), ())
    frame = rows(number=whole(numbers), place=whole(places))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dense, "MOST_BYTES", most)
        patch.setattr(dense, "SPARSEST", 10_000)
        assert n_repeated(frame, n_places) == len(pairs) - len(set(pairs))


@settings(max_examples=60, deadline=None)
@given(
    asked=st.lists(near | st.sampled_from([-(2**63), 2**63 - 1])),
    known=st.lists(near),
    most=small,
)
def test_numbers_that_are_not_known(rows, asked, known, most):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dense, "MOST_BYTES", most)
        patch.setattr(dense, "SPARSEST", 1_000)
        found = n_unknown(rows(number=whole(asked)), rows(number=whole(known)))
    assert found == sum(number not in known for number in asked)


@pytest.mark.parametrize(
    "numbers",
    [whole([0, 2 * dense.SPARSEST]), whole([-(2**63), 2**63 - 1]), pa.array(["a", "a"])],
    ids=["far apart", "as far as can be", "words"],
)
def test_what_cannot_be_marked_is_left_to_others(rows, numbers):
    frame = rows(number=numbers)
    assert n_repeated(frame) is None
    assert n_unknown(rows(number=whole([1])), frame) is None


def test_words_are_not_looked_for_among_numbers(rows):
    assert n_unknown(rows(number=pa.array(["1"])), rows(number=whole([1]))) is None


def test_any_width_of_whole_numbers_is_marked(rows):
    frame = rows(number=whole([125, 126, 127, 127], pa.int8()))
    assert n_repeated(frame) == 1
    assert n_unknown(rows(number=whole([127, 128], pa.int32())), frame) == 1
