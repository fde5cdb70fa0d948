"""The list of blockers: its order is the contract's, and each rule on drawn moments."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from analysis.contract import codes
from analysis.marketplace import load_policy
from analysis.marketplace.blockers import RULES, Moment, applying, is_instant, state_at
from analysis.marketplace.clocks import DAY, HOUR, NEVER
from analysis.marketplace.plan import END

POLICY = load_policy("aliexpress")
# an order paid at 0, cleared a day later, packed on day 3, shipped on day 4, delivered on day 20
COURSE = {
    "paid": 0,
    "cleared": DAY,
    "packed": 3 * DAY,
    "shipped": 4 * DAY,
    "delivered": 20 * DAY,
    "disputed": NEVER,
    "ended": 25 * DAY,
    "end": END["completed"],
    "is_cancellable": True,
    "has_open_request": False,
    "n_before": 0,
}


def moment(at: int, **change) -> Moment:
    return Moment(at=np.array([at]), **{k: np.array([v]) for k, v in (COURSE | change).items()})


def blockers(at: int, rules=POLICY, **change) -> list[str]:
    which = applying(moment(at, **change), rules)[:, 0]
    return [code for (code, _), applies in zip(RULES, which, strict=True) if applies]


def test_the_order_of_the_rules_is_the_precedence_of_the_contract():
    listed = [code for code, _ in RULES]
    assert listed == [code for code in codes.BLOCKERS_AT_SUBMIT if code in listed]


@pytest.mark.parametrize(
    ("at", "change", "expected"),
    [
        (0, {}, ["payment_under_review"]),
        (DAY - 1, {}, ["payment_under_review"]),
        (DAY, {}, []),
        (4 * DAY - 1, {}, []),
        (4 * DAY, {}, ["already_shipped"]),
        (20 * DAY, {}, ["delivered_or_completed", "already_shipped"]),
        (26 * DAY, {}, ["delivered_or_completed", "already_shipped"]),
        (-HOUR, {}, []),  # not paid yet
        (2 * DAY, {"is_cancellable": False}, ["non_cancellable_goods"]),
        (-HOUR, {"is_cancellable": False}, []),
        (2 * DAY, {"has_open_request": True}, ["request_already_open"]),
        (
            16 * DAY,
            {"disputed": 15 * DAY},
            ["dispute_or_case_open", "already_shipped"],
        ),
        (
            3 * DAY,
            {"ended": 2 * DAY, "end": END["ship_timeout"], "shipped": NEVER, "delivered": NEVER},
            ["already_cancelled"],
        ),
    ],
)
def test_what_stands_in_the_way_under_the_default_rules(at, change, expected):
    assert blockers(at, **change) == expected


def test_rules_that_the_default_policy_does_not_have():
    strict = dataclasses.replace(
        POLICY, packed_blocks=True, cancel_window_hours=24, max_requests=1, cancel_in_review=True
    )
    assert blockers(HOUR, strict) == []
    assert blockers(DAY, strict) == []
    assert blockers(DAY + 1, strict) == ["cancel_window_elapsed"]
    assert blockers(3 * DAY, strict) == ["packed_or_label_created", "cancel_window_elapsed"]
    assert blockers(HOUR, strict, n_before=1) == ["request_limit_reached"]


def test_who_needs_no_seller_to_cancel():
    free = dataclasses.replace(POLICY, free_window_hours=30)
    in_review = dataclasses.replace(POLICY, cancel_in_review=True)
    cases = [
        (-1, POLICY, True),  # unpaid
        (2 * DAY, POLICY, False),
        (30 * HOUR, free, True),
        (30 * HOUR + 1, free, False),
        (DAY - 1, in_review, True),
        (DAY, in_review, False),
    ]
    for at, rules, expected in cases:
        assert is_instant(moment(at), rules)[0] == expected, at


@pytest.mark.parametrize(
    ("at", "change", "word"),
    [
        (-1, {}, "awaiting_payment"),
        (0, {}, "payment_review"),
        (DAY, {}, "awaiting_shipment"),
        (2 * DAY, {"has_open_request": True}, "cancel_pending"),
        (3 * DAY, {}, "packed"),
        (4 * DAY, {}, "shipped"),
        (16 * DAY, {"disputed": 15 * DAY}, "disputed"),
        (20 * DAY, {}, "delivered"),
        (25 * DAY, {}, "completed"),
        (25 * DAY, {"end": END["cancelled_by_request"]}, "cancelled"),
    ],
)
def test_the_state_that_the_buyer_sees(at, change, word):
    assert codes.ORDER_STATES[state_at(moment(at, **change))[0]] == word


def test_expressions_need_nothing_but_the_moment_and_the_policy():
    plain = SimpleNamespace(at=5, **(COURSE | {"shipped": 4, "paid": 0}))
    rule = dict(RULES)["already_shipped"]
    assert rule(plain, POLICY)
