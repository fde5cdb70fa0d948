"""Studies of many small groups: what is said of each seller."""

from __future__ import annotations

from functools import cache

import numpy as np

from analysis import stats

from . import laws
from .study import Found, Outcome, Seed, Study

SELLERS = {"sellers": 200, "mean": 0.6, "strength": 10.0, "typical": 8.0, "spread": 1.0}
LOWEST = 10
LAW = "200 beta-binomial sellers (mean 0.6, strength 10), log-normal sizes"


@cache
def _shrunk(seed: Seed, replications: int) -> tuple[laws.Clusters, Found]:
    """Return sellers as replications x sellers, with what is said of each."""
    flat = laws.beta_binomial(np.random.default_rng(seed), replications, **SELLERS)
    drawn = laws.Clusters(*(x.reshape(replications, -1) for x in flat))
    found = []
    for k, n in zip(drawn.k, drawn.n, strict=True):
        alpha, beta = stats.fit_beta_binomial(k, n)
        found.append(stats.shrunk_rate(k, n, alpha=alpha, beta=beta))
    return drawn, Found(*np.moveaxis(np.array(found), 1, 0))


def rate_of_a_seller(seed: Seed, replications: int) -> Outcome:
    drawn, ours = _shrunk(seed, replications)
    raw = Found(drawn.k / drawn.n, *stats.wilson(drawn.k, drawn.n))
    return Outcome(ours, drawn.rate, raw)


def rates_of_the_lowest(seed: Seed, replications: int) -> Outcome:
    drawn, ours = _shrunk(seed, replications)
    lowest = np.argsort(drawn.k / drawn.n, axis=1, kind="stable")[:, :LOWEST]
    raw = Found(drawn.k / drawn.n, *stats.wilson(drawn.k, drawn.n))

    def picked(values: np.ndarray) -> np.ndarray:
        return np.take_along_axis(values, lowest, axis=1)

    return Outcome(Found(*map(picked, ours)), picked(drawn.rate), Found(*map(picked, raw)))


STUDIES = [
    Study(
        "sellers",
        "success rate of each seller",
        "shrunk_rate",
        LAW,
        "200 sellers, about 2,600 requests",
        rate_of_a_seller,
        "each seller's own share, Wilson",
        replications=1000,
    ),
    Study(
        "sellers",
        f"success rate of the lowest {LOWEST}",
        "shrunk_rate",
        LAW,
        "200 sellers, about 2,600 requests",
        rates_of_the_lowest,
        "the league table: each seller's own share, Wilson",
        replications=1000,
    ),
]
