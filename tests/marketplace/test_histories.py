"""Every history is legal, under the default rules and under others, in plain pandas.

``check`` counts broken rules of the contract; the rest is written here without the generator.
"""

from __future__ import annotations

import pandas as pd
import pytest
from tests.marketplace.worlds import ODD_WORLD, OTHER_POLICIES, Frames, frames

from analysis.contract import codes
from analysis.marketplace import load_policy, load_world, make_market
from analysis.sources import check, open_tables

HOUR = pd.Timedelta(hours=1)
DAY = pd.Timedelta(days=1)
END_OF_WINDOW = "2025-12-01"
SUCCESS = list(codes.SUCCESS)


@pytest.fixture(
    scope="module",
    params=[(name, "aliexpress") for name in OTHER_POLICIES] + [("aliexpress", "odd")],
    ids=lambda param: " / ".join(param),
)
def setting(request):
    policy, world = OTHER_POLICIES[request.param[0]], request.param[1]
    world = ODD_WORLD if world == "odd" else load_world(world)
    return policy, make_market(25_000, policy=policy, world=world)


@pytest.fixture(scope="module")
def policy(setting):
    return setting[0]


@pytest.fixture(scope="module")
def made(setting) -> Frames:
    return frames(setting[1])


@pytest.fixture(scope="module")
def asked(made) -> pd.DataFrame:
    """Requests with their orders."""
    return made["requests"].merge(made["orders"], on="order_id")


def test_no_rule_of_the_contract_is_broken(setting):
    found = check(open_tables(setting[1], as_of=END_OF_WINDOW))
    assert len(found) > 80
    assert found[found.n_broken > 0].empty, found[found.n_broken > 0].to_string()


def test_an_order_goes_through_its_states_in_order(made):
    orders = made["orders"]
    prepaid = orders[orders.payment_method != "cash_on_delivery"]
    path = ["placed_at", "paid_at", "packed_at", "shipped_at", "delivered_at"]
    for earlier, later in zip(path, path[1:], strict=False):
        reached = prepaid[prepaid[later].notna()]
        assert reached[earlier].notna().all(), (earlier, later)
        assert (reached[earlier] <= reached[later]).all(), (earlier, later)
    for moment in path[2:]:
        assert not (orders[moment] > orders["ended_at"]).any(), moment


def test_an_end_fits_what_happened_before_it(made):
    orders = made["orders"].set_index("order_id")
    assert (orders.end_code.notna() == orders.ended_at.notna()).all()
    shipped = orders.shipped_at.notna()
    prepaid = orders.payment_method != "cash_on_delivery"
    for end in ("completed", "dispute_refunded", "lost"):
        assert shipped[orders.end_code == end].all(), end
    for end in ("cancelled_by_request", "cancelled_by_seller", "ship_timeout", "risk_rejected"):
        assert not shipped[orders.end_code == end].any(), end
    unpaid = orders.end_code == "unpaid_timeout"
    assert orders.paid_at[unpaid].isna().all()
    assert orders.paid_at[prepaid & orders.end_code.notna() & ~unpaid & shipped].notna().all()
    assert orders.delivered_at[orders.end_code == "lost"].isna().all()


def test_time_limits_of_the_rules_are_kept(made, policy):
    orders = made["orders"]
    unpaid = orders[orders.end_code == "unpaid_timeout"]
    assert (unpaid.ended_at - unpaid.placed_at == policy.unpaid_close_days * DAY).all()
    late = orders[orders.end_code == "ship_timeout"]
    over = (late.ended_at - late.ship_by_at) / DAY
    assert set(over.unique()) <= {0.0, policy.extension_days}
    assert policy.ship_timeout_cancels or late.empty
    prepaid = orders[orders.payment_method != "cash_on_delivery"]
    promised = prepaid.ship_by_at - prepaid.paid_at
    assert (promised.dropna() >= min(policy.ship_deadline_days) * DAY).all()
    assert policy.dispute.is_allowed or not (orders.end_code == "dispute_refunded").any()


def test_no_paid_order_is_still_unshipped_after_its_ship_deadline(made, policy):
    orders = made["orders"]
    latest = orders.ship_by_at + policy.extension_days * DAY
    settled = orders[["shipped_at", "ended_at"]].min(axis=1)
    late = (latest < pd.Timestamp(END_OF_WINDOW, tz="UTC")) & ~(settled <= latest)
    assert late.any() == (not policy.ship_timeout_cancels)


def test_an_open_request_does_not_stop_the_ship_deadline(mature_market):
    asked = mature_market["requests"].merge(mature_market["orders"], on="order_id")
    opened = asked[asked.order_state.isin(["awaiting_shipment", "packed"])]
    across = opened[(opened.requested_at < opened.ship_by_at)]
    across = across[across.decided_at >= across.ship_by_at]
    preempted = (across.outcome == "preempted") & (across.decided_at == across.ship_by_at)
    assert 0.6 < preempted.mean() < 0.9 and len(across) > 60  # a quarter was extended
    assert (across.end_code[preempted] == "ship_timeout").all()


def test_a_request_cancels_its_order_exactly_when_it_succeeds(made, asked):
    success = asked[asked.outcome.isin(SUCCESS)]
    by = {"buyer": "cancelled_by_request", "seller": "cancelled_by_seller"}
    assert (success.end_code == success.requested_by.map(by)).all()
    assert (success.ended_at == success.decided_at).all()
    assert success.order_id.is_unique
    orders = made["orders"]
    ended_so = orders[orders.end_code.isin(by.values())]
    assert set(ended_so.order_id) == set(success.order_id)


def test_the_state_a_buyer_saw_is_the_state_the_order_was_in(asked, policy):
    at, state = asked.requested_at, asked.order_state
    shipped, delivered = asked.shipped_at <= at, asked.delivered_at <= at
    prepaid = asked.payment_method != "cash_on_delivery"
    assert (shipped == state.isin(["shipped", "delivered", "completed", "disputed"])).mean() > 0.99
    assert (delivered[state == "delivered"]).all()
    assert shipped[state == "shipped"].all() and not delivered[state == "shipped"].any()
    unpaid = asked.paid_at.isna() | (asked.paid_at > at)
    assert (unpaid == (state == "awaiting_payment"))[prepaid].all()
    review = asked[state == "payment_review"]
    assert review.payment_method.isin(policy.review_methods).all()
    seller = asked.requested_by == "seller"  # a cancelling seller ends the order at that moment
    ended = asked.ended_at <= at
    assert (ended == state.isin(["completed", "cancelled"]))[
        ~seller & ~asked.outcome.isin(SUCCESS)
    ].all()


def test_a_blocker_at_submit_is_true_at_submit(made, asked, policy):
    every = made["blockers"].merge(asked, on="request_id", suffixes=("", "_first"))
    at = every.requested_at
    truths = {
        "already_shipped": every.shipped_at <= at,
        "delivered_or_completed": (every.delivered_at <= at) | (every.ended_at <= at),
        "already_cancelled": (every.ended_at <= at) & (every.end_code != "completed"),
        "payment_under_review": every.paid_at <= at,
        "non_cancellable_goods": every.is_cancellable_goods == False,  # noqa: E712
        "packed_or_label_created": (every.packed_at <= at) & policy.packed_blocks,
        "cancel_window_elapsed": at - every.paid_at > policy.cancel_window_hours * HOUR,
        "seller_rejected": every.decided_by == "seller",
        "shipped_during_request": every.shipped_at == every.decided_at,
        "seller_silent_not_cancelled": every.decided_by == "platform_timeout",
    }
    for blocker, true in truths.items():
        assert true[every.blocker == blocker].all(), blocker
    shipped = asked[(asked.shipped_at <= asked.requested_at) & (asked.outcome != "pending")]
    assert (shipped.outcome == "blocked").all() and len(shipped) > 100


def test_blockers_are_ranked_by_precedence_and_the_first_is_the_requests_own(made):
    blockers = made["blockers"].sort_values(["request_id", "rank"])
    place = blockers.blocker.map({word: i for i, word in enumerate(codes.BLOCKERS)})
    groups = blockers.assign(place=place).groupby("request_id")
    assert (groups["rank"].transform("size") >= blockers["rank"]).all()
    assert (groups.cumcount() + 1 == blockers["rank"]).all()
    assert (groups.place.diff().dropna() > 0).all()
    named = made["requests"].dropna(subset="blocker").set_index("request_id").blocker
    first = blockers[blockers["rank"] == 1].set_index("request_id").blocker
    assert named.sort_index().equals(first.sort_index())
    assert (blockers["rank"] >= 2).any()


def test_outcomes_are_those_the_rules_allow(asked, policy):
    buyers = asked[asked.requested_by == "buyer"]
    outcomes = set(buyers.outcome)
    assert ("auto_approved_timeout" in outcomes) == (policy.silence == "auto_approve")
    assert ("expired_not_cancelled" in outcomes) == (policy.silence == "not_cancelled")
    silent = buyers[buyers.outcome.isin(["auto_approved_timeout", "expired_not_cancelled"])]
    waited = silent.decided_at - silent.requested_at
    assert (waited == policy.answer_deadline_hours * HOUR).all()
    instant = buyers[buyers.outcome == "instant_cancelled"]
    assert (instant.decided_at == instant.requested_at).all()
    free = instant.requested_at - instant.paid_at <= policy.free_window_hours * HOUR
    free &= policy.free_window_hours > 0
    in_review = (instant.order_state == "payment_review") & policy.cancel_in_review
    assert (free | in_review | (instant.order_state == "awaiting_payment")).all()
    assert ("cancel_window_elapsed" in set(buyers.blocker)) == (policy.cancel_window_hours > 0)
    assert ("request_limit_reached" in set(buyers.blocker)) == (policy.max_requests > 0)


def test_only_one_request_of_an_order_is_open_at_a_time(asked):
    opened = asked[(asked.outcome != "blocked") & (asked.requested_by == "buyer")]
    opened = opened.sort_values(["order_id", "requested_at"])
    before = opened.groupby("order_id").decided_at.shift()
    assert not (before > opened.requested_at).any()
    again = asked[asked.blocker == "request_already_open"]
    assert (again.order_state == "cancel_pending").all() and len(again) > 5


def test_money_adds_up(made):
    orders = made["orders"].set_index("order_id")
    refunds = made["refunds"]
    back = refunds.groupby("order_id").amount_minor.sum()
    paid = orders.loc[back.index]
    assert (back <= paid.amount_minor).all()
    whole = paid.end_code.isin(["ship_timeout", "risk_rejected"]) & (paid.n_items == 1)
    assert (back == paid.amount_minor)[whole].all()
    assert 0.97 < (back == paid.amount_minor).mean() < 1
    assert refunds.groupby("order_id").size().max() == 2
    ends = {
        "cancelled_by_request",
        "cancelled_by_seller",
        "ship_timeout",
        "risk_rejected",
        "dispute_refunded",
        "lost",
    }
    due = orders[orders.end_code.isin(ends) & orders.paid_at.notna()]
    due = due[due.payment_method != "cash_on_delivery"]
    assert set(back.index) == set(due.index)
    assert (refunds.amount_minor > 0).all()


def test_a_refund_follows_its_decision_and_names_its_request(made):
    refunds = made["refunds"].merge(made["orders"], on="order_id", suffixes=("", "_order"))
    assert (refunds.started_at.dropna() >= refunds.ended_at[refunds.started_at.notna()]).all()
    caused = refunds.end_code.isin(["cancelled_by_request", "cancelled_by_seller"])
    assert (refunds.request_id.notna() == caused).all()
    decided = made["requests"].set_index("request_id").decided_at
    of_request = decided.loc[refunds.request_id[caused].astype("int64")]
    assert (of_request.to_numpy() == refunds.ended_at[caused].to_numpy()).all()
    assert not (refunds.credited_at.notna() & refunds.started_at.isna()).any()


def test_replacements_follow_a_cancellation_by_the_same_buyer_within_a_day(made, asked):
    orders = made["orders"]
    again = orders.dropna(subset="replaces_order_id")
    old = orders.set_index("order_id").loc[again.replaces_order_id.astype("int64")]
    assert (old.buyer_id.to_numpy() == again.buyer_id.to_numpy()).all()
    assert (old.end_code == "cancelled_by_request").all()
    wait = pd.Series(again.placed_at.to_numpy() - old.ended_at.to_numpy())
    assert wait.between(pd.Timedelta(0), DAY + HOUR).all() and len(again) > 100
    assert old.replaces_order_id.isna().all()


def test_every_request_of_a_buyer_is_the_submit_of_one_session(made):
    steps, requests = made["steps"], made["requests"]
    submits = steps[steps.step == "submit"].set_index(["order_id", "occurred_at"]).index
    asked = requests[requests.requested_by == "buyer"]
    wanted = asked.set_index(["order_id", "requested_at"]).index
    assert sorted(submits) == sorted(wanted)


def test_a_session_takes_its_steps_in_order_without_leaving_one_out(made):
    steps = made["steps"]
    place = steps.step.map({word: i for i, word in enumerate(codes.STEPS)})
    in_order = steps.assign(place=place).sort_values(["session_id", "place"])
    assert (in_order.groupby("session_id").cumcount() == in_order.place).all()
    gaps = in_order.groupby("session_id").occurred_at.diff().dropna()
    assert (gaps >= pd.Timedelta(0)).all()
    reached = in_order.groupby("session_id").place.max()
    assert set(reached) == set(range(len(codes.STEPS)))


def test_the_default_rules_and_world_are_the_presets():
    assert OTHER_POLICIES["aliexpress"] == load_policy("aliexpress")
    assert load_world("aliexpress") != ODD_WORLD
