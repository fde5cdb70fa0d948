"""Studies of durations with open cases: curves, quantiles, means, competing ends."""

from __future__ import annotations

import numpy as np

from analysis import stats

from . import familiar, laws
from .study import Found, Outcome, Seed, Study

REFUND = laws.LogNormal(median=5.0, sigma=0.7)
AGES = 21.0  # refunds were decided at any time of the last three weeks
REFUNDS, LOOKED_AT = 250, 150
NEVER, NEVER_SCALE = 0.12, 6.0  # share that never comes; days
AT, TAU = 7.0, 14.0
ENDS = laws.Race(first=0.12, second=0.08)
ENDS_LAW = "two ends with hazards 0.12 and 0.08 a day, ages uniform over 21 days"
REFUND_LAW = "log-normal refunds (median 5 days, sigma 0.7), ages uniform over 21 days"


def _refunds(seed: Seed, replications: int) -> laws.Spells:
    rng, group = np.random.default_rng(seed), laws.groups(replications, REFUNDS)
    return laws.observed(rng, group, REFUND.draw(rng, len(group)), longest=AGES)


def _curve(spells: laws.Spells) -> stats.SurvivalCurve:
    return stats.kaplan_meier(spells.group, spells.time, spells.seen * 1.0, ~spells.seen * 1.0)


def _arrived(spells: laws.Spells) -> tuple[np.ndarray, np.ndarray]:
    return spells.group[spells.seen], spells.time[spells.seen]


def arrived_by(group: np.ndarray, time: np.ndarray, replications: int, by: float) -> Found:
    """Share that came by a time among those that have come."""
    n = np.bincount(group, minlength=replications)
    return familiar.wald(np.bincount(group, time <= by, replications), n)


def credited(seed: Seed, replications: int) -> Outcome:
    spells = _refunds(seed, replications)
    at = stats.survival_at(_curve(spells), [AT])
    ours = Found(1 - at.survival[:, 0], 1 - at.high[:, 0], 1 - at.low[:, 0])
    return Outcome(ours, REFUND.cdf(AT), arrived_by(*_arrived(spells), replications, AT))


def typical_time(seed: Seed, replications: int) -> Outcome:
    spells = _refunds(seed, replications)
    found = stats.survival_quantiles(_curve(spells), [0.5])
    ours = Found(*(column[:, 0] for column in found))
    naive = familiar.quantile(*_arrived(spells), replications, 0.5)
    return Outcome(ours, REFUND.quantile(0.5), naive)


def slow_time(seed: Seed, replications: int) -> Outcome:
    spells = _refunds(seed, replications)
    found = stats.survival_quantiles(_curve(spells), [0.8])
    ours = Found(*(column[:, 0] for column in found))
    naive = familiar.quantile(*_arrived(spells), replications, 0.8)
    return Outcome(ours, REFUND.quantile(0.8), naive)


def mean_time(seed: Seed, replications: int) -> Outcome:
    spells = _refunds(seed, replications)
    found = stats.restricted_mean(_curve(spells), TAU)
    group, time = _arrived(spells)
    naive = familiar.mean(group, np.minimum(time, TAU), replications)
    return Outcome(Found(found.estimate, found.low, found.high), REFUND.restricted_mean(TAU), naive)


def race(seed: Seed, replications: int, n: int) -> tuple[laws.Spells, np.ndarray]:
    """Return spells that end in one of two ways, and how many of each end every row is."""
    rng, group = np.random.default_rng(seed), laws.groups(replications, n)
    end, which = ENDS.draw(rng, len(group))
    spells = laws.observed(rng, group, end, longest=AGES)
    events = np.zeros((len(group), 2))
    events[spells.seen, which[spells.seen]] = 1
    return spells, events


def approved(seed: Seed, replications: int) -> Outcome:
    spells, events = race(seed, replications, REFUNDS)
    curve = stats.aalen_johansen(spells.group, spells.time, events, ~spells.seen * 1.0)
    at = stats.incidence_at(curve, [AT])
    ours = Found(at.incidence[:, 0, 0], at.low[:, 0, 0], at.high[:, 0, 0])
    alone = stats.kaplan_meier(spells.group, spells.time, events[:, 0], 1 - events[:, 0])
    one = stats.survival_at(alone, [AT])
    naive = Found(1 - one.survival[:, 0], 1 - one.high[:, 0], 1 - one.low[:, 0])
    return Outcome(ours, ENDS.incidence(AT), naive)


def time_lost(seed: Seed, replications: int) -> Outcome:
    spells, events = race(seed, replications, REFUNDS)
    curve = stats.aalen_johansen(spells.group, spells.time, events, ~spells.seen * 1.0)
    lost = stats.restricted_time_lost(curve, TAU)
    ours = Found(lost.estimate[:, 0], lost.low[:, 0], lost.high[:, 0])
    alone = stats.kaplan_meier(spells.group, spells.time, events[:, 0], 1 - events[:, 0])
    mean = stats.restricted_mean(alone, TAU)
    naive = Found(TAU - mean.estimate, TAU - mean.high, TAU - mean.low)
    return Outcome(ours, ENDS.time_lost(TAU), naive)


def never_refunded(seed: Seed, replications: int) -> Outcome:
    """Some refunds never come; the others do in Weibull times."""
    rng, group = np.random.default_rng(seed), laws.groups(replications, REFUNDS)
    end = NEVER_SCALE * rng.weibull(1.4, len(group))
    end[rng.random(len(group)) < NEVER] = np.inf
    spells = laws.observed(rng, group, end, longest=40.0)
    fit = stats.cure_fit(group, spells.time, spells.seen * 1.0, ~spells.seen * 1.0)
    open_ = np.bincount(group, ~spells.seen, replications)
    return Outcome(Found(fit.share, fit.low, fit.high), NEVER, familiar.wald(open_, REFUNDS))


def looked_at(seed: Seed, replications: int) -> Outcome:
    """Refunds whose state was looked up on some days only, in the days after the decision."""
    rng = np.random.default_rng(seed)
    found, naive = [], []
    for _ in range(replications):
        end = REFUND.draw(rng, LOOKED_AT)
        looks = np.cumsum(rng.integers(1, 4, (LOOKED_AT, 9)), axis=1).astype(float)
        looks[looks > rng.integers(6, 22, LOOKED_AT)[:, None]] = np.inf  # not yet
        first = np.where(looks >= end[:, None], looks, np.inf).min(axis=1)
        before = np.where((looks < end[:, None]) & np.isfinite(looks), looks, 0.0).max(axis=1)
        rows = np.zeros(LOOKED_AT, np.int64), before, first, np.ones(LOOKED_AT)
        low, high = stats.interval_survival_at(stats.turnbull(*rows), [AT])
        below, above = stats.interval_survival_limits(*rows, [AT], replicates=200)
        found.append((1 - (low + high)[0, 0] / 2, 1 - above[0, 0], 1 - below[0, 0]))
        come = first[np.isfinite(first)]
        naive.append(((come <= AT).sum(), len(come)))
    return Outcome(Found(*np.array(found).T), REFUND.cdf(AT), familiar.wald(*np.array(naive).T))


COMPLETED = "of the refunds that have arrived"
STUDIES = [
    Study(
        "curves",
        "refunds credited within 7 days",
        "survival_at",
        REFUND_LAW,
        f"{REFUNDS} refunds",
        credited,
        f"share {COMPLETED}, Wald",
    ),
    Study(
        "curves",
        "median days to the money",
        "survival_quantiles",
        REFUND_LAW,
        f"{REFUNDS} refunds",
        typical_time,
        f"median {COMPLETED}",
        unit="days",
    ),
    Study(
        "curves",
        "days until 80 in 100 have it",
        "survival_quantiles",
        REFUND_LAW,
        f"{REFUNDS} refunds",
        slow_time,
        f"quantile {COMPLETED}",
        unit="days",
    ),
    Study(
        "curves",
        "mean days to the money, at most 14",
        "restricted_mean",
        REFUND_LAW,
        f"{REFUNDS} refunds",
        mean_time,
        f"mean {COMPLETED}",
        unit="days",
    ),
    Study(
        "curves",
        "requests approved within 7 days",
        "incidence_at",
        ENDS_LAW,
        f"{REFUNDS} requests",
        approved,
        "one minus Kaplan-Meier, other ends censored",
    ),
    Study(
        "curves",
        "days lost to approval, at most 14",
        "restricted_time_lost",
        ENDS_LAW,
        f"{REFUNDS} requests",
        time_lost,
        "one minus Kaplan-Meier, other ends censored",
        unit="days",
    ),
    Study(
        "curves",
        "share of refunds that never come",
        "cure_fit",
        "Weibull refunds of which 0.12 never come, ages uniform over 40 days",
        f"{REFUNDS} refunds",
        never_refunded,
        "open refunds divided by refunds, Wald",
    ),
    Study(
        "curves",
        "credited within 7 days, from looks",
        "interval_survival_limits",
        "log-normal refunds (median 5 days, sigma 0.7), looked at every 1 to 3 days",
        f"{LOOKED_AT} refunds",
        looked_at,
        "day of the first look with the money, of those that have it",
        replications=1000,
    ),
]
