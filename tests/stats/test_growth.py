"""How a cost grows: powers and straight lines, beside SciPy's regression and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import linregress, t

from analysis.stats.growth import cost_at, growth_exponent

SIZES = np.array([1e4, 1e5, 1e6, 1e7])
NOISE = np.array([1.02, 0.97, 1.05, 0.99])


def test_a_power_is_found_again():
    fit = growth_exponent(SIZES, 3e-4 * SIZES**1.3)
    np.testing.assert_allclose(fit, (1.3, 1.3, 1.3), rtol=1e-9)


def test_limits_of_an_exponent_are_those_of_a_regression_on_logarithms():
    costs = 1e-3 * SIZES**0.8 * NOISE
    fit = growth_exponent(SIZES, costs, level=0.9)
    known = linregress(np.log(SIZES), np.log(costs))
    half = t.ppf(0.95, 2) * known.stderr
    expected = (known.slope, known.slope - half, known.slope + half)
    np.testing.assert_allclose(fit, expected, rtol=1e-10)


def test_a_straight_line_is_carried_on():
    fit = cost_at(1e9, SIZES, 5 + 2e-6 * SIZES)
    np.testing.assert_allclose(fit, (2005, 2005, 2005), rtol=1e-6)


def test_limits_of_a_cost_count_the_error_of_one_more_measurement():
    costs = (5 + 2e-6 * SIZES) * NOISE
    fit = cost_at(1e8, SIZES, costs)
    # least squares of (a + b size) / cost on 1: normal equations written out
    u, v = 1 / costs, SIZES / costs
    square = np.array([[u @ u, u @ v], [u @ v, v @ v]])
    a, b = np.linalg.solve(square, [u.sum(), v.sum()])
    variance = ((1 - a * u - b * v) ** 2).sum() / 2
    at = np.array([1, 1e8])
    error = np.sqrt(variance * (at @ np.linalg.solve(square, at) + (a + b * 1e8) ** 2))
    half = t.ppf(0.975, 2) * error
    estimate = a + b * 1e8
    np.testing.assert_allclose(fit, (estimate, max(estimate - half, 0), estimate + half), rtol=1e-7)


@pytest.mark.parametrize(("n", "has_estimate"), [(0, False), (1, False), (2, True)])
def test_few_sizes_have_no_limits(n, has_estimate):
    for fit in (growth_exponent(SIZES[:n], SIZES[:n]), cost_at(1e9, SIZES[:n], SIZES[:n])):
        assert np.isfinite(fit.estimate) == has_estimate
        assert np.isnan([fit.low, fit.high]).all()


def test_one_size_measured_twice_is_one_size():
    twice = np.array([1e5, 1e5])
    assert np.isnan(growth_exponent(twice, np.array([1.0, 2.0]))).all()
