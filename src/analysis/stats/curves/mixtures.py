"""Masses whose sums over neighbours explain counts: their likelihood, and how far it can rise.

The problem behind interval-censored curves: cells ``0 .. m - 1`` carry masses that add up to 1,
an observation says that something happened in one of the cells ``first .. last``, and its
likelihood is the sum of their masses.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

LEAST = 1e-300  # keeps a probability that rounding made 0 out of the denominator


class Allowed(NamedTuple):
    """Which of ``m`` cells each observation allows: ``first`` to ``last``, both included."""

    m: int
    first: np.ndarray
    last: np.ndarray

    def probability(self, mass: np.ndarray) -> np.ndarray:
        """Probability of each observation, of the masses of all cells."""
        below = np.concatenate([[0.0], np.cumsum(mass)])
        return np.maximum(below[self.last + 1] - below[self.first], LEAST)

    def slope(self, n: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """Derivative of the log-likelihood of counts ``n`` by the mass of each cell."""
        ratio = n / self.probability(mass)
        begins, ends = (np.bincount(at, ratio, self.m + 1) for at in (self.first, self.last + 1))
        return np.cumsum(begins - ends)[:-1]

    def incidence(self, cells: np.ndarray) -> np.ndarray:
        """1 where an observation allows one of ``cells``: observations x cells."""
        return ((self.first[:, None] <= cells) & (cells <= self.last[:, None])).astype(float)


def log_likelihood(cells: Allowed, n: np.ndarray, mass: np.ndarray) -> float:
    """Sum of ``n log p`` over the observations.

    Examples
    --------
    >>> cells = Allowed(2, np.array([0, 1]), np.array([0, 1]))
    >>> round(log_likelihood(cells, np.array([1.0, 1.0]), np.array([0.5, 0.5])), 4)
    -1.3863
    """
    return float(n @ np.log(cells.probability(mass)))


def gap(cells: Allowed, n: np.ndarray, mass: np.ndarray) -> float:
    """How far below its maximum the log-likelihood can be at most.

    Notes
    -----
    The log-likelihood is concave, so no masses have one larger than ``max_j d_j - N`` above the
    present one, where ``d_j`` is its derivative by mass ``j`` and ``N`` the count: it is 0 at the
    maximum and only there. Source: Gentleman and Geyer (1994), Biometrika 81:618-623.

    Examples
    --------
    >>> cells = Allowed(2, np.array([0, 1]), np.array([0, 1]))
    >>> gap(cells, np.array([1.0, 3.0]), np.array([0.25, 0.75]))
    0.0
    """
    return float(cells.slope(n, mass).max() - n.sum())
