"""Case mix: expected counts by hand, a market without differences, adjusted rates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.stats import Expected, adjusted_rates, expected_counts


def by_hand(group, cell, k, n, n_groups):
    """Row by row, as the definition says."""
    expected, variance = np.zeros(n_groups), np.zeros(n_groups)
    for g, c, own in zip(group, cell, n, strict=True):
        others = group != g
        here = others & (cell == c)
        if n[others].sum():
            overall = k[others].sum() / n[others].sum()
        else:
            overall = k.sum() / max(n.sum(), 1)
        worth = n[here].sum() + 1
        rate = (k[here].sum() + overall) / worth
        expected[g] += own * rate
        variance[g] += rate * (1 - rate) * own * (1 + own / worth)
    return expected, variance


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 5))
def test_expected_counts_are_those_of_the_definition(seed, n_groups, n_cells):
    rng = np.random.default_rng(seed)
    group, cell = (x.ravel() for x in np.meshgrid(range(n_groups), range(n_cells)))
    n = rng.integers(0, 20, len(group))
    k = rng.binomial(n, 0.6)
    found = expected_counts(group, cell, k, n, n_groups=n_groups)
    expected, variance = by_hand(group, cell, k, n, n_groups)
    np.testing.assert_allclose(found.expected, expected, atol=1e-12)
    np.testing.assert_allclose(found.variance, variance, atol=1e-12)
    assert (found.expected <= found.n + 1e-12).all()
    np.testing.assert_array_equal(found.k, np.bincount(group, k, n_groups))


def test_without_differences_deviations_have_the_stated_variance():
    rng = np.random.default_rng(4)
    rates, size = np.array([0.9, 0.5, 0.05]), 300
    group, cell = (x.ravel() for x in np.meshgrid(range(12), range(3), indexing="ij"))
    n = np.where(group == 0, size, size // 15) * np.where(cell == group % 3, 3, 1)
    scores = []
    for _ in range(400):
        found = expected_counts(group, cell, rng.binomial(n, rates[cell]), n, n_groups=12)
        scores.append((found.k - found.expected) / np.sqrt(found.variance))
    scores = np.array(scores)
    assert np.abs(scores.mean(axis=0)).max() < 0.2
    assert scores.std(axis=0) == pytest.approx(np.ones(12), abs=0.12)  # the dominating one too


def test_the_same_mix_and_odds_are_given_back():
    expected = Expected(*np.array([[30.0, 60], [100, 100], [45, 45], [20, 20]]))
    found = adjusted_rates(expected)  # all have 0.45
    odds = np.array([0.3 / 0.7, 0.6 / 0.4]) / (0.45 / 0.55) * (0.45 / 0.55)
    assert found == pytest.approx(odds / (1 + odds))
    assert adjusted_rates(Expected(*np.array([[0.0, 9], [5, 9], [3, 6], [1, 1]]))).tolist() == [
        0,
        1,
    ]
    assert np.isnan(adjusted_rates(Expected(*np.zeros((4, 1)))))[0]
    assert adjusted_rates(Expected(*np.array([[0.0, 0], [5, 5], [0, 0], [0, 0]]))).tolist() == [
        0,
        0,
    ]


def test_one_group_is_compared_with_itself_and_none_is_empty():
    found = expected_counts([0, 0], [0, 1], [3, 1], [4, 4], n_groups=1)
    assert found.expected.tolist() == [4.0]  # 8 at the overall rate of one half
    assert len(expected_counts([], [], [], [], n_groups=0).expected) == 0
