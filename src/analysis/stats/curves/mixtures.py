"""Masses that maximise a likelihood of sums of neighbouring masses, with a certificate.

The problem behind interval-censored curves: cells ``0 .. m - 1`` carry masses that add up to 1,
an observation says that something happened in one of the cells ``first .. last``, and its
likelihood is the sum of their masses. Several sets of counts on one set of observations (a
sample and its bootstrap) are solved side by side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array

NEWTON_CELLS = 1500  # more than this many cells with mass are left to expectation-maximisation
LEAST = 1e-300  # keeps a probability that rounding made 0 out of the denominator


class Cells(NamedTuple):
    """Which of ``m`` cells each observation allows: ``first`` to ``last``, both included."""

    m: int
    first: np.ndarray
    last: np.ndarray

    def probabilities(self, mass: np.ndarray) -> np.ndarray:
        """Probability of each observation: sets x observations, of masses sets x cells."""
        below = np.cumsum(np.pad(mass, ((0, 0), (1, 0))), axis=1)
        return np.maximum(below[:, self.last + 1] - below[:, self.first], LEAST)

    def gradient(self, n: np.ndarray, probability: np.ndarray) -> np.ndarray:
        """Derivative of the log-likelihood by each mass: sets x cells."""
        weight = n / probability
        if len(n) > 1:
            return np.cumsum(weight @ self.changes(), axis=1)[:, :-1]
        begun = np.bincount(self.first, weight[0], self.m + 1)
        return np.cumsum(begun - np.bincount(self.last + 1, weight[0], self.m + 1))[None, :-1]

    def changes(self) -> csr_array:
        """1 where an observation's cells begin, -1 after they end: observations x cells + 1."""
        from scipy.sparse import coo_array

        row, ones = np.arange(len(self.first)), np.ones(len(self.first))
        pairs = (np.tile(row, 2), np.concatenate([self.first, self.last + 1]))
        return coo_array(
            (np.concatenate([ones, -ones]), pairs), shape=(len(row), self.m + 1)
        ).tocsr()

    def incidence(self, cells: np.ndarray) -> np.ndarray:
        """1 where an observation allows one of ``cells``: observations x cells."""
        return ((self.first[:, None] <= cells) & (cells <= self.last[:, None])).astype(float)


class Masses(NamedTuple):
    """Solutions of one or several sets of counts."""

    mass: np.ndarray  # sets x cells
    log_likelihood: np.ndarray
    gap: np.ndarray  # the log-likelihood is within this of its maximum


def log_likelihood(cells: Cells, n: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """Sum of ``n log p`` over the observations, of each set.

    Examples
    --------
    >>> cells = Cells(2, np.array([0, 1]), np.array([0, 1]))
    >>> log_likelihood(cells, np.array([[1.0, 1.0]]), np.array([[0.5, 0.5]])).round(4).tolist()
    [-1.3863]
    """
    return (n * np.log(cells.probabilities(mass))).sum(axis=1)


def gap(cells: Cells, n: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """How far below its maximum the log-likelihood can be at most, of each set.

    Notes
    -----
    The log-likelihood is concave, so no masses have one larger than ``max_j d_j - N`` above the
    present one, where ``d_j`` is its derivative by mass ``j`` and ``N`` the count: it is 0 at the
    maximum and only there. Source: Gentleman and Geyer (1994), Biometrika 81:618-623.

    Examples
    --------
    >>> cells = Cells(2, np.array([0, 1]), np.array([0, 1]))
    >>> gap(cells, np.array([[1.0, 3.0]]), np.array([[0.25, 0.75], [0.5, 0.5]])[:1]).tolist()
    [0.0]
    """
    return (cells.gradient(n, cells.probabilities(mass)) - _total(n)).max(axis=1)


def expectation_maximisation(
    cells: Cells, n: np.ndarray, *, tolerance: float, steps: int = 2000
) -> np.ndarray:
    """Masses of each set of counts with a gap of at most ``tolerance``, if ``steps`` suffice.

    Parameters
    ----------
    cells
        Which observation allows which cells.
    n
        Counts, sets x observations; each set has some.
    tolerance
        Largest gap of a set that is done.
    steps
        At most this many accelerated steps.

    Returns
    -------
    ndarray
        Masses, sets x cells.

    Notes
    -----
    Self-consistency (Turnbull 1976), squared extrapolation with step length ``-|r| / |v|`` and a
    fall-back to the plain step where it does not raise the likelihood. Source: Varadhan and
    Roland (2008), Scand. J. Statist. 35:335-353, scheme S3.

    Examples
    --------
    >>> cells = Cells(2, np.array([0, 1, 0]), np.array([0, 1, 1]))
    >>> n = np.array([[1.0, 3.0, 5.0]])
    >>> expectation_maximisation(cells, n, tolerance=1e-9).round(6).tolist()
    [[0.25, 0.75]]
    """
    mass = np.full((len(n), cells.m), 1 / cells.m)
    active = np.arange(len(n))
    for _ in range(steps):
        mass[active] = _squared(cells, n[active], mass[active])
        active = active[gap(cells, n[active], mass[active]) > tolerance]
        if not active.size:
            break
    return mass


def maximised(cells: Cells, n: np.ndarray, *, tolerance: float = 1e-10) -> Masses:
    """Masses of one set of counts at the maximum, with the gap that certifies it.

    Parameters
    ----------
    cells
        Which observation allows which cells.
    n
        Counts of the observations.
    tolerance
        Largest gap for each observation counted.

    Returns
    -------
    Masses
        Of one set.

    Notes
    -----
    Expectation-maximisation, then Newton steps on the cells that carry mass, to which cells with
    the steepest gradient are added and from which those at 0 are dropped. Source: Wang (2007),
    J. R. Stat. Soc. B 69:185-198, with a projected Newton step in place of the quadratic
    programme.

    Examples
    --------
    >>> cells = Cells(3, np.array([0, 1, 2]), np.array([0, 2, 2]))
    >>> found = maximised(cells, np.array([2.0, 1.0, 1.0]))
    >>> found.mass.round(9).tolist(), bool(found.gap[0] < 1e-9)
    ([[0.5, 0.0, 0.5]], True)
    """
    n = np.asarray(n, dtype=float)[None]
    enough = tolerance * float(n.sum())
    mass = expectation_maximisation(cells, n, tolerance=1e-2, steps=500)
    for _ in range(200):
        if gap(cells, n, mass)[0] <= enough:
            break
        better = _newton(cells, n, mass)
        if better is None:
            break
        mass = better
    mass = _polished(cells, n, mass, enough)
    return Masses(mass, log_likelihood(cells, n, mass), gap(cells, n, mass))


def _total(n: np.ndarray) -> np.ndarray:
    return n.sum(axis=1, keepdims=True)


def _plain(cells: Cells, n: np.ndarray, mass: np.ndarray) -> np.ndarray:
    new = mass * cells.gradient(n, cells.probabilities(mass)) / _total(n)
    return new / _total(new)


def _squared(cells: Cells, n: np.ndarray, mass: np.ndarray) -> np.ndarray:
    one = _plain(cells, n, mass)
    two = _plain(cells, n, one)
    change, bend = one - mass, two - 2 * one + mass
    size = np.sqrt(_total(change**2) / np.maximum(_total(bend**2), LEAST))
    far = mass + 2 * np.maximum(size, 1) * change + np.maximum(size, 1) ** 2 * bend
    far = np.where(far > 0, far, two * 1e-2)  # a mass of 0 would stay 0 for good
    far = _plain(cells, n, far / _total(far))
    better = log_likelihood(cells, n, far) >= log_likelihood(cells, n, two)
    return np.where(better[:, None], far, two)


def _polished(cells: Cells, n: np.ndarray, mass: np.ndarray, enough: float) -> np.ndarray:
    for _ in range(3000):
        if gap(cells, n, mass)[0] <= enough:
            break
        mass = _squared(cells, n, mass)
    return mass


def _newton(cells: Cells, n: np.ndarray, mass: np.ndarray) -> np.ndarray | None:
    """One Newton step on the cells that carry mass and the steepest others; None if it fails."""
    probability = cells.probabilities(mass)[0]
    slope = cells.gradient(n, probability[None])[0] - n.sum()
    here = mass[0]
    steep = np.pad(slope, 1, constant_values=-np.inf)
    peak = (slope > 0) & (slope >= steep[:-2]) & (slope >= steep[2:])
    falling = (here < 1e-6) & (slope < -1e-3 * n.sum())
    support = np.flatnonzero(((here > 0) & ~falling) | peak)
    if len(support) > NEWTON_CELLS:
        return None
    root = cells.incidence(support) * (np.sqrt(n[0]) / probability)[:, None]
    kept = here[support] / here[support].sum()
    step = _step(root.T @ root, slope[support])
    base = np.zeros_like(here)
    base[support] = kept
    return _searched(cells, n, mass, base, support, step)


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
    cells: Cells,
    n: np.ndarray,
    mass: np.ndarray,
    base: np.ndarray,
    support: np.ndarray,
    step: np.ndarray,
) -> np.ndarray | None:
    """Masses along a step, cut at 0, that raise the likelihood the first time it is halved."""
    before = log_likelihood(cells, n, mass)[0]
    slack = 1e-14 * abs(before)
    for half in range(40):
        new = base.copy()
        new[support] = np.maximum(base[support] + step * 0.5**half, 0)
        new /= new.sum()
        if log_likelihood(cells, n, new[None])[0] >= before - slack:
            return new[None]
    return None
