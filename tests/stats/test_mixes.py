"""Mixes of words: few false discoveries, also where all groups differ; planted ones are found."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.stats import mix_departures, q_values

MIX = np.array([[0.45, 0.3, 0.15, 0.1], [0.2, 0.1, 0.5, 0.2]])  # of words, in two cells


def drawn(seed, *, gamers=0, pressed=0.7, correlation=0.0, n_groups=150, size=40):
    """Counts of 150 groups in two cells; in ``gamers`` of them word 2 is declared as word 0."""
    rng = np.random.default_rng(seed)
    n = 1 + rng.geometric(1 / size, n_groups)
    group, cell = (x.ravel() for x in np.meshgrid(range(n_groups), range(2), indexing="ij"))
    counts = np.zeros((len(group), MIX.shape[1]))
    for g in range(n_groups):
        first = rng.binomial(n[g], rng.beta(2, 2))
        for c, own in enumerate((first, n[g] - first)):
            mix = MIX[c]
            if correlation:
                mix = rng.dirichlet(mix * (1 / correlation - 1))
            if g < gamers:
                mix = mix + pressed * mix[2] * np.array([1, 0, -1, 0])
            counts[2 * g + c] = rng.multinomial(own, mix)
    return group, cell, counts


def flagged(seed, **options):
    """Group of each departure that is found at a false discovery rate of one in twenty."""
    group, cell, counts = drawn(seed, **options)
    found = mix_departures(group, cell, counts, n_groups=150)
    return np.nonzero(q_values(found.p_value) <= 0.05)[0], found


@pytest.mark.parametrize("correlation", [0.0, 0.02])
def test_without_gaming_hardly_anything_is_listed(correlation):
    listed = [len(flagged(seed, correlation=correlation)[0]) for seed in range(20)]
    assert np.mean(np.array(listed) > 0) <= 0.15  # 5% expected at most; 3 of 20 is rare chance


@pytest.mark.parametrize(("correlation", "least"), [(0.0, 0.6), (0.02, 0.4)])
def test_gamers_are_found_and_few_others(correlation, least):
    gamers, false, found = 0, 0, 0
    for seed in range(12):
        who, _ = flagged(seed, gamers=12, correlation=correlation, size=150)
        gamers += len(set(who[who < 12]))
        false, found = false + np.sum(who >= 12), found + len(who)
    assert gamers / (12 * 12) >= least  # completeness
    assert false / found <= 0.05  # false discovery rate


def test_the_common_correlation_is_measured():
    _, found = flagged(1, correlation=0.05, size=200)
    assert 0.01 < found.correlation < 0.05  # two cells, drawn apart, share less than one
    _, found = flagged(1, size=200)
    assert found.correlation < 0.005


def test_counts_add_up_and_rare_words_are_not_tested():
    group, cell, counts = drawn(3)
    counts = np.c_[counts, np.zeros(len(counts))]
    counts[0, -1] = 1
    found = mix_departures(group, cell, counts, n_groups=150)
    np.testing.assert_allclose(found.observed.sum(axis=1), found.expected.sum(axis=1))
    assert np.isnan(found.p_value[:, -1]).all()  # fewer than one expected anywhere
    assert found.observed[0, -1] == 1


def test_one_word_that_others_never_say_is_no_departure():
    counts = np.array([[5, 1], [4, 0], [3, 0]])
    found = mix_departures(np.arange(3), np.zeros(3, int), counts, n_groups=3)
    assert found.p_value[0, 0] > 0.3


def test_nothing_to_compare():
    found = mix_departures([], [], np.empty((0, 0)), n_groups=0)
    assert found.p_value.shape == (0, 0) and found.correlation == 0
    alone = mix_departures([0], [0], np.array([[3, 5]]), n_groups=1)
    assert alone.expected.tolist() == [[3, 5]]  # compared with itself
