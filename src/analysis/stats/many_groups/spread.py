"""Do groups differ more than chance makes them, and by how much.

Unit: a set of groups (all sellers of a market), each with ``k`` of ``n``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from analysis.stats.many_groups.marginal import MarginalLikelihood
from analysis.stats.scales import checked_level
from analysis.stats.shares.proportions import checked_counts

_LEAST, _SCAN, _STAGES = 1e-9, 33, 9
_LEAST_EVENTS = 2  # units with and without the property
_GAIN = 1e-6  # twice the log-likelihood; less is no sign that groups differ


Height = Callable[[np.ndarray], np.ndarray]  # log-likelihood of correlations


class Spread(NamedTuple):
    """How much the true rates of groups differ; NaN where the counts cannot tell."""

    mean: float  # of the true rates
    correlation: float  # intraclass: variance of true rates / (mean * (1 - mean)), in [0, 1]
    low: float
    high: float
    statistic: float  # likelihood ratio against one common rate
    p_value: float
    luck_share: float  # of the variance of the raw rates, what chance alone makes


def beta_binomial_spread(
    k: np.ndarray, n: np.ndarray, *, level: float = 0.95, adjusted: bool = True
) -> Spread:
    """Intraclass correlation of groups of counts, with its interval and the test that it is 0.

    Parameters
    ----------
    k, n
        Counts of each group, ``0 <= k <= n``; groups with ``n == 0`` say nothing.
    level
        Confidence level, in (0, 1).
    adjusted
        Whether the likelihood allows for the mean having been fitted to the same groups; without
        it, estimates are those of maximum likelihood.

    Returns
    -------
    Spread
        The standard deviation of the true rates is
        ``sqrt(mean * (1 - mean) * correlation)``. All but ``mean`` are NaN with fewer than two
        groups, with groups of one unit only, and where fewer than two units have the property,
        or fewer than two do not: one alone can tell nothing of groups.

    Raises
    ------
    ValueError
        A count is negative or not a number, ``k > n``, or ``level`` is not in (0, 1).

    Notes
    -----
    Beta-binomial with the profile likelihood of the correlation adjusted for the fitted mean
    on the logit scale (Cox and Reid 1987), as restricted likelihood does for normal data:
    unadjusted, 12 groups are told to be more alike than they are. The interval is what the
    adjusted likelihood leaves within half the chi-square quantile (1 df) of its maximum; it
    includes 0 where groups need not differ.
    Under one common rate the likelihood ratio is 0 with probability one half, else chi-square with
    1 df: the p-value is half of the chi-square tail, and 1 where the ratio is 0. With few groups
    it is 0 more often, and the test rejects less often than it says.
    ``luck_share`` is the mean of the binomial variances ``mean (1 - mean) (1 - correlation) / n``
    over the sum of that and the variance of the true rates: groups count alike, whatever their
    size.
    Source: Griffiths (1973), Biometrics 29:637-648; Cox and Reid (1987), J. R. Stat. Soc. B
    49:1-39, section 4; Self and Liang (1987), J. Am. Stat. Assoc.
    82:605-610, for the test at the boundary; Venzon and Moolgavkar (1988), Appl. Stat. 37:87-94,
    for profile limits.

    Examples
    --------
    >>> found = beta_binomial_spread([2, 9, 5, 14, 30], [10, 10, 10, 20, 40])
    >>> [round(value, 3) for value in found[:6]]
    [0.614, 0.161, 0.006, 0.506, 4.462, 0.017]
    """
    from scipy.special import chdtrc, chdtri

    k, n = (values.ravel() for values in checked_counts(k, n))
    k, n = k[n > 0], n[n > 0]
    cut = float(chdtri(1, 1 - checked_level(level))) / 2
    if len(n) < 2 or n.max() <= 1 or min(k.sum(), (n - k).sum()) < _LEAST_EVENTS:
        mean = float(k.sum() / n.sum()) if len(n) else np.nan
        return Spread(mean, *[np.nan] * 6)
    likelihood = MarginalLikelihood(k, n)
    of_strength = likelihood.adjusted if adjusted else likelihood.profile

    def height(correlation: np.ndarray) -> np.ndarray:
        return of_strength(_strength(correlation))

    correlation, statistic = _best(height)
    mean = float(likelihood.best_mean(_strength(np.array([correlation])))[0])
    low, high = _limits(height, correlation, height(np.array([correlation]))[0] - cut)
    luck = mean * (1 - mean) * (1 - correlation) * np.mean(1 / n)
    between = mean * (1 - mean) * correlation
    p_value = 0.5 * float(chdtrc(1, statistic)) if statistic > 0 else 1.0
    share = float(luck / (luck + between))
    return Spread(mean, correlation, low, high, statistic, p_value, share)


def _strength(correlation: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return 1 / np.asarray(correlation, float) - 1


def _best(height: Height) -> tuple[float, float]:
    """Likeliest correlation, and twice what it gains over none: both 0 where it gains nothing."""
    inside, outside = 0.0, 1 - _LEAST
    for _ in range(_STAGES):
        points = np.linspace(inside, outside, _SCAN)
        found = height(points)
        at = int(np.argmax(found))
        inside, outside = points[max(at - 1, 0)], points[min(at + 1, _SCAN - 1)]
    statistic = 2 * float(found[at] - height(np.zeros(1))[0])
    return (float(points[at]), statistic) if statistic > _GAIN else (0.0, 0.0)


def _limits(height: Height, best: float, least: float) -> tuple[float, float]:
    """Where the likelihood falls to ``least`` below and above its maximum, or 0 and 1."""
    found = []
    for end in (0.0, 1 - _LEAST):
        if height(np.array([end]))[0] >= least:
            found.append(round(end))
            continue
        inside, outside = best, end
        for _ in range(_STAGES):
            points = np.linspace(inside, outside, _SCAN)
            at = int(np.argmax(height(points[1:]) < least))
            inside, outside = points[at], points[at + 1]
        found.append((inside + outside) / 2)
    return float(found[0]), float(found[1])
