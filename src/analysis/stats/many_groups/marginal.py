"""Likelihood of counts ``k`` of ``n`` in groups whose true rates follow one beta distribution.

Written in the mean ``m`` of that distribution and its strength ``M`` (how many units it weighs
as much as); infinite strength means that all groups have one rate.
"""

from __future__ import annotations

import numpy as np

from analysis.stats.many_groups.rising import log_rising, slopes_of_rising

EDGE = 1e-12  # means are kept this far from 0 and 1
_STEPS = 60


class MarginalLikelihood:
    """Beta-binomial log-likelihood, without the binomial coefficients, of one set of groups.

    For a fixed strength it is concave in the mean: every term is a sum of logarithms of
    ``M m + j`` and of ``M (1 - m) + j``.
    """

    def __init__(self, k: np.ndarray, n: np.ndarray) -> None:
        self._tallies = [_tally(values) for values in (k, n - k, n)]
        self.k, self.n = float(np.sum(k)), float(np.sum(n))

    def value(self, mean: np.ndarray, strength: np.ndarray) -> np.ndarray:
        """Log-likelihood at each pair of mean and strength, arrays of one shape."""
        mean, strength = np.broadcast_arrays(np.asarray(mean, float), np.asarray(strength, float))
        found = np.empty(mean.shape)
        same = np.isinf(strength)
        found[same] = self.k * np.log(mean[same]) + (self.n - self.k) * np.log1p(-mean[same])
        m, strong = mean[~same][:, None], strength[~same][:, None]
        parts = (m * strong, (1 - m) * strong, strong)
        sums = [
            log_rising(part, counts) @ times
            for part, (counts, times) in zip(parts, self._tallies, strict=True)
        ]
        found[~same] = sums[0] + sums[1] - sums[2]
        return found

    def slopes(self, mean: np.ndarray, strength: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """First and second derivative in the mean, one-dimensional arrays."""
        parts = (mean * strength, (1 - mean) * strength)
        firsts, seconds = [], []
        for part, (counts, times) in zip(parts, self._tallies[:2], strict=True):
            first, second = slopes_of_rising(part[:, None], counts)
            firsts.append(first @ times)
            seconds.append(second @ times)
        first = strength * (firsts[0] - firsts[1])
        return first, strength**2 * (seconds[0] + seconds[1])

    def best_mean(self, strength: np.ndarray) -> np.ndarray:
        """Likeliest mean for each strength: Newton's steps, kept between shrinking bounds."""
        common = np.clip(self.k / self.n, EDGE, 1 - EDGE)
        found = np.full(np.shape(strength), common)
        finite = np.isfinite(strength)
        if finite.any() and 0 < self.k < self.n:
            found[finite] = self._newton(found[finite], np.asarray(strength, float)[finite])
        return found

    def _newton(self, mean: np.ndarray, strength: np.ndarray) -> np.ndarray:
        low, high = np.full(mean.shape, EDGE), np.full(mean.shape, 1 - EDGE)
        for _ in range(_STEPS):
            first, second = self.slopes(mean, strength)
            low, high = np.where(first > 0, mean, low), np.where(first < 0, mean, high)
            step = mean - first / second
            inside = (step > low) & (step < high)
            moved = np.where(inside, step, (low + high) / 2)
            moved = np.where(first == 0, mean, moved)
            done = np.abs(moved - mean) <= 1e-9 * np.minimum(moved, 1 - moved)
            mean = moved
            if done.all():
                break
        return mean

    def profile(self, strength: np.ndarray) -> np.ndarray:
        """Log-likelihood at the likeliest mean for each strength."""
        return self.value(self.best_mean(strength), strength)

    def adjusted(self, strength: np.ndarray) -> np.ndarray:
        """Profile log-likelihood of each strength, less half the log of the mean's information.

        As restricted likelihood does for normal data, it allows for the mean having been fitted
        to the same groups. The information is that of the logit of the mean, which rare events
        leave nearly orthogonal to the correlation, while the mean itself moves with it. Source:
        Cox and Reid (1987), J. R. Stat. Soc. B 49:1-39.
        """
        strength = np.asarray(strength, float)
        mean, finite = self.best_mean(strength), np.isfinite(strength)
        information = self.k / mean**2 + (self.n - self.k) / (1 - mean) ** 2
        if finite.any():
            information[finite] = -self.slopes(mean[finite], strength[finite])[1]
        information *= (mean * (1 - mean)) ** 2
        return self.value(mean, strength) - np.log(information) / 2


def _tally(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    counts, times = np.unique(values, return_counts=True)
    return counts[counts > 0], times[counts > 0].astype(float)
