"""Durations: how long until the money is back, and until the seller answers.

Unit of the refund measures: one leg of a refund, from the decision that caused it (``due_since``:
the request's ``decided_at``, else the order's ``ended_at``) to ``credited_at``. A leg not yet
credited is censored at ``as_of``: it is in every denominator and never counts as quick.
Unit of ``response_curve``: one request that was open to the seller.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.contract import codes
from analysis.measures.clocks import checked_clock, refunds_on, remarked
from analysis.measures.counting import DAY, HOUR, MINUTE, age, positive, requests_of, seen
from analysis.measures.curves import curve_table, mean_table, quantile_table
from analysis.measures.spells import Spells, spell_counts
from analysis.sources import Tables
from analysis.sources.tables import known_columns

QUANTILE_HORIZON_DAYS = 365
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
        "calendar"; "business": Monday to Friday in UTC, without holidays; or "business_local":
        weekends and public holidays of the buyer's country, see :mod:`analysis.measures.clocks`.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    DataFrame
        One row per group and time: ``*by, time_days, estimate, ci_low, ci_high, n_at_risk,
        n_events, n_censored, n, n_clusters, interval``. ``n_events`` and ``n_censored`` are
        cumulative, ``n_at_risk`` is just before the time. Missing beyond a group's last time,
        unless all had ended by then.

    Raises
    ------
    MissingData
        There is no table ``refunds``, or a column in ``by`` is in none of the tables.

    Notes
    -----
    Times are whole hours, rounded up. One minus Kaplan-Meier (1958), its variance the jackknife
    over sellers where they are known (:class:`analysis.stats.Jackknife`), Student limits on the
    log-log scale; Greenwood's (1926) variance where they are not. A leg without seller is a
    cluster of its own. Orders count for their ``weight``. Limits are never narrower than those of
    independent legs, so where sellers hardly differ in speed they hold the truth more often than
    they say: those of this curve, of :func:`refund_mean` and of :func:`refund_quantiles` in 97 to
    98 % of small synthetic markets instead of 95 % (``benchmarks/COVERAGE.md``).
    """
    spells = refund_spells(tables, by, horizon_days=horizon_days, clock=clock)
    table = curve_table(
        spells, "time_days", horizon=horizon_days, step=0.25, units=DAY // HOUR, level=level
    )
    return remarked(table, tables, clock)


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
        n_events, n_censored, n_clusters, interval``. Days; missing if the data does not reach it.

    Raises
    ------
    MissingData
        There is no table ``refunds``, or a column in ``by`` is in none of the tables.
    ValueError
        A probability is not in (0, 1).
    """
    spells = refund_spells(tables, by, horizon_days=QUANTILE_HORIZON_DAYS, clock=clock)
    table = quantile_table(spells, probabilities, units=DAY // HOUR, level=level)
    return remarked(table, tables, clock)


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
        n_censored, n_clusters, interval``. Missing where a group was not observed so long.

    Raises
    ------
    MissingData
        There is no table ``refunds``, or a column in ``by`` is in none of the tables.

    Notes
    -----
    Restricted mean: the area over the curve of :func:`refund_curve` up to the horizon (Irwin
    1949); normal limits, or Student's with the jackknife over sellers where they are known.
    """
    spells = refund_spells(tables, by, horizon_days=horizon_days, clock=clock)
    table = mean_table(spells, horizon=horizon_days, units=DAY // HOUR, level=level)
    return remarked(table, tables, clock)


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
        n_events, n_censored, n, n_clusters, interval``; counts as in :func:`refund_curve`.

    Raises
    ------
    MissingData
        A column in ``by`` is in none of the tables.

    Notes
    -----
    An answer is an approval or a refusal. A request that ended without one (time-out, shipment,
    withdrawal, another end of the order) is censored then, one still open at ``as_of``: the
    curve is about sellers' speed; for what becomes of requests use ``outcome_curve``. One minus
    Kaplan-Meier on whole minutes, limits as in :func:`refund_curve`.
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
    by_seller: bool = True,
    calendar: Sequence[str] = (),
) -> Spells:
    """Count refund legs by time from the decision to the credit, or to ``as_of``.

    With ``last_days``: only legs decided in the last so many days; with ``known``: only legs for
    which that column is not missing; without ``by_seller``: sellers and weights are left out.
    Legs by the methods in ``calendar`` are timed by the calendar, whatever the ``clock``.
    """
    checked_clock(clock)
    tables.need("refunds", "credited_at", by="a refund measure")
    by = known_columns(tables.refunds_with_context, by, needed_by="a refund measure")
    frame = refunds_on(tables, clock, [*by, *([known] if known else [])], calendar=calendar)
    if last_days is not None:
        frame = frame.filter(age(tables, frame.due_since) <= int(last_days * DAY))
    if known is not None:
        frame = frame.filter(frame[known].notnull())
    return spell_counts(
        frame,
        by,
        start=frame.due_since,
        seconds=frame.waited_,
        cause=frame.credited_at.notnull().ifelse(1, 0),
        n_causes=1,
        unit_seconds=unit_seconds,
        horizon_units=round(positive("horizon_days", horizon_days) * DAY / unit_seconds),
        size=tables.size("refunds") if by_seller else None,
    )


def response_spells(
    tables: Tables,
    by: Sequence[str],
    *,
    horizon_hours: float,
    unit_seconds: int,
    known: str | None = None,
    by_seller: bool = True,
) -> Spells:
    """Count buyers' open requests by time to the seller's answer, or to their end without one.

    With ``known``: only requests for which that column is not missing; without ``by_seller``:
    sellers and weights are left out.
    """
    also = [known] if known else []
    frame, by = requests_of(tables, by, "buyer", needed_by="response_curve", columns=also)
    frame = frame.filter(frame.outcome.notin(NOT_OPEN))
    if known is not None:
        frame = frame.filter(frame[known].notnull())
    answered = frame.outcome.isin(codes.SELLER_ANSWERS) & frame.decided_at.notnull()
    return spell_counts(
        frame,
        by,
        start=frame.requested_at,
        seconds=seen(tables, frame.requested_at, frame.decided_at),
        cause=answered.ifelse(1, 0),
        n_causes=1,
        unit_seconds=unit_seconds,
        horizon_units=round(positive("horizon_hours", horizon_hours) * HOUR / unit_seconds),
        size=tables.size("requests") if by_seller else None,
    )
