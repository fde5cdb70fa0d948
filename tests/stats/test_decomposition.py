"""Mix and rate effects add up to the change, and their limits hold what they promise."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.stats import rate_change
from analysis.stats.scales import t_quantile


def rows(seed, clusters=12, cells=3, largest=9):
    """Counts by period, cell and cluster; now and then none."""
    rng = np.random.default_rng(seed)
    period, cell, cluster = (x.ravel() for x in np.indices((2, cells, clusters)))
    n = rng.integers(0, largest, len(cell))
    return period, cell, rng.binomial(n, rng.random(len(n))), n, cluster


def by_definition(period, cell, k, n):
    """Kitagawa (1955) with fractions: mix and rate effect of every cell."""
    size = [[sum(n[(period == t) & (cell == c)].tolist()) for c in range(3)] for t in (0, 1)]
    won = [[sum(k[(period == t) & (cell == c)].tolist()) for c in range(3)] for t in (0, 1)]
    crude = [Fraction(sum(won[t]), sum(size[t])) for t in (0, 1)]
    parts = []
    for c in range(3):
        share = [Fraction(size[t][c], sum(size[t])) for t in (0, 1)]
        rate = [Fraction(won[t][c], size[t][c]) if size[t][c] else None for t in (0, 1)]
        rate = [rate[1 - t] if rate[t] is None else rate[t] for t in (0, 1)]
        if rate[0] is None:
            parts.append((None, None))
            continue
        mean = (rate[0] + rate[1]) / 2 - (crude[0] + crude[1]) / 2
        gain = rate[1] - rate[0]
        parts.append((mean * (share[1] - share[0]), (share[0] + share[1]) / 2 * gain))
    return crude[1] - crude[0], parts


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), empty=st.sampled_from(["none", "new", "gone", "nowhere"]))
def test_equal_the_definition_and_add_up_exactly(seed, empty):
    period, cell, k, n, _ = rows(seed)
    gone = {"none": np.zeros(len(n), bool), "new": period == 0, "gone": period == 1}
    k, n = (np.where((cell == 2) & gone.get(empty, cell == 2), 0, x) for x in (k, n))
    found = rate_change(period, cell, k, n)
    change, parts = by_definition(period, cell, k, n)
    assert found.whole.estimate[0] == pytest.approx(float(change), abs=1e-14)
    for c, (mix, rate) in enumerate(parts):
        if mix is None:
            assert np.isnan([found.mix.estimate[c], found.rate.estimate[c]]).all()
            continue
        assert found.mix.estimate[c] == pytest.approx(float(mix), abs=1e-14)
        assert found.rate.estimate[c] == pytest.approx(float(rate), abs=1e-14)
        assert found.both.estimate[c] == pytest.approx(float(mix + rate), abs=1e-14)
    assert np.nansum(found.mix.estimate) == pytest.approx(found.whole.estimate[1], abs=1e-14)
    assert np.nansum(found.rate.estimate) == pytest.approx(found.whole.estimate[2], abs=1e-14)
    assert found.whole.estimate[1:].sum() == pytest.approx(float(change), abs=1e-14)
    if empty in ("new", "gone"):
        assert found.rate.estimate[2] == 0
        assert np.isnan(found.rate.variance[2])
        assert found.mix.variance[2] > 0


def everything(found):
    """All estimates in a row."""
    return np.concatenate([effects.estimate for effects in found[:4]])


def variances(found):
    return np.concatenate([effects.variance for effects in found[:4]])


@pytest.mark.parametrize("new", [False, True])
def test_cluster_variances_are_those_of_leaving_out_one_cluster_at_a_time(new):
    period, cell, k, n, cluster = rows(3, clusters=60, largest=40)
    if new:
        k, n = (np.where((cell == 2) & (period == 0), 0, x) for x in (k, n))
    k = np.where(cluster % 2 == 0, n, np.minimum(k, n))  # clusters differ much
    found = rate_change(period, cell, k, n, cluster=cluster)
    left = np.array(
        [
            everything(rate_change(*(x[cluster != g] for x in (period, cell, k, n))))
            for g in range(60)
        ]
    )
    jackknife = ((left - left.mean(axis=0)) ** 2).sum(axis=0) * 59 / 60
    known = ~np.isnan(variances(found))
    assert known.sum() == (11 if new else 12)
    large = known & (np.sqrt(jackknife) > 1e-3)
    np.testing.assert_allclose(
        np.sqrt(variances(found))[large], np.sqrt(jackknife)[large], rtol=0.08
    )
    assert large.sum() >= 7


def test_lone_cases_are_clusters_of_one_case():
    period, cell, k, n, _ = rows(5, clusters=4, largest=5)
    pooled = rate_change(
        period, cell, k, n, cluster=np.zeros(len(n), int), alone=np.ones(len(n), bool)
    )
    single = np.repeat(np.arange(len(n)), n)
    first = np.concatenate([[0], np.cumsum(n)[:-1]])
    y = (np.arange(n.sum()) - first[single] < k[single]).astype(int)
    each = rate_change(period[single], cell[single], y, np.ones(len(y)), cluster=np.arange(len(y)))
    assert pooled.n_clusters == each.n_clusters == n.sum()
    np.testing.assert_allclose(variances(pooled), variances(each), rtol=1e-9)
    np.testing.assert_allclose(pooled.rate.df, each.rate.df, rtol=1e-9)


@given(seed=st.integers(0, 1000))
@settings(max_examples=10)
def test_the_order_and_the_pieces_of_the_rows_change_nothing(seed):
    period, cell, k, n, cluster = rows(seed)
    whole = rate_change(period, cell, k, n, cluster=cluster)
    order = np.random.default_rng(seed).permutation(len(n))
    twice = np.concatenate([order, order])
    half = rate_change(
        period[twice], cell[twice], k[twice] / 2, n[twice] / 2, cluster=cluster[twice]
    )
    np.testing.assert_allclose(everything(half), everything(whole), atol=1e-12)
    np.testing.assert_allclose(variances(half), variances(whole), rtol=1e-8)


def test_a_time_without_cases_and_one_cluster():
    period, cell, k, n, cluster = rows(7)
    nothing = rate_change(period, cell, k * period, n * period, cluster=cluster)
    assert np.isnan(everything(nothing)).all()
    alone = rate_change(period, cell, k, n, cluster=np.zeros(len(n), int))
    assert alone.n_clusters == 1
    np.testing.assert_allclose(variances(alone), variances(rate_change(period, cell, k, n)))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="period must be 0 or 1"):
        rate_change(np.array([0, 2]), np.array([0, 0]), np.array([1, 1]), np.array([2, 2]))
    with pytest.raises(ValueError, match="k must be at most n"):
        rate_change(np.array([0, 1]), np.array([0, 0]), np.array([3, 1]), np.array([2, 2]))


@pytest.mark.study
def test_limits_cover_the_truth_with_sellers_that_differ():
    """60 sellers of unequal size who differ in kind and in success, who stay in both times."""
    rng = np.random.default_rng(20260102)
    clusters, share = 60, np.array([[0.5, 0.3, 0.2], [0.4, 0.3, 0.3]])
    rate = np.array([[0.7, 0.4, 0.1], [0.6, 0.45, 0.1]])
    crude = (share * rate).sum(axis=1)
    truth = np.concatenate(
        [
            (rate.mean(axis=0) - crude.mean()) * (share[1] - share[0]),
            share.mean(axis=0) * (rate[1] - rate[0]),
        ]
    )
    covered, change = [], []
    period, cell, cluster = (x.ravel() for x in np.indices((2, 3, clusters)))
    for _ in range(1000):
        volume = rng.lognormal(2.5, 0.8, clusters)
        mixes = [rng.dirichlet(8 * share[t], clusters) for t in (0, 1)]
        lean = rng.beta(4, 4, clusters) - 0.5
        n = np.array(
            [
                [rng.multinomial(rng.poisson(v), m) for v, m in zip(volume, mixes[t], strict=True)]
                for t in (0, 1)
            ]
        ).transpose(0, 2, 1)
        p = np.clip(rate[:, :, None] + np.minimum(rate, 1 - rate)[:, :, None] * lean, 0, 1)
        k = rng.binomial(n, p)
        found = rate_change(period, cell, k.ravel(), n.ravel(), cluster=cluster)
        estimate = np.concatenate([found.mix.estimate, found.rate.estimate])
        variance = np.concatenate([found.mix.variance, found.rate.variance])
        df = np.concatenate([found.mix.df, found.rate.df])
        covered.append(abs(estimate - truth) <= t_quantile(df, 0.95) * np.sqrt(variance))
        reach = t_quantile(found.whole.df, 0.95) * np.sqrt(found.whole.variance)
        change.append(abs(found.whole.estimate[0] - np.diff(crude)[0]) <= reach[0])
    print(np.mean(covered, axis=0), np.mean(change))
    some = np.array([True, False, True, True, True, True])  # the mix of the second cell is 0
    assert ((np.mean(covered, axis=0) >= 0.92) & (np.mean(covered, axis=0) <= 0.98))[some].all()
    assert 0.93 <= np.mean(change) <= 0.975
