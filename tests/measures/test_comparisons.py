"""Groups beside each other: differences of success rates, and rates at an equal mix."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.measures.random_rows import AS_OF, random_market

from analysis import stats
from analysis.measures import (
    cancellation_success_rate,
    standardised_success_rate,
    success_rate_difference,
)
from analysis.sources import open_tables

METHODS = ("card", "card", "card", "card", "wallet", "wallet", "paypal", "")


def drawn(tables, **options):
    """Four requests by card (three work), two by wallet (none works), one by PayPal (works)."""
    worked = [1, 1, 1, 0, 0, 0, 1, 1]
    words = ["rejected_by_seller", "approved_by_seller"]
    requests = "\n".join(f"{i} | {words[k]}" for i, k in enumerate(worked, 1))
    orders = "\n".join(f"{i} | {m} | 7" for i, m in enumerate(METHODS, 1))
    return tables(
        requests=f"order_id | outcome\n{requests}",
        orders=f"order_id | colour | buyer_id\n{orders}",
        **options,
    )


# success_rate_difference


def test_each_value_is_set_against_the_most_frequent_one(tables):
    table = success_rate_difference(drawn(tables), between="colour")
    assert table.colour.fillna("?").tolist() == ["paypal", "wallet", "?"]
    assert set(table.baseline) == {"card"}
    assert table.estimate.tolist() == [0.25, -0.75, 0.25]
    assert table.rate.tolist() == [1, 0, 1]
    assert table.baseline_rate.tolist() == [0.75] * 3
    assert table[["n", "n_events", "n_baseline", "n_events_baseline"]].to_numpy().tolist() == [
        [1, 1, 4, 3],
        [2, 0, 4, 3],
        [1, 1, 4, 3],
    ]
    assert table.ratio.tolist() == [4 / 3, 0, 4 / 3]


def test_without_sellers_the_interval_is_newcombes(tables):
    opened = drawn(tables, without=("orders.seller_id", "sellers"))
    row = success_rate_difference(opened, between="colour", level=0.9).iloc[1]
    expected = stats.newcombe_difference(0, 2, 3, 4, level=0.9)
    assert (row.ci_low, row.ci_high) == (expected.low, expected.high)
    assert row.interval == "Newcombe"
    assert row.p_value == pytest.approx(0.0833, abs=5e-5)  # Pearson: chi-squared of 3


def test_the_baseline_may_be_chosen_and_groups_keep_their_own(tables):
    opened = drawn(tables)
    table = success_rate_difference(opened, between="colour", baseline="wallet")
    assert table.estimate.tolist() == [0.75, 1, 1]
    assert np.isnan(table.ratio).all() and np.isinf(table.ratio_high).all()
    with pytest.raises(ValueError, match=r"baseline must be a value of colour \('card'"):
        success_rate_difference(opened, between="colour", baseline="gold")
    by = success_rate_difference(opened, between="colour", by=["outcome"])
    nobody = by[(by.outcome == "rejected_by_seller") & (by.colour == "paypal")]
    assert nobody.empty  # no such request, no row
    same = success_rate_difference(opened, between="colour", by="colour")
    pd.testing.assert_frame_equal(same, success_rate_difference(opened, between="colour"))


def test_a_group_without_the_baseline_keeps_its_row_without_a_number(tables):
    opened = tables(
        requests="order_id | order_state \n 1|packed \n 2|packed \n 3|shipped",
        orders="order_id | colour \n 1|red \n 2|red \n 3|blue",
    )
    row = success_rate_difference(opened, between="colour", by="order_state").iloc[0]
    assert (row.order_state, row.colour, row.rate, row.n, row.n_baseline) == (
        "shipped",
        "blue",
        1,
        1,
        0,
    )
    assert np.isnan([row.estimate, row.ci_low, row.p_value, row.q_value]).all()


@pytest.mark.parametrize("weighted", [False, True])
def test_both_rates_are_those_of_the_success_rate(weighted):
    opened = open_tables(random_market(9, 300, weighted=weighted), as_of=AS_OF)
    table = success_rate_difference(opened, between="order_state", by=["category"])
    rates = cancellation_success_rate(opened, by=["category", "order_state"])
    rates = rates.set_index(["category", "order_state"])
    for row in table.itertuples():
        own, base = (rates.loc[(row.category, s)] for s in (row.order_state, row.baseline))
        assert (row.n, row.n_events, row.n_clusters) == (own.n, own.n_events, own.n_clusters)
        assert (row.n_baseline, row.n_events_baseline) == (base.n, base.n_events)
        if own.n and base.n:
            assert row.estimate == pytest.approx(own.estimate - base.estimate, abs=1e-12)
            assert row.ci_low <= row.estimate <= row.ci_high
    np.testing.assert_allclose(table.q_value, stats.q_values(table.p_value))


# standardised_success_rate


def test_each_group_gets_the_mix_of_all(tables):
    states = ["packed"] * 4 + ["shipped"] * 4
    colours = ["red", "red", "red", "blue", "red", "blue", "blue", "blue"]
    worked = [1, 1, 0, 1, 0, 0, 0, 1]
    words = ["rejected_by_seller", "approved_by_seller"]
    rows = zip(states, worked, strict=True)
    opened = tables(
        requests="order_id | order_state | outcome\n"
        + "\n".join(f"{i} | {s} | {words[k]}" for i, (s, k) in enumerate(rows, 1)),
        orders="order_id | colour\n" + "\n".join(f"{i} | {c}" for i, c in enumerate(colours, 1)),
    )
    table = standardised_success_rate(opened, by="colour")
    blue, red = table.itertuples()
    # half of all requests were packed: blue 1/1 and 1/3, red 2/3 and 0/1
    assert blue.estimate == pytest.approx((1 + 1 / 3) / 2)
    assert red.estimate == pytest.approx((2 / 3 + 0) / 2)
    assert (blue.crude_rate, red.crude_rate) == (0.5, 0.5)  # the mixes hid the difference
    assert (blue.coverage_share, blue.n_strata, blue.n, blue.n_events) == (1, 2, 4, 2)
    whole = standardised_success_rate(opened).iloc[0]
    assert whole.estimate == whole.crude_rate == 0.5


def test_a_group_that_lacks_a_part_of_the_mix_has_no_estimate(tables):
    opened = tables(
        requests="order_id | order_state \n 1|packed \n 2|packed \n 3|shipped \n 4|packed",
        orders="order_id | colour \n 1|red \n 2|blue \n 3|red \n 4|red",
    )
    blue, red = standardised_success_rate(opened, by="colour").itertuples()
    assert np.isnan([blue.estimate, blue.ci_low, blue.ci_high]).all()
    assert (blue.coverage_share, blue.crude_rate, red.estimate) == (0.75, 1, 1)
    with pytest.raises(ValueError, match="must not both hold colour"):
        standardised_success_rate(opened, by="colour", adjust_for=["colour"])


@pytest.mark.parametrize("weighted", [False, True])
def test_crude_rates_are_the_success_rates(weighted):
    opened = open_tables(random_market(8, 300, weighted=weighted), as_of=AS_OF)
    table = standardised_success_rate(opened, by=["size_tier"], horizon_hours=100)
    rates = cancellation_success_rate(opened, by=["size_tier"], horizon_hours=100)
    for crude, column in (("crude_rate", "estimate"), ("crude_low", "ci_low")):
        np.testing.assert_allclose(table[crude], rates[column], atol=1e-12)
    counts = ["n", "n_events", "n_pending", "n_clusters"]
    pd.testing.assert_frame_equal(table[counts], rates[counts])
