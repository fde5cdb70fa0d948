"""Stages: which leg of the way to the money is the slow one.

The way has three stages, each timed from its own beginning, and a total beside them:

- ``decision``: unit a buyer's request that was not blocked at once; from asking to the decision,
  whatever it was (0 where the order was cancelled at once). Pending ones are censored.
- ``start``: unit a refund leg; from the decision (``due_since``) until it is sent off. Legs not
  sent off are censored. Not begun (``n_pending``): requests still pending.
- ``arrival``: unit a refund leg that was sent off; from then until it is credited. Legs not
  credited are censored. Not begun: legs not sent off.
- ``total``: unit a refund leg that a request caused; from asking until credited. Only legs of
  requests at least ``horizon_days`` old: of younger requests the slowly decided ones have no leg
  yet, and those that have would make the total too short. Too young: ``n_pending``.

The means of the stages need not add up to the total: their units differ (refused requests have a
decision and no refund, orders ended without a request have a refund and no decision), each is cut
at the horizon by itself, and a censored unit is in one stage and not yet in the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from analysis.measures.counting import (
    DAY,
    MINUTE,
    age,
    cluster_keys,
    groups_of,
    positive,
    require_own_columns,
    seen,
)
from analysis.measures.curves import MEAN, mean_table, medians
from analysis.measures.spells import counted_spells, spells_of
from analysis.sources import Size, Tables
from analysis.sources.tables import known_columns

if TYPE_CHECKING:
    import ibis.expr.types as ir

STAGES = ("decision", "start", "arrival", "total")
BLOCKED = "blocked"
UNITS = DAY // MINUTE
MOST_AT_ONCE = 1_000_000  # counts of all stages together
COLUMNS = ["stage", "horizon_days", "estimate", "ci_low", "ci_high", "median_days"]
COLUMNS += ["share_of_total", "n", "n_events", "n_censored", "n_pending", "n_clusters"]
COLUMNS += ["interval"]


def stage_durations(
    tables: Tables,
    *,
    by: Sequence[str] = (),
    horizon_days: float = 30,
    level: float = 0.95,
) -> pd.DataFrame:
    """Mean days that each stage takes on the way from asking to the money, and the total.

    Parameters
    ----------
    tables
        Opened dataset; needs ``requests`` with ``decided_at``, ``orders``, and ``refunds`` with
        ``request_id``, ``started_at`` and ``credited_at``.
    by
        Grouping columns of orders or sellers, or of both requests and refunds.
    horizon_days
        Each duration counts up to so many days; the total needs requests so old.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    DataFrame
        Four rows per group, ``decision``, ``start``, ``arrival`` and ``total``: ``*by, stage,
        horizon_days, estimate, ci_low, ci_high, median_days, share_of_total, n, n_events,
        n_censored, n_pending, n_clusters, interval``. ``estimate`` is the restricted mean, in days,
        missing where nothing was observed up to the horizon; ``share_of_total`` is the stage's
        estimate divided by that of the total. What ``n`` and ``n_pending`` count is stated for each
        stage at the head of :mod:`analysis.measures.stages`.

    Raises
    ------
    MissingData
        One of the columns named above, or a column in ``by``, is not in the data.

    Notes
    -----
    Restricted means of Kaplan-Meier curves on whole minutes, rounded up (Irwin 1949), Student
    limits with the jackknife over sellers where they are known (:class:`analysis.stats.Jackknife`),
    else normal ones that take units as independent; a unit without seller is a cluster of its
    own. A column ``weight`` is not used. A leg credited without a recorded ``started_at`` is in
    the total only. Why the means need not add up: see the head of the module.
    """
    horizon = positive("horizon_days", horizon_days)
    requests, refunds, by = _frames(tables, by)
    frame = _stages(tables, requests, refunds, by, horizon)
    keys = [*by, "stage"]
    counts = counted_spells(
        frame,
        [*keys, "is_begun_"],
        start=frame.seconds_,
        seconds=frame.seconds_,
        cause=frame.cause_,
        n_causes=1,
        unit_seconds=MINUTE,
        horizon_units=round(horizon * UNITS),
        size=_size(tables),
    )
    begun = counts["is_begun_"]
    at_once = [begun] if len(counts) <= MOST_AT_ONCE else _by_stage(counts, begun)
    found = [_means(counts[rows], keys, horizon, level) for rows in at_once]
    pending = _pending(counts, keys)
    return _whole(pd.concat(found, ignore_index=True), pending, by, horizon)


def _by_stage(counts: pd.DataFrame, begun: pd.Series) -> list[pd.Series]:
    """Rows of each stage, which takes a third of the memory of all stages at once."""
    return [begun & (counts["stage"] == stage) for stage in range(len(STAGES))]


def _means(counts: pd.DataFrame, keys: list[str], horizon: float, level: float) -> pd.DataFrame:
    """Means and medians of the stages of begun spells."""
    spells = spells_of(counts.reset_index(drop=True), keys, 1)
    found = mean_table(spells, horizon=horizon, units=UNITS, level=level)
    return found.assign(median_days=medians(spells) / UNITS)


def _size(tables: Tables) -> Size:
    """How many units there are at most: a request has two stages, a leg three."""
    requests, refunds = tables.size("requests"), tables.size("refunds")
    return refunds._replace(n_rows=2 * requests.n_rows + 3 * refunds.n_rows)


def _frames(tables: Tables, by: Sequence[str]) -> tuple[ir.Table, ir.Table, list[str]]:
    who = "stage_durations"
    tables.need("requests", "decided_at", by=who)
    tables.need("refunds", "request_id", "started_at", "credited_at", by=who)
    by = known_columns(tables.refunds_with_context, by, needed_by=who)
    known_columns(tables.requests_with_context, by, needed_by=who)
    require_own_columns(COLUMNS, by)
    requests, refunds = tables.requests_with(by), tables.refunds_with(by)
    requests = requests.filter((requests.requested_by == "buyer") & (requests.outcome != BLOCKED))
    steps = ("requested_at", "due_since", "started_at", "credited_at")
    return (
        requests.select(*cluster_keys(requests, by), "requested_at", "decided_at"),
        refunds.select(*cluster_keys(refunds, by), *steps),
        by,
    )


def _stages(
    tables: Tables, requests: ir.Table, refunds: ir.Table, by: Sequence[str], horizon: float
) -> ir.Table:
    """All stages under each other; ``is_begun_`` is false where a stage is still to come."""
    part = partial(_part, tables, by)
    asked, sent, credited = refunds.requested_at, refunds.started_at, refunds.credited_at
    undecided = requests.filter(requests.decided_at.isnull())
    recorded = refunds.filter(sent.notnull() | credited.isnull())
    old = age(tables, asked) >= int(horizon * DAY)
    caused = refunds.filter(asked.notnull())
    parts = [
        part(requests, "decision", requests.requested_at, requests.decided_at),
        part(undecided, "start", undecided.requested_at, begun=ibis.literal(value=False)),
        part(recorded, "start", refunds.due_since, sent),
        part(recorded, "arrival", sent.coalesce(refunds.due_since), credited, begun=sent.notnull()),
        part(caused, "total", asked, credited, begun=old),
    ]
    return ibis.union(*parts)


def _part(
    tables: Tables,
    by: Sequence[str],
    frame: ir.Table,
    stage: str,
    start: ir.TimestampValue,
    end: ir.TimestampValue | None = None,
    *,
    begun: ir.BooleanValue | None = None,
) -> ir.Table:
    """One stage; of what is still to come, nothing was seen."""
    if begun is None:
        begun = ibis.literal(value=True)
    seconds = ibis.literal(0) if end is None else begun.ifelse(seen(tables, start, end), 0)
    cause = ibis.literal(0) if end is None else (begun & end.notnull()).ifelse(1, 0)
    return frame.filter(start.notnull()).select(
        *cluster_keys(frame, by),
        is_begun_=begun,
        stage=ibis.literal(STAGES.index(stage), "int64"),
        seconds_=seconds.cast("int64"),
        cause_=cause.cast("int64"),
    )


def _pending(counts: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """How many have each stage still before them; every group that occurs has its rows."""
    groups = groups_of(counts, keys)
    waiting = np.bincount(groups.index, counts["n"].where(~counts["is_begun_"], 0), groups.n)
    return groups.frame.assign(n_pending=waiting.astype(np.int64))


def _whole(
    found: pd.DataFrame, pending: pd.DataFrame, by: list[str], horizon: float
) -> pd.DataFrame:
    """Four rows a group, in the order of the stages, with the share that each is of the total."""
    groups = groups_of(pending, by)
    table = groups.frame.loc[np.repeat(np.arange(groups.n), len(STAGES))].reset_index(drop=True)
    table["stage"] = list(STAGES) * groups.n
    rows = groups.index * len(STAGES) + pending["stage"].to_numpy(int)
    table["n_pending"] = np.bincount(rows, pending["n_pending"], len(table)).astype(np.int64)
    own = _rows_of(found, groups.frame, by) * len(STAGES) + found["stage"].to_numpy(int)
    for name in ("estimate", "ci_low", "ci_high", "median_days"):
        table[name] = np.nan
        table.loc[own, name] = found[name].to_numpy()
    for name in ("n", "n_events", "n_censored"):
        table[name] = np.bincount(own, found[name], len(table)).astype(np.int64)
    table["n_clusters"] = np.bincount(own, found["n_clusters"], len(table)).astype(np.int64)
    table["interval"] = MEAN
    table.loc[own, "interval"] = found["interval"].to_numpy()
    total = table["estimate"].to_numpy()[len(STAGES) - 1 :: len(STAGES)]
    table["share_of_total"] = table["estimate"] / np.repeat(total, len(STAGES))
    table = table.assign(horizon_days=float(horizon))
    return table[[*by, *COLUMNS]]


def _rows_of(found: pd.DataFrame, groups: pd.DataFrame, by: list[str]) -> np.ndarray:
    """Number of the group of each row of ``found``."""
    if not by:
        return np.zeros(len(found), dtype=np.int64)
    numbered = groups.assign(_number=np.arange(len(groups)))
    return found[by].merge(numbered, on=by, how="left")["_number"].to_numpy(np.int64)
