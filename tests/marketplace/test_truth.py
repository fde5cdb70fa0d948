"""The truth beside the data is true: counted again from the mature market, in pandas."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from tests.marketplace.worlds import AFTER_ALL, frames

from analysis.contract import codes
from analysis.marketplace import load_policy, load_world, make_market, make_truth

HOUR, DAY = pd.Timedelta(hours=1), pd.Timedelta(days=1)
SEEN = pd.Timestamp("2025-12-01", tz="UTC")


@pytest.fixture(scope="module")
def values(truth) -> pd.DataFrame:
    """The estimands as a table."""
    return pd.DataFrame(truth["truth/estimands"]).fillna("")


def value_of(values: pd.DataFrame, name: str, **which: str) -> tuple[float, int]:
    rows = values[values.name == name]
    for column in ("outcome", "blocker", "hours", "days", "method", "end_code"):
        rows = rows[rows[column] == which.get(column, "")]
    (row,) = rows.itertuples()
    return row.value, row.n


@pytest.fixture(scope="module")
def asked(mature_market) -> pd.DataFrame:
    """Buyers' requests on record on 1 December, with what became of them."""
    requests = mature_market["requests"]
    requests = requests[(requests.requested_at <= SEEN) & (requests.requested_by == "buyer")]
    return requests.merge(mature_market["orders"], on="order_id")


def test_success_rate_and_outcome_shares(values, asked):
    in_time = asked.decided_at - asked.requested_at <= 720 * HOUR
    success = (in_time & asked.outcome.isin(codes.SUCCESS)).mean()
    assert value_of(values, "success_rate") == pytest.approx((success, len(asked)))
    shares = asked.outcome.where(in_time, "pending").value_counts(normalize=True)
    for word in codes.OUTCOMES:
        share, n = value_of(values, "outcome_share", outcome=word)
        assert (share, n) == (pytest.approx(shares.get(word, 0)), len(asked)), word
    blockers = asked.blocker.value_counts() / len(asked)
    for word in codes.BLOCKERS:
        share, _ = value_of(values, "blocker_share", blocker=word)
        assert share == pytest.approx(blockers.get(word, 0)), word


def test_request_rate_and_window(values, mature_market):
    orders = mature_market["orders"]
    paid = orders[orders.paid_at <= SEEN].set_index("order_id")
    requests = mature_market["requests"].query("requested_by == 'buyer'")
    wait = requests.requested_at - requests.order_id.map(paid.paid_at)
    within = requests[(wait >= pd.Timedelta(0)) & (wait <= 720 * HOUR)]
    rate = paid.index.isin(within.order_id).mean()
    assert value_of(values, "request_rate") == (pytest.approx(rate), len(paid))
    shut = paid[["shipped_at", "ended_at"]].min(axis=1)
    for hours in (1, 6, 24, 48):
        still = (shut > paid.paid_at + hours * HOUR).mean()
        share, _ = value_of(values, "window_open", hours=str(hours))
        assert share == pytest.approx(still), hours


def test_refund_estimands(values, mature_market):
    refunds = mature_market["refunds"].merge(mature_market["orders"], on="order_id")
    refunds = refunds[refunds.ended_at <= SEEN]
    days = (refunds.credited_at - refunds.ended_at) / DAY
    for method in ("", "card", "wallet", "paypal"):
        own = days[refunds.method == method] if method else days
        which = {"method": method} if method else {}
        for limit in (3, 5, 7, 10, 14, 20):
            share, n = value_of(values, "refund_credited", days=str(limit), **which)
            assert (share, n) == (pytest.approx((own <= limit).mean()), len(own))
        median, _ = value_of(values, "refund_median", **which)
        assert median == pytest.approx(own.median(), abs=0.01)  # bins of ten minutes
        mean, _ = value_of(values, "refund_mean", **which)
        assert mean == pytest.approx(own.clip(upper=30).mean())


def test_answers_by_a_product_limit_written_again(values, asked):
    opened = asked[asked.order_state.isin(["awaiting_shipment", "packed"])]
    opened = opened[~opened.outcome.isin(["blocked", "instant_cancelled"])]
    minutes = np.ceil((opened.decided_at - opened.requested_at) / pd.Timedelta(minutes=1))
    answered = opened.outcome.isin(codes.SELLER_ANSWERS)
    for hours in (6, 24):
        left = 1.0
        for minute in np.unique(minutes[answered & (minutes <= hours * 60)]):
            left *= 1 - (answered & (minutes == minute)).sum() / (minutes >= minute).sum()
        share, n = value_of(values, "answered", hours=str(hours))
        assert (share, n) == (pytest.approx(1 - left), len(opened))


def test_every_estimand_has_a_definition_a_unit_and_an_n(values):
    assert (values.definition.str.len() > 20).all()
    assert set(values.unit) == {"share", "days"}
    shares = values[(values.unit == "share") & (values.n > 0)].value.astype(float)
    assert shares.between(0, 1).all() and len(values) > 100


def test_truth_is_about_the_rows_on_record(market, truth):
    for name, key in (("requests", "request_id"), ("refunds", "refund_id")):
        assert market[name][key].tolist() == truth[f"truth/{name}"][key].tolist()
    assert market["sellers"].seller_id.tolist() == truth["truth/sellers"].seller_id.tolist()
    assert market["orders"].buyer_id.isin(truth["truth/buyers"].buyer_id).all()


def test_what_is_known_at_as_of_agrees_with_what_came_of_it(market, truth):
    both = market["requests"].merge(truth["truth/requests"], on="request_id")
    decided = both[both.outcome != "pending"]
    assert (decided.outcome == decided.eventual_outcome).all()
    assert (decided.decided_at == decided.eventual_decided_at).all()
    assert (both.eventual_decided_at[both.outcome == "pending"] > SEEN).all()
    refunds = market["refunds"].merge(truth["truth/refunds"], on="refund_id")
    open_ = refunds.credited_at.isna()
    assert (refunds.credited_at[~open_] == refunds.eventual_credited_at[~open_]).all()
    assert (refunds.eventual_credited_at[open_] > SEEN).all() and open_.sum() > 50


WORLD = load_world("aliexpress")
HASTY = dataclasses.replace(  # sellers who ship over requests
    WORLD, sellers=dataclasses.replace(WORLD.sellers, answer_shares=(0.1, 0.1, 0.7, 0.1))
)
SETTINGS = {
    "default": ({}, WORLD),
    "short": ({"answer_deadline_hours": 6.0}, WORLD),
    "not cancelled": ({"silence": "not_cancelled"}, WORLD),
    "waits": ({"silence": "waits", "review_hours": 0.0}, WORLD),
    "hasty sellers": ({"answer_deadline_hours": 12.0}, HASTY),
}


@pytest.mark.parametrize(("change", "world"), SETTINGS.values(), ids=SETTINGS)
def test_likely_requests_succeed_as_often_as_said(change, world):
    policy = dataclasses.replace(load_policy("aliexpress"), **change)
    made = make_truth(120_000, policy=policy, world=world, as_of=AFTER_ALL)
    requests = frames(made)["truth/requests"]
    opened = requests[requests.p_approve.notna()]
    success = opened.eventual_outcome.isin(codes.SUCCESS)
    tenth = pd.qcut(opened.p_success, 10, duplicates="drop")
    said = opened.p_success.groupby(tenth, observed=True).mean()
    was = success.groupby(tenth, observed=True).agg(["mean", "size"])
    error = np.sqrt(said * (1 - said) / was["size"]).clip(lower=1e-3)
    assert (abs(was["mean"] - said) < 4 * error).all()
    assert said.iloc[-1] - said.iloc[0] > 0.2  # it does tell requests apart
    others = requests[requests.p_approve.isna()]
    assert others.p_success.isin([0, 1]).all()
    assert (others.p_success == others.eventual_outcome.isin(codes.SUCCESS)).all()


def test_answers_are_as_likely_as_said(truth):
    requests = truth["truth/requests"]
    opened = requests[requests.p_approve.notna()]
    parts = opened[["p_approve", "p_reject", "p_ship_over", "p_silent"]].sum(axis=1)
    assert parts.to_numpy() == pytest.approx(np.ones(len(opened)), abs=1e-5)
    refused = (opened.eventual_outcome == "rejected_by_seller").mean()
    assert 0.6 < refused / opened.p_reject.mean() <= 1.05  # some come too late to count


def test_sellers_refuse_more_when_blamed_and_once_packed(market, truth):
    both = market["requests"].merge(truth["truth/requests"], on="request_id")
    opened = both[both.p_approve.notna()]
    odds = opened.p_reject / (1 - opened.p_reject)
    blamed = opened.reason.isin(["too_slow", "seller_unresponsive", "out_of_stock"])
    packed = opened.order_state == "packed"
    calm = odds[~blamed & ~packed].mean()
    assert 1.4 < odds[blamed & ~packed].mean() / calm < 2.6  # exp(.6) = 1.8
    assert 2.0 < odds[packed & ~blamed].mean() / calm < 3.8  # exp(1) = 2.7


def test_where_silence_waits_silent_sellers_ship():
    policy = dataclasses.replace(load_policy("aliexpress"), silence="waits")
    requests = frames(make_truth(60_000, policy=policy, as_of=AFTER_ALL))["truth/requests"]
    opened = requests[requests.p_approve.notna()]
    shipped = (opened.eventual_outcome == "superseded_by_shipment").mean()
    assert shipped / (opened.p_silent + opened.p_ship_over).mean() > 0.75  # others end before


def test_sellers_truth_is_the_mean_over_their_requests(market, truth):
    both = truth["truth/requests"].merge(market["requests"], on="request_id")
    both = both[both.requested_by == "buyer"].merge(market["orders"], on="order_id")
    mean = both.groupby("seller_id").p_success.agg(["mean", "size"])
    sellers = truth["truth/sellers"].set_index("seller_id").loc[mean.index]
    assert sellers.n_requests.tolist() == mean["size"].tolist()
    assert sellers.p_success.to_numpy() == pytest.approx(mean["mean"].to_numpy(), abs=1e-5)
    assert sellers.n_eventual_successes.sum() == both.eventual_outcome.isin(codes.SUCCESS).sum()


def test_blame_is_hidden_in_the_declared_reason_and_nothing_else_is(market, truth):
    both = market["requests"].merge(truth["truth/requests"], on="request_id")
    buyers = both[both.requested_by == "buyer"]
    hidden = buyers.reason != buyers.true_reason
    blaming = buyers.true_reason.isin(["too_slow", "seller_unresponsive", "out_of_stock"])
    assert (buyers.reason[hidden] == "changed_mind").all()
    assert not hidden[~blaming].any()
    assert 0.35 < hidden[blaming].mean() < 0.45


def test_readier_buyers_ask_more(market, truth):
    paid = market["orders"][market["orders"].paid_at.notna()]
    asks = paid.order_id.isin(market["requests"].query("requested_by == 'buyer'").order_id)
    odds = paid.buyer_id.map(truth["truth/buyers"].set_index("buyer_id").ask_odds)
    by = asks.groupby(odds).mean()
    ratio = (by.iloc[-1] / (1 - by.iloc[-1])) / (by.iloc[1] / (1 - by.iloc[1]))
    assert by.is_monotonic_increasing
    assert 3.5 < ratio < 5.5  # exp(1.5) = 4.48, thinned a little by those who are too late


def test_the_market_itself_does_not_tell_the_truth():
    assert not {name for name in make_market(100) if name.startswith("truth")}
