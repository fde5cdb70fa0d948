"""Studies of tests of equal curves, and of hazard ratios."""

from __future__ import annotations

import numpy as np
from scipy.stats import mannwhitneyu

from analysis import stats
from analysis.stats.scales import t_quantile

from . import familiar, laws
from .curves import REFUND
from .study import NOMINAL, Found, Outcome, Seed, Study

PER_ARM = 120
LONGEST = np.array([21.0, 10.0])  # one arm was started later: its refunds are younger
FIRST, QUICK, SLOW = 0.5, 0.5, 0.06  # share of the first end; hazards of the other end, by arm
SELLERS, CASES = 24, 300
FRAILTY = laws.Frailty(scale=6.0, shape=1.3, variance=0.5)
STABLE, EFFECT = 0.6, 0.8  # index of the sellers' frailty, log hazard ratio within a seller


def _arms(replications: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return replication and arm of each case."""
    group = laws.groups(replications, n)
    return group, np.arange(len(group)) % 2


def _each(group: np.ndarray, replications: int) -> list[slice]:
    edges = np.searchsorted(group, np.arange(replications + 1))
    return [slice(*pair) for pair in zip(edges, edges[1:], strict=False)]


def equal_refunds(seed: Seed, replications: int) -> Outcome:
    rng = np.random.default_rng(seed)
    group, arm = _arms(replications, 2 * PER_ARM)
    end, age = REFUND.draw(rng, len(group)), rng.uniform(0, LONGEST[arm])
    time, seen = np.minimum(end, age), end <= age
    ours = [
        stats.log_rank(arm[own], time[own], seen[own] * 1, ~seen[own] * 1).p_value
        for own in _each(group, replications)
    ]
    naive = familiar.two_sample(mannwhitneyu, time[seen], group[seen], arm[seen])
    return Outcome(np.array(ours), naive=naive)


def equal_refunds_of_sellers(seed: Seed, replications: int) -> Outcome:
    """Compare arms that are a property of the seller, who is quick or slow by himself."""
    rng = np.random.default_rng(seed)
    seller = laws.sellers_of(rng, replications, SELLERS, CASES)
    group, arm = seller // SELLERS, seller % 2
    spells = laws.observed(rng, group, FRAILTY.draw(rng, seller), longest=21.0)
    ours, naive = [], []
    for own in _each(group, replications):
        rows = (arm[own], spells.time[own], spells.seen[own] * 1, ~spells.seen[own] * 1)
        ours.append(stats.log_rank(*rows, cluster=seller[own] - seller[own].min()).p_value)
        naive.append(stats.log_rank(*rows).p_value)
    return Outcome(np.array(ours), naive=np.array(naive))


def equal_shares_of_ends(seed: Seed, replications: int) -> Outcome:
    """The first end comes alike in both arms; the other is quick in one and slow in the other."""
    rng = np.random.default_rng(seed)
    group, arm = _arms(replications, 2 * PER_ARM)
    other = rng.random(len(group)) >= FIRST
    pace = np.where(other, np.where(arm == 0, QUICK, SLOW), 0.15)
    end, age = rng.exponential(1 / pace), rng.uniform(0, 21.0, len(group))
    time, seen = np.minimum(end, age), end <= age
    events = np.stack([seen & ~other, seen & other], axis=1) * 1
    ours, naive = [], []
    for own in _each(group, replications):
        found = stats.gray_test(arm[own], time[own], events[own], ~seen[own] * 1)
        ours.append(found.p_value[0])
        rows = (arm[own], time[own], events[own, 0], 1 - events[own, 0])
        naive.append(stats.log_rank(*rows).p_value)
    return Outcome(np.array(ours), naive=np.array(naive))


def equal_ends_of_sellers(seed: Seed, replications: int) -> Outcome:
    """Ends of sellers of their own kind; the groups of sellers do not differ."""
    rng = np.random.default_rng(seed)
    seller = laws.sellers_of(rng, replications, SELLERS, CASES)
    group, arm = seller // SELLERS, seller % 2
    first = rng.beta(2, 2, replications * SELLERS)[seller] > rng.random(len(seller))
    spells = laws.observed(rng, group, FRAILTY.draw(rng, seller), longest=21.0)
    events = np.stack([spells.seen & first, spells.seen & ~first], axis=1) * 1
    ours, naive = [], []
    for own in _each(group, replications):
        rows = (arm[own], spells.time[own], events[own], ~spells.seen[own] * 1)
        ours.append(stats.gray_test(*rows, cluster=seller[own] - seller[own].min()).p_value[0])
        naive.append(stats.gray_test(*rows).p_value[0])
    return Outcome(np.array(ours), naive=np.array(naive))


def hazard_ratio(seed: Seed, replications: int) -> Outcome:
    """Sellers of two kinds with positive stable frailties: hazards stay proportional."""
    rng = np.random.default_rng(seed)
    seller = laws.sellers_of(rng, replications, SELLERS, CASES)
    group, kind = seller // SELLERS, seller % 2
    frailty = laws.positive_stable(rng, STABLE, replications * SELLERS)[seller]
    end = 5.0 * (rng.exponential(size=len(seller)) / (frailty * np.exp(EFFECT * kind))) ** 1.3
    spells = laws.observed(rng, group, end, longest=21.0)
    found = []
    for own in _each(group, replications):
        fit = stats.cox(
            np.array([[0.0], [1.0]]),
            kind[own],
            spells.time[own],
            spells.seen[own] * 1,
            ~spells.seen[own] * 1,
            cluster=seller[own] - seller[own].min(),
            corrected=True,
        )
        reach = t_quantile(fit.robust_df, NOMINAL)[0]
        found.append((fit.coefficient[0], reach * fit.robust_error[0], 1.96 * fit.std_error[0]))
    estimate, half, alone = np.array(found).T
    ours = Found(estimate, estimate - half, estimate + half)
    return Outcome(ours, STABLE * EFFECT, Found(estimate, estimate - alone, estimate + alone))


STUDIES = [
    Study(
        "tests",
        "groups of refunds, one younger",
        "log_rank",
        "the same log-normal refunds in both arms, ages uniform over 21 and over 10 days",
        f"2 x {PER_ARM} refunds",
        equal_refunds,
        "Mann-Whitney on the refunds that have arrived",
    ),
    Study(
        "tests",
        "groups of sellers",
        "log_rank",
        "Weibull refunds with gamma frailty of the seller, no difference between the groups",
        f"{SELLERS} sellers, {CASES} refunds",
        equal_refunds_of_sellers,
        "log-rank, refunds taken as independent",
    ),
    Study(
        "tests",
        "groups with equal shares of an end",
        "gray_test",
        "two ends, the first alike in both arms, the other quick in one and slow in the other",
        f"2 x {PER_ARM} requests",
        equal_shares_of_ends,
        "log-rank, other ends censored",
    ),
    Study(
        "tests",
        "ends of groups of sellers",
        "gray_test",
        "two ends, each seller with a share and a pace of his own, groups do not differ",
        f"{SELLERS} sellers, {CASES} requests",
        equal_ends_of_sellers,
        "Gray's test, requests taken as independent",
    ),
    Study(
        "drivers",
        "log hazard ratio of seller kinds",
        "cox",
        "proportional hazards with positive stable frailties of the sellers",
        f"{SELLERS} sellers, {CASES} refunds",
        hazard_ratio,
        "Cox model, refunds taken as independent",
        unit="log ratio",
    ),
]
