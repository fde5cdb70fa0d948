"""Studies of shares: single ones, and those whose cases come in clusters of a seller."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from analysis import stats

from . import familiar, laws
from .study import Found, Outcome, Seed, Study

RARE, RARE_N = 0.03, 150
CLUSTERED = {"sellers": 60, "mean": 0.62, "strength": 8.0, "typical": 12.0, "spread": 1.0}
TWO = ((0.06, 90), (0.18, 140))  # share and requests on both sides
FEW = {"sellers": 12, "mean": 0.25, "strength": 8.0, "typical": 20.0, "spread": 0.8}


Limits = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
TwoSided = Callable[..., NamedTuple]


def rare_share(seed: Seed, replications: int, *, limits: Limits) -> Outcome:
    k = np.random.default_rng(seed).binomial(RARE_N, RARE, replications)
    ours = Found(k / RARE_N, *limits(k, np.full(replications, RARE_N)))
    return Outcome(ours, RARE, familiar.wald(k, RARE_N))


def two_shares(seed: Seed, replications: int, *, limits: TwoSided, as_ratio: bool) -> Outcome:
    rng = np.random.default_rng(seed)
    (p1, n1), (p2, n2) = TWO
    k1, k2 = rng.binomial(n1, p1, replications), rng.binomial(n2, p2, replications)
    found = limits(k1, np.full(replications, n1), k2, np.full(replications, n2))
    one, other = familiar.wald(k1, n1), familiar.wald(k2, n2)
    if as_ratio:
        return Outcome(Found(*found), p1 / p2, familiar.ratio(one, other))
    return Outcome(Found(*found), p1 - p2, familiar.difference(one, other))


def _clustered(seed: Seed, replications: int, law: dict) -> Outcome:
    drawn = laws.beta_binomial(np.random.default_rng(seed), replications, **law)
    found = stats.ratio_interval(drawn.group, drawn.k, drawn.n, clusters="seller")
    alone = Found(found.estimate, *stats.wilson(found.k, found.n))
    return Outcome(Found(found.estimate, found.low, found.high), law["mean"], alone)


def clustered_share(seed: Seed, replications: int) -> Outcome:
    return _clustered(seed, replications, CLUSTERED)


def share_of_few_sellers(seed: Seed, replications: int) -> Outcome:
    return _clustered(seed, replications, FEW)


def _rare(estimator: str, promise: tuple[float, float] | None = None) -> Study:
    return Study(
        "shares",
        "a rare share",
        estimator,
        f"binomial, share {RARE}",
        f"{RARE_N} requests",
        partial(rare_share, limits=getattr(stats, estimator)),
        "Wald: p plus and minus 1.96 standard errors",
        replications=10_000,
        promise=promise,
    )


def _two(estimator: str, *, as_ratio: bool) -> Study:
    return Study(
        "shares",
        "ratio of two success rates" if as_ratio else "difference of two success rates",
        estimator,
        "two binomial shares, 0.06 and 0.18",
        "90 and 140 requests",
        partial(two_shares, limits=getattr(stats, estimator), as_ratio=as_ratio),
        "Wald, delta method" if as_ratio else "Wald",
        unit="ratio" if as_ratio else "share points",
        replications=10_000,
    )


STUDIES = [
    _rare("wilson"),
    _rare("jeffreys"),
    _rare("clopper_pearson", (0.95, 1.0)),
    _two("newcombe_difference", as_ratio=False),
    _two("score_difference", as_ratio=False),
    _two("score_ratio", as_ratio=True),
    _two("mover_ratio", as_ratio=True),
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
