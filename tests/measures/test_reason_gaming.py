"""Declared reasons: shares by hand, first requests only, and how well gaming is found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.contract import MissingData
from analysis.marketplace import write_market
from analysis.measures import reason_gaming
from analysis.sources import open_tables

AS_OF = "2025-12-01"
FAULTS = ["too_slow", "seller_unresponsive", "out_of_stock", "seller_asked"]
SMALL = {
    "requests": """
        request_id | order_id | requested_at | reason       | requested_by
        1          | 1        | 2026-05-01   | changed_mind | buyer
        2          | 1        | 2026-05-02   | too_slow     | buyer
        3          | 2        | 2026-05-01   | too_slow     | buyer
        4          | 3        | 2026-05-01   | changed_mind | buyer
        5          | 3        | 2026-05-01   | out_of_stock | seller
        6          | 4        | 2026-05-01   | other        | buyer
        7          | 5        | 2026-05-01   | too_slow     | buyer
    """,
    "orders": "order_id | seller_id \n 1|1 \n 2|1 \n 3|2 \n 4|2 \n 5|2",
}


def test_an_order_counts_with_its_buyers_first_request(tables):
    table = reason_gaming(tables(**SMALL), adjust_for=[])
    assert table.reason.unique().tolist() == ["changed_mind", "too_slow", "other"]  # codes.REASONS
    assert table.seller_id.tolist() == [2, 2, 2, 1, 1, 1]  # most orders first
    assert table.n.tolist() == [3, 3, 3, 2, 2, 2]
    assert table.n_events.tolist() == [1, 1, 1, 1, 1, 0]
    own = table[table.seller_id == 1].set_index("reason")
    # the other seller: 1 of 3 changed their mind; and one order more at that rate
    assert own.expected_share["changed_mind"] == pytest.approx((1 + 1 / 3) / (3 + 1))
    assert own.difference["changed_mind"] == pytest.approx(1 / 2 - 1 / 3)
    assert own.p_value.isna().all()  # 2/3 of a request expected: too few to test
    sums = table.groupby("seller_id")[["estimate", "expected_share"]].sum()
    np.testing.assert_allclose(sums, 1)


def test_reasons_cannot_be_adjusted_for_themselves_and_need_sellers(tables):
    with pytest.raises(ValueError, match="adjust_for must not hold reason"):
        reason_gaming(tables(**SMALL), adjust_for=["reason"])
    with pytest.raises(MissingData, match="orders.seller_id .*needed by reason_gaming"):
        reason_gaming(tables(requests="request_id\n1", without=("orders.seller_id", "sellers")))


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gaming") / "market"
    write_market(folder, 200_000, seed=7)
    orders, requests, truth = (
        pd.read_parquet(folder / name) for name in ("orders", "requests", "truth/requests")
    )
    requests = requests.merge(truth[["request_id", "true_reason"]], on="request_id")
    return orders, requests.merge(orders[["order_id", "seller_id"]], on="order_id")


def listed(market, requests):
    """Sellers that the list names."""
    orders, _ = market
    kept = requests.drop(columns=["true_reason", "seller_id"])
    table = reason_gaming(open_tables({"orders": orders, "requests": kept}, as_of=AS_OF))
    return table, set(table[table.is_outlier].seller_id)


@pytest.mark.study
def test_a_market_whose_buyers_misreport_everywhere_alike_has_nobody_on_the_list(market):
    _, requests = market
    faults = requests.true_reason.isin(FAULTS) & (requests.requested_by == "buyer")
    hidden = (requests.reason == "changed_mind") & faults
    assert 0.3 < hidden.sum() / faults.sum() < 0.5  # they do misreport
    table, named = listed(market, requests)
    assert not named
    assert table.spread[0] < 0.01


@pytest.mark.study
def test_most_large_sellers_whose_buyers_hide_every_fault_are_listed(market):
    """With 150 orders or more; of smaller ones, the few faults that go missing are within luck."""
    _, requests = market
    sizes = requests[requests.requested_by == "buyer"].groupby("seller_id").order_id.nunique()
    planted = set(sizes[sizes >= 150].index.to_numpy()[::3])
    pressed = requests.seller_id.isin(planted) & requests.true_reason.isin(FAULTS)
    spoilt = requests.assign(reason=requests.reason.mask(pressed, "changed_mind"))
    table, named = listed(market, spoilt)
    assert len(planted) >= 6
    assert len(named & planted) / len(planted) >= 0.5  # completeness: 4 of 7
    assert len(named - planted) <= 1  # precision: 4 of 5
    own = table[table.seller_id.isin(named & planted) & table.is_outlier]
    assert set(own.reason) <= {"changed_mind", *FAULTS}
    assert (own.difference[own.reason == "changed_mind"] > 0).all()
    assert (own.difference[own.reason.isin(FAULTS)] < 0).any()
