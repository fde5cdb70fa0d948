"""Promises: how many refunds come within the longest time quoted for their method.

Unit: one leg of a refund, as in :mod:`analysis.measures.durations`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.contract import REFUND_PROMISES, codes
from analysis.measures.clocks import LOCAL, checked_clock, remarked
from analysis.measures.counting import DAY, HOUR, require_own_columns
from analysis.measures.curves import ended_by_own_time
from analysis.measures.durations import refund_spells
from analysis.measures.spells import Spells
from analysis.sources import Tables
from analysis.sources.tables import as_names

BUSINESS = ("business", LOCAL)
BY_CALENDAR = [method for method, p in REFUND_PROMISES.items() if p.clock == "calendar"]
SLA_COLUMNS = ["method", "sla_days", "clock", "estimate", "ci_low", "ci_high"]
SLA_COLUMNS += ["n", "n_events", "n_censored", "n_late", "n_clusters", "interval"]


def refund_sla(
    tables: Tables, *, by: Sequence[str] = (), clock: str = "business", level: float = 0.95
) -> pd.DataFrame:
    """Share of refund legs credited within the longest time quoted for their method.

    Parameters
    ----------
    tables
        Opened dataset; needs ``refunds``, ``requests`` and ``orders``.
    by
        Further grouping columns of refunds, orders or sellers.
    clock
        What a business day is where a promise is in business days: "business" or
        "business_local", as in :func:`refund_curve`. Other promises are in calendar days.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    DataFrame
        One row per group and method that occurs and has a promise (``REFUND_PROMISES``):
        ``*by, method, sla_days, clock, estimate, ci_low, ci_high, n, n_events, n_censored,
        n_late, n_clusters, interval``. ``n_events`` came in time, ``n_late`` later or are still
        open past the promise, ``n_censored`` open and not yet past it.

    Raises
    ------
    MissingData
        There is no table ``refunds``, or a column in ``by`` is in none of the tables.

    Notes
    -----
    One minus Kaplan-Meier at the promise, limits as in :func:`refund_curve`; a leg open past it
    counts as not in time.
    """
    by = [column for column in as_names(by) if column != "method"]
    require_own_columns(SLA_COLUMNS, by)
    checked_clock(clock, BUSINESS)
    longest = max(promise.days for promise in REFUND_PROMISES.values())
    spells = refund_spells(
        tables, [*by, "method"], horizon_days=longest, clock=clock, calendar=BY_CALENDAR
    )
    rows = _sla_rows(spells, clock, level)
    on_calendar = rows["clock"] == "calendar"
    remark = remarked(rows, tables, clock)["interval"]
    rows = rows.assign(interval=rows["interval"].where(on_calendar, remark))
    place = rows["method"].map({method: i for i, method in enumerate(codes.REFUND_METHODS)})
    rows = rows.assign(_place=place).sort_values([*by, "_place"], kind="stable", ignore_index=True)
    return rows[[*by, *SLA_COLUMNS]]


def _sla_rows(spells: Spells, clock: str, level: float) -> pd.DataFrame:
    """Shares within the promise of each group and method that has one."""
    method = spells.groups.frame["method"]
    days = method.map({m: promise.days for m, promise in REFUND_PROMISES.items()}).to_numpy(float)
    rows = ended_by_own_time(spells, days, units=DAY // HOUR, level=level)
    on = np.where(method.isin(BY_CALENDAR), "calendar", clock)
    rows = rows.assign(
        sla_days=days,
        clock=pd.array(on, dtype="str"),
        n_late=rows["n"] - rows["n_events"] - rows["n_censored"],
    )
    return rows[np.isfinite(days)].astype({"sla_days": "int64"})
