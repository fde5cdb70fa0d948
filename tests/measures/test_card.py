"""The card of one order: which rules stood in the way, since when, and until when it was open."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.contract import MissingData
from analysis.measures import why_not

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
