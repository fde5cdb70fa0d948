"""From counted spells to the tables of curves, quantiles and means.

Limits allow for sellers where they are known, and for weights. Where a curve stands at 0 or 1 its
variance says nothing, and R gives no limits. Here they are Wilson's, on the spells whose state at
that time is known, with Student's quantile where spells cluster.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis import stats
from analysis.measures.counting import as_counts, require_own_columns, with_columns
from analysis.measures.spells import Spells, cells_of, curve_times

ONE_END = "Kaplan-Meier, log-log"
MANY_ENDS = "Aalen-Johansen, log-log"
MEAN = "restricted mean, normal"
CLUSTERED_MEAN = "restricted mean, Student"
COUNTS = ("n_at_risk", "n_events", "n_censored", "n")

Columns = dict[str, np.ndarray]  # column -> groups x times


def curve_table(
    spells: Spells, time_name: str, *, horizon: float, step: float, units: int, level: float
) -> pd.DataFrame:
    """Share ended by each time, one minus Kaplan-Meier: one row per group and time.

    Parameters
    ----------
    spells
        Counts with one cause.
    time_name
        Name of the column of times.
    horizon, step
        Last time, and distance between times (coarser if that made too many).
    units
        Units of ``spells.time`` in one unit of ``time_name``.
    level
        Confidence level.
    """
    times, curve = curve_times(horizon, step), survival_of(spells)
    found = jackknife_of(spells, curve)
    columns = _ended_by(spells, curve, found, times * units, level)
    return _finished(_rows(spells, columns, {time_name: times}), spells, found, ONE_END)


def ended_by_own_time(
    spells: Spells, times: np.ndarray, *, units: int, level: float
) -> pd.DataFrame:
    """Share ended by a time of its own for every group, one row a group."""
    asked, position = np.unique(np.nan_to_num(times, nan=0.0), return_inverse=True)
    curve = survival_of(spells)
    found = jackknife_of(spells, curve)
    columns = _ended_by(spells, curve, found, asked * units, level)
    group = np.arange(spells.groups.n)
    own = {name: values[group, position][:, None] for name, values in columns.items()}
    return _finished(_rows(spells, own, {}), spells, found, ONE_END)


def race_table(
    spells: Spells,
    causes: Sequence[str],
    *,
    horizon: float,
    units: int,
    level: float,
    survivor: str | None = None,
) -> pd.DataFrame:
    """Share ended in each way by each hour (Aalen-Johansen), causes that occur in their order.

    ``survivor`` names the share that has not ended in any way, put first.
    """
    require_own_columns("outcome", spells.groups.frame.columns)
    times = curve_times(horizon, 1.0)
    curve = _incidence(spells)
    found = jackknife_of(spells, curve)
    at = stats.incidence_at(curve, times * units, level=level, jackknife=found)
    common = {"n_at_risk": at.n_at_risk, "n_censored": at.n_censored, "n": _sizes(spells, times)}
    parts = []
    if survivor is not None:
        stays = {"estimate": at.survival, "ci_low": at.survival_low, "ci_high": at.survival_high}
        counts = {**common, "n_events": at.n_events.sum(axis=-1)}  # ended in any way by then
        parts.append(
            (survivor, _limited({**stays, **_ordered(counts)}, found, level, inverse=True))
        )
    occurs = np.flatnonzero(spells.events.sum(axis=0) > 0)
    nothing = survivor is None and not occurs.size
    for cause in [0] if nothing else occurs:
        ends = {"estimate": at.incidence, "ci_low": at.low, "ci_high": at.high}
        columns = {column: values[..., cause] for column, values in ends.items()}
        counts = {**common, "n_events": at.n_events[..., cause]}
        parts.append((causes[cause], _limited({**columns, **_ordered(counts)}, found, level)))
    tables = [
        _rows(spells, columns, {"outcome": name, "time_hours": times}).assign(_order=order)
        for order, (name, columns) in enumerate(parts)
    ]
    stacked = pd.concat(tables, ignore_index=True).iloc[: 0 if nothing else None]
    stacked = stacked.sort_values(["_group", "_order"], kind="stable", ignore_index=True)
    return _finished(stacked.drop(columns="_order"), spells, found, MANY_ENDS)


def shares_at(
    spells: Spells, causes: Sequence[str], *, horizon: float, units: int, level: float
) -> pd.DataFrame:
    """Share ended in each way by the horizon: one row per group and cause, also of no event."""
    curve = _incidence(spells)
    found = jackknife_of(spells, curve)
    asked = np.array([horizon * units])
    at = stats.incidence_at(curve, asked, level=level, jackknife=found)
    once = {"n_at_risk": at.n_at_risk, "n_censored": at.n_censored, "n": _sizes(spells, asked)}
    columns: Columns = {"estimate": at.incidence, "ci_low": at.low, "ci_high": at.high}
    columns["n_events"] = at.n_events
    columns |= {name: np.repeat(x[:, :, None], len(causes), 2) for name, x in once.items()}
    columns = {name: x[:, 0] for name, x in columns.items()}  # groups x causes
    labels = {
        "outcome": np.array(causes, dtype=object),
        "time_hours": np.full(len(causes), horizon, float),
    }
    table = _rows(spells, _limited(columns, found, level), labels)
    return _finished(table, spells, found, MANY_ENDS)


def quantile_table(
    spells: Spells, probabilities: Sequence[float], *, units: int, level: float
) -> pd.DataFrame:
    """Times by which the stated shares have ended, one row per group and probability."""
    curve = survival_of(spells)
    found = jackknife_of(spells, curve)
    probs = np.asarray(probabilities, float)
    values = stats.survival_quantiles(curve, probs, level=level, jackknife=found)
    columns = {"estimate": values.value, "ci_low": values.low, "ci_high": values.high}
    columns = {name: values / units for name, values in columns.items()}
    columns |= _totals(spells, len(probabilities))
    table = _rows(spells, columns, {"probability": probs})
    return _finished(table, spells, found, f"{ONE_END}, inverted")


def mean_table(spells: Spells, *, horizon: float, units: int, level: float) -> pd.DataFrame:
    """Mean time up to the horizon, one row per group."""
    curve = survival_of(spells)
    found = jackknife_of(spells, curve)
    mean = stats.restricted_mean(curve, horizon * units, level=level, jackknife=found)
    columns = {"estimate": mean.estimate, "ci_low": mean.low, "ci_high": mean.high}
    columns = {name: values[:, None] / units for name, values in columns.items()}
    labels = {"horizon_days": np.array([horizon], float)}
    table = _rows(spells, columns | _totals(spells, 1), labels)
    return _finished(table, spells, found, MEAN, CLUSTERED_MEAN)


def medians(spells: Spells) -> np.ndarray:
    """Median time of each group, in the units of the spells; NaN where it is not reached."""
    return stats.survival_quantiles(survival_of(spells), [0.5]).value[:, 0]


def survival_of(spells: Spells) -> stats.SurvivalCurve:
    """Kaplan-Meier curve of each group, of spells with one end."""
    groups = spells.groups
    return stats.kaplan_meier(
        groups.index, spells.time, spells.events[:, 0], spells.censored, n_groups=groups.n
    )


def _incidence(spells: Spells) -> stats.IncidenceCurve:
    groups = spells.groups
    return stats.aalen_johansen(
        groups.index, spells.time, spells.events, spells.censored, n_groups=groups.n
    )


def jackknife_of(
    spells: Spells, curve: stats.SurvivalCurve | stats.IncidenceCurve
) -> stats.Jackknife | None:
    """What limits need to allow for sellers and weights; None where there are neither."""
    if spells.cluster is None and spells.n_squared is None:
        return None
    return stats.Jackknife(curve, cells_of(spells))


def _finished(
    table: pd.DataFrame,
    spells: Spells,
    jackknife: stats.Jackknife | None,
    name: str,
    clustered: str | None = None,
) -> pd.DataFrame:
    """Add the number of clusters and what made the limits, each group its own."""
    n_groups, group = spells.groups.n, table.pop("_group").to_numpy()
    if jackknife is None:
        spells_of = np.bincount(spells.groups.index, spells.n_spells, minlength=n_groups)
        return with_columns(table, n_clusters=as_counts(spells_of)[group], interval=name)
    if spells.cluster is None:
        words = np.full(n_groups, f"{clustered or name}, weighted")
    else:
        words = np.where(
            jackknife.enough,
            f"{clustered or name}, clustered by seller",
            f"{name}, too few to cluster by seller",
        )
    return with_columns(table, n_clusters=jackknife.n_clusters[group], interval=words[group])


def _ended_by(
    spells: Spells,
    curve: stats.SurvivalCurve,
    jackknife: stats.Jackknife | None,
    times: np.ndarray,
    level: float,
) -> Columns:
    at = stats.survival_at(curve, times, level=level, jackknife=jackknife)
    columns = {
        "estimate": 1 - at.survival,
        "ci_low": 1 - at.high,
        "ci_high": 1 - at.low,
        "n_at_risk": at.n_at_risk,
        "n_events": at.n_event,
        "n_censored": at.n_censored,
        "n": _sizes(spells, times),
    }
    return _limited(columns, jackknife, level)


def _ordered(counts: Columns) -> Columns:
    return {name: counts[name] for name in COUNTS}


def _limited(
    columns: Columns, jackknife: stats.Jackknife | None, level: float, *, inverse: bool = False
) -> Columns:
    """Fill limits that are missing where the estimate is 0 or 1 with Wilson's."""
    known = np.maximum(columns["n"] - columns["n_censored"], columns["n_events"])
    k = known - columns["n_events"] if inverse else columns["n_events"]
    df = np.inf if jackknife is None else jackknife.df[:, None]
    low, high = stats.clustered_wilson(np.minimum(k, known), known, 0.0, df=df, level=level)
    estimate = columns["estimate"]
    edge = (estimate <= 0) | (estimate >= 1)
    for name, values in (("ci_low", low), ("ci_high", high)):
        columns[name] = np.where(edge & np.isnan(columns[name]), values, columns[name])
    return columns


def _sizes(spells: Spells, times: np.ndarray) -> np.ndarray:
    rows = spells.events.sum(axis=1) + spells.censored
    n = np.bincount(spells.groups.index, rows, minlength=spells.groups.n)
    return np.repeat(n[:, None], len(times), axis=1)


def _totals(spells: Spells, width: int) -> Columns:
    """Counts over the whole of each spell, repeated for every asked value."""
    index, n_groups = spells.groups.index, spells.groups.n
    events = np.bincount(index, spells.events.sum(axis=1), minlength=n_groups)
    censored = np.bincount(index, spells.censored, minlength=n_groups)
    counts = {"n": events + censored, "n_events": events, "n_censored": censored}
    return {name: np.repeat(values[:, None], width, axis=1) for name, values in counts.items()}


def _rows(spells: Spells, columns: Columns, labels: dict[str, object]) -> pd.DataFrame:
    """One row per group and time; ``_group`` keeps the number of the group for sorting."""
    n_groups, width = columns["estimate"].shape
    group = np.repeat(np.arange(n_groups), width)
    made: dict[str, object] = {"_group": group}
    for name, value in labels.items():
        made[name] = value if isinstance(value, str) else np.tile(value, n_groups)
    for name in ("estimate", "ci_low", "ci_high"):
        made[name] = columns[name].ravel()
    for name in (name for name in columns if name in COUNTS):
        made[name] = as_counts(columns[name].ravel())
    return with_columns(spells.groups.frame.iloc[group].reset_index(drop=True), **made)
