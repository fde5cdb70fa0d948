"""Do sellers differ more than luck makes them, and by how much.

Unit: a set of sellers (all of them, or those of a group), each with its mature requests.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis import stats
from analysis.measures.counting import (
    CLUSTER,
    groups_of,
    mature_requests,
    requests_of,
    require_own_columns,
)
from analysis.measures.rates import HORIZON_HOURS
from analysis.sources import Tables, collect
from analysis.sources.tables import as_names, is_success

MIDDLE = (0.1, 0.9)  # of the true rates: eight sellers in ten lie between


def seller_spread(
    tables: Tables,
    *,
    by: Sequence[str] = (),
    horizon_hours: float = HORIZON_HOURS,
    level: float = 0.95,
) -> pd.DataFrame:
    """How much the sellers' true success rates differ, apart from what luck makes of raw rates.

    Parameters
    ----------
    tables
        Opened dataset; needs ``requests``, and ``orders`` with ``seller_id``.
    by
        Grouping columns of requests, orders or sellers; sellers are compared within a group.
    horizon_hours
        A request counts once it is this old at ``as_of``.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    DataFrame
        One row per group, sorted by ``by``: ``*by, estimate, ci_low, ci_high, mean_rate,
        sd_rates, rate_low, rate_high, luck_share, p_value, n, n_events, n_pending, n_clusters,
        interval``. ``estimate`` is the intraclass correlation: which part of the variance of the
        outcome of a request lies between sellers. ``mean_rate`` and ``sd_rates`` are mean and
        standard deviation of the true rates, the middle 80% of which lie between ``rate_low``
        and ``rate_high``; ``luck_share`` is the part of the variance of the raw rates that chance
        alone would make; ``p_value`` tests that all sellers have one rate; ``n`` are requests,
        ``n_clusters`` sellers. All but counts and ``mean_rate`` are missing where the data cannot
        tell: one seller, one request each, fewer than two successes or two failures.

    Raises
    ------
    MissingData
        Orders have no ``seller_id``, or a column in ``by`` is in none of the tables.

    Notes
    -----
    :func:`analysis.stats.beta_binomial_spread`: likelihood adjusted for the fitted mean (Cox and
    Reid 1987), its profile limits, likelihood-ratio test at the boundary. Not adjusted for case
    mix: sellers whose buyers ask later differ too.
    """
    tables.need("orders", CLUSTER, by="seller_spread")
    by = as_names(by)
    require_own_columns(_COLUMNS, by)
    frame, keys = requests_of(tables, [*by, CLUSTER], "buyer", needed_by="seller_spread")
    mature, in_time = mature_requests(tables, frame, horizon_hours)
    frame = frame.mutate(
        n_=mature, events_=mature & in_time & is_success(frame), pending_=~mature
    ).filter(frame.seller_id.notnull())
    counts = collect(
        frame.group_by(*keys).aggregate(
            n=frame.n_.sum(), n_events=frame.events_.sum(), n_pending=frame.pending_.sum()
        )
    )
    groups = groups_of(counts, by)
    rows = [_row(counts[groups.index == i], level) for i in range(groups.n)]
    return pd.concat([groups.frame, pd.DataFrame(rows, columns=_COLUMNS)], axis=1)[[*by, *_COLUMNS]]


_COLUMNS = [
    "estimate",
    "ci_low",
    "ci_high",
    "mean_rate",
    "sd_rates",
    "rate_low",
    "rate_high",
    "luck_share",
    "p_value",
    "n",
    "n_events",
    "n_pending",
    "n_clusters",
    "interval",
]


def _row(counts: pd.DataFrame, level: float) -> dict:
    k, n = counts["n_events"].to_numpy(), counts["n"].to_numpy()
    found = stats.beta_binomial_spread(k, n, level=level)
    low, high = _middle(found)
    known = not np.isnan(found.correlation)
    return {
        "estimate": found.correlation,
        "ci_low": found.low,
        "ci_high": found.high,
        "mean_rate": found.mean,
        "sd_rates": np.sqrt(found.mean * (1 - found.mean) * found.correlation),
        "rate_low": low,
        "rate_high": high,
        "luck_share": found.luck_share,
        "p_value": found.p_value,
        "n": int(n.sum()),
        "n_events": int(k.sum()),
        "n_pending": int(counts["n_pending"].sum()),
        "n_clusters": int((n > 0).sum()),
        "interval": "adjusted profile likelihood, beta-binomial"
        if known
        else "none: nothing can tell",
    }


def _middle(found: stats.Spread) -> tuple[float, float]:
    """Quantiles of the fitted distribution of true rates."""
    from scipy.special import betaincinv

    if np.isnan(found.correlation) or found.correlation == 0:
        both = np.nan if np.isnan(found.correlation) else found.mean
        return both, both
    strength = 1 / found.correlation - 1
    a, b = found.mean * strength, (1 - found.mean) * strength
    return float(betaincinv(a, b, MIDDLE[0])), float(betaincinv(a, b, MIDDLE[1]))
