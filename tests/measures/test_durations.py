"""How long until the money is back and the seller answers: worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from analysis.contract import REFUND_PROMISES, MissingData, codes
from analysis.measures import (
    refund_curve,
    refund_mean,
    refund_quantiles,
    refund_sla,
    response_curve,
)

Z = norm.ppf(0.975)
REFUND_MEASURES = [refund_curve, refund_quantiles, refund_mean, refund_sla]


def when(table, time):
    """Read one row of a curve without groups."""
    found = table[table.iloc[:, 0] == time]
    assert len(found) == 1
    return found.iloc[0]


def greenwood(survival, jumps):
    """Variance of a Kaplan-Meier curve; ``jumps`` are (at risk, events) so far."""
    return survival**2 * sum(d / (y * (y - d)) for y, d in jumps)


def log_log(survival, variance):
    """Limits of survival symmetric on log(-log S)."""
    factor = np.exp(Z * np.sqrt(variance) / abs(survival * np.log(survival)))
    return survival**factor, survival ** (1 / factor)


NO_SELLERS = ("orders.seller_id",)
FOUR = {  # decided on 1 March: credited after 2, 4 and 4 days; the last is open after 9
    "as_of": "2026-03-10",
    "requests": """
        request_id | requested_at | decided_at | outcome
        1          | 2026-03-01   | 2026-03-01 | approved_by_seller
        2          | 2026-03-01   | 2026-03-01 | approved_by_seller
        3          | 2026-03-01   | 2026-03-01 | instant_cancelled
        4          | 2026-03-01   | 2026-03-01 | auto_approved_timeout
        5          | 2026-03-07   | 2026-03-07 | approved_by_seller
    """,
    "refunds": """
        request_id | started_at | credited_at | method
        1          | 2026-03-02 | 2026-03-03  | wallet
        2          | 2026-03-02 | 2026-03-05  | card
        3          | 2026-03-02 | 2026-03-05  | card
        4          | 2026-03-02 |             | card
        5          |            |             | wallet
    """,
}


# refund_curve


def test_refunds_still_open_stay_in_the_denominator(tables):
    table = refund_curve(tables(**FOUR), horizon_days=10)
    assert table.time_days.tolist() == list(np.arange(0, 10.25, 0.25))
    # day 2: 1 of 5; day 3: the young one was last seen; day 4: 2 of the 3 left
    assert when(table, 1.75).estimate == 0
    assert when(table, 2).estimate == pytest.approx(1 / 5)
    assert when(table, 3.75).estimate == pytest.approx(1 / 5)
    assert when(table, 4).estimate == pytest.approx(1 - 4 / 5 * 1 / 3)
    assert when(table, 9).estimate == pytest.approx(1 - 4 / 5 * 1 / 3)
    assert np.isnan(when(table, 9.25).estimate)  # later nobody was seen
    rows = table[table.time_days.isin([0, 2, 3, 4, 9, 9.25])]
    assert rows.n_at_risk.tolist() == [5, 5, 4, 3, 1, 0]
    assert rows.n_events.tolist() == [0, 1, 1, 3, 3, 3]
    assert rows.n_censored.tolist() == [0, 0, 1, 1, 2, 2]
    assert set(table.n) == {5}


def test_limits_of_a_refund_curve_are_those_of_kaplan_and_meier(tables):
    table = refund_curve(tables(**FOUR, without=NO_SELLERS), horizon_days=10)
    low, high = log_log(4 / 5, greenwood(4 / 5, [(5, 1)]))
    day_2 = when(table, 2)
    np.testing.assert_allclose([day_2.ci_low, day_2.ci_high], [1 - high, 1 - low], rtol=1e-12)
    left = 4 / 5 * 1 / 3
    low, high = log_log(left, greenwood(left, [(5, 1), (3, 2)]))
    day_4 = when(table, 4)
    np.testing.assert_allclose([day_4.ci_low, day_4.ci_high], [1 - high, 1 - low], rtol=1e-12)
    day_0 = when(table, 0)  # none of 5 yet
    assert (day_0.estimate, day_0.ci_low) == (0, 0)
    assert day_0.ci_high == pytest.approx(Z**2 / (5 + Z**2), rel=1e-12)
    assert set(table.interval) == {"Kaplan-Meier, log-log"}


def test_a_refund_is_timed_from_the_decision_that_caused_it(tables):
    opened = tables(
        requests="""
            request_id | order_id | requested_at | decided_at | outcome
            1          | 1        | 2026-03-01   | 2026-03-03 | approved_by_seller
            2          | 2        | 2026-03-01   |            | pending
        """,
        orders="""
            order_id | placed_at  | ended_at   | end_code
            1        | 2026-02-01 | 2026-03-09 | cancelled_by_request
            2        | 2026-02-01 | 2026-03-05 | ship_timeout
            3        | 2026-02-01 | 2026-03-05 | ship_timeout
            4        | 2026-02-01 |            |
        """,
        refunds="""
            refund_id | order_id | request_id | credited_at
            1         | 1        | 1          | 2026-03-04
            2         | 2        | 2          | 2026-03-07
            3         | 3        |            | 2026-03-08
            4         | 4        |            | 2026-03-09
        """,
    )
    # 1 day after the request's decision; 2 and 3 after the order's end where no request was
    # decided; of the last leg no decision is known, so it has no duration
    table = refund_curve(opened, horizon_days=4)
    assert set(table.n) == {3}
    assert [when(table, day).n_events for day in (0, 1, 2, 3)] == [0, 1, 2, 3]


def test_a_refund_counts_from_the_hour_after_it_at_the_latest(tables):
    opened = tables(
        requests="requested_at | decided_at \n 2026-03-01|2026-03-01 \n 2026-03-01|2026-03-01",
        refunds="""
            request_id | started_at | credited_at
            1          | 2026-03-01 | 2026-03-01 06:00:00
            2          | 2026-03-01 | 2026-03-01 06:00:01
        """,
    )
    table = refund_curve(opened, horizon_days=1)
    assert [when(table, day).n_events for day in (0, 0.25, 0.5)] == [0, 1, 2]
    assert when(table, 0.25).estimate == 0.5
    assert when(table, 0.5).estimate == when(table, 1).estimate == 1  # both are there


def test_the_business_clock_stands_still_over_the_weekend(tables):
    opened = tables(
        as_of="2026-03-16",
        requests="""
            requested_at     | decided_at
            2026-03-06 12:00 | 2026-03-06 12:00
            2026-03-07 10:00 | 2026-03-07 10:00
            2026-03-06 12:00 | 2026-03-06 12:00
            2026-03-13 12:00 | 2026-03-13 12:00
        """,
        refunds="""
            request_id | credited_at
            1          | 2026-03-09 12:00
            2          | 2026-03-09 06:00
            3          | 2026-03-08 20:00
            4          |
        """,
    )
    # the 6th is a Friday, the 7th a Saturday, the 9th and 16th are Mondays; in business days the
    # legs took 12 + 12 hours, 6 hours, 12 hours, and the open one has waited 12 hours
    business = refund_curve(opened, horizon_days=3, clock="business")
    assert when(business, 0.25).estimate == pytest.approx(1 / 4)
    assert when(business, 0.5).estimate == pytest.approx(2 / 4)
    assert when(business, 0.5).n_censored == 1
    assert when(business, 1).estimate == 1
    # in calendar days 3, 44 hours, 56 hours, and 60 hours of waiting
    calendar = refund_curve(opened, horizon_days=3)
    assert when(calendar, 1.75).estimate == 0
    assert when(calendar, 2).estimate == pytest.approx(1 / 4)
    assert when(calendar, 2.5).estimate == pytest.approx(2 / 4)
    assert when(calendar, 3).estimate == 1


def test_refunds_by_rail_order_and_seller_the_nameless_too(tables):
    opened = tables(
        requests="order_id \n 1 \n 2",
        orders="order_id | seller_id | category \n 1|1|toys \n 2||toys",
        sellers="seller_id | seller_country \n 1|CN",
        refunds="""
            order_id | method       | credited_at
            1        | card         | 2026-06-01
            2        | card         |
            2        | store_credit | 2026-06-02
        """,
    )
    quarters = 4 * 30 + 1
    table = refund_curve(opened, by=["method", "seller_country", "category"])
    assert table.seller_country.fillna("?").tolist() == ["CN"] * quarters + ["?"] * 2 * quarters
    assert table.method.drop_duplicates().tolist() == ["card", "store_credit"]
    assert set(table.n) == {1}


# refund_quantiles and refund_mean


def test_quantiles_are_the_days_by_which_a_share_of_all_has_its_money(tables):
    table = refund_quantiles(tables(**FOUR), probabilities=(0.1, 0.5, 0.7, 0.9))
    assert table.probability.tolist() == [0.1, 0.5, 0.7, 0.9]
    # the curve is 1/5 from day 2 and 11/15 from day 4, and goes no further
    assert table.estimate.tolist()[:3] == [2, 4, 4]
    assert np.isnan(table.estimate[3])
    assert (table.n[0], table.n_events[0], table.n_censored[0]) == (5, 3, 2)
    # its upper limit passes 1/2 at day 2 or 4, its lower limit where log-log limits say
    left = 4 / 5 * 1 / 3
    low_2, high_2 = log_log(4 / 5, greenwood(4 / 5, [(5, 1)]))
    low_4, high_4 = log_log(left, greenwood(left, [(5, 1), (3, 2)]))
    assert (low_2 < 0.5 < high_2, low_4 < 0.5, high_4 > 0.5) == (True, True, True)
    assert table.ci_low[1] == 2
    assert np.isnan(table.ci_high[1])


def test_a_median_between_two_refunds_is_in_the_middle(tables):
    opened = tables(
        requests="requested_at | decided_at" + "\n2026-03-01 | 2026-03-01" * 4,
        refunds="request_id | credited_at \n 1|2026-03-02 \n 2|2026-03-03 \n 3|2026-03-07 \n 4|",
    )
    assert refund_quantiles(opened, probabilities=[0.5]).estimate.tolist() == [4]  # of 2 and 6
    # 1 March is a Sunday, the 7th a Saturday: business days 0, 1 and 5
    business = refund_quantiles(opened, probabilities=[0.5], clock="business")
    assert business.estimate.tolist() == [3]


def test_a_probability_outside_0_to_1_is_refused(tables):
    opened = tables(**FOUR)
    for probability in (0, 1, 1.5, float("nan")):
        with pytest.raises(ValueError, match=r"in \(0, 1\), got"):
            refund_quantiles(opened, probabilities=[0.5, probability])


def test_the_mean_counts_what_each_has_waited_up_to_the_horizon(tables):
    row = refund_mean(tables(**FOUR, without=NO_SELLERS), horizon_days=6).iloc[0]
    # 1 until day 2, 4/5 until day 4, 4/15 until day 6
    mean = 2 + 2 * 4 / 5 + 2 * 4 / 15
    assert row.estimate == pytest.approx(mean)
    assert row.horizon_days == 6
    # variance: sum over refund days of d / (Y (Y - d)) * (area from there to the horizon)^2
    variance = 1 / (5 * 4) * (mean - 2) ** 2 + 2 / (3 * 1) * (2 * 4 / 15) ** 2
    half = Z * np.sqrt(variance)
    assert row.ci_low == pytest.approx(mean - half)
    assert row.ci_high == pytest.approx(min(mean + half, 6))
    assert row.interval == "restricted mean, normal"


def test_the_mean_is_missing_where_nobody_was_followed_to_the_horizon(tables):
    assert np.isnan(refund_mean(tables(**FOUR), horizon_days=9.5).estimate[0])
    assert refund_mean(tables(**FOUR), horizon_days=9).estimate[0] > 0
    by = refund_mean(tables(**FOUR), horizon_days=6, by=["method"])
    assert by.method.tolist() == ["card", "wallet"]
    assert by.estimate[0] == pytest.approx(4 + 2 / 3)  # 2 of 3 on day 4, the rest waits
    assert np.isnan(by.estimate[1])  # one on day 2, the other last seen on day 3


# refund_sla


def test_each_rail_is_held_to_its_own_promise(tables):
    days = {method: promise.days for method, promise in REFUND_PROMISES.items()}
    assert (days["wallet"], days["card"], days["paypal"]) == (3, 20, 30)
    opened = tables(
        as_of="2026-06-30",
        requests="requested_at | decided_at" + "\n2026-03-02 | 2026-03-02" * 6,
        refunds="""
            request_id | method       | credited_at
            1          | wallet       | 2026-03-05 00:00:00
            2          | wallet       | 2026-03-05 01:00:00
            3          | wallet       |
            4          | card         | 2026-03-30 00:00:00
            5          | card         | 2026-03-30 01:00:00
            6          | cash_voucher | 2026-03-03
        """,
    )
    # 2 March is a Monday: 3 calendar days end on the 5th, 20 business days on Monday the 30th;
    # the last hour of the promise is in time, one hour later is not
    table = refund_sla(opened)
    wanted = ["method", "sla_days", "clock", "estimate", "n", "n_events", "n_censored", "n_late"]
    assert table[wanted].to_numpy().tolist() == [
        ["card", 20, "business", 0.5, 2, 1, 0, 1],
        ["wallet", 3, "calendar", pytest.approx(1 / 3), 3, 1, 0, 2],
        ["cash_voucher", 20, "business", 1.0, 1, 1, 0, 0],
    ]
    assert table.method.tolist() == [m for m in codes.REFUND_METHODS if m in set(table.method)]


def test_a_refund_that_may_still_come_in_time_is_neither_in_time_nor_late(tables):
    opened = tables(
        as_of="2026-03-06",
        requests="""
            requested_at        | decided_at
            2026-03-02 00:00:00 | 2026-03-02 00:00:00
            2026-03-02 00:00:00 | 2026-03-02 00:00:00
            2026-03-05 00:00:00 | 2026-03-05 00:00:00
            2026-03-03 00:00:00 | 2026-03-03 00:00:00
            2026-03-02 23:00:00 | 2026-03-02 23:00:00
        """,
        refunds="""
            request_id | method | credited_at
            1          | wallet | 2026-03-04
            2          | wallet |
            3          | wallet |
            4          | wallet |
            5          | wallet |
        """,
    )
    # 2 is 4 days old, 5 is 3 days and an hour: late; 3 is 1 day old, 4 exactly 3: not yet
    row = refund_sla(opened).iloc[0]
    assert (row.n, row.n_events, row.n_censored, row.n_late) == (5, 1, 2, 2)
    assert row.estimate == pytest.approx(1 / 4)  # day 1: one leaves; day 2: 1 of 4


def test_a_rail_whose_every_refund_came_early_is_kept_at_1(tables):
    opened = tables(
        requests="requested_at | decided_at" + "\n2026-03-02 | 2026-03-02" * 3,
        refunds="request_id | method | credited_at"
        + "".join(f"\n{i} | paypal | 2026-03-03" for i in (1, 2, 3)),
        without=NO_SELLERS,
    )
    row = refund_sla(opened).iloc[0]
    assert (row.estimate, row.ci_high, row.n, row.n_late) == (1, 1, 3, 0)
    assert row.ci_low == pytest.approx(3 / (3 + Z**2), rel=1e-12)


def test_a_rail_seen_less_long_than_its_promise_has_no_share_yet(tables):
    opened = tables(
        as_of="2026-03-10",
        requests="requested_at | decided_at" + "\n2026-03-02 | 2026-03-02" * 2,
        refunds="request_id | method | credited_at \n 1|paypal|2026-03-05 \n 2|paypal|",
    )
    row = refund_sla(opened).iloc[0]
    assert (row.n, row.n_events, row.n_censored, row.n_late) == (2, 1, 1, 0)
    assert np.isnan([row.estimate, row.ci_low, row.ci_high]).all()


@pytest.mark.parametrize("by", ["method", "seller_country", ["seller_country", "method"], ()])
def test_promises_by_further_columns_keep_the_rails_apart(tables, by):
    opened = tables(
        requests="order_id \n 1 \n 2 \n 3",
        orders="order_id | seller_id \n 1|1 \n 2|2 \n 3|",
        sellers="seller_id | seller_country \n 1|TR \n 2|CN",
        refunds="""
            order_id | method | credited_at
            1        | paypal | 2026-06-01
            1        | card   | 2026-06-01
            2        | card   | 2026-06-01
            3        | wallet | 2026-06-01
        """,
    )
    table = refund_sla(opened, by=by)
    if "seller_country" in table.columns:
        found = table[["seller_country", "method"]].fillna("?").to_numpy().tolist()
        assert found == [["CN", "card"], ["TR", "card"], ["TR", "paypal"], ["?", "wallet"]]
    else:
        assert table.method.tolist() == ["card", "wallet", "paypal"]
        assert table.n.tolist() == [2, 1, 1]
    assert (table.n == table.n_events + table.n_censored + table.n_late).all()


def test_rails_without_a_promise_have_no_row(tables):
    refunds = "request_id | method | credited_at \n 1|cash_on_delivery|2026-06-01"
    assert "cash_on_delivery" not in REFUND_PROMISES
    table = refund_sla(tables(refunds=refunds))
    assert len(table) == 0
    assert list(table.columns)[:3] == ["method", "sla_days", "clock"]


# all refund measures


def test_refund_measures_say_what_they_lack(tables):
    without, opened = tables(requests="request_id\n1"), tables(**FOUR)
    for measure in REFUND_MEASURES:
        with pytest.raises(MissingData, match="the table refunds .*there are: .*requests"):
            measure(without)
        with pytest.raises(MissingData, match="the column colour .*there are: .*method"):
            measure(opened, by=["colour"])
        with pytest.raises(ValueError, match="level must be in"):
            measure(opened, level=0)
    for measure in (refund_curve, refund_quantiles, refund_mean):
        with pytest.raises(
            ValueError, match="clock must be one of calendar, business, business_local, got 'lu"
        ):
            measure(opened, clock="lunar")


def test_without_requests_ids_a_refund_is_timed_from_the_end_of_its_order(tables):
    opened = tables(**FOUR, without=("refunds.request_id",))
    assert refund_quantiles(opened, probabilities=[0.5]).estimate.tolist() == [4]
    neither = tables(**FOUR, without=("refunds.request_id", "orders.ended_at"))
    with pytest.raises(MissingData, match="refunds.request_id and orders.ended_at"):
        refund_curve(neither)


def test_no_refunds_are_a_curve_without_values(tables):
    opened = tables(requests="request_id", refunds="refund_id")
    for measure in (refund_curve, refund_quantiles, refund_mean):
        table = measure(opened)
        assert table.estimate.isna().all()
        assert set(table.n) == {0}
    assert len(refund_sla(opened)) == 0


def test_refunds_none_of_which_came_are_a_curve_at_0(tables):
    opened = tables(
        as_of="2026-03-10",
        requests="requested_at | decided_at \n 2026-03-01|2026-03-01 \n 2026-03-01|2026-03-01",
        refunds="request_id | credited_at \n 1| \n 2|",
    )
    table = refund_curve(opened, horizon_days=9)
    assert set(table.estimate) == {0}
    assert refund_quantiles(opened).estimate.isna().all()
    assert refund_mean(opened, horizon_days=9).estimate.tolist() == [9]


# response_curve


ANSWERS = {
    "as_of": "2026-03-10",
    "requests": """
        requested_at     | decided_at       | outcome                | requested_by
        2026-03-01       | 2026-03-01 01:00 | approved_by_seller     | buyer
        2026-03-01       | 2026-03-01 02:00 | rejected_by_seller     | buyer
        2026-03-01       | 2026-03-01 02:00 | withdrawn_by_buyer     | buyer
        2026-03-01       | 2026-03-04 00:00 | auto_approved_timeout  | buyer
        2026-03-09 21:00 |                  | pending                | buyer
        2026-03-01       | 2026-03-01 04:00 | approved_by_seller     | buyer
        2026-03-01       | 2026-03-01 00:00 | blocked                | buyer
        2026-03-01       | 2026-03-01 00:00 | instant_cancelled      | buyer
        2026-03-01       | 2026-03-01 01:00 | approved_by_seller     | platform
    """,
}


def test_answers_are_approvals_and_refusals_of_requests_that_were_open(tables):
    table = response_curve(tables(**ANSWERS))
    assert table.time_hours.tolist() == list(range(97))
    assert set(table.n) == {6}  # the last three were not open, or not a buyer's
    # 1 h: 1 of 6; 2 h: 1 of 5, one withdrawn; 3 h: one last seen; 4 h: 1 of 2; 72 h: time-out
    shares = [0, 1 / 6, 1 - 5 / 6 * 4 / 5, 1 - 4 / 6, 1 - 4 / 6 * 1 / 2]
    np.testing.assert_allclose([when(table, h).estimate for h in range(5)], shares, atol=1e-15)
    assert when(table, 72).estimate == pytest.approx(2 / 3)
    assert np.isnan(when(table, 73).estimate)
    assert [when(table, h).n_at_risk for h in (1, 2, 3, 4, 72)] == [6, 5, 3, 2, 1]
    assert [when(table, h).n_censored for h in (1, 2, 3, 4, 72)] == [0, 1, 2, 2, 3]
    assert [when(table, h).n_events for h in (1, 2, 3, 4, 72)] == [1, 2, 2, 3, 3]


def test_every_outcome_is_an_answer_an_end_without_one_or_nothing_to_answer(tables):
    opened = tables(requests="\n".join(["outcome", *codes.OUTCOMES]))
    table = response_curve(opened, by="outcome", horizon_hours=1)
    last = table[table.time_hours == 1].set_index("outcome")
    assert last.n_events.sum() == 2
    assert set(last.index[last.n_events == 1]) == {"approved_by_seller", "rejected_by_seller"}
    ended = {"auto_approved_timeout", "superseded_by_shipment", "expired_not_cancelled"}
    ended |= {"withdrawn_by_buyer", "preempted"}
    assert set(last.index[last.n_censored == 1]) == ended
    assert (last.n_at_risk["pending"], last.n.sum()) == (1, 8)
    assert set(codes.OUTCOMES) - set(last.index) == {"blocked", "instant_cancelled"}


def test_answers_by_seller_and_what_is_missing(tables):
    opened = tables(**ANSWERS)
    assert len(response_curve(opened, by=["seller_id"], horizon_hours=1)) == 6 * 2
    with pytest.raises(MissingData, match="column colour .*needed by response_curve"):
        response_curve(opened, by="colour")
    with pytest.raises(ValueError, match="horizon_hours must be more than 0"):
        response_curve(opened, horizon_hours=-1)
