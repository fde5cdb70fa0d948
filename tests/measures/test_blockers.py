"""Which rules stood in the way of cancellations, and how that depends on an order's age."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.contract import MissingData, codes
from analysis.measures import blocker_shares, cancellation_success_rate, success_by_order_age

DAY = 24


# blocker_shares


STOPPED = {
    "as_of": "2026-03-31",
    "requests": """
        order_id | requested_at | decided_at | outcome                | blocker
        1        | 2026-03-01   | 2026-03-01 | blocked                | already_shipped
        2        | 2026-03-01   | 2026-03-01 | blocked                | payment_under_review
        3        | 2026-03-01   | 2026-03-04 | rejected_by_seller     | seller_rejected
        4        | 2026-03-01   | 2026-03-15 | superseded_by_shipment | shipped_during_request
        5        | 2026-03-01   | 2026-03-02 | approved_by_seller     |
        6        | 2026-03-29   | 2026-03-29 | blocked                | already_shipped
        7        | 2026-03-01   |            | pending                |
        8        | 2026-03-01   | 2026-03-01 | blocked                | already_shipped
    """,
    "orders": "order_id | colour \n 1|red \n 2|red \n 3| \n 4|red \n 5|red \n 6|blue \n 7| \n 8|",
}


def test_a_blockers_share_is_of_all_mature_requests(tables):
    table = blocker_shares(tables(**STOPPED), horizon_hours=10 * DAY)
    wanted = ["blocker", "stage", "estimate", "n", "n_events", "n_pending"]
    assert table[wanted].to_numpy().tolist() == [  # in order of precedence
        ["already_shipped", "at_submit", 2 / 7, 7, 2, 1],
        ["payment_under_review", "at_submit", 1 / 7, 7, 1, 1],
        ["seller_rejected", "decided_later", 1 / 7, 7, 1, 1],
    ]  # what shipped on day 14 was undecided on day 10
    late = blocker_shares(tables(**STOPPED), horizon_hours=14 * DAY)
    assert late.blocker.tolist()[-1] == "shipped_during_request"


def test_blockers_and_successes_are_parts_of_one_whole(tables):
    opened = tables(**STOPPED)
    stopped = blocker_shares(opened, horizon_hours=10 * DAY)
    worked = cancellation_success_rate(opened, horizon_hours=10 * DAY)
    assert stopped.n_events.sum() + worked.n_events.sum() == 7 - 2  # two are undecided


def test_blockers_that_occur_anywhere_have_a_row_in_every_group(tables):
    table = blocker_shares(tables(**STOPPED), by=["colour"], horizon_hours=10 * DAY)
    assert table.colour.fillna("?").tolist() == ["blue"] * 3 + ["red"] * 3 + ["?"] * 3
    assert table.n_events.tolist() == [0, 0, 0, 1, 1, 0, 1, 0, 1]
    assert table.n.tolist() == [0] * 3 + [4] * 3 + [3] * 3
    assert list(table.columns[:4]) == ["colour", "blocker", "stage", "estimate"]
    assert table.estimate.isna().tolist() == [True] * 3 + [False] * 6


def test_every_blocker_has_a_stage_and_its_place_in_the_order_of_precedence(tables):
    rows = "\n".join(f"blocked | {word}" for word in reversed(codes.BLOCKERS))
    table = blocker_shares(tables(requests=f"outcome | blocker\n{rows}"))
    assert table.blocker.tolist() == list(codes.BLOCKERS)
    assert set(table.blocker[table.stage == "decided_later"]) == {
        "seller_rejected",
        "seller_silent_not_cancelled",
        "shipped_during_request",
    }
    assert set(table.stage) == {"at_submit", "decided_later"}


def test_blockers_need_their_column_and_somebody_who_met_one(tables):
    with pytest.raises(MissingData, match="column requests.blocker .*needed by blocker_shares"):
        blocker_shares(tables(requests="request_id\n1", without=("requests.blocker",)))
    for requests in ("request_id", "request_id\n1", "outcome\npending"):
        table = blocker_shares(tables(requests=requests))
        assert len(table) == 0
        assert list(table.columns[:3]) == ["blocker", "stage", "estimate"]
    seller = tables(requests="requested_by | outcome \n seller | blocked")
    assert len(blocker_shares(seller)) == 0
    assert len(blocker_shares(seller, requested_by="seller")) == 1


# success_by_order_age


AGES = {
    "as_of": "2026-06-30",
    "orders": "order_id | placed_at | paid_at"
    + "".join(f"\n{i} | 2026-03-01 | 2026-03-02 00:00:00" for i in range(1, 14))
    + "\n 14 | 2026-03-01 | ",
    "requests": """
        order_id | requested_at        | outcome
        1        | 2026-03-01 23:59:59 | approved_by_seller
        2        | 2026-03-02 00:00:00 | approved_by_seller
        3        | 2026-03-02 00:59:59 | blocked
        4        | 2026-03-02 01:00:00 | approved_by_seller
        5        | 2026-03-02 05:59:59 | approved_by_seller
        6        | 2026-03-02 06:00:00 | approved_by_seller
        7        | 2026-03-03 00:00:00 | blocked
        8        | 2026-03-03 23:59:59 | approved_by_seller
        9        | 2026-03-04 00:00:00 | blocked
        10       | 2026-03-06 00:00:00 | approved_by_seller
        11       | 2026-03-08 23:59:59 | blocked
        12       | 2026-03-09 00:00:00 | blocked
        13       | 2026-06-29 00:00:00 | blocked
        14       | 2026-03-05 00:00:00 | approved_by_seller
    """,
}


def test_ages_begin_with_their_first_hour_and_end_before_the_next(tables):
    table = success_by_order_age(tables(**AGES))
    wanted = ["order_age", "age_from_hours", "age_to_hours", "n", "n_events", "n_pending"]
    assert table[wanted].to_numpy().tolist() == [
        ["before payment", -np.inf, 0, 2, 2, 0],  # the never paid is here
        ["under 1 hour", 0, 1, 2, 1, 0],
        ["1 to 6 hours", 1, 6, 2, 2, 0],
        ["6 to 24 hours", 6, 24, 1, 1, 0],
        ["1 to 2 days", 24, 48, 2, 1, 0],
        ["2 to 4 days", 48, 96, 1, 0, 0],
        ["4 to 7 days", 96, 168, 2, 1, 0],
        ["7 days or more", 168, np.inf, 1, 0, 1],
    ]
    assert table.estimate.tolist() == [1, 0.5, 1, 1, 0.5, 0, 0.5, 0]


def test_ages_at_which_nobody_asked_keep_their_row(tables):
    opened = tables(
        requests="order_id | requested_at \n 1|2026-03-02 \n 2|2026-03-02",
        orders="""
            order_id | placed_at  | colour
            1        | 2026-03-02 | red
            2        | 2026-02-01 |
        """,
    )
    table = success_by_order_age(opened, by=["colour"])
    assert table.colour.fillna("?").tolist() == ["red"] * 8 + ["?"] * 8
    assert table.n.tolist() == [0, 1, 0, 0, 0, 0, 0, 0] + [0] * 7 + [1]
    empty = table[table.n == 0]
    assert set(empty.interval) == {"none: nobody asked"}
    assert empty[["estimate", "ci_low", "ci_high"]].isna().all(axis=None)
    nobody = success_by_order_age(tables(requests="request_id"))
    assert nobody.n.tolist() == [0] * 8


def test_ages_count_orders_for_their_weight(tables):
    opened = tables(
        requests="order_id | requested_at \n 1|2026-03-02 \n 2|2026-03-02",
        orders="order_id | placed_at | weight \n 1|2026-03-02|0.5 \n 2|2026-03-02|0.25",
    )
    row = success_by_order_age(opened).iloc[1]
    assert (row.n, row.n_events, row.estimate) == (0.75, 0.75, 1)


def test_ages_need_the_time_of_payment(tables):
    with pytest.raises(MissingData, match="orders.paid_at .*needed by success_by_order_age"):
        success_by_order_age(tables(requests="request_id\n1", without=("orders.paid_at",)))
    with pytest.raises(MissingData, match="column colour .*needed by success_by_order_age"):
        success_by_order_age(tables(requests="request_id\n1"), by="colour")
