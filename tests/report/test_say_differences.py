"""Sentences of comparisons and of what goes with success, word for word."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.report.say import (
    say_outcome_difference,
    say_refund_drivers,
    say_refund_time_difference,
    say_success_drivers,
)


def outcome(name, *shares, q=0.01):
    """Rows of one outcome: value, share, half of its interval, n."""
    return [
        {
            "outcome": name,
            "compared": "payment_method",
            "value": value,
            "estimate": share,
            "ci_low": share - half,
            "ci_high": share + half,
            "q_value": q,
            "n": n,
        }
        for value, share, half, n in shares
    ]


APPROVED = ("card", 0.1, 0.04, 900), ("wallet", 0.3, 0.05, 90), ("paypal", 0.9, 0.05, 9)
BLOCKED = ("card", 0.45, 0.1, 900), ("wallet", 0.41, 0.1, 90), ("paypal", 0.0, 0.05, 9)


def test_only_ends_that_stand_apart_are_named():
    table = pd.DataFrame(outcome("approved_by_seller", *APPROVED) + outcome("blocked", *BLOCKED))
    assert say_outcome_difference(table) == (
        "By payment method, the share approved by the seller goes from 10% (6.0% to 14%) for card "
        "to 30% (25% to 35%) for wallet; one more outcome differs when all are taken together."
    )
    assert say_outcome_difference(table[table["outcome"] == "blocked"]) == (
        "By payment method, how requests end differs when all are taken together, but no two with "
        "enough requests stand apart."
    )


def test_ends_of_few_requests_are_not_named():
    table = pd.DataFrame(outcome("blocked", *APPROVED)).assign(n=[900, 9, 9])
    assert "stand apart" in say_outcome_difference(table)


def longer(*values):
    """Rows of a comparison of times: value, days more, n, q-value."""
    return pd.DataFrame(
        [
            {
                "compared": "method",
                "value": value,
                "baseline": "card",
                "horizon_days": 30.0,
                "estimate": gap,
                "ci_low": gap - 1,
                "ci_high": gap + 1,
                "q_value": q,
                "n": n,
                "n_baseline": 400,
            }
            for value, gap, n, q in values
        ]
    )


def test_refunds_take_more_or_less_time_and_few_of_them_tell_nothing():
    table = longer(
        ("wallet", -8.0, 90, 1e-9), ("paypal", 3.0, 80, 1e-4), ("other", 0.1, 70, 0.9),
        ("gift_card", -9.0, 9, 1e-9)
    )  # fmt: skip
    assert say_refund_time_difference(table) == (
        "Counting at most 30 days of each refund, compared with card, the money takes longer for "
        "PayPal (3 days, 2 to 4, n = 80), and less time for wallet (8 days, 7 to 9, n = 90); for "
        "one more there is no clear difference; one more has too few refunds to say."
    )
    assert "there are too few refunds to compare any other method with card" in (
        say_refund_time_difference(table.assign(n_baseline=9))
    )
    assert say_refund_time_difference(table.assign(q_value=0.9)).endswith(
        "there is no clear difference between any other method and card; one more has too few "
        "refunds to say."
    )


def test_one_more_group_is_one():
    groups = [longer(("paypal", 3.0, 80, 1e-4)).assign(country=c) for c in "abcde"]
    table = pd.concat(groups)[["country", *groups[0].columns.drop("country")]]
    assert "One more group is in the table." in say_refund_time_difference(table)


def ratios(*levels):
    """Rows of hazard ratios: level, ratio, n, q-value."""
    return pd.DataFrame(
        [
            {
                "factor": "method",
                "level": level,
                "reference": "card",
                "status": "estimated",
                "estimate": ratio,
                "ci_low": ratio / 1.2,
                "ci_high": ratio * 1.2,
                "q_value": q,
                "n": n,
            }
            for level, ratio, n, q in levels
        ]
    )


def test_levels_of_few_refunds_are_never_called_clear():
    table = ratios(
        ("wallet", 20.0, 90, 1e-9), ("paypal", 1.05, 80, 0.5), ("gift_card", 30.0, 9, 1e-9),
        ("other", np.nan, 3, np.nan)
    )  # fmt: skip
    assert say_refund_drivers(table) == (
        "With the other factors alike, the money arrives sooner for method wallet (hazard 20 times "
        "that of card, 17 to 24, n = 90). For one more level there is no clear difference from the "
        "reference. One level has too few refunds to say and one level has no finite ratio."
    )
    assert say_refund_drivers(table.assign(n=9)).startswith("3 levels have too few refunds to say")


def driver(level, estimate, half, *, p, n=200, factor="order_state"):
    """Row of a level compared with shipped orders; its q-value is its p-value."""
    return {
        "factor": factor,
        "level": level,
        "reference": "shipped",
        "estimate": estimate,
        "ci_low": max(estimate - half, -1),
        "ci_high": min(estimate + half, 1),
        "p_value": p,
        "q_value": p,
        "crude_difference": estimate,
        "n": n,
        "n_events": 9,
        "known": "",
        "interval": "delta method",
    }


def first_of(*rows):
    other = driver("x", 0.0, 0.1, p=0.99, factor="reason") | {"estimate": np.nan}
    text = say_success_drivers(pd.DataFrame([*rows, other]))
    assert text.endswith(" What goes together need not be cause and effect.")
    return text.removesuffix(" What goes together need not be cause and effect.")


ALIKE = "the other circumstances here alike"
PACKED = "packed, 14 percentage points {} than shipped ({}, n = 200; crude {})"


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (-0.14, f"less success, {ALIKE}: {PACKED.format('less', '−19 to −9.0', '−14')}."),
        (0.14, f"more success, {ALIKE}: {PACKED.format('more', '+9.0 to +19', '+14')}."),
    ],
)
def test_one_circumstance_goes_with_more_or_less_success(size, said):
    assert first_of(driver("packed", size, 0.05, p=1e-5)) == (
        f"One circumstance goes clearly with {said}"
    )


def test_a_second_circumstance_follows_and_more_follow():
    rows = [driver(w, s, 0.02, p=1e-5) for w, s in (("a", 0.3), ("b", 0.2), ("c", 0.1))]
    assert " Then follows order state b, 20 " in first_of(*rows[:2])
    assert " Then follow order state b, 20 " in first_of(*rows)


def test_a_model_of_one_circumstance_holds_nothing_alike():
    table = pd.DataFrame([driver("packed", 0.14, 0.05, p=1e-5)])
    assert "goes clearly with more success, taken by itself:" in say_success_drivers(table)


def test_a_clear_level_of_few_requests_is_said_to_be_so():
    assert first_of(driver("packed", -0.75, 0.1, p=3e-6, n=23)) == (
        f"No circumstance of 30 or more requests goes clearly with success, {ALIKE}. Clear by its "
        "limits, but resting on few requests: packed, 75 percentage points less than shipped "
        "(−85 to −65, n = 23, few; crude −75)."
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (driver("packed", 0.1, 0.11, p=0.06), ". The least unclear: packed, 10 percentage points"),
        (
            driver("packed", 0.01, 0.11, p=0.9),
            ", and none comes near it, not even packed, 1.0 percentage",
        ),
        (
            driver("packed", 0.3, 2, p=0.9, n=4),
            ", and nothing can be told: "
            "even the least unclear may be −100 to +100 points (n = 4, few).",
        ),
    ],
)
def test_what_is_unclear_is_not_made_to_look_as_if_it_were_something(row, said):
    begin = f"No circumstance goes clearly with success, {ALIKE}"
    assert first_of(row).startswith(begin + said)
