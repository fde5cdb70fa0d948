"""Studies of many small groups: what is said of each seller."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.stats import binom, chi2, rankdata

from analysis import stats

from . import laws
from .study import Found, Outcome, Seed, Study

SELLERS = {"sellers": 200, "mean": 0.6, "strength": 10.0, "typical": 8.0, "spread": 1.0}
FEW = {**SELLERS, "sellers": 12, "typical": 15.0}
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


@cache
def _posteriors(seed: Seed, replications: int) -> tuple[laws.Clusters, list]:
    """Return few sellers as replications x sellers, with the posterior of each."""
    flat = laws.beta_binomial(np.random.default_rng(seed), replications, **FEW)
    drawn = laws.Clusters(*(x.reshape(replications, -1) for x in flat))
    found = []
    for k, n in zip(drawn.k, drawn.n, strict=True):
        found.append(stats.shrunk_posterior(k, n, stats.plausible_priors(k, n)))
    return drawn, found


def rate_of_few(seed: Seed, replications: int) -> Outcome:
    drawn, posteriors = _posteriors(seed, replications)
    rows = [(one.mean, *one.limits()) for one in posteriors]
    raw = Found(drawn.k / drawn.n, *stats.wilson(drawn.k, drawn.n))
    return Outcome(Found(*np.moveaxis(np.array(rows), 1, 0)), drawn.rate, raw)


def place_of_few(seed: Seed, replications: int) -> Outcome:
    drawn, posteriors = _posteriors(seed, replications)
    rows = [stats.rank_limits(one.a, one.b) for one in posteriors]
    ours = Found(*np.moveaxis(np.array(rows), 1, 0))
    place = rankdata(-drawn.k / drawn.n, axis=1, method="min").astype(float)
    true = rankdata(-drawn.rate, axis=1, method="ordinal")
    return Outcome(ours, true, Found(place, place, place))


def spread_of_few(seed: Seed, replications: int) -> Outcome:
    """Intraclass correlation, beside that of the raw rates' variance."""
    flat = laws.beta_binomial(np.random.default_rng(seed), replications, **FEW)
    drawn = laws.Clusters(*(x.reshape(replications, -1) for x in flat))
    rows = [stats.beta_binomial_spread(k, n)[1:4] for k, n in zip(drawn.k, drawn.n, strict=True)]
    raw = drawn.k / drawn.n
    sellers, mean = raw.shape[1], raw.mean(axis=1)
    variance = raw.var(axis=1, ddof=1)
    tails = [(sellers - 1) / chi2.ppf(share, sellers - 1) for share in (0.975, 0.025)]
    naive = Found(*(variance * factor / (mean * (1 - mean)) for factor in (1.0, *tails)))
    return Outcome(Found(*np.array(rows).T), 1 / (FEW["strength"] + 1), naive)


def sellers_alike(seed: Seed, replications: int) -> Outcome:
    rng, alike = np.random.default_rng(seed), {**FEW, "strength": 1e9}
    drawn = laws.beta_binomial(rng, replications, **alike)
    k, n = (x.reshape(replications, -1) for x in (drawn.k, drawn.n))
    ours = [stats.beta_binomial_spread(*pair).p_value for pair in zip(k, n, strict=True)]
    common = (k.sum(axis=1) / n.sum(axis=1))[:, None]
    tails = 2 * np.minimum(binom.cdf(k, n, common), binom.sf(k - 1, n, common))
    return Outcome(np.array(ours), naive=tails.min(axis=1))


FEW_LAW = "12 beta-binomial sellers (mean 0.6, strength 10), log-normal sizes"
FEW_CASES = "12 sellers, about 300 requests"
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
    Study(
        "sellers",
        "success rate of each of 12",
        "shrunk_posterior",
        FEW_LAW,
        FEW_CASES,
        rate_of_few,
        "each seller's own share, Wilson",
        replications=1000,
    ),
    Study(
        "sellers",
        "place of each of 12",
        "rank_limits",
        FEW_LAW,
        FEW_CASES,
        place_of_few,
        "the place in the league table",
        unit="places",
        replications=1000,
        promise=(0.93, 1.0),
        remark="Places are whole, so limits hold at least so much.",
    ),
    Study(
        "sellers",
        "likeness of one seller's requests",
        "beta_binomial_spread",
        FEW_LAW,
        FEW_CASES,
        spread_of_few,
        "variance of the sellers' own shares, chi-square",
        unit="correlation",
        replications=1000,
        remark="Intraclass correlation.",
    ),
    Study(
        "sellers",
        "sellers who do not differ",
        "beta_binomial_spread",
        "12 sellers with one common rate, log-normal sizes",
        FEW_CASES,
        sellers_alike,
        "some seller's own share differs from the mean at 5%",
        replications=1000,
    ),
]
