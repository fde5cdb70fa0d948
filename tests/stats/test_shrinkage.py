"""Empirical Bayes rates: R's optimum and posteriors, recovery of a known truth, and edges."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betaln

from analysis.stats import fit_beta_binomial, shrunk_rate, wilson
from analysis.stats.many_groups.rising import log_rising

REFERENCE = Path(__file__).parents[1] / "reference" / "stats"


def log_likelihood(k, n, alpha, beta):
    return (betaln(k + alpha, n - k + beta) - betaln(alpha, beta)).sum()


def test_the_fit_is_rs_optimum():
    counts = pd.read_csv(REFERENCE / "beta_posterior.csv")
    for row in pd.read_csv(REFERENCE / "beta_binomial.csv").itertuples():
        case = counts[counts["case"] == row.case]
        k, n = case["k"].to_numpy(), case["n"].to_numpy()
        alpha, beta = fit_beta_binomial(k, n)
        assert (alpha, beta) == pytest.approx((row.alpha, row.beta), rel=1e-5)  # R stops there
        assert log_likelihood(k, n, alpha, beta) >= row.log_likelihood - 1e-9 * len(k)


def test_posteriors_equal_r():
    table = pd.read_csv(REFERENCE / "beta_posterior.csv")
    found = shrunk_rate(table["k"], table["n"], alpha=3.5, beta=1.5, level=0.9)
    for name, values in zip(("estimate", "low", "high"), found, strict=True):
        np.testing.assert_allclose(values, table[name], rtol=1e-9, err_msg=name)


def test_a_known_truth_is_recovered_and_covered():
    rng = np.random.default_rng(3)
    n = 1 + rng.geometric(0.02, 20_000)
    truth = rng.beta(6, 4, len(n))
    k = rng.binomial(n, truth)
    alpha, beta = fit_beta_binomial(k, n)
    assert (alpha, beta) == pytest.approx((6, 4), rel=0.03)
    estimate, low, high = shrunk_rate(k, n, alpha=alpha, beta=beta, level=0.9)
    assert np.mean((low <= truth) & (truth <= high)) == pytest.approx(0.9, abs=0.01)
    assert np.mean((estimate - truth) ** 2) < 0.75 * np.mean((k / n - truth) ** 2)


def test_groups_that_differ_by_chance_only_share_the_common_rate():
    n = np.full(50, 20)
    k = np.full(50, 14)  # less spread than chance would give
    alpha, beta = fit_beta_binomial(k, n)
    assert alpha + beta == pytest.approx(1000)  # worth all units
    assert alpha / (alpha + beta) == pytest.approx(0.7)
    _, low, high = shrunk_rate(0, 0, alpha=alpha, beta=beta)
    assert (low, high) == pytest.approx(wilson(700, 1000), abs=1e-3)


def test_groups_of_one_cannot_tell_how_much_groups_differ():
    k = np.repeat([0, 1], [30, 70])
    alpha, beta = fit_beta_binomial(k, np.ones(100))
    assert (alpha, beta) == pytest.approx((70, 30))


@pytest.mark.parametrize("all_of_them", [False, True])
def test_none_or_all_is_jeffreys_on_the_sum(all_of_them):
    n = np.array([3, 10, 1, 86])
    alpha, beta = fit_beta_binomial(n * all_of_them, n)
    rare, frequent = (beta, alpha) if all_of_them else (alpha, beta)
    assert rare == pytest.approx(0.5 * 100 / 101)
    assert rare + frequent == pytest.approx(100)


def test_all_or_nothing_groups_stop_at_the_least_strength():
    n = np.full(40, 50)
    alpha, beta = fit_beta_binomial(np.repeat([0, 50], 20), n)
    assert (alpha, beta) == pytest.approx((0.05, 0.05), rel=1e-6)


def test_huge_groups():
    rng = np.random.default_rng(4)
    n = np.full(300, 10**9)
    alpha, beta = fit_beta_binomial(rng.binomial(n, rng.beta(6, 4, 300)), n)
    assert (alpha, beta) == pytest.approx((6, 4), rel=0.25)
    alpha, beta = fit_beta_binomial(np.full(300, 6 * 10**8), n)
    assert alpha / (alpha + beta) == pytest.approx(0.6)
    assert alpha + beta == pytest.approx(3e11, rel=1e-6)


def test_no_groups_no_units_one_group():
    assert fit_beta_binomial([], []) == (0.5, 0.5)
    assert fit_beta_binomial([0, 0], [0, 0]) == (0.5, 0.5)
    alpha, beta = fit_beta_binomial([7], [10])
    assert (alpha, beta) == pytest.approx((7, 3))
    assert [len(column) for column in shrunk_rate([], [], alpha=1, beta=1)] == [0, 0, 0]


@pytest.mark.parametrize("a", [0.3, 7.0, 99.9, 100.1, 2.5e4, 3e11])
def test_the_likelihood_is_exact_for_priors_of_any_strength(a):
    k = np.array([0, 1, 5, 300])
    exact = [math.fsum(math.log(a + j) for j in range(size)) for size in k]
    np.testing.assert_allclose(log_rising(a, k), exact, rtol=1e-13, atol=1e-12)


counts = st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(st.lists(counts, min_size=1, max_size=20))
def test_the_fit_is_finite_and_no_point_of_a_grid_is_better(groups):
    k, n = (np.array(column, dtype=float) for column in zip(*groups, strict=True))
    alpha, beta = fit_beta_binomial(k, n)
    assert 0 < alpha < np.inf and 0 < beta < np.inf
    total = n.sum()
    assert alpha + beta <= max(total, 1) * (1 + 1e-9)
    if not 0 < k.sum() < total:
        return
    common = alpha + beta == pytest.approx(total)  # no sign that groups differ
    best = log_likelihood(k, n, alpha, beta)
    for mean in np.linspace(0.5 / (total + 1), (total + 0.5) / (total + 1), 9):
        for strength in np.geomspace(0.1, total / 2 if common else total, 9):
            other = log_likelihood(k, n, mean * strength, (1 - mean) * strength)
            assert other <= best + (0.02 if common else 1e-5)


@given(counts, st.floats(0.05, 50), st.floats(0.05, 50))
def test_the_estimate_lies_between_own_and_common_rate(pair, alpha, beta):
    k, n = pair
    estimate, low, high = shrunk_rate(k, n, alpha=alpha, beta=beta)
    common = alpha / (alpha + beta)
    ends = sorted([common, k / n if n else common])
    assert ends[0] - 1e-12 <= estimate <= ends[1] + 1e-12
    assert 0 <= low <= high <= 1


def test_more_units_shrink_less_and_narrow_the_limits():
    n = np.array([1, 10, 100, 1000, 0])
    estimate, low, high = shrunk_rate(n, n, alpha=2, beta=2)
    assert (np.diff(estimate[:4]) > 0).all() and estimate[4] == 0.5
    assert (np.diff((high - low)[:4]) < 0).all()


def test_order_does_not_matter():
    k, n = np.array([2, 9, 5, 14, 30]), np.array([10, 10, 10, 20, 40])
    assert fit_beta_binomial(k[::-1], n[::-1]) == fit_beta_binomial(k, n)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 0, "beta": 1}, "alpha must be above 0, got 0"),
        ({"alpha": 1, "beta": np.nan}, "beta must be above 0, got nan"),
        ({"alpha": 1, "beta": 1, "level": 90}, r"level must be in \(0, 1\), got 90"),
    ],
)
def test_impossible_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        shrunk_rate([1], [2], **options)


def test_impossible_counts_are_named():
    with pytest.raises(ValueError, match="k must be at most n, got k = 3.0 of n = 2.0"):
        fit_beta_binomial([1, 3], [2, 2])
    with pytest.raises(ValueError, match="n must be at least 0, got -1.0"):
        shrunk_rate([0], [-1], alpha=1, beta=1)
