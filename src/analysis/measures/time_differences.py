"""Do refunds take equally long: mean days side by side, and a test of the whole curves.

Unit: one leg of a refund, as in :mod:`analysis.measures.durations`; one row is one value of a
column beside its baseline. What is still on its way is censored at ``as_of``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis import stats
from analysis.measures.counting import DAY, HOUR, as_counts, with_columns
from analysis.measures.curves import survival_of
from analysis.measures.durations import refund_spells
from analysis.measures.sides import (
    Sides,
    baselines,
    checked_between,
    rows_to_test,
    sides_of,
)
from analysis.measures.spells import cells_of, in_order
from analysis.sources import Tables
from analysis.stats.scales import interval_names

METHOD = "difference of restricted means"


def refund_time_difference(
    tables: Tables,
    *,
    between: str = "method",
    by: Sequence[str] = (),
    baseline: str | None = None,
    horizon_days: float = 30,
    clock: str = "calendar",
    level: float = 0.95,
) -> pd.DataFrame:
    """How many days longer refunds take for each value of a column than for its baseline.

    Parameters
    ----------
    tables
        Opened dataset; needs ``refunds``, ``requests`` and ``orders``.
    between
        Column of refunds, orders or sellers whose values are compared. Of more than 8 values the
        rarest are pooled as "all others"; a missing one is "not recorded"; numbers are classed.
    by
        Further grouping columns: compare within each group.
    baseline
        Value that the others are compared with; by default the one with most refunds.
    horizon_days
        Days of ``clock`` of each refund that count at most.
    clock
        As in :func:`analysis.refund_mean`.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    DataFrame
        One row per group and value but the baseline: ``*by, compared, value, baseline,
        horizon_days, estimate, ci_low, ci_high, p_value, q_value, logrank_p_value, mean_days,
        baseline_mean_days, n, n_baseline, n_events, n_censored, n_clusters, interval``.
        ``estimate`` is in days, positive where the value takes longer; ``p_value`` is of no
        difference in means, ``q_value`` the same adjusted for all rows of the table, and
        ``logrank_p_value`` of no difference between any two curves of the group.

    Raises
    ------
    MissingData
        There is no table ``refunds``, or a column is in none of the tables.
    ValueError
        ``between`` is known only afterwards, or ``baseline`` is none of its values.

    Notes
    -----
    :func:`analysis.stats.mean_differences` (Royston and Parmar 2013) and
    :func:`analysis.stats.log_rank` up to the horizon, both clustered by seller where sellers are
    known: a seller with refunds on both sides is one cluster, and what makes it slow on both
    cancels. Refunds without seller are clusters of their own. ``n_clusters`` counts those with
    refunds of the value or the baseline. q-values: Benjamini and Hochberg (1995).
    """
    columns = checked_between(between, by, moment="refunding")
    spells = refund_spells(tables, columns, horizon_days=horizon_days, clock=clock)
    sides = sides_of(in_order(spells), between)
    name, beside = baselines(sides, baseline)
    units = DAY // HOUR
    found = _differences(sides, beside, horizon_days * units, level)
    index, n_sides = sides.spells.groups.index, len(sides.group)
    events = np.bincount(index, sides.spells.events[:, 0], minlength=n_sides)
    censored = np.bincount(index, sides.spells.censored, minlength=n_sides)
    n = events + censored
    ranked = _log_rank_p(sides)
    kept = np.flatnonzero(beside != np.arange(n_sides))
    table = sides.spells.groups.frame.iloc[kept].reset_index(drop=True)
    table.insert(table.shape[1] - 1, "compared", between)
    table = with_columns(
        table,
        baseline=name,
        horizon_days=float(horizon_days),
        estimate=found.estimate[kept] / units,
        ci_low=found.low[kept] / units,
        ci_high=found.high[kept] / units,
        p_value=found.p_value[kept],
        q_value=stats.q_values(found.p_value[kept]),
        logrank_p_value=ranked[sides.group[kept]],
        mean_days=found.mean[kept] / units,
        baseline_mean_days=found.baseline_mean[kept] / units,
        n=as_counts(n[kept]),
        n_baseline=as_counts(np.where(beside < 0, 0, n[beside])[kept]),
        n_events=as_counts(events[kept]),
        n_censored=as_counts(censored[kept]),
        n_clusters=found.n_clusters[kept],
        interval=_interval(sides, found)[kept],
    )
    return table.astype({"compared": "str", "baseline": "str", "interval": "str"})


def _differences(
    sides: Sides, beside: np.ndarray, tau: float, level: float
) -> stats.MeanDifferences:
    spells = sides.spells
    return stats.mean_differences(survival_of(spells), cells_of(spells), tau, beside, level=level)


def _interval(sides: Sides, found: stats.MeanDifferences) -> np.ndarray:
    if sides.spells.cluster is None:
        return np.full(len(found.clustered), f"{METHOD}, normal")
    return interval_names(METHOD, "seller", found.clustered)


def _log_rank_p(sides: Sides) -> np.ndarray:
    """Return, for each group, the p-value of equal curves of all its values."""
    spells, rows = sides.spells, rows_to_test(sides.spells)
    side = spells.groups.index[rows.row]
    ended = spells.end[rows.row] > 0
    weighed = rows.n_spells * rows.weight
    found = np.full(len(sides.groups), np.nan)
    for group in range(len(found)):
        own = sides.group[side] == group
        test = stats.log_rank(
            sides.value[side[own]],
            spells.time[rows.row[own]],
            (weighed * ended)[own],
            (weighed * ~ended)[own],
            cluster=None if rows.cluster is None else rows.cluster[own],
        )
        found[group] = test.p_value
    return found
