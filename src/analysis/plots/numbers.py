"""Numbers as people read them: the one place where anything is rounded.

Sentences quote these texts and figures print them, so the same number looks the same everywhere.
No share that is not zero reads as 0%, and none that is less than all reads as 100%.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from analysis.contract.currencies import minor_digits
from analysis.plots.labels import plain

if TYPE_CHECKING:
    import pandas as pd

MIN_N = 30  # below this many cases an estimate is shown dimmed and called few
NO_DATA = "no data"
HOUR_SECONDS = 3600
DAY_SECONDS = 86400


def percent(share: float) -> str:
    """Return a share in [0, 1] in percent: whole, with one decimal below 10% and above 99.5%.

    Examples
    --------
    >>> [percent(share) for share in (0.6149, 0.068, 0.0001, 0.0, 0.9996, 1.0)]
    ['61%', '6.8%', 'under 0.1%', '0%', 'over 99.9%', '100%']
    """
    if math.isnan(share):
        return NO_DATA
    if share <= 0 or share >= 1:
        return f"{share * 100:.0f}%"
    if share < 0.0005:
        return "under 0.1%"
    if share >= 0.9995:
        return "over 99.9%"
    return f"{_tenths_at_the_edges(share * 100)}%"


def tenths(share: float) -> str:
    """Return a share in percent with one decimal: whether a promise is kept hangs on tenths.

    Examples
    --------
    >>> tenths(0.9449), tenths(0.05), tenths(float("nan"))
    ('94.5%', '5.0%', '–')
    """
    return "–" if math.isnan(share) else f"{share * 100:.1f}%"


def percent_in_tenths(share: float) -> str:
    """Return a share in percent with one decimal, but for the edges, as :func:`percent` does.

    Examples
    --------
    >>> percent_in_tenths(0.5), percent_in_tenths(0.0001)
    ('50.0%', 'under 0.1%')
    """
    return f"{share * 100:.1f}%" if 0.0005 <= share < 0.9995 else percent(share)


def _tenths_at_the_edges(value: float) -> str:
    tenths = f"{value:.1f}"
    return tenths if float(tenths) < 10 or value >= 99.5 else f"{value:.0f}"


def points(difference: float) -> str:
    """Return the size of a difference of two shares, without its sign.

    Examples
    --------
    >>> points(-0.114), points(0.021), points(0.0001)
    ('11 percentage points', '2.1 percentage points', 'under 0.1 percentage points')
    """
    if math.isnan(difference):
        return NO_DATA
    size = abs(difference) * 100
    if 0 < size < 0.05:
        return "under 0.1 percentage points"
    text = f"{size:.1f}" if float(f"{size:.1f}") < 10 else f"{size:.0f}"
    return f"{text} percentage points"


def signed_points(difference: float) -> str:
    """Return a difference of two shares in percentage points with its sign, and without the unit.

    Examples
    --------
    >>> signed_points(-0.114), signed_points(0.021), signed_points(0.0), signed_points(0.0001)
    ('−11', '+2.1', '0', '0.0')
    """
    if math.isnan(difference):
        return "–"
    size = abs(difference) * 100
    text = f"{size:.1f}" if float(f"{size:.1f}") < 10 else f"{size:.0f}"
    if difference == 0:
        return "0"
    sign = "" if float(text) == 0 else "+" if difference > 0 else "−"
    return f"{sign}{text}"


def days(value: float) -> str:
    """Return a number of days: one decimal below 10, whole numbers as they are.

    Examples
    --------
    >>> days(5.23), days(12.4), days(7.0), days(1.0), days(0.01)
    ('5.2 days', '12 days', '7 days', '1 day', 'under 0.1 days')
    """
    return _duration(value, "day")


def days_or_hours(value: float) -> str:
    """Return a number of days, in hours below one day.

    Examples
    --------
    >>> days_or_hours(5.23), days_or_hours(0.25)
    ('5.2 days', '6 hours')
    """
    return hours(value * 24) if 0 < value < 1 else days(value)


def hours(value: float) -> str:
    """Return a number of hours, in minutes below one hour.

    Examples
    --------
    >>> hours(72), hours(6.25), hours(0.5), hours(1)
    ('72 hours', '6.2 hours', '30 minutes', '1 hour')
    """
    if 0 < value < 1:
        return "under 1 minute" if value < 1 / 60 else _duration(round(value * 60), "minute")
    return _duration(value, "hour")


def _duration(value: float, unit: str) -> str:
    if math.isnan(value):
        return NO_DATA
    if 0 < value < 0.05:
        return f"under 0.1 {unit}s"
    whole = float(value).is_integer() or float(f"{value:.1f}") >= 10
    text = f"{value:,.0f}" if whole else f"{value:.1f}"
    return f"{text} {unit}" if text == "1" else f"{text} {unit}s"


def span(seconds: float) -> str:
    """Return a stretch of time in the unit that a person would use for it.

    Examples
    --------
    >>> [span(s) for s in (40, 35 * 60, 6 * 3600 + 600, 3 * 86400, 3600)]
    ['40 seconds', '35 minutes', '6 hours', '3 days', '60 minutes']
    """
    for size, unit in (
        (DAY_SECONDS, "day"),
        (HOUR_SECONDS, "hour"),
        (60, "minute"),
    ):
        if seconds >= 2 * size:
            return _duration(round(seconds / size), unit)
    return _duration(round(seconds), "second")


def count(n: float) -> str:
    """Return a count with thousands separators; weighted counts are rounded.

    Examples
    --------
    >>> count(1164), count(0), count(23.4), count(0.4)
    ('1,164', '0', '23', '0.4')
    """
    if math.isnan(n):
        return NO_DATA
    whole = float(n).is_integer() or n >= 10
    return f"{n:,.0f}" if whole else f"{n:.1f}"


def amount(minor: float, currency: str) -> str:
    """Return money in its currency: whole units from 100 on, else to the minor unit.

    Examples
    --------
    >>> amount(1234567, "EUR"), amount(995, "EUR"), amount(1234, "JPY"), amount(0, "USD")
    ('12,346 EUR', '9.95 EUR', '1,234 JPY', '0 USD')
    """
    if math.isnan(minor):
        return NO_DATA
    decimals = minor_digits(currency)
    value = minor / 10**decimals
    text = f"{value:,.0f}" if value >= 100 or value == 0 else f"{value:,.{decimals}f}"
    return f"{text} {plain(str(currency))}"


def ratio(value: float) -> str:
    """Return a ratio: two decimals below 2, one below 10, whole above.

    Examples
    --------
    >>> ratio(0.856), ratio(2.123), ratio(33.7), ratio(0.003)
    ('0.86', '2.1', '34', 'under 0.01')
    """
    if math.isnan(value):
        return NO_DATA
    if 0 < value < 0.005:
        return "under 0.01"
    two = f"{value:.2f}"
    return two if float(two) < 2 else count(value)


def moment(when: pd.Timestamp) -> str:
    """Return a moment to the minute, e.g. ``2025-11-03 14:05 UTC``."""
    return f"{when:%Y-%m-%d %H:%M} UTC"


def interval_text(
    estimate: float,
    low: float,
    high: float,
    n: float | None,
    *,
    unit: Callable[[float], str] = percent,
) -> str:
    """Return an estimate with its limits and, unless ``n`` is None, its denominator.

    A limit that is missing on one side (a quantile whose upper limit the data does not reach) is
    said as "at least" or "at most".

    Examples
    --------
    >>> interval_text(0.61, 0.58, 0.64, 1164)
    '61% (58% to 64%, n = 1,164)'
    >>> interval_text(5.2, 5.0, float("nan"), 12, unit=days)
    '5.2 days (at least 5 days, n = 12, few)'
    >>> interval_text(5.2, 4.9, 5.5, None, unit=days)
    '5.2 days (4.9 to 5.5)'

    An interval so narrow that its limits would read the same gets one more decimal:

    >>> interval_text(0.14, 0.1381, 0.1423, None), interval_text(16, 15.6, 16.4, None, unit=days)
    ('14.0% (13.8% to 14.2%)', '16.0 days (15.6 to 16.4)')
    >>> interval_text(0.25, 0.249, 0.2502, None, unit=days_or_hours)
    '6.0 hours (6.0 to 6.0)'
    """
    if low < high and unit(low) == unit(high):
        unit = _FINER.get(unit, unit)
    size = "" if n is None else f"n = {count(n)}" + (", few" if n < MIN_N else "")
    if math.isnan(estimate):
        return f"{NO_DATA} ({size})" if size else NO_DATA
    inside = ", ".join(part for part in (_limits(low, high, unit), size) if part)
    return f"{unit(estimate)} ({inside})" if inside else unit(estimate)


def _in_tenths(unit: str) -> Callable[[float], str]:
    return lambda value: NO_DATA if math.isnan(value) else f"{value:.1f} {unit}"


_FINER = {
    percent: percent_in_tenths,
    days: _in_tenths("days"),
    days_or_hours: lambda value: (
        _in_tenths("hours")(value * 24) if value < 1 else _in_tenths("days")(value)
    ),
    hours: _in_tenths("hours"),
}


def unit_apart(
    unit: Callable[[float], str], value: float, *beside: float
) -> Callable[[float], str]:
    """Return the unit, or its tenths where the value would read like another one beside it.

    Examples
    --------
    >>> unit_apart(percent, 0.575, 0.567, float("nan"))(0.575), unit_apart(percent, 0.5, 0.6)(0.5)
    ('57.5%', '50%')
    """
    is_alike = any(value != one and unit(value) == unit(one) for one in beside)
    return _FINER.get(unit, unit) if is_alike else unit


def _limits(low: float, high: float, unit: Callable[[float], str]) -> str:
    if math.isnan(low) and math.isnan(high):
        return ""
    if math.isnan(high):
        return f"at least {unit(low)}"
    if math.isnan(low):
        return f"at most {unit(high)}"
    first, second = unit(low), unit(high)
    return f"{first} to {second}" if first.endswith("%") else _one_unit(first, second)


def _one_unit(first: str, second: str) -> str:
    """Limits without their unit where both have the same: the estimate before them names it."""
    (low, _, unit), (high, _, other) = first.rpartition(" "), second.rpartition(" ")
    same = unit.rstrip("s") == other.rstrip("s")
    return f"{low} to {high}" if same else f"{first} to {second}"
