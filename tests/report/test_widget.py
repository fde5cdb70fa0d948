"""The widget: pick an order, see its card; a wrong id says so instead of failing."""

from __future__ import annotations

import pytest

from analysis.contract import MissingData
from analysis.marketplace import make_market
from analysis.report.widget import order_picker, refused_orders
from analysis.sources import open_tables


@pytest.fixture(scope="module")
def market():
    return open_tables(make_market(1500, seed=2), as_of="2025-12-01")


def card_of(picker) -> str:
    _, card = picker.children
    return card.value


def test_the_first_refused_order_is_shown_and_another_can_be_picked(market):
    first, second, *_ = refused_orders(market)
    picker = order_picker(market)
    box, _ = picker.children
    assert box.value == str(first) and str(first) in card_of(picker)
    box.value = str(second)
    assert str(second) in card_of(picker)


def test_an_order_that_is_not_there_is_said(market):
    picker = order_picker(market)
    box, _ = picker.children
    box.value = "424242424242"
    assert "is not in this data" in card_of(picker)
    box.value = "no number"
    assert "must be a whole number" in card_of(picker)


def test_data_without_blockers_has_no_orders_to_offer(market):
    frames = make_market(300, seed=2)
    frames["requests"] = frames["requests"].drop_columns(["blocker"])
    bare = {name: frames[name] for name in ("orders", "requests")}
    with pytest.raises(MissingData, match="requests.blocker"):
        refused_orders(open_tables(bare, as_of="2025-12-01"))
