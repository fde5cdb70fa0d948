"""Rates: how often asking to cancel works, and how requests and orders end.

Unit of the request measures: one cancellation request of a buyer. Denominator: requests at
least ``horizon_hours`` old when observation ends; younger ones are counted in ``n_pending``
and never in ``n``. Unit of the order measures: one order.
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import pandas as pd

from analysis.contract import codes
from analysis.measures.counting import mature_requests, orders_of, requests_of
from analysis.measures.shares import share_table, word_table
from analysis.sources import Tables
from analysis.sources.tables import is_success

HORIZON_HOURS = 720.0  # 30 days: by then every answer deadline of every platform has passed


def cancellation_success_rate(
    tables: Tables,
    *,
    by: Sequence[str] = (),
    horizon_hours: float = HORIZON_HOURS,
    level: float = 0.95,
    requested_by: str | None = "buyer",
) -> pd.DataFrame:
    """Share of mature cancellation requests that ended in a cancelled order.

    Parameters
    ----------
    tables
        Opened dataset; needs ``requests`` and ``orders``.
    by
        Grouping columns of requests, orders or sellers, e.g. ``["order_state"]``.
    horizon_hours
        A request counts once it is this old at ``as_of``; later successes do not count.
    level
        Confidence level, in (0, 1).
    requested_by
        Whose requests: "buyer", "seller", "platform", or None for everybody's.

    Returns
    -------
    DataFrame
        One row per group, sorted by ``by``: ``*by, estimate, ci_low, ci_high, n, n_events,
        n_pending, n_clusters, interval``. Shares are in [0, 1].

    Raises
    ------
    MissingData
        A column in ``by`` is in none of the tables.

    Notes
    -----
    Interval: Wilson (1927) score, with the effective sample size of seller clusters where
    sellers are known; ``interval`` says which.
    """
    frame, by = requests_of(tables, by, requested_by, needed_by="cancellation_success_rate")
    mature, in_time = mature_requests(tables, frame, horizon_hours)
    return share_table(frame, by, is_success(frame) & in_time, counted=mature, level=level)


def outcome_shares(
    tables: Tables,
    *,
    by: Sequence[str] = (),
    horizon_hours: float = HORIZON_HOURS,
    level: float = 0.95,
    requested_by: str | None = "buyer",
) -> pd.DataFrame:
    """How mature requests ended: the share of each outcome, adding up to 1 in each group.

    Parameters
    ----------
    tables, by, horizon_hours, level, requested_by
        As in :func:`cancellation_success_rate`. Outcome ``pending`` is the share that was still
        undecided at the horizon.

    Returns
    -------
    DataFrame
        One row per group and outcome, outcomes in the order of ``codes.OUTCOMES``: ``*by,
        outcome, estimate, ci_low, ci_high, n, n_events, n_pending, n_clusters, interval``.

    Raises
    ------
    MissingData
        A column in ``by`` is in none of the tables.
    """
    frame, by = requests_of(tables, by, requested_by, needed_by="outcome_shares")
    mature, in_time = mature_requests(tables, frame, horizon_hours)
    word = in_time.ifelse(frame.outcome, codes.PENDING)
    return word_table(frame, by, word, codes.OUTCOMES, counted=mature, level=level, name="outcome")


def order_end_shares(
    tables: Tables, *, by: Sequence[str] = (), level: float = 0.95
) -> pd.DataFrame:
    """How orders ended: the share of every end among all orders, "open" for those not ended.

    This is the familiar "cancelled orders divided by orders" done with a stated denominator. It
    says nothing about how often asking works: use :func:`cancellation_success_rate` for that.

    Parameters
    ----------
    tables
        Opened dataset; needs ``orders`` with ``end_code``. A column ``weight`` is used.
    by
        Grouping columns of orders or sellers.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    DataFrame
        One row per group and end: ``*by, end_code, estimate, ci_low, ci_high, n, n_events,
        n_clusters, interval``. Ends that occur nowhere in the data have no row.

    Raises
    ------
    MissingData
        ``end_code``, or a column in ``by``, is not in the data.
    """
    frame, by = orders_of(tables, by, ["end_code"], needed_by="order_end_shares")
    by = [column for column in by if column != "end_code"]
    table = word_table(
        frame,
        by,
        frame.end_code.coalesce("open"),
        (*codes.ORDER_ENDS, "open"),
        counted=ibis.literal(value=True),
        level=level,
        name="end_code",
    )
    occurs = table.groupby("end_code")["n_events"].transform("sum") > 0
    return table[occurs].drop(columns="n_pending").reset_index(drop=True)
