"""Ranges of a key: each row is in one of them, and few rows are one range."""

from __future__ import annotations

import pyarrow as pa
import pytest

from analysis.sources import collect
from analysis.sources.connecting import connect
from analysis.sources.engine import registered
from analysis.sources.ranges import edges_of, in_ranges, near

KEYS = [7, -3, None, 12, 0, 12, None, 5]


@pytest.fixture
def rows():
    return registered(connect(), "rows", pa.table({"key": pa.array(KEYS, pa.int64())}))


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr("analysis.sources.ranges.MOST_JOINED", 2)


def keys(frame):
    found = collect(frame)["key"]
    return sorted(found.dropna().astype(int)) + [None] * int(found.isna().sum())


def test_few_rows_are_one_range(rows):
    assert edges_of(rows.key, len(KEYS)) == []
    assert in_ranges(rows, "key", []) == [rows]


def test_every_row_is_in_one_range_and_those_without_key_in_the_first(rows, few):
    edges = edges_of(rows.key, len(KEYS))
    assert edges == [0, 4, 8]
    parts = [keys(part) for part in in_ranges(rows, "key", edges)]
    assert parts == [[-3, None, None], [0], [5, 7], [12, 12]]


def test_one_edge_makes_two_ranges(rows):
    assert [keys(part) for part in in_ranges(rows, "key", [5])] == [
        [-3, 0, None, None],
        [5, 7, 12, 12],
    ]


@pytest.mark.parametrize("column", [pa.array(["a", "b", "c"]), pa.array([None] * 3, pa.int64())])
def test_text_and_no_keys_at_all_are_one_range(column, few):
    frame = registered(connect(), "rows", pa.table({"key": column}))
    assert edges_of(frame.key, 3) == []


def test_near_are_the_rows_between_the_smallest_and_the_largest_key_of_others(rows):
    assert keys(near(rows, rows.filter(rows.key.isin([0, 7])), "key")) == [0, 5, 7]
    assert keys(near(rows, rows.filter(rows.key.isnull()), "key")) == keys(rows)
