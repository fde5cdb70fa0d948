"""Limits from the beta distribution: Jeffreys's, Clopper and Pearson's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betainccinv, betaincinv, ndtr
from scipy.stats import binom, gamma

from analysis.stats import clopper_pearson, jeffreys
from analysis.stats.shares.beta_quantiles import beta_quantile
from analysis.stats.shares.expansions import cornish_fisher

REFERENCE = Path(__file__).parents[1] / "reference" / "stats" / "beta_limits.csv"
counts = st.integers(0, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(("limits", "name"), [(jeffreys, "jeffreys"), (clopper_pearson, "clopper")])
def test_limits_equal_r(limits, name):
    for level, part in pd.read_csv(REFERENCE).groupby("level"):
        low, high = limits(part["k"], part["n"], level=level)
        np.testing.assert_allclose(low, part[f"{name}_low"], rtol=1e-10)
        np.testing.assert_allclose(high, part[f"{name}_high"], rtol=1e-10)


@given(counts, st.sampled_from([0.5, 0.8, 0.95, 0.999]))
def test_exact_limits_are_where_the_tail_has_just_its_share(pair, level):
    k, n = pair
    low, high = (float(limit) for limit in clopper_pearson(k, n, level=level))
    if n == 0:
        assert np.isnan([low, high]).all()
        return
    assert 0 <= low <= k / n <= high <= 1
    tail = (1 - level) / 2
    assert low == 0 if k == 0 else binom.sf(k - 1, n, low) == pytest.approx(tail, rel=1e-9)
    assert high == 1 if k == n else binom.cdf(k, n, high) == pytest.approx(tail, rel=1e-9)


@given(counts, st.sampled_from([0.5, 0.8, 0.95, 0.999]))
def test_jeffreys_lies_inside_the_exact_limits_and_around_the_share(pair, level):
    k, n = pair
    inside, outside = jeffreys(k, n, level=level), clopper_pearson(k, n, level=level)
    if n:
        assert outside[0] <= inside[0] <= k / n <= inside[1] <= outside[1]
        mirrored = jeffreys(n - k, n, level=level)
        np.testing.assert_allclose(1 - mirrored[1], inside[0], atol=1e-12)


def test_none_and_all_have_limits_of_exactly_0_and_1():
    n = np.array([1, 3, 7, 1000, 10**9])
    for limits in (jeffreys, clopper_pearson):
        assert (limits(0, n)[0] == 0).all() and (limits(n, n)[1] == 1).all()
        assert np.isnan(limits(0, 0)).all()


def test_counts_broadcast_and_need_not_be_whole():
    low, high = jeffreys(np.array([[1], [2.5]]), np.array([3, 10]))
    assert low.shape == high.shape == (2, 2)
    assert low[1, 0] == pytest.approx(betaincinv(3, 1, 0.025), rel=1e-12)


@pytest.mark.parametrize("bad", [(-1, 3), (4, 3), (np.nan, 3)])
def test_impossible_counts_are_refused(bad):
    for limits in (jeffreys, clopper_pearson):
        with pytest.raises(ValueError, match="must be at"):
            limits(*bad)


SIZES = {  # name -> counts of many cells: every way in which a quantile is found
    "small": lambda r, m: (r.integers(0, 31, m), r.integers(30, 61, m)),
    "middling": lambda r, m: (r.integers(0, 400, m), r.integers(400, 1000, m)),
    "large": lambda r, m: (r.integers(0, 10**5, m), r.integers(10**5, 2 * 10**5, m)),
    "huge": lambda r, m: (r.integers(0, 10**9, m), r.integers(10**9, 2 * 10**9, m)),
    "rare": lambda r, m: (r.integers(0, 120, m), r.integers(10**3, 10**8, m)),
    "common": lambda r, m: (10**7 - r.integers(0, 120, m), np.full(m, 10**7)),
    "weighted": lambda r, m: (r.random(m) * 50, 50 + r.random(m) * 10**4),
    "weighted little": lambda r, m: (r.random(m) * 0.1, 0.1 + r.random(m)),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("level", [0.2, 0.95, 0.9999])
def test_quantiles_of_many_cells_equal_those_of_each_alone(size, level):
    k, n = SIZES[size](np.random.default_rng(5), 5000)
    tail = (1 - level) / 2
    few = slice(0, 400)
    low = beta_quantile(k + 0.5, n - k + 0.5, tail)[few]
    np.testing.assert_allclose(low, betaincinv(k + 0.5, n - k + 0.5, tail)[few], rtol=1e-10)
    rest = beta_quantile(n - k + 0.5, k + 0.5, tail, complement=True)[few]
    np.testing.assert_allclose(rest, betainccinv(k + 0.5, n - k + 0.5, tail)[few], rtol=1e-10)


def test_the_order_and_the_company_of_cells_change_next_to_nothing():
    k, n = SIZES["middling"](np.random.default_rng(6), 3000)
    whole = jeffreys(k, n)
    np.testing.assert_allclose(jeffreys(k[::-1], n[::-1])[0][::-1], whole[0], rtol=1e-11)
    alone = [float(jeffreys(a, b)[1]) for a, b in zip(k[:50], n[:50], strict=True)]
    np.testing.assert_allclose(alone, whole[1][:50], rtol=1e-11)


@pytest.mark.parametrize(("orders", "error"), [(2, 5e-3), (4, 4e-4), (6, 8e-5)])
def test_the_expansion_comes_nearer_to_the_quantiles_of_a_gamma_with_every_order(orders, error):
    shape, z = 8.0, np.array([-1.5, 0.0, 1.0])
    factorials = np.cumprod(np.arange(1, orders + 2))
    cumulants = [np.array([f * shape ** (1 - (i + 3) / 2)]) for i, f in enumerate(factorials[1:])]
    for at in z:
        exact = (gamma.ppf(ndtr(at), shape) - shape) / np.sqrt(shape)
        found, last = cornish_fisher(cumulants, float(at))
        assert abs(found[0] - exact) < error
        assert abs(last[0]) < 30 * error
