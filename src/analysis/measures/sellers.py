"""Sellers: who lets buyers cancel, and how quickly they answer and refund.

Unit: one seller with at least one mature or young request. Rates are drawn towards what is known
of all sellers, the more so the fewer requests a seller has.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis import stats
from analysis.contract import MissingData
from analysis.measures.case_mix import SELLER, expected_of, requests_by_mix
from analysis.measures.counting import DAY, HOUR
from analysis.measures.curves import medians
from analysis.measures.durations import refund_spells, response_spells
from analysis.measures.rates import HORIZON_HOURS
from analysis.sources import Tables

RESPONSE_HORIZON_HOURS = 240
REFUND_HORIZON_DAYS = 120
LOWER_TENTH = 0.1


def seller_scorecard(
    tables: Tables,
    *,
    horizon_hours: float = HORIZON_HOURS,
    level: float = 0.95,
    top: int | None = None,
    threshold: float | None = None,
    adjust_for: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Each seller's success rate, shrunk towards all sellers', its place, and its typical waits.

    Parameters
    ----------
    tables
        Opened dataset; needs ``requests``, and ``orders`` with ``seller_id``.
    horizon_hours
        A request counts once it is this old at ``as_of``.
    level
        Probability of the intervals of rate and place, in (0, 1).
    top
        Return only this many sellers, those with the most mature requests; None returns all.
    threshold
        Success rate below which a seller breaks what is expected of it, in [0, 1]. None takes
        the rate that one in ten of the sellers' true rates lies below (of the fitted
        distribution).
    adjust_for
        Columns of requests, orders or sellers that make requests alike, for the expected and the
        adjusted rate; ``order_age`` is the time from payment to asking in classes. None takes
        ``order_state`` and, where orders have ``paid_at``, ``order_age``.

    Returns
    -------
    DataFrame
        One row per seller, most mature requests first: ``seller_id, estimate, ci_low, ci_high,
        raw_rate, expected_rate, observed_expected, adjusted_rate, rank, rank_low, rank_high,
        p_breach, threshold, n, n_events, n_pending, response_median_hours, refund_median_days,
        n_refunds, interval``. ``estimate`` is the posterior mean of the seller's success rate
        and the interval its equal-tailed posterior limits; ``raw_rate`` is ``n_events / n``.
        ``expected_rate`` is what the other sellers make of such requests, ``observed_expected``
        the ratio of successes to those, ``adjusted_rate`` the shrunk rate at the mix of all.
        ``rank`` is the expected place by ``estimate`` among all sellers (1 is the highest, not
        adjusted for mix) with its limits; ``p_breach`` the probability that the true rate is
        below ``threshold``. Medians are Kaplan-Meier, missing where not reached or, for refunds,
        where there is no table.

    Raises
    ------
    MissingData
        Orders have no ``seller_id``, or a column in ``adjust_for`` is in none of the tables.
    ValueError
        ``top`` is less than 1, or ``threshold`` is not in [0, 1].

    Notes
    -----
    Beta-binomial model (empirical Bayes: Robbins 1956; Efron and Morris 1975), averaged over the
    priors that the counts leave plausible (:func:`analysis.stats.plausible_priors`), so that the
    limits carry the doubt about the prior. In simulations with 5 to 50 sellers that differ by 10
    percentage points or more, limits of 95% covered 94% to 95.5% of the true rates (with the
    prior taken as known: 80% to 94%); with 20 sellers that hardly differ (by 3 points) 99%.
    Limits of places are whole numbers, so few sellers' cover more than they say (5: 99%, 20: 98%).
    Places: :func:`analysis.stats.rank_limits`, without simulation. Mix:
    :func:`analysis.stats.expected_counts`; a seller is never part of its own expectation.
    """
    if top is not None and top < 1:
        raise ValueError(f"top must be at least 1, got {top}")
    if threshold is not None and not 0 <= threshold <= 1:
        raise ValueError(f"threshold must be in [0, 1], got {threshold}")
    cells, card = requests_by_mix(tables, adjust_for, horizon_hours, needed_by="seller_scorecard")
    card = _adjusted(_shrunk(card, level, threshold), expected_of(cells))
    card = card.merge(_response(tables), on=SELLER, how="left")
    card = card.merge(_refunds(tables, card), on=SELLER, how="left")
    card["n_refunds"] = card["n_refunds"].fillna(0).astype("int64")
    card["interval"] = "beta-binomial posterior, averaged over plausible priors"
    card = card.sort_values(["n", SELLER], ascending=[False, True], ignore_index=True)
    return card[_COLUMNS].head(len(card) if top is None else top)


_COLUMNS = [
    SELLER,
    "estimate",
    "ci_low",
    "ci_high",
    "raw_rate",
    "expected_rate",
    "observed_expected",
    "adjusted_rate",
    "rank",
    "rank_low",
    "rank_high",
    "p_breach",
    "threshold",
    "n",
    "n_events",
    "n_pending",
    "response_median_hours",
    "refund_median_days",
    "n_refunds",
    "interval",
]


def _shrunk(counts: pd.DataFrame, level: float, threshold: float | None) -> pd.DataFrame:
    k, n = counts["n_events"].to_numpy(), counts["n"].to_numpy()
    posterior = stats.shrunk_posterior(k, n, stats.plausible_priors(k, n))
    low, high = posterior.limits(level)
    places = stats.rank_limits(posterior.a, posterior.b, level=level)
    threshold = _lower_tenth(k, n) if threshold is None else float(threshold)
    with np.errstate(invalid="ignore", divide="ignore"):
        raw = np.where(n > 0, k / n, np.nan)
    return counts.assign(
        estimate=posterior.mean,
        ci_low=low,
        ci_high=high,
        raw_rate=raw,
        rank=places.expected,
        rank_low=places.low.astype(float),
        rank_high=places.high.astype(float),
        p_breach=posterior.below(threshold),
        threshold=threshold,
    )


def _lower_tenth(k: np.ndarray, n: np.ndarray) -> float:
    from scipy.special import betaincinv

    return float(betaincinv(*stats.fit_beta_binomial(k, n), LOWER_TENTH))


def _adjusted(card: pd.DataFrame, found: stats.Expected) -> pd.DataFrame:
    """Add what others make of a seller's requests; ``found`` is in the order of ``card``."""
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = found.expected / found.n
        ratio = np.where(found.expected > 0, found.k / found.expected, np.nan)
    at_the_mix = np.nan_to_num(stats.adjusted_rates(found)) * found.n
    alpha, beta = stats.fit_beta_binomial(at_the_mix, found.n)
    adjusted = (at_the_mix + alpha) / (found.n + alpha + beta)
    return card.assign(expected_rate=expected, observed_expected=ratio, adjusted_rate=adjusted)


def _response(tables: Tables) -> pd.DataFrame:
    spells = response_spells(
        tables,
        [SELLER],
        horizon_hours=RESPONSE_HORIZON_HOURS,
        unit_seconds=HOUR,
        known=SELLER,
        by_seller=False,
    )
    return spells.groups.frame.assign(response_median_hours=medians(spells))


def _refunds(tables: Tables, card: pd.DataFrame) -> pd.DataFrame:
    try:
        spells = refund_spells(
            tables,
            [SELLER],
            horizon_days=REFUND_HORIZON_DAYS,
            clock="calendar",
            unit_seconds=DAY,
            known=SELLER,
            by_seller=False,
        )
    except MissingData:
        empty = card[[SELLER]].head(0)
        return empty.assign(refund_median_days=np.nan, n_refunds=0)
    rows = spells.events.sum(axis=1) + spells.censored
    n = np.bincount(spells.groups.index, rows, minlength=spells.groups.n).astype(np.int64)
    return spells.groups.frame.assign(refund_median_days=medians(spells), n_refunds=n)
