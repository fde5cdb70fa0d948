"""Laws whose truth is known in closed form, drawn for many replications at once.

Every function returns flat arrays with ``group``, the number of the replication: one call of an
estimator then serves them all. Times are days.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import norm


class Clusters(NamedTuple):
    """Counts per seller of each replication: one row a seller."""

    group: np.ndarray
    k: np.ndarray
    n: np.ndarray
    rate: np.ndarray  # the seller's true rate


def beta_binomial(
    rng: np.random.Generator,
    replications: int,
    *,
    sellers: int,
    mean: float,
    strength: float,
    typical: float,
    spread: float,
) -> Clusters:
    """Sellers of log-normal size (median ``typical``), with rates from one beta distribution."""
    group = np.repeat(np.arange(replications), sellers)
    n = np.ceil(typical * np.exp(spread * rng.standard_normal(len(group)))).astype(np.int64)
    rate = rng.beta(mean * strength, (1 - mean) * strength, len(group))
    return Clusters(group, rng.binomial(n, rate), n, rate)


class LogNormal(NamedTuple):
    """Log-normal times."""

    median: float
    sigma: float

    def draw(self, rng: np.random.Generator, size: int) -> np.ndarray:
        return self.median * np.exp(self.sigma * rng.standard_normal(size))

    def cdf(self, t: float) -> float:
        return float(norm.cdf(np.log(t / self.median) / self.sigma))

    def quantile(self, p: float) -> float:
        return float(self.median * np.exp(self.sigma * norm.ppf(p)))

    def restricted_mean(self, tau: float) -> float:
        z = np.log(tau / self.median) / self.sigma
        whole = self.median * np.exp(self.sigma**2 / 2)
        return float(whole * norm.cdf(z - self.sigma) + tau * norm.sf(z))


class Frailty(NamedTuple):
    """Weibull times whose hazard each seller multiplies by a gamma frailty of mean 1."""

    scale: float
    shape: float
    variance: float  # of the frailty

    def draw(self, rng: np.random.Generator, seller: np.ndarray) -> np.ndarray:
        """Times of spells, given the number of each one's seller."""
        shape = 1 / self.variance
        frailty = rng.gamma(shape, self.variance, seller.max() + 1)[seller]
        return self.scale * (rng.exponential(size=len(seller)) / frailty) ** (1 / self.shape)

    def survival(self, t: float) -> float:
        hazard = (t / self.scale) ** self.shape
        return float((1 + self.variance * hazard) ** (-1 / self.variance))

    def quantile(self, p: float) -> float:
        hazard = ((1 - p) ** -self.variance - 1) / self.variance
        return float(self.scale * hazard ** (1 / self.shape))

    def restricted_mean(self, tau: float) -> float:
        from scipy.integrate import quad

        return float(quad(self.survival, 0, tau)[0])


class Race(NamedTuple):
    """Two ends with constant hazards a day, of which only the first happens."""

    first: float
    second: float

    @property
    def both(self) -> float:
        return self.first + self.second

    def draw(self, rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Times and ends, 0 or 1."""
        time = rng.exponential(1 / self.both, size)
        return time, (rng.random(size) >= self.first / self.both).astype(np.int64)

    def incidence(self, t: float) -> float:
        """Share that has ended in the first way by ``t``."""
        return float(self.first / self.both * -np.expm1(-self.both * t))

    def time_lost(self, tau: float) -> float:
        """Mean time up to ``tau`` that the first end takes away."""
        area = (tau + np.expm1(-self.both * tau) / self.both) * self.first / self.both
        return float(area)


class Spells(NamedTuple):
    """Spells as they are seen: the end or the age, whichever came first."""

    group: np.ndarray
    time: np.ndarray
    seen: np.ndarray  # whether the end was seen


def groups(replications: int, n: int) -> np.ndarray:
    """Return the replication of every case: ``n`` in each."""
    return np.repeat(np.arange(replications), n)


def observed(
    rng: np.random.Generator, group: np.ndarray, end: np.ndarray, *, longest: float
) -> Spells:
    """Spells begun at any time of the last ``longest`` days: censored at their age now."""
    age = rng.uniform(0, longest, len(group))
    return Spells(group, np.minimum(end, age), end <= age)


def sellers_of(rng: np.random.Generator, replications: int, sellers: int, n: int) -> np.ndarray:
    """Seller of each of ``n`` cases in each replication, a few sellers having most of them."""
    share = 1 / np.arange(1, sellers + 1) ** 0.7
    own = rng.choice(sellers, size=replications * n, p=share / share.sum())
    return groups(replications, n) * sellers + own


def positive_stable(rng: np.random.Generator, index: float, size: int) -> np.ndarray:
    """Positive stable variables, ``E exp(-s X) = exp(-s**index)``, by Kanter's (1975) method.

    As frailties they keep marginal hazards proportional, with log ratio times ``index``.
    """
    angle, wait = rng.uniform(0, np.pi, size), rng.exponential(size=size)
    first = np.sin(index * angle) / np.sin(angle) ** (1 / index)
    return first * (np.sin((1 - index) * angle) / wait) ** ((1 - index) / index)
