"""Of very many orders few columns are joined and kept; the others come when they are asked for."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.measures.random_rows import AS_OF, random_market
from tests.measures.specs import SPECS

from analysis.contract import MissingData
from analysis.measures import MEASURES, cancellation_success_rate, success_drivers
from analysis.sources import collect, open_tables
from analysis.sources.tables import FEW_OF_REFUNDS, FEW_OF_REQUESTS


@pytest.fixture(scope="module")
def frames():
    return random_market(4, 200, weighted=True, text_ids=True)


@pytest.fixture(scope="module")
def wide(frames):
    """The rows as few orders, whose joins have every column."""
    return open_tables(frames, as_of=AS_OF)


@pytest.fixture
def narrow(frames, monkeypatch):
    """The same rows, taken for very many."""
    monkeypatch.setattr("analysis.sources.tables.MOST_WIDE", 0)
    return open_tables(frames, as_of=AS_OF)


@pytest.mark.parametrize("name", SPECS)
def test_a_measure_is_the_same_with_few_columns_kept(name, wide, narrow):
    for options in SPECS[name].calls:
        call = SPECS[name].given | options
        found, expected = (MEASURES[name](tables, **call) for tables in (narrow, wide))
        pd.testing.assert_frame_equal(found, expected, rtol=1e-12, atol=1e-12)


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
    assert narrow.requests_with() is narrow.requests_with()
    assert narrow.refunds_with() is narrow.refunds_with()


def test_what_is_in_no_table_is_said_of_many_orders_too(narrow):
    with pytest.raises(MissingData, match=r"(?s)colour.*category"):
        cancellation_success_rate(narrow, by=["colour"])
    with pytest.raises(MissingData, match="colour"):
        success_drivers(narrow, factors=["colour"])
