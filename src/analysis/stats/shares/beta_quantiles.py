"""Quantiles of many beta distributions, to nearly full precision.

Unit: one distribution. Made for a million different ones in half a second: where both parameters
are large the quantile comes from the cumulants of the logit; where one is small beside the other,
from a few exact values for that small one; elsewhere by Halley's steps, once for each pair.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial

import numpy as np

from analysis.stats.shares.expansions import cornish_fisher

CHUNK = 8192  # cells at a time: their temporaries stay in the cache
ORDERS = 8  # of the expansion in cumulants
LARGE = 100.0  # both parameters at least this, and its last order below NEGLIGIBLE: it is enough
NEGLIGIBLE = 1e-10  # the error left is smaller by another order
VERY_LARGE, FEWER_ORDERS = 1500.0, 6  # from here on fewer orders do
BESIDE = 5.0  # one parameter so many times the other: the quantile is smooth in the larger one
NODES = 12  # at which it is then computed exactly
FAR = 1e5  # from here on the incomplete beta function loses digits that this way keeps
MIDDLING = 8.0  # both parameters at least this: it is a good start
TURN = 6.0  # logit from which on the complement is computed
STARTS = 4  # orders of a start
TERMS = 5  # of the series of the cumulants
STEPS = 8  # after so many a general inversion takes over
CLOSE = 1e-13  # largest error left, relative to x or 1 - x


def beta_quantile(
    a: np.ndarray, b: np.ndarray, tail: float, *, complement: bool = False
) -> np.ndarray:
    """Quantile ``tail`` of beta distributions, or 1 minus it.

    Parameters
    ----------
    a, b
        Parameters, above 0, of one shape.
    tail
        Probability below the quantile, in (0, 1/2].
    complement
        Return 1 minus the quantile, without cancellation where that is small.

    Notes
    -----
    Right to 2e-11 of the quantile, and mostly to 1e-13.

    Examples
    --------
    >>> beta_quantile(np.array([1.0, 5.0]), np.array([3.0, 5.0]), 0.1).round(6).tolist()
    [0.034511, 0.300969]
    """
    shape, a, b = a.shape, a.ravel(), b.ravel()
    logit, done = np.empty(len(a)), np.zeros(len(a), bool)
    least = np.minimum(a, b)

    def expand(rows: np.ndarray, orders: int) -> None:
        logit[rows], last = _expansion(a[rows], b[rows], tail, orders)
        done[rows] = np.abs(last) < NEGLIGIBLE

    huge = least >= VERY_LARGE
    _in_chunks(partial(expand, orders=FEWER_ORDERS), np.flatnonzero(huge))
    _in_chunks(partial(expand, orders=ORDERS), np.flatnonzero((least >= LARGE) & ~huge))
    for small, large, turned in ((a, b, False), (b, a, True)):
        _interpolate(logit, done, small, large, tail, turned=turned)
    rest = np.flatnonzero(~done)
    pairs, index = np.unique(a[rest] + 1j * b[rest], return_inverse=True)
    found = np.empty(len(pairs))

    def solve(rows: np.ndarray) -> None:
        found[rows] = _solved(pairs.real[rows], pairs.imag[rows], tail)

    _in_chunks(solve, np.arange(len(pairs)))
    logit[rest] = found[index]
    with np.errstate(over="ignore"):
        return (1 / (1 + np.exp(logit if complement else -logit))).reshape(shape)


def _interpolate(
    logit: np.ndarray,
    done: np.ndarray,
    small: np.ndarray,
    large: np.ndarray,
    tail: float,
    *,
    turned: bool,
) -> None:
    """Fill in where ``small`` is small beside ``large``, if many cells have it or that is far off.

    ``-log(1 - x)`` times ``N = large + (small - 1) / 2`` is smooth in ``1 / N**2``, and the
    quantile of a gamma distribution at 0. ``turned``: the small one is the second parameter.
    """
    from numpy.polynomial import chebyshev

    rows = np.flatnonzero(~done & (small < LARGE) & (large >= BESIDE * np.maximum(small, 8.0)))
    values, index = np.unique(small[rows], return_inverse=True)
    if len(values) * NODES * 4 > len(rows):
        rows = rows[large[rows] >= FAR]
        values, index = np.unique(small[rows], return_inverse=True)
    if not len(values):
        return
    nodes = (1 + chebyshev.chebpts1(NODES)) / 2  # of 1 / N**2 in parts of its largest
    least = BESIDE * np.maximum(values, 8.0) + (values - 1) / 2
    at = least[:, None] / np.sqrt(nodes) - (values[:, None] - 1) / 2
    first, second = np.broadcast_to(values[:, None], at.shape).ravel(), at.ravel()
    exact = -_solved(second, first, tail) if turned else _solved(first, second, tail)
    curve = np.log1p(np.exp(exact)).reshape(at.shape) * (at + (values[:, None] - 1) / 2)
    weights = chebyshev.chebfit(2 * nodes - 1, curve.T, NODES - 1)

    def read(part: np.ndarray) -> None:
        own, which = rows[part], index[part]
        whole = large[own] + (small[own] - 1) / 2
        place = 2 * (least[which] / whole) ** 2 - 1
        reach = chebyshev.chebval(place, weights[:, which], tensor=False) / whole
        found = reach + np.log(-np.expm1(-reach))
        logit[own] = -found if turned else found
        done[own] = True

    _in_chunks(read, np.arange(len(rows)))


def _in_chunks(work: Callable[[np.ndarray], None], rows: np.ndarray) -> None:
    """Do work on rows, a few at a time, on all processors."""
    chunks = [rows[i : i + CHUNK] for i in range(0, len(rows), CHUNK)]
    if len(chunks) < 2:
        for chunk in chunks:
            work(chunk)
        return
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(work, chunks))


def _solved(a: np.ndarray, b: np.ndarray, tail: float) -> np.ndarray:
    """Logit of the quantile: Halley's steps on the distribution of the logit, from a near start."""
    from scipy.special import betaincinv, logit

    found = _start(a, b, tail)
    left = np.arange(len(a))
    for _ in range(STEPS):
        step, done = _halley(found[left], a[left], b[left], tail)
        found[left] += step
        left = left[~done]
        if not left.size:
            return found
    found[left] = logit(betaincinv(a[left], b[left], tail))
    return found


def _halley(at: np.ndarray, a: np.ndarray, b: np.ndarray, tail: float) -> tuple:
    """Return the step from logit ``at`` to the quantile, and where it leads close enough.

    In ``t = logit x`` the density is ``x**a (1 - x)**b / B(a, b)`` and its logarithm has the slope
    ``a - (a + b) x``.
    """
    from scipy.special import betainc

    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        small = np.exp(-np.abs(at))
        x = np.where(at < 0, small, 1.0) / (1 + small)
        turned = at > TURN  # where x is so near 1 that 1 - x is the number to keep
        reached = betainc(
            np.where(turned, b, a), np.where(turned, a, b), np.where(turned, small / (1 + small), x)
        )
        reached = np.where(turned, 1 - reached, reached)
        log_x = np.minimum(at, 0) - np.log1p(small)
        density = np.exp(a * log_x + b * (log_x - at) - _log_beta(a, b))
        newton = (tail - reached) / density
        slope = a - (a + b) * x
        step = newton / np.clip(1 + newton * slope / 2, 0.5, 2)
        spread = 1 / a + 1 / b  # about the variance of the logit
        left = np.abs(step) ** 3 / spread + 1e-2 * CLOSE
    return np.where(np.isfinite(step), step, 0), np.isfinite(step) & (left < CLOSE)


def _log_beta(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Logarithm of the beta function, without cancellation where both parameters are large."""
    from scipy.special import betaln

    large = (a >= MIDDLING) & (b >= MIDDLING)
    if not large.all():
        return betaln(a, b)
    whole = a + b
    ratio = -a * np.log1p(b / a) - b * np.log1p(a / b)
    return ratio + 0.5 * np.log(2 * np.pi * whole / (a * b)) + _tail(a) + _tail(b) - _tail(whole)


def _tail(x: np.ndarray) -> np.ndarray:
    """What Stirling's series adds to ``(x - 1/2) log x - x + log(2 pi)/2``; to 1e-11 from 8 on."""
    y = 1 / (x * x)
    return (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y / 1680))) / x


def _start(a: np.ndarray, b: np.ndarray, tail: float) -> np.ndarray:
    middling = (a >= MIDDLING) & (b >= MIDDLING)
    found = np.empty(len(a))
    if middling.any():
        found[middling], _ = _expansion(a[middling], b[middling], tail, STARTS)
    few = ~middling & (a <= b)
    found[few] = _gamma_start(a[few], b[few], tail)
    many = ~middling & (a > b)
    found[many] = -_gamma_start(b[many], a[many], 1 - tail)
    return found


def _gamma_start(a: np.ndarray, b: np.ndarray, tail: float) -> np.ndarray:
    """Logit of the quantile for ``a`` small beside ``b``: ``-log(1 - x)`` is about gamma."""
    from scipy.special import gammaincinv

    shape, index = np.unique(a, return_inverse=True)
    reach = gammaincinv(shape, tail)[index] / (b + (a - 1) / 2)
    with np.errstate(divide="ignore"):
        return reach + np.log(-np.expm1(-reach))


def _expansion(
    a: np.ndarray, b: np.ndarray, tail: float, orders: int
) -> tuple[np.ndarray, np.ndarray]:
    """Logit of the quantile from its cumulants, and the last order of that."""
    from scipy.special import ndtri

    above, below = (_log_cumulants(x, orders + 2) for x in (a, b))
    sigma = np.sqrt(above[1] + below[1])
    power, standard = above[1] + below[1], []
    for i in range(2, orders + 2):
        power = power * sigma
        both = above[i] + below[i] if i % 2 else above[i] - below[i]
        standard.append(both / power)
    reach, last = cornish_fisher(standard, float(ndtri(tail)))
    return np.log(a / b) + above[0] - below[0] + sigma * reach, sigma * last


def _log_cumulants(x: np.ndarray, n: int) -> list[np.ndarray]:
    """First cumulants of the logarithm of a gamma variable (of the first, what it adds to log x).

    They are polygamma functions, here by their asymptotic series (Abramowitz and Stegun 6.4.11).
    """
    inverse = 1 / x
    square, power, found = inverse * inverse, None, []
    for first, second, series in _polygamma_weights(n, TERMS if x.min() < LARGE else 2):
        whole = series[-1] * square
        for weight in series[-2::-1]:
            whole += weight
            whole *= square
        whole += second * inverse
        whole += first
        found.append(whole if power is None else whole * power)
        power = inverse if power is None else power * inverse
    return found


@cache
def _polygamma_weights(n: int, terms: int) -> list[tuple[float, float, list[float]]]:
    from scipy.special import bernoulli, factorial

    numbers, found = bernoulli(2 * terms)[2::2], []
    for order in range(n):
        sign = -1.0 if order % 2 == 0 else 1.0
        first = sign * float(factorial(order - 1)) if order else 0.0
        series = [
            sign * float(number * factorial(2 * j + order - 1) / factorial(2 * j))
            for j, number in enumerate(numbers, start=1)
        ]
        found.append((first, sign * float(factorial(order)) / 2, series))
    return found
