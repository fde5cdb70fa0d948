"""Many curves of interval-censored spells at once, for bootstrap samples of one problem.

The problem is that of :mod:`analysis.stats.curves.mixtures`; what moves here is the sum of the
masses below each border between two cells, which must not fall from one border to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.stats.curves.mixtures import LEAST, Allowed

if TYPE_CHECKING:
    from scipy.sparse import csr_array

BESIDE = 64  # sets solved at a time: their arrays stay in the processor's cache
HALVES = 6  # shorter steps than this many times halved are not tried
UNTOUCHED = 1e-8  # curvature at a border of no observation, which moves with its neighbours


class _Sets(NamedTuple):
    """Counts of sets, a column each, and which borders observations begin and end at."""

    cells: Allowed
    touches: csr_array  # borders x observations: 1 where it begins or ends
    rises: csr_array  # the same: 1 where it ends, -1 where it begins
    n: np.ndarray  # observations x sets

    def only(self, columns: np.ndarray) -> _Sets:
        return self._replace(n=self.n[:, columns])

    def probabilities(self, below: np.ndarray) -> np.ndarray:
        probability = below[self.cells.last + 1]
        probability -= below[self.cells.first]
        return probability

    def gain(self, new: np.ndarray, old: np.ndarray) -> np.ndarray:
        """By how much the log-likelihood of each set rises from old to new probabilities."""
        from scipy.special import xlogy

        return xlogy(self.n, new / old).sum(axis=0)


def minorant_masses(
    cells: Allowed, n: np.ndarray, start: np.ndarray, *, tolerance: float, steps: int
) -> np.ndarray:
    """Masses of each set of counts with a gap of at most ``tolerance``, if ``steps`` suffice.

    Parameters
    ----------
    cells
        Which observation allows which cells.
    n
        Counts, sets x observations; each set has some.
    start
        Masses to begin from, the same for all sets; each observation must have a probability.
    tolerance
        A set is done when its log-likelihood is within this of its maximum.
    steps
        At most so many.

    Returns
    -------
    ndarray
        Masses, sets x cells.

    Notes
    -----
    Each step is one of self-consistency and one to the iterative convex minorant: a Newton step
    with the diagonal of the curvature by the sums at the borders, made to rise by weighted
    isotonic regression and halved until it raises the likelihood. Source: Wellner and Zhan
    (1997), J. Am. Stat. Assoc. 92:945-959.

    Examples
    --------
    >>> cells = Allowed(2, np.array([0, 1, 0]), np.array([0, 1, 1]))
    >>> n, start = np.array([[1.0, 3.0, 5.0]]), np.array([0.5, 0.5])
    >>> minorant_masses(cells, n, start, tolerance=1e-9, steps=50).round(6).tolist()
    [[0.25, 0.75]]
    """
    mass = np.empty((len(n), cells.m))
    for begin in range(0, len(n), BESIDE):
        some = slice(begin, begin + BESIDE)
        mass[some] = _side_by_side(_sets(cells, n[some]), start, tolerance, steps)
    return mass


def _sets(cells: Allowed, n: np.ndarray) -> _Sets:
    from scipy.sparse import coo_array

    rows, size = np.arange(n.shape[1]), (cells.m + 1, n.shape[1])
    ones = np.ones(n.shape[1])
    begins = coo_array((ones, (cells.first, rows)), shape=size).tocsr()
    ends = coo_array((ones, (cells.last + 1, rows)), shape=size).tocsr()
    return _Sets(cells, begins + ends, ends - begins, np.ascontiguousarray(n.T))


def _side_by_side(sets: _Sets, start: np.ndarray, tolerance: float, steps: int) -> np.ndarray:
    """Masses, sets x cells, of which those are not touched again whose gap is small enough."""
    active = np.arange(sets.n.shape[1])
    done = np.empty((len(active), sets.cells.m))
    below = np.repeat(_summed(start[:, None]), len(active), axis=1)
    for _ in range(steps):
        consistent, gap = _consistent(sets, below)
        is_open = gap > tolerance
        if not is_open.all():
            done[active[~is_open]] = np.diff(below[:, ~is_open], axis=0).T
            active, sets, consistent = active[is_open], sets.only(is_open), consistent[:, is_open]
        below = consistent
        if not active.size:
            break
        below = _minorant(sets, below)
    done[active] = np.diff(below, axis=0).T
    return done


def _summed(mass: np.ndarray) -> np.ndarray:
    """Sums of masses below each border, 0 at the first and 1 at the last."""
    below = np.zeros((len(mass) + 1, mass.shape[1]))
    np.cumsum(mass, axis=0, out=below[1:])
    below /= below[-1]
    return below


def _consistent(sets: _Sets, below: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums after one step of self-consistency, and the gap of each set before it."""
    probability = np.maximum(sets.probabilities(below), LEAST)
    slope = -np.cumsum(sets.rises @ (sets.n / probability), axis=0)[:-1]
    gap = slope.max(axis=0) - sets.n.sum(axis=0)
    return _summed(np.diff(below, axis=0) * slope), gap


def _minorant(sets: _Sets, below: np.ndarray) -> np.ndarray:
    """Sums after a step to the minorant, as far as it raises the likelihood of each set."""
    probability = np.maximum(sets.probabilities(below), LEAST)
    ratio = sets.n / probability
    slope = (sets.rises @ ratio)[1:-1]
    curvature = np.maximum((sets.touches @ (ratio / probability))[1:-1], UNTOUCHED)
    step = np.zeros_like(below)
    step[1:-1] = _rising(below[1:-1] + slope / curvature, curvature) - below[1:-1]
    length = np.ones(below.shape[1])
    for _ in range(HALVES):
        new = below + length * step
        worse = ~(sets.gain(sets.probabilities(new), probability) >= 0)  # or not a number
        if not worse.any():
            return new
        length[worse] /= 2
    return np.where(worse, below, new)


def _rising(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Nearest values between 0 and 1 that do not fall, of each column."""
    from scipy.optimize import isotonic_regression

    columns = zip(values.T.copy(), weights.T.copy(), strict=True)
    rising = [isotonic_regression(column, weights=w).x for column, w in columns]
    return np.clip(np.array(rising).T, 0, 1)
