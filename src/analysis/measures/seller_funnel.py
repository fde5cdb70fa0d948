"""Which sellers are farther from what their requests make expect than luck explains.

Unit: one seller. Its success rate is held against what all other sellers make of such requests,
and against limits that are wide for small sellers and narrow for large ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis import stats
from analysis.measures.case_mix import SELLER, expected_of, requests_by_mix
from analysis.measures.rates import HORIZON_HOURS
from analysis.sources import Tables

LEAST_VARIANCE = 2.5  # of a seller's successes, to measure the common spread
ALIKE = 1.1  # sizes in units of n, up to which requests are taken as alike
LEAST_SELLERS = 10  # with that; where there are fewer, all sellers measure it


def seller_funnel(
    tables: Tables,
    *,
    adjust_for: Sequence[str] | None = None,
    horizon_hours: float = HORIZON_HOURS,
    level: float = 0.95,
) -> pd.DataFrame:
    """Each seller's success rate beside what is expected of it, with control limits.

    Parameters
    ----------
    tables
        Opened dataset; needs ``requests``, and ``orders`` with ``seller_id``.
    adjust_for
        Columns of requests, orders or sellers that make requests alike; ``order_age`` is the
        time from payment to asking in classes. None takes ``order_state`` and, where orders have
        ``paid_at``, ``order_age``; an empty list compares raw rates.
    horizon_hours
        A request counts once it is this old at ``as_of``.
    level
        Probability of intervals and limits; outliers are found at a false discovery rate of
        ``1 - level``.

    Returns
    -------
    DataFrame
        One row per seller, most mature requests first: ``seller_id, estimate, ci_low, ci_high,
        expected_rate, difference, limit_low, limit_high, wide_low, wide_high, z, z_wide, phi,
        sd_between, p_value, q_value, is_outlier, n, n_events, n_pending, interval``.
        ``estimate`` is the raw rate with its Wilson limits, ``difference`` estimate minus
        expected. A seller that does as expected lies between ``limit_low`` and ``limit_high`` if
        chance is all, and between ``wide_low`` and ``wide_high`` if sellers differ as they
        commonly do (standard deviation ``sd_between``); ``z`` and ``z_wide`` are the matching
        scores, ``phi`` the mean of squared ``z``. ``p_value`` allows for the common
        spread, ``q_value`` for the number of sellers. Missing for sellers without a mature
        request.

    Raises
    ------
    MissingData
        Orders have no ``seller_id``, or a column in ``adjust_for`` is in none of the tables.

    Notes
    -----
    Expected: :func:`analysis.stats.expected_counts`, the seller itself left out. Limits: exact
    binomial, interpolated (:func:`analysis.stats.funnel_limits`), and additive random effects
    (:func:`analysis.stats.wide_limits`). The common spread comes from winsorised z-scores
    (:func:`analysis.stats.dispersion`) of sellers whose successes vary by 2.5 or more, where
    there are ten of those. Limits are those of the binomial with the variance of the seller's
    rate given its mix: where a cell nearly decides how its requests end, chance has less room
    than in ``n`` like requests. P-values: exact, beta-binomial; for unlike requests that is
    conservative (Hoeffding 1956, Ann. Math. Stat. 27:713-721), and from a variance of 2.5 on the
    normal tail with continuity correction is taken instead.
    Source: Spiegelhalter (2005), Stat. Med. 24:1185-1202; Jones, Ohlssen
    and Spiegelhalter (2008), J. Clin. Epidemiol. 61:232-240, for false discovery rates.
    """
    cells, table = requests_by_mix(tables, adjust_for, horizon_hours, needed_by="seller_funnel")
    table = table.assign(**_funnel(expected_of(cells), level), interval="Wilson")
    table = table.sort_values(["n", SELLER], ascending=[False, True], ignore_index=True)
    return table[_COLUMNS]


_COLUMNS = [
    SELLER,
    "estimate",
    "ci_low",
    "ci_high",
    "expected_rate",
    "difference",
    "limit_low",
    "limit_high",
    "wide_low",
    "wide_high",
    "z",
    "z_wide",
    "phi",
    "sd_between",
    "p_value",
    "q_value",
    "is_outlier",
    "n",
    "n_events",
    "n_pending",
    "interval",
]


def _funnel(found: stats.Expected, level: float) -> dict[str, np.ndarray | float]:
    """Columns of the funnel from observed and expected successes."""
    k, n = found.k, found.n
    with np.errstate(invalid="ignore", divide="ignore"):
        rate, expected, variance = k / n, found.expected / n, found.variance / n**2
        common = _common(rate - expected, variance, found.variance)
        z = (rate - expected) / np.sqrt(variance)
        z_wide = (rate - expected) / np.sqrt(variance + common.variance)
    target, worth = np.nan_to_num(expected), _worth(found)
    p_value = _p_values(found, worth, common.variance)
    q_value = stats.q_values(p_value)
    low, high = stats.wilson(k, n, level=level)
    limits = stats.funnel_limits(target, worth, level=level)
    wide = stats.wide_limits(expected, variance, between=common.variance, level=level)
    return {
        "estimate": rate,
        "ci_low": low,
        "ci_high": high,
        "expected_rate": expected,
        "difference": rate - expected,
        "limit_low": limits[0],
        "limit_high": limits[1],
        "wide_low": wide[0],
        "wide_high": wide[1],
        "z": np.where(np.isfinite(z), z, np.nan),
        "z_wide": np.where(np.isfinite(z_wide), z_wide, np.nan),
        "phi": common.phi,
        "sd_between": np.sqrt(common.variance),
        "p_value": p_value,
        "q_value": q_value,
        "is_outlier": q_value <= 1 - level,
    }


def _worth(found: stats.Expected) -> np.ndarray:
    """Size at which a binomial count has the variance of the seller's rate.

    Where the mix nearly says of each request how it ends, chance has less room than in ``n`` like
    requests; the doubt about what is expected gives it more.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        like = found.expected * (1 - found.expected / found.n)
        worth = found.n * like / found.variance
    return np.where(found.variance > 0, np.maximum(np.rint(worth), 1), found.n)


def _p_values(found: stats.Expected, worth: np.ndarray, common: float) -> np.ndarray:
    """Exact where requests are alike or few; else normal, with half a success for whole counts."""
    with np.errstate(invalid="ignore", divide="ignore"):
        target = np.nan_to_num(found.expected / found.n)
        doubt = np.nan_to_num(found.variance / found.n**2 - target * (1 - target) / found.n)
        exact = stats.two_sided_p(found.k, found.n, target, common + np.maximum(doubt, 0))
        off = np.maximum(np.abs(found.k - found.expected) - 0.5, 0)
        z = off / np.sqrt(found.variance + found.n**2 * common)
    unlike = (worth > ALIKE * found.n) & (found.variance >= LEAST_VARIANCE)
    return np.where(unlike, _normal_tails(z), exact)


def _normal_tails(z: np.ndarray) -> np.ndarray:
    from scipy.special import ndtr

    return 2 * ndtr(-z)


def _common(deviation: np.ndarray, variance: np.ndarray, counts: np.ndarray) -> stats.Dispersion:
    enough = counts >= LEAST_VARIANCE
    if enough.sum() < LEAST_SELLERS:
        enough = np.ones(len(counts), bool)
    return stats.dispersion(deviation[enough], np.nan_to_num(variance[enough]))
