"""Funnels: limits hold what they say, dispersion is found in spite of outliers, exact tails."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom, binom

from analysis.stats import dispersion, funnel_limits, two_sided_p, wide_limits


def test_between_the_limits_lies_what_the_level_says():
    for target in (0.3, 0.55, 0.9):
        n = np.array([50, 200, 1000])
        low, high = funnel_limits(target, n, level=0.95)
        inside = binom.cdf(np.floor(high * n), n, target) - binom.cdf(
            np.ceil(low * n) - 1, n, target
        )
        assert inside == pytest.approx(np.full(3, 0.95), abs=0.025)


def test_limits_narrow_without_jumps_as_groups_grow():
    low, high = funnel_limits(0.4, np.arange(5, 400))
    assert np.diff(high - low).max() < 0.012
    assert (high - low)[-1] < 0.1 < 0.6 < (high - low)[0]
    assert np.isnan(funnel_limits(0.4, 0)).all()
    assert [float(x) for x in funnel_limits(1.0, 7)] == [1, 1]


def test_dispersion_is_1_by_chance_and_survives_outliers():
    rng = np.random.default_rng(1)
    z = rng.normal(size=20_000)
    assert dispersion(z, np.ones(len(z))).phi == pytest.approx(1, abs=0.03)
    assert dispersion(z, np.ones(len(z)), consistent=False).phi == pytest.approx(0.68, abs=0.03)
    spoilt = np.where(rng.uniform(size=len(z)) < 0.03, z + 8, z)
    assert dispersion(spoilt, np.ones(len(z))).phi < 1.15
    assert dispersion(spoilt, np.ones(len(z)), winsorise=0).phi > 2.5


def test_the_variance_between_groups_is_recovered():
    rng = np.random.default_rng(2)
    variance = rng.uniform(0.0005, 0.01, 5000)
    deviation = rng.normal(0, np.sqrt(variance + 0.03**2))
    assert dispersion(deviation, variance).variance == pytest.approx(0.03**2, rel=0.15)
    assert dispersion(rng.normal(0, 0.5 * np.sqrt(variance)), variance).variance == 0
    assert dispersion([0.1], [0.01]) == (1.0, 0.0, 1)
    with pytest.raises(ValueError, match=r"winsorise must be in \[0, 0.5\), got 0.5"):
        dispersion([0.1, 0.2], [0.01, 0.01], winsorise=0.5)


def test_wide_limits_are_multiplicative_or_additive():
    low, high = wide_limits(0.5, 0.0004, phi=4, level=0.95)
    assert (high - low) / 2 == pytest.approx(1.959964 * 0.04, rel=1e-6)
    low, high = wide_limits(0.5, 0.0004, between=0.0012, level=0.95)
    assert (high - low) / 2 == pytest.approx(1.959964 * 0.04, rel=1e-6)
    assert [float(x) for x in wide_limits(0.99, 0.04)][1] == 1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 300), st.floats(0.01, 0.99), st.floats(0, 0.9), st.randoms())
def test_tails_are_those_of_the_distributions(n, target, part, random):
    k, between = random.randint(0, n), part * target * (1 - target)
    m = target * (1 - target) / between - 1 if between > 1e-12 else np.inf
    one = betabinom(n, target * m, (1 - target) * m) if np.isfinite(m) else binom(n, target)
    expected = min(1, 2 * min(one.cdf(k), one.sf(k - 1))) if n else np.nan
    found = two_sided_p(k, n, target, between if between > 1e-12 else 0)
    assert float(found) == pytest.approx(expected, rel=1e-6, abs=1e-12, nan_ok=True)


def test_targets_at_the_edge():
    assert two_sided_p([0, 3], [5, 5], 0.0, 0.0).tolist() == [1, 0]
    assert two_sided_p([5, 3], [5, 5], 1.0, 0.1).tolist() == [1, 0]
    assert len(two_sided_p([], [], 0.5, 0.0)) == 0


def test_a_level_without_tails_is_refused():
    with pytest.raises(ValueError, match="level must leave tails"):
        funnel_limits(0.5, np.array([10]), level=0.9999999999999999)
