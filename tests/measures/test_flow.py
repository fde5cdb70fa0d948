"""The cancel dialogue: who reached which step, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.contract import MissingData, codes
from analysis.measures import cancel_flow_funnel

STEPS = [*codes.STEPS, "cancelled"]

WALKS = {  # 1 and 2 go all the way, 3 gives up at the reasons, 4 on finding the order
    "as_of": "2026-03-31",
    "steps": """
        session_id | order_id | step          | occurred_at
        1          | 1        | open_orders   | 2026-03-01 10:00:00
        1          | 1        | open_order    | 2026-03-01 10:00:10
        1          | 1        | find_cancel   | 2026-03-01 10:00:20
        1          | 1        | choose_reason | 2026-03-01 10:00:30
        1          | 1        | submit        | 2026-03-01 10:00:40
        2          | 2        | open_orders   | 2026-03-01 11:00:00
        2          | 2        | open_order    | 2026-03-01 11:00:10
        2          | 2        | find_cancel   | 2026-03-01 11:00:20
        2          | 2        | choose_reason | 2026-03-01 11:00:30
        2          | 2        | submit        | 2026-03-01 11:00:40
        3          | 3        | open_orders   | 2026-03-01 12:00:00
        3          | 3        | open_order    | 2026-03-01 12:00:10
        3          | 3        | find_cancel   | 2026-03-01 12:00:20
        3          | 3        | choose_reason | 2026-03-01 12:00:30
        4          | 3        | open_orders   | 2026-03-02 12:00:00
        4          | 3        | open_order    | 2026-03-02 12:00:10
    """,
    "requests": """
        order_id | requested_at        | decided_at | outcome
        1        | 2026-03-01 10:00:40 | 2026-03-02 | approved_by_seller
        2        | 2026-03-01 11:00:40 | 2026-03-02 | rejected_by_seller
    """,
    "orders": "order_id | seller_id | category \n 1|1|toys \n 2|1|tools \n 3||tools",
}


def test_the_funnel_narrows_step_by_step_to_the_cancelled_order(tables):
    table = cancel_flow_funnel(tables(**WALKS))
    assert list(table.columns) == [
        "step",
        "estimate",
        "ci_low",
        "ci_high",
        "of_previous",
        "of_previous_low",
        "of_previous_high",
        "n",
        "n_events",
        "n_clusters",
        "interval",
    ]
    assert table.step.tolist() == STEPS
    assert table.n_events.tolist() == [4, 4, 3, 3, 2, 1]
    assert table.estimate.tolist() == [1, 1, 3 / 4, 3 / 4, 2 / 4, 1 / 4]
    assert np.isnan(table.of_previous[0])
    assert table.of_previous.tolist()[1:] == [1, 3 / 4, 1, 2 / 3, 1 / 2]
    assert set(table.n) == {4}
    assert set(table.n_clusters) == {3}  # a seller, and two sessions at nobody's
    assert table.interval[0] == "Wilson, clustered by seller"


def test_a_session_cancelled_if_its_own_submit_did(tables):
    walks = WALKS | {
        "steps": """
            session_id | order_id | step   | occurred_at
            1          | 1        | submit | 2026-03-01 10:00:00
            2          | 1        | submit | 2026-03-01 10:00:01
            3          | 2        | submit | 2026-03-01 10:00:00
            4          | 1        | choose_reason | 2026-03-01 10:00:00
            5          | 3        | submit | 2026-03-01 12:00:00
        """,
        "requests": """
            order_id | requested_at        | outcome
            1        | 2026-03-01 10:00:00 | auto_approved_timeout
            3        | 2026-03-01 12:00:00 | pending
            3        | 2026-03-02 12:00:00 | instant_cancelled
        """,
    }
    # only session 1 submitted that request; 2 came a second later, 3 is another order at the
    # same second, 4 did not submit, of 5 the outcome is not known
    row = cancel_flow_funnel(tables(**walks)).iloc[-1]
    assert (row.step, row.n_events, row.n) == ("cancelled", 1, 5)
    assert row.of_previous == 1 / 4


def test_a_step_taken_after_one_that_was_skipped_is_not_more_than_all(tables):
    walks = WALKS | {
        "steps": """
            session_id | order_id | step
            1          | 1        | open_order
            1          | 1        | submit
            2          | 2        | find_cancel
            2          | 2        | choose_reason
            2          | 2        | submit
        """
    }
    table = cancel_flow_funnel(tables(**walks)).set_index("step")
    assert table.n_events.to_dict() == {
        "open_orders": 0,
        "open_order": 1,
        "find_cancel": 1,
        "choose_reason": 1,
        "submit": 2,
        "cancelled": 0,
    }
    assert table.of_previous["choose_reason"] == 1
    assert table.of_previous["submit"] == 1  # of those who chose a reason, not 2 of 1
    assert np.isnan(table.of_previous["open_order"])  # nobody was at the step before


def test_funnels_by_columns_of_orders_and_sellers(tables):
    walks = WALKS | {"sellers": "seller_id | seller_country \n 1|CN"}
    table = cancel_flow_funnel(tables(**walks), by=["category", "seller_country"])
    rows = table.drop_duplicates(["category", "seller_country"])
    assert rows[["category", "seller_country"]].fillna("?").to_numpy().tolist() == [
        ["tools", "CN"],
        ["tools", "?"],
        ["toys", "CN"],
    ]
    assert table.step.tolist() == STEPS * 3
    assert table.n_events.tolist() == [1, 1, 1, 1, 1, 0] + [2, 2, 1, 1, 0, 0] + [1] * 6
    starts = table[table.step == "open_orders"]
    assert starts.of_previous.isna().all()
    assert np.isnan(table[table.seller_country.isna()].of_previous.iloc[-1])  # nobody submitted


def test_a_funnel_needs_the_dialogue(tables):
    with pytest.raises(MissingData, match="the table steps .*needed by cancel_flow_funnel"):
        cancel_flow_funnel(tables(requests="request_id\n1"))
    with pytest.raises(MissingData, match="the column colour .*category"):
        cancel_flow_funnel(tables(**WALKS), by=["colour"])
    with pytest.raises(ValueError, match="level must be in"):
        cancel_flow_funnel(tables(**WALKS), level=2)


@pytest.mark.parametrize("without", [(), ("orders.seller_id", "sellers")])
def test_no_session_is_a_funnel_of_nobody(tables, without):
    opened = tables(requests="request_id", orders="order_id", steps="session_id", without=without)
    table = cancel_flow_funnel(opened)
    assert table.step.tolist() == STEPS
    assert table.n.tolist() == [0] * 6
    assert table[["estimate", "ci_low", "of_previous"]].isna().all(axis=None)
    assert len(cancel_flow_funnel(opened, by="category")) == 0


def test_the_step_before_counts_the_same_sessions(tables):
    walks = "session_id | order_id | step \n 1 | 1 | choose_reason \n 2 | 1 | submit"
    submit = cancel_flow_funnel(tables(steps=walks)).set_index("step").loc["submit"]
    assert (submit.of_previous, submit.of_previous_low) == (0, 0)  # another one submitted
    assert 0 < submit.of_previous_high < 1
