"""Studies of durations with open cases: curves, quantiles, means, competing ends."""

from __future__ import annotations

import numpy as np

from analysis import stats

from . import familiar, laws
from .study import Found, Outcome, Seed, Study

REFUND = laws.LogNormal(median=5.0, sigma=0.7)
AGES = 21.0  # refunds were decided at any time of the last three weeks
REFUNDS = 250
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
]
