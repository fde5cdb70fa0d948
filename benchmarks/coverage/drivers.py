"""Studies of what goes with success: average effects, adjusted for what else differs."""

from __future__ import annotations

import numpy as np

from analysis import stats
from analysis.stats.scales import t_quantile

from . import familiar
from .study import NOMINAL, Found, Outcome, Seed, Study

REQUESTS = 1_500
INTERCEPT, LATE, ABROAD = 0.8, -1.2, -0.3  # log-odds: of success, when asked late, from abroad
TOGETHER = 0.7, 0.3  # share of late requests at home and from abroad
SELLERS, STRENGTH = 50, 6.0


def _odds(late: np.ndarray, abroad: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-(INTERCEPT + LATE * late + ABROAD * abroad)))


def adjusted_effect(seed: Seed, replications: int) -> Outcome:
    """Effect of buying abroad, where requests from abroad also come earlier."""
    rng = np.random.default_rng(seed)
    codes = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])  # late, abroad
    shares = np.array([0.5 * (1 - TOGETHER[0]), 0.5 * (1 - TOGETHER[1]), 0.35, 0.15])
    n = rng.multinomial(REQUESTS, shares, replications)
    k = rng.binomial(n, _odds(*codes.T))
    found, truths = [], []
    for own_k, own_n in zip(k, n, strict=True):
        effects = stats.average_effects(stats.logistic_fit(codes, own_k, own_n))
        half = familiar.Z * np.sqrt(effects.variance[2])
        found.append((effects.estimate[2], effects.estimate[2] - half, effects.estimate[2] + half))
        gain = _odds(codes[:, 0], np.ones(4)) - _odds(codes[:, 0], np.zeros(4))
        truths.append(gain @ own_n / REQUESTS)
    abroad, home = [1, 3], [0, 2]
    naive = familiar.difference(
        familiar.wald(k[:, abroad].sum(axis=1), n[:, abroad].sum(axis=1)),
        familiar.wald(k[:, home].sum(axis=1), n[:, home].sum(axis=1)),
    )
    return Outcome(Found(*np.array(found).T), np.array(truths), naive)


def effect_among_sellers(seed: Seed, replications: int) -> Outcome:
    """Effect of a property of the seller, whose requests are alike in more than that."""
    rng = np.random.default_rng(seed)
    abroad = np.arange(SELLERS) % 2
    cells = np.repeat(np.arange(SELLERS), 2)
    codes = np.stack([np.tile([0, 1], SELLERS), abroad[cells]], axis=1)
    mean = _odds(*codes.T)
    found = []
    truths = []
    for _ in range(replications):
        n = np.ceil(8 * np.exp(0.8 * rng.standard_normal(SELLERS))).astype(np.int64)[cells]
        seller = rng.random(SELLERS)[cells]  # one rank of luck a seller moves all its cells
        k = rng.binomial(n, _beta_quantile(seller, mean))
        fit = stats.logistic_fit(codes, k, n)
        effects = stats.average_effects(fit)
        robust = stats.clustered_variance(fit, effects.gradient[2:3], codes, k, n, cells)
        half = t_quantile(robust.df, NOMINAL)[0] * np.sqrt(robust.variance[0])
        found.append((effects.estimate[2], half, familiar.Z * np.sqrt(effects.variance[2])))
        late = codes[:, 0]
        gain = _odds(late, np.ones(len(late))) - _odds(late, np.zeros(len(late)))
        truths.append(gain @ n / n.sum())
    estimate, half, alone = np.array(found).T
    ours = Found(estimate, estimate - half, estimate + half)
    naive = Found(estimate, estimate - alone, estimate + alone)
    return Outcome(ours, np.array(truths), naive)


def _beta_quantile(rank: np.ndarray, mean: np.ndarray) -> np.ndarray:
    from scipy.special import betaincinv

    return betaincinv(mean * STRENGTH, (1 - mean) * STRENGTH, rank)


STUDIES = [
    Study(
        "drivers",
        "effect of buying abroad, adjusted",
        "average_effects",
        "logistic law with two covariates that go together",
        f"{REQUESTS:,} requests",
        adjusted_effect,
        "difference of the two raw shares, Wald",
        unit="share points",
    ),
    Study(
        "drivers",
        "effect of the seller being abroad",
        "clustered_variance",
        "logistic law with beta-distributed sellers, log-normal sizes",
        f"{SELLERS} sellers, about 1,100 requests",
        effect_among_sellers,
        "the same effect, requests taken as independent",
        unit="share points",
        replications=1000,
    ),
]
