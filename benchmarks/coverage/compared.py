"""Studies of shares that are compared, adjusted or not yet final."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from analysis import stats

from . import familiar, laws
from .study import Found, Outcome, Seed, Study

SELLERS, CASES = 40, 600
MEAN, STRENGTH, LOWER = 0.6, 8.0, 0.8  # of the sellers' rates; what the second group has of them
STRATA = np.array([0.85, 0.6, 0.3])  # success rate by stratum, for the middle seller
OWN_MIX, STANDARD = np.array([0.2, 0.3, 0.5]), np.array([0.5, 0.3, 0.2])
PAST, YOUNG, DAYS, HORIZON = 400, 80, 10.0, 30.0


def _two_groups(seed: Seed, replications: int, *, shared: bool, lower: float) -> tuple:
    """Return counts of two groups per replication by seller, who is in both or in one."""
    rng = np.random.default_rng(seed)
    seller = laws.sellers_of(rng, replications, SELLERS, CASES)
    rate = rng.beta(MEAN * STRENGTH, (1 - MEAN) * STRENGTH, replications * SELLERS)
    side = rng.integers(0, 2, len(seller)) if shared else seller % 2
    worked = rng.random(len(seller)) < rate[seller] * np.where(side, lower, 1.0)
    key, back = np.unique(seller * 2 + side, return_inverse=True)
    n, k = np.bincount(back), np.bincount(back, worked)
    cluster, side = np.divmod(key, 2)
    return cluster // SELLERS * 2 + side, cluster, k, n


def _contrast(counts: tuple, replications: int) -> stats.Contrast:
    baseline = np.where(np.arange(2 * replications) % 2, np.arange(2 * replications) - 1, -1)
    return stats.clustered_contrast(*counts, baseline, clusters="seller")


def difference(seed: Seed, replications: int) -> Outcome:
    counts = _two_groups(seed, replications, shared=True, lower=LOWER)
    found = _contrast(counts, replications).difference
    group, _, k, n = counts
    k, n = (np.bincount(group, x).reshape(-1, 2) for x in (k, n))
    alone = stats.newcombe_difference(k[:, 1], n[:, 1], k[:, 0], n[:, 0])
    ours = Found(*(column[1::2] for column in found))
    return Outcome(ours, MEAN * (LOWER - 1), Found(*alone))


def no_difference(seed: Seed, replications: int) -> Outcome:
    counts = _two_groups(seed, replications, shared=False, lower=1.0)
    group, _, k, n = counts
    k, n = (np.bincount(group, x).reshape(-1, 2) for x in (k, n))
    common = k.sum(axis=1) / n.sum(axis=1)
    error = np.sqrt(common * (1 - common) * (1 / n).sum(axis=1))
    z = (k[:, 1] / n[:, 1] - k[:, 0] / n[:, 0]) / error
    ours = _contrast(counts, replications).p_value[1::2]
    return Outcome(ours, naive=2 * norm.sf(abs(z)))


def standardised(seed: Seed, replications: int) -> Outcome:
    """Share at the mix of a standard; naively the crude share, at the group's own mix."""
    rng = np.random.default_rng(seed)
    seller = laws.sellers_of(rng, replications, SELLERS, CASES)
    stratum = rng.choice(3, len(seller), p=OWN_MIX)
    shift = rng.uniform(0.7, 1.1, replications * SELLERS)  # what a seller makes of the rate
    worked = rng.random(len(seller)) < STRATA[stratum] * shift[seller]
    key, back = np.unique(seller * 3 + stratum, return_inverse=True)
    n, k = np.bincount(back), np.bincount(back, worked)
    cluster, stratum = np.divmod(key, 3)
    group = cluster // SELLERS
    found = stats.standardised_share(group, stratum, cluster, k, n, STANDARD, clusters="seller")
    sums = (np.bincount(cluster, x, replications * SELLERS) for x in (k, n))
    crude = stats.ratio_interval(laws.groups(replications, SELLERS), *sums)
    return Outcome(Found(*found[:3]), float(STANDARD @ STRATA * 0.9), Found(*crude[:3]))


def share_to_be(seed: Seed, replications: int) -> Outcome:
    """What share of young requests will have worked in the end: drawn with each dataset."""
    rng = np.random.default_rng(seed)
    past, young = laws.groups(replications, PAST), laws.groups(replications, YOUNG)
    end, which = _decisions(rng, len(past))
    events = np.stack([which, ~which], axis=1) * 1
    curve = stats.aalen_johansen(past, end, events, np.zeros(len(past)))
    end, which = _decisions(rng, len(young))
    age = rng.uniform(0, DAYS, len(young))
    is_open, works = end > age, which & (end <= HORIZON)
    k = np.bincount(young, works & ~is_open, replications)
    chance = stats.chance_when_open(curve, young[is_open], age[is_open], horizon=HORIZON)
    total = np.full(replications, YOUNG)
    ones = np.ones(is_open.sum())
    found = stats.nowcast(young[is_open], ones, chance, k=k, n_total=total)
    naive = familiar.wald(k, np.bincount(young, ~is_open, replications))
    return Outcome(Found(*found), np.bincount(young, works, replications) / YOUNG, naive)


def _decisions(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return days to the decision, and whether it was success: those come sooner."""
    works = rng.random(size) < MEAN
    return rng.exponential(np.where(works, 3.0, 12.0)), works


STUDIES = [
    Study(
        "shares",
        "difference, sellers on both sides",
        "clustered_contrast",
        "beta-distributed sellers who are in both groups, a fifth fewer successes in one",
        f"{SELLERS} sellers, {CASES} requests",
        difference,
        "Newcombe, requests taken as independent",
        unit="share points",
    ),
    Study(
        "tests",
        "shares of groups of sellers",
        "clustered_contrast",
        "beta-distributed sellers, each in one group, groups do not differ",
        f"{SELLERS} sellers, {CASES} requests",
        no_difference,
        "two-sample z test, requests taken as independent",
    ),
    Study(
        "shares",
        "success rate at a standard mix",
        "standardised_share",
        "three strata, another mix than the standard's, sellers better and worse",
        f"{SELLERS} sellers, {CASES} requests",
        standardised,
        "the crude share, clustered",
    ),
    Study(
        "shares",
        "what share will have worked",
        "nowcast",
        "successes decided in 3 days in the mean, refusals in 12, requests of the last 10 days",
        f"{YOUNG} young requests, {PAST} old ones",
        share_to_be,
        "share of those decided so far, Wald",
        promise=(0.93, 0.98),
        remark="A forecast of whole counts: the truth is drawn anew with every dataset.",
    ),
]
