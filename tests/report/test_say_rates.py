"""Sentences of shares, word for word."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.plots import samples

from analysis.report.html import first_sentence
from analysis.report.say import (
    say_blocker_shares,
    say_cancel_flow_funnel,
    say_naive_versus_right,
    say_order_end_shares,
    say_outcome_shares,
    say_request_rate,
    say_seller_funnel,
    say_seller_scorecard,
    say_success_by_order_age,
    say_success_rate,
)

CLUSTERED = "Wilson, clustered by seller"


def row(estimate, low, high, n=1000, *, events=1, pending=0, clusters=40, **columns):
    """Row of a table of shares with group columns first."""
    shares = {"estimate": estimate, "ci_low": low, "ci_high": high}
    counts = {"n": n, "n_events": events, "n_pending": pending, "n_clusters": clusters}
    return {**columns, **shares, **counts, "interval": CLUSTERED}


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (
            [row(0.61, 0.58, 0.64, 1164)],
            "61% (58% to 64%, n = 1,164) of requests to cancel ended in a cancelled order.",
        ),
        (
            [row(0.61, 0.58, 0.64, 1164, pending=1)],
            "61% (58% to 64%, n = 1,164) of requests to cancel ended in a cancelled order. "
            "1 more request is too young to count.",
        ),
        (
            [row(0.5, 0.2, 0.8, 12)],
            "50% (20% to 80%, n = 12, few) of requests to cancel ended in a cancelled order. "
            "The interval is wide: take the share as a rough guide.",
        ),
        (
            [row(0.5, 0.4, 0.6, 100, clusters=4)],
            "50% (40% to 60%, n = 100) of requests to cancel ended in a cancelled order. "
            "These requests are of only 4 sellers, so the interval is rough.",
        ),
        (
            [row(0.5, 0.4, 0.6, 100, clusters=1)],
            "50% (40% to 60%, n = 100) of requests to cancel ended in a cancelled order. "
            "All these requests are of one seller, so this says nothing about others.",
        ),
        (
            [row(np.nan, np.nan, np.nan, 0, pending=7)],
            "No request is old enough to count yet. 7 more requests are too young to count.",
        ),
    ],
)
def test_success_rate(table, text):
    assert say_success_rate(pd.DataFrame(table)) == text


def by_state(*rows):
    return pd.DataFrame([row(*numbers, order_state=state) for state, *numbers in rows])


def test_groups_that_are_apart_are_compared():
    table = by_state(("packed", 0.2, 0.15, 0.25), ("shipped", 0.01, 0.005, 0.02))
    assert say_success_rate(table) == (
        "By order state, the share of requests that worked: packed 20% (15% to 25%, n = 1,000) and "
        "shipped 1.0% (0.5% to 2.0%, n = 1,000). It is clearly higher for packed than for shipped."
    )


@pytest.mark.parametrize("other", [(0.22, 0.18, 0.26), (0.12, 0.05, 0.18), (0.3, 0.24, 0.4)])
def test_groups_whose_intervals_overlap_are_not(other):
    table = by_state(("packed", 0.2, 0.15, 0.25), ("shipped", *other))
    assert say_success_rate(table).endswith("There is no clear difference: the intervals overlap.")


MANY = [(state, 0.1 * i, 0.1 * i - 0.01, 0.1 * i + 0.01) for i, state in
        enumerate(["packed", "shipped", "frozen", "disputed", "delivered"], 1)]  # fmt: skip


def test_of_many_groups_the_extremes_are_named():
    assert say_success_rate(by_state(*MANY)) == (
        "By order state, the share of requests that worked runs from 10% (9.0% to 11%, n = 1,000) "
        "for packed to 50% (49% to 51%, n = 1,000) for delivered."
    )


def test_small_groups_are_left_out_of_the_comparison_and_that_is_said():
    table = by_state(
        *MANY, ("completed", 0.0, 0.0, 0.2, 5), ("cancelled", np.nan, np.nan, np.nan, 0)
    )
    text = say_success_rate(table)
    assert "completed" not in text and "cancelled" not in text
    assert text.endswith("2 of 7 groups are left out here (fewer than 30 cases).")


def test_groups_without_an_estimate_are_not_said_to_be_small_where_small_ones_are_shown():
    table = by_state(
        ("packed", 0.2, 0.1, 0.3, 5), ("shipped", 0.1, 0.0, 0.2, 4),
        ("frozen", np.nan, np.nan, np.nan, 0)
    )  # fmt: skip
    assert say_success_rate(table).endswith("1 of 3 groups is left out here (no estimate).")


def test_one_group_and_no_known_group():
    assert say_success_rate(by_state(("packed", 0.2, 0.1, 0.3))) == (
        "For packed, the share of requests that worked is 20% (10% to 30%, n = 1,000)."
    )
    unknown = by_state(("packed", np.nan, np.nan, np.nan, 0))
    assert say_success_rate(unknown) == (
        "No group has what it takes to estimate the share of requests that worked."
    )


def test_request_rate():
    assert say_request_rate(pd.DataFrame([row(0.068, 0.061, 0.075, 12000, pending=300)])) == (
        "Buyers asked to cancel 6.8% (6.1% to 7.5%, n = 12,000) of paid orders. "
        "300 more orders are too young to count."
    )


def test_outcomes_are_named_largest_first_and_zeros_not_at_all():
    table = pd.DataFrame(
        [
            row(0.3, 0.28, 0.32, outcome="instant_cancelled"),
            row(0.5, 0.48, 0.52, outcome="blocked"),
            row(0.15, 0.13, 0.17, outcome="rejected_by_seller"),
            row(0.05, 0.04, 0.06, outcome="pending"),
            row(0.0, 0.0, 0.01, outcome="preempted", events=0),
        ]
    )
    assert say_outcome_shares(table) == (
        "Of 1,000 requests, 50% (48% to 52%) were blocked at once, 30% (28% to 32%) were cancelled "
        "at once and 15% (13% to 17%) were refused by the seller. Less often: undecided."
    )


def test_the_commonest_end_of_a_group_leads_only_if_it_does():
    table = pd.DataFrame(
        [
            row(0.5, 0.48, 0.52, method="card", outcome="blocked"),
            row(0.2, 0.18, 0.22, method="card", outcome="pending"),
            row(0.5, 0.4, 0.6, method="wallet", outcome="blocked"),
            row(0.45, 0.35, 0.55, method="wallet", outcome="pending"),
        ]
    )
    assert say_outcome_shares(table) == (
        "By method, the commonest end: for card, blocked at once, 50% (48% to 52%, n = 1,000); "
        "for wallet, blocked at once, 50% (40% to 60%, n = 1,000), without a clear lead over "
        "undecided, 45% (35% to 55%)."
    )


def test_order_ends():
    table = pd.DataFrame([row(0.9, 0.88, 0.92, 20, end_code="completed")])
    assert say_order_end_shares(table) == "Of only 20 orders, 90% (88% to 92%) were completed."


def test_blockers():
    table = pd.DataFrame(
        [
            row(0.18, 0.16, 0.2, blocker="already_shipped", stage="at_submit"),
            row(0.05, 0.04, 0.06, blocker="seller_rejected", stage="decided_later"),
        ]
    )
    assert say_blocker_shares(table) == (
        "Of all requests, 18% (16% to 20%, n = 1,000) were stopped first by the rule: already "
        "shipped. Next comes seller refused, 5.0% (4.0% to 6.0%)."
    )
    close = table.assign(estimate=[0.18, 0.17], ci_low=0.15, ci_high=0.2)
    assert first_sentence(say_blocker_shares(close)) == (
        "Of all requests, 18% (15% to 20%, n = 1,000) were stopped first by the rule: already "
        "shipped, without a clear lead over seller refused, 17% (15% to 20%)."
    )
    third = pd.DataFrame([row(0.01, 0.0, 0.02, blocker="policy_window_over", stage="at_submit")])
    text = say_blocker_shares(pd.concat([close, third]))
    assert "17% (15% to 20%). Next comes " in text and text.count("lead") == 1


ASKING = "Asking under 1 hour after payment worked clearly"


@pytest.mark.parametrize(
    ("last", "verdict"),
    [
        ((0.2, 0.1, 0.3), f"{ASKING} more often than asking after 4 to 7 days."),
        ((0.99, 0.98, 0.995), f"{ASKING} less often than asking after 4 to 7 days."),
        (
            (0.85, 0.7, 0.92),
            "Between these two there is no clear difference: the intervals overlap.",
        ),
    ],
)
def test_the_ages_that_are_compared_are_named(last, verdict):
    ages = pd.DataFrame(
        [
            row(1.0, 0.99, 1.0, order_age="before payment"),
            row(0.9, 0.88, 0.95, order_age="under 1 hour"),
            row(*last, order_age="4 to 7 days"),
            row(0.0, 0.0, 0.9, 3, order_age="7 days or more"),
        ]
    )
    text = say_success_by_order_age(ages)
    assert f"{verdict} Those made later are too few to say." in text
    assert "4 to 7 days after payment" in text
    enough = ages.assign(n=1000)
    assert "too few" not in say_success_by_order_age(enough)


def test_ages_with_too_few_requests_are_not_passed_over_in_silence():
    rows = [
        row(0.1, 0.0, 0.4, 9, order_age="under 1 hour"),
        row(0.7, 0.6, 0.8, order_age="1 to 2 days"),
        row(0.2, 0.1, 0.9, 4, order_age="2 to 4 days"),
    ]
    assert say_success_by_order_age(pd.DataFrame(rows)) == (
        "Of requests made 1 to 2 days after payment, 70% (60% to 80%, n = 1,000) worked. Those "
        "made earlier and later are too few to say."
    )
    rows = [{"method": "card", **one} for one in (*rows, row(0.1, 0, 0.2, order_age="4 to 7 days"))]
    assert say_success_by_order_age(pd.DataFrame(rows)) == (
        "For card, 70% (60% to 80%, n = 1,000) worked when asked 1 to 2 days after payment "
        "and 10% (0% to 20%, n = 1,000) 4 to 7 days after payment, clearly fewer; those made "
        "earlier are too few to say."
    )


@pytest.mark.parametrize(
    ("middle", "is_named"),
    [((0.97, 0.96, 0.98), True), ((0.93, 0.91, 0.96), False), ((0.3, 0.2, 0.4), False)],
)
def test_the_best_age_is_named_where_it_is_neither_early_nor_late(middle, is_named):
    ages = pd.DataFrame(
        [
            row(0.9, 0.88, 0.95, order_age="under 1 hour"),
            row(*middle, order_age="1 to 2 days"),
            row(0.2, 0.1, 0.3, order_age="4 to 7 days"),
        ]
    )
    best = "It worked most often 1 to 2 days after payment: 97% (96% to 98%, n = 1,000)."
    assert (best in say_success_by_order_age(ages)) == is_named
    assert ("It worked most often" in say_success_by_order_age(ages)) == is_named


def test_the_largest_loss_in_the_dialogue():
    text = say_cancel_flow_funnel(samples.overall("cancel_flow_funnel"))
    assert text.startswith("Of 1,200 sessions that set out to cancel, ")
    loss = "The largest loss within the dialogue: of those who opened the order, 80% (78% to 83%)"
    assert f"{loss} found Cancel Order." in text


def test_sellers_stand_out_only_if_their_intervals_do():
    apart = samples.sellers.seller_scorecard(3).assign(
        estimate=[0.5, 0.8, 0.6], ci_low=[0.4, 0.7, 0.5], ci_high=[0.6, 0.9, 0.7], n=[200, 90, 50]
    )
    assert say_seller_scorecard(apart).startswith(
        "Success differs clearly between sellers: from 50% (40% to 60%, n = 200) with seller 7 to "
        "80% (70% to 90%, n = 90) with seller 14."
    )
    alike = apart.assign(ci_low=0.3, ci_high=0.95)
    assert say_seller_scorecard(alike).startswith("No seller stands out clearly: ")
    few = apart.assign(n=[200, 9, 8])
    assert (
        "2 of 3 sellers have fewer than 30 requests; their rates are drawn"
        in say_seller_scorecard(few)
    )
    young = apart.assign(n=[200, 9, 0])
    assert (
        "2 of 3 sellers have fewer than 30 requests (1 has none old enough to count); their rates"
        in say_seller_scorecard(young)
    )


def test_familiar_numbers_that_are_too_high():
    assert say_naive_versus_right(samples.naive.naive_versus_right().iloc[[3]]).endswith(
        "The familiar number is 38 percentage points too high. Counts only refunds that have "
        "arrived."
    )


def test_the_size_of_the_mistake_and_why():
    table = samples.naive.naive_versus_right().iloc[[0, 1]]
    assert say_naive_versus_right(table) == (
        "How often cancelling works: usually computed as 4.8%, it is 61% (58% to 64%, n = 1,164). "
        "The familiar number is 56 percentage points too low. Divides by orders. "
        "Requests that work, counting those decided so far: usually computed as 63%, it is 61% "
        "(58% to 64%, n = 1,164). Here the familiar number lies within the interval of the right "
        "one."
    )


def test_familiar_numbers_that_differ_from_the_right_ones_do_not_read_alike():
    one = samples.naive.naive_versus_right().iloc[[1]]
    near = one.assign(naive=0.575, estimate=0.567, ci_low=0.494, ci_high=0.636, difference=0.008)
    assert "computed as 57.5%, it is 56.7% (49.4% to 63.6%" in say_naive_versus_right(near)
    beyond = one.assign(naive=0.923, estimate=0.682, ci_low=0.404, ci_high=0.92, difference=0.24)
    assert "computed as 92.3%, it is 68.2% (40.4% to 92.0%" in say_naive_versus_right(beyond)


def test_the_spread_of_a_funnel_says_what_is_removed_and_that_it_has_no_limits():
    funnel = samples.overall("seller_funnel").assign(sd_between=0.054)
    assert say_seller_funnel(funnel).endswith(
        "With luck and the mix of requests removed, sellers commonly scatter by 5.4 percentage "
        "points around what is expected; this number has no limits."
    )
