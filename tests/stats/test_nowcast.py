"""Control limits, nowcasts and two-way clusters: by hand, and on laws with a known truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.stats import (
    Chance,
    SquareSums,
    aalen_johansen,
    chance_when_open,
    control_limits,
    nowcast,
    ratio_interval,
    two_way_interval,
)

seeds = st.integers(0, 10_000)
some = settings(max_examples=30)


# control limits


@some
@given(seeds)
def test_control_limits_equal_laneys_formula(seed):
    random = np.random.default_rng(seed)
    n = random.integers(20, 200, 12)
    k = random.binomial(n, random.beta(20, 20, 12))
    found = control_limits(np.zeros(12, int), k, n)
    p = k.sum() / n.sum()
    sigma = np.sqrt(p * (1 - p) / n)
    z = (k / n - p) / sigma
    scatter = max(np.abs(np.diff(z)).mean() / 1.128379167095513, 1)
    assert found.centre == pytest.approx(p)
    assert found.scatter[0] == pytest.approx(scatter)
    np.testing.assert_allclose(found.low, np.maximum(p - 3 * sigma * scatter, 0))
    np.testing.assert_allclose(found.high, np.minimum(p + 3 * sigma * scatter, 1))


def test_groups_have_their_own_chart_and_periods_without_units_none():
    group, k, n = (
        np.array([0, 1, 0, 1, 0]),
        np.array([5, 90, 5, 80, 0]),
        np.array([10, 100, 10, 100, 0]),
    )
    found = control_limits(group, k, n)
    np.testing.assert_allclose(found.centre, [0.5, 0.85, 0.5, 0.85, np.nan])
    alone = control_limits(np.zeros(2, int), k[group == 1], n[group == 1])
    np.testing.assert_allclose(found.low[group == 1], alone.low)
    assert np.isnan(control_limits(np.zeros(1, int), [3], [5]).low).all()
    with pytest.raises(ValueError, match="sigmas must be more than 0, got 0"):
        control_limits(group, k, n, sigmas=0)


def test_an_overdispersed_series_makes_few_false_alarms():
    random = np.random.default_rng(8)
    n = np.full((400, 25), 2000)
    k = random.binomial(n, random.beta(60, 60, n.shape))
    group = np.indices(n.shape)[0].ravel()
    found = control_limits(group, k.ravel(), n.ravel())
    share = (k / n).ravel()
    assert ((share < found.low) | (share > found.high)).mean() < 0.01
    plain = 3 * np.sqrt(0.25 / 2000)
    assert (np.abs(share - 0.5) > plain).mean() > 0.3  # what limits of independent units would do


# nowcasts


def test_the_chance_of_an_open_spell_follows_from_those_that_were_open_too():
    time = np.array([1, 2, 2, 4, 6])
    events = np.array([[3, 0], [1, 1], [0, 0], [2, 0], [0, 2]])
    curve = aalen_johansen(np.zeros(5, int), time, events, np.array([0, 0, 1, 0, 0]))
    found = chance_when_open(curve, np.zeros(4, int), np.array([0, 1, 2, 5]), horizon=10)
    # at 2 four of seven are left, one of them censored: of those open, 2 of 4 succeed at 4
    after_2, after_1 = 2 / 4, 1 / 7 + 5 / 7 * 2 / 4
    expected = [3 / 10 + 7 / 10 * after_1, after_1, after_2, 0]
    np.testing.assert_allclose(found.chance, expected)
    assert found.n_at_risk.tolist() == [10, 7, 4, 2]
    late = chance_when_open(curve, np.zeros(1, int), np.array([2]), horizon=3)
    assert late.chance.tolist() == [0]
    assert np.isnan(chance_when_open(curve, np.zeros(1, int), [6], horizon=10).chance).all()


def test_a_curve_that_does_not_reach_the_horizon_says_nothing():
    curve = aalen_johansen(np.zeros(2, int), np.array([1, 3]), np.array([[1], [0]]), [0, 4])
    assert np.isnan(chance_when_open(curve, np.zeros(1, int), [2], horizon=5).chance).all()
    assert chance_when_open(curve, np.zeros(1, int), [0], horizon=3).chance == pytest.approx(0.2)


@some
@given(seeds, st.floats(1, 3))
def test_a_nowcast_lies_between_all_and_none_of_the_open_succeeding(seed, scatter):
    random = np.random.default_rng(seed)
    group, n = np.repeat(np.arange(4), 5), random.integers(0, 4, 20)
    chance = Chance(random.random(20), random.integers(1, 50, 20).astype(float))
    left, k = np.bincount(group, n), random.integers(0, 5, 4)
    total = k + left + random.integers(1, 5, 4)
    found = nowcast(group, n, chance, k=k, n_total=total, scatter=scatter)
    expected = (k + np.bincount(group, n * chance.chance)) / total
    np.testing.assert_allclose(found.estimate, expected)
    assert (k / total - 1e-12 <= found.low).all() and (found.low <= found.estimate).all()
    assert (found.estimate <= found.high).all()
    assert (found.high <= (k + left) / total + 1e-12).all()
    calm = nowcast(group, n, chance, k=k, n_total=total)
    assert (found.high >= calm.high - 1e-12).all()


def test_with_nothing_open_a_nowcast_is_what_happened():
    none = Chance(np.zeros(0), np.zeros(0))
    found = nowcast(np.zeros(0, int), np.zeros(0), none, k=[3, 0], n_total=[4, 0])
    assert [float(x[0]) for x in found] == [0.75] * 3
    assert np.isnan([x[1] for x in found]).all()


def test_binomial_limits_are_quantiles_of_the_binomial():
    from scipy.stats import binom

    chance = Chance(np.array([0.3]), np.array([np.inf]))
    for size in (1, 7, 60):
        found = nowcast(np.zeros(1, int), [size], chance, k=[0], n_total=[size])
        expected = binom.ppf([0.025, 0.975], size, 0.3) / size
        np.testing.assert_allclose([found.low[0], found.high[0]], expected)


@pytest.mark.parametrize(("seen", "chance"), [(5, 0.8), (20, 0.9)])
def test_a_few_older_ones_that_all_ended_alike_make_nothing_certain(seen, chance):
    random, cohort = np.random.default_rng(3), np.zeros(1, int)
    held = []
    for _ in range(200):
        worked = random.binomial(seen, chance)
        ends = [[worked, 0], [0, seen - worked]]
        curve = aalen_johansen([0, 0], [5, 6], ends, [0, 0])
        found = nowcast(
            cohort,
            np.array([20]),
            chance_when_open(curve, cohort, np.array([2.0]), horizon=10),
            k=[0],
            n_total=[20],
        )
        assert found.low[0] < found.high[0]
        assert found.estimate[0] == pytest.approx(worked / seen)
        true = random.binomial(20, chance) / 20
        held.append(found.low[0] - 1e-9 <= true <= found.high[0] + 1e-9)
    assert np.mean(held) >= 0.92


@pytest.mark.parametrize("variable", [False, True])
def test_nowcasts_hold_what_becomes_of_cohorts(variable):
    """Cohorts of 120; those of the last days are open in part, as later ones in a marketplace."""
    random, held = np.random.default_rng(11), []
    for _ in range(60):
        chance = np.repeat(random.beta(90, 60, 40) if variable else np.full(40, 0.6), 120)
        day = np.repeat(np.arange(40), 120)
        success = random.random(day.size) < chance
        took = np.ceil(random.gamma(2.0, np.where(success, 1.0, 2.0)) * 24)  # hours
        age = (40 - day) * 24
        seen = took <= age
        time = np.where(seen, took, age)
        events = np.stack([seen & success, seen & ~success], axis=1).astype(int)
        curve = aalen_johansen(np.zeros(day.size, int), time, events, (~seen).astype(int))
        still = np.flatnonzero(~seen)
        chances = chance_when_open(curve, np.zeros(still.size, int), age[still], horizon=700)
        k, n = np.bincount(day, seen & success), np.bincount(day)
        young = np.bincount(day, ~seen) > 0
        chart = control_limits(np.zeros(40, int), k, n, usual=~young)
        found = nowcast(
            day[still], np.ones(still.size), chances, k=k, n_total=n, scatter=chart.scatter[0]
        )
        true = np.bincount(day, success) / n
        many = (np.bincount(day, ~seen) >= 10) & ~np.isnan(found.estimate)  # followed to the end
        held += ((found.low - 1e-9 <= true) & (true <= found.high + 1e-9))[many].tolist()
    assert len(held) >= 150
    assert 0.935 <= np.mean(held) <= 0.99


# two ways of clusters


def square_sums(name, k, n):
    ks, ns = np.bincount(name, k), np.bincount(name, n)
    return SquareSums(*(np.array([(x * y).sum()]) for x, y in ((ks, ks), (ks, ns), (ns, ns))))


def two_ways(seller, buyer, y, **options):
    one = np.ones(len(y))
    pair = np.unique(seller * 100_000 + buyer, return_inverse=True)[1]
    return two_way_interval(
        np.zeros(seller.max() + 1, int),
        np.bincount(seller, y),
        np.bincount(seller),
        square_sums(buyer, y, one),
        square_sums(pair, y, one),
        np.array([len(np.unique(buyer))]),
        **options,
    )


def test_buyers_of_one_order_each_change_nothing():
    random = np.random.default_rng(2)
    seller = random.integers(0, 30, 3000)
    y = (random.random(3000) < random.beta(2, 6, 30)[seller]).astype(float)
    found = two_ways(seller, np.arange(3000), y, clusters=("seller", "buyer"))
    plain = ratio_interval(np.zeros(30, int), np.bincount(seller, y), np.bincount(seller))
    np.testing.assert_allclose([found.low, found.high], [plain.low, plain.high], atol=2e-4)
    assert found.interval.tolist() == ["Wilson, clustered by seller and buyer"]


@pytest.mark.study
def test_limits_with_buyers_who_ask_often_cover_as_often_as_they_say():
    random, both, one = np.random.default_rng(5), [], []
    for _ in range(800):
        sellers, buyers = random.beta(8, 8, 60), random.beta(0.2, 0.8, 300)
        seller, buyer = random.integers(0, 60, 2500), random.integers(0, 300, 2500)
        y = (random.random(2500) < sellers[seller] * buyers[buyer]).astype(float)
        plain = ratio_interval(np.zeros(60, int), np.bincount(seller, y), np.bincount(seller))
        for held, found in ((both, two_ways(seller, buyer, y)), (one, plain)):
            held.append(bool(found.low[0] <= 0.1 <= found.high[0]))  # 1/2 of 1/5
    assert 0.93 <= np.mean(both) <= 0.97
    assert np.mean(one) < 0.85
