"""Weighted sums, contrasts and standardised shares of clustered counts, each a second time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.stats import (
    cluster_variance,
    clustered_contrast,
    newcombe_difference,
    ratio_interval,
    standardised_share,
    weighted_sum_variance,
)

seeds = st.integers(0, 10_000)
some = settings(max_examples=30)


def drawn(seed, cells=3, clusters=12):
    """Counts of a few clusters that reach over cells: one row is one cluster in one cell."""
    random = np.random.default_rng(seed)
    cell, cluster = np.indices((cells, clusters)).reshape(2, -1)
    n = random.integers(0, 7, cell.size)
    k = random.binomial(n, random.uniform(0.2, 0.8))
    return cell, cluster, k, n


# weighted sums


@some
@given(seeds)
def test_one_cell_of_weight_one_is_a_share(seed):
    cell, cluster, k, n = drawn(seed)
    alone = np.random.default_rng(seed).random(cell.size) < 0.2
    expected = cluster_variance(cell, k, n, alone=alone)
    found = weighted_sum_variance(cell, cell, cluster, k, n, np.ones(cell.size), alone=alone)
    np.testing.assert_allclose(found.variance, expected.variance, rtol=1e-12)
    np.testing.assert_allclose(found.df, expected.df, rtol=1e-9)
    np.testing.assert_array_equal(found.n_clusters, expected.n_clusters)


def by_units(cell, cluster, k, n, weight):
    """Variance and degrees of freedom from one row a unit, with whole matrices."""
    unit_cell, unit_cluster = np.repeat(cell, n), np.repeat(cluster, n)
    y = np.concatenate([np.repeat([1.0, 0.0], [a, b - a]) for a, b in zip(k, n, strict=True)])
    forms, spread = [], np.zeros(len(y))
    size = np.bincount(unit_cell, minlength=cell.max() + 1)
    share = np.bincount(unit_cell, y, minlength=cell.max() + 1) / np.maximum(size, 1)
    for c in range(cell.max() + 1):
        spread[unit_cell == c] = share[c] * (1 - share[c])
    for one in np.unique(unit_cluster):
        form = np.zeros(len(y))
        for c in np.unique(unit_cell[unit_cluster == one]):
            member = (unit_cell == c) & (unit_cluster == one)
            part = member.sum() / size[c]
            scale = weight[c] / size[c] / np.sqrt(1 - part)
            form += scale * (member - part * (unit_cell == c))
        forms.append(form)
    forms = np.array(forms)
    variance = ((forms @ y) ** 2).sum()
    covariance = forms @ np.diag(spread) @ forms.T
    return variance, np.trace(covariance) ** 2 / (covariance**2).sum()


@some
@given(seeds)
def test_sums_over_cells_equal_matrices_of_units(seed):
    cell, cluster, k, n = drawn(seed, cells=3, clusters=9)
    n = np.maximum(n, 1)  # so that every cell has many clusters
    weight = np.random.default_rng(seed + 1).uniform(-1, 1, 3)
    found = weighted_sum_variance(np.zeros_like(cell), cell, cluster, k, n, weight[cell])
    variance, df = by_units(cell, cluster, k, n, weight)
    assert found.variance[0] == pytest.approx(variance, rel=1e-10)
    assert found.df[0] == pytest.approx(max(df, 1), rel=1e-8)


# contrasts


@some
@given(seeds)
def test_without_clusters_a_contrast_is_newcombes(seed):
    cell, cluster, k, n = drawn(seed, cells=2, clusters=1)
    found = clustered_contrast(cell, cluster, k, n, np.array([1, -1]), clusters=None)
    expected = newcombe_difference(k[0], n[0], k[1], n[1])
    for one, other in zip(found.difference, expected, strict=True):
        np.testing.assert_allclose(one[0], other, rtol=1e-12)
    assert np.isnan(found.difference.estimate[1])
    assert found.interval[0] == "Newcombe"


def test_without_clusters_the_test_is_pearsons(shared_data):
    golden = shared_data / "survival_classics" / "golden" / "two_proportions.csv"
    for row in pd.read_csv(Path(golden)).itertuples():
        k, n = np.array([row.x1, row.x2]), np.array([row.n1, row.n2])
        zero = np.zeros(2, int)
        found = clustered_contrast(np.arange(2), zero, k, n, np.array([1, -1]), clusters=None)
        assert found.difference.estimate[0] == pytest.approx(row.diff, abs=1e-12)
        assert found.p_value[0] == pytest.approx(row.p, rel=1e-6, abs=1e-300)


@some
@given(seeds)
def test_clusters_on_one_side_only_are_independent(seed):
    cell, cluster, k, n = drawn(seed, cells=2)
    apart = clustered_contrast(cell, cluster + 100 * cell, k, n, np.array([1, -1]))
    first, second = (
        ratio_interval(cell, k, n) if i == 0 else ratio_interval(cell, k, n) for i in (0, 1)
    )
    low = first.estimate[0] - second.estimate[1]
    reach = np.hypot(first.estimate[0] - first.low[0], second.high[1] - second.estimate[1])
    assert apart.difference.low[0] == pytest.approx(max(low - reach, -1), abs=1e-12)
    assert apart.n_shared.tolist() == [0, 0]


@some
@given(seeds)
def test_limits_of_contrasts_lie_around_estimates_and_other_groups_change_nothing(seed):
    cell, cluster, k, n = drawn(seed, cells=4)
    baseline = np.array([1, -1, 1, 1])
    found = clustered_contrast(cell, cluster, k, n, baseline)
    known = ~np.isnan(found.difference.estimate)
    for limited, lowest, highest in ((found.difference, -1, 1), (found.ratio, 0, np.inf)):
        estimate, low, high = (x[known] for x in limited)
        fine = ~np.isnan(estimate)
        assert (low[fine] <= estimate[fine]).all() and (estimate[fine] <= high[fine]).all()
        assert (low >= lowest).all() and (high <= highest).all()
    tested = found.p_value[~np.isnan(found.p_value)]
    assert ((tested >= 0) & (tested <= 1)).all()
    few = cell < 2
    alone = clustered_contrast(cell[few], cluster[few], k[few], n[few], baseline[:2])
    assert alone.difference.low[0] == found.difference.low[0]
    order = np.random.default_rng(seed).permutation(cell.size)
    shuffled = clustered_contrast(cell[order], cluster[order], k[order], n[order], baseline)
    np.testing.assert_allclose(shuffled.difference.low, found.difference.low, rtol=1e-9, atol=1e-12)


def test_what_sellers_have_in_common_is_no_difference():
    """The same sellers on both sides, each alike on both: the interval is far narrower."""
    cell, cluster = np.indices((2, 20)).reshape(2, -1)
    n = np.full(40, 50)
    k = np.tile(np.arange(5, 45, 2), 2) + np.where(cell == 1, 2, 0)
    shared = clustered_contrast(cell, cluster, k, n, np.array([1, -1]))
    apart = clustered_contrast(cell, cluster + 20 * cell, k, n, np.array([1, -1]))
    widths = [(f.difference.high - f.difference.low)[0] for f in (shared, apart)]
    assert widths[0] < 0.3 * widths[1]
    assert shared.p_value[0] < 0.05 < apart.p_value[0]
    assert shared.interval[0] == "Newcombe, clustered by cluster, clusters on both sides"


def test_one_seller_on_a_side_makes_no_test():
    found = clustered_contrast(
        np.array([0, 1, 1]), np.array([0, 0, 1]), [3, 4, 2], [5, 9, 9], np.array([1, -1])
    )
    assert np.isnan(found.p_value[0]) and not np.isnan(found.difference.low[0])
    assert found.interval[0] == "Newcombe, too few to cluster by cluster"
    with pytest.raises(ValueError, match="baseline must be below 2, got 5"):
        clustered_contrast(np.array([0, 1]), np.zeros(2, int), [1, 1], [2, 2], np.array([5, -1]))


# standardised shares


@some
@given(seeds)
def test_one_stratum_is_no_standardisation(seed):
    cell, cluster, k, n = drawn(seed)
    n = np.maximum(n, 1)
    found = standardised_share(cell, np.zeros_like(cell), cluster, k, n, np.ones(1))
    expected = ratio_interval(cell, k, n)
    for name in ("estimate", "low", "high"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-12)


@some
@given(seeds)
def test_a_standardised_share_is_the_weighted_mean_of_its_strata(seed):
    stratum, cluster, k, n = drawn(seed)
    standard = np.random.default_rng(seed).uniform(0.1, 1, 3)
    zero = np.zeros_like(stratum)
    found = standardised_share(zero, stratum, cluster, k, n, standard, level=0.9)
    size, events = np.bincount(stratum, n, 3), np.bincount(stratum, k, 3)
    covered = standard[size > 0].sum() / standard.sum()
    assert found.coverage_share[0] == pytest.approx(covered)
    if (size == 0).any():
        assert np.isnan([found.estimate, found.low, found.high]).all()
        return
    expected = (standard * events / size).sum() / standard.sum()
    assert found.estimate[0] == pytest.approx(expected, abs=1e-12)
    assert 0 <= found.low[0] <= found.estimate[0] <= found.high[0] <= 1
    own = standardised_share(zero, stratum, cluster, k, n, size)
    assert own.estimate[0] == pytest.approx(k.sum() / n.sum(), abs=1e-12)  # its own mix
    twice = standardised_share(zero, stratum, cluster, k, n, standard * 2, level=0.9)
    np.testing.assert_allclose(twice.low, found.low, rtol=1e-12)


def test_a_stratum_in_which_all_succeed_still_leaves_doubt():
    zero, stratum = np.zeros(2, int), np.arange(2)
    found = standardised_share(zero, stratum, zero, [3, 50], [3, 100], np.ones(2), clusters=None)
    assert found.estimate[0] == 0.75
    certain = standardised_share(zero, stratum, zero, [300, 50], [300, 100], [1, 1], clusters=None)
    assert found.high[0] - found.low[0] > 1.5 * (certain.high[0] - certain.low[0])


@pytest.mark.parametrize("bad", [[-1.0, 2.0], [0.0, 0.0], [np.nan, 1.0]])
def test_a_standard_without_weights_is_refused(bad):
    zero = np.zeros(2, int)
    with pytest.raises(ValueError, match="standard must be weights"):
        standardised_share(zero, np.arange(2), zero, [1, 1], [2, 2], bad)


# coverage, with clusters of very unequal sizes


def clustered_draws(random, draws, clusters, rates, shared):
    """Successes of clusters whose propensities vary, in cells that share some of the clusters."""
    from scipy.special import betaincinv

    n = np.maximum(random.lognormal(1.5, 1.0, (len(rates), draws, clusters)).astype(int), 1)
    common = random.random((draws, clusters))
    k, name = [], []
    for i, rate in enumerate(rates):
        own = (random.random((draws, clusters)) >= shared) & (i > 0)
        propensity = np.where(own, random.random((draws, clusters)), common)
        chance = betaincinv(rate * 6, (1 - rate) * 6, propensity)
        k.append(random.binomial(n[i], chance))
        name.append(np.arange(clusters) + np.where(own, clusters * i, 0))
    return np.array(k), n, np.array(name)


@pytest.mark.study
@pytest.mark.parametrize("shared", [0.0, 1.0])
def test_intervals_of_differences_cover_as_often_as_they_say(shared):
    draws, rates = 1500, (0.6, 0.45)
    k, n, name = clustered_draws(np.random.default_rng(3), draws, 30, rates, shared)
    side, draw, _ = np.indices(k.shape)
    baseline = np.where(np.arange(2 * draws) < draws, np.arange(draws, 3 * draws), -1)
    group = side * draws + draw
    found = clustered_contrast(*(x.ravel() for x in (group, name, k, n)), baseline)
    for limited, true in ((found.difference, rates[0] - rates[1]), (found.ratio, 4 / 3)):
        covered = (limited.low <= true) & (true <= limited.high)
        assert 0.93 <= covered[:draws].mean() <= 0.97


@pytest.mark.study
def test_intervals_of_standardised_shares_cover_as_often_as_they_say():
    draws, rates, standard = 1500, (0.9, 0.5, 0.2), np.array([0.5, 0.3, 0.2])
    k, n, name = clustered_draws(np.random.default_rng(4), draws, 40, rates, 1.0)
    stratum, draw, _ = np.indices(k.shape)
    found = standardised_share(*(x.ravel() for x in (draw, stratum, name, k, n)), standard)
    true = (standard * rates).sum()
    assert 0.93 <= ((found.low <= true) & (true <= found.high)).mean() <= 0.97
