"""Confidence levels, and limits for a probability that stay inside [0, 1].

An estimate ``p`` with a variance gets limits that are symmetric on a transformed scale; the
five scales are those of R's ``survfit``. Imports nothing but NumPy; SciPy inside functions.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

KINDS = ("log-log", "log", "plain", "logit", "arcsin")

Pair = tuple[np.ndarray, np.ndarray]


def normal_quantile(level: float) -> float:
    """Half-width, in standard errors, of a two-sided normal interval.

    Parameters
    ----------
    level
        Confidence level, in (0, 1).

    Returns
    -------
    float
        The ``(1 + level) / 2`` quantile of the standard normal.

    Raises
    ------
    ValueError
        ``level`` is not in (0, 1).

    Examples
    --------
    >>> round(normal_quantile(0.95), 6)
    1.959964
    """
    from scipy.special import ndtri

    return float(ndtri((1 + checked_level(level)) / 2))


def t_quantile(df: np.ndarray, level: float) -> np.ndarray:
    """Half-width, in standard errors, of a two-sided Student interval.

    Parameters
    ----------
    df
        Degrees of freedom, above 0; ``inf`` is the normal, NaN stays NaN.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    ndarray
        The ``(1 + level) / 2`` quantile for each ``df``.

    Raises
    ------
    ValueError
        ``level`` is not in (0, 1).

    Examples
    --------
    >>> t_quantile(np.array([1, 10, np.inf]), 0.95).round(3).tolist()
    [12.706, 2.228, 1.96]
    """
    from scipy.special import stdtrit

    normal = normal_quantile(level)
    df = np.asarray(df, dtype=float)
    finite = np.isfinite(df)
    student = stdtrit(np.where(finite, df, 1.0), (1 + level) / 2)
    return np.where(finite, student, np.where(np.isnan(df), np.nan, normal))


def t_p_value(estimate: np.ndarray, variance: np.ndarray, df: np.ndarray) -> np.ndarray:
    """Return two-sided p-values of Student's test that an estimate is 0.

    Parameters
    ----------
    estimate, variance
        Estimates and their variances, the same shape.
    df
        Degrees of freedom, above 0; ``inf`` is the normal.

    Returns
    -------
    ndarray
        In [0, 1]; 1 for an estimate of 0, NaN where anything is NaN.

    Examples
    --------
    >>> t_p_value(np.array([1.96, 1.96, 0]), np.ones(3), np.array([np.inf, 5, 5])).round(3).tolist()
    [0.05, 0.107, 1.0]
    """
    from scipy.special import ndtr, stdtr

    df = np.asarray(df, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(estimate == 0, 0.0, -np.abs(estimate) / np.sqrt(variance))
    finite = np.isfinite(df)
    p = 2 * np.where(finite, stdtr(np.where(finite, df, 1.0), t), ndtr(t))
    return np.where(np.isnan(df) | np.isnan(variance), np.nan, p)


def probability_limits(
    p: np.ndarray,
    variance: np.ndarray,
    *,
    level: float = 0.95,
    kind: str = "log-log",
    df: np.ndarray | None = None,
) -> Pair:
    """Limits of estimated probabilities, symmetric on the scale ``kind``.

    Parameters
    ----------
    p
        Estimates in [0, 1], any shape.
    variance
        Their variances, the same shape.
    level
        Confidence level, in (0, 1).
    kind
        ``"log-log"`` (log(-log p)), ``"log"``, ``"plain"`` (p itself), ``"logit"`` or
        ``"arcsin"`` (asin(sqrt p)).
    df
        Degrees of freedom of the variances; Student's quantile replaces the normal one.

    Returns
    -------
    low, high : ndarray
        In [0, 1]. NaN where the scale has no finite value: at 0 for every kind but plain, at 1
        for log-log, logit and arcsin; NaN in, NaN out.

    Raises
    ------
    ValueError
        ``level`` is not in (0, 1), or ``kind`` is unknown.

    Notes
    -----
    Source: Borgan and Liestol (1990), Scand. J. Statist. 17:35-41; Kalbfleisch and Prentice
    (2002), 1.4. The delta method carries the variance to the scale.

    Examples
    --------
    >>> low, high = probability_limits(np.array([0.5]), np.array([0.01]))
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.2952], [0.6745])
    """
    if kind not in _SCALES:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    z = normal_quantile(level) if df is None else t_quantile(df, level)
    p = np.asarray(p, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return _SCALES[kind](p, z * np.sqrt(variance))


def interval_names(method: str, clusters: str | None, enough: np.ndarray | bool) -> np.ndarray:
    """Name what made each group's limits.

    Parameters
    ----------
    method
        Of the limits: ``"Wilson"``.
    clusters
        What a cluster is; None: units are independent.
    enough
        Which groups have clusters enough to allow for them.

    Examples
    --------
    >>> interval_names("Wilson", "seller", np.array([True, False])).tolist()
    ['Wilson, clustered by seller', 'Wilson, too few to cluster by seller']
    >>> interval_names("Wilson", None, np.array([True])).tolist()
    ['Wilson']
    """
    enough = np.asarray(enough)
    if clusters is None:
        return np.full(enough.shape, method)
    named = (f"{method}, {how} by {clusters}" for how in ("clustered", "too few to cluster"))
    return np.where(enough, *named)


def checked_level(level: float) -> float:
    """Return ``level`` if it is a confidence level.

    Raises
    ------
    ValueError
        ``level`` is not in (0, 1).

    Examples
    --------
    >>> checked_level(95)
    Traceback (most recent call last):
    ValueError: level must be in (0, 1), got 95
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1), got {level}")
    return float(level)


def _plain(p: np.ndarray, reach: np.ndarray) -> Pair:
    return np.maximum(p - reach, 0), np.minimum(p + reach, 1)


def _log(p: np.ndarray, reach: np.ndarray) -> Pair:
    factor = np.exp(reach / p)
    inside = np.where(p > 0, p, np.nan)
    return inside / factor, np.minimum(inside * factor, 1)


def _log_log(p: np.ndarray, reach: np.ndarray) -> Pair:
    log_p = np.log(np.where((p > 0) & (p < 1), p, np.nan))
    factor = np.exp(-reach / (p * log_p))
    return np.exp(log_p * factor), np.exp(log_p / factor)


def _logit(p: np.ndarray, reach: np.ndarray) -> Pair:
    odds = np.where((p > 0) & (p < 1), p, np.nan) / (1 - p)
    factor = np.exp(reach / (p * (1 - p)))
    return 1 / (1 + factor / odds), 1 / (1 + 1 / (odds * factor))


def _arcsin(p: np.ndarray, reach: np.ndarray) -> Pair:
    angle = np.arcsin(np.sqrt(np.where((p > 0) & (p < 1), p, np.nan)))
    turn = reach / (2 * np.sqrt(p * (1 - p)))
    low, high = np.maximum(angle - turn, 0), np.minimum(angle + turn, np.pi / 2)
    return np.sin(low) ** 2, np.sin(high) ** 2


_SCALES: dict[str, Callable[[np.ndarray, np.ndarray], Pair]] = {
    "log-log": _log_log,
    "log": _log,
    "plain": _plain,
    "logit": _logit,
    "arcsin": _arcsin,
}
