"""Days, weeks and months, numbered in the engine by whole numbers alone.

No engine's own truncation of times is used: they differ in time zones and in when weeks begin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.sources import seconds_between

if TYPE_CHECKING:
    import ibis.expr.types as ir

PERIODS = ("day", "week", "month")
DAY_SECONDS = 86_400
EPOCH = pd.Timestamp("1970-01-01", tz="UTC")
MONDAY_DAYS = 3  # 1970-01-01 was a Thursday: three days after a Monday
DAYS_TO_MARCH_OF_YEAR_0 = 719_468  # from 0000-03-01 to 1970-01-01
DAYS_IN_400_YEARS = 146_097


def period_number(moment: ir.TimestampValue, period: str) -> ir.IntegerValue:
    """Return the number of the day, week or month (UTC) in which a moment lies.

    Days and weeks are numbered from 1970, months from the year 0.
    """
    days = seconds_between(EPOCH.to_pydatetime(), moment) // DAY_SECONDS
    if period == "month":
        return _month(days)
    whole = days if period == "day" else (days + MONDAY_DAYS) // 7
    return whole.cast("int64")


def _month(days: ir.IntegerValue) -> ir.IntegerValue:
    """Return 12 times the year plus the month from 0, by the rule of the leap years.

    Counted from 1 March, so that the leap day is the last of its year.
    """
    days = days + DAYS_TO_MARCH_OF_YEAR_0
    era = days // DAYS_IN_400_YEARS
    inside = days - era * DAYS_IN_400_YEARS
    year = (inside - inside // 1460 + inside // 36_524 - inside // 146_096) // 365
    since_march = inside - (365 * year + year // 4 - year // 100)
    month = (5 * since_march + 2) // 153
    return ((era * 400 + year) * 12 + month + 2).cast("int64")


def period_start(number: pd.Series, period: str) -> pd.Series:
    """Return when the numbered days, weeks or months begin."""
    number = number.astype("int64")
    if period != "month":
        days = number if period == "day" else number * 7 - MONDAY_DAYS
        found = pd.to_datetime(days * DAY_SECONDS, unit="s", utc=True)
    else:
        parts = {"year": number // 12, "month": number % 12 + 1, "day": 1}
        found = pd.to_datetime(pd.DataFrame(parts, index=number.index), utc=True)
    return found.astype("datetime64[us, UTC]")
