"""The masses of :mod:`analysis.stats.curves.mixtures` at the maximum of a likelihood."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.curves.minorant import minorant_masses
from analysis.stats.curves.mixtures import Allowed, gap, log_likelihood

NEWTON_CELLS = 1500  # more than this many cells with mass are left to the convex minorant
NEWTON_STEPS = 200
FIRST_STEPS, LAST_STEPS = 20, 3000  # to the convex minorant, before and after those of Newton


class Maximum(NamedTuple):
    """Masses of all cells, and how sure it is that they are at the maximum."""

    mass: np.ndarray
    log_likelihood: float
    gap: float  # the log-likelihood is within this of its maximum


def maximised(cells: Allowed, n: np.ndarray, *, tolerance: float = 1e-10) -> Maximum:
    """Masses at the maximum of the likelihood, with the gap that certifies it.

    Parameters
    ----------
    cells
        Which observation allows which cells.
    n
        Counts of the observations, not all 0.
    tolerance
        Largest gap for each observation counted.

    Returns
    -------
    Maximum
        Masses, log-likelihood and gap.

    Notes
    -----
    Steps to the iterative convex minorant, then Newton steps on the cells that carry mass, to
    which cells with the steepest gradient are added and from which those at 0 are dropped.
    Source: Wang (2007), J. R. Stat. Soc. B 69:185-198, with a projected Newton step in place of
    the quadratic programme.

    Examples
    --------
    >>> cells = Allowed(3, np.array([0, 1, 2]), np.array([0, 2, 2]))
    >>> found = maximised(cells, np.array([2.0, 1.0, 1.0]))
    >>> found.mass.round(9).tolist(), found.gap < 1e-9
    ([0.5, 0.0, 0.5], True)
    """
    n = np.asarray(n, dtype=float)
    enough = tolerance * float(n.sum())
    mass = _minorant(cells, n, np.full(cells.m, 1 / cells.m), enough, FIRST_STEPS)
    for _ in range(NEWTON_STEPS):
        if gap(cells, n, mass) <= enough:
            break
        better = _newton(cells, n, mass)
        if better is None:
            mass = _minorant(cells, n, mass, enough, LAST_STEPS)
            break
        mass = better
    return Maximum(mass, log_likelihood(cells, n, mass), gap(cells, n, mass))


def _minorant(
    cells: Allowed, n: np.ndarray, start: np.ndarray, enough: float, steps: int
) -> np.ndarray:
    return minorant_masses(cells, n[None], start, tolerance=enough, steps=steps)[0]


def _newton(cells: Allowed, n: np.ndarray, mass: np.ndarray) -> np.ndarray | None:
    """One Newton step on the cells that carry mass and the steepest others; None if it fails."""
    slope = cells.slope(n, mass) - n.sum()
    steep = np.pad(slope, 1, constant_values=-np.inf)
    peak = (slope > 0) & (slope >= steep[:-2]) & (slope >= steep[2:])
    falling = (mass < 1e-6) & (slope < -1e-3 * n.sum())
    support = np.flatnonzero(((mass > 0) & ~falling) | peak)
    if len(support) > NEWTON_CELLS:
        return None
    root = cells.incidence(support) * (np.sqrt(n) / cells.probability(mass))[:, None]
    base = np.zeros_like(mass)
    base[support] = mass[support] / mass[support].sum()
    change = np.zeros_like(mass)
    change[support] = _step(root.T @ root, slope[support])
    return _searched(cells, n, mass, base, change)


def _step(curvature: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Maximiser of the quadratic approximation among changes that add up to 0."""
    size = len(slope)
    system = np.ones((size + 1, size + 1))
    ridge = 1e-13 * np.trace(curvature) / size
    system[:size, :size] = curvature + ridge * np.eye(size)
    system[size, size] = 0
    wanted = np.append(slope, 0)
    try:
        return np.linalg.solve(system, wanted)[:size]
    except np.linalg.LinAlgError:  # cells that no count tells apart
        return np.linalg.lstsq(system, wanted, rcond=None)[0][:size]


def _searched(
    cells: Allowed, n: np.ndarray, mass: np.ndarray, base: np.ndarray, change: np.ndarray
) -> np.ndarray | None:
    """Masses along a change, cut at 0, that raise the likelihood the first time it is halved."""
    before = log_likelihood(cells, n, mass)
    slack = 1e-14 * abs(before)
    for half in range(40):
        new = np.maximum(base + change * 0.5**half, 0)
        new /= new.sum()
        if log_likelihood(cells, n, new) >= before - slack:
            return new
    return None
