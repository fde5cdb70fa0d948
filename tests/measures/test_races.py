"""Which end comes first, and by when: Aalen-Johansen curves worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from analysis.contract import MissingData
from analysis.measures import cancellation_success_rate, outcome_curve, window_curve

Z = norm.ppf(0.975)


def at(table, outcome, hours, **groups):
    """Read one row: the outcome at that hour."""
    found = table[(table.outcome == outcome) & (table.time_hours == hours)]
    for column, value in groups.items():
        found = found[found[column] == value]
    assert len(found) == 1
    return found.iloc[0]


def log_log(share, variance):
    """Limits of a share symmetric on log(-log): what R's ``survfit`` calls log-log."""
    factor = np.exp(Z * np.sqrt(variance) / abs(share * np.log(share)))
    return share**factor, share ** (1 / factor)


NO_SELLERS = ("orders.seller_id",)
FIVE = {
    "as_of": "2026-03-10",
    "requests": """
        requested_at        | decided_at          | outcome
        2026-03-01 00:00:00 | 2026-03-01 00:00:00 | blocked
        2026-03-01 00:00:00 | 2026-03-01 01:00:00 | approved_by_seller
        2026-03-01 00:00:00 | 2026-03-01 02:00:00 | rejected_by_seller
        2026-03-09 22:00:00 |                     | pending
        2026-03-01 00:00:00 | 2026-03-01 03:00:00 | approved_by_seller
    """,
}


# outcome_curve


def test_shares_ended_by_each_hour_leave_room_for_the_undecided(tables):
    table = outcome_curve(tables(**FIVE), horizon_hours=4)
    assert table.outcome.drop_duplicates().tolist() == [
        "approved_by_seller",
        "blocked",
        "rejected_by_seller",
    ]
    assert table.time_hours.tolist() == [0, 1, 2, 3, 4] * 3
    # at 1 h one of the 4 left is approved: 4/5 * 1/4; at 2 h one of 3 refused: 3/5 * 1/3, and the
    # pending one leaves; at 3 h the last of 2/5 is approved
    expected = {
        "approved_by_seller": [0, 1 / 5, 1 / 5, 3 / 5],
        "blocked": [1 / 5, 1 / 5, 1 / 5, 1 / 5],
        "rejected_by_seller": [0, 0, 1 / 5, 1 / 5],
    }
    for outcome, shares in expected.items():
        found = table[table.outcome == outcome][["estimate", "ci_low", "ci_high"]].to_numpy()
        np.testing.assert_allclose(found[:4, 0], shares, atol=1e-15)
        np.testing.assert_array_equal(found[4], found[3])  # nothing changes after the last one
        assert np.isfinite(found).all()


def test_the_counts_of_a_curve_say_what_it_rests_on(tables):
    table = outcome_curve(tables(**FIVE, without=NO_SELLERS), horizon_hours=4)
    approved = table[table.outcome == "approved_by_seller"]
    assert approved.n_at_risk.tolist() == [5, 4, 3, 1, 0]  # just before the hour
    assert approved.n_events.tolist() == [0, 1, 1, 2, 2]  # until then
    assert approved.n_censored.tolist() == [0, 0, 1, 1, 1]
    assert set(table.n) == {5}
    assert set(table.interval) == {"Aalen-Johansen, log-log"}


def test_limits_of_a_share_among_several_ends(tables):
    table = outcome_curve(tables(**FIVE, without=NO_SELLERS), horizon_hours=4)
    first = at(table, "blocked", 0)
    low, high = log_log(1 / 5, (1 / 5) * (4 / 5) / 5)  # binomial while nobody is censored
    np.testing.assert_allclose([first.ci_low, first.ci_high], [low, high], rtol=1e-12)
    # nothing has happened: as after 0 of 5
    none = at(table, "approved_by_seller", 0)
    assert (none.estimate, none.ci_low) == (0, 0)
    assert none.ci_high == pytest.approx(Z**2 / (5 + Z**2), rel=1e-12)


def test_a_curve_and_the_rate_agree_on_mature_requests(tables):
    opened = tables(
        requests="""
            requested_at | decided_at          | outcome
            2026-03-01   | 2026-03-01 00:00:00 | instant_cancelled
            2026-03-01   | 2026-03-03 00:00:00 | approved_by_seller
            2026-03-01   | 2026-03-04 00:00:00 | auto_approved_timeout
            2026-03-01   | 2026-03-04 00:00:01 | approved_by_seller
            2026-03-01   | 2026-03-02 00:00:00 | withdrawn_by_buyer
            2026-03-01   |                     | pending
        """
    )
    curve = outcome_curve(opened, horizon_hours=72)
    worked = ["instant_cancelled", "approved_by_seller", "auto_approved_timeout"]
    assert sum(at(curve, outcome, 72).estimate for outcome in worked) == pytest.approx(3 / 6)
    assert cancellation_success_rate(opened, horizon_hours=72).estimate[0] == 3 / 6


def test_an_end_counts_from_the_minute_after_it_at_the_latest(tables):
    opened = tables(
        requests="""
            requested_at | decided_at          | outcome
            2026-03-01   | 2026-03-01 00:00:01 | instant_cancelled
            2026-03-01   | 2026-03-01 01:00:00 | approved_by_seller
            2026-03-01   | 2026-03-01 01:00:01 | rejected_by_seller
            2026-03-01   | 2026-03-01 09:00:00 | rejected_by_seller
        """
    )
    table = outcome_curve(opened, horizon_hours=2)
    assert at(table, "instant_cancelled", 0).estimate == 0
    assert at(table, "instant_cancelled", 1).estimate == 1 / 4
    assert at(table, "approved_by_seller", 1).estimate == 1 / 4
    assert at(table, "rejected_by_seller", 1).estimate == 0
    assert at(table, "rejected_by_seller", 2).estimate == 1 / 4


def test_ends_at_one_time_share_what_is_left(tables):
    opened = tables(
        requests="""
            requested_at | decided_at | outcome
            2026-03-01   | 2026-03-02 | approved_by_seller
            2026-03-01   | 2026-03-02 | approved_by_seller
            2026-03-01   | 2026-03-02 | rejected_by_seller
            2026-03-01   | 2026-03-02 | withdrawn_by_buyer
        """
    )
    table = outcome_curve(opened, horizon_hours=24)
    assert at(table, "approved_by_seller", 24).estimate == 1 / 2
    assert at(table, "rejected_by_seller", 24).estimate == 1 / 4
    assert at(table, "withdrawn_by_buyer", 24).estimate == 1 / 4


def test_what_everybody_does_at_once_has_the_limits_of_all_of_n(tables):
    opened = tables(requests="outcome\nblocked\nblocked\nblocked", without=NO_SELLERS)
    row = at(outcome_curve(opened, horizon_hours=2), "blocked", 1)
    assert (row.estimate, row.ci_high, row.n_at_risk) == (1, 1, 3)
    assert row.ci_low == pytest.approx(3 / (3 + Z**2), rel=1e-12)


def test_groups_have_curves_of_their_own_and_outcomes_of_all(tables):
    opened = tables(
        as_of="2026-03-10",
        requests="""
            order_id | requested_at | decided_at       | outcome
            1        | 2026-03-01   | 2026-03-01 01:00 | approved_by_seller
            2        | 2026-03-01   | 2026-03-01 00:00 | blocked
            3        | 2026-03-09   |                  | pending
        """,
        orders="order_id | colour \n 1|red \n 2| \n 3|blue",
    )
    table = outcome_curve(opened, by=["colour"], horizon_hours=48)
    groups = ["blue"] * 2 * 49 + ["red"] * 2 * 49 + ["?"] * 2 * 49
    assert table.colour.fillna("?").tolist() == groups
    assert table.outcome.tolist() == (["approved_by_seller"] * 49 + ["blocked"] * 49) * 3
    blue = table[table.colour == "blue"]
    assert blue[blue.time_hours <= 24].estimate.tolist() == [0] * 50
    assert blue[blue.time_hours > 24].estimate.isna().all()
    assert at(table, "approved_by_seller", 1, colour="red").estimate == 1
    assert set(table[table.colour.isna() & (table.outcome == "blocked")].n) == {1}


def test_while_nothing_has_ended_there_is_no_curve_but_its_columns(tables):
    full = outcome_curve(tables(requests="request_id\n1"), by="order_state")
    for requests in ("outcome\npending\npending", "request_id"):
        empty = outcome_curve(tables(requests=requests), by="order_state")
        assert len(empty) == 0
        assert list(empty.columns) == list(full.columns)


def test_whose_requests_a_curve_is_about_is_asked_for(tables):
    opened = tables(
        requests="""
            requested_by | outcome
            buyer        | blocked
            seller       | instant_cancelled
        """
    )
    assert set(outcome_curve(opened).outcome) == {"blocked"}
    assert set(outcome_curve(opened, requested_by="seller").outcome) == {"instant_cancelled"}
    assert set(outcome_curve(opened, requested_by=None).outcome) == {
        "blocked",
        "instant_cancelled",
    }


def test_a_long_curve_has_fewer_points_and_still_its_last_one(tables):
    opened = tables(requests="requested_at | decided_at \n 2026-05-01 | 2026-05-01")
    times = outcome_curve(opened, horizon_hours=241).time_hours
    assert times.tolist() == [*range(0, 241, 2), 241]
    assert outcome_curve(opened, horizon_hours=0.5).time_hours.tolist() == [0, 0.5]
    assert len(outcome_curve(opened, horizon_hours=240).time_hours) == 241


def test_what_a_curve_cannot_do_is_said(tables):
    opened = tables(requests="request_id\n1")
    with pytest.raises(MissingData, match="column colour .*needed by outcome_curve.*order_state"):
        outcome_curve(opened, by=["colour"])
    with pytest.raises(ValueError, match="horizon_hours must be more than 0 and finite, got 0"):
        outcome_curve(opened, horizon_hours=0)
    with pytest.raises(ValueError, match="level must be in"):
        outcome_curve(opened, level=95)


# window_curve


SIX = {
    "as_of": "2026-03-10",
    "requests": "request_id",
    "orders": """
        placed_at  | paid_at          | packed_at        | shipped_at       | ended_at         | end_code
        2026-03-01 | 2026-03-01       | 2026-03-01 01:00 | 2026-03-01 02:00 | 2026-03-09       | completed
        2026-03-01 | 2026-03-01       |                  | 2026-03-01 03:00 |                  |
        2026-03-01 | 2026-03-01       | 2026-03-01 02:00 |                  | 2026-03-01 03:00 | cancelled
        2026-03-01 | 2026-03-01       |                  |                  | 2026-03-01 01:00 | risk_rejected
        2026-03-09 | 2026-03-09 20:00 |                  |                  |                  |
        2026-03-01 |                  |                  |                  | 2026-03-05       | unpaid_timeout
    """,  # noqa: E501 - a drawing
}


def test_a_window_closes_by_the_first_of_shipping_and_ends(tables):
    table = window_curve(tables(**SIX), horizon_hours=5)
    assert table.outcome.drop_duplicates().tolist() == [
        "still_open",
        "shipped",
        "cancelled",
        "ended_otherwise",
    ]
    assert set(table.n) == {5}  # paid orders
    expected = {  # hours 0 to 5; from 4 h on nobody is left but the young one
        "still_open": [1, 4 / 5, 3 / 5, 1 / 5, 1 / 5, np.nan],
        "shipped": [0, 0, 1 / 5, 2 / 5, 2 / 5, np.nan],
        "cancelled": [0, 0, 0, 1 / 5, 1 / 5, np.nan],
        "ended_otherwise": [0, 1 / 5, 1 / 5, 1 / 5, 1 / 5, np.nan],
    }
    for outcome, shares in expected.items():
        found = table[table.outcome == outcome].estimate
        np.testing.assert_allclose(found, shares, atol=1e-15)
    still = table[table.outcome == "still_open"]
    assert still.n_at_risk.tolist() == [5, 5, 4, 3, 1, 0]
    assert still.n_events.tolist() == [0, 1, 2, 4, 4, 4]  # ended in any way
    assert still.n_censored.tolist() == [0, 0, 0, 0, 1, 1]


def test_packing_closes_the_window_where_the_platform_says_so(tables):
    table = window_curve(tables(**SIX), horizon_hours=4, closed_by=("packed_at", "shipped_at"))
    packed = [at(table, "packed", hour).estimate for hour in (0, 1, 2)]
    shipped = [at(table, "shipped", hour).estimate for hour in (2, 3)]
    np.testing.assert_allclose(packed + shipped, [0, 1 / 5, 2 / 5, 0, 1 / 5], atol=1e-15)
    assert "cancelled" not in set(table.outcome)  # it was packed before
    assert table.outcome.drop_duplicates().tolist() == [
        "still_open",
        "packed",
        "shipped",
        "ended_otherwise",
    ]


def test_shipped_and_cancelled_at_one_second_is_shipped(tables):
    opened = tables(
        orders="""
            placed_at  | shipped_at       | ended_at         | end_code
            2026-03-01 | 2026-03-01 01:00 | 2026-03-01 01:00 | cancelled
            2026-03-01 | 2026-03-01 01:01 | 2026-03-01 01:00 | cancelled
        """,
        requests="request_id",
    )
    table = window_curve(opened, horizon_hours=1)
    assert at(table, "shipped", 1).estimate == 1 / 2
    assert at(table, "cancelled", 1).estimate == 1 / 2


def test_the_share_still_open_has_limits_also_while_all_are(tables):
    table = window_curve(tables(**SIX, without=NO_SELLERS), horizon_hours=5)
    begin = at(table, "still_open", 0)
    assert (begin.estimate, begin.ci_high) == (1, 1)
    assert begin.ci_low == pytest.approx(5 / (5 + Z**2), rel=1e-12)
    later = at(table, "still_open", 1)
    low, high = log_log(4 / 5, (4 / 5) * (1 / 5) / 5)
    np.testing.assert_allclose([later.ci_low, later.ci_high], [low, high], rtol=1e-12)


def test_windows_by_columns_of_orders_and_sellers(tables):
    opened = tables(
        orders="""
            order_id | seller_id | placed_at  | shipped_at       | category
            1        | 1         | 2026-03-01 | 2026-03-01 01:00 | toys
            2        | 2         | 2026-03-01 | 2026-03-01 02:00 | toys
            3        |           | 2026-03-01 | 2026-03-01 02:00 | tools
        """,
        sellers="seller_id | seller_country \n 1|CN \n 2|TR",
        requests="request_id",
    )
    table = window_curve(opened, by=["category", "seller_country"], horizon_hours=2)
    opens = table[table.outcome == "still_open"]
    assert opens.drop_duplicates("seller_country").fillna("?")[
        ["category", "seller_country"]
    ].to_numpy().tolist() == [["tools", "?"], ["toys", "CN"], ["toys", "TR"]]
    assert opens[opens.time_hours == 1].estimate.tolist() == [1, 0, 1]


@pytest.mark.parametrize("column", ["paid_at", "shipped_at", "ended_at", "end_code"])
def test_a_window_needs_payment_shipping_and_ends(tables, column):
    opened = tables(orders="order_id\n1", requests="request_id", without=(f"orders.{column}",))
    with pytest.raises(MissingData, match=f"column orders.{column} .*needed by window_curve"):
        window_curve(opened)


def test_without_paid_orders_there_is_no_window(tables):
    table = window_curve(tables(orders="paid_at\n", requests="request_id"), by="category")
    assert len(table) == 0
    assert "still_open" not in set(table.outcome)
    overall = window_curve(tables(orders="paid_at\n", requests="request_id"), horizon_hours=1)
    assert overall.outcome.tolist() == ["still_open"] * 2
    assert overall.estimate.isna().all()
    assert overall.n.tolist() == [0, 0]
    assert isinstance(overall, pd.DataFrame)
