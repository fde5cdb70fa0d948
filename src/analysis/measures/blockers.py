"""Blockers: which rules stood in the way of a cancellation.

Unit: one cancellation request. Denominator: all mature requests, also those that succeeded, so
the shares of blockers and the success rate are parts of one whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pandas as pd

from analysis.contract import codes
from analysis.measures.counting import (
    HOUR,
    as_counts,
    mature_requests,
    requests_of,
    require_own_columns,
)
from analysis.measures.rates import HORIZON_HOURS
from analysis.measures.shares import share_table, word_table
from analysis.sources import Tables, seconds_between
from analysis.sources.tables import is_success

if TYPE_CHECKING:
    import ibis.expr.types as ir

STAGES = {
    **dict.fromkeys(codes.BLOCKERS_AT_SUBMIT, "at_submit"),
    **dict.fromkeys(codes.BLOCKERS_DECIDED_LATER, "decided_later"),
}
ORDER_AGES = (  # name, from hours, to hours since payment
    ("before payment", -np.inf, 0.0),
    ("under 1 hour", 0.0, 1.0),
    ("1 to 6 hours", 1.0, 6.0),
    ("6 to 24 hours", 6.0, 24.0),
    ("1 to 2 days", 24.0, 48.0),
    ("2 to 4 days", 48.0, 96.0),
    ("4 to 7 days", 96.0, 168.0),
    ("7 days or more", 168.0, np.inf),
)


def blocker_shares(
    tables: Tables,
    *,
    by: Sequence[str] = (),
    horizon_hours: float = HORIZON_HOURS,
    level: float = 0.95,
    requested_by: str | None = "buyer",
) -> pd.DataFrame:
    """Share of mature requests that each rule stopped first.

    Parameters
    ----------
    tables
        Opened dataset; needs ``requests`` with ``blocker``, and ``orders``.
    by
        Grouping columns of requests, orders or sellers.
    horizon_hours
        A request counts once it is this old at ``as_of``.
    level
        Confidence level, in (0, 1).
    requested_by
        Whose requests: "buyer", "seller", "platform", or None for everybody's.

    Returns
    -------
    DataFrame
        One row per group and blocker that occurs anywhere, in order of precedence: ``*by,
        blocker, stage, estimate, ci_low, ci_high, n, n_events, n_pending, n_clusters, interval``.
        ``stage`` is "at_submit" or "decided_later". The estimate is a share of *all* mature
        requests, not only of those that failed.

    Raises
    ------
    MissingData
        ``blocker``, or a column in ``by``, is not in the data.
    """
    tables.need("requests", "blocker", by="blocker_shares")
    frame, by = requests_of(tables, by, requested_by, needed_by="blocker_shares")
    require_own_columns("stage", by)
    mature, in_time = mature_requests(tables, frame, horizon_hours)
    word = in_time.ifelse(frame.blocker, None)
    table = word_table(frame, by, word, codes.BLOCKERS, counted=mature, level=level, name="blocker")
    table.insert(len(by) + 1, "stage", table["blocker"].map(STAGES))
    occurs = table.groupby("blocker")["n_events"].transform("sum") > 0
    return table[occurs].reset_index(drop=True)


def success_by_order_age(
    tables: Tables,
    *,
    by: Sequence[str] = (),
    horizon_hours: float = HORIZON_HOURS,
    level: float = 0.95,
    requested_by: str | None = "buyer",
) -> pd.DataFrame:
    """Success rate by how long after payment the buyer asked.

    Parameters
    ----------
    tables, by, horizon_hours, level, requested_by
        As in :func:`analysis.cancellation_success_rate`; ``orders`` needs ``paid_at``.

    Returns
    -------
    DataFrame
        One row per group and age of the order, all ages in order: ``*by, order_age,
        age_from_hours, age_to_hours, estimate, ci_low, ci_high, n, n_events, n_pending,
        n_clusters, interval``. An age runs from ``age_from_hours`` (included) to
        ``age_to_hours`` (not included); "before payment" also holds orders never paid.

    Raises
    ------
    MissingData
        ``paid_at``, or a column in ``by``, is not in the data.
    """
    tables.need("orders", "paid_at", by="success_by_order_age")
    frame, by = requests_of(tables, by, requested_by, needed_by="success_by_order_age")
    require_own_columns(_AGES, by)
    frame = frame.mutate(age_step_=order_age_step(frame))
    mature, in_time = mature_requests(tables, frame, horizon_hours)
    table = share_table(
        frame,
        [*by, "age_step_"],
        is_success(frame) & in_time,
        counted=mature,
        level=level,
    )
    return _all_ages(table, by)


def order_age_step(requests: ir.Table) -> ir.IntegerValue:
    """Place in ``ORDER_AGES`` of each request, by the time from payment to asking."""
    return by_order_age(requests, range(len(ORDER_AGES)))


def by_order_age(requests: ir.Table, values: Sequence[Any]) -> ir.Value:
    """Return the one of ``values``, which stand for ``ORDER_AGES``, that fits each request."""
    paid_ago = seconds_between(requests.paid_at, requests.requested_at)
    limits = [int(to * HOUR) for _, _, to in ORDER_AGES[1:-1]]
    return ibis.cases(
        (paid_ago.isnull() | (paid_ago < 0), values[0]),
        *((paid_ago < limit, value) for limit, value in zip(limits, values[1:-1], strict=True)),
        else_=values[-1],
    )


_AGES = ["order_age", "age_from_hours", "age_to_hours"]


def _all_ages(table: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Every age for every group, also those in which nobody asked."""
    ages = pd.DataFrame(ORDER_AGES, columns=_AGES)
    ages.insert(0, "age_step_", np.arange(len(ages)))
    groups = table[list(by)].drop_duplicates() if by else pd.DataFrame(index=[0])
    table = groups.merge(ages, how="cross").merge(table, on=[*by, "age_step_"], how="left")
    for column in ("n", "n_events", "n_pending", "n_clusters"):
        table[column] = as_counts(table[column].fillna(0).to_numpy(float))
    table["interval"] = table["interval"].fillna("none: nobody asked")
    return table.drop(columns="age_step_")
