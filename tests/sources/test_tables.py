"""The joins that many measures need: every row kept once, missing partners missing."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from tests.measures.random_rows import AS_OF, random_market

from analysis.contract import MissingData
from analysis.measures.counting import age
from analysis.sources import collect, describe, open_tables
from analysis.sources.tables import is_success, known_columns

DAY = 86_400


@pytest.mark.spark
def test_a_request_knows_its_order_and_its_seller(tables):
    opened = tables(
        sellers="""
            seller_id | seller_country
            7         | CN
        """,
        orders="""
            order_id | seller_id | category | amount_minor
            1        | 7         | toys     | 500
            2        |           | shoes    | 700
            3        | 7         | hats     | 900
        """,
        requests="""
            request_id | order_id | reason
            11         | 1        | changed_mind
            12         | 1        | too_slow
            13         | 2        | other
            14         | 99       | other
        """,
    )
    found = collect(opened.requests_with_context).sort_values("request_id", ignore_index=True)
    assert found.request_id.tolist() == [11, 12, 13, 14]
    assert found.order_id.tolist() == [1, 1, 2, 99]
    assert found.category.fillna("").tolist() == ["toys", "toys", "shoes", ""]
    assert found.seller_country.fillna("").tolist() == ["CN", "CN", "", ""]
    assert "reason_text" not in found  # long, and never asked for
    assert not [name for name in found if name.endswith("_joined")]


@pytest.mark.spark
def test_the_context_is_computed_once_and_kept(tables):
    opened = tables(requests="request_id\n1\n2")
    first = opened.requests_with_context
    assert opened.requests_with_context is first
    assert collect(first.aggregate(n=first.count())).n[0] == 2
    assert collect(first.group_by("seller_id").aggregate(n=first.count())).n.sum() == 2


@pytest.mark.spark
def test_without_sellers_the_order_alone_is_the_context(tables):
    opened = tables(without=("sellers",), requests="request_id\n1")
    found = collect(opened.requests_with_context)
    assert "seller_country" not in found
    assert found.seller_id.tolist() == [1]
    without = tables(without=("orders.seller_id",), requests="request_id\n1")
    assert "seller_country" not in collect(without.requests_with_context)


@pytest.mark.spark
def test_a_refund_is_due_since_the_decision_or_else_the_end_of_its_order(tables):
    opened = tables(
        orders="""
            order_id | ended_at   | end_code
            1        | 2026-03-09 | cancelled_by_request
            2        | 2026-03-08 | ship_timeout
            3        |            |
        """,
        requests="""
            request_id | order_id | requested_at | decided_at | reason   | order_state
            1          | 1        | 2026-03-01   | 2026-03-02 | too_slow | packed
        """,
        refunds="""
            refund_id | order_id | request_id
            1         | 1        | 1
            2         | 2        |
            3         | 3        |
        """,
    )
    found = collect(opened.refunds_with_context).sort_values("refund_id", ignore_index=True)
    assert found.due_since[:2].tolist() == list(
        pd.to_datetime(["2026-03-02", "2026-03-08"], utc=True)
    )
    assert found.due_since.isna().tolist() == [False, False, True]
    assert found.reason.fillna("").tolist() == ["too_slow", "", ""]


@pytest.mark.spark
def test_refunds_without_requests_are_due_since_the_end_and_without_either_since_nothing(tables):
    drawn = {
        "orders": "order_id | ended_at | end_code\n1 | 2026-03-08 | ship_timeout",
        "requests": "request_id",
        "refunds": "order_id\n1",
    }
    opened = tables(without=("refunds.request_id",), **drawn)
    assert collect(opened.refunds_with_context).due_since[0] == pd.Timestamp("2026-03-08", tz="UTC")
    neither = tables(without=("refunds.request_id", "orders.ended_at"), **drawn)
    with pytest.raises(MissingData, match=r"refunds\.request_id and orders\.ended_at"):
        neither.refunds_with_context  # noqa: B018 - a property that raises


@pytest.mark.spark
def test_success_and_age_are_expressions(tables):
    requests = tables(
        as_of="2026-03-10",
        requests="""
            request_id | requested_at | outcome
            1          | 2026-03-01   | instant_cancelled
            2          | 2026-03-02   | approved_by_seller
            3          | 2026-03-03   | auto_approved_timeout
            4          | 2026-03-04   | withdrawn_by_buyer
            5          | 2026-03-05   | pending
        """,
    )
    frame = requests.requests
    found = collect(
        frame.select("request_id", won=is_success(frame), age=age(requests, frame.requested_at))
    ).sort_values("request_id")
    assert found.won.tolist() == [True, True, True, False, False]
    assert found.age.tolist() == [9 * DAY, 8 * DAY, 7 * DAY, 6 * DAY, 5 * DAY]


def test_group_columns_are_taken_by_name_and_missed_by_name(tables):
    frame = tables(requests="request_id\n1").requests_with_context
    assert known_columns(frame, "reason", needed_by="x") == ["reason"]
    assert known_columns(frame, ("reason", "seller_country"), needed_by="x") == [
        "reason",
        "seller_country",
    ]
    with pytest.raises(MissingData, match="the column colour is not in this data, needed by x"):
        known_columns(frame, ["colour"], needed_by="x")


def test_there_are_no_groups_by_lists():
    frames = random_market(3, 2)
    tags = frames["orders"].append_column("tags", pa.array([["a"], []]))
    opened = open_tables(frames | {"orders": tags}, as_of=AS_OF)
    with pytest.raises(ValueError, match="plain values in tags, which holds array<string>"):
        known_columns(opened.orders, ["tags"], needed_by="x")


@pytest.mark.spark
def test_the_description_names_all_tables_with_rows_and_span(tables):
    opened = tables(
        without=("sellers.opened_at",),
        requests="requested_at\n2026-03-01\n2026-03-04",
        blockers="request_id\n1",
    )
    found = describe(opened).set_index("table")
    assert found.n_rows.astype("float").fillna(-1).to_dict() == {
        "sellers": 2,
        "orders": 2,
        "requests": 2,
        "blockers": 1,
        "refunds": -1,
        "steps": -1,
    }
    spans = found.loc["requests", ["first_at", "last_at"]].tolist()
    assert spans == list(pd.to_datetime(["2026-03-01", "2026-03-04"], utc=True))
    assert found.loc[["sellers", "blockers", "steps"], "first_at"].isna().all()
