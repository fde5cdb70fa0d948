"""Studies of parts of a whole: why requests fail, why rates change, what money comes."""

from __future__ import annotations

import numpy as np

from analysis import stats

from . import familiar, laws
from .study import Found, Outcome, Seed, Study

SELLERS, REQUESTS = 40, 400
PATTERNS = np.array([0b00, 0b01, 0b10, 0b11])  # which of two rules stood in the way
KINDS = np.array([[0.7, 0.1, 0.1, 0.1], [0.3, 0.2, 0.1, 0.4]])  # of the two kinds of sellers
HAZARD, UNLIKE = 0.05, 4.0  # ends a day; shape of the gamma of the sellers' paces
MIX = np.array([[0.5, 0.3, 0.2], [0.3, 0.3, 0.4]])  # periods x cells
RATES = np.array([[0.8, 0.6, 0.3], [0.75, 0.6, 0.28]])
CASES = 600  # of each period
SELLERS_LAW = "sellers of two kinds with different chances of each pattern of rules"


def part_of_a_rule(seed: Seed, replications: int) -> Outcome:
    """Shapley part of the first rule; naively whoever it stood in the way of is all its own."""
    rng = np.random.default_rng(seed)
    seller = laws.sellers_of(rng, replications, SELLERS, REQUESTS)
    size = np.bincount(seller, minlength=replications * SELLERS)
    kind = rng.integers(0, 2, len(size))
    counts = rng.multinomial(size, KINDS[kind])
    unit, pattern = np.repeat(np.arange(len(size)), 4), np.tile(PATTERNS, len(size))
    parts = stats.attribute_patterns(unit, pattern, counts.ravel(), n_rules=2)
    group = np.arange(len(size)) // SELLERS
    found = stats.part_interval(group, parts.shapley[:, 0], parts.squares[:, 0], size)
    truth = (KINDS @ [0, 1, 0, 0.5]).mean()
    any_ = np.bincount(group, parts.any[:, 0])
    return Outcome(Found(*found[:3]), float(truth), familiar.wald(any_, REQUESTS))


def pace(seed: Seed, replications: int) -> Outcome:
    """Ends per day at risk, of sellers with a pace of their own."""
    rng = np.random.default_rng(seed)
    group = laws.groups(replications, SELLERS)
    time = np.exp(4.0 + 0.8 * rng.standard_normal(len(group)))
    events = rng.poisson(HAZARD * rng.gamma(UNLIKE, 1 / UNLIKE, len(group)) * time)
    found = stats.rate_interval(group, events, time, clusters="seller")
    half = familiar.Z * np.sqrt(found.events) / found.time
    naive = Found(found.estimate, found.estimate - half, found.estimate + half)
    return Outcome(Found(*found[:3]), HAZARD, naive)


def _change(seed: Seed, replications: int, part: int) -> Outcome:
    rng = np.random.default_rng(seed)
    n = np.stack([rng.multinomial(CASES, mix, replications) for mix in MIX], axis=1)
    k = rng.binomial(n, RATES)
    period, cell = np.repeat([0, 1], 3), np.tile([0, 1, 2], 2)
    found = []
    for one_k, one_n in zip(k, n, strict=True):
        whole = stats.rate_change(period, cell, one_k.ravel(), one_n.ravel()).whole
        half = familiar.Z * np.sqrt(whole.variance[part])  # without clusters df is infinite
        found.append(whole.estimate[part] + np.array([0.0, -half, half]))
    sums = [familiar.wald(k[:, side].sum(axis=1), CASES) for side in (1, 0)]
    mean_mix, mean_rate = MIX.mean(axis=0), RATES.mean(axis=0)
    truth = (mean_rate @ (MIX[1] - MIX[0]), mean_mix @ (RATES[1] - RATES[0]))[part - 1]
    return Outcome(Found(*np.array(found).T), float(truth), familiar.difference(*sums))


def change_by_mix(seed: Seed, replications: int) -> Outcome:
    return _change(seed, replications, 1)


def change_by_rates(seed: Seed, replications: int) -> Outcome:
    return _change(seed, replications, 2)


def money_back(seed: Seed, replications: int) -> Outcome:
    """Share of money that comes back, where large amounts come back more rarely."""
    rng = np.random.default_rng(seed)
    seller = laws.sellers_of(rng, replications, SELLERS, REQUESTS)
    own = rng.beta(3, 2, replications * SELLERS)
    large = rng.random(len(seller)) < 0.2
    amount = np.where(large, 200.0, 20.0)
    back = rng.random(len(seller)) < own[seller] * np.where(large, 0.5, 1.0)
    size = replications * SELLERS
    columns = (np.ones(len(seller)), amount * back, amount, amount**2 * back, amount**2 * back)
    sums = [np.bincount(seller, column, size) for column in (*columns, amount**2)]
    group = np.arange(size) // SELLERS
    found = stats.amount_share(group, stats.AmountSums(*sums))
    truth = 0.6 * (0.2 * 200 * 0.5 + 0.8 * 20) / (0.2 * 200 + 0.8 * 20)
    naive = familiar.wald(np.bincount(seller // SELLERS, back, replications), REQUESTS)
    return Outcome(Found(*found[:3]), truth, naive)


def money_to_come(seed: Seed, replications: int) -> Outcome:
    """Money that will be paid in the next week: the truth is drawn with each dataset."""
    rng = np.random.default_rng(seed)
    law = laws.LogNormal(median=5.0, sigma=0.7)
    found, truths, naive = [], [], []
    for _ in range(replications):
        end, age = law.draw(rng, REQUESTS), rng.uniform(0, 40.0, REQUESTS)
        amount = rng.lognormal(3.0, 0.8, REQUESTS)
        paid = end <= age
        cells = stats.PaymentCells(
            np.zeros(REQUESTS, np.int64),
            np.ceil(np.minimum(end, age) * 24),
            paid * 1,
            ~paid * 1,
            np.where(paid, 0.0, amount),
            np.where(paid, 0.0, amount**2),
            np.full(REQUESTS, -1),
        )
        one = stats.payment_forecast(cells, np.array([168]))
        found.append((one.expected[0], one.low[0], one.high[0]))
        truths.append(amount[~paid & (end <= age + 7)].sum())
        quick = familiar.wald((end[paid] <= 7).sum(), paid.sum())
        naive.append([share * amount[~paid].sum() for share in quick])
    return Outcome(Found(*np.array(found).T), np.array(truths), Found(*np.array(naive).T))


STUDIES = [
    Study(
        "why",
        "Shapley part of a rule",
        "part_interval",
        SELLERS_LAW,
        f"{SELLERS} sellers, {REQUESTS} requests",
        part_of_a_rule,
        "every request it stood in the way of, Wald",
    ),
    Study(
        "why",
        "ends per day at risk",
        "rate_interval",
        "Poisson ends, gamma paces of the sellers, log-normal time at risk",
        f"{SELLERS} sellers, about 150 ends",
        pace,
        "square root of the ends, ends taken as independent",
        unit="a day",
    ),
    Study(
        "why",
        "change of a rate by the mix",
        "rate_change",
        "two periods of three kinds of requests, mix and rates change",
        f"2 x {CASES} requests",
        change_by_mix,
        "the whole change, Wald",
        unit="share points",
        replications=1000,
    ),
    Study(
        "why",
        "change of a rate by the rates",
        "rate_change",
        "two periods of three kinds of requests, mix and rates change",
        f"2 x {CASES} requests",
        change_by_rates,
        "the whole change, Wald",
        unit="share points",
        replications=1000,
    ),
    Study(
        "money",
        "share of money that comes back",
        "amount_share",
        "sellers with beta-distributed shares, large amounts come back half as often",
        f"{SELLERS} sellers, {REQUESTS} orders",
        money_back,
        "share of orders, Wald",
    ),
    Study(
        "money",
        "money paid in the next 7 days",
        "payment_forecast",
        "log-normal refunds (median 5 days, sigma 0.7) of log-normal amounts",
        f"{REQUESTS} refunds, about 60 open",
        money_to_come,
        "open money times the share of the arrived that took 7 days",
        unit="money",
        replications=1000,
        remark="A forecast: the truth is drawn anew with every dataset.",
    ),
]
