"""Case mix: what would a group have had if it did as the others do with the same cases.

Unit: one row is the part of one group (a seller) that lies in one cell of the mix (cases that are
alike), with ``k`` of ``n``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.shares.proportions import checked_counts

OWN_WEIGHT = 1.0  # units of the overall rate in each cell, so that a cell nobody shares has a rate
_LEAST_EVENTS = 0.5  # of all others: what never happened to them may yet happen


class Expected(NamedTuple):
    """What each group would have at the rates of all others; one value a group."""

    k: np.ndarray  # observed
    n: np.ndarray
    expected: np.ndarray  # in [0, n]
    variance: np.ndarray  # of observed - expected, both being counts of independent units


def expected_counts(
    group: np.ndarray, cell: np.ndarray, k: np.ndarray, n: np.ndarray, *, n_groups: int
) -> Expected:
    """Indirect standardisation: each group's cases at the rates that others have with such cases.

    Parameters
    ----------
    group, cell
        Whole numbers from 0; a pair occurs at most once.
    k, n
        Counts of each row, ``0 <= k <= n``.
    n_groups
        Number of groups.

    Returns
    -------
    Expected
        One value a group; the variance is 0 where there is no unit.

    Raises
    ------
    ValueError
        A count is negative or not a number, or ``k > n``.

    Notes
    -----
    With ``K`` and ``N`` the counts of all *other* groups in a cell and ``r`` their rate in all
    cells, a cell's rate is ``p = (K + r) / (N + 1)``: a group is never compared with itself, also
    not where it dominates a cell, and a cell without others has their overall rate. The variance
    is ``sum p (1 - p) n (1 + n / (N + 1))``: the second term is the doubt about ``p``, which is
    large for a group that dominates. A group without others is compared with itself.
    Source: Breslow and Day (1987), Statistical Methods in Cancer Research II, chapter 2, for
    indirect standardisation; Jones and Spiegelhalter (2011), Am. Stat. 65:154-163, for leaving
    the unit out of its own benchmark.

    Examples
    --------
    Two sellers, easy cases (cell 0) and hard ones (cell 1); the second has mostly hard ones:

    >>> group, cell = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    >>> found = expected_counts(group, cell, [80, 2, 9, 30], [100, 10, 10, 100], n_groups=2)
    >>> found.k.tolist(), found.expected.round(1).tolist()
    ([82.0, 39.0], [88.0, 33.0])
    """
    k, n = checked_counts(k, n)
    group, cell = np.asarray(group, np.int64), np.asarray(cell, np.int64)
    own_k, own_n = (np.bincount(group, x, n_groups) for x in (k, n))
    cell_k, cell_n = (np.bincount(cell, x)[cell] if len(cell) else x for x in (k, n))
    others = n.sum() - own_n
    with np.errstate(invalid="ignore", divide="ignore"):
        overall = np.where(others > 0, (k.sum() - own_k) / others, own_k / own_n)[group]
    least = np.where(others > 0, _LEAST_EVENTS / (others + 1), 0)[group]
    worth = cell_n - n + OWN_WEIGHT
    rate = np.clip((cell_k - k + OWN_WEIGHT * overall) / worth, least, 1 - least)
    expected = np.bincount(group, np.where(n > 0, n * rate, 0), n_groups)
    doubt = np.where(n > 0, rate * (1 - rate) * n * (1 + n / worth), 0)
    return Expected(own_k, own_n, expected, np.bincount(group, doubt, n_groups))


def adjusted_rates(found: Expected) -> np.ndarray:
    """Rate of each group if it had the mix of all: its odds beside the expected, at theirs.

    Parameters
    ----------
    found
        From :func:`expected_counts`.

    Returns
    -------
    ndarray
        In [0, 1]; the observed rate where the mix changes nothing; NaN where there is no unit.

    Notes
    -----
    With ``o`` and ``e`` the observed and the expected rate and ``t`` the rate of all, the odds
    are ``o / (1 - o) * (1 - e) / e * t / (1 - t)``: a group is taken to multiply the odds of
    every case alike. Exact where a group's cases are all alike. Odds, not the ratio
    ``t * o / e``, which could exceed 1.

    Examples
    --------
    >>> found = Expected(*np.array([[82, 39], [110, 110], [88.0, 33.0], [20, 30]]))
    >>> adjusted_rates(found).round(3).tolist()  # the observed rates are 0.745 and 0.355
    [0.472, 0.61]
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        observed, expected = found.k / found.n, found.expected / found.n
        overall = found.k.sum() / found.n.sum()
        up = observed * (1 - expected) * overall
        whole = up + (1 - observed) * expected * (1 - overall)
        return np.where(whole > 0, up / whole, observed)
