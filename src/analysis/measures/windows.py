"""How fast the window of an order closes, hour by hour after payment.

Unit: one paid order. Denominator: hours in which orders could still be cancelled, so that an order
that is still open when observation ends counts for the hours that it was seen, and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis import stats
from analysis.measures.counting import (
    CLUSTER,
    HOUR,
    as_counts,
    cluster_keys,
    groups_of,
    positive,
    require_own_columns,
    seen,
    with_columns,
)
from analysis.measures.races import WindowEnds, window_counts, window_ends
from analysis.measures.shares import pooled_rows
from analysis.measures.spells import QUARTER, unit_of
from analysis.sources import Tables, collect, whole_units

MAX_STEPS = 1_000  # intervals in one table
CLOSED = "closed_in_any_way"


class _Steps(NamedTuple):
    """Intervals since payment, in seconds; the last one is shorter where they do not fit."""

    step: int
    horizon: int

    @property
    def edges(self) -> np.ndarray:
        return np.append(np.arange(0, self.horizon, self.step), self.horizon)


def window_hazard(
    tables: Tables,
    *,
    by: Sequence[str] = (),
    horizon_hours: float = 240,
    step_hours: float = 6,
    closed_by: Sequence[str] = ("shipped_at",),
    level: float = 0.95,
) -> pd.DataFrame:
    """How many of the orders that can still be cancelled stop being so per hour, and by what.

    Parameters
    ----------
    tables
        Opened dataset; needs ``orders`` with ``paid_at``, ``ended_at``, ``end_code`` and
        ``closed_by``.
    by
        Grouping columns of orders or sellers.
    horizon_hours
        Until when after payment.
    step_hours
        Length of the intervals, at most 1,000 of them. What an edit window of 30 minutes would
        have to be quicker than is in ``horizon_hours=1, step_hours=0.25``.
    closed_by
        Columns of ``orders`` whose moment closes the window, as in :func:`analysis.window_curve`.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    DataFrame
        One row per group, outcome and interval: ``*by, outcome, from_hours, to_hours, estimate,
        ci_low, ci_high, n_at_risk, n_events, exposure_hours, n, n_clusters, interval``. Outcomes
        are ``closed_in_any_way``, then those that occur of ``shipped`` (and ``packed``),
        ``cancelled`` and ``ended_otherwise``; their rates add up to its. The
        estimate is ends per hour at risk, from 0 with no upper bound; missing where nobody was at
        risk. ``n_at_risk`` orders were open when the interval began, ``n_events`` windows closed
        in it, and ``n`` orders were paid: those whose window had closed by then (paid at the door)
        were never at risk.

    Raises
    ------
    MissingData
        A column that is needed is not in the data.
    ValueError
        ``step_hours`` makes more than 1,000 intervals.

    Notes
    -----
    Time at risk is exact to the second. An end at a boundary belongs to the interval before it,
    so the ends until ``to_hours`` are those of :func:`analysis.window_curve` at that hour, where
    no order was closed before it was paid. Of orders open at the beginning of an interval of ``h``
    hours with rate ``r``, a share ``1 - exp(-r h)`` closes in it. Interval: Poisson score,
    clustered by seller where sellers are known; see :func:`analysis.stats.rate_interval`.
    """
    ends = window_ends(tables, by, closed_by, needed_by="window_hazard")
    require_own_columns(COLUMNS, ends.by)
    steps = _steps(horizon_hours, step_hours)
    counts, keys = _counted(tables, ends, steps)
    return _tabulated(counts, keys, ends.by, ends.names, steps, level)


def _steps(horizon_hours: float, step_hours: float) -> _Steps:
    horizon = max(round(positive("horizon_hours", horizon_hours) * HOUR), 1)
    step = min(max(round(positive("step_hours", step_hours) * HOUR), 1), horizon)
    if horizon > step * MAX_STEPS:
        raise ValueError(
            f"step_hours must make at most {MAX_STEPS:,} intervals of {horizon_hours} hours, "
            f"got {step_hours}"
        )
    return _Steps(step, horizon)


def _counted(tables: Tables, ends: WindowEnds, steps: _Steps) -> tuple[pd.DataFrame, list[str]]:
    """Paid orders by group, seller, the interval in which they were last open, and the end."""
    keys = cluster_keys(ends.orders, ends.by)
    in_quarters = unit_of(tables.size("orders"), steps.horizon / HOUR) == QUARTER
    if in_quarters and steps.step % QUARTER == 0:
        return _from_quarters(tables, ends, steps), keys
    frame = ends.orders.mutate(seconds_=seen(tables, ends.orders.paid_at, ends.orders.end_))
    frame = frame.mutate(units_=whole_units(frame.seconds_, steps.step))
    beyond = frame.seconds_ > steps.horizon
    place = frame.units_ - 1
    named = frame.select(
        *keys,
        place_=beyond.ifelse(len(steps.edges) - 1, place).cast("int64"),
        cause_=beyond.ifelse(0, frame.cause_).cast("int64"),
        rest_=beyond.ifelse(0, frame.seconds_ - place * steps.step).cast("int64"),
    )
    counted = named.group_by(*keys, "place_", "cause_").aggregate(
        n=lambda t: t.count(), rest=lambda t: t.rest_.sum()
    )
    return collect(counted), keys


def _from_quarters(tables: Tables, ends: WindowEnds, steps: _Steps) -> pd.DataFrame:
    """The same from counts by quarters of an hour, which :func:`analysis.window_curve` needs too.

    Seconds at risk are exact: those of an interval's spells less those before the interval.
    """
    counts = window_counts(tables, ends, QUARTER, steps.horizon // QUARTER)
    beyond = counts["time_"] > steps.horizon // QUARTER
    place = (counts["time_"] - 1) // (steps.step // QUARTER)
    rest = counts["seconds"] - counts["n"] * place * steps.step
    counts = counts.assign(
        place_=place.where(~beyond, len(steps.edges) - 1), rest=rest.where(~beyond, 0)
    )
    return counts if CLUSTER in ends.by else counts.rename(columns={"cluster_": CLUSTER})


def _tabulated(
    counts: pd.DataFrame,
    keys: Sequence[str],
    by: Sequence[str],
    names: list[str],
    steps: _Steps,
    level: float,
) -> pd.DataFrame:
    units = groups_of(counts, keys)
    spells = stats.exposure_of(
        units.index,
        counts["place_"].to_numpy(),
        counts["cause_"].to_numpy(),
        counts["n"].to_numpy(),
        counts["rest"].to_numpy() / HOUR,
        widths=np.diff(steps.edges) / HOUR,
        n_causes=len(names),
        n_units=units.n,
    )
    groups = groups_of(units.frame, by)
    paid = np.bincount(units.index, counts["n"], minlength=units.n)
    paid = np.bincount(groups.index, paid, minlength=groups.n)
    ends = {CLOSED: spells.events.sum(axis=2)}
    ends |= {name: spells.events[..., i] for i, name in enumerate(names)}
    ends = {name: events for name, events in ends.items() if name == CLOSED or events.any()}
    width = len(steps.edges) - 1
    rows = groups.frame.loc[np.repeat(np.arange(groups.n), width)].reset_index(drop=True)
    rows["_group"] = np.repeat(np.arange(groups.n), width)
    rows["n"] = as_counts(np.repeat(paid, width))
    rows["from_hours"] = np.tile(steps.edges[:-1] / HOUR, groups.n)
    rows["to_hours"] = np.tile(steps.edges[1:] / HOUR, groups.n)
    cell = groups.index[:, None] * width + np.arange(width)
    alone = pooled_rows(units.frame)
    parts = [
        with_columns(rows, outcome=name, **_rates(cell, events, spells, alone, len(rows), level))
        for name, events in ends.items()
    ]
    table = pd.concat(parts, ignore_index=True).sort_values("_group", kind="stable")
    return table[[*by, *COLUMNS]].reset_index(drop=True)


COLUMNS = [
    "outcome",
    "from_hours",
    "to_hours",
    "estimate",
    "ci_low",
    "ci_high",
    "n_at_risk",
    "n_events",
    "exposure_hours",
    "n",
    "n_clusters",
    "interval",
]


def _rates(
    cell: np.ndarray,
    events: np.ndarray,
    spells: stats.Exposure,
    alone: np.ndarray | None,
    n_cells: int,
    level: float,
) -> dict[str, np.ndarray]:
    """Columns of one end, one value a group and interval."""
    width = cell.shape[1] if cell.size else 1
    found = stats.rate_interval(
        cell.ravel(),
        events.ravel(),
        spells.time.ravel(),
        members=spells.n_at_risk.ravel(),
        alone=None if alone is None else np.repeat(alone, width),
        n_groups=n_cells,
        level=level,
        clusters=None if alone is None else "seller",
    )
    at_risk = np.bincount(cell.ravel(), spells.n_at_risk.ravel(), minlength=n_cells)
    return {
        "estimate": found.estimate,
        "ci_low": found.low,
        "ci_high": found.high,
        "n_at_risk": as_counts(at_risk),
        "n_events": as_counts(found.events),
        "exposure_hours": found.time,
        "n_clusters": found.n_clusters,
        "interval": found.interval,
    }
