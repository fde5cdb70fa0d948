"""How much groups differ: recovery, the test under one common rate, what cannot be told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom, binom, chi2

from analysis.stats import beta_binomial_spread


def drawn(seed, n_groups=100, alpha=6.0, beta=4.0, size=20):
    rng = np.random.default_rng(seed)
    n = 1 + rng.geometric(1 / size, n_groups)
    rates = rng.beta(alpha, beta, n_groups) if np.isfinite(beta) else np.full(n_groups, alpha)
    return rng.binomial(n, rates), n


def log_likelihood(k, n, mean, correlation):
    if correlation == 0:
        return binom.logpmf(k, n, mean).sum()
    m = 1 / correlation - 1
    return betabinom.logpmf(k, n, mean * m, (1 - mean) * m).sum()


@pytest.mark.study
def test_limits_cover_the_truth_and_the_test_sees_it():
    covered = rejected = 0
    for seed in range(60):
        found = beta_binomial_spread(*drawn(seed))
        covered += found.low <= 1 / 11 <= found.high
        rejected += found.p_value < 0.05
    assert covered >= 52  # 57 expected; 52 or fewer in one of a hundred
    assert rejected == 60


@pytest.mark.study
def test_under_one_common_rate_half_of_the_ratios_are_0_and_few_are_rejected():
    found = [beta_binomial_spread(*drawn(seed, 60, 0.6, np.inf)) for seed in range(100)]
    zero = sum(one.statistic < 1e-6 for one in found)
    assert 40 <= zero <= 75
    assert sum(one.p_value < 0.05 for one in found) <= 10
    assert all(one.low == 0 for one in found if one.p_value > 0.05)
    assert all(one.p_value == 1 for one in found if one.statistic == 0)


def adjusted(k, n, correlation):
    """Highest log-likelihood over means, less half the log of its curvature in their logit."""
    means, step = np.linspace(0.5, 0.7, 401), 1e-3
    mean = max(means, key=lambda mean: log_likelihood(k, n, mean, correlation))
    down, here, up = (log_likelihood(k, n, mean + d, correlation) for d in (-step, 0.0, step))
    curvature = (2 * here - down - up) / step**2 * (mean * (1 - mean)) ** 2
    return here - np.log(curvature) / 2


def test_the_interval_is_where_the_adjusted_likelihood_has_fallen_by_half_the_quantile():
    k, n = drawn(3)
    found = beta_binomial_spread(k, n, level=0.9)
    top = adjusted(k, n, found.correlation)
    for end in (found.low, found.high):
        assert adjusted(k, n, end) == pytest.approx(top - chi2.ppf(0.9, 1) / 2, abs=3e-3)
    for beside in (0.9, 1.1):
        assert adjusted(k, n, beside * found.correlation) < top
    assert found.statistic == pytest.approx(2 * (top - adjusted(k, n, 0)), abs=3e-3)
    assert found.p_value == pytest.approx(0.5 * chi2.sf(found.statistic, 1))


def test_luck_is_what_is_left_of_the_raw_variance():
    k, n = drawn(5, n_groups=20_000)
    found = beta_binomial_spread(k, n)
    raw = np.var(k / n)
    between = found.mean * (1 - found.mean) * found.correlation
    assert found.luck_share == pytest.approx(1 - between / raw, abs=0.03)


@pytest.mark.parametrize(
    ("k", "n"),
    [
        ([], []),
        ([3], [5]),
        ([0, 1, 1], [1, 1, 1]),
        ([0, 0], [5, 9]),
        ([5, 9], [5, 9]),
        ([1, 0, 0, 0], [1000] * 4),  # one success: nothing can be like or unlike it
        ([5, 8], [5, 9]),
    ],
)
def test_what_cannot_be_told_is_missing(k, n):
    found = beta_binomial_spread(np.array(k), np.array(n))
    assert np.isnan(found[1:]).all()
    mean = sum(k) / sum(n) if n else np.nan
    assert found.mean == pytest.approx(mean, nan_ok=True)


def test_rare_events_of_groups_that_are_alike_are_no_sign_that_they_differ():
    k = np.random.default_rng(8).binomial(100, 0.005, (20, 8))
    patterns, times = np.unique(np.sort(k), axis=0, return_counts=True)
    p_value = [beta_binomial_spread(one, np.full(8, 100)).p_value for one in patterns]
    assert times[np.array(p_value) < 0.05].sum() <= 2  # of 20 at 5%
    assert beta_binomial_spread([1, 1, 0, 0], [1000] * 4).p_value == 1
    assert beta_binomial_spread([2, 0, 0, 0], [1000] * 4).p_value > 0.1


def test_all_or_nothing_groups_differ_as_much_as_can_be():
    found = beta_binomial_spread(np.repeat([0, 50], 20), np.full(40, 50))
    assert found.correlation > 0.9 and found.high > 0.99 and found.luck_share < 0.05


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 30))
def test_limits_lie_around_the_estimate_and_order_does_not_matter(seed, n_groups):
    k, n = drawn(seed, n_groups)
    found = beta_binomial_spread(k, n)
    if np.isnan(found.correlation):
        return
    assert 0 <= found.low <= found.correlation <= found.high <= 1
    assert 0 <= found.p_value <= 1 and 0 <= found.luck_share <= 1
    turned = beta_binomial_spread(np.r_[k[::-1], 0], np.r_[n[::-1], 0])
    np.testing.assert_allclose(turned, found, rtol=1e-6, atol=1e-9)
