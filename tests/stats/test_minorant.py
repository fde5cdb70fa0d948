"""Many sets of interval-censored counts at once: each finds its own maximum."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.stats.curves import minorant
from analysis.stats.curves.maximum import maximised
from analysis.stats.curves.minorant import minorant_masses
from analysis.stats.curves.mixtures import Allowed, gap, log_likelihood


def problem(seed, sets=5, m=30, rows=150):
    """Cells that no observation is without, and Poisson counts of several sets, many of them 0."""
    rng = np.random.default_rng(seed)
    first = np.concatenate([np.arange(m), rng.integers(0, m, rows)])
    last = np.concatenate([np.arange(m), np.minimum(first[m:] + rng.integers(0, 9, rows), m - 1)])
    n = rng.poisson(0.7, (sets, len(first))).astype(float)
    n[:, :m] = 0  # nothing is known exactly
    return Allowed(m, first, last), n


@pytest.mark.parametrize("seed", range(4))
def test_each_set_reaches_the_maximum_that_newton_finds(seed):
    cells, n = problem(seed)
    even = np.full(cells.m, 1 / cells.m)
    found = minorant_masses(cells, n, even, tolerance=1e-7, steps=500)
    for counts, mass in zip(n, found, strict=True):
        best = maximised(cells, counts)
        assert mass.sum() == pytest.approx(1) and (mass >= 0).all()
        assert gap(cells, counts, mass) <= 1e-7 * 1.01
        assert log_likelihood(cells, counts, mass) == pytest.approx(best.log_likelihood, abs=2e-7)


def test_a_cell_without_mass_gets_some_where_it_should_have():
    cells = Allowed(3, np.array([0, 1, 0]), np.array([0, 1, 2]))
    n, start = np.array([[3.0, 1.0, 2.0]]), np.array([0.5, 1e-12, 0.5 - 1e-12])
    found = minorant_masses(cells, n, start, tolerance=1e-9, steps=200)
    assert found[0] == pytest.approx([0.75, 0.25, 0.0], abs=1e-8)


def test_sets_do_not_influence_each_other(monkeypatch):
    cells, n = problem(9, sets=7)
    even = np.full(cells.m, 1 / cells.m)
    together = minorant_masses(cells, n, even, tolerance=0.01, steps=50)
    alone = [minorant_masses(cells, one[None], even, tolerance=0.01, steps=50)[0] for one in n]
    assert together == pytest.approx(np.array(alone), abs=1e-12)
    monkeypatch.setattr(minorant, "BESIDE", 3)
    assert minorant_masses(cells, n, even, tolerance=0.01, steps=50) == pytest.approx(together)


def test_no_step_lowers_the_likelihood():
    cells, n = problem(3, sets=4)
    even = np.full(cells.m, 1 / cells.m)
    heights = [
        [
            log_likelihood(cells, counts, mass)
            for counts, mass in zip(
                n, minorant_masses(cells, n, even, tolerance=0.0, steps=k), strict=True
            )
        ]
        for k in range(1, 12)
    ]
    assert (np.diff(heights, axis=0) >= -1e-9).all()
