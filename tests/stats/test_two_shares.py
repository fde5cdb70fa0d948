"""Two shares beside each other: published intervals, R, and a slow search of the likelihood."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from analysis.stats import (
    Limited,
    difference_of,
    mover_ratio,
    newcombe_difference,
    ratio_of,
    score_difference,
    score_ratio,
    wilson,
)

REFERENCE = Path(__file__).parents[1] / "reference" / "stats" / "two_shares.csv"
BOTH = [newcombe_difference, score_difference, mover_ratio, score_ratio]

counts = st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


# Newcombe (1998), table II: methods 5 (Mee), 6 (Miettinen and Nurminen) and 10 (his)
PUBLISHED = [
    ((56, 70, 48, 80), (0.0533, 0.3377), (0.0528, 0.3382), (0.0524, 0.3339)),
    ((9, 10, 3, 10), (0.1821, 0.8370), (0.1700, 0.8406), (0.1705, 0.8090)),
    ((6, 7, 2, 7), (0.0544, 0.8478), (0.0342, 0.8534), (0.0582, 0.8062)),
    ((5, 56, 0, 29), (-0.0313, 0.1926), (-0.0326, 0.1933), (-0.0381, 0.1926)),
    ((0, 10, 0, 20), (-0.1611, 0.2775), (-0.1658, 0.2844), (-0.1611, 0.2775)),
    ((0, 10, 0, 10), (-0.2775, 0.2775), (-0.2879, 0.2879), (-0.2775, 0.2775)),
    ((10, 10, 0, 20), (0.7225, 1.0), (0.7156, 1.0), (0.6791, 1.0)),
    ((10, 10, 0, 10), (0.6777, 1.0), (0.6636, 1.0), (0.6075, 1.0)),
]


@pytest.mark.parametrize(("cells", "mee", "miettinen_nurminen", "newcombe"), PUBLISHED)
def test_intervals_of_newcombes_table(cells, mee, miettinen_nurminen, newcombe):
    found = score_difference(*cells, corrected=False)
    assert [round(float(x), 4) for x in found[1:]] == list(mee)
    found = score_difference(*cells)
    assert [round(float(x), 4) for x in found[1:]] == list(miettinen_nurminen)
    found = newcombe_difference(*cells)
    assert [round(float(x), 4) for x in found[1:]] == list(newcombe)


def test_intervals_of_fagerland_lydersen_and_laake():
    """Statistical Analysis of Contingency Tables (2017), chapter 4: Perondi and Ritland."""
    perondi = 7, 34, 1, 34
    assert np.round(score_difference(*perondi, corrected=False)[1:], 4).tolist() == [0.0284, 0.3439]
    assert np.round(newcombe_difference(*perondi)[1:], 4).tolist() == [0.0189, 0.3404]
    found = score_difference(0, 16, 15, 72)
    assert np.round(found, 4).tolist() == [-0.2083, -0.3164, -0.0056]
    assert np.round(score_ratio(*perondi)[1:], 3).tolist() == [1.209, 43.033]
    assert np.round(score_ratio(*perondi, corrected=False)[1:], 3).tolist() == [1.221, 42.576]
    assert np.round(mover_ratio(*perondi)[1:], 3).tolist() == [1.154, 41.976]


def test_limits_equal_r():
    forms = {
        "newcombe": newcombe_difference,
        "mn": score_difference,
        "mee": lambda *cells, level: score_difference(*cells, level=level, corrected=False),
        "mn_ratio": score_ratio,
        "koopman": lambda *cells, level: score_ratio(*cells, level=level, corrected=False),
    }
    for level, part in pd.read_csv(REFERENCE).groupby("level"):
        for name, form in forms.items():
            found = form(*(part[c].to_numpy() for c in ("k1", "n1", "k2", "n2")), level=level)
            np.testing.assert_allclose(found.low, part[f"{name}_low"], atol=1e-9, rtol=1e-9)
            np.testing.assert_allclose(found.high, part[f"{name}_high"], atol=1e-9, rtol=1e-9)


# every table with up to LARGEST units a side, against a search


def all_tables(largest):
    cells = [(k, n) for n in range(1, largest + 1) for k in range(n + 1)]
    one, other = (
        np.array([cells[i] for i in index.ravel()]).T for index in np.indices([len(cells)] * 2)
    )
    return one[0], one[1], other[0], other[1]


def likeliest(slope, low, high):
    """Where a likelihood whose slope falls is largest: bisection, all tables side by side."""
    low, high = low.copy(), high.copy()
    for _ in range(60):
        middle = (low + high) / 2
        rises = slope(middle) > 0
        low, high = np.where(rises, middle, low), np.where(rises, high, middle)
    return (low + high) / 2


def part_of_slope(k, n, p):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(k > 0, k / p, 0.0) - np.where(n > k, (n - k) / (1 - p), 0.0)


def statistic_of_difference(cells, value):
    k1, n1, k2, n2 = cells

    def slope(x):
        return part_of_slope(k1, n1, x + value) + part_of_slope(k2, n2, x)

    p2 = likeliest(slope, np.maximum(0.0, -value), np.minimum(1.0, 1 - value))
    p1 = p2 + value
    variance = p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2
    return k1 / n1 - k2 / n2 - value, variance


def statistic_of_ratio(cells, value):
    k1, n1, k2, n2 = cells

    def slope(x):
        return value * part_of_slope(k1, n1, value * x) + part_of_slope(k2, n2, x)

    p2 = likeliest(slope, np.zeros(value.shape), np.minimum(1.0, 1 / value))
    p1 = value * p2
    variance = p1 * (1 - p1) / n1 + value**2 * p2 * (1 - p2) / n2
    return k1 / n1 - value * k2 / n2, variance


def just_rejects(statistic, cells, value, corrected):
    """Squared statistic over its critical value, which is 1 at a limit."""
    whole = cells[1] + cells[3]
    distance, variance = statistic(cells, value)
    factor = whole / (whole - 1) if corrected else 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        return distance**2 / (norm.ppf(0.975) ** 2 * factor * variance)


@pytest.mark.parametrize("corrected", [True, False])
def test_score_limits_of_all_small_tables_are_where_the_likelihood_says(corrected):
    cells = all_tables(12)
    whole = cells[1] + cells[3]
    factor = np.where(corrected, whole / (whole - 1), 1.0) * norm.ppf(0.975) ** 2
    found = score_difference(*cells, corrected=corrected)
    estimate = cells[0] / cells[1] - cells[2] / cells[3]
    for end, edge in ((found.low, -1.0), (found.high, 1.0)):
        inside, outside = estimate.copy(), np.full(estimate.shape, edge)
        for _ in range(44):
            middle = (inside + outside) / 2
            distance, variance = statistic_of_difference(cells, middle)
            beyond = distance**2 > factor * variance
            inside, outside = np.where(beyond, inside, middle), np.where(beyond, middle, outside)
        np.testing.assert_allclose(end, outside, atol=1e-9)


@pytest.mark.parametrize("corrected", [True, False])
def test_ratio_limits_of_all_small_tables_are_where_the_test_just_rejects(corrected):
    cells = all_tables(12)
    found = score_ratio(*cells, corrected=corrected)
    k1, n1, k2, n2 = cells
    assert ((found.low == 0) == (k1 == 0)).all() and (np.isinf(found.high) == (k2 == 0)).all()
    for end, known in ((found.low, k1 > 0), (found.high, k2 > 0)):
        part = tuple(x[known] for x in cells)
        value = end[known]
        at = just_rejects(statistic_of_ratio, part, value, corrected)
        np.testing.assert_allclose(at, 1, atol=1e-6)
        farther = value * (0.9 if end is found.low else 1.1)
        assert (just_rejects(statistic_of_ratio, part, farther, corrected) > 1).all()


@pytest.mark.parametrize("contrast", BOTH)
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_limits_of_all_small_tables_lie_around_the_estimate_and_in_range(contrast, level):
    k1, n1, k2, n2 = all_tables(12)
    found = contrast(k1, n1, k2, n2, level=level)
    is_difference = "difference" in contrast.__name__
    expected = k1 / n1 - k2 / n2
    if not is_difference:
        with np.errstate(divide="ignore", invalid="ignore"):
            expected = np.where(k2 > 0, (k1 / n1) / (k2 / n2), np.nan)
    np.testing.assert_allclose(found.estimate, expected, rtol=1e-14, atol=1e-15)
    known = ~np.isnan(expected)
    assert (found.low[known] <= found.estimate[known]).all()
    assert (found.estimate[known] <= found.high[known]).all()
    lowest, highest = (-1, 1) if is_difference else (0, np.inf)
    assert (found.low >= lowest).all() and (found.high <= highest).all()
    assert (found.low < found.high).all()


@pytest.mark.parametrize("contrast", BOTH)
def test_no_unit_on_one_side_is_no_number_and_no_error(contrast):
    found = contrast(np.array([0, 3, 0]), np.array([0, 5, 0]), np.array([2, 0, 0]), [4, 0, 0])
    assert np.isnan(found).all()
    assert not np.isnan(contrast(0, 1, 0, 1).low)


@settings(max_examples=40)
@given(counts, counts, st.sampled_from([0.5, 0.95, 0.99]))
def test_turned_around_the_difference_changes_its_sign_and_the_ratio_turns_over(one, other, level):
    for contrast in BOTH:
        there = contrast(*one, *other, level=level)
        back = contrast(*other, *one, level=level)
        if "difference" in contrast.__name__:
            np.testing.assert_allclose([-back.high, -back.low], there[1:], atol=1e-10)
        elif one[1] and other[1]:
            with np.errstate(divide="ignore"):
                turned = 1 / np.array([back.high, back.low])
            np.testing.assert_allclose(turned, there[1:], rtol=1e-8)


@settings(max_examples=40)
@given(counts, counts)
def test_difference_and_ratio_reject_no_difference_together(one, other):
    """Both score limits come from the same test where the shares are equal."""
    if one[1] and other[1] and one[0] + other[0] not in (0, one[1] + other[1]):
        difference, ratio = score_difference(*one, *other), score_ratio(*one, *other)
        far = min(abs(float(x)) for x in difference[1:]) > 1e-9
        if far:
            outside = difference.low > 0 or difference.high < 0
            assert outside == (ratio.low > 1 or ratio.high < 1)


@given(counts, counts, st.floats(-1, 1))
def test_a_correlation_narrows_and_its_opposite_widens(one, other, correlation):
    if not (one[1] and other[1]):
        return
    shares = [Limited(np.float64(k / n), *wilson(k, n)) for k, n in (one, other)]
    loose = difference_of(*shares)
    bound = difference_of(*shares, correlation=correlation)
    width, plain = bound.high - bound.low, loose.high - loose.low
    assert width <= plain + 1e-12 if correlation >= 0 else width >= plain - 1e-12
    assert bound.low <= bound.estimate <= bound.high
    ratio = ratio_of(*shares, correlation=correlation)
    if other[0]:
        assert 0 <= ratio.low <= ratio.estimate <= ratio.high


def test_ratio_limits_are_where_the_difference_reaches_zero():
    shares = Limited(0.8, 0.7, 0.9), Limited(0.6, 0.5, 0.65)
    for correlation in (-0.4, 0.0, 0.7):
        found = ratio_of(*shares, correlation=correlation)
        for ratio, end in ((found.low, 1), (found.high, 2)):
            scaled = Limited(*(ratio * x for x in shares[1]))
            difference = difference_of(shares[0], scaled, correlation=correlation)
            assert difference[end] == pytest.approx(0, abs=1e-12)


def test_lower_limits_of_a_ratio_to_nothing_are_where_the_test_rejects():
    cells = np.array([50, 1000, 1, 30]), np.array([200, 1000, 4, 9000]), 0, [150, 1000, 7, 3]
    found = score_ratio(*cells)
    assert found.low[:2] == pytest.approx([9.970129, 261.187613], rel=1e-6)
    assert (found.low < cells[1] * (np.array(cells[3]) + 1)).all()
    turned = score_ratio(0, cells[3], *cells[:2])
    assert turned.high == pytest.approx(1 / found.low, rel=1e-9)


def test_impossible_counts_are_refused():
    for contrast in BOTH:
        with pytest.raises(ValueError, match="k must be at most n"):
            contrast(3, 2, 1, 2)


@pytest.mark.study
@pytest.mark.parametrize("contrast", BOTH)
def test_intervals_cover_as_often_as_they_say(contrast):
    """Average over rates of the exact coverage at 40 and 25 units: between 93 and 97%."""
    from scipy.stats import binom

    n1, n2 = 40, 25
    k1, k2 = np.arange(n1 + 1)[:, None], np.arange(n2 + 1)[None]
    found = contrast(k1, n1, k2, n2)
    covered = []
    for p1 in (0.2, 0.5, 0.62, 0.9):
        for p2 in (0.15, 0.4, 0.7):
            true = p1 - p2 if "difference" in contrast.__name__ else p1 / p2
            inside = (found.low <= true) & (true <= found.high)
            weight = binom.pmf(k1, n1, p1) * binom.pmf(k2, n2, p2)
            covered.append((inside * weight).sum())
    assert 0.945 <= np.mean(covered) <= 0.965
    assert min(covered) >= 0.92
