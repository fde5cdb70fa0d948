"""Two shares beside each other: score limits of their difference and of their ratio.

Unit: a pair of shares, k1 of n1 beside k2 of n2. A limit is where the score test, with both shares
at their most likely values under that difference or ratio, just rejects.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from analysis.stats.scales import Pair, normal_quantile
from analysis.stats.shares.two_shares import Limited, both_counts

HALVINGS = 64  # of the interval in which a limit is sought
FARTHEST = 700.0  # logarithm of the largest ratio that is looked at

Counts = tuple[Pair, Pair]


def score_difference(
    k1: np.ndarray,
    n1: np.ndarray,
    k2: np.ndarray,
    n2: np.ndarray,
    *,
    level: float = 0.95,
    corrected: bool = True,
) -> Limited:
    """Difference of two independent shares with Miettinen and Nurminen's score limits.

    Parameters
    ----------
    k1, n1, k2, n2
        Counts of both sides, broadcast against each other, ``0 <= k <= n``.
    level
        Confidence level, in (0, 1).
    corrected
        Whether the variance is multiplied by ``N / (N - 1)``, ``N = n1 + n2``; without it these
        are Mee's limits.

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
    Source: Miettinen and Nurminen (1985), Statist. Med. 4:213-226, equations 8 to 10 and 25 to
    28; Mee (1984), Biometrics 40:1175-1176.

    Examples
    --------
    >>> [round(float(x), 4) for x in score_difference(9, 10, 3, 10)]
    [0.6, 0.17, 0.8406]
    """
    counts = both_counts(k1, n1, k2, n2)
    (k1, n1), (k2, n2) = counts
    factor = _factor(counts, corrected)

    def excess(difference: np.ndarray) -> np.ndarray:
        p2 = _likeliest_second(counts, difference)
        p1 = np.clip(p2 + difference, 0, 1)
        variance = factor * (p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2)
        return (k1 / n1 - k2 / n2 - difference) ** 2 - reach * variance

    reach = normal_quantile(level) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = k1 / n1 - k2 / n2
        low = _crossing(excess, estimate, np.full(estimate.shape, -1.0))
        high = _crossing(excess, estimate, np.full(estimate.shape, 1.0))
    return _known(counts, estimate, low, high)


def score_ratio(
    k1: np.ndarray,
    n1: np.ndarray,
    k2: np.ndarray,
    n2: np.ndarray,
    *,
    level: float = 0.95,
    corrected: bool = True,
) -> Limited:
    """Ratio of two independent shares with Miettinen and Nurminen's score limits.

    Parameters
    ----------
    k1, n1, k2, n2, level, corrected
        As in :func:`score_difference`; without the correction these are Koopman's limits.

    Returns
    -------
    Limited
        ``(k1 / n1) / (k2 / n2)``, 0 or more. Where ``k2`` is 0 the ratio is NaN and its upper
        limit infinite; where ``k1`` is 0 its lower limit is 0; all NaN where ``n1`` or ``n2``
        is 0.

    Raises
    ------
    ValueError
        As :func:`score_difference`.

    Notes
    -----
    Source: Miettinen and Nurminen (1985), Statist. Med. 4:213-226, equations 11 to 13; Koopman
    (1984), Biometrics 40:513-517.

    Examples
    --------
    >>> [round(float(x), 3) for x in score_ratio(9, 10, 3, 10)]
    [3.0, 1.328, 8.692]
    """
    counts = both_counts(k1, n1, k2, n2)
    (k1, n1), (k2, n2) = counts
    factor = _factor(counts, corrected)

    def excess(log_ratio: np.ndarray) -> np.ndarray:
        """Excess of the squared statistic, divided by the ratio so that it stays finite."""
        ratio = np.exp(log_ratio)
        p2 = _likeliest_base(counts, ratio)
        p1 = np.clip(ratio * p2, 0, 1)
        variance = factor * (p1 * (1 - p1) / n1 / ratio + ratio * p2 * (1 - p2) / n2)
        root = np.exp(log_ratio / 2)
        return (k1 / n1 / root - root * (k2 / n2)) ** 2 - reach * variance

    reach = normal_quantile(level) ** 2
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        middle = np.clip(np.log(k1 / n1) - np.log(k2 / n2), -FARTHEST, FARTHEST)
        start_low = np.where(k2 > 0, middle, FARTHEST)
        start_high = np.where(k1 > 0, middle, -FARTHEST)
        low = np.exp(_crossing(excess, start_low, np.full(middle.shape, -FARTHEST)))
        high = np.exp(_crossing(excess, start_high, np.full(middle.shape, FARTHEST)))
        estimate = np.where(k2 > 0, (k1 / n1) / (k2 / n2), np.nan)
    low, high = np.where(k1 > 0, low, 0.0), np.where(k2 > 0, high, np.inf)
    return _known(counts, estimate, low, high)


def _factor(counts: Counts, corrected: bool) -> np.ndarray:
    """Return ``N / (N - 1)``; infinite for at most one unit, of which nothing is known."""
    n = counts[0][1] + counts[1][1]
    if not corrected:
        return np.ones(n.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(n > 1, n / (n - 1), np.inf)


def _crossing(
    excess: Callable[[np.ndarray], np.ndarray], inside: np.ndarray, outside: np.ndarray
) -> np.ndarray:
    """Return where ``excess`` turns positive on the way from ``inside`` to ``outside``.

    Where it never does, that is ``outside``.
    """
    inside, end = inside.copy(), outside
    outside = end.copy()
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        beyond = excess(middle) > 0
        inside, outside = np.where(beyond, inside, middle), np.where(beyond, middle, outside)
    return outside


def _known(counts: Counts, estimate: np.ndarray, low: np.ndarray, high: np.ndarray) -> Limited:
    (_, n1), (_, n2) = counts
    known = (n1 > 0) & (n2 > 0)
    low = np.where(np.isnan(estimate), low, np.minimum(low, estimate))
    high = np.where(np.isnan(estimate), high, np.maximum(high, estimate))
    return Limited(*(np.where(known, x, np.nan) for x in (estimate, low, high)))


def _likeliest_second(counts: Counts, difference: np.ndarray) -> np.ndarray:
    """Return the likeliest second share if the first is larger by ``difference``.

    The root of a cubic in closed form (Miettinen and Nurminen 1985, appendix I), then a step of
    Newton's, which repairs what the closed form loses where roots lie close together.
    """
    (k1, n1), (k2, n2) = counts
    whole, events = n1 + n2, k1 + k2
    b = ((n1 + 2 * n2) * difference - whole - events) / (3 * whole)
    c = ((n2 * difference - whole - 2 * k2) * difference + events) / (3 * whole)
    d = k2 * difference * (1 - difference) / (2 * whole)
    q = b**3 - 1.5 * b * c + d
    p = np.where(q < 0, -1.0, 1.0) * np.sqrt(np.maximum(b**2 - c, 0))
    cosine = np.where(p == 0, 1.0, q / np.where(p == 0, 1.0, p) ** 3)
    found = 2 * p * np.cos((np.pi + np.arccos(np.clip(cosine, -1, 1))) / 3) - b
    low, high = np.maximum(0.0, -difference), np.minimum(1.0, 1 - difference)
    found = np.clip(found, low, high)
    return np.clip(found - _newton(counts, difference, found), low, high)


def _newton(counts: Counts, difference: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Step to where the likelihood is level; 0 at the ends of the interval."""
    (k1, n1), (k2, n2) = counts
    y = x + difference
    slope, curve = np.zeros(x.shape), np.zeros(x.shape)
    for count, share in ((k1, y), (k1 - n1, 1 - y), (k2, x), (k2 - n2, 1 - x)):
        ratio = np.where(count == 0, 0.0, count / share)
        slope = slope + ratio
        curve = curve - np.where(count == 0, 0.0, np.abs(count) / share**2)
    step = slope / curve
    return np.where(np.isfinite(step) & (np.abs(step) < 1e-3), step, 0.0)


def _likeliest_base(counts: Counts, ratio: np.ndarray) -> np.ndarray:
    """Return the likeliest second share if the first is ``ratio`` times it: a quadratic's root.

    Solved for the larger share, so that squares stay finite for any ratio.
    """
    (k1, n1), (k2, n2) = counts
    larger = np.maximum(ratio, 1)
    up, down = ratio / larger, 1 / larger
    a, c = (n1 + n2) * up * down, k1 + k2
    b = (n1 + k2) * up + (k1 + n2) * down
    root = np.sqrt(np.maximum(b**2 - 4 * a * c, 0))
    return np.clip(2 * c / (b + root), 0, np.minimum(larger, larger / ratio)) / larger
