"""Places: exhaustive simulation, exact sums, and both forms of the distribution."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta

from analysis.stats import rank_limits
from analysis.stats.many_groups import ranks


def drawn(n_groups, seed=1):
    rng = np.random.default_rng(seed)
    n = 1 + rng.geometric(0.02, n_groups)
    k = rng.binomial(n, rng.beta(6, 4, n_groups))
    return 6.0 + k, 4.0 + n - k


@pytest.mark.parametrize("n_groups", [3, 20, 200])
def test_places_are_those_of_an_exhaustive_simulation(n_groups):
    a, b = drawn(n_groups)
    times = 20_000
    rates = np.random.default_rng(2).beta(a, b, (times, n_groups))
    place = (-rates).argsort(axis=1).argsort(axis=1) + 1
    found = rank_limits(a, b, level=0.9)
    error = place.std(axis=0) / np.sqrt(times)
    assert (np.abs(found.expected - place.mean(axis=0)) < 5 * error + 0.02).all()
    for limit, share in ((found.low, 0.05), (found.high, 0.95)):
        reached, before = (np.mean(place <= limit - step, axis=0) for step in (0, 1))
        assert (reached >= share - 0.01).all()
        assert (before <= share + 0.01).all()


def test_the_expected_place_is_the_sum_of_pairwise_probabilities():
    a, b = drawn(4)
    found = rank_limits(a, b).expected
    for i in range(4):
        own = beta(a[i], b[i])
        above = [
            quad(lambda p, j=j, own=own: own.pdf(p) * beta(a[j], b[j]).sf(p), 0, 1)[0]
            for j in range(4)
            if j != i
        ]
        assert found[i] == pytest.approx(1 + sum(above), abs=1e-4)


def test_the_normal_form_agrees_with_the_exact_one(monkeypatch):
    a, b = drawn(40)
    exact = rank_limits(a, b)
    monkeypatch.setattr(ranks, "_EXACT", 10)
    normal = rank_limits(a, b)
    assert np.abs(exact.low - normal.low).max() <= 1
    assert np.abs(exact.high - normal.high).max() <= 1
    assert np.mean(exact.high == normal.high) > 0.9


def test_equal_groups_may_have_any_place():
    found = rank_limits(np.full(100, 5.0), np.full(100, 5.0))
    assert found.expected == pytest.approx(np.full(100, 50.5), rel=1e-6)
    assert set(found.low) <= {2, 3, 4} and set(found.high) <= {97, 98, 99}


def test_groups_that_cannot_be_mistaken_have_one_place():
    a = np.array([9e6, 5e6, 1e6])
    found = rank_limits(a, 1e7 - a)
    assert found.low.tolist() == found.high.tolist() == [1, 2, 3]
    assert found.expected == pytest.approx([1, 2, 3])


def test_one_group_is_first_and_none_has_no_place():
    found = rank_limits([3.0], [2.0])
    assert (found.expected[0], found.low[0], found.high[0]) == (pytest.approx(1), 1, 1)
    assert [len(column) for column in rank_limits([], [])] == [0, 0, 0]


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.2, 200), st.floats(0.2, 200)), min_size=1, max_size=60),
    st.sampled_from([0.5, 0.95]),
)
def test_places_add_up_stay_in_range_and_follow_their_groups(pairs, level):
    a, b = np.array(pairs).T
    found = rank_limits(a, b, level=level)
    size = len(a)
    assert found.expected.sum() == pytest.approx(size * (size + 1) / 2, rel=1e-3)
    assert (found.low >= 1).all() and (found.high <= size).all() and (found.low <= found.high).all()
    turned = rank_limits(a[::-1], b[::-1], level=level)
    np.testing.assert_array_equal(turned.low[::-1], found.low)
    mirrored = rank_limits(b, a, level=level)  # failures instead of successes
    np.testing.assert_allclose(mirrored.expected, size + 1 - found.expected, atol=0.02 * size)


def test_a_hundred_thousand_groups_fit_in_memory():
    a, b = drawn(100_000)
    tracemalloc.start()
    found = rank_limits(a, b)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 300e6
    assert found.expected.sum() == pytest.approx(1e5 * (1e5 + 1) / 2, rel=1e-3)


def test_impossible_parameters_are_named():
    with pytest.raises(ValueError, match="a must be above 0, got 0.0"):
        rank_limits([1, 0], [1, 1])
    with pytest.raises(ValueError, match=r"level must be in \(0, 1\)"):
        rank_limits([1], [1], level=95)
