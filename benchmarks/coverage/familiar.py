"""The familiar methods, as notebooks and dashboards use them: what ours are compared with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import binom

from analysis.stats.scales import normal_quantile

from .study import NOMINAL, Found

Z = normal_quantile(NOMINAL)


def wald(k: np.ndarray, n: np.ndarray) -> Found:
    """Share with the textbook interval, p +- 1.96 sqrt(p (1 - p) / n)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        p = k / n
        half = Z * np.sqrt(p * (1 - p) / n)
    return Found(p, p - half, p + half)


def mean(group: np.ndarray, values: np.ndarray, replications: int) -> Found:
    """Mean of each group's values with a normal interval."""
    n = np.bincount(group, minlength=replications)
    centre = np.bincount(group, values, replications) / n
    square = np.bincount(group, (values - centre[group]) ** 2, replications) / (n - 1)
    half = Z * np.sqrt(square / n)
    return Found(centre, centre - half, centre + half)


def quantile(group: np.ndarray, values: np.ndarray, replications: int, p: float) -> Found:
    """Quantile of each group's values, limits from order statistics."""
    order = np.lexsort((values, group))
    starts = np.searchsorted(group[order], np.arange(replications + 1))
    rows = []
    for begin, end in zip(starts, starts[1:], strict=False):
        own = values[order[begin:end]]
        low, high = binom.ppf([(1 - NOMINAL) / 2, (1 + NOMINAL) / 2], len(own), p).astype(int)
        rows.append((np.quantile(own, p), own[max(low - 1, 0)], own[min(high, len(own) - 1)]))
    return Found(*np.array(rows).T)


def difference(one: Found, other: Found) -> Found:
    """Difference of two independent estimates whose intervals are normal."""
    half = np.hypot(one.high - one.low, other.high - other.low) / 2
    centre = one.estimate - other.estimate
    return Found(centre, centre - half, centre + half)


def ratio(one: Found, other: Found) -> Found:
    """Ratio of two independent estimates whose intervals are normal, by the delta method."""
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = one.estimate / other.estimate
        parts = [(x.high - x.low) / 2 / x.estimate for x in (one, other)]
        half = centre * np.hypot(*parts)
    return Found(centre, centre - half, centre + half)


def two_sample(
    test: Callable[..., object], values: np.ndarray, group: np.ndarray, arm: np.ndarray
) -> np.ndarray:
    """P-values of a two-sample test of scipy, one a replication."""
    found = []
    for one in range(int(group.max()) + 1):
        own = group == one
        found.append(test(values[own & (arm == 0)], values[own & (arm == 1)]).pvalue)
    return np.array(found)
