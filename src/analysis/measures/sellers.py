"""Sellers: who lets buyers cancel, and how quickly they answer and refund.

Unit: one seller with at least one mature or young request. Rates are drawn towards what is known
of all sellers, the more so the fewer requests a seller has.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import stats
from analysis.contract import MissingData
from analysis.measures.counting import DAY, HOUR, mature_requests, requests_of
from analysis.measures.curves import medians
from analysis.measures.durations import refund_spells, response_spells
from analysis.measures.rates import HORIZON_HOURS
from analysis.sources import Tables, collect
from analysis.sources.tables import is_success

SELLER = "seller_id"
RESPONSE_HORIZON_HOURS = 240
REFUND_HORIZON_DAYS = 120


def seller_scorecard(
    tables: Tables,
    *,
    horizon_hours: float = HORIZON_HOURS,
    level: float = 0.95,
    top: int | None = None,
) -> pd.DataFrame:
    """Each seller's success rate, shrunk towards all sellers', and its two typical waits.

    Parameters
    ----------
    tables
        Opened dataset; needs ``requests``, and ``orders`` with ``seller_id``.
    horizon_hours
        A request counts once it is this old at ``as_of``.
    level
        Probability of the interval, in (0, 1).
    top
        Return only this many sellers, those with the most mature requests; None returns all.

    Returns
    -------
    DataFrame
        One row per seller, most mature requests first: ``seller_id, estimate, ci_low, ci_high,
        raw_rate, n, n_events, n_pending, response_median_hours, refund_median_days, n_refunds,
        interval``. ``estimate`` is the posterior mean of the seller's success rate and the
        interval its equal-tailed posterior limits; ``raw_rate`` is ``n_events / n``. Medians
        are Kaplan-Meier, missing where not reached or, for refunds, where there is no table.

    Raises
    ------
    MissingData
        Orders have no ``seller_id``.
    ValueError
        ``top`` is less than 1.

    Notes
    -----
    Beta-binomial with the prior fitted to all sellers by maximum likelihood (empirical Bayes,
    Robbins 1956; Efron & Morris 1975); the interval does not carry the uncertainty of the prior.
    """
    if top is not None and top < 1:
        raise ValueError(f"top must be at least 1, got {top}")
    tables.need("orders", SELLER, by="seller_scorecard")
    frame, _ = requests_of(tables, [SELLER], "buyer", needed_by="seller_scorecard")
    mature, in_time = mature_requests(tables, frame, horizon_hours)
    success = mature & in_time & is_success(frame)
    known = frame.filter(frame.seller_id.notnull())
    counts = collect(
        known.group_by(SELLER).aggregate(
            n=mature.sum(), n_events=success.sum(), n_pending=(~mature).sum()
        )
    )
    card = _shrunk(counts, level).merge(_response(tables), on=SELLER, how="left")
    card = card.merge(_refunds(tables, card), on=SELLER, how="left")
    card["n_refunds"] = card["n_refunds"].fillna(0).astype("int64")
    card["interval"] = "beta-binomial posterior, prior fitted to all sellers"
    card = card.sort_values(["n", SELLER], ascending=[False, True], ignore_index=True)
    return card[_COLUMNS].head(len(card) if top is None else top)


_COLUMNS = [
    SELLER,
    "estimate",
    "ci_low",
    "ci_high",
    "raw_rate",
    "n",
    "n_events",
    "n_pending",
    "response_median_hours",
    "refund_median_days",
    "n_refunds",
    "interval",
]


def _shrunk(counts: pd.DataFrame, level: float) -> pd.DataFrame:
    k, n = counts["n_events"].to_numpy(), counts["n"].to_numpy()
    alpha, beta = stats.fit_beta_binomial(k, n)
    estimate, low, high = stats.shrunk_rate(k, n, alpha=alpha, beta=beta, level=level)
    with np.errstate(invalid="ignore", divide="ignore"):
        raw = np.where(n > 0, k / n, np.nan)
    return counts.assign(estimate=estimate, ci_low=low, ci_high=high, raw_rate=raw)


def _response(tables: Tables) -> pd.DataFrame:
    spells = response_spells(
        tables, [SELLER], horizon_hours=RESPONSE_HORIZON_HOURS, unit_seconds=HOUR, known=SELLER
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
        )
    except MissingData:
        empty = card[[SELLER]].head(0)
        return empty.assign(refund_median_days=np.nan, n_refunds=0)
    rows = spells.events.sum(axis=1) + spells.censored
    n = np.bincount(spells.groups.index, rows, minlength=spells.groups.n).astype(np.int64)
    return spells.groups.frame.assign(refund_median_days=medians(spells), n_refunds=n)
