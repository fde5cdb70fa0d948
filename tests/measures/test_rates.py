"""How often cancelling is asked for, and how often it works: the rates, number by number."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, t

from analysis.contract import MissingData, codes
from analysis.measures import (
    cancellation_success_rate,
    order_end_shares,
    outcome_shares,
    request_rate,
)

DAY = 24


def counts(table):
    """Denominator, numerator and what is too young, of every row."""
    return table[["n", "n_events", "n_pending"]].to_numpy().tolist()


def wilson(p, worth, z):
    """Wilson (1927) as it is usually written: centre and half width."""
    centre = (p + z**2 / (2 * worth)) / (1 + z**2 / worth)
    half = z / (1 + z**2 / worth) * np.sqrt(p * (1 - p) / worth + z**2 / (4 * worth**2))
    return centre - half, centre + half


# cancellation_success_rate


def test_young_requests_are_pending_and_late_successes_do_not_count(tables):
    opened = tables(
        as_of="2026-03-10",
        requests="""
            requested_at | decided_at | outcome
            2026-03-01   | 2026-03-02 | approved_by_seller
            2026-03-01   | 2026-03-02 | rejected_by_seller
            2026-03-01   | 2026-03-09 | approved_by_seller
            2026-03-09   |            | pending
        """,
    )
    row = cancellation_success_rate(opened, horizon_hours=5 * DAY).iloc[0]
    assert (row.estimate, row.n, row.n_events, row.n_pending) == (1 / 3, 3, 1, 1)


def test_a_request_counts_from_the_second_at_which_it_is_as_old_as_the_horizon(tables):
    opened = tables(
        as_of="2026-03-10",
        requests="""
            requested_at        | decided_at          | outcome
            2026-03-09 00:00:00 | 2026-03-09 01:00:00 | approved_by_seller
            2026-03-09 00:00:01 | 2026-03-09 01:00:00 | approved_by_seller
        """,
    )
    assert counts(cancellation_success_rate(opened, horizon_hours=24)) == [[1, 1, 1]]


def test_a_success_counts_up_to_the_second_at_which_the_horizon_ends(tables):
    opened = tables(
        as_of="2026-03-10",
        requests="""
            requested_at | decided_at          | outcome
            2026-03-01   | 2026-03-02 00:00:00 | approved_by_seller
            2026-03-01   | 2026-03-02 00:00:01 | approved_by_seller
            2026-03-01   | 2026-03-01 00:00:00 | instant_cancelled
        """,
    )
    assert counts(cancellation_success_rate(opened, horizon_hours=24)) == [[3, 2, 0]]
    assert counts(cancellation_success_rate(opened, horizon_hours=24.5)) == [[3, 3, 0]]


def test_success_is_a_cancelled_order_and_nothing_else(tables):
    rows = "\n".join(f"{word}" for word in codes.OUTCOMES)
    table = cancellation_success_rate(tables(requests=f"outcome\n{rows}"), by="outcome")
    worked = dict(zip(table.outcome, table.estimate, strict=True))
    assert {word for word, share in worked.items() if share == 1} == {
        "instant_cancelled",
        "approved_by_seller",
        "auto_approved_timeout",
    }
    assert sorted(worked) == sorted(codes.OUTCOMES)
    assert set(worked.values()) == {0.0, 1.0}


def test_whose_requests_count_is_asked_for(tables):
    opened = tables(
        requests="""
            requested_by | outcome
            buyer        | approved_by_seller
            buyer        | rejected_by_seller
            seller       | instant_cancelled
            platform     | instant_cancelled
            platform     | instant_cancelled
        """
    )
    assert counts(cancellation_success_rate(opened)) == [[2, 1, 0]]
    assert counts(cancellation_success_rate(opened, requested_by="seller")) == [[1, 1, 0]]
    with pytest.raises(ValueError, match="requested_by must be one of 'buyer', .* got 'Buyer'"):
        cancellation_success_rate(opened, requested_by="Buyer")
    assert counts(cancellation_success_rate(opened, requested_by="platform")) == [[2, 2, 0]]
    assert counts(cancellation_success_rate(opened, requested_by=None)) == [[5, 4, 0]]


def test_groups_are_sorted_and_all_kept_the_nameless_and_the_empty_too(tables):
    opened = tables(
        as_of="2026-06-30",
        requests="""
            order_id | requested_at | outcome
            1        | 2026-05-01   | approved_by_seller
            2        | 2026-05-01   | rejected_by_seller
            3        | 2026-05-01   | approved_by_seller
            4        | 2026-06-29   | pending
            5        | 2026-05-01   | rejected_by_seller
        """,
        orders="""
            order_id | colour
            1        | red
            2        | red
            3        |
            4        | amber
            5        | blue
        """,
    )
    table = cancellation_success_rate(opened, by=["colour"])
    assert table.colour.fillna("?").tolist() == ["amber", "blue", "red", "?"]
    assert counts(table) == [[0, 0, 1], [1, 0, 0], [2, 1, 0], [1, 1, 0]]
    amber, blue, red, nameless = table.itertuples()
    assert np.isnan([amber.estimate, amber.ci_low, amber.ci_high]).all()
    assert (blue.estimate, blue.ci_low, red.estimate) == (0, 0, 0.5)
    assert (nameless.estimate, nameless.ci_high) == (1, 1)


def test_columns_of_requests_orders_and_sellers_make_groups(tables):
    opened = tables(
        requests="""
            order_id | order_state       | outcome
            1        | awaiting_shipment | approved_by_seller
            2        | packed            | rejected_by_seller
            3        | awaiting_shipment | rejected_by_seller
        """,
        orders="order_id | seller_id | payment_method \n 1|7|card \n 2|7|paypal \n 3|8|card",
        sellers="seller_id | seller_country | size_tier \n 7|CN| \n 8|TR|large",
    )
    by = ["seller_country", "order_state", "payment_method"]
    table = cancellation_success_rate(opened, by=by)
    assert list(table.columns[:4]) == [*by, "estimate"]
    assert table[[*by, "n_events"]].to_numpy().tolist() == [
        ["CN", "awaiting_shipment", "card", 1],
        ["CN", "packed", "paypal", 0],
        ["TR", "awaiting_shipment", "card", 0],
    ]
    assert cancellation_success_rate(opened, by="size_tier").size_tier.fillna("?").tolist() == [
        "large",
        "?",
    ]


def test_numbers_flags_and_times_make_groups_too(tables):
    opened = tables(
        requests="order_id | outcome \n 1|approved_by_seller \n 2|blocked \n 3|blocked",
        orders="order_id | seller_id | is_cancellable_goods \n 1|10|true \n 2|9|false \n 3||",
    )
    flags = cancellation_success_rate(opened, by="is_cancellable_goods")
    assert flags.is_cancellable_goods.tolist()[:2] == [False, True]
    assert flags.is_cancellable_goods.isna().tolist() == [False, False, True]
    assert flags.n_events.tolist() == [0, 1, 0]
    sellers = cancellation_success_rate(opened, by="seller_id")
    assert sellers.seller_id.tolist()[:2] == [9, 10]
    assert np.isnan(sellers.seller_id[2])
    times = cancellation_success_rate(opened, by="placed_at")
    assert (len(times), times.n.sum()) == (1, 3)


@pytest.mark.parametrize("measure", [cancellation_success_rate, outcome_shares, request_rate])
def test_an_unknown_group_is_named_with_what_there_is(tables, measure):
    opened = tables(requests="request_id\n1")
    with pytest.raises(MissingData) as error:
        measure(opened, by=["size_tier", "colour"])
    said = str(error.value)
    assert "the column colour is not in this data" in said
    assert f"needed by {measure.__name__}" in said
    assert "payment_method" in said
    assert "size_tier" in said


def test_without_sellers_their_columns_are_missing_and_the_rest_works(tables):
    opened = tables(requests="request_id\n1\n2", without=("sellers",))
    assert counts(cancellation_success_rate(opened)) == [[2, 2, 0]]
    with pytest.raises(MissingData, match="the column seller_country is not in this data"):
        cancellation_success_rate(opened, by="seller_country")


def test_no_request_one_request_and_only_open_requests_are_one_row(tables):
    nobody = cancellation_success_rate(tables(requests="request_id"))
    assert counts(nobody) == [[0, 0, 0]]
    assert nobody[["estimate", "ci_low", "ci_high"]].isna().all(axis=None)
    alone = cancellation_success_rate(tables(requests="request_id\n1")).iloc[0]
    assert (alone.estimate, alone.n, alone.n_clusters) == (1, 1, 1)
    young = tables(
        as_of="2026-06-30", requests="requested_at | outcome \n 2026-06-30|pending \n 2026-06-29|"
    )
    assert counts(cancellation_success_rate(young)) == [[0, 0, 2]]


def test_an_old_request_that_nobody_decides_is_no_success(tables):
    opened = tables(as_of="2026-06-30", requests="requested_at | outcome \n 2026-01-01 | pending")
    assert counts(cancellation_success_rate(opened)) == [[1, 0, 0]]


THREE_SELLERS = {
    "requests": """
        order_id | outcome
        1        | approved_by_seller
        2        | approved_by_seller
        3        | approved_by_seller
        4        | rejected_by_seller
        5        | rejected_by_seller
        6        | rejected_by_seller
    """,
    "orders": "order_id | seller_id \n 1|1 \n 2|1 \n 3|2 \n 4|2 \n 5|3 \n 6|3",
}


def test_limits_allow_for_requests_of_one_seller_being_alike(tables):
    row = cancellation_success_rate(tables(**THREE_SELLERS)).iloc[0]
    # shares of the three sellers are 1, 1/2, 0 with two requests each; residuals 1, 0, -1
    variance = 3 / (3 - 1) * (1 + 0 + 1) / 6**2
    worth = min(0.5 * 0.5 / variance, 6)  # requests that the six are worth: 3
    low, high = wilson(0.5, worth, t.ppf(0.975, df=2))
    assert (row.estimate, row.n_clusters, row.interval) == (0.5, 3, "Wilson, clustered by seller")
    np.testing.assert_allclose([row.ci_low, row.ci_high], [low, high], rtol=1e-12)
    narrow = cancellation_success_rate(tables(**THREE_SELLERS), level=0.8).iloc[0]
    low, high = wilson(0.5, worth, t.ppf(0.9, df=2))
    np.testing.assert_allclose([narrow.ci_low, narrow.ci_high], [low, high], rtol=1e-12)


def test_without_seller_every_request_stands_for_itself(tables):
    row = cancellation_success_rate(tables(**THREE_SELLERS, without=("orders.seller_id",))).iloc[0]
    assert (row.interval, row.n_clusters) == ("Wilson", 6)
    np.testing.assert_allclose(
        [row.ci_low, row.ci_high], wilson(0.5, 6, norm.ppf(0.975)), rtol=1e-12
    )


def test_one_seller_is_too_few_to_cluster(tables):
    table = cancellation_success_rate(tables(**THREE_SELLERS), by="seller_id")
    assert table.interval.tolist() == ["Wilson, too few to cluster by seller"] * 3
    low, high = wilson(0.5, 2, norm.ppf(0.975))
    np.testing.assert_allclose(table.iloc[1][["ci_low", "ci_high"]].astype(float), [low, high])


def test_requests_of_nameless_sellers_are_clusters_of_their_own(tables):
    orders = "order_id | seller_id \n 1|1 \n 2|1 \n 3| \n 4| \n 5| \n 6|"
    row = cancellation_success_rate(tables(requests=THREE_SELLERS["requests"], orders=orders)).iloc[
        0
    ]
    assert (row.n, row.n_clusters, row.interval) == (6, 5, "Wilson, clustered by seller")


def test_orders_count_for_their_weight(tables):
    opened = tables(
        as_of="2026-06-30",
        requests="""
            order_id | requested_at | outcome
            1        | 2026-05-01   | approved_by_seller
            2        | 2026-05-01   | rejected_by_seller
            3        | 2026-05-01   | approved_by_seller
            4        | 2026-06-29   | pending
            5        | 2026-05-01   | approved_by_seller
        """,
        orders="order_id | weight \n 1|2.5 \n 2|4 \n 3| \n 4|1.5 \n 5|0",
    )
    row = cancellation_success_rate(opened).iloc[0]
    # a missing weight is 1: 2.5 + 4 + 1 mature, 2.5 + 1 of them worked
    assert (row.n, row.n_events, row.n_pending) == (7.5, 3.5, 1.5)
    assert row.estimate == pytest.approx(3.5 / 7.5, abs=1e-15)
    assert row.n_clusters == 3  # the seller of weight 0 is not there


def test_a_level_outside_0_to_1_is_refused(tables):
    opened = tables(requests="request_id\n1")
    for level in (0, 1, 95, -0.5):
        with pytest.raises(ValueError, match=rf"level must be in \(0, 1\), got {level}"):
            cancellation_success_rate(opened, level=level)


@pytest.mark.parametrize("measure", [cancellation_success_rate, outcome_shares, request_rate])
def test_a_horizon_that_is_no_time_is_refused(tables, measure):
    opened = tables(requests="request_id\n1")
    for hours in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="horizon_hours must be more than 0 and finite, got"):
            measure(opened, horizon_hours=hours)


# outcome_shares


def test_shares_of_all_outcomes_add_up_and_the_undecided_have_their_own(tables):
    opened = tables(
        as_of="2026-03-31",
        requests="""
            requested_at | decided_at | outcome
            2026-03-01   | 2026-03-02 | approved_by_seller
            2026-03-01   | 2026-03-02 | approved_by_seller
            2026-03-01   | 2026-03-02 | blocked
            2026-03-01   | 2026-03-20 | rejected_by_seller
            2026-03-01   |            | pending
            2026-03-29   | 2026-03-29 | instant_cancelled
        """,
    )
    table = outcome_shares(opened, horizon_hours=10 * DAY)
    assert table.outcome.tolist() == list(codes.OUTCOMES)
    share = table.set_index("outcome").estimate
    assert share[share > 0].to_dict() == {
        "approved_by_seller": 2 / 5,
        "blocked": 1 / 5,
        "pending": 2 / 5,  # one never decided, one only on day 19
    }
    assert share.sum() == 1
    assert set(table.n) == {5}
    assert set(table.n_pending) == {1}
    assert table.n_events.sum() == 5
    worked = cancellation_success_rate(opened, horizon_hours=10 * DAY).iloc[0]
    assert worked.n_events == table[table.outcome.isin(codes.SUCCESS)].n_events.sum()


def test_every_group_has_all_outcomes(tables):
    opened = tables(
        requests="""
            order_state | outcome            | requested_by
            packed      | blocked            | buyer
            shipped     | approved_by_seller | buyer
            delivered   | blocked            | seller
        """
    )
    table = outcome_shares(opened, by=["order_state"])
    assert table.order_state.tolist() == ["packed"] * 10 + ["shipped"] * 10
    assert table[table.estimate == 1].outcome.tolist() == ["blocked", "approved_by_seller"]
    assert len(outcome_shares(opened, by=["order_state"], requested_by=None)) == 30


# request_rate


def test_an_order_counts_once_if_its_buyer_asked_within_the_horizon_after_paying(tables):
    opened = tables(
        as_of="2026-03-10",
        orders="""
            order_id | placed_at  | paid_at
            1        | 2026-03-01 | 2026-03-02
            2        | 2026-03-01 | 2026-03-02
            3        | 2026-03-01 | 2026-03-02
            4        | 2026-03-01 | 2026-03-02
            5        | 2026-03-01 | 2026-03-02
            6        | 2026-03-01 |
            7        | 2026-03-08 | 2026-03-08
            8        | 2026-03-08 | 2026-03-08 00:00:01
        """,
        requests="""
            order_id | requested_by | requested_at        | outcome
            1        | buyer        | 2026-03-04 00:00:00 | blocked
            1        | buyer        | 2026-03-03 00:00:00 | blocked
            2        | buyer        | 2026-03-04 00:00:01 | blocked
            3        | buyer        | 2026-03-01 12:00:00 | blocked
            4        | seller       | 2026-03-03 00:00:00 | instant_cancelled
            5        | buyer        | 2026-03-04 00:00:00 | blocked
            6        | buyer        | 2026-03-01 12:00:00 | instant_cancelled
            7        | buyer        | 2026-03-08 00:00:00 | blocked
            8        | buyer        | 2026-03-09 00:00:00 | blocked
        """,
    )
    # paid two days or more ago: 1 to 5 and 7; asked in time: 1 (twice), 5 (at the last second)
    # and 7 (on paying); 2 asked a second late, 3 only before paying, 4 is the seller's
    row = request_rate(opened, horizon_hours=48).iloc[0]
    assert (row.n, row.n_events, row.n_pending, row.estimate) == (6, 3, 1, 0.5)


def test_a_request_before_paying_does_not_hide_a_later_one(tables):
    opened = tables(
        orders="order_id | placed_at | paid_at \n 1 | 2026-03-01 | 2026-03-02",
        requests="""
            order_id | requested_at | outcome
            1        | 2026-03-01   | withdrawn_by_buyer
            1        | 2026-03-03   | blocked
        """,
    )
    assert counts(request_rate(opened)) == [[1, 1, 0]]


def test_request_rates_come_by_columns_of_orders_and_sellers_and_weighted(tables):
    opened = tables(
        orders="""
            order_id | seller_id | payment_method | weight
            1        | 1         | card           | 3
            2        | 1         | card           |
            3        | 2         | wallet         | 2
        """,
        requests="order_id\n1",
        sellers="seller_id | seller_country \n 1|CN \n 2|",
    )
    table = request_rate(opened, by=["payment_method"])
    assert table.estimate.tolist() == [3 / 4, 0]
    assert counts(table) == [[4, 3, 0], [2, 0, 0]]
    assert request_rate(opened, by=["seller_country"]).seller_country.fillna("?").tolist() == [
        "CN",
        "?",
    ]


def test_a_request_rate_needs_the_time_of_payment(tables):
    with pytest.raises(MissingData, match="column orders.paid_at .*needed by request_rate"):
        request_rate(tables(requests="request_id\n1", without=("orders.paid_at",)))


def test_orders_that_nobody_asked_about_are_all_in_the_denominator(tables):
    opened = tables(orders="order_id\n1\n2\n3", requests="request_id")
    row = request_rate(opened).iloc[0]
    assert (row.estimate, row.ci_low, row.n, row.n_events) == (0, 0, 3, 0)
    assert 0 < row.ci_high < 1
    nothing = request_rate(tables(orders="order_id", requests="request_id")).iloc[0]
    assert (nothing.n, np.isnan(nothing.estimate)) == (0, True)


# order_end_shares


ENDS = """
    order_id | end_code             | ended_at   | payment_method
    1        | completed            | 2026-06-01 | card
    2        | completed            | 2026-06-01 | wallet
    3        | cancelled_by_request | 2026-06-01 | card
    4        |                      |            | card
"""


def test_every_order_has_an_end_or_is_open(tables):
    table = order_end_shares(tables(orders=ENDS, requests="request_id"))
    assert table[["end_code", "estimate", "n", "n_events"]].to_numpy().tolist() == [
        ["completed", 0.5, 4, 2],
        ["cancelled_by_request", 0.25, 4, 1],
        ["open", 0.25, 4, 1],
    ]
    assert "n_pending" not in table.columns


def test_ends_that_occur_have_a_row_in_every_group(tables):
    opened = tables(orders=ENDS, requests="request_id")
    table = order_end_shares(opened, by=["payment_method"])
    assert table[["payment_method", "end_code", "n_events", "n"]].to_numpy().tolist() == [
        ["card", "completed", 1, 3],
        ["card", "cancelled_by_request", 1, 3],
        ["card", "open", 1, 3],
        ["wallet", "completed", 1, 1],
        ["wallet", "cancelled_by_request", 0, 1],
        ["wallet", "open", 0, 1],
    ]


def test_ends_are_shares_of_the_population_that_the_weights_stand_for(tables):
    opened = tables(
        orders="order_id | end_code | weight \n 1|completed|19 \n 2|cancelled|1 \n 3||",
        requests="request_id",
    )
    share = order_end_shares(opened).set_index("end_code").estimate
    expected = {"completed": 19 / 21, "cancelled": 1 / 21, "open": 1 / 21}
    assert share.to_dict() == pytest.approx(expected, abs=1e-15)


def test_ends_need_their_column_and_no_order_has_none(tables):
    with pytest.raises(MissingData, match="column orders.end_code .*needed by order_end_shares"):
        order_end_shares(tables(requests="request_id\n1", without=("orders.end_code",)))
    assert order_end_shares(tables(orders="order_id", requests="request_id")).empty
