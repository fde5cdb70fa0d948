"""Races: which end comes first, and by when.

``outcome_curve`` follows requests from asking to their end; ``window_curve`` follows paid orders
from payment until they can no longer be cancelled. Both are Aalen-Johansen curves, so what is
still undecided when observation ends is kept and never counted as either end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import ibis
import pandas as pd

from analysis.contract import codes
from analysis.measures.counting import (
    HOUR,
    MINUTE,
    age,
    cluster_keys,
    orders_of,
    positive,
    requests_of,
)
from analysis.measures.curves import race_table
from analysis.measures.pools import MOST_ROWS
from analysis.measures.spells import Spells, spell_counts, with_first_end
from analysis.sources import Tables, seconds_between

if TYPE_CHECKING:
    import ibis.expr.types as ir

QUARTER = 15 * MINUTE
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
        last observed time the estimate is missing.

    Raises
    ------
    MissingData
        A column in ``by`` is in none of the tables.

    Notes
    -----
    Times are whole minutes, rounded up. Aalen-Johansen (1978) with the jackknife over sellers,
    where they are known (:class:`analysis.stats.Jackknife`); Student limits on the log-log scale.
    A request without seller is a cluster of its own. Orders count for their ``weight``.
    """
    spells = request_spells(tables, by, horizon_hours, requested_by, needed_by="outcome_curve")
    return race_table(spells, ENDS, horizon=horizon_hours, units=HOUR // MINUTE, level=level)


def request_spells(
    tables: Tables,
    by: Sequence[str],
    horizon_hours: float,
    requested_by: str | None,
    *,
    needed_by: str,
) -> Spells:
    """Count requests by minutes from asking to their end (one of ``ENDS``), or to ``as_of``."""
    frame, by = requests_of(tables, by, requested_by, needed_by=needed_by)
    numbers = [(frame.outcome == word, i) for i, word in enumerate(ENDS, 1)]
    return spell_counts(
        frame,
        by,
        start=frame.requested_at,
        ended=seconds_between(frame.requested_at, frame.decided_at),
        cause=ibis.cases(*numbers, else_=0),
        n_causes=len(ENDS),
        age=age(tables, frame.requested_at),
        unit_seconds=MINUTE,
        horizon_units=round(positive("horizon_hours", horizon_hours) * HOUR / MINUTE),
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
    As :func:`outcome_curve`; of more than a million orders, times are quarters of an hour. Ends by
    each whole hour are counted exactly all the same: only orders whose observation ends within a
    quarter are taken as seen to the end of it.
    """
    orders, by, ends = window_ends(tables, by, closed_by, needed_by="window_curve")
    size = tables.size("orders")
    unit = MINUTE if size.n_rows <= MOST_ROWS else QUARTER
    spells = spell_counts(
        orders,
        by,
        start=orders.paid_at,
        ended=orders.ended_,
        cause=orders.cause_,
        n_causes=len(ends),
        age=age(tables, orders.paid_at),
        unit_seconds=unit,
        horizon_units=round(positive("horizon_hours", horizon_hours) * HOUR / unit),
        size=size,
    )
    return race_table(
        spells,
        ends,
        horizon=horizon_hours,
        units=HOUR // unit,
        level=level,
        survivor="still_open",
    )


class WindowEnds(NamedTuple):
    """Paid orders with what closed their window first."""

    orders: ir.Table  # groups, seller, weight, paid_at; ended_ in seconds, cause_ from 1
    by: list[str]
    names: list[str]  # of the ends, in the order of their numbers


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
    ends = {c.removesuffix("_at"): seconds_between(orders.paid_at, orders[c]) for c in closed_by}
    ended = seconds_between(orders.paid_at, orders.ended_at)
    cancelled = orders.end_code.isin(codes.CANCELLED_ENDS).fill_null(False)
    ends["cancelled"] = cancelled.ifelse(ended, None)
    ends["ended_otherwise"] = cancelled.ifelse(None, ended)
    keep = [*cluster_keys(orders, by), "paid_at", *({"weight"} & set(orders.columns))]
    paid = orders.filter(orders.paid_at.notnull())
    frame = with_first_end(paid, list(ends.values()), list(dict.fromkeys(keep)))
    return WindowEnds(frame, by, list(ends))
