"""Case mix: expected counts by hand, a market without differences, adjusted rates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.stats import Expected, adjusted_rates, expected_counts, q_values, two_sided_p


def by_hand(group, cell, k, n, n_groups):
    """Row by row, as the definition says."""
    expected, variance = np.zeros(n_groups), np.zeros(n_groups)
    for g, c, own in zip(group, cell, n, strict=True):
        others = group != g
        here = others & (cell == c)
        if n[others].sum():
            overall, least = k[others].sum() / n[others].sum(), 0.5 / (n[others].sum() + 1)
        else:
            overall, least = k.sum() / max(n.sum(), 1), 0.0
        worth = n[here].sum() + 1
        rate = min(max((k[here].sum() + overall) / worth, least), 1 - least)
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


def p_values(found):
    """Exact p-values of each group, with the doubt about what is expected."""
    share = found.expected / found.n
    doubt = found.variance / found.n**2 - share * (1 - share) / found.n
    return two_sided_p(found.k, found.n, share, np.maximum(doubt, 0))


def test_others_who_all_ended_alike_are_no_proof():
    found = expected_counts([0, 1], [0, 0], [1, 0], [3, 2], n_groups=2)
    assert found.expected[0] == pytest.approx(3 * 0.5 / 3)  # 0 of 2, and half of one more
    assert p_values(found)[0] > 0.5  # 1 of 3 beside 0 of 2: Fisher's exact p is 1
    found = expected_counts([0, 0, 1, 1], [0, 1, 0, 1], [4, 3, 50, 1], [4, 4, 50, 1], n_groups=2)
    least = 0.5 / 52  # of 51 units in both cells
    assert found.expected[0] == pytest.approx(4 * (1 - least) + 4 * (1 - least))


@pytest.mark.parametrize(
    ("n_groups", "size", "rates"),
    [(3, 4, (0.95, 0.95)), (10, 20, (0.995, 0.995)), (10, 5, (0.99, 0.97)), (8, 40, (0.999, 0.9))],
)
def test_groups_that_are_alike_are_seldom_called_unlike(n_groups, size, rates):
    rng = np.random.default_rng(6)
    group, cell = (x.ravel() for x in np.meshgrid(range(n_groups), range(2), indexing="ij"))
    listed = 0
    for _ in range(200):
        first = rng.binomial(size, rng.uniform(size=n_groups))
        n = np.c_[first, size - first].ravel()
        k = rng.binomial(n, np.array(rates)[cell])
        found = expected_counts(group, cell, k, n, n_groups=n_groups)
        listed += (q_values(p_values(found)) <= 0.05).any()
    assert listed <= 10  # of 200; none or few, since exact tails are conservative
