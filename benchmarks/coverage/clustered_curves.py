"""Studies of curves of cases that come in clusters of a seller, quick or slow by himself."""

from __future__ import annotations

from functools import cache

import numpy as np

from analysis import stats

from . import laws
from .study import Found, Outcome, Seed, Study

SELLERS, REFUNDS = 40, 500
AGES, AT, TAU = 21.0, 7.0, 14.0
FRAILTY = laws.Frailty(scale=6.0, shape=1.3, variance=0.5)
LOSING, LONG = (1.0, 7.0), 60.0  # beta distribution of the sellers' share that never comes; days
APPROVING = 2.0, 2.0  # beta distribution of the sellers' share of approvals
LAW = "Weibull refunds with gamma frailty of the seller, ages uniform over 21 days"
NEVER_LAW = "Weibull refunds, each seller loses a beta-distributed share, ages over 60 days"
CASES = f"{SELLERS} sellers, {REFUNDS} refunds"


@cache
def _spells(seed: Seed, replications: int) -> tuple[laws.Spells, np.ndarray, np.ndarray]:
    """Return spells, the seller of each, and whether its end is an approval."""
    rng = np.random.default_rng(seed)
    seller = laws.sellers_of(rng, replications, SELLERS, REFUNDS)
    end = FRAILTY.draw(rng, seller)
    spells = laws.observed(rng, seller // SELLERS, end, longest=AGES)
    approves = rng.beta(*APPROVING, replications * SELLERS)[seller] > rng.random(len(seller))
    return spells, seller, approves


def _curve(spells: laws.Spells, seller: np.ndarray) -> tuple[stats.SurvivalCurve, stats.Jackknife]:
    seen = spells.seen * 1
    curve = stats.kaplan_meier(spells.group, spells.time, seen, 1 - seen)
    cells = stats.Cells(spells.group, spells.time, seen, np.ones(len(seen)), seller)
    return curve, stats.Jackknife(curve, cells)


def credited(seed: Seed, replications: int) -> Outcome:
    spells, seller, _ = _spells(seed, replications)
    curve, jackknife = _curve(spells, seller)
    ours, alone = (
        Found(1 - at.survival[:, 0], 1 - at.high[:, 0], 1 - at.low[:, 0])
        for at in (
            stats.survival_at(curve, [AT], jackknife=jackknife),
            stats.survival_at(curve, [AT]),
        )
    )
    return Outcome(ours, 1 - FRAILTY.survival(AT), alone)


def mean_time(seed: Seed, replications: int) -> Outcome:
    spells, seller, _ = _spells(seed, replications)
    curve, jackknife = _curve(spells, seller)
    ours, alone = (
        Found(*found[:3])
        for found in (
            stats.restricted_mean(curve, TAU, jackknife=jackknife),
            stats.restricted_mean(curve, TAU),
        )
    )
    return Outcome(ours, FRAILTY.restricted_mean(TAU), alone)


def median(seed: Seed, replications: int) -> Outcome:
    spells, seller, _ = _spells(seed, replications)
    curve, jackknife = _curve(spells, seller)
    ours, alone = (
        Found(*(column[:, 0] for column in found[:3]))
        for found in (
            stats.survival_quantiles(curve, [0.5], jackknife=jackknife),
            stats.survival_quantiles(curve, [0.5]),
        )
    )
    return Outcome(ours, FRAILTY.quantile(0.5), alone)


def approved(seed: Seed, replications: int) -> Outcome:
    spells, seller, approves = _spells(seed, replications)
    end = np.where(spells.seen, np.where(approves, 1, 2), 0)
    events = np.stack([end == 1, end == 2], axis=1) * 1
    curve = stats.aalen_johansen(spells.group, spells.time, events, (end == 0) * 1)
    cells = stats.Cells(spells.group, spells.time, end, np.ones(len(end)), seller)
    ours, alone = (
        Found(at.incidence[:, 0, 0], at.low[:, 0, 0], at.high[:, 0, 0])
        for at in (
            stats.incidence_at(curve, [AT], jackknife=stats.Jackknife(curve, cells)),
            stats.incidence_at(curve, [AT]),
        )
    )
    return Outcome(ours, (1 - FRAILTY.survival(AT)) / 2, alone)


@cache
def _losing(seed: Seed, replications: int) -> tuple[laws.Spells, np.ndarray]:
    """Refunds of which each seller loses his own share; the others are there within weeks."""
    rng = np.random.default_rng(seed)
    seller = laws.sellers_of(rng, replications, SELLERS, REFUNDS)
    end = 4.0 * rng.weibull(1.5, len(seller))
    end[rng.beta(*LOSING, replications * SELLERS)[seller] > rng.random(len(seller))] = np.inf
    return laws.observed(rng, seller // SELLERS, end, longest=LONG), seller


def never(seed: Seed, replications: int) -> Outcome:
    spells, seller = _losing(seed, replications)
    curve, jackknife = _curve(spells, seller)
    ours, alone = (
        Found(found.share, found.low, found.high)
        for found in (stats.plateau(curve, jackknife=jackknife), stats.plateau(curve))
    )
    return Outcome(ours, LOSING[0] / sum(LOSING), alone)


def never_by_model(seed: Seed, replications: int) -> Outcome:
    spells, seller = _losing(seed, replications)
    counts = (spells.group, spells.time, spells.seen * 1, ~spells.seen * 1)
    fit = stats.cure_fit(*counts)
    ours = Found(fit.share, *stats.cure_limits(fit, *counts, seller))
    return Outcome(ours, LOSING[0] / sum(LOSING), Found(fit.share, fit.low, fit.high))


def _study(
    estimand: str, estimator: str, draw: object, unit: str = "share", law: str = LAW
) -> Study:
    return Study(
        "curves",
        estimand,
        estimator if estimator == "cure_limits" else f"{estimator}, Jackknife",
        law,
        CASES,
        draw,
        f"{estimator.replace('limits', 'fit')}, cases taken as independent",
        unit=unit,
        replications=1000,
    )


STUDIES = [
    _study("credited in 7 days, unlike sellers", "survival_at", credited),
    _study("mean days (14), unlike sellers", "restricted_mean", mean_time, "days"),
    _study("median days, unlike sellers", "survival_quantiles", median, "days"),
    _study("approved within 7 days, of sellers", "incidence_at", approved),
    _study("share of refunds that never come", "plateau", never, law=NEVER_LAW),
    _study("share of refunds that never come", "cure_limits", never_by_model, law=NEVER_LAW),
]
