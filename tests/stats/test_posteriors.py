"""Posteriors that carry the doubt about their prior: coverage, edges, what they depend on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.stats import fit_beta_binomial, plausible_priors, shrunk_posterior, shrunk_rate


def posterior(k, n):
    return shrunk_posterior(k, n, plausible_priors(k, n))


def coverage(n_groups, alpha, beta, size, times, seed):
    """Share of true rates inside the limits, and inside those with the prior taken as known."""
    rng = np.random.default_rng(seed)
    doubtful, certain = [], []
    for _ in range(times):
        n = 1 + rng.geometric(1 / size, n_groups)
        truth = rng.beta(alpha, beta, n_groups)
        k = rng.binomial(n, truth)
        low, high = posterior(k, n).limits()
        doubtful.append(np.mean((low <= truth) & (truth <= high)))
        a, b = fit_beta_binomial(k, n)
        _, low, high = shrunk_rate(k, n, alpha=a, beta=b)
        certain.append(np.mean((low <= truth) & (truth <= high)))
    return np.mean(doubtful), np.mean(certain)


@pytest.mark.study
@pytest.mark.parametrize(
    ("n_groups", "alpha", "beta", "size", "times"),
    [(5, 6, 4, 30, 200), (10, 6, 4, 30, 120), (20, 30, 20, 30, 80), (50, 1, 20, 40, 40)],
)
def test_limits_cover_with_few_groups_where_a_known_prior_does_not(
    n_groups, alpha, beta, size, times
):
    doubtful, certain = coverage(n_groups, alpha, beta, size, times, seed=n_groups)
    assert 0.93 <= doubtful <= 0.97
    assert certain < doubtful - 0.01


def test_with_many_groups_it_is_the_known_prior():
    rng = np.random.default_rng(2)
    n = 1 + rng.geometric(0.02, 5000)
    k = rng.binomial(n, rng.beta(6, 4, len(n)))
    a, b = fit_beta_binomial(k, n)
    estimate, low, high = shrunk_rate(k, n, alpha=a, beta=b)
    found = posterior(k, n)
    np.testing.assert_allclose(found.mean, estimate, atol=3e-3)
    np.testing.assert_allclose(found.limits(), (low, high), atol=4e-3)


def test_weights_add_up_and_no_unit_leaves_the_proper_prior():
    prior = plausible_priors([], [])
    assert prior.weight.sum() == pytest.approx(1)
    means = prior.alpha / (prior.alpha + prior.beta)
    assert prior.weight @ means == pytest.approx(0.5)  # symmetric
    assert prior.weight @ means**2 == pytest.approx(3 / 8, rel=1e-3)  # of Jeffreys' prior
    correlation = 1 / (1 + prior.alpha + prior.beta)
    assert prior.weight @ correlation == pytest.approx(1 / 1.1 / 2, rel=2e-3)  # uniform to 1/1.1


@pytest.mark.parametrize(
    ("k", "n"),
    [
        ([0], [0]),
        ([1], [1]),
        ([0, 0, 0], [5, 6, 100]),
        ([5, 6, 100], [5, 6, 100]),
        ([0] * 20 + [50] * 20, [50] * 40),
        ([6 * 10**8] * 30, [10**9] * 30),
        ([0, 1] * 50, [1] * 100),
    ],
)
def test_edges_are_finite_and_in_order(k, n):
    found = posterior(np.array(k), np.array(n))
    low, high = found.limits()
    assert (found.a > 0).all() and (found.b > 0).all()
    assert np.isfinite(found.mean).all()
    assert (low >= 0).all() and (high <= 1).all() and (low <= high).all()


def test_all_groups_alike_share_a_narrow_rate():
    found = posterior(np.full(50, 14), np.full(50, 20))
    low, high = found.limits()
    assert found.mean == pytest.approx(np.full(50, 0.7), abs=2e-3)
    assert (high - low < 0.11).all()  # alone, 14 of 20 leaves 0.37


groups = st.lists(
    st.integers(0, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=1,
    max_size=12,
)


@settings(max_examples=6, deadline=None)
@given(groups)
def test_order_does_not_matter_and_success_mirrors_failure(pairs):
    k, n = np.array(pairs).T
    found = posterior(k, n)
    turned = posterior(k[::-1], n[::-1])
    np.testing.assert_allclose(turned.mean[::-1], found.mean, rtol=1e-9)
    mirrored = posterior(n - k, n)
    np.testing.assert_allclose(mirrored.mean, 1 - found.mean, rtol=0, atol=2e-3)
    more = posterior(np.r_[k, 0], np.r_[n, 0])  # a group without units says nothing
    np.testing.assert_allclose(more.mean[:-1], found.mean, rtol=1e-9)


def test_below_is_the_posterior_tail():
    found = posterior(np.array([2, 9, 5]), np.array([10, 10, 10]))
    low, high = found.limits(0.9)
    for i in range(3):
        assert found.below(low[i])[i] == pytest.approx(0.05)
        assert found.below(high[i])[i] == pytest.approx(0.95)
    assert (found.below(0) == 0).all() and (found.below(1) == 1).all()
    with pytest.raises(ValueError, match=r"threshold must be in \[0, 1\], got 2"):
        found.below(2)


def test_impossible_counts_are_named():
    with pytest.raises(ValueError, match="k must be at most n"):
        plausible_priors([3], [2])
