"""The familiar wrong numbers, each computed as wrongly as usual, beside the right ones."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.contract import MissingData
from analysis.measures import (
    cancellation_success_rate,
    naive_versus_right,
    refund_curve,
    refund_mean,
    request_rate,
    seller_scorecard,
)

MARKET = {
    "as_of": "2026-06-30",
    "orders": """
        order_id | seller_id | placed_at  | paid_at    | ended_at   | end_code
        1        | 1         | 2026-05-01 | 2026-05-01 | 2026-05-03 | cancelled_by_request
        2        | 1         | 2026-05-01 | 2026-05-01 | 2026-06-01 | completed
        3        | 2         | 2026-05-01 | 2026-05-01 | 2026-05-02 | cancelled_by_seller
        4        | 2         | 2026-06-18 | 2026-06-18 |            |
        5        | 2         | 2026-06-18 | 2026-06-18 | 2026-06-20 | cancelled_by_request
        6        | 3         | 2026-05-01 |            | 2026-05-21 | unpaid_timeout
        7        | 3         | 2026-05-01 | 2026-05-01 |            |
        8        | 3         | 2026-05-01 | 2026-05-01 |            |
    """,
    "requests": """
        request_id | order_id | requested_at | decided_at | requested_by | outcome
        1          | 1        | 2026-05-02   | 2026-05-03 | buyer        | approved_by_seller
        2          | 2        | 2026-05-02   | 2026-05-03 | buyer        | rejected_by_seller
        3          | 3        | 2026-05-02   | 2026-05-02 | seller       | instant_cancelled
        4          | 4        | 2026-06-19   |            | buyer        | pending
        5          | 5        | 2026-06-19   | 2026-06-20 | buyer        | approved_by_seller
        6          | 2        | 2026-05-03   | 2026-05-04 | buyer        | rejected_by_seller
        7          | 7        | 2026-05-03   |            | buyer        | pending
    """,
    "refunds": """
        request_id | credited_at
        1          | 2026-05-07
        3          | 2026-06-21
        5          | 2026-06-23
        5          |
    """,
}
ORDERS = "How often cancelling works"
DECIDED = "Requests that work, counting those decided so far"
OPEN = "Requests that work, counting the open ones as failures"
MONTH = "Requests that work, by the calendar of the last 30 days"
APPROVED = "Requests that the seller approves within 72 hours"
ASKED = "Buyers who ask to cancel"
MEAN = "Mean days to the money (at most 30 of each)"
SOON = "Money back within 7 days, of refunds decided in the last 14 days"
CALENDAR = "Money back, by the calendar of the last 30 days"
LEAGUE = "Success with the 2 sellers lowest in the league table"


@pytest.fixture(scope="module")
def opened(tables):
    return tables(**MARKET)


def test_each_headline_is_computed_as_it_usually_is(opened):
    table = naive_versus_right(opened)
    first = [ORDERS, DECIDED, OPEN, MONTH, APPROVED, ASKED]
    assert table.headline.tolist() == [*first, MEAN, SOON, CALENDAR, LEAGUE]
    naive = table.set_index("headline").naive
    assert naive[ORDERS] == 3 / 8  # cancelled orders of all orders
    assert naive[DECIDED] == 2 / 4  # of buyers' requests that were decided
    assert naive[OPEN] == 2 / 6  # of all buyers' requests
    assert naive[MONTH] == 1 / 2  # asked twice since 31 May, of which one was approved in June
    assert naive[APPROVED] == pytest.approx(2 / 6)  # two of six a day after asking
    assert naive[CALENDAR] == 2 / 2  # two arrived since 31 May, two others were decided
    assert naive[ASKED] == 5 / 8  # orders asked about, of all orders
    assert naive[MEAN] == pytest.approx((4 + 30 + 3) / 3)  # of those that came; 50 days count 30
    assert naive[SOON] == 1 / 1  # of the two decided on 20 June the one that came
    assert naive[LEAGUE] == (1 / 3 + 0 / 1) / 2  # seller 2 has no request that is old enough


def test_the_right_numbers_are_those_of_the_measures(opened):
    table = naive_versus_right(opened, level=0.9).set_index("headline")
    columns = ["estimate", "ci_low", "ci_high", "n", "interval"]
    success = cancellation_success_rate(opened, level=0.9).iloc[0]
    for headline in (ORDERS, DECIDED, OPEN, MONTH):
        assert table.loc[headline, columns].tolist() == success[columns].tolist()
    asked = request_rate(opened, level=0.9).iloc[0]
    assert table.loc[ASKED, columns].tolist() == asked[columns].tolist()
    mean = refund_mean(opened, horizon_days=30, level=0.9).iloc[0]
    assert table.loc[MEAN, columns].tolist() == mean[columns].tolist()


def test_an_end_that_competes_is_no_chance_still_to_come(tables):
    # one approved after 1 hour, three refused after 2 hours, one approved after 3: one of five
    # and one of five; taken alone, the last of the five would stand for all that were refused
    opened = tables(
        as_of="2026-06-30",
        requests="""
            requested_at | decided_at       | outcome
            2026-05-01   | 2026-05-01 01:00 | approved_by_seller
            2026-05-01   | 2026-05-01 02:00 | rejected_by_seller
            2026-05-01   | 2026-05-01 02:00 | rejected_by_seller
            2026-05-01   | 2026-05-01 02:00 | rejected_by_seller
            2026-05-01   | 2026-05-01 03:00 | approved_by_seller
            2026-05-01   |                  | pending
        """,
    )
    row = naive_versus_right(opened, about="success").set_index("headline").loc[APPROVED]
    assert row.naive == pytest.approx(1 - 5 / 6 * 1 / 2)
    assert row.estimate == pytest.approx(2 / 6)


def test_recent_refunds_are_those_decided_in_the_last_two_weeks(tables, opened):
    row = naive_versus_right(opened, about="refunds").set_index("headline").loc[SOON]
    recent = tables(
        as_of="2026-06-30",
        requests="requested_at | decided_at \n 2026-06-19 | 2026-06-20",
        refunds="request_id | credited_at \n 1|2026-06-23 \n 1|",
    )
    curve = refund_curve(recent, horizon_days=7).iloc[-1]
    columns = ["estimate", "ci_low", "ci_high", "n"]
    assert row[columns].tolist() == curve[columns].tolist()
    assert (row.estimate, row.n) == (0.5, 2)


def test_the_difference_is_naive_minus_right_in_its_unit(opened):
    table = naive_versus_right(opened)
    assert table.unit.tolist() == ["share"] * 6 + ["days"] + ["share"] * 3
    np.testing.assert_array_equal(table.difference, table.naive - table.estimate)
    assert table.why_they_differ.str.endswith(".").all()


def test_the_bottom_of_a_league_table_is_mostly_bad_luck(opened):
    row = naive_versus_right(opened, about="sellers").iloc[0]
    card = seller_scorecard(opened)
    card = card[card.n > 0]
    assert row.headline == f"Success with the {len(card)} sellers lowest in the league table"
    assert row.naive == pytest.approx(card.raw_rate.mean())
    assert row.estimate == pytest.approx(card.estimate.mean())
    assert row.n == card.n.sum()
    assert row.ci_low < row.estimate < row.ci_high


def test_at_most_ten_sellers_are_at_the_bottom(tables):
    requests = "order_id | outcome" + "".join(
        f"\n{i} | {'rejected_by_seller' if i <= 11 else 'approved_by_seller'}" for i in range(1, 15)
    )
    row = naive_versus_right(tables(requests=requests), about="sellers").iloc[0]
    assert row.headline.startswith("Success with the 10 sellers")
    assert (row.naive, row.n) == (0, 10)
    assert "had a median of 1 requests" in row.why_they_differ


@pytest.mark.parametrize(
    ("about", "headlines"),
    [
        ("success", [ORDERS, DECIDED, OPEN, MONTH, APPROVED]),
        ("requests", [ASKED]),
        ("refunds", [MEAN, SOON, CALENDAR]),
    ],
)
def test_one_subject_can_be_asked_for(opened, about, headlines):
    assert naive_versus_right(opened, about=about).headline.tolist() == headlines


def test_what_the_data_cannot_answer_is_left_out(tables):
    bare = tables(**MARKET | {"refunds": None}, without=("orders.end_code", "orders.seller_id"))
    assert naive_versus_right(bare).headline.tolist() == [DECIDED, OPEN, MONTH, APPROVED, ASKED]
    with pytest.raises(MissingData, match="the table refunds"):
        naive_versus_right(bare, about="refunds")
    with pytest.raises(MissingData, match="orders.seller_id"):
        naive_versus_right(bare, about="sellers")


def test_an_unknown_subject_is_refused_with_those_there_are(opened):
    with pytest.raises(ValueError, match="about must be one of success, .*, sellers, got 'luck'"):
        naive_versus_right(opened, about="luck")
    with pytest.raises(ValueError, match="level must be in"):
        naive_versus_right(opened, level=95)


def test_without_rows_headlines_have_no_number(tables):
    table = naive_versus_right(tables(requests="request_id", refunds="refund_id"))
    assert table.headline.tolist() == [ORDERS, DECIDED, OPEN, MONTH, ASKED, MEAN, CALENDAR]
    assert table[["naive", "estimate", "difference"]].isna().all(axis=None)
    assert table.n.tolist() == [0] * 7
    with pytest.raises(MissingData, match="a mature request .*naive_versus_right"):
        naive_versus_right(tables(requests="request_id"), about="sellers")
