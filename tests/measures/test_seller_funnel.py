"""Funnels of sellers: expected by hand, limits, a planted outlier among sellers that are alike."""

from __future__ import annotations

import numpy as np
import pytest
from tests.measures.test_sellers import MIXED, SIX, drawn

from analysis import stats
from analysis.contract import MissingData
from analysis.measures import seller_funnel, seller_scorecard


def test_rates_stand_beside_what_the_others_make_of_such_requests(tables):
    opened = tables(**MIXED)
    table = seller_funnel(opened, adjust_for=["order_state"]).set_index("seller_id")
    assert table.estimate.to_dict() == {1: 2 / 3, 2: 0.5}
    assert table.expected_rate[1] == pytest.approx((2 * 0.25 + 0.5) / 3)  # as in the scorecard
    assert table.difference[1] == pytest.approx(2 / 3 - 1 / 3)
    low, high = stats.wilson(2, 3)
    assert (table.ci_low[1], table.ci_high[1]) == pytest.approx((float(low), float(high)))
    card = seller_scorecard(opened).set_index("seller_id")
    assert seller_funnel(opened).set_index("seller_id").expected_rate.equals(card.expected_rate)


def test_without_a_mix_limits_are_those_of_the_published_funnel(tables):
    sellers = [(i, 6 + i % 3, 6 - i % 3, 0) for i in range(1, 31)]
    table = seller_funnel(tables(**drawn(*sellers)), adjust_for=[])
    total = sum(worked for _, worked, _, _ in sellers)
    first = table.iloc[0]
    others = total - first.n_events
    expected = (others + others / 348) / 349  # their rate, and one request more at it
    assert first.expected_rate == pytest.approx(expected)
    variance = expected * (1 - expected) / 12 * (1 + 12 / 349)
    assert first.z == pytest.approx((first.estimate - expected) / np.sqrt(variance))
    worth = round(12 / (1 + 12 / 349))
    low, high = stats.funnel_limits(expected, worth)
    assert (first.limit_low, first.limit_high) == pytest.approx((float(low), float(high)))
    assert table.sd_between[0] == 0  # they differ less than luck makes them
    assert not table.is_outlier.any()
    assert (table.wide_low <= table.expected_rate).all()


def test_one_seller_far_from_the_others_is_found_and_it_alone(tables):
    worked = [15, 16, 17, 18, 18, 19, 20, 21] * 5
    sellers = [(i, k, 30 - k, 1) for i, k in enumerate(worked, start=1)]
    table = seller_funnel(tables(**drawn(*sellers, (99, 5, 55, 0))))
    assert table[table.is_outlier].seller_id.tolist() == [99]
    assert table.loc[table.seller_id == 99, "z"].item() < -5
    assert table.phi.nunique() == 1 and table.phi[0] < 2  # winsorised: one does not spoil it
    assert table.seller_id[0] == 99  # the most mature requests
    assert (table.q_value >= table.p_value - 1e-12).all()


def test_young_requests_only_leave_a_row_without_a_rate(tables):
    table = seller_funnel(tables(**SIX)).set_index("seller_id")
    assert (table.n[9], table.n_pending[9]) == (0, 2)
    assert table.loc[9, ["estimate", "expected_rate", "z", "p_value", "limit_low"]].isna().all()
    assert not table.is_outlier[9]
    with pytest.raises(MissingData, match="orders.seller_id .*needed by seller_funnel"):
        seller_funnel(tables(requests="request_id\n1", without=("orders.seller_id", "sellers")))
