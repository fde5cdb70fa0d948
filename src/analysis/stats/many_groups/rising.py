"""Rising factorials of the gamma function, also where both arguments are huge.

``Gamma(a + k) / Gamma(a)`` is what a beta-binomial likelihood is made of. Differences of
logarithms of gamma functions lose all digits once ``a`` is large; a series keeps them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

STIRLING_FROM = 100.0  # above, the series is exact to 1e-13
_SHIFT = 8


def log_rising(a: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Return ``log(Gamma(a + k) / Gamma(a))``; arrays broadcast, ``a`` above 0, ``k`` from 0.

    Notes
    -----
    Source: Stirling's series (Abramowitz and Stegun 1964, 6.1.40) from ``a = 100``.

    Examples
    --------
    >>> float(log_rising(3.0, 2).round(6)), float(log_rising(1e12, 1) - np.log(1e12))
    (2.484907, 0.0)
    """
    return _by_size(a, k, _log_series, _log_exact)[0]


def _log_series(a: np.ndarray, k: np.ndarray) -> tuple[np.ndarray]:
    b = a + k
    found = (a - 0.5) * np.log1p(k / a) + k * np.log(b)
    found += (_stirling(b) - _stirling(a)) - k
    return (found,)


def _stirling(x: np.ndarray) -> np.ndarray:
    """Stirling's series, 1/12x - 1/360x**3 + 1/1260x**5."""
    y = 1 / x
    square = y * y
    return y * (1 / 12 - square * (1 / 360 - square / 1260))


def _log_exact(a: np.ndarray, k: np.ndarray) -> tuple[np.ndarray]:
    from scipy.special import gammaln

    return (gammaln(a + k) - gammaln(a),)


def slopes_of_rising(a: np.ndarray, k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and second derivative of :func:`log_rising` in ``a``.

    Notes
    -----
    Source: Abramowitz and Stegun (1964), 6.3.18 and 6.4.12, from ``a = 100``; below, the second
    by the recurrence 6.4.6 and the series (to 1e-10).

    Examples
    --------
    >>> [round(float(slope), 9) for slope in slopes_of_rising(2.0, 1)]  # of log(a)
    [0.5, -0.25]
    """
    return _by_size(a, k, _slopes_series, _slopes_exact)


def _slopes_series(x: np.ndarray, k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y = x + k
    step = -k / (x * y)  # 1/y - 1/x
    squares = 1 / (y * y), 1 / (x * x)
    second, fourth = squares[0] - squares[1], squares[0] ** 2 - squares[1] ** 2
    third = squares[0] / y - squares[1] / x
    fifth = squares[0] ** 2 / y - squares[1] ** 2 / x
    first = np.log1p(k / x) - step / 2 - second / 12 + fourth / 120
    return first, step + second / 2 + third / 6 - fifth / 30


def _slopes_exact(x: np.ndarray, k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.special import digamma

    y = x + k
    return digamma(y) - digamma(x), _trigamma(y) - _trigamma(x)


def _by_size(
    a: np.ndarray, k: np.ndarray, series: Callable, exact: Callable
) -> tuple[np.ndarray, ...]:
    """Arrays from the series where ``a`` is large, else exact ones.

    For a column of ``a`` and a row of ``k``, functions of ``a`` alone are not worked out anew for
    every ``k``.
    """
    a, k = np.asarray(a, float), np.asarray(k, float)
    is_column = a.ndim == 2 and a.shape[1] == 1 and k.ndim == 1
    shape = np.broadcast_shapes(a.shape, k.shape)
    if not is_column:
        a, k = (values.reshape(-1, 1) for values in np.broadcast_arrays(a, k))
    large = a[:, 0] >= STIRLING_FROM
    found = []
    for rows, make in ((large, series), (~large, exact)):
        found.append(make(a[rows], k if is_column else k[rows]))
    made = []
    for one, other in zip(*found, strict=True):
        whole = np.empty((len(a), one.shape[1]))
        whole[large], whole[~large] = one, other
        made.append(whole.reshape(shape))
    return tuple(made)


def _trigamma(x: np.ndarray) -> np.ndarray:
    """Second derivative of the log of the gamma function (SciPy's takes 20 times as long)."""
    near = 1 / (x * x)
    for i in range(1, _SHIFT):
        shifted = x + i
        near += 1 / (shifted * shifted)
    y = 1 / (x + _SHIFT)
    square = y * y
    return near + y + square / 2 + y * square * (1 / 6 - square * (1 / 30 - square / 42))
