"""Exact p-values of groups whose true rates scatter around their targets.

Unit: a group with ``k`` of ``n`` and a target rate.
"""

from __future__ import annotations

import numpy as np

from analysis.stats.many_groups.rising import log_rising
from analysis.stats.scales import Pair
from analysis.stats.shares.proportions import checked_counts

_CELLS = 1 << 21  # numbers in memory at a time


def two_sided_p(
    k: np.ndarray, n: np.ndarray, target: np.ndarray, between: np.ndarray
) -> np.ndarray:
    """Exact p-value of ``k`` of ``n`` when true rates scatter around their targets.

    Parameters
    ----------
    k, n
        Whole counts of each group, ``0 <= k <= n``.
    target
        Mean of the true rate of each group, in [0, 1].
    between
        Its variance, at least 0; 0 gives the binomial test. It is kept below
        ``target * (1 - target)``, the most that a rate can vary.

    Returns
    -------
    ndarray
        Twice the smaller tail of the beta-binomial distribution, at most 1; NaN where ``n`` is 0.

    Raises
    ------
    ValueError
        A count is negative or not a number, or ``k > n``.

    Notes
    -----
    Exact, so valid for groups of any size, where z-scores are not; conservative, because counts
    are whole. Tails are summed over the side with fewer terms.
    Source: Skellam (1948), J. R. Stat. Soc. B 10:257-261, for the beta-binomial distribution.

    Examples
    --------
    Two of ten at a target of one half, alone and with rates that scatter by 0.15:

    >>> two_sided_p([2, 2], [10, 10], 0.5, np.array([0, 0.15**2])).round(4).tolist()
    [0.1094, 0.2585]
    """
    k, n = checked_counts(k, n)
    target = np.broadcast_to(np.asarray(target, float), k.shape)
    between = np.broadcast_to(np.asarray(between, float), k.shape)
    flat = (np.rint(k).ravel(), np.rint(n).ravel(), target.ravel(), between.ravel())
    low, high = (tail.reshape(k.shape) for tail in _tails(*flat))
    return np.where(n > 0, np.minimum(1, 2 * np.minimum(low, high)), np.nan)


def _tails(k: np.ndarray, n: np.ndarray, target: np.ndarray, between: np.ndarray) -> Pair:
    """Probabilities of at most ``k`` and of at least ``k``."""
    from scipy.special import betainc

    most = target * (1 - target)
    with np.errstate(invalid="ignore", divide="ignore"):
        strength = np.where(between > 0, most / np.minimum(between, 0.999 * most) - 1, np.inf)
    fixed = ~np.isfinite(strength) | (most <= 0)
    low, high = np.empty(k.shape), np.empty(k.shape)
    a, b, p = k[fixed], n[fixed] - k[fixed], np.nan_to_num(target[fixed])
    high[fixed] = np.where(a > 0, betainc(np.maximum(a, 1), b + 1, p), 1.0)
    low[fixed] = np.where(b > 0, betainc(np.maximum(b, 1), a + 1, 1 - p), 1.0)
    for i in np.array_split(np.flatnonzero(~fixed), max(int(n[~fixed].sum() // _CELLS), 1)):
        low[i], high[i] = _beta_binomial_tails(k[i], n[i], target[i], strength[i])
    return low, high


def _beta_binomial_tails(k: np.ndarray, n: np.ndarray, mean: np.ndarray, m: np.ndarray) -> Pair:
    """Sum the terms from ``k`` to the nearer end; the other tail is what is left."""
    up = k > n / 2
    first = np.where(up, k, 0).astype(np.int64)
    terms = np.where(up, n - k, k).astype(np.int64) + 1
    row = np.repeat(np.arange(len(k)), terms)
    j = np.arange(terms.sum()) - np.repeat(np.cumsum(terms) - terms, terms) + first[row]
    size, a, b = n[row], (mean * m)[row], ((1 - mean) * m)[row]
    log = log_rising(a, j) + log_rising(b, size - j) - log_rising(a + b, size)
    log += log_rising(1.0, size) - log_rising(1.0, j) - log_rising(1.0, size - j)
    chance = np.exp(log)
    side = np.bincount(row, chance, len(k))
    own = np.bincount(row, np.where(j == k[row], chance, 0), len(k))
    other = np.clip(1 - side + own, 0, 1)
    return np.where(up, other, side), np.where(up, side, other)
