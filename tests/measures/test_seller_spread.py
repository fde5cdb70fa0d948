"""How much sellers differ: the estimator on counts by hand, groups, what cannot be told."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta
from tests.measures.test_sellers import SIX, drawn

from analysis import stats
from analysis.contract import MissingData
from analysis.measures import seller_spread


def test_it_is_the_estimator_on_the_counts_of_sellers(tables):
    row = seller_spread(tables(**SIX), level=0.9).iloc[0]
    found = stats.beta_binomial_spread([9, 1, 4, 0, 2, 1], [10, 1, 10, 0, 10, 1], level=0.9)
    values = row[["mean_rate", "estimate", "ci_low", "ci_high", "p_value", "luck_share"]]
    expected = [found.mean, found.correlation, found.low, found.high, found.p_value]
    np.testing.assert_allclose(values.astype(float), [*expected, found.luck_share])
    strength = 1 / found.correlation - 1
    true = beta(found.mean * strength, (1 - found.mean) * strength)
    assert row.sd_rates == pytest.approx(true.std())
    assert (row.rate_low, row.rate_high) == pytest.approx((true.ppf(0.1), true.ppf(0.9)))
    assert (row.n, row.n_events, row.n_pending, row.n_clusters) == (32, 17, 3, 5)


def test_sellers_that_differ_no_more_than_luck_have_one_rate(tables):
    row = seller_spread(tables(**drawn(*((i, 6, 4, 0) for i in range(1, 9))))).iloc[0]
    assert (row.estimate, row.ci_low, row.sd_rates, row.luck_share, row.p_value) == (0, 0, 0, 1, 1)
    assert row.rate_low == row.rate_high == row.mean_rate == pytest.approx(0.6)
    assert row.ci_high < 0.1


def test_sellers_are_compared_within_groups(tables):
    texts = drawn((1, 9, 1, 0), (2, 1, 9, 0), (3, 5, 5, 0))
    texts["sellers"] = "seller_id | size_tier \n 1 | small \n 2 | small \n 3 | large"
    table = seller_spread(tables(**texts), by=["size_tier"]).set_index("size_tier")
    assert table.n_clusters.to_dict() == {"large": 1, "small": 2}
    assert table.estimate["small"] > 0.3
    assert table.loc["large", ["estimate", "ci_low", "p_value", "luck_share"]].isna().all()
    assert table.interval["large"] == "none: nothing can tell"
    assert table.mean_rate["large"] == 0.5
    each = seller_spread(tables(**texts), by=["seller_id"])
    assert each.estimate.isna().all() and len(each) == 3


def test_spread_needs_sellers(tables):
    with pytest.raises(MissingData, match="orders.seller_id .*needed by seller_spread"):
        seller_spread(tables(requests="request_id\n1", without=("orders.seller_id", "sellers")))
