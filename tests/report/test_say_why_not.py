"""The answer about one order, word for word."""

from __future__ import annotations

import pytest
from tests.plots.samples.card import why_not

from analysis.contract import codes
from analysis.report.say import say_why_not
from analysis.report.say.card import BECAUSE

NONE = (None, None, None)


def test_shipped_before_it_was_asked_for():
    assert say_why_not(why_not()) == (
        "Order 123 could not be cancelled because it had already been shipped: tracking was "
        "uploaded on 2025-11-03 14:05 UTC, 6 hours before the request. Until then it could have "
        "been cancelled."
    )


def test_the_window_closed_at_another_moment_than_the_rule():
    row = (
        9,
        "2025-11-03 20:05",
        "payment_review",
        "blocked",
        1,
        "payment_under_review",
        "2025-11-03 20:00",
    )
    assert say_why_not(why_not([row], until="2025-11-05 09:00")) == (
        "Order 123 could not be cancelled because its payment was still being verified: it was "
        "paid on 2025-11-03 20:00 UTC, 5 minutes before the request. It could have been cancelled "
        "until 2025-11-05 09:00 UTC."
    )


def test_several_rules_are_said_in_their_order():
    rows = [
        (9, "2025-11-09 08:00", "delivered", "blocked", 2, "already_shipped", "2025-11-03 08:00"),
        (
            9,
            "2025-11-09 08:00",
            "delivered",
            "blocked",
            1,
            "delivered_or_completed",
            "2025-11-08 08:00",
        ),
    ]
    assert say_why_not(why_not(rows, until="2025-11-03 08:00")) == (
        "Order 123 could not be cancelled because it had already been delivered: it was delivered "
        "on 2025-11-08 08:00 UTC, 24 hours before the request. Besides, it had already been "
        "shipped: tracking was uploaded on 2025-11-03 08:00 UTC, 6 days before the request. Until "
        "then it could have been cancelled."
    )


def test_a_rule_that_came_after_the_request():
    row = (
        9,
        "2025-11-03 08:00",
        "awaiting_shipment",
        "rejected_by_seller",
        1,
        "seller_rejected",
        "2025-11-03 13:00",
    )
    assert say_why_not(why_not([row], until=None)) == (
        "Order 123 could not be cancelled because the seller refused: the refusal came on "
        "2025-11-03 13:00 UTC, 5 hours after the request. As far as this data goes, it can still "
        "be cancelled."
    )


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        ("approved_by_seller", "Order 123 was cancelled: the seller approved."),
        ("instant_cancelled", "Order 123 was cancelled at once."),
        (
            "pending",
            "Order 123 is not cancelled so far: the request is still open. As far as this data "
            "goes, it can still be cancelled.",
        ),
    ],
)
def test_requests_that_met_no_rule(outcome, text):
    assert (
        say_why_not(why_not([(9, "2025-11-03 08:00", "packed", outcome, *NONE)], until=None))
        == text
    )


def test_the_request_that_decided_comes_first():
    rows = [
        (8, "2025-11-01 08:00", "payment_review", "blocked", 1, "payment_under_review", None),
        (9, "2025-11-02 08:00", "awaiting_shipment", "approved_by_seller", *NONE),
        (
            10,
            "2025-11-02 09:00",
            "cancelled",
            "blocked",
            1,
            "already_cancelled",
            "2025-11-02 08:30",
        ),
    ]
    assert say_why_not(why_not(rows)) == (
        "Order 123 was cancelled: the seller approved. An earlier request, of 2025-11-01 08:00 "
        "UTC, failed because its payment was still being verified. A later request, of "
        "2025-11-02 09:00 UTC, failed because it had already been cancelled: it ended on "
        "2025-11-02 08:30 UTC, 30 minutes before the request."
    )


def test_goods_that_cannot_be_cancelled_never_could():
    row = (
        9,
        "2025-11-03 08:00",
        "packed",
        "blocked",
        1,
        "non_cancellable_goods",
        "2025-11-02 08:00",
    )
    assert say_why_not(why_not([row], until="2025-11-02 08:00")) == (
        "Order 123 could not be cancelled because goods of this kind cannot be cancelled. It could "
        "never be cancelled."
    )


def test_nobody_asked():
    assert say_why_not(why_not([(None,) * 7], until="2025-11-05 09:00")) == (
        "Nobody asked to cancel order 123. It could have been cancelled until 2025-11-05 09:00 UTC."
    )


def test_a_rule_of_another_platform_and_an_order_with_a_strange_name():
    row = (9, "2025-11-03 08:00", None, "blocked", 1, "Rule <7>", None)
    card = why_not([row]).assign(order_id="<b>1</b>")
    assert say_why_not(card).startswith(
        "Order “<b>1</b>” could not be cancelled because of the rule “Rule <7>”."
    )


@pytest.mark.parametrize("blocker", codes.BLOCKERS)
def test_every_blocker_has_its_words(blocker):
    row = (9, "2025-11-03 08:00", "packed", "blocked", 1, blocker, None)
    assert f"because {BECAUSE[blocker][0]}." in say_why_not(why_not([row]))
