"""Two shares beside each other: their difference and their ratio, from limits of each.

Unit: a pair of shares, k1 of n1 beside k2 of n2. The limits of each share are combined ("square
and add", method of variance estimates recovery), so they may be clustered, or exact, or anything.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.scales import Pair
from analysis.stats.shares.proportions import checked_counts, wilson


class Limited(NamedTuple):
    """An estimate with its limits; arrays of one shape."""

    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray


def newcombe_difference(
    k1: np.ndarray, n1: np.ndarray, k2: np.ndarray, n2: np.ndarray, *, level: float = 0.95
) -> Limited:
    """Difference of two independent shares with Newcombe's hybrid score limits.

    Parameters
    ----------
    k1, n1, k2, n2
        Counts of both sides, broadcast against each other, ``0 <= k <= n``.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    Limited
        ``k1 / n1 - k2 / n2`` with limits in [-1, 1]; NaN where ``n1`` or ``n2`` is 0.

    Raises
    ------
    ValueError
        A count is negative or not a number, ``k > n``, or ``level`` is not in (0, 1).

    Notes
    -----
    Source: Newcombe (1998), Statist. Med. 17:873-890, method 10: Wilson's limits of each share,
    squared and added.

    Examples
    --------
    >>> difference = newcombe_difference(56, 70, 48, 80)
    >>> [round(float(x), 4) for x in difference]
    [0.2, 0.0524, 0.3339]
    """
    first, second = _with_wilson(k1, n1, level), _with_wilson(k2, n2, level)
    return difference_of(first, second)


def mover_ratio(
    k1: np.ndarray, n1: np.ndarray, k2: np.ndarray, n2: np.ndarray, *, level: float = 0.95
) -> Limited:
    """Ratio of two independent shares with limits recovered from Wilson's of each.

    Parameters
    ----------
    k1, n1, k2, n2, level
        As in :func:`newcombe_difference`.

    Returns
    -------
    Limited
        ``(k1 / n1) / (k2 / n2)``, 0 or more. Where ``k2`` is 0 the ratio is NaN and its upper
        limit infinite; all NaN where ``n1`` or ``n2`` is 0.

    Raises
    ------
    ValueError
        As :func:`newcombe_difference`.

    Notes
    -----
    Source: Donner and Zou (2012), Stat. Methods Med. Res. 21:347-359, equation 9.

    Examples
    --------
    >>> ratio = mover_ratio(56, 70, 48, 80)
    >>> [round(float(x), 3) for x in ratio]
    [1.333, 1.078, 1.663]
    """
    first, second = _with_wilson(k1, n1, level), _with_wilson(k2, n2, level)
    return ratio_of(first, second)


def difference_of(
    first: Limited, second: Limited, *, correlation: np.ndarray | float = 0.0
) -> Limited:
    """Difference of two shares with limits, squared and added.

    Parameters
    ----------
    first, second
        Shares with limits in [0, 1].
    correlation
        Of the two estimates, in [-1, 1]; 0 where they are independent.

    Notes
    -----
    Source: Zou and Donner (2008), Statist. Med. 27:1693-1702; with a correlation, Zou (2007),
    Psychol. Methods 12:399-413.

    Examples
    --------
    >>> shares = [Limited(*(np.array(x) for x in one)) for one in ((.8, .7, .9), (.6, .5, .7))]
    >>> [round(float(x), 4) for x in difference_of(*shares)]
    [0.2, 0.0586, 0.3414]
    >>> [round(float(x), 4) for x in difference_of(*shares, correlation=0.5)]
    [0.2, 0.1, 0.3]
    """
    estimate = first.estimate - second.estimate
    down = _together(first.estimate - first.low, second.high - second.estimate, correlation)
    up = _together(first.high - first.estimate, second.estimate - second.low, correlation)
    return Limited(estimate, np.maximum(estimate - down, -1), np.minimum(estimate + up, 1))


def ratio_of(first: Limited, second: Limited, *, correlation: np.ndarray | float = 0.0) -> Limited:
    """Ratio of two shares with limits, recovered from theirs.

    Parameters
    ----------
    first, second, correlation
        As in :func:`difference_of`.

    Notes
    -----
    The limits are the ratios at which the difference ``first - ratio * second``, squared and
    added, just reaches 0: roots of a quadratic. Source: as :func:`mover_ratio`.

    Examples
    --------
    >>> shares = [Limited(*(np.array(x) for x in one)) for one in ((.8, .7, .9), (.6, .5, .7))]
    >>> [round(float(x), 3) for x in ratio_of(*shares)]
    [1.333, 1.087, 1.656]
    """
    p1, low1, high1 = first
    p2, low2, high2 = second
    down, up = p1 - low1, high1 - p1
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = p1 * p2 - correlation * down * (high2 - p2)
        leading, last = high2 * (2 * p2 - high2), low1 * (2 * p1 - low1)
        root = np.sqrt(np.maximum(middle**2 - leading * last, 0))
        low = np.where(last > 0, last / (middle + root), 0.0)
        middle = p1 * p2 - correlation * up * (p2 - low2)
        leading, last = low2 * (2 * p2 - low2), high1 * (2 * p1 - high1)
        root = np.sqrt(np.maximum(middle**2 - leading * last, 0))
        high = np.where(leading > 0, (middle + root) / leading, np.inf)
        estimate = np.where(p2 > 0, p1 / p2, np.nan)
    known = ~np.isnan(p1 + p2)
    low = np.where(np.isnan(estimate), low, np.minimum(low, estimate))
    high = np.where(np.isnan(estimate), high, np.maximum(high, estimate))
    return Limited(estimate, np.where(known, low, np.nan), np.where(known, high, np.nan))


def both_counts(
    k1: np.ndarray, n1: np.ndarray, k2: np.ndarray, n2: np.ndarray
) -> tuple[Pair, Pair]:
    """Return the counts of both sides as floats of one shape, checked."""
    k1, n1 = checked_counts(k1, n1)
    k2, n2 = checked_counts(k2, n2)
    k1, n1, k2, n2 = np.broadcast_arrays(k1, n1, k2, n2)
    return (k1, n1), (k2, n2)


def _with_wilson(k: np.ndarray, n: np.ndarray, level: float) -> Limited:
    low, high = wilson(k, n, level=level)
    k, n = checked_counts(k, n)
    with np.errstate(invalid="ignore"):
        return Limited(k / n, low, high)


def _together(one: np.ndarray, other: np.ndarray, correlation: np.ndarray | float) -> np.ndarray:
    return np.sqrt(np.maximum(one**2 + other**2 - 2 * correlation * one * other, 0))
