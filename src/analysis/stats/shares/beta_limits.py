"""Shares with limits from the beta distribution: Jeffreys's and Clopper and Pearson's.

Unit: a share.
"""

from __future__ import annotations

import numpy as np

from analysis.stats.scales import Pair, checked_level
from analysis.stats.shares.beta_quantiles import beta_quantile
from analysis.stats.shares.proportions import checked_counts


def jeffreys(k: np.ndarray, n: np.ndarray, *, level: float = 0.95) -> Pair:
    """Jeffreys limits of k out of n: equal tails of the posterior under Jeffreys's prior.

    Parameters
    ----------
    k, n
        Counts, broadcast against each other, ``0 <= k <= n``; need not be whole.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    low, high : ndarray
        In [0, 1]; exactly 0 at ``k == 0`` and exactly 1 at ``k == n``; NaN where ``n == 0``.

    Raises
    ------
    ValueError
        A count is negative or not a number, ``k > n``, or ``level`` is not in (0, 1).

    Notes
    -----
    Quantiles of the beta distribution with ``k + 1/2`` and ``n - k + 1/2``. Covers as often as it
    says on average over rates, and at a given rate somewhat more or less.
    Source: Brown, Cai and DasGupta (2001), Statist. Sci. 16:101-133, section 3.1.3.

    Examples
    --------
    >>> low, high = jeffreys(np.array([0, 1, 10]), np.array([20, 20, 10]))
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.0, 0.0054, 0.7828], [0.1166, 0.2108, 1.0])
    """
    k, n = checked_counts(k, n)
    tail = (1 - checked_level(level)) / 2
    missed = n - k
    low = beta_quantile(k + 0.5, missed + 0.5, tail)
    high = beta_quantile(missed + 0.5, k + 0.5, tail, complement=True)
    return _ends(k, n, low, high)


def clopper_pearson(k: np.ndarray, n: np.ndarray, *, level: float = 0.95) -> Pair:
    """Exact limits of k out of n, which cover at least as often as they say at any rate.

    Parameters
    ----------
    k, n
        Counts, broadcast against each other, ``0 <= k <= n``.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    low, high : ndarray
        In [0, 1]; exactly 0 at ``k == 0`` and exactly 1 at ``k == n``; NaN where ``n == 0``.

    Raises
    ------
    ValueError
        As :func:`jeffreys`.

    Notes
    -----
    Each tail has at most ``(1 - level) / 2``, so the interval is wider than it need be on average.
    Source: Clopper and Pearson (1934), Biometrika 26:404-413, as quantiles of beta distributions.

    Examples
    --------
    >>> low, high = clopper_pearson(np.array([0, 1, 10]), np.array([20, 20, 10]))
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.0, 0.0013, 0.6915], [0.1684, 0.2487, 1.0])
    """
    k, n = checked_counts(k, n)
    tail = (1 - checked_level(level)) / 2
    missed = n - k
    low = beta_quantile(np.where(k > 0, k, 1), missed + 1, tail)
    high = beta_quantile(np.where(missed > 0, missed, 1), k + 1, tail, complement=True)
    return _ends(k, n, low, high)


def _ends(k: np.ndarray, n: np.ndarray, low: np.ndarray, high: np.ndarray) -> Pair:
    low = np.where(k == 0, 0.0, np.minimum(low, k / np.maximum(n, 1e-300)))
    high = np.where(k == n, 1.0, np.maximum(high, k / np.maximum(n, 1e-300)))
    return np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)
