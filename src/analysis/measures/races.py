"""Races: which end comes first, and by when.

``outcome_curve`` follows requests from asking to their end; ``window_curve`` follows paid orders
from payment until they can no longer be cancelled. Both are Aalen-Johansen curves, so what is
still undecided when observation ends is kept and never counted as either end.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import ibis
import pandas as pd

from analysis.contract import codes
from analysis.measures.counting import (
    HOUR,
    cluster_keys,
    orders_of,
    positive,
    requests_of,
    seen,
)
from analysis.measures.curves import race_table
from analysis.measures.spells import (
    QUARTER,
    Spells,
    counted_spells,
    spell_counts,
    spells_of,
    unit_of,
    with_first_end,
)
from analysis.sources import Tables

if TYPE_CHECKING:
    import ibis.expr.types as ir

MOST_KEPT = 2_000_000  # rows of counts that are kept for the next who asks
ENDS = [word for word in codes.OUTCOMES if word != codes.PENDING]


def outcome_curve(
    tables: Tables,
    *,
    by: Sequence[str] = (),
    horizon_hours: float = 96,
    level: float = 0.95,
    requested_by: str | None = "buyer",
) -> pd.DataFrame:
    """By when how many requests have ended in which way, the undecided included.

    Parameters
    ----------
    tables
        Opened dataset; needs ``requests`` and ``orders``.
    by
        Grouping columns of requests, orders or sellers.
    horizon_hours
        Length of the curve, from the request.
    level
        Confidence level, in (0, 1).
    requested_by
        Whose requests: "buyer", "seller", "platform", or None for everybody's.

    Returns
    -------
    DataFrame
        One row per group, outcome that occurs, and time: ``*by, outcome, time_hours, estimate,
        ci_low, ci_high, n_at_risk, n_events, n_censored, n, n_clusters, interval``. ``n_events``
        and ``n_censored`` are cumulative, ``n_at_risk`` is just before the time. Beyond a group's
        last observed time the estimate is missing, unless all had ended by then.

    Raises
    ------
    MissingData
        A column in ``by`` is in none of the tables.

    Notes
    -----
    Times are whole minutes, rounded up; of more than a million requests, quarters of an hour
    (:func:`analysis.measures.spells.unit_of`). Aalen-Johansen (1978) with the jackknife over
    sellers, where they are known (:class:`analysis.stats.Jackknife`); Student limits on the
    log-log scale. A request without seller is a cluster of its own. Orders count for their
    ``weight``.
    """
    spells = request_spells(tables, by, horizon_hours, requested_by, needed_by="outcome_curve")
    unit = unit_of(tables.size("requests"), horizon_hours)
    return race_table(spells, ENDS, horizon=horizon_hours, units=HOUR // unit, level=level)


def request_spells(
    tables: Tables,
    by: Sequence[str],
    horizon_hours: float,
    requested_by: str | None,
    *,
    needed_by: str,
) -> Spells:
    """Count requests by time from asking to their end (one of ``ENDS``), or to ``as_of``.

    Times are in units of :func:`unit_of`.
    """
    frame, by = requests_of(tables, by, requested_by, needed_by=needed_by)
    unit = unit_of(tables.size("requests"), horizon_hours)
    numbers = [(frame.outcome == word, i) for i, word in enumerate(ENDS, 1)]
    return spell_counts(
        frame,
        by,
        start=frame.requested_at,
        seconds=seen(tables, frame.requested_at, frame.decided_at),
        cause=frame.decided_at.notnull().ifelse(ibis.cases(*numbers, else_=0), 0),
        n_causes=len(ENDS),
        unit_seconds=unit,
        horizon_units=round(positive("horizon_hours", horizon_hours) * HOUR / unit),
        size=tables.size("requests"),
    )


def window_curve(
    tables: Tables,
    *,
    by: Sequence[str] = (),
    horizon_hours: float = 240,
    closed_by: Sequence[str] = ("shipped_at",),
    level: float = 0.95,
) -> pd.DataFrame:
    """How long after payment an order can still be cancelled, and what closes the window.

    Parameters
    ----------
    tables
        Opened dataset; needs ``orders`` with ``paid_at``, ``ended_at``, ``end_code`` and
        ``closed_by``.
    by
        Grouping columns of orders or sellers.
    horizon_hours
        Length of the curve, from payment.
    closed_by
        Columns of ``orders`` whose moment closes the window: ``["packed_at", "shipped_at"]`` on
        platforms where packing does.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    DataFrame
        One row per group, outcome and time; outcomes are ``still_open``, then ``shipped`` (and
        ``packed``), ``cancelled``, ``ended_otherwise``; their shares add up to 1. Columns as in
        :func:`outcome_curve`.

    Raises
    ------
    MissingData
        A column that is needed is not in the data.

    Notes
    -----
    As :func:`outcome_curve`; of more than a million orders, times are quarters of an hour.
    """
    ends = window_ends(tables, by, closed_by, needed_by="window_curve")
    unit = unit_of(tables.size("orders"), horizon_hours)
    horizon = round(positive("horizon_hours", horizon_hours) * HOUR / unit)
    counts = window_counts(tables, ends, unit, horizon)
    return race_table(
        spells_of(counts, ends.by, len(ends.names)),
        ends.names,
        horizon=horizon_hours,
        units=HOUR // unit,
        level=level,
        survivor="still_open",
    )


class WindowEnds(NamedTuple):
    """Paid orders with what closed their window first."""

    orders: ir.Table  # groups, seller, weight, paid_at; end_ a moment, cause_ from 1
    by: list[str]
    names: list[str]  # of the ends, in the order of their numbers
    question: str  # the same of the same tables: the same orders


def window_counts(
    tables: Tables, ends: WindowEnds, unit_seconds: int, horizon_units: int
) -> pd.DataFrame:
    """Count windows by group, seller, units of time and end.

    Of very many orders, counted in quarters of an hour, this is done once for all who ask the
    same, and the seconds that windows were seen are added up as well.
    """
    count = partial(
        counted_spells,
        ends.orders,
        ends.by,
        start=ends.orders.paid_at,
        seconds=seen(tables, ends.orders.paid_at, ends.orders.end_),
        cause=ends.orders.cause_,
        n_causes=len(ends.names),
        unit_seconds=unit_seconds,
        horizon_units=horizon_units,
        size=tables.size("orders"),
        with_seconds=unit_seconds == QUARTER,
    )
    if unit_seconds != QUARTER:
        return count()
    question = f"windows, {ends.question}, {unit_seconds}, {horizon_units}"
    counts = tables.once(question, count)
    if len(counts) > MOST_KEPT:
        tables.forget(question)
    return counts


def window_ends(
    tables: Tables, by: Sequence[str], closed_by: Sequence[str], *, needed_by: str
) -> WindowEnds:
    """Return paid orders, checked ``by``, and what closes windows: ``closed_by``, then ends.

    Raises
    ------
    MissingData
        A column that is needed is not in the data.
    """
    needed = ["paid_at", "ended_at", "end_code", *closed_by]
    orders, by = orders_of(tables, by, needed, needed_by=needed_by)
    paid = orders.filter(orders.paid_at.notnull())
    ends = [*closed_by, "ended_at"]
    keep = [*cluster_keys(orders, by), "paid_at", *({"weight"} & set(orders.columns))]
    frame = with_first_end(paid, ends, list(dict.fromkeys([*keep, "end_code"])))
    cancelled = frame.end_code.isin(codes.CANCELLED_ENDS)  # looked up of orders that ended first
    cause = ibis.cases(
        (frame.cause_ != len(ends), frame.cause_), (cancelled, len(ends)), else_=len(ends) + 1
    )
    frame = frame.mutate(cause_=cause.cast("int64"))
    names = [*(c.removesuffix("_at") for c in closed_by), "cancelled", "ended_otherwise"]
    return WindowEnds(frame, by, names, f"{by} {list(closed_by)}")
