"""What a reader of daily exports can know: refunds whose credit lies between two looks.

Unit: one leg of a refund whose decision is not after the last look. A look sees whether the leg
is credited, not when: the credit lies after the last look that did not show it and not after the
first that did. Looks are ``snapshot_hours`` apart from midnight UTC on; a leg that no look shows
credited is censored at the last look not after ``as_of``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis import stats
from analysis.measures.counting import (
    CLUSTER,
    DAY,
    HOUR,
    Groups,
    as_counts,
    cluster_keys,
    groups_of,
    in_pools,
    positive,
    require_own_columns,
)
from analysis.measures.spells import curve_times
from analysis.sources import Tables, collect, epoch_seconds, whole_units
from analysis.sources.tables import known_columns

if TYPE_CHECKING:
    import ibis.expr.types as ir

EXACT = 1e-6  # bounds nearer to each other than this are one number
COLUMNS = ["time_days", "estimate", "ci_low", "ci_high", "at_least", "at_most"]
COLUMNS += ["n_at_risk", "n_events", "n_censored", "n", "interval"]


class Looks(NamedTuple):
    """Legs by the looks between which they were credited, in whole hours since the decision."""

    groups: Groups
    left: np.ndarray  # not credited yet; -1: no look since the decision
    right: np.ndarray  # credited; infinite where no look has seen it
    n: np.ndarray
    cluster: np.ndarray | None  # seller, negative where there is none


def refund_curve_from_snapshots(
    tables: Tables,
    *,
    by: Sequence[str] = (),
    snapshot_hours: float = 24,
    horizon_days: float = 30,
    level: float = 0.95,
    seed: int = 1,
) -> pd.DataFrame:
    """Share of refund legs credited by each time, as far as looks once a day can tell.

    Parameters
    ----------
    tables
        Opened dataset; needs ``refunds``, ``requests`` and ``orders``. Of ``credited_at`` only
        the first look that shows it is used.
    by
        Grouping columns of refunds, orders or sellers, e.g. ``["method"]``.
    snapshot_hours
        Whole hours from one look to the next; looks fall on multiples of it since midnight UTC
        of 1970-01-01.
    horizon_days
        Length of the curve.
    level
        Confidence level, in (0, 1).
    seed
        Of the bootstrap behind the limits.

    Returns
    -------
    DataFrame
        One row per group and time: ``*by, time_days, estimate, ci_low, ci_high, at_least,
        at_most, n_at_risk, n_events, n_censored, n, interval``. The share credited is between
        ``at_least`` and ``at_most``; ``estimate`` is missing where the two differ, because
        nothing in the data says where between them it is. ``n_events`` are known to be credited
        by the time, ``n_at_risk`` known to be still on their way, ``n_censored`` last seen open
        before it; of the others a look before and one after differ. Missing after a group's
        last look.

    Raises
    ------
    MissingData
        There is no table ``refunds``, or a column in ``by`` is in none of the tables.
    ValueError
        ``snapshot_hours`` is not a whole number above 0.

    Notes
    -----
    Turnbull's (1976) nonparametric maximum likelihood on hours since the decision, rounded up;
    limits from 300 bootstrap samples of sellers (of legs where sellers are not known or there is
    one only), the lower quantile of ``at_least`` and the upper of ``at_most``. Legs decided after
    the last look are in no export and not counted; a column ``weight`` is not used. To round to
    days and use Kaplan-Meier instead is biased: see the tests.
    """
    looks = _looks(tables, by, snapshot_hours)
    times = curve_times(positive("horizon_days", horizon_days), 0.25)
    hours = times * (DAY // HOUR)
    groups = looks.groups
    rows = {"group": groups.index, "left": looks.left, "right": looks.right, "n": looks.n}
    curve = stats.turnbull(**rows, n_groups=groups.n)
    still = stats.interval_survival_at(curve, hours)
    limits = stats.interval_survival_limits(
        **rows, times=hours, cluster=looks.cluster, n_groups=groups.n, level=level, seed=seed
    )
    counts = _counted(looks, hours)
    columns = _shares(still, limits, counts, level)
    table = groups.frame.loc[np.repeat(np.arange(groups.n), len(times))].reset_index(drop=True)
    table["time_days"] = np.tile(times, groups.n)
    for name, values in columns.items():
        table[name] = values.ravel()
    for name, values in counts.items():
        table[name] = as_counts(values.ravel())
    table["interval"] = np.repeat(_named(looks), len(times))
    return table[[*groups.frame.columns, *COLUMNS]]


def _looks(tables: Tables, by: Sequence[str], snapshot_hours: float) -> Looks:
    """Count legs by group, seller and the looks around the credit."""
    step = positive("snapshot_hours", snapshot_hours) * HOUR
    if step % HOUR:
        raise ValueError(f"snapshot_hours must be a whole number, got {snapshot_hours}")
    tables.need("refunds", "credited_at", by="refund_curve_from_snapshots")
    by = known_columns(tables.refunds_with_context, by, needed_by="refund_curve_from_snapshots")
    require_own_columns(COLUMNS, by)
    frame = in_pools(tables, tables.refunds_with(by), by, "refunds")
    frame = _between_looks(frame, int(step), epoch_seconds(tables.as_of))
    keys = cluster_keys(frame, by)
    named = frame.select(*keys, "left_", "right_")
    counts = collect(named.group_by(*keys, "left_", "right_").aggregate(n=lambda t: t.count()))
    counts = counts.sort_values([*keys, "left_", "right_"], ignore_index=True)  # as drawn from
    if CLUSTER in keys and CLUSTER not in by:  # a leg without seller is a cluster of its own
        alone = counts[CLUSTER].isna().to_numpy()
        counts = counts.loc[np.repeat(np.arange(len(counts)), np.where(alone, counts["n"], 1))]
        counts = counts.assign(n=counts["n"].where(counts[CLUSTER].notna(), 1))
        counts = counts.reset_index(drop=True)
    right = counts["right_"].to_numpy(float)
    return Looks(
        groups_of(counts, by),
        counts["left_"].to_numpy(float),
        np.where(np.isnan(right), np.inf, right),
        counts["n"].to_numpy(float),
        _clusters(counts) if CLUSTER in keys and CLUSTER not in by else None,
    )


def _between_looks(frame: ir.Table, step: int, as_of: int) -> ir.Table:
    """Legs that a look may have seen, with the hours to the looks around their credit."""
    last = as_of // step * step
    frame = frame.filter(frame.due_since.notnull())
    frame = frame.mutate(due_=epoch_seconds(frame.due_since)).filter(lambda t: t.due_ <= last)
    after = (epoch_seconds(frame.credited_at) + (step - 1)) // step * step
    seen = (after <= last).fill_null(False)
    left = seen.ifelse(after - step, last) - frame.due_
    right = seen.ifelse(after, None) - frame.due_
    return frame.mutate(
        left_=(left < 0).ifelse(-1, left // HOUR).cast("int64"), right_=whole_units(right, HOUR)
    )


def _clusters(counts: pd.DataFrame) -> np.ndarray:
    """Numbers of the sellers in the order of their ids, negative where there is none."""
    numbers, _ = pd.factorize(counts[CLUSTER], sort=True)
    return numbers


def _counted(looks: Looks, hours: np.ndarray) -> dict[str, np.ndarray]:
    """How many are known to be open, credited, last seen open before: groups x times."""

    def until(when: np.ndarray, which: np.ndarray) -> np.ndarray:
        place = np.searchsorted(hours, when[which], side="left")  # first time not before it
        flat = looks.groups.index[which] * (len(hours) + 1) + place
        size = looks.groups.n * (len(hours) + 1)
        made = np.bincount(flat, looks.n[which], size).reshape(looks.groups.n, len(hours) + 1)
        return np.cumsum(made, axis=1)[:, :-1]

    everybody = np.ones(len(looks.n), dtype=bool)
    still_open = ~np.isfinite(looks.right)
    n = np.bincount(looks.groups.index, looks.n, minlength=looks.groups.n)[:, None]
    n = np.repeat(n, len(hours), axis=1)
    begun = looks.left + 0.5  # whole hours: left >= t unless left + 0.5 <= t
    return {
        "n_at_risk": n - until(begun, everybody),
        "n_events": until(looks.right, ~still_open),
        "n_censored": until(begun, still_open),
        "n": n,
    }


def _shares(
    still: stats.Pair, limits: stats.Pair, counts: dict[str, np.ndarray], level: float
) -> dict[str, np.ndarray]:
    """Turn survival round and give limits to shares of 0 and 1, where all samples agree."""
    at_least, at_most = (1 - values for values in reversed(still))
    low, high = (1 - values for values in reversed(limits))
    known = counts["n_events"] + counts["n_at_risk"]
    none = stats.wilson(np.zeros_like(known), known, level=level)[1]
    every = stats.wilson(known, known, level=level)[0]
    high = np.where(at_most <= EXACT, np.fmax(high, none), high)
    low = np.where(at_least >= 1 - EXACT, np.fmin(low, every), low)
    estimate = np.where(at_most - at_least <= EXACT, at_least, np.nan)
    return {
        "estimate": estimate,
        "ci_low": np.clip(np.minimum(low, at_least), 0, 1),
        "ci_high": np.clip(np.maximum(high, at_most), 0, 1),
        "at_least": at_least,
        "at_most": at_most,
    }


def _named(looks: Looks) -> np.ndarray:
    """What was resampled in each group."""
    words = np.full(looks.groups.n, "Turnbull, bootstrap of legs", dtype=object)
    if looks.cluster is not None:
        alone = np.where(looks.cluster < 0, -1 - np.arange(len(looks.cluster)), looks.cluster)
        pairs = pd.DataFrame({"group": looks.groups.index, "cluster": alone})
        several = pairs.groupby("group")["cluster"].nunique()
        words[several.index[several >= 2]] = "Turnbull, bootstrap clustered by seller"
    return words
