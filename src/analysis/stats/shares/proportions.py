"""Shares: how sure are we of k out of n, with Wilson's limits.

Unit: a share. Counts may be weighted (not whole), or stand for a smaller, effective sample.
"""

from __future__ import annotations

import numpy as np

from analysis.stats.scales import Pair, normal_quantile, t_quantile


def wilson(k: np.ndarray, n: np.ndarray, *, level: float = 0.95) -> Pair:
    """Wilson score limits of k out of n.

    Parameters
    ----------
    k, n
        Counts, broadcast against each other, ``0 <= k <= n``. Need not be whole: weighted
        counts and effective sample sizes are fine.
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
    Source: Wilson (1927), J. Am. Stat. Assoc. 22:209-212; no continuity correction.

    Examples
    --------
    >>> low, high = wilson(np.array([0, 7, 10]), 10)
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.0, 0.3968, 0.7225], [0.2775, 0.8922, 1.0])
    """
    k, n = checked_counts(k, n)
    return _score_limits(k, n, np.float64(normal_quantile(level)), n)


def clustered_wilson(
    k: np.ndarray,
    n: np.ndarray,
    variance: np.ndarray,
    *,
    df: np.ndarray | float = np.inf,
    level: float = 0.95,
) -> Pair:
    """Wilson score limits of k out of n at the sample size that the variance is worth.

    Parameters
    ----------
    k, n
        Counts as in :func:`wilson`.
    variance
        Variance of ``k / n`` that allows for the clusters, at least 0.
    df
        Its degrees of freedom; Student's quantile replaces the normal one.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    low, high : ndarray
        In [0, 1], as :func:`wilson`; never inside the limits of :func:`wilson` for the same
        counts. NaN where ``n == 0`` or a variance or ``df`` is NaN.

    Raises
    ------
    ValueError
        As :func:`wilson`; or a variance is negative.

    Notes
    -----
    The effective sample size is ``p (1 - p) / variance``, at most ``n``: a design effect below 1
    is taken for luck. Where ``k`` is 0 or ``n``, or the variance is 0, the counts say nothing of
    the design effect; it is then 1 and only ``df`` widens the interval.
    Source: Korn and Graubard (1998), Survey Methodology 24:193-201, for the effective sample
    size; Dean and Pagano (2015), J. Surv. Stat. Methodol. 3:484-503, for Wilson limits at it.

    Examples
    --------
    Seventy of a hundred, with three times the variance of independent units:

    >>> low, high = clustered_wilson(70, 100, 3 * 0.7 * 0.3 / 100)
    >>> round(float(low), 4), round(float(high), 4)
    (0.5306, 0.8281)
    """
    k, n = checked_counts(k, n)
    variance = np.asarray(variance, dtype=float)
    if (variance < 0).any():
        raise ValueError(f"variance must be at least 0, got {variance[variance < 0].flat[0]}")
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        p = k / n
        worth = np.where((variance > 0) & (k > 0) & (k < n), p * (1 - p) / variance, n)
    worth = np.where(np.isnan(variance), np.nan, np.minimum(worth, n))
    return _score_limits(k, n, t_quantile(df, level), worth)


def _score_limits(k: np.ndarray, n: np.ndarray, quantile: np.ndarray, worth: np.ndarray) -> Pair:
    """Roots in x of ``(k/n - x)**2 = quantile**2 x (1 - x) / worth``, without cancellation."""
    with np.errstate(divide="ignore", invalid="ignore"):
        p, q = k / n, (n - k) / n
        reach = quantile**2 / worth
        peak = p + reach / 2 + np.sqrt(reach * (p * q + reach / 4))
        return p**2 / peak, np.clip(peak / (1 + reach), p, 1.0)


def checked_counts(k: np.ndarray, n: np.ndarray) -> Pair:
    """Return ``k`` and ``n`` as floats of one shape.

    Raises
    ------
    ValueError
        A count is negative or not a number, or ``k > n``.

    Examples
    --------
    >>> checked_counts(3, 2)
    Traceback (most recent call last):
    ValueError: k must be at most n, got k = 3.0 of n = 2.0
    """
    k, n = np.broadcast_arrays(np.asarray(k, dtype=float), np.asarray(n, dtype=float))
    for name, value in (("n", n), ("k", k)):
        if not (value >= 0).all():
            raise ValueError(f"{name} must be at least 0, got {value[~(value >= 0)].flat[0]}")
    if (k > n).any():
        at = np.flatnonzero((k > n).ravel())[0]
        raise ValueError(f"k must be at most n, got k = {k.flat[at]} of n = {n.flat[at]}")
    return k, n
