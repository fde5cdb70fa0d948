"""The clocks that durations are measured on: calendar days, or two kinds of business days.

- ``calendar``: every second counts.
- ``business``: Monday to Friday in UTC, without holidays.
- ``business_local``: business days of the buyer's country, whose bank books the credit: its
  weekend, and its public holidays, in days of UTC. A country that is not known or missing has
  Monday to Friday, and ``interval`` says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from analysis.measures.counting import seen
from analysis.sources import Tables, business_seconds_between, seconds_between
from analysis.sources.calendars import refunds_in_local_days, unknown_calendars

if TYPE_CHECKING:
    import ibis.expr.types as ir

LOCAL = "business_local"
CLOCKS = ("calendar", "business", LOCAL)


def checked_clock(clock: str, allowed: tuple[str, ...] = CLOCKS) -> str:
    """Return ``clock`` if it is one of the clocks.

    Raises
    ------
    ValueError
        It is not.
    """
    if clock not in allowed:
        raise ValueError(f"clock must be one of {', '.join(allowed)}, got {clock!r}")
    return clock


def refunds_on(
    tables: Tables, clock: str, columns: Sequence[str], *, calendar: Sequence[str] = ()
) -> ir.Table:
    """Refund legs with ``waited_`` and ``columns`` of their orders and sellers.

    ``waited_`` are the seconds from due to credited, or to ``as_of``: on ``clock``, of the methods
    in ``calendar`` on that of the calendar.
    """
    if checked_clock(clock) == LOCAL:
        frame = tables.joined(refunds_in_local_days(tables), columns)
        waited = frame.local_seconds_
    else:
        frame = tables.refunds_with(columns)
        between = seconds_between if clock == "calendar" else business_seconds_between
        waited = seen(tables, frame.due_since, frame.credited_at, between)
    if calendar:
        by_calendar = seen(tables, frame.due_since, frame.credited_at)
        waited = frame.method.isin(calendar).ifelse(by_calendar, waited)
    return frame.mutate(waited_=waited).drop(*({"local_seconds_"} & set(frame.columns)))


def remarked(table: pd.DataFrame, tables: Tables, clock: str) -> pd.DataFrame:
    """Return the table with a remark in ``interval`` if a buyer's country has no calendar."""
    remark = unknown_calendars(tables) if clock == LOCAL else ""
    return table.assign(interval=table["interval"] + f"; {remark}") if remark else table
