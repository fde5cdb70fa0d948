"""Rates of many small groups, with the doubt about the distribution that they share.

Unit: a group (a seller) with ``k`` of ``n``. :func:`analysis.stats.shrunk_rate` takes the fitted
beta distribution as known; here it is averaged over all beta distributions that the counts of all
groups leave plausible.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.many_groups.marginal import EDGE, MarginalLikelihood
from analysis.stats.many_groups.shrinkage import LEAST_STRENGTH
from analysis.stats.scales import checked_level
from analysis.stats.shares.proportions import checked_counts

_MOST_STRENGTH = 1000.0  # times all units: as good as infinite
_DROP = 14.0  # of log-likelihood: what is less plausible than this is left out
_SCAN, _NODES, _REACH = 33, 20, 5.0
_LEAST_WEIGHT = 1e-8
_CELLS = 1 << 21  # numbers in memory at a time


class BetaMixture(NamedTuple):
    """Plausible beta distributions of the groups' true rates, and how plausible each is."""

    alpha: np.ndarray
    beta: np.ndarray
    weight: np.ndarray  # adds up to 1


class BetaPosterior(NamedTuple):
    """Beta distribution of the true rate of each group."""

    a: np.ndarray
    b: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Mean of each, in [0, 1]."""
        return self.a / (self.a + self.b)

    def limits(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Equal-tailed limits of each at probability ``level``."""
        from scipy.special import betaincinv

        tail = (1 - checked_level(level)) / 2
        pairs, back = np.unique(self.a + 1j * self.b, return_inverse=True)
        ends = [betaincinv(pairs.real, pairs.imag, share) for share in (tail, 1 - tail)]
        return ends[0][back], ends[1][back]

    def below(self, threshold: float) -> np.ndarray:
        """Probability that the true rate of each is below a threshold in [0, 1]."""
        from scipy.special import betainc

        if not 0 <= threshold <= 1:
            raise ValueError(f"threshold must be in [0, 1], got {threshold}")
        return betainc(self.a, self.b, threshold)


def plausible_priors(k: np.ndarray, n: np.ndarray) -> BetaMixture:
    """Beta distributions that the counts of all groups leave plausible, with their weights.

    Parameters
    ----------
    k, n
        Counts of each group, ``0 <= k <= n``; groups with ``n == 0`` say nothing.

    Returns
    -------
    BetaMixture
        A few hundred distributions; the weights add up to 1.

    Raises
    ------
    ValueError
        A count is negative or not a number, or ``k > n``.

    Notes
    -----
    Posterior of the mean ``m`` and the strength ``M`` by numerical integration (Gauss-Legendre,
    20 by 20 points, over all that is within 14 units of log-likelihood of the best). Priors: for
    ``m`` Jeffreys' (uniform in the arc sine of its root), for the intraclass correlation
    ``1 / (M + 1)`` uniform (the "uniform shrinkage" of a group of one unit). Both are proper, so
    one group or no unit is enough, and groups that differ no more than chance make them leave
    infinite strength plausible.
    Source: Kass and Steffey (1989), J. Am. Stat. Assoc. 84:717-726, for carrying the doubt about
    the prior; Christiansen and Morris (1997), J. Am. Stat. Assoc. 92:618-632, and Daniels (1999),
    Can. J. Stat. 27:567-578, for uniform shrinkage priors.

    Examples
    --------
    >>> k, n = np.array([2, 9, 5, 14, 30]), np.array([10, 10, 10, 20, 40])
    >>> prior = plausible_priors(k, n)
    >>> means = prior.alpha / (prior.alpha + prior.beta)
    >>> round(float(prior.weight @ means), 3)
    0.598
    """
    k, n = (values.ravel() for values in checked_counts(k, n))
    likelihood = MarginalLikelihood(k[n > 0], n[n > 0])
    correlation, width = _correlation_nodes(likelihood)
    strength = 1 / correlation - 1
    mean, length = _mean_nodes(likelihood, strength)
    height = likelihood.value(mean, np.broadcast_to(strength[:, None], mean.shape))
    weight = (np.exp(height - height.max()) * length * width[:, None]).ravel()
    keep = weight > _LEAST_WEIGHT * weight.max()
    mean, strong = mean.ravel()[keep], np.repeat(strength, mean.shape[1])[keep]
    return BetaMixture(mean * strong, (1 - mean) * strong, weight[keep] / weight[keep].sum())


def shrunk_posterior(k: np.ndarray, n: np.ndarray, prior: BetaMixture) -> BetaPosterior:
    """Posterior of each group's rate after its own counts and the plausible priors.

    Parameters
    ----------
    k, n
        Counts of each group, ``0 <= k <= n``; with ``n == 0`` the result is the prior's own.
    prior
        From :func:`plausible_priors`.

    Returns
    -------
    BetaPosterior
        Beta distributions with the mean and the variance of the exact mixtures.

    Raises
    ------
    ValueError
        A count is negative or not a number, or ``k > n``.

    Notes
    -----
    Given ``(alpha, beta)`` the posterior is ``Beta(alpha + k, beta + n - k)``; mean and variance
    of the mixture are exact, ``E(var) + var(E)``, its shape is taken as beta.
    Source: Morris (1983), J. Am. Stat. Assoc. 78:47-55; Christiansen and Morris (1997) as in
    :func:`plausible_priors`, for matching moments.

    Examples
    --------
    >>> k, n = np.array([2, 9, 5, 14, 30]), np.array([10, 10, 10, 20, 40])
    >>> found = shrunk_posterior(k, n, plausible_priors(k, n))
    >>> found.mean.round(3).tolist()
    [0.326, 0.811, 0.534, 0.683, 0.735]
    """
    k, n = checked_counts(k, n)
    pairs, back = np.unique((k + 1j * n).ravel(), return_inverse=True)
    mean, variance = np.empty(len(pairs)), np.empty(len(pairs))
    step = max(_CELLS // len(prior.weight), 1)
    for start in range(0, len(pairs), step):
        part = slice(start, start + step)
        mean[part], variance[part] = _moments(pairs.real[part], pairs.imag[part], prior)
    worth = mean * (1 - mean) / variance - 1
    a, b = (mean * worth)[back].reshape(k.shape), ((1 - mean) * worth)[back].reshape(k.shape)
    return BetaPosterior(a, b)


def _moments(k: np.ndarray, n: np.ndarray, prior: BetaMixture) -> tuple[np.ndarray, np.ndarray]:
    whole = prior.alpha + prior.beta + n[:, None]
    each = (prior.alpha + k[:, None]) / whole
    mean = each @ prior.weight
    spread = (each - mean[:, None]) ** 2 + each * (1 - each) / (whole + 1)
    return mean, spread @ prior.weight


def _correlation_nodes(likelihood: MarginalLikelihood) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre points over the plausible correlations within a group, and their widths."""
    low, high = np.log(LEAST_STRENGTH), np.log(_MOST_STRENGTH * max(likelihood.n, 1.0))
    if likelihood.n:
        low, high = _plausible_range(likelihood, low, high)
    low, high = (1 / (1 + np.exp(end)) for end in (high, low))
    points, width = np.polynomial.legendre.leggauss(_NODES)
    return low + (high - low) * (points + 1) / 2, width


def _plausible_range(
    likelihood: MarginalLikelihood, low: float, high: float
) -> tuple[float, float]:
    """Narrow a range of log strengths to where the profile is within ``_DROP`` of its best."""
    for _ in range(8):
        strengths = np.linspace(low, high, _SCAN)
        height = likelihood.profile(np.exp(strengths))
        inside = np.flatnonzero(height > height.max() - _DROP)
        first, last = max(inside[0] - 1, 0), min(inside[-1] + 1, _SCAN - 1)
        low, high = strengths[first], strengths[last]
        if len(inside) > _SCAN // 2:
            break
    return low, high


def _mean_nodes(
    likelihood: MarginalLikelihood, strength: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre points over the plausible means for each strength, and their lengths."""
    points, width = np.polynomial.legendre.leggauss(_NODES)
    low, high = np.zeros(strength.shape), np.full(strength.shape, np.pi / 2)
    if likelihood.n:
        best = likelihood.best_mean(strength)
        first, second = likelihood.slopes(best, strength)
        bend = -(second * 4 * best * (1 - best) + first * 2 * (1 - 2 * best))
        middle, reach = np.arcsin(np.sqrt(best)), _REACH / np.sqrt(np.maximum(bend, 1e-3))
        low, high = np.maximum(middle - reach, low), np.minimum(middle + reach, high)
    angle = low[:, None] + (high - low)[:, None] * (points + 1) / 2
    mean = np.clip(np.sin(angle) ** 2, EDGE, 1 - EDGE)
    return mean, (high - low)[:, None] * width
