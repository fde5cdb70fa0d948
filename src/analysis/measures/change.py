"""Why the success rate changed: other requests, or other success of requests that are alike.

Unit: one kind of request (a cell), in the time before a moment and in the time after it.
Denominator: mature requests of either time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from analysis import stats
from analysis.measures.counting import (
    as_counts,
    groups_of,
    mature_requests,
    requests_of,
    require_own_columns,
)
from analysis.measures.leakage import require_known_before
from analysis.measures.rates import HORIZON_HOURS
from analysis.measures.units import Units, clusters_in, counted_units
from analysis.sources import Tables, collect
from analysis.sources.engine import epoch_seconds, utc
from analysis.sources.tables import is_success
from analysis.stats.scales import interval_names, t_p_value, t_quantile

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analysis.stats.shares.decomposition import Effects

TOTAL, CELL = "total", "cell"


def explain_change(
    tables: Tables,
    *,
    by: Sequence[str] = ("order_state",),
    split_at: datetime | pd.Timestamp | str | None = None,
    horizon_hours: float = HORIZON_HOURS,
    level: float = 0.95,
    requested_by: str | None = "buyer",
) -> pd.DataFrame:
    """Split a change of the success rate into other requests (mix) and other success (rate).

    Parameters
    ----------
    tables
        Opened dataset; needs ``requests`` and ``orders``.
    by
        Columns of requests, orders or sellers that make requests alike; their combinations are
        the cells. Only what is known when the request is made.
    split_at
        Requests made from then on are "after", earlier ones "before". None takes the middle of
        the time in which the mature requests were made.
    horizon_hours
        A request counts once it is this old at ``as_of``; later successes do not count.
    level
        Confidence level, in (0, 1).
    requested_by
        Whose requests: "buyer", "seller", "platform", or None for everybody's.

    Returns
    -------
    DataFrame
        One row per cell, sorted by ``by``, then one for the whole: ``*by, part, split_at,
        estimate, ci_low, ci_high, mix_effect, mix_low, mix_high, rate_effect, rate_low,
        rate_high, p_value, q_value, rate_before, rate_after, share_before, share_after,
        n_before, n_after, n, n_pending, n_clusters, interval``. ``part`` is "cell" or "total"
        (whose group is missing). ``estimate`` is the cell's part of the change in share points,
        the sum of its mix effect and its rate effect; in the total row it is the change itself.
        ``share_*`` are the cell's shares of all requests. ``p_value`` and ``q_value`` are of the
        rate effect, and q-values over the cells. Nothing can be said where one of the times has
        no request.

    Raises
    ------
    ValueError
        A column in ``by`` is known only after asking, or ``split_at`` is not a moment.
    MissingData
        A column in ``by`` is in none of the tables.

    Notes
    -----
    Kitagawa (1955) and Das Gupta (1993), symmetric in the two times; the mix effect of a cell
    counts from the mean success rate, so that it is a gain where a cell better than the mean
    grew. The parts add up to the change exactly. A cell that occurs in one of the times only has
    no change of its own rate: its rate effect is 0 by convention and has no interval.
    Limits: influence functions summed by seller over both times, Student's quantile, no narrower
    than with independent requests; how well they cover the truth is said in
    :func:`analysis.stats.rate_change`.
    """
    frame, by = requests_of(tables, by, requested_by, needed_by="explain_change")
    require_own_columns(_COLUMNS, by)
    require_known_before(by, moment="asking")
    mature, in_time = mature_requests(tables, frame, horizon_hours)
    split = _middle(frame.filter(mature)) if split_at is None else utc(split_at, "split_at")
    if split is None:
        split = tables.as_of
    after = (frame.requested_at >= ibis.literal(split)).ifelse(1, 0)
    frame = frame.mutate(after_=after.cast("int64"))
    units = counted_units(frame, [*by, "after_"], is_success(frame) & in_time, counted=mature)
    return _table(units, list(by), split, level)


def _middle(mature: ir.Table) -> datetime | None:
    """Middle of the time in which requests were made, to the second; None if there are none."""
    asked = mature.aggregate(
        first=epoch_seconds(mature.requested_at).min(),
        last=epoch_seconds(mature.requested_at).max(),
    )
    first, last = collect(asked).iloc[0]
    if pd.isna(first):
        return None
    return utc(pd.Timestamp((int(first) + int(last) + 1) // 2, unit="s"))


_COLUMNS = [
    "part",
    "split_at",
    "estimate",
    "ci_low",
    "ci_high",
    "mix_effect",
    "mix_low",
    "mix_high",
    "rate_effect",
    "rate_low",
    "rate_high",
    "p_value",
    "q_value",
    "rate_before",
    "rate_after",
    "share_before",
    "share_after",
    "n_before",
    "n_after",
    "n",
    "n_pending",
    "n_clusters",
    "interval",
]


def _table(units: Units, by: list[str], split: datetime, level: float) -> pd.DataFrame:
    if units.frame.empty:
        return pd.DataFrame({column: np.zeros(0) for column in [*by, *_COLUMNS]})
    groups = groups_of(units.frame, by)
    after, n, k = units.frame["after_"].to_numpy(), units.n, units.k
    found = stats.rate_change(
        after, groups.index, k, n, n_cells=groups.n, cluster=units.seller, alone=units.alone
    )
    size = [np.bincount(groups.index, np.where(after == t, n, 0), groups.n) for t in (0, 1)]
    events = [np.bincount(groups.index, np.where(after == t, k, 0), groups.n) for t in (0, 1)]
    pending = np.bincount(groups.index, units.pending, groups.n)
    parts = {"": found.both, "mix": found.mix, "rate": found.rate}
    limits = {name: _limits(effects, level) for name, effects in parts.items()}
    wholes = _limits(found.whole, level)
    table = groups.frame.reindex(range(groups.n + 1))
    table["part"] = [CELL] * groups.n + [TOTAL]
    for i, (name, one) in enumerate(limits.items()):
        for column, cells, whole in zip(_NAMES[name], one, wholes, strict=True):
            table[column] = np.append(cells, whole[i])
    rate = found.rate
    table["p_value"] = np.append(
        t_p_value(rate.estimate, rate.variance, rate.df),
        t_p_value(*(x[2] for x in found.whole)),
    )
    table["q_value"] = np.append(stats.q_values(table["p_value"].to_numpy()[:-1]), np.nan)
    for t, when in enumerate(("before", "after")):
        whole = size[t].sum()
        mean = events[t].sum() / whole if whole else np.nan
        table[f"rate_{when}"] = np.append(found.level[t], mean)
        table[f"share_{when}"] = np.append(found.share[t], 1.0 if whole else np.nan)
        table[f"n_{when}"] = as_counts(np.append(size[t], whole))
    cells = size[0] + size[1]
    table["n"] = as_counts(np.append(cells, cells.sum()))
    table["n_pending"] = as_counts(np.append(pending, pending.sum()))
    places = ((groups.index, groups.n), (np.zeros_like(groups.index), 1))  # cells, and all
    clusters = [clusters_in(*one, n, units.seller, units.alone) for one in places]
    table["n_clusters"] = as_counts(np.concatenate(clusters))
    table["split_at"] = pd.Series(pd.Timestamp(split), index=table.index).astype(
        "datetime64[us, UTC]"
    )
    table["interval"] = _interval(found, units, size)
    return table[[*by, *_COLUMNS]]


_NAMES = {
    "": ("estimate", "ci_low", "ci_high"),
    "mix": ("mix_effect", "mix_low", "mix_high"),
    "rate": ("rate_effect", "rate_low", "rate_high"),
}


def _limits(effects: Effects, level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    reach = t_quantile(effects.df, level) * np.sqrt(effects.variance)
    low, high = np.maximum(effects.estimate - reach, -1), np.minimum(effects.estimate + reach, 1)
    return effects.estimate, low, high


def _interval(found: stats.RateChange, units: Units, size: list[np.ndarray]) -> np.ndarray:
    clusters = None if units.clusters is None else "seller"
    method = str(interval_names("influence functions", clusters, found.n_clusters >= 2))
    before, after = (one > 0 for one in size)
    if not (before.any() and after.any()):
        return np.full(len(before) + 1, "none: one of the times has no request")
    words = np.select(
        [~before & ~after, ~before, ~after],
        ["none: no request is old enough", f"{method}; new", f"{method}; gone"],
        method,
    )
    return np.append(words, method)
