"""Made-up spells of clusters whose truth is known: gamma frailties, two ends, random censoring."""

from __future__ import annotations

import numpy as np

from analysis.stats import Cells, aalen_johansen, kaplan_meier

SPREAD, RATE, LATEST = 0.5, 1.0, 3.0  # variance of the frailty; ends per time; last censoring
FIRST = 0.6  # share of the ends that are by the first cause


def survival(time):
    """True share without an end: a mixture of exponentials, gamma with mean 1."""
    return (1 + SPREAD * RATE * time) ** (-1 / SPREAD)


def mean_to(tau):
    """Area under it: the antiderivative of a power."""
    power = 1 - 1 / SPREAD
    return ((1 + SPREAD * RATE * tau) ** power - 1) / (power * SPREAD * RATE)


def many_markets(seed, n_markets, n_clusters, *, step=0.05, typical=12):
    """Groups of clusters of unequal size (log-normal), times on a grid so that they tie."""
    draws = np.random.default_rng(seed)
    sizes = np.ceil(draws.lognormal(np.log(typical), 0.9, (n_markets, n_clusters))).astype(int)
    frailty = np.repeat(draws.gamma(1 / SPREAD, SPREAD, sizes.size), sizes.ravel())
    cluster = np.repeat(np.tile(np.arange(n_clusters), n_markets), sizes.ravel())
    group = np.repeat(np.arange(n_markets), sizes.sum(axis=1))
    ends = draws.exponential(1 / (RATE * frailty))
    seen = draws.uniform(0, LATEST, len(ends))
    end = np.where(ends <= seen, 1 + (draws.random(len(ends)) >= FIRST), 0)
    time = np.ceil(np.minimum(ends, seen) / step).astype(np.int64)
    return Cells(group, time, end, np.ones(len(end)), cluster)


def curve_of_one(cells):
    """Kaplan-Meier curve of cells, and the cells with all ends as one."""
    ended = (cells.end > 0) * cells.n
    one = cells._replace(end=np.minimum(cells.end, 1))
    return kaplan_meier(cells.group, cells.time, ended, cells.n - ended), one


def curves_of_two(cells, causes=2):
    """Aalen-Johansen curves of cells."""
    ends = (cells.end[:, None] == np.arange(1, causes + 1)) * cells.n[:, None]
    return aalen_johansen(cells.group, cells.time, ends, cells.n - ends.sum(axis=1))
