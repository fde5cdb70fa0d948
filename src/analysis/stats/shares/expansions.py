"""Quantiles from cumulants: the expansion of Cornish and Fisher to any order.

Unit: one distribution, given by its cumulants.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.polynomial import Polynomial

Powers = tuple[int, ...]  # of the standardised cumulants 3, 4, 5, ...
Series = dict[Powers, Polynomial]  # product of powers of cumulants -> polynomial in the quantile


def cornish_fisher(cumulants: list[np.ndarray], z: float) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles, in standard deviations from the mean, of distributions near the normal.

    Parameters
    ----------
    cumulants
        Cumulants 3, 4, 5, ... each divided by that power of the standard deviation; arrays of
        one value a distribution. As many as there are, so many orders the expansion has.
    z
        The normal quantile.

    Returns
    -------
    quantile, last : ndarray
        The quantiles, and the part of them that the last order makes up: a measure of the error.

    Notes
    -----
    Source: Hill and Davis (1968), Ann. Math. Statist. 39:1264-1273: Lagrange's inversion of the
    Edgeworth series.

    Examples
    --------
    The median of an exponential distribution (cumulants 2, 6, 24, ...) is log 2 - 1 from its mean:

    >>> median, last = cornish_fisher([np.array([float(x)]) for x in (2, 6, 24, 120)], 0.0)
    >>> bool(abs(median[0] - (np.log(2) - 1)) < 0.01)
    True
    """
    orders = len(cumulants)
    values: list[np.ndarray] = []
    found = np.full(np.shape(cumulants[0]), float(z))
    last = np.zeros(found.shape)
    for first, rest, order, weight in _recipe(orders, z):
        whole = cumulants[first] if rest is None else cumulants[first] * values[rest]
        values.append(whole)
        part = last if order == orders else found
        part += weight * whole
    return found + last, last


@cache
def _recipe(orders: int, z: float) -> list[tuple[int, int | None, int, float]]:
    """Return each term as a cumulant times an earlier term, with its order and its weight."""
    place, steps = {}, []
    for powers, polynomial in _terms(orders):
        first = next(i for i, power in enumerate(powers) if power)
        rest = tuple(power - (i == first) for i, power in enumerate(powers))
        place[powers] = len(place)
        steps.append((first, place.get(rest), _order(powers), float(polynomial(z))))
    return steps


@cache
def _terms(orders: int) -> list[tuple[Powers, Polynomial]]:
    """Return the terms of the expansion, lower orders first."""
    u = Polynomial([0, 1])
    shift = _edgeworth(orders)
    power, whole, factorial = shift, dict(shift), 1
    for r in range(2, orders + 1):
        power, factorial = _product(power, shift, orders), factorial * r
        for powers, polynomial in power.items():
            for j in range(r - 1, 0, -1):
                polynomial = polynomial.deriv() - j * u * polynomial
            whole[powers] = whole[powers] + polynomial / factorial
    return sorted(whole.items(), key=lambda term: (_order(term[0]), term[0]))


def _edgeworth(orders: int) -> Series:
    """Return (normal distribution - distribution) / normal density as a series."""
    from scipy.special import factorial, hermitenorm

    found: Series = {}
    for powers in _all_powers(orders):
        weights = [
            1 / (factorial(i + 3) ** power * factorial(power)) for i, power in enumerate(powers)
        ]
        degree = sum((i + 3) * power for i, power in enumerate(powers)) - 1
        found[powers] = Polynomial(hermitenorm(degree).coef[::-1]) * float(np.prod(weights))
    return found


def _all_powers(orders: int) -> list[Powers]:
    found = [()]
    for i in range(orders):
        found = [
            (*powers, power)
            for powers in found
            for power in range((orders - _order(powers)) // (i + 1) + 1)
        ]
    return [powers for powers in found if any(powers)]


def _product(one: Series, other: Series, orders: int) -> Series:
    found: Series = {}
    for a, first in one.items():
        for b, second in other.items():
            powers = tuple(x + y for x, y in zip(a, b, strict=True))
            if _order(powers) <= orders:
                found[powers] = found.get(powers, 0) + first * second
    return found


def _order(powers: Powers) -> int:
    """Order of a term in one over the square root of the sample size."""
    return sum((i + 1) * power for i, power in enumerate(powers))
