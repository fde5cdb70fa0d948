"""Places in a league table: which of many groups is first, and how sure can we be.

Unit: a group whose true rate has a beta distribution of its own, all independent. Place 1 is the
highest rate.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.scales import checked_level

_EXACT = 40  # groups, up to which the distribution of a place is exact
_FEWEST, _MOST = 128, 512  # cells of rates: the more, the fewer the groups
_PLACES = 1025  # at which the distribution of a place is computed; straight lines between
_WORK = 1 << 19  # numbers in one array
_REACH = (-6.0, -4.5, -3.2, -2.4, -1.8, -1.3, -0.9, -0.55, -0.25)


class Ranks(NamedTuple):
    """Place of each group, 1 for the highest rate."""

    expected: np.ndarray  # mean of the distribution of the place, in [1, number of groups]
    low: np.ndarray  # equal-tailed limits, whole numbers
    high: np.ndarray


def rank_limits(a: np.ndarray, b: np.ndarray, *, level: float = 0.95) -> Ranks:
    """Expected place and limits of the place of each group, without simulation.

    Parameters
    ----------
    a, b
        Of the beta distribution of each group's rate, above 0.
    level
        Probability that the place of a group lies between its limits, at least, in (0, 1). It
        holds for each group, not for all at once.

    Returns
    -------
    Ranks
        One value a group. ``expected`` lies between the limits except for strong skew.

    Raises
    ------
    ValueError
        A parameter is not above 0, or ``level`` is not in (0, 1).

    Notes
    -----
    Given that a group's rate is ``p``, its place is 1 plus the number of others above ``p``: a
    sum of independent indicators (Poisson-binomial) with probabilities ``1 - F_j(p)``. That
    distribution is averaged over the group's own, cut into 128 to 512 cells of rates at
    quantiles of all groups' rates together; within a cell ``1 - F_j`` is taken at the mean of
    its ends. Up to 40 groups the Poisson-binomial is exact, by the discrete Fourier transform
    with the group itself divided out; beyond, the normal approximation with its correction for
    skewness. Groups with the same ``a`` and ``b`` are computed once.
    Source: Hong (2013), Comput. Stat. Data Anal. 59:41-51, for both forms of the
    Poisson-binomial; Laird and Louis (1989), J. Educ. Stat. 14:29-46, for ranks by their
    posterior expectation.

    Examples
    --------
    Two groups that differ clearly, and one of which nothing is known:

    >>> found = rank_limits(np.array([90, 20, 1]), np.array([10, 80, 1]), level=0.9)
    >>> found.expected.round(2).tolist(), found.low.tolist(), found.high.tolist()
    ([1.1, 2.8, 2.1], [1, 2, 1], [2, 3, 3])
    """
    checked_level(level)
    a, b = (np.asarray(x, dtype=float).ravel() for x in np.broadcast_arrays(a, b))
    for name, values in (("a", a), ("b", b)):
        if not (values > 0).all():
            raise ValueError(f"{name} must be above 0, got {values[~(values > 0)][0]}")
    if not len(a):
        return Ranks(a, a.astype(np.int64), a.astype(np.int64))
    pairs, back, times = np.unique(a + 1j * b, return_inverse=True, return_counts=True)
    cells = _Cells(pairs.real, pairs.imag, times)
    low, high = cells.limits((1 - level) / 2)
    return Ranks(cells.expected()[back], low[back], high[back])


class _Cells:
    """Where the rates of all groups lie, cell by cell; one row per pair of parameters."""

    def __init__(self, a: np.ndarray, b: np.ndarray, times: np.ndarray) -> None:
        from scipy.special import betainc

        self.times, self.n = times, int(times.sum())
        edges = _edges(a, b, times)
        below = betainc(a[:, None], b[:, None], edges)
        self.mass = np.diff(below, axis=1)  # of each group in each cell
        self.above = 1 - (below[:, 1:] + below[:, :-1]) / 2
        self.all_above = self.times @ self.above

    def expected(self) -> np.ndarray:
        """Expected place: a group is above itself with one half, which counts as a half."""
        return np.einsum("ic,c->i", self.mass, self.all_above) + 0.5

    def limits(self, tail: float) -> tuple[np.ndarray, np.ndarray]:
        """Smallest places whose probability reaches ``tail`` and ``1 - tail``."""
        places = np.arange(self.n)  # others above
        if self.n > _EXACT:
            places = np.unique(np.linspace(-1, self.n - 1, _PLACES).astype(int))[1:]
        reached = self._exact if self.n <= _EXACT else self._normal
        found = np.empty((2, len(self.times)), np.int64)
        step = max(_WORK // len(places), 1)
        for start in range(0, len(self.times), step):
            part = slice(start, start + step)
            shares = reached(part, places)
            for i, share in enumerate((tail, 1 - tail)):
                found[i, part] = _first_place(shares, share, places)
        return np.minimum(found[0] + 1, self.n), np.minimum(found[1] + 1, self.n)

    def _exact(self, part: slice, places: np.ndarray) -> np.ndarray:
        """Probability of at most so many others above, by the discrete Fourier transform."""
        size = self.n + 1 - self.n % 2  # odd: no point at -1, where a factor could vanish
        turn = np.exp(2j * np.pi * np.arange(size) / size)[:, None]
        log_factor = [np.log(1 + (turn - 1) * row) for row in self.above]  # (points, cells)
        whole = sum(t * f for t, f in zip(self.times, log_factor, strict=True))
        rows = zip(self.mass[part], log_factor[part], strict=True)
        others = [np.fft.fft(np.exp(whole - own) @ mass).real / size for mass, own in rows]
        return np.cumsum(np.array(others)[:, : len(places)], axis=1)

    def _normal(self, part: slice, places: np.ndarray) -> np.ndarray:
        """Return the same, refined normal; a group is taken out of the sum to first order."""
        from scipy.special import ndtr

        doubt = self.above * (1 - self.above)
        sd = np.sqrt(np.maximum(self.times @ doubt, 1e-12))
        skew = self.times @ (doubt * (1 - 2 * self.above)) / sd**3
        z = (places[:, None] + 1 - self.all_above) / sd  # half for whole places, half for itself
        height = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        below = np.clip(ndtr(z) + skew * (1 - z**2) * height / 6, 0, 1)
        own = self.mass[part] * (self.above[part] - 0.5)
        return self.mass[part] @ below.T + own @ (height / sd).T


def _first_place(shares: np.ndarray, share: float, places: np.ndarray) -> np.ndarray:
    """Smallest whole number of others whose cumulated probability reaches ``share``."""
    last = np.minimum((shares < share * (1 - 1e-9)).sum(axis=1), len(places) - 1)
    rows, before = np.arange(len(shares)), np.maximum(last - 1, 0)
    low = np.where(last > 0, shares[rows, before], 0.0)
    start = np.where(last > 0, places[before], -1)
    rise = np.maximum(shares[rows, last] - low, 1e-300)
    part = np.clip((share - low) / rise, 0, 1)
    return np.ceil(start + part * (places[last] - start) - 1e-6).astype(np.int64)


def _edges(a: np.ndarray, b: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Ends of the cells: about the quantiles of all groups' rates together, and 0 and 1."""
    n_cells = int(np.clip(_WORK // len(a), _FEWEST, _MOST))
    reach = np.array([*_REACH, *(-z for z in reversed(_REACH))])
    middle = np.arcsin(np.sqrt(a / (a + b)))[:, None]
    angles = np.clip(middle + reach / (2 * np.sqrt(a + b + 1))[:, None], 0, np.pi / 2)
    order = np.argsort(angles, axis=None)
    weights = np.cumsum(np.repeat(times, len(reach))[order])
    shares = np.arange(1, n_cells) / n_cells * weights[-1]
    inner = np.interp(shares, weights, angles.ravel()[order])
    return np.sin(np.unique(np.r_[0, inner, np.pi / 2])) ** 2
