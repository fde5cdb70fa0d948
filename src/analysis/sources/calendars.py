"""Business days by country: weekends and public holidays, on any engine.

A day counts where the country's banks may book: it is no weekend day of that country in that
year and no national public holiday, or it is a weekend day that is worked instead of another
(China). Weekends and holidays are those of the package ``holidays``. A country that it does not
know, or that is missing, has Monday to Friday without holidays. Days are those of UTC, also where
it is already tomorrow in the country.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.sources.engine import collect, epoch_seconds, registered
from analysis.sources.tables import Tables

if TYPE_CHECKING:
    import ibis.expr.types as ir

DAY_SECONDS = 86_400
NO_COUNTRY = ""  # the calendar of the missing and the unknown: Monday to Friday
MOST_NAMED = 3  # unknown countries that a remark names
KNOWN, UNKNOWN = "weekends and public holidays of the country", "Monday to Friday, no holidays"


def business_calendars(tables: Tables) -> pd.DataFrame:
    """Which calendar each buyer's country has where time runs in local business days.

    Parameters
    ----------
    tables
        Opened dataset; needs ``refunds``, ``requests`` and ``orders``.

    Returns
    -------
    DataFrame
        One row per country that refund legs go to, sorted, a missing one last: ``buyer_country,
        is_known, n_days, n_business_days, calendar``. Days are those from the first decision to
        ``as_of``; ``calendar`` says in words what is used.

    Raises
    ------
    MissingData
        There is no table ``refunds``, or nothing that says when a refund was due.
    """
    first, last = _days(tables)
    rows = []
    for country in [c for c in _countries(tables) if c] + [c for c in _countries(tables) if not c]:
        known = _known(country)
        works = _works(country if known else NO_COUNTRY, first, last)
        words = KNOWN if known else UNKNOWN
        rows.append((country or None, known, len(works), int(works.sum()), words))
    names = ["buyer_country", "is_known", "n_days", "n_business_days", "calendar"]
    return pd.DataFrame(rows, columns=names)


def unknown_calendars(tables: Tables) -> str:
    """Return the remark on countries without a calendar; nothing if all have theirs."""
    lacking = [country or "missing" for country in _countries(tables) if not _known(country)]
    if not lacking:
        return ""
    more = len(lacking) - MOST_NAMED
    named = ", ".join(lacking[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
    return f"Monday to Friday for buyer country {named}"


def refunds_in_local_days(tables: Tables) -> ir.Table:
    """Refund legs with their context and ``local_seconds_``, computed once per opened dataset.

    ``local_seconds_`` are the seconds from ``due_since`` to ``credited_at``, or to ``as_of`` for
    a leg not yet credited, that fall on business days of the buyer's country, in days of UTC.
    """
    name = "refunds_in_local_days"
    if tables.backend.name == "duckdb":
        return tables.in_engine(name, lambda: [_in_local_days(tables)])
    return tables.once(name, lambda: _in_local_days(tables))  # ours cannot be kept joined there


def is_business_day(country: str, day: date) -> bool:
    """Whether banks of a country work on a day; Monday to Friday for a country not known.

    Examples
    --------
    A Friday, a Saturday and a holiday:

    >>> [is_business_day("EG", date(2025, 5, d)) for d in (2, 3, 1)]
    [False, False, False]
    >>> [is_business_day("FR", date(2025, 5, d)) for d in (2, 3, 1)]
    [True, False, False]
    """
    return bool(_works(country if _known(country) else NO_COUNTRY, day, day)[0])


def _in_local_days(tables: Tables) -> ir.Table:
    frame = tables.refunds_with()
    known = [country for country in _countries(tables) if _known(country)]
    country = frame.buyer_country
    frame = frame.mutate(
        calendar_=country.isin(known).fill_null(False).ifelse(country, NO_COUNTRY),
        first_epoch_=epoch_seconds(frame.due_since),
        last_epoch_=epoch_seconds(frame.credited_at.coalesce(tables.as_of)),
    )
    calendar = _calendar(tables, known)
    for moment in ("first", "last"):
        frame = _worked(frame, calendar, moment)
    seconds = (frame.last_worked_ - frame.first_worked_).cast("int64")
    made = ["calendar_"] + [f"{m}_{c}_" for m in ("first", "last") for c in ("epoch", "worked")]
    return frame.mutate(local_seconds_=seconds).drop(*made)


def _worked(frame: ir.Table, calendar: ir.Table, moment: str) -> ir.Table:
    """Add the business seconds of the row's calendar before a moment."""
    epoch = frame[f"{moment}_epoch_"]
    frame = frame.mutate(day_=epoch // DAY_SECONDS)
    joined = frame.left_join(
        calendar, [frame.calendar_ == calendar.country_, frame.day_ == calendar.number_]
    )
    inside = joined[f"{moment}_epoch_"] - joined.day_ * DAY_SECONDS
    worked = (joined.before_ + joined.works_ * inside).cast("int64")
    return joined.mutate(**{f"{moment}_worked_": worked}).drop("day_", *calendar.columns)


def _calendar(tables: Tables, known: list[str]) -> ir.Table:
    """One row per calendar and day: business seconds before it, and 1 if it is one itself."""
    first, last = _days(tables)
    number = np.arange((last - first).days + 1) + (first - date(1970, 1, 1)).days
    parts = []
    for country in [*known, NO_COUNTRY]:
        works = _works(country, first, last).astype(np.int64)
        before = (np.cumsum(works) - works) * DAY_SECONDS
        column = {"country_": [country] * len(works), "number_": number}
        parts.append(pa.table({**column, "before_": before, "works_": works}))
    table = pa.concat_tables(parts)
    in_duckdb = tables.backend.name == "duckdb"
    return registered(tables.backend, "calendar", table) if in_duckdb else ibis.memtable(table)


def _works(country: str, first: date, last: date) -> np.ndarray:
    """Which days from ``first`` to ``last`` are business days."""
    days = pd.date_range(first, last).date
    if country == NO_COUNTRY:
        return np.array([day.weekday() < 5 for day in days])
    import holidays

    own = holidays.country_holidays(country, years=range(first.year, last.year + 1))
    return np.array([own.is_working_day(day) for day in days])


@cache
def _known(country: str) -> bool:
    """Whether a country is an ISO code of two or three letters whose holidays are known."""
    import holidays

    if re.fullmatch("[A-Z]{2,3}", country) is None:
        return False
    try:
        holidays.country_holidays(country)
    except NotImplementedError:
        return False
    return True


def _countries(tables: Tables) -> list[str]:
    return sorted(_seen(tables)["country_"])


def _days(tables: Tables) -> tuple[date, date]:
    """Return the day of the first decision and the day of ``as_of``."""
    last = tables.as_of.date()
    first = _seen(tables)["first_"].min()
    return (last if pd.isna(first) else date(1970, 1, 1) + timedelta(int(first))), last


def _seen(tables: Tables) -> pd.DataFrame:
    """Countries that refund legs go to, and the day of the first decision in each."""

    def found() -> pd.DataFrame:
        frame = tables.refunds_with()
        frame = frame.filter(frame.due_since.notnull()).select(
            country_=frame.buyer_country.coalesce(NO_COUNTRY),
            day_=epoch_seconds(frame.due_since) // DAY_SECONDS,
        )
        return collect(frame.group_by("country_").aggregate(first_=lambda t: t.day_.min()))

    return tables.once("countries_of_refunds", found)
