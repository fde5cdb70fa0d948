"""Rates of many small groups: each borrows strength from all (empirical Bayes).

Unit: a group (a seller) with ``k`` of ``n``. Its true rate is taken as drawn from one beta
distribution for all; a group with few units is pulled to the common mean, one with many hardly.
"""

from __future__ import annotations

import numpy as np

from analysis.stats.many_groups.rising import log_rising
from analysis.stats.scales import checked_level
from analysis.stats.shares.proportions import checked_counts

JEFFREYS = (0.5, 0.5)
LEAST_STRENGTH = 0.1  # the prior is worth at least this many units, at most all that were seen
_GAIN = 1e-6  # of log-likelihood; less is no sign that groups differ
_AT_BOUND = 1e-3  # of the logarithm of the strength


def fit_beta_binomial(k: np.ndarray, n: np.ndarray) -> tuple[float, float]:
    """Beta distribution of the groups' true rates, by maximum marginal likelihood.

    Parameters
    ----------
    k, n
        Counts of each group, ``0 <= k <= n``; groups with ``n == 0`` say nothing.

    Returns
    -------
    alpha, beta : float
        Of the beta distribution; its mean is ``alpha / (alpha + beta)``, and it weighs as much
        as ``alpha + beta`` units of a group's own.

    Raises
    ------
    ValueError
        A count is negative or not a number, or ``k > n``.

    Notes
    -----
    The strength ``alpha + beta`` is kept between 0.1 and the number ``N`` of all units. Where no
    strength below ``N`` is likelier (groups differ no more than chance makes them, or nothing
    can tell because all are of size 1), the result is the common rate, known as well as ``N``
    units tell it. So it is too where no unit or every unit has the property; the common rate is
    then kept 0.5 units away from 0 and 1, as by Jeffreys' prior. Without any unit the result is
    Jeffreys' prior itself, (0.5, 0.5).
    Source: Griffiths (1973), Biometrics 29:637-648, for the likelihood.

    Examples
    --------
    >>> k, n = np.array([2, 9, 5, 14, 30]), np.array([10, 10, 10, 20, 40])
    >>> alpha, beta = fit_beta_binomial(k, n)
    >>> round(alpha, 2), round(beta, 2)
    (4.1, 2.52)
    """
    k, n = (values.ravel() for values in checked_counts(k, n))
    total = float(n.sum())
    if total == 0:
        return JEFFREYS
    likelihood = _MarginalLikelihood(k, n)
    most = max(total, LEAST_STRENGTH)
    mean = np.clip(k.sum() / total, 0.5 / (total + 1), (total + 0.5) / (total + 1))
    pooled = np.array([np.log(mean / (1 - mean)), np.log(most)])
    if 0 < k.sum() < total:
        fitted = _maximum(likelihood, pooled, total)
        gain = likelihood(pooled)[0] - likelihood(fitted)[0]
        if gain > _GAIN and fitted[1] < pooled[1] - _AT_BOUND:
            pooled = fitted
    mean, strength = 1 / (1 + np.exp(-pooled[0])), np.exp(pooled[1])
    return float(mean * strength), float((1 - mean) * strength)


def shrunk_rate(
    k: np.ndarray, n: np.ndarray, *, alpha: float, beta: float, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rate of each group after its own counts and the common beta distribution.

    Parameters
    ----------
    k, n
        Counts of each group, ``0 <= k <= n``; with ``n == 0`` the result is the common one.
    alpha, beta
        Of the common distribution, above 0, as from :func:`fit_beta_binomial`; taken as known.
    level
        Probability that the true rate lies between the limits, in (0, 1).

    Returns
    -------
    estimate, low, high : ndarray
        Mean of the posterior beta distribution and its equal-tailed limits, in [0, 1]. With a
        strong skew the mean can lie outside narrow limits.

    Raises
    ------
    ValueError
        A count is negative or not a number, ``k > n``, ``alpha`` or ``beta`` is not above 0, or
        ``level`` is not in (0, 1).

    Notes
    -----
    Source: Casella (1985), Am. Stat. 39:83-87, empirical Bayes; the posterior is
    ``Beta(alpha + k, beta + n - k)``.

    Examples
    --------
    One of one is not yet 100%, ninety of a hundred nearly is 90%:

    >>> estimate, low, high = shrunk_rate([1, 90], [1, 100], alpha=6, beta=4)
    >>> estimate.round(3).tolist(), low.round(3).tolist(), high.round(3).tolist()
    ([0.636, 0.873], [0.348, 0.805], [0.878, 0.928])
    """
    from scipy.special import betaincinv

    tail = (1 - checked_level(level)) / 2
    for name, value in (("alpha", alpha), ("beta", beta)):
        if not value > 0:
            raise ValueError(f"{name} must be above 0, got {value}")
    k, n = checked_counts(k, n)
    pairs, back = np.unique(k + 1j * n, return_inverse=True)  # many groups share their counts
    a, b = alpha + pairs.real, beta + pairs.imag - pairs.real
    columns = (a / (a + b), betaincinv(a, b, tail), betaincinv(a, b, 1 - tail))
    estimate, low, high = (column[back].reshape(k.shape) for column in columns)
    return estimate, low, high


class _MarginalLikelihood:
    """Minus log-likelihood of (logit of the mean, log of the strength), with its gradient."""

    def __init__(self, k: np.ndarray, n: np.ndarray) -> None:
        self._tallies = [np.unique(values, return_counts=True) for values in (k, n - k, n)]

    def __call__(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        from scipy.special import digamma

        mean, strength = 1 / (1 + np.exp(-point[0])), np.exp(point[1])
        parts = (mean * strength, (1 - mean) * strength, strength)
        values, slopes = [], []
        for part, (counts, times) in zip(parts, self._tallies, strict=True):
            values.append(times @ log_rising(part, counts))
            slopes.append(times @ (digamma(part + counts) - digamma(part)))
        across = strength * mean * (1 - mean) * (slopes[0] - slopes[1])
        along = parts[0] * slopes[0] + parts[1] * slopes[1] - strength * slopes[2]
        return -(values[0] + values[1] - values[2]), -np.array([across, along])


def _maximum(likelihood: _MarginalLikelihood, pooled: np.ndarray, total: float) -> np.ndarray:
    from scipy.optimize import minimize

    edge = np.log((total + 0.5) / 0.5)
    bounds = [(-edge, edge), (np.log(LEAST_STRENGTH), pooled[1])]
    options = {"ftol": 1e-15, "gtol": 1e-10, "maxiter": 500}
    return minimize(likelihood, pooled, jac=True, bounds=bounds, options=options).x
