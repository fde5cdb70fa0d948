"""Studies of shares: single ones, and those whose cases come in clusters of a seller."""

from __future__ import annotations

import numpy as np

from analysis import stats

from . import familiar, laws
from .study import Found, Outcome, Seed, Study

RARE, RARE_N = 0.03, 150
CLUSTERED = {"sellers": 60, "mean": 0.62, "strength": 8.0, "typical": 12.0, "spread": 1.0}
FEW = {"sellers": 12, "mean": 0.25, "strength": 8.0, "typical": 20.0, "spread": 0.8}


def rare_share(seed: Seed, replications: int) -> Outcome:
    rng = np.random.default_rng(seed)
    k = rng.binomial(RARE_N, RARE, replications)
    low, high = stats.wilson(k, RARE_N)
    return Outcome(Found(k / RARE_N, low, high), RARE, familiar.wald(k, RARE_N))


def _clustered(seed: Seed, replications: int, law: dict) -> Outcome:
    drawn = laws.beta_binomial(np.random.default_rng(seed), replications, **law)
    found = stats.ratio_interval(drawn.group, drawn.k, drawn.n, clusters="seller")
    alone = Found(found.estimate, *stats.wilson(found.k, found.n))
    return Outcome(Found(found.estimate, found.low, found.high), law["mean"], alone)


def clustered_share(seed: Seed, replications: int) -> Outcome:
    return _clustered(seed, replications, CLUSTERED)


def share_of_few_sellers(seed: Seed, replications: int) -> Outcome:
    return _clustered(seed, replications, FEW)


STUDIES = [
    Study(
        "shares",
        "a rare share",
        "wilson",
        "binomial, share 0.03",
        "150 requests",
        rare_share,
        "Wald: p plus and minus 1.96 standard errors",
        replications=10_000,
    ),
    Study(
        "shares",
        "success rate",
        "ratio_interval",
        "beta-binomial sellers (mean 0.62, strength 8), log-normal sizes",
        "60 sellers, about 1,200 requests",
        clustered_share,
        "Wilson, requests taken as independent",
    ),
    Study(
        "shares",
        "success rate with few sellers",
        "ratio_interval",
        "beta-binomial sellers (mean 0.25, strength 8), log-normal sizes",
        "12 sellers, about 330 requests",
        share_of_few_sellers,
        "Wilson, requests taken as independent",
    ),
]
