"""Pseudo-observations against leaving out one spell after the other (R: tests/parity)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stats.clustered_spells import curve_of_one, curves_of_two

from analysis.stats import (
    Cells,
    incidence_at,
    pseudo_means,
    pseudo_observations,
    restricted_mean,
    restricted_time_lost,
)

TIMES = np.array([3, 0, 1, 5])
row = st.tuples(st.integers(0, 1), st.integers(0, 6), st.integers(0, 2), st.integers(1, 3))
rows = st.lists(row, min_size=1, max_size=15)


def cells_of(drawn):
    return Cells(*(np.array(column) for column in zip(*drawn, strict=True)))


def carried(curve, times, tau):
    """Shares at the times and mean up to ``tau`` of one group, the curve held where it ended."""
    last = np.searchsorted(curve.time, times, side="right") - 1
    survival = np.where(last >= 0, np.append(curve.survival, 1)[last], 1.0)
    shares = np.where(last[:, None] >= 0, np.vstack([curve.incidence, [0, 0]])[last], 0.0)
    edges = np.concatenate([[0], np.minimum(curve.time, tau), [tau]])
    mean = (np.diff(edges) * np.append(1.0, curve.survival)).sum()
    return survival, shares, mean


@settings(max_examples=60, deadline=None)
@given(rows, st.integers(1, 6))
def test_they_are_n_estimates_less_n_minus_1_without_the_spell(drawn, tau):
    cells = cells_of(drawn)
    curve = curves_of_two(cells)
    found, means = pseudo_observations(curve, cells, TIMES), pseudo_means(curve, cells, tau)
    for i in range(len(drawn)):
        own = cells.group == cells.group[i]
        fewer = cells.n - (np.arange(len(drawn)) == i)
        pair = [
            curves_of_two(Cells(0 * cells.group[own], cells.time[own], cells.end[own], n[own]))
            for n in (cells.n, fewer)
        ]
        n = cells.n[own].sum()
        whole, without = (carried(one, TIMES, tau) for one in pair)
        expected = [n * a - (n - 1) * b for a, b in zip(whole, without, strict=True)]
        known = pair[0].time[-1] >= TIMES
        np.testing.assert_allclose(found.survival[i][known], expected[0][known], atol=1e-10)
        np.testing.assert_allclose(found.incidence[i][known], expected[1][known], atol=1e-10)
        assert np.isnan(found.survival[i][~known]).all()
        if pair[0].time[-1] >= tau or pair[0].survival[-1] == 0:
            assert means[i] == pytest.approx(expected[2], abs=1e-10)
        else:
            assert np.isnan(means[i])


@given(rows)
def test_while_nobody_is_censored_they_are_what_happened(drawn):
    cells = cells_of([(0, time, max(end, 1), n) for _, time, end, n in drawn])
    curve = curves_of_two(cells)
    found = pseudo_observations(curve, cells, [2])
    known = cells.time.max() >= 2
    if known:
        np.testing.assert_allclose(found.survival[:, 0], cells.time > 2, atol=1e-10)
        happened = (cells.time <= 2)[:, None] & (cells.end[:, None] == [1, 2])
        np.testing.assert_allclose(found.incidence[:, 0], happened, atol=1e-10)
    np.testing.assert_allclose(pseudo_means(curve, cells, 4), np.minimum(cells.time, 4), atol=1e-10)


def test_their_mean_is_about_the_estimate():
    draws = np.random.default_rng(8)
    n = 600
    cells = Cells(np.zeros(n, int), draws.integers(1, 40, n), draws.integers(0, 3, n), np.ones(n))
    curve = curves_of_two(cells)
    found = pseudo_observations(curve, cells, [10, 25])
    at = incidence_at(curve, [10, 25])
    np.testing.assert_allclose(found.survival.mean(axis=0), at.survival[0], atol=2e-3)
    np.testing.assert_allclose(found.incidence.mean(axis=0), at.incidence[0], atol=2e-3)
    one, _ = curve_of_one(cells)
    mean = restricted_mean(one, 30).estimate[0]
    assert pseudo_means(curve, cells, 30).mean() == pytest.approx(mean, abs=0.05)
    assert mean == pytest.approx(30 - restricted_time_lost(curve, 30).estimate.sum(), rel=1e-12)


def test_late_entries_and_weights_are_refused():
    cells = cells_of([(0, 2, 1, 1), (0, 3, 0, 1)])
    curve = curves_of_two(cells)
    for more in ({"entry": np.array([0, 1])}, {"n_squared": np.ones(2)}):
        with pytest.raises(ValueError, match="from the beginning, of weight 1"):
            pseudo_observations(curve, cells._replace(**more), [1])
    with pytest.raises(ValueError, match="tau must be above 0"):
        pseudo_means(curve, cells, 0)
