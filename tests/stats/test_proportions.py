"""Shares with limits: Wilson, and Wilson for units that come in clusters."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.stats import by_hand

from analysis.stats import cluster_variance, clustered_wilson, ratio_interval, wilson
from analysis.stats.scales import normal_quantile, t_quantile

REFERENCE = Path(__file__).parents[1] / "reference" / "stats"

counts = st.integers(0, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
levels = st.sampled_from([0.5, 0.8, 0.95, 0.99])


# --- Wilson -------------------------------------------------------------------------------


def test_wilson_equals_r():
    table = pd.read_csv(REFERENCE / "wilson.csv")
    for level, part in table.groupby("level"):
        low, high = wilson(part["k"].to_numpy(), part["n"].to_numpy(), level=level)
        np.testing.assert_allclose(low, part["low"], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(high, part["high"], rtol=1e-9, atol=1e-12)


def test_wilson_equals_r_on_real_counts(shared_data):
    table = pd.read_csv(shared_data / "survival_classics" / "golden" / "binomial_ci.csv")
    low, high = wilson(table["x"].to_numpy(), table["n"].to_numpy())
    np.testing.assert_allclose(low, table["wilson_lower"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(high, table["wilson_upper"], rtol=1e-9, atol=1e-12)


@given(counts, levels)
def test_wilson_limits_are_where_the_score_test_just_rejects(pair, level):
    k, n = pair
    low, high = (float(limit) for limit in wilson(k, n, level=level))
    if n == 0:
        assert np.isnan(low) and np.isnan(high)
        return
    assert 0 <= low <= k / n <= high <= 1
    z2 = normal_quantile(level) ** 2
    for limit in {low, high} - {0.0, 1.0}:
        assert (k - n * limit) ** 2 == pytest.approx(z2 * n * limit * (1 - limit), abs=1e-9)


def test_the_limits_at_none_and_all_are_exactly_0_and_1():
    n = np.array([1, 3, 7, 1e3, 1e9, 0.37])
    assert (wilson(0, n)[0] == 0).all()
    assert (wilson(n, n)[1] == 1).all()


def test_tiny_shares_keep_their_digits():
    low, high = wilson(1, 1e12)  # about Poisson: z2 = 3.8415, (1 + z2/2 -+ z sqrt(1 + z2/4)) / n
    z = normal_quantile(0.95)
    spread = z * np.sqrt(1 + z**2 / 4)
    assert float(low) == pytest.approx((1 + z**2 / 2 - spread) / 1e12, rel=1e-9)
    assert float(high) == pytest.approx((1 + z**2 / 2 + spread) / 1e12, rel=1e-9)


def test_tiny_weighted_counts_lose_no_digits():
    k, n = 1e-6, 1e6
    low, _ = wilson(k, n)
    z = Fraction(normal_quantile(0.95))
    miss = (Fraction(k) - Fraction(n) * Fraction(float(low))) ** 2
    allowed = z**2 * Fraction(n) * Fraction(float(low)) * (1 - Fraction(float(low)))
    assert float(miss / allowed) == pytest.approx(1, rel=1e-9)


def test_counts_need_not_be_whole_and_broadcast():
    low, high = wilson([[0.5], [1.25]], [2.5, 5.0, 1.25])
    assert low.shape == high.shape == (2, 3)
    assert high[1, 2] == 1


@pytest.mark.parametrize(
    ("k", "n", "level", "message"),
    [
        (-1, 5, 0.95, "k must be at least 0, got -1.0"),
        (6, 5, 0.95, "k must be at most n, got k = 6.0 of n = 5.0"),
        (0, -2, 0.95, "n must be at least 0, got -2.0"),
        (np.nan, 5, 0.95, "k must be at least 0, got nan"),
        (1, 5, 0, r"level must be in \(0, 1\), got 0"),
        (1, 5, 1.0, r"level must be in \(0, 1\), got 1.0"),
        (1, 5, 95, r"level must be in \(0, 1\), got 95"),
        (1, 5, np.nan, r"level must be in \(0, 1\), got nan"),
    ],
)
def test_impossible_counts_and_levels_are_named(k, n, level, message):
    with pytest.raises(ValueError, match=message):
        wilson([1, k], [5, n], level=level)


# --- the variance of a share of clustered units -------------------------------------------


@given(st.lists(st.integers(1, 6), min_size=2, max_size=6), st.data())
def test_the_variance_is_that_of_the_matrices_in_the_paper(sizes, data):
    n = np.array(sizes)
    k = np.array([data.draw(st.integers(0, size)) for size in sizes])
    found = cluster_variance(np.zeros(len(n), int), k, n)
    variance, df = by_hand.cluster_variance(k, n)
    assert found.variance[0] == pytest.approx(variance, rel=1e-9, abs=1e-14)
    assert found.df[0] == pytest.approx(df, rel=1e-9)
    assert found.n_clusters[0] == len(n)


def test_with_equal_clusters_it_is_the_textbook_variance():
    k, n = np.array([8, 5, 2, 9]), np.full(4, 10)
    found = cluster_variance(np.zeros(4, int), k, n)
    p = 24 / 40
    assert found.variance[0] == pytest.approx(4 / 3 * ((k - p * n) ** 2).sum() / 40**2)
    assert found.df[0] == pytest.approx(3)


def test_units_without_a_cluster_may_be_pooled():
    group = np.zeros(9, int)
    k, n = np.array([3, 7, 1, 1, 1, 0, 0, 0, 0]), np.array([4, 9, 1, 1, 1, 1, 1, 1, 1])
    apart = cluster_variance(group, k, n)
    pooled = cluster_variance([0, 0, 0], [3, 7, 3], [4, 9, 7], alone=[False, False, True])
    for one, other in zip(apart, pooled, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_one_unit_a_cluster_is_the_binomial_variance():
    found = cluster_variance([0], [30], [100], alone=[True])
    assert found.variance[0] == pytest.approx(0.3 * 0.7 / 99)
    assert found.df[0] == pytest.approx(99)


def test_one_cluster_has_no_variance():
    n = np.arange(1, 100)  # rounding must not make one up
    found = cluster_variance(np.arange(99), np.ones(99), n)
    assert np.isnan(found.variance).all() and np.isnan(found.df).all()


def test_a_cluster_without_units_is_none():
    found = cluster_variance([0, 0, 0, 1], [1, 2, 0, 0], [3, 4, 0, 0])
    assert found.n_clusters.tolist() == [2, 0]
    assert np.isnan(found.variance[1]) and np.isnan(found.df[1])


# --- intervals ----------------------------------------------------------------------------


@given(counts, st.floats(0, 0.3), st.floats(1, 200), levels)
def test_clusters_never_make_an_interval_narrower(pair, variance, df, level):
    k, n = pair
    low, high = wilson(k, n, level=level)
    wide_low, wide_high = clustered_wilson(k, n, variance, df=df, level=level)
    if n:
        assert 0 <= wide_low <= low + 1e-12
        assert high - 1e-12 <= wide_high <= 1
    else:
        assert np.isnan(wide_low) and np.isnan(wide_high)


def test_a_variance_three_times_the_binomial_is_a_third_of_the_sample():
    assert clustered_wilson(70, 100, 3 * 0.7 * 0.3 / 100) == pytest.approx(
        wilson(70 / 3, 100 / 3), rel=1e-12
    )


def test_a_negative_variance_is_named():
    with pytest.raises(ValueError, match="variance must be at least 0, got -0.5"):
        clustered_wilson(1, 2, -0.5)


def test_each_group_is_named_for_the_method_that_made_it():
    shares = ratio_interval([0, 0, 1, 3], [3, 1, 2, 0], [4, 4, 2, 0], n_groups=4, clusters="seller")
    assert shares.interval.tolist() == [
        "Wilson, clustered by seller",
        "Wilson, too few to cluster by seller",
        "Wilson, too few to cluster by seller",
        "Wilson, too few to cluster by seller",
    ]
    assert shares.n_clusters.tolist() == [2, 1, 0, 0]
    np.testing.assert_array_equal(shares.estimate, [0.5, 1, np.nan, np.nan])
    low, high = wilson(2, 2)
    assert (shares.low[1], shares.high[1]) == (low, high)
    assert np.isnan(shares.low[2:]).all() and np.isnan(shares.high[2:]).all()


def test_without_clusters_it_is_plain_wilson_on_the_sums():
    shares = ratio_interval([0, 1, 1], [1, 2, 3], [4, 5, 6], clusters=None)
    low, high = wilson([1, 5], [4, 11])
    np.testing.assert_array_equal(shares.low, low)
    np.testing.assert_array_equal(shares.high, high)
    assert shares.interval.tolist() == ["Wilson", "Wilson"]
    assert shares.n_clusters.tolist() == [4, 11]


def test_sellers_who_all_agree_still_widen_by_their_number():
    shares = ratio_interval(np.zeros(4, int), np.zeros(4), np.full(4, 25.0))
    bound = t_quantile(np.array([3]), 0.95)[0] ** 2 / 100
    assert shares.low[0] == 0
    assert shares.high[0] == pytest.approx(bound / (1 + bound), rel=1e-12)


def test_no_rows_at_all():
    shares = ratio_interval(np.array([], int), np.array([]), np.array([]), n_groups=2)
    assert np.isnan(shares.estimate).all() and shares.n.tolist() == [0, 0]
    assert len(ratio_interval(np.array([], int), np.array([]), np.array([])).estimate) == 0


rows = st.lists(st.tuples(st.integers(0, 2), counts), min_size=1, max_size=12)


@given(rows, st.randoms(use_true_random=False))
def test_order_and_other_groups_change_nothing(drawn, random):
    def shares(some):
        group = [g for g, _ in some]
        k, n = [c[0] for _, c in some], [c[1] for _, c in some]
        return ratio_interval(group, k, n, n_groups=4)

    whole = shares(drawn)
    shuffled = list(drawn)
    random.shuffle(shuffled)
    alone = shares([row for row in drawn if row[0] == drawn[0][0]])
    more = shares([*drawn, (3, (5, 9)), (3, (1, 30))])
    at = drawn[0][0]
    for column in ("estimate", "low", "high", "n", "k", "n_clusters"):
        expected = getattr(whole, column)[at]
        assert getattr(alone, column)[at] == pytest.approx(expected, abs=0, nan_ok=True)
        assert getattr(more, column)[at] == pytest.approx(expected, abs=0, nan_ok=True)
        assert getattr(shares(shuffled), column)[at] == pytest.approx(
            expected, rel=1e-9, nan_ok=True
        )
    if whole.n[at]:
        assert 0 <= whole.low[at] <= whole.estimate[at] <= whole.high[at] <= 1


@pytest.mark.parametrize(
    ("group", "k", "n", "options", "message"),
    [
        ([0, 2], [1, 1], [2, 2], {"n_groups": 2}, "group must be below n_groups = 2, got 2"),
        ([-1], [1], [2], {}, "group must be at least 0, got -1"),
        ([0.5], [1], [2], {}, "group must be whole numbers in one dimension, got float64"),
        ([0, 0], [1], [2], {}, "group, k, n and alone must be of one length, got 2, 1, 2"),
        ([0], [3], [2], {}, "k must be at most n, got k = 3.0 of n = 2.0"),
        ([0], [1], [2], {"level": 2}, r"level must be in \(0, 1\), got 2"),
    ],
)
def test_rows_that_do_not_fit_are_named(group, k, n, options, message):
    with pytest.raises(ValueError, match=message):
        ratio_interval(group, k, n, **options)


# --- recovery: does a 95% interval cover 95%? ---------------------------------------------


def worlds(seed, n_worlds, n_sellers, spread):
    """Many worlds at once (world = group): heavy-tailed sellers who differ in their true rate."""
    rng = np.random.default_rng(seed)
    size = rng.lognormal(0, spread, (n_worlds, n_sellers))
    n = np.maximum(1, rng.poisson(20 * size / size.mean(axis=1, keepdims=True)))
    k = rng.binomial(n, rng.beta(4, 2, n.shape))  # the true rate is 4 / 6
    return np.repeat(np.arange(n_worlds), n_sellers), k.ravel(), n.ravel()


@pytest.mark.parametrize(("n_sellers", "spread"), [(10, 1.8), (30, 1.0), (100, 0.0), (100, 1.8)])
def test_the_clustered_interval_covers_where_plain_wilson_does_not(n_sellers, spread):
    group, k, n = worlds(11, 2000, n_sellers, spread)
    covered = {}
    for clusters in ("seller", None):
        shares = ratio_interval(group, k, n, clusters=clusters)
        covered[clusters] = np.mean((shares.low <= 4 / 6) & (shares.high >= 4 / 6))
    assert 0.92 <= covered["seller"] <= 0.98  # the standard error of a coverage is 0.005
    assert covered[None] < 0.75


def test_the_variance_of_equal_clusters_does_not_do_where_few_sellers_are_large():
    group, k, n = worlds(11, 2000, 10, 1.8)
    k, n = k.reshape(2000, 10), n.reshape(2000, 10)
    share = k.sum(axis=1) / n.sum(axis=1)
    residual = k - share[:, None] * n
    variance = 10 / 9 * (residual**2).sum(axis=1) / n.sum(axis=1) ** 2
    low, high = clustered_wilson(k.sum(axis=1), n.sum(axis=1), variance, df=9)
    assert np.mean((low <= 4 / 6) & (high >= 4 / 6)) < 0.85


def test_independent_units_are_covered_too():
    rng = np.random.default_rng(12)
    n = rng.integers(1, 40, (2000, 30))
    k = rng.binomial(n, 0.3)
    shares = ratio_interval(np.repeat(np.arange(2000), 30), k.ravel(), n.ravel())
    assert 0.93 <= np.mean((shares.low <= 0.3) & (shares.high >= 0.3)) <= 0.985
