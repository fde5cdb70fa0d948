"""Do groups differ more than chance makes them, and by how much.

Unit: a set of groups (all sellers of a market), each with ``k`` of ``n``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.many_groups.marginal import MarginalLikelihood
from analysis.stats.many_groups.shrinkage import fit_beta_binomial
from analysis.stats.scales import checked_level
from analysis.stats.shares.proportions import checked_counts

_LEAST, _SCAN, _STAGES = 1e-9, 33, 9
_AT_BOUND = 1e-6


class Spread(NamedTuple):
    """How much the true rates of groups differ; NaN where the counts cannot tell."""

    mean: float  # of the true rates
    correlation: float  # intraclass: variance of true rates / (mean * (1 - mean)), in [0, 1]
    low: float
    high: float
    statistic: float  # likelihood ratio against one common rate
    p_value: float
    luck_share: float  # of the variance of the raw rates, what chance alone makes


def beta_binomial_spread(k: np.ndarray, n: np.ndarray, *, level: float = 0.95) -> Spread:
    """Intraclass correlation of groups of counts, with its interval and the test that it is 0.

    Parameters
    ----------
    k, n
        Counts of each group, ``0 <= k <= n``; groups with ``n == 0`` say nothing.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    Spread
        The standard deviation of the true rates is
        ``sqrt(mean * (1 - mean) * correlation)``. All but ``mean`` are NaN with fewer than two
        groups, with groups of one unit only, and where no or every unit has the property.

    Raises
    ------
    ValueError
        A count is negative or not a number, ``k > n``, or ``level`` is not in (0, 1).

    Notes
    -----
    Beta-binomial by maximum likelihood (:func:`analysis.stats.fit_beta_binomial`). The interval
    is what the profile likelihood leaves within half the chi-square quantile (1 df) of its
    maximum; it includes 0 where groups need not differ. Under one common rate the likelihood
    ratio is 0 with probability one half, else chi-square with 1 df: the p-value is half of the
    chi-square tail, and 1 where the ratio is 0.
    Limits of 95% covered 92% of the truth with 20 groups (30 units each, correlation 1/11) and 94%
    with 100 groups: with few groups they are somewhat narrow.
    ``luck_share`` is the mean of the binomial variances ``mean (1 - mean) (1 - correlation) / n``
    over the sum of that and the variance of the true rates: groups count alike, whatever their
    size.
    Source: Griffiths (1973), Biometrics 29:637-648; Self and Liang (1987), J. Am. Stat. Assoc.
    82:605-610, for the test at the boundary; Venzon and Moolgavkar (1988), Appl. Stat. 37:87-94,
    for profile limits.

    Examples
    --------
    >>> found = beta_binomial_spread([2, 9, 5, 14, 30], [10, 10, 10, 20, 40])
    >>> [round(value, 3) for value in found[:6]]
    [0.62, 0.131, 0.0, 0.47, 3.239, 0.036]
    """
    from scipy.special import chdtrc, chdtri

    k, n = (values.ravel() for values in checked_counts(k, n))
    k, n = k[n > 0], n[n > 0]
    cut = float(chdtri(1, 1 - checked_level(level))) / 2
    if len(n) < 2 or n.max() <= 1 or not 0 < k.sum() < n.sum():
        mean = float(k.sum() / n.sum()) if len(n) else np.nan
        return Spread(mean, *[np.nan] * 6)
    likelihood = MarginalLikelihood(k, n)
    mean, correlation = _fitted(k, n)
    top = _profile(likelihood, np.array([0.0, correlation]))
    statistic = 2 * max(float(top[1] - top[0]), 0.0)
    low, high = _limits(likelihood, correlation, top.max() - cut)
    luck = mean * (1 - mean) * (1 - correlation) * np.mean(1 / n)
    between = mean * (1 - mean) * correlation
    p_value = 0.5 * float(chdtrc(1, statistic)) if statistic > 0 else 1.0
    share = float(luck / (luck + between))
    return Spread(mean, correlation, low, high, statistic, p_value, share)


def _fitted(k: np.ndarray, n: np.ndarray) -> tuple[float, float]:
    alpha, beta = fit_beta_binomial(k, n)
    strength = alpha + beta
    is_common = strength >= n.sum() * (1 - _AT_BOUND)
    return alpha / strength, 0.0 if is_common else 1 / (1 + strength)


def _profile(likelihood: MarginalLikelihood, correlation: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return likelihood.profile(1 / np.asarray(correlation, float) - 1)


def _limits(likelihood: MarginalLikelihood, best: float, height: float) -> tuple[float, float]:
    """Where the profile falls to ``height`` below and above its maximum, or 0 and 1."""
    found = []
    for end in (0.0, 1 - _LEAST):
        if _profile(likelihood, np.array([end]))[0] >= height:
            found.append(round(end))
            continue
        inside, outside = best, end
        for _ in range(_STAGES):
            points = np.linspace(inside, outside, _SCAN)
            at = int(np.argmax(_profile(likelihood, points[1:]) < height))
            inside, outside = points[at], points[at + 1]
        found.append((inside + outside) / 2)
    return float(found[0]), float(found[1])
