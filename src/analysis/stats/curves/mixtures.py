"""Masses that maximise a likelihood of sums of neighbouring masses, with a certificate.

The problem behind interval-censored curves: cells ``0 .. m - 1`` carry masses that add up to 1,
an observation says that something happened in one of the cells ``first .. last``, and its
likelihood is the sum of their masses. Several sets of counts (bootstrap samples) are solved side
by side; within, a set is a column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array

NEWTON_CELLS = 1500  # more than this many cells with mass are left to expectation-maximisation
BESIDE = 64  # sets solved at a time: their arrays stay in the processor's cache
LEAST = 1e-300  # keeps a probability that rounding made 0 out of the denominator


class Cells(NamedTuple):
    """Which of ``m`` cells each observation allows: ``first`` to ``last``, both included."""

    m: int
    first: np.ndarray
    last: np.ndarray

    def probabilities(self, mass: np.ndarray) -> np.ndarray:
        """Probability of each observation: observations x sets, of masses cells x sets."""
        below = np.zeros((self.m + 1, mass.shape[1]))
        np.cumsum(mass, axis=0, out=below[1:])
        probability = below[self.last + 1]
        probability -= below[self.first]
        return np.maximum(probability, LEAST, out=probability)

    def incidence(self, cells: np.ndarray) -> np.ndarray:
        """1 where an observation allows one of ``cells``: observations x cells."""
        return ((self.first[:, None] <= cells) & (cells <= self.last[:, None])).astype(float)


class Masses(NamedTuple):
    """Solutions of one or several sets of counts."""

    mass: np.ndarray  # sets x cells
    log_likelihood: np.ndarray
    gap: np.ndarray  # the log-likelihood is within this of its maximum


class _Sets(NamedTuple):
    """Sets of counts, a column each."""

    cells: Cells
    changes: csr_array  # 1 where an observation's cells begin, -1 after they end
    n: np.ndarray  # observations x sets
    total: np.ndarray  # of each set

    def at(self, mass: np.ndarray, probability: np.ndarray | None = None) -> _Point:
        """Return these masses with the derivative of the log-likelihood by each."""
        probability = self.cells.probabilities(mass) if probability is None else probability
        slope = np.cumsum(self.changes @ (self.n / probability), axis=0)[:-1]
        return _Point(mass, probability, slope)


class _Point(NamedTuple):
    """Masses of sets, cells x sets, and what belongs to them."""

    mass: np.ndarray
    probability: np.ndarray
    slope: np.ndarray


def _sets(cells: Cells, n: np.ndarray) -> _Sets:
    from scipy.sparse import coo_array

    n_rows = n.shape[1]
    pairs = (np.concatenate([cells.first, cells.last + 1]), np.tile(np.arange(n_rows), 2))
    signs = np.repeat([1.0, -1.0], n_rows)
    changes = coo_array((signs, pairs), shape=(cells.m + 1, n_rows)).tocsr()
    return _Sets(cells, changes, np.ascontiguousarray(n.T), n.sum(axis=1))


def log_likelihood(cells: Cells, n: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """Sum of ``n log p`` over the observations, of each set.

    Examples
    --------
    >>> cells = Cells(2, np.array([0, 1]), np.array([0, 1]))
    >>> log_likelihood(cells, np.array([[1.0, 1.0]]), np.array([[0.5, 0.5]])).round(4).tolist()
    [-1.3863]
    """
    return (n.T * np.log(cells.probabilities(mass.T))).sum(axis=0)


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
    return _gap(sets := _sets(cells, n), sets.at(mass.T))


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
    mass = np.empty((len(n), cells.m))
    for begin in range(0, len(n), BESIDE):
        some = slice(begin, begin + BESIDE)
        mass[some] = _side_by_side(_sets(cells, n[some]), tolerance, steps)
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


def _gap(sets: _Sets, point: _Point) -> np.ndarray:
    return point.slope.max(axis=0) - sets.total


def _side_by_side(sets: _Sets, tolerance: float, steps: int) -> np.ndarray:
    """Masses, sets x cells, of which those are not touched again whose gap is small enough."""
    m = sets.cells.m
    done, active = np.empty((len(sets.total), m)), np.arange(len(sets.total))
    point = sets.at(np.full((m, len(active)), 1 / m))
    for _ in range(steps):
        point = _squared(sets, point)
        is_open = _gap(sets, point) > tolerance
        if not is_open.all():
            done[active[~is_open]] = point.mass[:, ~is_open].T
            active = active[is_open]
            sets = sets._replace(n=sets.n[:, is_open], total=sets.total[is_open])
            point = _Point(*(values[:, is_open] for values in point))
        if not active.size:
            break
    done[active] = point.mass.T
    return done


def _plain(point: _Point) -> np.ndarray:
    new = point.mass * point.slope
    return new / new.sum(axis=0)


def _squared(sets: _Sets, point: _Point) -> _Point:
    mass = point.mass
    one = _plain(point)
    two = _plain(sets.at(one))
    change, bend = one - mass, two - 2 * one + mass
    size = np.sqrt((change**2).sum(axis=0) / np.maximum((bend**2).sum(axis=0), LEAST))
    far = mass + 2 * np.maximum(size, 1) * change + np.maximum(size, 1) ** 2 * bend
    far = np.where(far > 0, far, two * 1e-2)  # a mass of 0 would stay 0 for good
    far = _plain(sets.at(far / far.sum(axis=0)))
    near_p, far_p = (sets.cells.probabilities(found) for found in (two, far))
    better = (sets.n * np.log(far_p / near_p)).sum(axis=0) >= 0
    return sets.at(np.where(better, far, two), np.where(better, far_p, near_p))


def _polished(cells: Cells, n: np.ndarray, mass: np.ndarray, enough: float) -> np.ndarray:
    sets = _sets(cells, n)
    point, steps = sets.at(mass.T), 0
    while _gap(sets, point)[0] > enough and steps < 3000:
        point, steps = _squared(sets, point), steps + 1
    return point.mass.T


def _newton(cells: Cells, n: np.ndarray, mass: np.ndarray) -> np.ndarray | None:
    """One Newton step on the cells that carry mass and the steepest others; None if it fails."""
    point = _sets(cells, n).at(mass.T)
    probability, slope = point.probability[:, 0], point.slope[:, 0] - n.sum()
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
