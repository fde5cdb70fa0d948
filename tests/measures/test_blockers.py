"""Which rules stood in the way of a cancellation: of all requests, and of one order's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.contract import MissingData, codes
from analysis.measures import (
    blocker_shares,
    cancellation_success_rate,
    success_by_order_age,
    why_not,
)

DAY = 24
CARD = [
    "order_id",
    "request_id",
    "requested_at",
    "order_state",
    "outcome",
    "rank",
    "blocker",
    "stage",
    "stood_since",
    "cancellable_until",
]


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


# why_not


TWICE = {
    "as_of": "2026-03-31",
    "orders": """
        order_id | placed_at  | packed_at  | shipped_at       | delivered_at | ended_at | end_code
        5        | 2026-03-01 | 2026-03-02 | 2026-03-03 10:00 | 2026-03-20   |          |
        6        | 2026-03-01 |            |                  |              |          |
        7        | 2026-03-01 |            | 2026-03-03       |              |          |
    """,
    "requests": """
        request_id | order_id | requested_at | outcome            | order_state | blocker
        21         | 5        | 2026-03-04   | blocked            | shipped     | already_shipped
        20         | 5        | 2026-03-02   | rejected_by_seller | packed      | seller_rejected
        30         | 7        | 2026-03-09   | blocked            | shipped     | already_shipped
    """,
    "blockers": """
        request_id | rank | blocker
        21         | 2    | packed_or_label_created
        21         | 1    | already_shipped
        21         | 3    | non_cancellable_goods
        20         | 1    | seller_rejected
        30         | 1    | already_shipped
    """,
}


def moments(series):
    return [None if pd.isna(moment) else moment.strftime("%d %H:%M") for moment in series]


def test_a_card_lists_every_request_by_time_and_every_rule_by_rank(tables):
    card = why_not(tables(**TWICE), 5)
    assert list(card.columns) == CARD
    assert card[["order_id", "request_id", "order_state", "rank", "blocker", "stage"]].to_numpy(
        object
    ).tolist() == [
        [5, 20, "packed", 1, "seller_rejected", "decided_later"],
        [5, 21, "shipped", 1, "already_shipped", "at_submit"],
        [5, 21, "shipped", 2, "packed_or_label_created", "at_submit"],
        [5, 21, "shipped", 3, "non_cancellable_goods", "at_submit"],
    ]
    assert moments(card.requested_at) == ["02 00:00", "04 00:00", "04 00:00", "04 00:00"]
    # refused an hour after asking; shipped; packed; the goods were so from the beginning
    assert moments(card.stood_since) == ["02 01:00", "03 10:00", "02 00:00", "01 00:00"]
    assert set(card.cancellable_until) == {pd.Timestamp("2026-03-01", tz="UTC")}  # the goods
    assert str(card.requested_at.dt.tz) == str(card.cancellable_until.dt.tz) == "UTC"


def test_without_the_table_of_blockers_a_card_has_each_requests_first(tables):
    card = why_not(tables(**TWICE, without=("blockers",)), 5)
    assert card.blocker.tolist() == ["seller_rejected", "already_shipped"]
    assert card["rank"].tolist() == [1, 1]
    assert set(card.cancellable_until) == {pd.Timestamp("2026-03-03 10:00", tz="UTC")}


def test_a_request_that_is_not_in_the_table_of_blockers_shows_its_own(tables):
    opened = tables(**TWICE | {"blockers": "request_id | rank | blocker \n 20|1|seller_rejected"})
    assert why_not(opened, 5).blocker.tolist() == ["seller_rejected", "already_shipped"]


def test_an_order_nobody_asked_about_is_one_row_without_a_request(tables):
    card = why_not(tables(**TWICE), 6)
    assert len(card) == 1
    assert card.order_id.tolist() == [6]
    assert card[CARD[1:]].isna().all(axis=None)  # and it can still be cancelled
    assert str(card.requested_at.dtype).startswith("datetime64")


def test_a_request_that_met_no_rule_is_one_row_without_a_blocker(tables):
    opened = tables(
        as_of="2026-03-31",
        requests="order_id | requested_at | decided_at \n 1 | 2026-03-02 | 2026-03-04",
        blockers="request_id",
    )
    card = why_not(opened, 1)
    assert card[["request_id", "outcome"]].to_numpy().tolist() == [[1, "approved_by_seller"]]
    assert card[["rank", "blocker", "stage", "stood_since"]].isna().all(axis=None)
    assert moments(card.cancellable_until) == ["04 00:00"]  # when it was cancelled


RULES = {  # rule -> the days on which it began to stand, and until which the order was open
    "already_cancelled": ("09", "03"),
    "delivered_or_completed": ("07", "03"),
    "already_shipped": ("03", "03"),
    "partially_shipped": ("03", "03"),
    "shipped_during_request": ("03", "03"),
    "payment_under_review": ("01", "03"),
    "packed_or_label_created": ("02", "02"),
    "non_cancellable_goods": ("01", "01"),
    "seller_rejected": ("11", "03"),
    "seller_silent_not_cancelled": ("11", "03"),
    "cancel_window_elapsed": (None, "03"),
    "order_frozen": (None, "03"),
}


def test_every_rule_stands_since_what_made_it_stand(tables):
    times = "2026-03-01|2026-03-01|2026-03-02|2026-03-03|2026-03-07|2026-03-09|completed"
    columns = "placed_at|paid_at|packed_at|shipped_at|delivered_at|ended_at|end_code"
    opened = tables(
        orders="\n".join([columns, *[times] * len(RULES)]),
        requests="requested_at | decided_at | outcome | blocker"
        + "".join(f"\n2026-03-10 | 2026-03-11 | blocked | {rule}" for rule in RULES),
    )
    for order, (rule, days) in enumerate(RULES.items(), start=1):
        row = why_not(opened, order).iloc[0]
        since = None if pd.isna(row.stood_since) else row.stood_since.strftime("%d")
        assert (row.blocker, since, row.cancellable_until.strftime("%d")) == (rule, *days)


def test_an_order_completed_without_delivery_on_record_stands_since_its_end(tables):
    opened = tables(
        orders="""
            placed_at  | shipped_at | delivered_at | ended_at   | end_code
            2026-03-01 | 2026-03-03 |              | 2026-03-09 | completed
        """,
        requests="""
            requested_at | outcome | blocker
            2026-03-10   | blocked | delivered_or_completed
        """,
    )
    assert moments(why_not(opened, 1).stood_since) == ["09 00:00"]


def test_a_request_already_open_stands_since_the_one_that_was_open(tables):
    opened = tables(
        as_of="2026-03-31",
        orders="order_id | placed_at \n 1|2026-03-01",
        requests="""
            request_id | order_id | requested_at     | decided_at | outcome            | blocker
            1          | 1        | 2026-03-02 00:00 | 2026-03-03 | rejected_by_seller | seller_rejected
            2          | 1        | 2026-03-04 00:00 |            | pending            |
            3          | 1        | 2026-03-05 00:00 | 2026-03-05 | blocked            | request_already_open
            4          | 1        | 2026-03-06 00:00 | 2026-03-06 | blocked            | request_already_open
        """,  # noqa: E501 - a drawing
    )
    # the open one is the second: the first was refused, the third never was open
    assert moments(why_not(opened, 1).stood_since) == ["03 00:00", None, "04 00:00", "04 00:00"]


def test_an_order_is_found_by_number_text_and_whatever_id_the_data_has(tables):
    numbers = tables(**TWICE)
    assert why_not(numbers, "5").equals(why_not(numbers, 5))
    assert why_not(numbers, np.int64(6)).order_id.tolist() == [6]
    texts = tables(
        orders="order_id \n 7e1 \n A-'2",
        requests="order_id | outcome \n A-'2 | blocked",
    )
    assert why_not(texts, "A-'2").blocker.tolist() == ["already_shipped"]
    assert why_not(texts, "7e1").request_id.isna().tolist() == [True]


def test_an_order_that_is_not_there_is_said(tables):
    opened = tables(**TWICE)
    for order_id in (99, "99", 5.5, float("nan"), "5.0", "x", "", 10**30, "A-2; DROP TABLE"):
        with pytest.raises(ValueError, match="order_id") as error:
            why_not(opened, order_id)
        assert repr(order_id) in str(error.value)


def test_text_ids_are_not_taken_for_numbers(tables):
    texts = tables(orders="order_id\nA", requests="order_id | outcome \n A | blocked")
    with pytest.raises(ValueError, match="order_id 7 is not in this data"):
        why_not(texts, 7)


def test_without_an_order_the_one_that_met_most_rules_is_shown(tables):
    opened = tables(**TWICE)
    assert set(why_not(opened).order_id) == {5}
    assert set(why_not(tables(**TWICE, without=("blockers",))).order_id) == {5}  # the smallest id
    unlisted = tables(**TWICE | {"blockers": "request_id"})
    assert set(why_not(unlisted).order_id) == {5}
    with pytest.raises(MissingData, match="a request that met a rule .*needed by why_not"):
        why_not(tables(requests="request_id\n1"))
    with pytest.raises(MissingData, match="column requests.blocker"):
        why_not(tables(requests="request_id\n1", without=("requests.blocker",)))


def test_a_card_does_without_all_that_may_be_missing(tables):
    optional = ("packed_at", "shipped_at", "delivered_at", "ended_at", "end_code")
    without = tuple(f"orders.{column}" for column in optional)
    card = why_not(tables(**TWICE, without=without), 5)
    assert card.blocker.tolist()[:2] == ["seller_rejected", "already_shipped"]
    assert moments(card.stood_since) == ["02 01:00", None, None, "01 00:00"]
    bare = tables(**TWICE, without=("blockers", "requests.blocker", "requests.decided_at"))
    assert why_not(bare, 5).blocker.isna().tolist() == [True, True]
