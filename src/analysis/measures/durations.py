"""Durations: how long until the money is back, and until the seller answers.

Unit of the refund measures: one leg of a refund, from the decision that caused it (``due_since``:
the request's ``decided_at``, else the order's ``ended_at``) to ``credited_at``. A leg not yet
credited is censored at ``as_of``: it is in every denominator and never counts as quick.
Unit of ``response_curve``: one request that was open to the seller.
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import numpy as np
import pandas as pd

from analysis.contract import REFUND_PROMISES, codes
from analysis.measures.counting import DAY, HOUR, MINUTE, age, positive, requests_of
from analysis.measures.curves import curve_table, ended_by_own_time, mean_table, quantile_table
from analysis.measures.spells import Spells, spell_counts
from analysis.sources import Tables, business_seconds_between, seconds_between
from analysis.sources.tables import known_columns

CLOCKS = ("calendar", "business")
QUANTILE_HORIZON_DAYS = 365
SLA_COLUMNS = ["method", "sla_days", "clock", "estimate", "ci_low", "ci_high"]
SLA_COLUMNS += ["n", "n_events", "n_censored", "n_late", "interval"]
NOT_OPEN = ("blocked", "instant_cancelled")  # outcomes without anything to answer


def refund_curve(
    tables: Tables,
    *,
    by: Sequence[str] = (),
    horizon_days: float = 30,
    clock: str = "calendar",
    level: float = 0.95,
) -> pd.DataFrame:
    """Share of refund legs that are credited by each time after the decision.

    Parameters
    ----------
    tables
        Opened dataset; needs ``refunds``, ``requests`` and ``orders``.
    by
        Grouping columns of refunds, orders or sellers, e.g. ``["method"]``.
    horizon_days
        Length of the curve, in days of ``clock``.
    clock
        "calendar", or "business": Monday to Friday in UTC, without holidays.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    DataFrame
        One row per group and time: ``*by, time_days, estimate, ci_low, ci_high, n_at_risk,
        n_events, n_censored, n, interval``. ``n_events`` and ``n_censored`` are cumulative,
        ``n_at_risk`` is just before the time. Missing beyond a group's last observed time.

    Raises
    ------
    MissingData
        There is no table ``refunds``, or a column in ``by`` is in none of the tables.

    Notes
    -----
    Times are whole hours, rounded up. One minus Kaplan-Meier (1958) with Greenwood's (1926)
    variance, limits on the log-log scale; legs of one seller are taken as independent here.
    """
    spells = refund_spells(tables, by, horizon_days=horizon_days, clock=clock)
    return curve_table(
        spells, "time_days", horizon=horizon_days, step=0.25, units=DAY // HOUR, level=level
    )


def refund_quantiles(
    tables: Tables,
    *,
    by: Sequence[str] = (),
    probabilities: Sequence[float] = (0.5, 0.9, 0.95),
    clock: str = "calendar",
    level: float = 0.95,
) -> pd.DataFrame:
    """By which day the stated share of refund legs is credited.

    Parameters
    ----------
    tables, by, clock, level
        As in :func:`refund_curve`.
    probabilities
        Shares of legs, each in (0, 1); 0.5 asks for the median.

    Returns
    -------
    DataFrame
        One row per group and probability: ``*by, probability, estimate, ci_low, ci_high, n,
        n_events, n_censored, interval``. Days; missing means that the data does not reach it.

    Raises
    ------
    MissingData
        There is no table ``refunds``, or a column in ``by`` is in none of the tables.
    ValueError
        A probability is not in (0, 1).
    """
    spells = refund_spells(tables, by, horizon_days=QUANTILE_HORIZON_DAYS, clock=clock)
    return quantile_table(spells, probabilities, units=DAY // HOUR, level=level)


def refund_mean(
    tables: Tables,
    *,
    by: Sequence[str] = (),
    horizon_days: float = 30,
    clock: str = "calendar",
    level: float = 0.95,
) -> pd.DataFrame:
    """Mean days until a refund leg is credited, counting at most ``horizon_days`` of each.

    Parameters
    ----------
    tables, by, horizon_days, clock, level
        As in :func:`refund_curve`.

    Returns
    -------
    DataFrame
        One row per group: ``*by, horizon_days, estimate, ci_low, ci_high, n, n_events,
        n_censored, interval``. Missing where a group was not observed up to the horizon.

    Raises
    ------
    MissingData
        There is no table ``refunds``, or a column in ``by`` is in none of the tables.

    Notes
    -----
    Restricted mean: the area over the curve of :func:`refund_curve` up to the horizon (Irwin
    1949), normal limits.
    """
    spells = refund_spells(tables, by, horizon_days=horizon_days, clock=clock)
    return mean_table(spells, horizon=horizon_days, units=DAY // HOUR, level=level)


def refund_sla(tables: Tables, *, by: Sequence[str] = (), level: float = 0.95) -> pd.DataFrame:
    """Share of refund legs credited within the longest time quoted for their method.

    Parameters
    ----------
    tables
        Opened dataset; needs ``refunds``, ``requests`` and ``orders``.
    by
        Further grouping columns of refunds, orders or sellers.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    DataFrame
        One row per group and method that occurs and has a promise (``REFUND_PROMISES``):
        ``*by, method, sla_days, clock, estimate, ci_low, ci_high, n, n_events, n_censored,
        n_late, interval``. ``n_events`` were credited in time, ``n_late`` credited later or
        still open past the promise, ``n_censored`` open and not yet past it.

    Raises
    ------
    MissingData
        There is no table ``refunds``, or a column in ``by`` is in none of the tables.

    Notes
    -----
    One minus Kaplan-Meier at the promise; a leg open past it counts as not in time.
    """
    by = dict.fromkeys([by] if isinstance(by, str) else by)
    by = [column for column in by if column != "method"]
    parts = [_sla_rows(tables, by, clock, level) for clock in CLOCKS]
    table = pd.concat(parts, ignore_index=True)
    order = {method: i for i, method in enumerate(codes.REFUND_METHODS)}
    table["_order"] = table["method"].map(order)
    table = table.sort_values([*by, "_order"], kind="stable", ignore_index=True)
    return table.drop(columns="_order")


def response_curve(
    tables: Tables,
    *,
    by: Sequence[str] = (),
    horizon_hours: float = 96,
    level: float = 0.95,
) -> pd.DataFrame:
    """Share of buyers' open requests that the seller has answered by each hour.

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

    Returns
    -------
    DataFrame
        One row per group and time: ``*by, time_hours, estimate, ci_low, ci_high, n_at_risk,
        n_events, n_censored, n, interval``; counts as in :func:`refund_curve`.

    Raises
    ------
    MissingData
        A column in ``by`` is in none of the tables.

    Notes
    -----
    An answer is an approval or a refusal. A request that ended without one (time-out, shipment,
    withdrawal, another end of the order) is censored then, one still open at ``as_of``: the
    curve is about sellers' speed; for what becomes of requests use ``outcome_curve``. One minus
    Kaplan-Meier on whole minutes, log-log limits.
    """
    spells = response_spells(tables, by, horizon_hours=horizon_hours, unit_seconds=MINUTE)
    return curve_table(
        spells, "time_hours", horizon=horizon_hours, step=1, units=HOUR // MINUTE, level=level
    )


def refund_spells(
    tables: Tables,
    by: Sequence[str],
    *,
    horizon_days: float,
    clock: str,
    unit_seconds: int = HOUR,
    last_days: float | None = None,
    known: str | None = None,
) -> Spells:
    """Count refund legs by time from the decision to the credit, or to ``as_of``.

    With ``last_days``: only legs decided in the last so many days; with ``known``: only legs for
    which that column is not missing.
    """
    if clock not in CLOCKS:
        raise ValueError(f"clock must be one of {', '.join(CLOCKS)}, got {clock!r}")
    tables.need("refunds", "credited_at", by="a refund measure")
    frame = tables.refunds_with_context
    by = known_columns(frame, by, needed_by="a refund measure")
    if last_days is not None:
        frame = frame.filter(age(tables, frame.due_since) <= int(last_days * DAY))
    if known is not None:
        frame = frame.filter(frame[known].notnull())
    between = seconds_between if clock == "calendar" else business_seconds_between
    return spell_counts(
        frame,
        by,
        start=frame.due_since,
        ended=between(frame.due_since, frame.credited_at),
        cause=ibis.literal(1),
        n_causes=1,
        age=between(frame.due_since, tables.as_of),
        unit_seconds=unit_seconds,
        horizon_units=round(positive("horizon_days", horizon_days) * DAY / unit_seconds),
    )


def response_spells(
    tables: Tables,
    by: Sequence[str],
    *,
    horizon_hours: float,
    unit_seconds: int,
    known: str | None = None,
) -> Spells:
    """Count buyers' open requests by time to the seller's answer, or to their end without one.

    With ``known``: only requests for which that column is not missing.
    """
    frame, by = requests_of(tables, by, "buyer", needed_by="response_curve")
    frame = frame.filter(frame.outcome.notin(NOT_OPEN))
    if known is not None:
        frame = frame.filter(frame[known].notnull())
    return spell_counts(
        frame,
        by,
        start=frame.requested_at,
        ended=seconds_between(frame.requested_at, frame.decided_at),
        cause=frame.outcome.isin(codes.SELLER_ANSWERS).ifelse(1, 0),
        n_causes=1,
        age=age(tables, frame.requested_at),
        unit_seconds=unit_seconds,
        horizon_units=round(positive("horizon_hours", horizon_hours) * HOUR / unit_seconds),
    )


def _sla_rows(tables: Tables, by: Sequence[str], clock: str, level: float) -> pd.DataFrame:
    """Rows of :func:`refund_sla` for the methods whose promise runs on ``clock``."""
    promises = {m: p.days for m, p in REFUND_PROMISES.items() if p.clock == clock}
    longest = max(promises.values())
    spells = refund_spells(tables, [*by, "method"], horizon_days=longest, clock=clock)
    days = spells.groups.frame["method"].map(promises).to_numpy(float)
    rows = ended_by_own_time(spells, days, units=DAY // HOUR, level=level)
    rows = rows.drop(columns="n_at_risk")
    rows["n_late"] = rows["n"] - rows["n_events"] - rows["n_censored"]
    rows = rows.assign(sla_days=days, clock=clock)[np.isfinite(days)]
    return rows[[*by, *SLA_COLUMNS]].astype({"sla_days": "int64"})
