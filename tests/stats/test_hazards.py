"""Rates by interval: exact time at risk, limits that cover, clusters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from analysis import stats

few = settings(max_examples=30, deadline=None, derandomize=True, database=None)
EDGES = np.array([0, 5, 10, 12])
spells = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 20), st.integers(0, 2)), min_size=1, max_size=30
)


def counted(rows):
    unit, time, cause = np.array(rows).T
    place = np.searchsorted(EDGES, time, side="left") - 1
    beyond = place >= 3
    rest = np.where(beyond, 0, time - EDGES[np.minimum(place, 2)])
    return unit, np.minimum(place, 3), np.where(beyond, 0, cause), np.ones(len(rows)), rest


def exposed(rows, n_units=3):
    return stats.exposure_of(*counted(rows), widths=np.diff(EDGES), n_causes=2, n_units=n_units)


@few
@given(rows=spells)
def test_time_at_risk_is_the_overlap_of_each_spell_with_each_interval(rows):
    found = exposed(rows)
    for i in range(3):
        low, high = EDGES[i], EDGES[i + 1]
        for unit in range(3):
            own = [(time, cause) for u, time, cause in rows if u == unit]
            assert found.time[unit, i] == sum(max(min(t, high) - low, 0) for t, _ in own)
            assert found.n_at_risk[unit, i] == sum(t > low for t, _ in own)
            for cause in (1, 2):
                ends = sum(c == cause and low < t <= high for t, c in own)
                assert found.events[unit, i, cause - 1] == ends


@few
@given(rows=spells)
def test_rows_may_be_pooled_and_units_do_not_meet(rows):
    unit, place, cause, n, rest = counted(rows)
    keys, index = np.unique(np.stack([unit, place, cause]), axis=1, return_inverse=True)
    pooled = stats.exposure_of(
        *keys,
        np.bincount(index.ravel(), n),
        np.bincount(index.ravel(), rest),
        widths=np.diff(EDGES),
        n_causes=2,
        n_units=3,
    )
    for one, other in zip(pooled, exposed(rows), strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_was_never_at_risk_is_in_no_interval():
    found = stats.exposure_of([0, 0], [-1, 0], [1, 1], [5, 1], [0, 2], widths=[5], n_causes=1)
    assert (found.n_at_risk.tolist(), found.time.tolist()) == ([[1]], [[2]])
    assert found.events.tolist() == [[[1]]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"interval": [2]}, "interval must be from -1 to 1, got"),
        ({"cause": [2]}, "cause must be from 0 to 1, got"),
        ({"rest": [1, 1]}, "must be of one length"),
        ({"unit": [-1]}, "group"),
    ],
)
def test_spells_that_do_not_fit_are_refused(change, words):
    given_ = {"unit": [0], "interval": [0], "cause": [1], "n": [1], "rest": [1]} | change
    with pytest.raises(ValueError, match=words):
        stats.exposure_of(**given_, widths=[5], n_causes=1)


# limits of a Poisson mean


@few
@given(k=st.floats(0, 1e6), level=st.floats(0.5, 0.999))
def test_score_limits_solve_their_equation(k, level):
    low, high = stats.poisson_limits(k, level=level)
    z = scipy_stats.norm.ppf((1 + level) / 2)
    for mean in (low, high):
        assert (k - mean) ** 2 == pytest.approx(z**2 * mean, rel=1e-6, abs=1e-9)
    assert 0 <= low <= k <= high


def test_score_limits_are_those_of_wilson_for_rare_events():
    for k in (0, 1, 7):
        low, high = stats.poisson_limits(k)
        rare = np.array(stats.wilson(k, 1e9)) * 1e9
        np.testing.assert_allclose([low, high], rare, rtol=1e-6)
    with pytest.raises(ValueError, match="k must be at least 0, got -1"):
        stats.poisson_limits(-1)
    with pytest.raises(ValueError, match="level must be in"):
        stats.poisson_limits(1, level=1)


def test_score_limits_cover_as_often_as_they_say():
    """Exactly, over all counts: mean coverage near 95%, where Garwood's is above."""
    means = np.linspace(1, 40, 400)
    k = np.arange(140)
    low, high = stats.poisson_limits(k)
    chance = scipy_stats.poisson.pmf(k, means[:, None])
    covered = (chance * ((low <= means[:, None]) & (means[:, None] <= high))).sum(axis=1)
    assert 0.945 < covered.mean() < 0.957
    assert covered.min() > 0.915  # at a mean of 1


# rates


def test_independent_spells_have_poisson_limits():
    rate = stats.rate_interval([0, 1], [4, 0], [50.0, 10.0], members=[30, 5], clusters=None)
    assert rate.estimate.tolist() == [0.08, 0]
    low, high = stats.poisson_limits([4, 0])
    np.testing.assert_allclose(rate.low, low / [50, 10], rtol=1e-12)
    np.testing.assert_allclose(rate.high, high / [50, 10], rtol=1e-12)
    assert rate.interval.tolist() == ["Poisson score"] * 2
    assert rate.n_clusters.tolist() == [30, 5]


def test_equal_sellers_are_worth_their_spread_at_least_poisson():
    # three sellers of 100 hours: residuals 3, 0, -3; variance 18 * 3/2 / 300**2, 2 degrees
    rate = stats.rate_interval([0] * 3, [8, 5, 2], [100.0] * 3, clusters="seller")
    worth = 0.05**2 / (27 / 300**2)
    t = scipy_stats.t.ppf(0.975, 2)
    expected = np.array(stats.poisson_limits(worth, quantile=t)) * 0.05 / worth
    np.testing.assert_allclose([rate.low[0], rate.high[0]], expected, rtol=1e-12)
    alike = stats.rate_interval([0] * 3, [5, 5, 5], [100.0] * 3)
    floor = np.array(stats.poisson_limits(15, quantile=t)) / 300
    np.testing.assert_allclose([alike.low[0], alike.high[0]], floor, rtol=1e-12)


def test_one_seller_and_none_at_risk():
    rate = stats.rate_interval([0, 2], [3, 0], [10.0, 0.0], n_groups=3, clusters="seller")
    assert rate.interval[0] == "Poisson score, too few to cluster by seller"
    np.testing.assert_allclose(rate.high[0], stats.poisson_limits(3)[1] / 10)
    assert np.isnan([rate.estimate[1:], rate.low[1:], rate.high[1:]]).all()
    assert rate.n_clusters.tolist() == [1, 0, 0]


def test_lone_spells_may_be_pooled():
    events, time = np.array([1.0, 0, 0, 1, 0]), np.full(5, 4.0)
    sellers = ([4.0, 1.0], [40.0, 40.0])
    one = stats.rate_interval(
        [0] * 3, [*sellers[0], 2], [*sellers[1], 20], alone=[0, 0, 1], members=[9, 9, 5]
    )
    each = stats.rate_interval(
        [0] * 7,
        [*sellers[0], *events],
        [*sellers[1], *time],
        alone=[0, 0, *[1] * 5],
        members=[9, 9, *[1] * 5],
    )
    assert one.n_clusters.tolist() == [7]
    for name in ("estimate", "low", "high"):
        np.testing.assert_allclose(getattr(one, name), getattr(each, name), rtol=1e-12)


@few
@given(
    seed=st.integers(0, 9999), size=st.integers(1, 30), scale=st.sampled_from([0.01, 1.0, 3600.0])
)
def test_limits_lie_around_the_rate_and_a_unit_of_time_only_scales_them(seed, size, scale):
    random = np.random.default_rng(seed)
    group, time = random.integers(0, 3, size), random.exponential(5, size)
    events = random.poisson(time / 4)
    found = stats.rate_interval(group, events, time, n_groups=3)
    known = found.time > 0
    assert (found.low[known] <= found.estimate[known]).all()
    assert (found.estimate[known] <= found.high[known]).all()
    assert (found.low[known] >= 0).all() and np.isfinite(found.high[known]).all()
    other = stats.rate_interval(group, events, time * scale, n_groups=3)
    for name in ("estimate", "low", "high"):
        np.testing.assert_allclose(getattr(other, name) * scale, getattr(found, name), rtol=1e-9)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"events": [-1.0]}, "events must be at least 0, got -1"),
        ({"time": [0.0]}, "events without time at risk"),
        ({"time": [1.0, 2.0]}, "must be of one length"),
        ({"level": 0}, "level must be in"),
    ],
)
def test_rates_that_cannot_be_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        stats.rate_interval(**({"group": [0], "events": [1.0], "time": [1.0]} | change))


def coverage(spread, *, times, seed, n_sellers=60):
    """How often 95% limits hold the true rate of an interval, sellers' rates being log-normal."""
    random = np.random.default_rng(seed)
    many = 0.02 * np.exp(random.normal(-(spread**2) / 2, spread, 200_000))
    ended = 1 - np.exp(-many * 6)
    true = ended.mean() / (ended / many).mean()
    held = 0
    for _ in range(times):
        size = random.geometric(1 / 20, n_sellers)
        own = 0.02 * np.exp(random.normal(-(spread**2) / 2, spread, n_sellers))
        seller = np.repeat(np.arange(n_sellers), size)
        time = random.exponential(1 / own[seller])
        events = np.bincount(seller, time <= 6, minlength=n_sellers)
        hours = np.bincount(seller, np.minimum(time, 6), minlength=n_sellers)
        found = stats.rate_interval(np.zeros(n_sellers, int), events, hours)
        held += found.low[0] <= true <= found.high[0]
    return held / times


def test_limits_hold_the_truth_as_often_as_they_say():
    assert 0.93 <= coverage(0.5, times=1200, seed=1) <= 0.97
    assert 0.94 <= coverage(0.0, times=800, seed=2) <= 0.985
