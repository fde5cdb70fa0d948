"""Spells that never end: mixture cure models by maximum likelihood, on counts.

Unit: one spell, counted by group and by the time at which it ended or was censored. A share of
the spells never ends; the logarithm of the time of the others has a location, a scale and the
law of a latency: ``exponential`` (scale 1), ``weibull`` or ``lognormal``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np

from analysis.stats.curves.life_tables import life_table
from analysis.stats.scales import normal_quantile

AT_0 = 1e-6  # a share that raises the log-likelihood by less than this is 0
LEAST_FALL = 1e-9  # of a log-likelihood; less is rounding
LATENCIES = ("exponential", "weibull", "lognormal")
LARGEST_LOGIT = 30.0


class CureFit(NamedTuple):
    """Estimates of each group; NaN for a group without two different ends."""

    share: np.ndarray  # that never ends, in [0, 1]
    low: np.ndarray
    high: np.ndarray
    location: np.ndarray  # of the logarithm of the time of those that end
    scale: np.ndarray
    std_error: np.ndarray  # groups x 3: of the logit of the share, the location, the log scale
    log_likelihood: np.ndarray


class Sample(NamedTuple):
    """Times of one group, their logarithms, and how many ended and were censored then."""

    log_time: np.ndarray
    ended: np.ndarray
    censored: np.ndarray


def cure_fit(
    group: np.ndarray,
    time: np.ndarray,
    n_event: np.ndarray,
    n_censored: np.ndarray,
    *,
    latency: str = "weibull",
    with_cure: bool = True,
    n_groups: int | None = None,
    level: float = 0.95,
) -> CureFit:
    """Fit a mixture cure model to each group.

    Parameters
    ----------
    group
        Group of each row of counts, whole numbers from 0.
    time
        Time of each row, above 0 where somebody ended, in any unit.
    n_event, n_censored
        How many spells ended, and how many were last seen without an end, at that time.
    latency
        "exponential", "weibull" or "lognormal".
    with_cure
        False: nobody is cured, the share is 0: an ordinary parametric survival model.
    n_groups
        Number of groups; by default the largest number in ``group`` plus 1.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    CureFit
        One value a group. Where the likelihood is largest with nobody cured: share 0, low 0, and
        high by the profile likelihood.

    Raises
    ------
    ValueError
        ``latency`` or ``level`` is not allowed, counts do not fit, or an end is at time 0.

    Notes
    -----
    Likelihood ``(1 - p) f(t)`` for an end and ``p + (1 - p) S(t)`` for a censored spell, with
    analytic first and second derivatives; trust-region Newton. Standard errors from the observed
    information, limits of the share symmetric on its logit. At the boundary the high limit is
    where twice the log-likelihood has fallen by the squared normal quantile. Spells count as
    independent. Source: Boag (1949), J. R. Stat. Soc. B 11:15-53; Farewell (1982), Biometrics
    38:1041-1046.

    Examples
    --------
    Of 100 spells, 70 ended early and the others were followed for long:

    >>> time, ended = [1, 2, 3, 4, 5, 50], [10, 20, 20, 15, 5, 0]
    >>> fit = cure_fit([0] * 6, time, ended, [0, 0, 0, 0, 0, 30])
    >>> fit.share.round(3).tolist(), fit.low.round(3).tolist(), fit.high.round(3).tolist()
    ([0.3], [0.218], [0.397])
    """
    if latency not in LATENCIES:
        raise ValueError(f"latency must be one of {', '.join(LATENCIES)}, got {latency!r}")
    z = normal_quantile(level)
    table = life_table(group, time, np.asarray(n_event)[None], n_censored, None, n_groups)
    if ((table.time <= 0) & (table.n_events[0] > 0)).any():
        raise ValueError("time must be above 0 where a spell ended")
    starts = table.segments.starts
    law = LAWS[latency]
    rows = []
    for start, end in zip(starts[:-1], starts[1:], strict=True):
        part = slice(start, end)
        later = table.time[part] > 0
        time_ = table.time[part][later].astype(float)
        counts = (table.n_events[0][part][later], table.n_censored[part][later])
        rows.append(_fitted(Sample(np.log(time_), *counts), law, latency, with_cure, z))
    made = np.array(rows).reshape(-1, 9)
    return CureFit(*made[:, :5].T, made[:, 5:8], made[:, 8])


def _fitted(sample: Sample, law: Callable, latency: str, with_cure: bool, z: float) -> list[float]:
    """Share, limits, location, scale, three standard errors and log-likelihood of one group."""
    if np.count_nonzero(sample.ended) < 2:
        return [np.nan] * 9
    ends = [1] if latency == "exponential" else [1, 2]
    start = _start(sample)
    start[2] = 0.0 if latency == "exponential" else start[2]
    plain = _maximum(sample, law, start, ends)
    if not with_cure:
        return [0.0, 0.0, 0.0, *_shape(plain), *_errors(sample, law, plain, ends), _ll(plain)]
    begun = plain.theta.copy()
    begun[0] = _logit(max(_left(sample), 0.01))
    cured = _maximum(sample, law, begun, [0, *ends])
    if _ll(cured) - _ll(plain) < AT_0 or cured.theta[0] < -15:
        high = _profile_high(sample, law, plain, ends, z)
        errors = _errors(sample, law, plain, ends)
        return [0.0, 0.0, high, *_shape(plain), *errors, _ll(plain)]
    errors = _errors(sample, law, cured, [0, *ends])
    logit = cured.theta[0]
    low, high = _expit(logit - z * errors[0]), _expit(logit + z * errors[0])
    return [_expit(logit), low, high, *_shape(cured), *errors, _ll(cured)]


class _Maximum(NamedTuple):
    """Parameters (logit of the share, location, log scale) and minus the log-likelihood."""

    theta: np.ndarray
    loss: float


def _maximum(sample: Sample, law: Callable, start: np.ndarray, free: list[int]) -> _Maximum:
    from scipy.optimize import minimize

    def filled(x: np.ndarray) -> np.ndarray:
        theta = start.copy()
        theta[free] = x
        theta[0] = np.clip(theta[0], -LARGEST_LOGIT, LARGEST_LOGIT)
        theta[2] = np.clip(theta[2], -12, 12)
        return theta

    @lru_cache(maxsize=2)  # a step is tried from a point that is asked for again if it fails
    def own(*x: float) -> tuple[float, np.ndarray, np.ndarray]:
        return terms(sample, law, filled(np.array(x)))

    n = sample.ended.sum() + sample.censored.sum()
    found = minimize(
        lambda x: own(*x)[0] / n,
        start[free],
        jac=lambda x: own(*x)[1][free] / n,
        hess=lambda x: own(*x)[2][np.ix_(free, free)] / n,
        method="trust-exact",
        options={"gtol": 1e-12, "maxiter": 300},
    )
    return _Maximum(filled(found.x), own(*found.x)[0])


def terms(sample: Sample, law: Callable, theta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Minus the log-likelihood, its gradient and its second derivatives.

    By ``a``, the logit of the share ``p``, and by ``z = (log t - location) / scale``; the chain
    rule carries derivatives by ``z`` to location and log scale.
    """
    a, location, log_scale = theta
    inverse = np.exp(-log_scale)
    z = (sample.log_time - location) * inverse
    log_f, log_f1, log_f2, survival, f, f1 = law(z)
    p = 0.0 if a <= -LARGEST_LOGIT else _expit(a)
    q = p * (1 - p)
    stays = np.maximum(p + (1 - p) * survival, 1e-300)
    by_a, by_z = q * (1 - survival) / stays, -(1 - p) * f / stays
    aa = q * (1 - 2 * p) * (1 - survival) / stays - by_a**2
    az = q * f / stays - by_a * by_z
    zz = -(1 - p) * f1 / stays - by_z**2
    d, c = sample.ended, sample.censored
    whole = d @ (np.log1p(-p) + log_f - log_scale - sample.log_time) + c @ np.log(stays)
    u, uu, ua = d * log_f1 + c * by_z, d * log_f2 + c * zz, c * az
    gradient = np.array([-d.sum() * p + c @ by_a, -inverse * u.sum(), -(u @ z) - d.sum()])
    second = np.empty((3, 3))
    second[0, 0] = -d.sum() * q + c @ aa
    second[0, 1] = second[1, 0] = -inverse * ua.sum()
    second[0, 2] = second[2, 0] = -(ua @ z)
    second[1, 1] = inverse**2 * uu.sum()
    second[1, 2] = second[2, 1] = inverse * (uu @ z + u.sum())
    second[2, 2] = uu @ z**2 + u @ z
    return -whole, -gradient, -second


def _extreme(z: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return log f, its two derivatives, S, f and its derivative: least extreme value law."""
    e = np.exp(np.minimum(z, 500))
    survival = np.exp(-e)
    f = e * survival
    return z - e, 1 - e, -e, survival, f, f * (1 - e)


def _normal(z: np.ndarray) -> tuple[np.ndarray, ...]:
    from scipy.special import ndtr

    log_f = -0.5 * z**2 - 0.5 * np.log(2 * np.pi)
    f = np.exp(log_f)
    return log_f, -z, -np.ones_like(z), ndtr(-z), f, -z * f


LAWS = {"exponential": _extreme, "weibull": _extreme, "lognormal": _normal}


def _start(sample: Sample) -> np.ndarray:
    """Location and scale of the times that are known, nobody cured."""
    n = sample.ended.sum()
    mean = sample.ended @ sample.log_time / n
    spread = np.sqrt(sample.ended @ (sample.log_time - mean) ** 2 / n)
    return np.array([-np.inf, mean, np.log(max(spread, 1e-3))])


def _left(sample: Sample) -> float:
    """Share that was censored after the last end."""
    last = sample.log_time[sample.ended > 0].max()
    beyond = sample.censored[sample.log_time >= last].sum()
    return min(beyond / (sample.ended.sum() + beyond), 0.99)


def _errors(sample: Sample, law: Callable, found: _Maximum, free: list[int]) -> list[float]:
    """Standard errors from the observed information; NaN for what was not free or is singular."""
    information = terms(sample, law, found.theta)[2][np.ix_(free, free)]
    errors = np.full(3, np.nan)
    try:
        variance = np.diag(np.linalg.inv(information))
    except np.linalg.LinAlgError:
        return errors.tolist()
    errors[free] = np.sqrt(np.where(variance > 0, variance, np.nan))
    return errors.tolist()


def _profile_high(
    sample: Sample, law: Callable, plain: _Maximum, ends: list[int], z: float
) -> float:
    """Share at which the profile log-likelihood has fallen by ``z**2 / 2`` from share 0.

    The logarithm of the fall is nearly linear in the logit of a small share.
    """
    from scipy.optimize import brentq

    here = plain

    @cache  # the ends are asked for again
    def fallen(logit: float) -> float:
        nonlocal here
        here = _maximum(sample, law, np.array([logit, *here.theta[1:]]), ends)
        return np.log(max(here.loss - plain.loss, LEAST_FALL) / (z**2 / 2))

    if fallen(-LARGEST_LOGIT + 1) > 0 or fallen(8.0) < 0:
        return 1.0
    return _expit(brentq(fallen, -LARGEST_LOGIT + 1, 8.0, xtol=1e-6))


def _shape(found: _Maximum) -> tuple[float, float]:
    return float(found.theta[1]), float(np.exp(found.theta[2]))


def _ll(found: _Maximum) -> float:
    return -float(found.loss)


def _expit(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


def _logit(p: float) -> float:
    return float(np.log(p / (1 - p)))
