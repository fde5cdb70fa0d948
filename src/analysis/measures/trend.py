"""Success over time: how often asking worked, by when buyers asked, and what is not usual.

Unit: a cohort, the requests made in one day, week or month (UTC; weeks begin on Monday). Requests
that are still undecided are neither left out nor called failures: a cohort that has any is a
nowcast of what its rate will be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import ibis
import numpy as np
import pandas as pd

from analysis import stats
from analysis.measures.counting import (
    HOUR,
    Groups,
    age,
    as_counts,
    cluster_keys,
    groups_of,
    positive,
    requests_of,
    require_own_columns,
    with_columns,
)
from analysis.measures.periods import PERIODS, period_number, period_start
from analysis.measures.rates import HORIZON_HOURS
from analysis.measures.units import Units, counted_units, summed_by_cluster
from analysis.sources import Tables, collect, seconds_between, whole_units
from analysis.sources.tables import as_names, is_success

if TYPE_CHECKING:
    import ibis.expr.types as ir

UNIT_SECONDS = 600  # ages and delays are counted in units of so many seconds
NOWCAST = "nowcast of the cohort's own rate, Aalen-Johansen"
WORDS = ("below", "within", "above")  # where a cohort is beside its control limits
NOT_YET = "not yet"


class _Counted(NamedTuple):
    cohorts: Groups  # by and cohort
    outer: Groups  # by alone, of the cohorts
    units: Units  # per cohort, seller and age if open
    open_for: np.ndarray  # age of each unit, in units of time; -1: not open
    n_open: np.ndarray  # of each cohort


def success_rate_trend(
    tables: Tables,
    *,
    by: Sequence[str] = (),
    period: str = "week",
    horizon_hours: float = HORIZON_HOURS,
    level: float = 0.95,
    requested_by: str | None = "buyer",
) -> pd.DataFrame:
    """Success rate of each cohort of requests, with control limits, and nowcasts of young cohorts.

    Parameters
    ----------
    tables
        Opened dataset; needs ``requests`` and ``orders``.
    by
        Grouping columns of requests, orders or sellers; every group has its own centre line.
    period
        "day", "week" or "month" of asking, in UTC; weeks begin on Monday.
    horizon_hours
        Successes later than this after asking do not count.
    level
        Confidence level of the intervals, in (0, 1); control limits are at three standard
        deviations whatever the level.
    requested_by
        As in :func:`analysis.cancellation_success_rate`.

    Returns
    -------
    DataFrame
        One row per group and cohort that has requests, in the order of time: ``*by, cohort_at,
        estimate, ci_low, ci_high, centre, control_low, control_high, signal, is_nowcast, n,
        n_events, n_pending, n_clusters, interval``. ``n`` are all requests of the cohort,
        ``n_pending`` those among them that are undecided and younger than the horizon, and
        ``n_events`` the successes so far. ``signal`` is "below", "within" or "above" the control
        limits, and "not yet" for a nowcast and where there are too few cohorts for limits.

    Raises
    ------
    MissingData
        A column in ``by`` is in none of the tables.
    ValueError
        ``period`` is none of the three.

    Notes
    -----
    A settled cohort's interval is that of its rate (Wilson, clustered by seller). A nowcast's is
    that of the rate which the cohort will have once all its requests are settled: successes so
    far, plus each open request's chance, given its age, by the Aalen-Johansen curve of all
    requests of its group (of all groups, where its own has not seen that age); see
    :func:`analysis.stats.nowcast`. What is open is a whole number of requests, so the limits are
    wide where few are: on synthetic markets they held what became of all of 87 daily cohorts.
    Control limits: :func:`analysis.stats.control_limits` (Laney's p'), from settled cohorts: the
    scatter between cohorts that clusters of sellers, sales and seasons make is usual.
    """
    if period not in PERIODS:
        raise ValueError(f"period must be one of {', '.join(PERIODS)}, got {period!r}")
    positive("horizon_hours", horizon_hours)
    require_own_columns("cohort_at", as_names(by))
    frame, by = requests_of(tables, by, requested_by, needed_by="success_rate_trend")
    horizon = int(horizon_hours * HOUR)
    took = seconds_between(frame.requested_at, frame.decided_at)
    in_time = (took <= horizon).fill_null(False)
    kept = ["request_id", *cluster_keys(frame, by), *({"weight"} & set(frame.columns))]
    frame = frame.select(
        *dict.fromkeys(kept),
        cohort_=period_number(frame.requested_at, period),
        took_=in_time.ifelse(took, None),
        age_=age(tables, frame.requested_at),
        success_=(is_success(frame) & in_time).fill_null(False),
    )
    counted = _counted(frame, by, horizon)
    start, after = (period_start(counted.cohorts.frame["cohort_"] + i, period) for i in (0, 1))
    running = (after > pd.Timestamp(tables.as_of)).to_numpy(bool)
    return _table(counted, by, start, running, _nowcaster(frame, by, horizon), level)


def _counted(frame: ir.Table, by: list[str], horizon: int) -> _Counted:
    """Count requests by cohort and seller, open ones also by their age."""
    is_open = frame.took_.isnull() & (frame.age_ < horizon)
    frame = frame.mutate(open_=is_open.ifelse(frame.age_ // UNIT_SECONDS, -1).cast("int64"))
    keys = [*by, "cohort_", "open_"]
    units = counted_units(frame, keys, frame.success_, counted=ibis.literal(value=True))
    cohorts = groups_of(units.frame, keys[:-1])
    open_for = units.frame["open_"].to_numpy()
    n_open = np.bincount(cohorts.index, np.where(open_for >= 0, units.n, 0), cohorts.n)
    return _Counted(cohorts, groups_of(cohorts.frame, by), units, open_for, n_open)


class _Delays(NamedTuple):
    """How long requests take, and how they end: curves of the groups, and of all together."""

    groups: Groups
    own: stats.IncidenceCurve
    whole: stats.IncidenceCurve
    horizon: int  # in units

    def chance(self, group: np.ndarray, ages: np.ndarray) -> stats.Chance:
        """Chance of success of requests that are open at these ages."""
        own = stats.chance_when_open(self.own, group, ages, horizon=self.horizon)
        everybody = np.zeros_like(group)
        whole = stats.chance_when_open(self.whole, everybody, ages, horizon=self.horizon)
        lacking = np.isnan(own.chance)
        return stats.Chance(*(np.where(lacking, w, o) for o, w in zip(own, whole, strict=True)))


def _nowcaster(frame: ir.Table, by: list[str], horizon: int) -> _Delays:
    units = -(-horizon // UNIT_SECONDS)
    weight = frame.weight.fill_null(1.0) if "weight" in frame.columns else 1
    time = whole_units(frame.took_.coalesce(frame.age_), UNIT_SECONDS)
    named = frame.select(
        *by,
        time_=(time > units).ifelse(units + 1, time),
        cause_=frame.took_.isnull().ifelse(0, frame.success_.ifelse(1, 2)).cast("int64"),
        weight_=weight,
    )
    counts = collect(named.group_by(*by, "time_", "cause_").aggregate(n=lambda t: t.weight_.sum()))
    groups = groups_of(counts, by)
    cause, n = counts["cause_"].to_numpy(np.int64), counts["n"].to_numpy(float)
    ends = [counts["time_"].to_numpy(np.int64), np.stack([n * (cause == c) for c in (1, 2)], 1)]
    ends.append(n * (cause == 0))
    own = stats.aalen_johansen(groups.index, *ends, n_groups=groups.n)
    whole = stats.aalen_johansen(np.zeros_like(groups.index), *ends, n_groups=1)
    return _Delays(groups, own, whole, units)


def _table(
    counted: _Counted,
    by: list[str],
    start: pd.Series,
    running: np.ndarray,
    delays: _Delays,
    level: float,
) -> pd.DataFrame:
    cohorts, outer, units, open_for, n_open = counted
    share = _shares(units, cohorts, level)
    is_nowcast = (n_open > 0) | running
    chart = stats.control_limits(outer.index, share.k, share.n, usual=~is_nowcast, n_groups=outer.n)
    is_open = open_for >= 0
    group = cohorts.index[is_open]
    scatter = np.nan_to_num(chart.scatter, nan=1.0)[outer.index]
    now = stats.nowcast(
        group,
        units.n[is_open],
        delays.chance(outer.index[group], open_for[is_open]),
        k=share.k,
        n_total=share.n,
        scatter=scatter,
        level=level,
    )
    usual = zip(now, (share.estimate, share.low, share.high), strict=True)
    estimate, low, high = (np.where(is_nowcast, one, other) for one, other in usual)
    place = 1 + (share.estimate > chart.high) - 1 * (share.estimate < chart.low)
    unknown = is_nowcast | np.isnan(chart.low)
    return with_columns(
        cohorts.frame[by],
        cohort_at=start,
        estimate=estimate,
        ci_low=low,
        ci_high=high,
        centre=chart.centre,
        control_low=chart.low,
        control_high=chart.high,
        signal=pd.Series(np.where(unknown, NOT_YET, np.array(WORDS)[place]), dtype="str"),
        is_nowcast=is_nowcast,
        n=as_counts(share.n),
        n_events=as_counts(share.k),
        n_pending=as_counts(n_open),
        n_clusters=share.n_clusters,
        interval=pd.Series(np.where(is_nowcast, NOWCAST, share.interval), dtype="str"),
    )


def _shares(units: Units, cohorts: Groups, level: float) -> stats.RatioInterval:
    """Return the successes so far of each cohort among all of it, clustered by seller."""
    rows = summed_by_cluster(cohorts.index, np.zeros_like(cohorts.index), units)
    return stats.ratio_interval(
        rows["group"],
        np.minimum(rows["k"], rows["n"]),
        rows["n"],
        n_groups=cohorts.n,
        level=level,
        clusters=units.clusters,
        alone=rows["alone"],
    )
