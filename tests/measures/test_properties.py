"""What holds on any data: limits around estimates, shares of a whole, curves that only rise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.measures.random_rows import AS_OF, random_market
from tests.measures.specs import SPECS

from analysis.contract import TABLES, codes
from analysis.measures import (
    MEASURES,
    blocker_shares,
    cancel_flow_funnel,
    cancellation_success_rate,
    order_end_shares,
    outcome_curve,
    outcome_shares,
    refund_curve,
    refund_mean,
    refund_quantiles,
    refund_sla,
    request_rate,
    response_curve,
    seller_scorecard,
    success_by_order_age,
    window_curve,
)
from analysis.sources import open_tables

few = settings(max_examples=3, deadline=None, derandomize=True, database=None)
seeds = st.integers(0, 10_000)
sizes = st.integers(1, 60)
COUNTS = ["n_at_risk", "n_events", "n_censored", "n"]
QUICK = [
    (cancellation_success_rate, {"by": ["size_tier"], "horizon_hours": 200}),
    (order_end_shares, {"by": ["is_cancellable_goods"]}),
    (refund_quantiles, {"by": ["method"], "clock": "business"}),
]

SHARES = [name for name, spec in SPECS.items() if spec.bounds == (0, 1)]


def opened_market(seed, n_orders, **options):
    return open_tables(random_market(seed, n_orders, **options), as_of=AS_OF)


def assert_limits(table, lowest, highest):
    """Limits on both sides of each estimate, and all of them within bounds."""
    low, estimate, high = (table[c].to_numpy() for c in ("ci_low", "estimate", "ci_high"))
    known = np.isfinite(estimate)
    lows, highs = known & ~np.isnan(low), known & ~np.isnan(high)
    assert (low[lows] <= estimate[lows] + 1e-12).all()
    assert (estimate[highs] <= high[highs] + 1e-12).all()
    assert (low[lows] >= lowest).all()
    assert (high[highs] <= highest).all()
    assert ((estimate[known] >= lowest) & (estimate[known] <= highest)).all()
    return ~np.isnan(low), ~np.isnan(high)


@few
@given(seed=seeds, n_orders=sizes, weighted=st.booleans())
def test_every_share_lies_between_its_limits_and_those_between_0_and_1(seed, n_orders, weighted):
    opened = opened_market(seed, n_orders, weighted=weighted)
    for name in SHARES:
        table = MEASURES[name](opened, **SPECS[name].given)
        for limited in assert_limits(table, 0, 1):
            assert (limited == table.estimate.notna()).all()  # both limits or nothing


@few
@given(seed=seeds, n_orders=sizes)
def test_days_lie_between_their_limits_and_shares_take_longer_the_larger_they_are(seed, n_orders):
    opened = opened_market(seed, n_orders)
    assert_limits(refund_mean(opened, horizon_days=10), 0, 10)
    table = refund_quantiles(opened, probabilities=(0.2, 0.5, 0.8))
    assert_limits(table, 0, np.inf)
    assert (np.diff(table.estimate.dropna()) >= 0).all()
    assert table.estimate.isna().is_monotonic_increasing


@few
@given(seed=seeds, n_orders=sizes)
def test_outcomes_and_ends_are_parts_of_one_whole(seed, n_orders):
    opened = opened_market(seed, n_orders, weighted=True)
    options = {"horizon_hours": 50, "by": ["order_state"]}
    shares = outcome_shares(opened, **options).groupby("order_state")
    worked = cancellation_success_rate(opened, **options).set_index("order_state")
    stopped = blocker_shares(opened, **options).groupby("order_state").n_events.sum()
    for state, row in worked.iterrows():
        outcomes = shares.get_group(state)
        assert outcomes.n_events.sum() == row.n
        assert row.n == 0 or outcomes.estimate.sum() == pytest.approx(1, abs=1e-12)
        success = outcomes.outcome.isin(codes.SUCCESS)
        assert outcomes[success].n_events.sum() == row.n_events
        assert row.n_events + stopped.get(state, 0) <= row.n
    ends = order_end_shares(opened)
    assert ends.empty or ends.n_events.sum() == ends.n[0]
    ages = success_by_order_age(opened, horizon_hours=50)
    assert ages.n_events.sum() == worked.n_events.sum()
    assert (ages.n.sum(), ages.n_pending.sum()) == (worked.n.sum(), worked.n_pending.sum())


@few
@given(seed=seeds, n_orders=sizes)
def test_curves_only_rise_and_their_counts_add_up(seed, n_orders):
    opened = opened_market(seed, n_orders)
    races = (outcome_curve(opened, horizon_hours=30), window_curve(opened, horizon_hours=30))
    for table in (*races, response_curve(opened, horizon_hours=30), refund_curve(opened)):
        time = "time_days" if "time_days" in table else "time_hours"
        for outcome, curve in table.groupby(table.get("outcome", pd.Series("-", table.index))):
            falls = outcome == "still_open"
            rises = np.diff(curve.estimate.dropna()) * (-1 if falls else 1)
            assert (rises >= -1e-12).all()
            assert curve.estimate.isna().is_monotonic_increasing  # once unknown, always unknown
            assert curve[time].is_monotonic_increasing
            assert curve.n_at_risk.is_monotonic_decreasing
            assert curve.n_events.is_monotonic_increasing
            assert curve.n_censored.is_monotonic_increasing
            assert (curve.n == curve.n.iloc[0]).all()
            assert (curve.n_events + curve.n_censored <= curve.n).all()
    for table in races:
        totals = table.groupby("time_hours").estimate.sum(min_count=1).dropna()
        assert (totals <= 1 + 1e-12).all()
    windows = races[1].groupby("time_hours").estimate.sum(min_count=1).dropna()
    np.testing.assert_allclose(windows, 1, atol=1e-12)


@few
@given(seed=seeds, n_orders=sizes)
def test_promises_funnels_and_scorecards_add_up(seed, n_orders):
    opened = opened_market(seed, n_orders)
    promised = refund_sla(opened)
    assert (promised.n == promised.n_events + promised.n_censored + promised.n_late).all()
    assert (promised[["n_events", "n_censored", "n_late"]] >= 0).all(axis=None)
    funnel = cancel_flow_funnel(opened)
    assert funnel.n_events.is_monotonic_decreasing  # no walk here skips a step
    assert funnel.of_previous.dropna().between(0, 1).all()
    card = seller_scorecard(opened, horizon_hours=100)
    overall = cancellation_success_rate(opened, horizon_hours=100, by="seller_id")
    named = overall[overall.seller_id.notna()].sort_values("seller_id")
    counts = ["n", "n_events", "n_pending"]
    own = card.sort_values("seller_id")
    np.testing.assert_array_equal(own[counts], named[counts])
    known = own[own.n > 0]
    least, most = _prior_means(own)  # drawn towards all sellers, not past them
    assert (known.estimate >= np.minimum(known.raw_rate, least) - 1e-9).all()
    assert (known.estimate <= np.maximum(known.raw_rate, most) + 1e-9).all()
    assert own["rank"].sum() == pytest.approx(len(own) * (len(own) + 1) / 2, rel=1e-3)
    assert (own.rank_low <= own.rank_high).all()


def _prior_means(card):
    from analysis.stats import plausible_priors

    prior = plausible_priors(card.n_events, card.n)
    means = prior.alpha / (prior.alpha + prior.beta)
    return means.min(), means.max()


@few
@given(seed=seeds, n_orders=sizes, data=st.data())
def test_the_order_and_the_pieces_of_the_rows_change_nothing(seed, n_orders, data):
    frames = random_market(seed, n_orders, weighted=True)
    pieces = {}
    for name, frame in frames.items():
        order = np.random.default_rng(seed).permutation(frame.num_rows)
        size = data.draw(st.integers(1, 50), label=f"rows of {name} in a piece")
        shuffled = frame.take(pa.array(order))
        parts = [shuffled.slice(i, size) for i in range(0, frame.num_rows, size)]
        pieces[name] = pa.concat_tables(parts) if parts else frame
    whole, broken = open_tables(frames, as_of=AS_OF), open_tables(pieces, as_of=AS_OF)
    for measure, options in QUICK:
        pd.testing.assert_frame_equal(
            measure(broken, **options), measure(whole, **options), rtol=1e-12, atol=1e-12
        )


def renamed(frames, *, ids=0, category=None, weeks=0):
    """Return the same rows under other ids, of another category, or some weeks later."""
    made = {}
    for name, frame in frames.items():
        for column in TABLES[name].columns:
            if column.name not in frame.column_names:
                continue
            values = frame[column.name].to_pandas()
            if column.kind == "id":
                values = values.astype("Int64") + ids
            if column.kind == "time":
                values = values + pd.Timedelta(weeks=weeks)
            if column.name == "category" and category:
                values = values.where(values.isna(), category)
            array = pa.array(values, frame.schema.field(column.name).type, from_pandas=True)
            position = frame.column_names.index(column.name)
            frame = frame.set_column(position, column.name, array)
        made[name] = frame
    return made


def together(*markets):
    return {name: pa.concat_tables([market[name] for market in markets]) for name in markets[0]}


@few
@given(seed=seeds, n_orders=sizes)
def test_another_group_beside_them_leaves_groups_as_they_are(seed, n_orders):
    frames = random_market(seed, n_orders, weighted=True)
    other = renamed(random_market(seed + 1, 30, weighted=True), ids=10_000, category="others")
    alone = open_tables(frames, as_of=AS_OF)
    beside = open_tables(together(frames, other), as_of=AS_OF)
    for measure in (cancellation_success_rate, request_rate, refund_mean, response_curve):
        table = measure(beside, by=["category"])
        table = table[table.category != "others"].reset_index(drop=True)
        pd.testing.assert_frame_equal(measure(alone, by=["category"]), table, check_exact=True)


@few
@given(seed=seeds, n_orders=sizes)
def test_a_market_twice_as_large_has_the_same_shares_and_tighter_limits(seed, n_orders):
    frames = random_market(seed, n_orders)
    once = open_tables(frames, as_of=AS_OF)
    twice = open_tables(together(frames, renamed(frames, ids=10_000)), as_of=AS_OF)
    for measure, options in QUICK:
        small, large = measure(once, **options), measure(twice, **options)
        np.testing.assert_allclose(large.estimate, small.estimate, rtol=1e-12, atol=1e-12)
        for column in (c for c in [*COUNTS, "n_pending"] if c in small):
            np.testing.assert_array_equal(large[column], 2 * small[column])
    small, large = (
        cancellation_success_rate(market, horizon_hours=100) for market in (once, twice)
    )
    width = (small.ci_high - small.ci_low)[0]
    assert not (large.ci_high - large.ci_low)[0] > width + 1e-12


@few
@given(seed=seeds, n_orders=sizes, weeks=st.integers(-500, 500))
def test_the_same_weeks_later_or_under_other_names_is_the_same(seed, n_orders, weeks):
    frames = random_market(seed, n_orders)
    later = renamed(frames, ids=77_000, weeks=weeks)
    now = open_tables(frames, as_of=AS_OF)
    then = open_tables(later, as_of=AS_OF + pd.Timedelta(weeks=weeks))
    for measure, options in [*QUICK, (outcome_curve, {"horizon_hours": 20})]:
        pd.testing.assert_frame_equal(measure(then, **options), measure(now, **options))


@few
@given(seed=seeds, n_orders=sizes)
def test_more_confidence_is_a_wider_interval_around_the_same_estimate(seed, n_orders):
    opened = opened_market(seed, n_orders)
    for measure, options in QUICK:
        narrow, wide = (measure(opened, level=level, **options) for level in (0.6, 0.99))
        pd.testing.assert_series_equal(narrow.estimate, wide.estimate)
        assert not (wide.ci_low > narrow.ci_low + 1e-12).any()
        assert not (wide.ci_high < narrow.ci_high - 1e-12).any()
