"""Of very many orders few columns are joined and kept; the others come when they are asked for."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.measures.random_rows import AS_OF, random_market
from tests.measures.specs import SPECS

from analysis.contract import MissingData
from analysis.measures import MEASURES, cancellation_success_rate, success_drivers
from analysis.sources import check, collect, open_tables
from analysis.sources.tables import FEW_OF_REFUNDS, FEW_OF_REQUESTS


@pytest.fixture(scope="module")
def frames():
    return random_market(4, 200, weighted=True, text_ids=True)


@pytest.fixture(scope="module")
def wide(frames):
    """The rows as few orders, whose joins have every column."""
    return open_tables(frames, as_of=AS_OF)


@pytest.fixture(scope="module")
def second(frames):
    """The rows, opened once more."""
    return open_tables(frames, as_of=AS_OF)


@pytest.fixture
def narrow(second, monkeypatch):
    """The same rows, taken for very many."""
    monkeypatch.setattr("analysis.sources.tables.MOST_WIDE", 0)
    return second


@pytest.fixture(scope="module")
def numbered():
    """The rows of another market, whose ids are whole numbers; some rows have none. Twice."""
    frames = random_market(5, 200, weighted=True)
    return [open_tables(frames, as_of=AS_OF) for _ in range(2)]


@pytest.fixture
def in_ranges(numbered, monkeypatch):
    """These, taken for so many that they are joined in ranges of their ids, and packed."""
    monkeypatch.setattr("analysis.sources.tables.MOST_WIDE", 0)
    monkeypatch.setattr("analysis.sources.tables.MOST_LOOSE", 0)
    monkeypatch.setattr("analysis.sources.ranges.MOST_JOINED", 60)
    return numbered[0]


@pytest.mark.parametrize("name", SPECS)
def test_a_measure_is_the_same_with_few_columns_kept(name, wide, narrow):
    for options in SPECS[name].calls:
        call = SPECS[name].given | options
        found, expected = (MEASURES[name](tables, **call) for tables in (narrow, wide))
        pd.testing.assert_frame_equal(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", SPECS)
def test_a_measure_is_the_same_joined_in_ranges(name, numbered, in_ranges):
    call = SPECS[name].given | SPECS[name].calls[0]
    found, expected = (MEASURES[name](tables, **call) for tables in (in_ranges, numbered[1]))
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12, atol=1e-12)


def test_joins_in_ranges_have_every_row_once(numbered, in_ranges):
    assert len(in_ranges.joins["requests_with_few"]()) > 3
    assert len(in_ranges.joins["refunds_with_few"]()) > 3
    for ask, key in (("requests_with", "request_id"), ("refunds_with", "refund_id")):
        found = getattr(in_ranges, ask)(["category"])
        expected = getattr(numbered[1], f"{ask}_context").select(*found.columns)
        found, expected = (
            collect(frame).sort_values(key, ignore_index=True) for frame in (found, expected)
        )
        pd.testing.assert_frame_equal(found, expected)


def test_the_check_is_the_same_in_ranges(numbered, in_ranges):
    pd.testing.assert_frame_equal(check(in_ranges), check(numbered[1]))


def test_columns_that_nobody_asked_for_are_not_joined(narrow):
    requests, refunds = narrow.requests_with(), narrow.refunds_with()
    orders = set(narrow.orders.columns) | set(narrow.frames["sellers"].columns)
    own = {"order_id"} | set(narrow.requests.columns)
    assert set(requests.columns) & orders - own <= set(FEW_OF_REQUESTS)
    own = {"order_id", "currency", "amount_minor"}
    assert set(refunds.columns) & orders - own <= set(FEW_OF_REFUNDS)


def test_columns_that_are_asked_for_are_joined_and_rows_stay(narrow, wide):
    asked = ["category", "seller_country", "shipped_at", "nothing"]
    found = narrow.requests_with(asked)
    assert {"category", "seller_country", "shipped_at"} <= set(found.columns)
    expected = wide.requests_with_context.select(*found.columns)
    found, expected = (
        collect(frame).sort_values("request_id", ignore_index=True) for frame in (found, expected)
    )
    pd.testing.assert_frame_equal(found, expected)


def test_the_narrow_join_is_computed_once(narrow):
    for ask, name in (
        (narrow.requests_with, "requests_with_few"),
        (narrow.refunds_with, "refunds_with_few"),
    ):
        ask()
        kept = narrow._kept[name]
        ask(["category"])
        assert narrow._kept[name] is kept


def test_what_is_in_no_table_is_said_of_many_orders_too(narrow):
    with pytest.raises(MissingData, match=r"(?s)colour.*category"):
        cancellation_success_rate(narrow, by=["colour"])
    with pytest.raises(MissingData, match="colour"):
        success_drivers(narrow, factors=["colour"])
