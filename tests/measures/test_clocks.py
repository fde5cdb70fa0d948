"""Business days of the buyer's country: weekends, holidays, and what happens without them."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta

import holidays
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.measures.brute import Data
from tests.measures.random_rows import AS_OF, random_market

from analysis.measures import MEASURES, refund_curve, refund_mean, refund_quantiles, refund_sla
from analysis.sources import business_calendars, collect, open_tables
from analysis.sources.calendars import is_business_day, refunds_in_local_days

COUNTRIES = [None, "FR", "US", "EG", "AE", "SA", "IL", "CN", "JP", "BN", "XX", "Atlantis", "KWT"]


def abroad(seed: int, n_orders: int = 150, *, years: int = 0):
    """Random rows whose buyers live in many countries, some years earlier."""
    frames = random_market(seed, n_orders)
    orders = frames["orders"]
    rng = np.random.default_rng(seed)
    countries = pa.array(rng.choice(np.array(COUNTRIES, object), orders.num_rows), pa.string())
    place = orders.column_names.index("buyer_country")
    frames["orders"] = orders.set_column(place, "buyer_country", countries)
    if years:
        frames = {name: earlier(frame, years) for name, frame in frames.items()}
    return frames, AS_OF - pd.Timedelta(days=365 * years)


def earlier(frame, years):
    for i, field in enumerate(frame.schema):
        if pa.types.is_timestamp(field.type):
            moved = frame[field.name].to_pandas() - pd.Timedelta(days=365 * years)
            frame = frame.set_column(i, field.name, pa.array(moved, field.type, from_pandas=True))
    return frame


def seconds_by_day(country, start, end):
    """Seconds of business days, day by day, as people count them on a calendar."""
    try:
        own = holidays.country_holidays(country) if country else None
    except NotImplementedError:
        own = None
    total, begin = 0, start
    while begin < end:
        midnight = begin.replace(hour=0, minute=0, second=0) + timedelta(days=1)
        until = min(midnight, end)
        works = begin.weekday() < 5 if own is None else own.is_working_day(begin.date())
        total += int((until - begin).total_seconds()) * works
        begin = until
    return total


@pytest.mark.parametrize("years", [0, 5])
def test_local_days_are_those_counted_day_by_day(years):
    frames, as_of = abroad(3, years=years)
    opened, data = open_tables(frames, as_of=as_of), Data(frames, as_of)
    found = collect(refunds_in_local_days(opened).select("refund_id", "local_seconds_"))
    found = found.set_index("refund_id").local_seconds_
    legs = [leg for leg in data.refunds() if leg["due_since"] is not None]
    assert len(found) == len(data.refunds()) >= len(legs) > 100
    expected = {
        leg["refund_id"]: seconds_by_day(
            "" if leg["buyer_country"] == "Atlantis" else leg["buyer_country"],
            leg["due_since"],
            leg["credited_at"] or data.as_of,
        )
        for leg in legs
    }
    assert found.dropna().astype(int).to_dict() == expected


WEEKEND = """
    buyer_country
    EG
    FR
    XX
    ""
"""
THURSDAY_TO_MONDAY = """
    order_id | credited_at
    1        | 2026-03-09 12:00
    2        | 2026-03-09 12:00
    3        | 2026-03-09 12:00
    4        | 2026-03-09 12:00
"""
ASKED = """
    order_id | requested_at     | decided_at
    1        | 2026-03-05 12:00 | 2026-03-05 12:00
    2        | 2026-03-05 12:00 | 2026-03-05 12:00
    3        | 2026-03-05 12:00 | 2026-03-05 12:00
    4        | 2026-03-05 12:00 | 2026-03-05 12:00
"""


@pytest.mark.spark
def test_a_weekend_is_that_of_the_country_of_the_buyer(tables):
    opened = tables(orders=WEEKEND, requests=ASKED, refunds=THURSDAY_TO_MONDAY)
    # Thursday noon to Monday noon: half a day, two days of weekend, half a day and a day
    table = refund_mean(opened, by=["buyer_country"], clock="business_local")
    assert table.estimate.tolist() == [2.0, 2.0, 2.0, 2.0]
    sunday = THURSDAY_TO_MONDAY.replace("2026-03-09", "2026-03-08")
    opened = tables(orders=WEEKEND, requests=ASKED, refunds=sunday)
    table = refund_mean(opened, by=["buyer_country"], clock="business_local")
    found = table.set_index("buyer_country").estimate
    # Sunday is a working day in Egypt, part of the weekend in France and where nothing is known
    assert (found["EG"], found["FR"], found["XX"], found[""]) == (1.0, 1.5, 1.5, 1.5)
    saturday = THURSDAY_TO_MONDAY.replace("2026-03-09 12:00", "2026-03-07 00:00")
    opened = tables(orders=WEEKEND, requests=ASKED, refunds=saturday)
    table = refund_mean(opened, by=["buyer_country"], clock="business_local")
    found = table.set_index("buyer_country").estimate
    assert (found["EG"], found["FR"], found["XX"], found[""]) == (0.5, 1.5, 1.5, 1.5)
    assert (refund_mean(opened, by=["buyer_country"], clock="business").estimate == 1.5).all()


def test_a_public_holiday_is_no_business_day(tables):
    orders = "order_id | buyer_country\n1 | US\n2 | FR\n3 |"
    asked = "order_id | decided_at | requested_at\n"
    asked += "".join(f"{i} | 2025-12-24 | 2025-12-24\n" for i in (1, 2, 3))
    refunds = "order_id | credited_at\n1 | 2025-12-27\n2 | 2025-12-27\n3 | 2025-12-27"
    opened = tables(orders=orders, requests=asked, refunds=refunds)
    found = refund_mean(opened, by=["buyer_country"], clock="business_local")
    # Wednesday to Saturday: three weekdays, of which Christmas is one where holidays are known
    assert dict(zip(found.buyer_country, found.estimate, strict=True)) == {"FR": 2.0, "US": 2.0} | {
        found.buyer_country[2]: 3.0
    }
    assert (refund_mean(opened, clock="business").estimate == 3.0).all()


def test_a_country_without_a_calendar_is_said_to_have_none():
    opened = open_tables(abroad(3)[0], as_of=AS_OF)
    for measure in (refund_mean, refund_quantiles, refund_curve):
        words = measure(opened, clock="business_local").interval
        assert words.str.endswith(
            "; Monday to Friday for buyer country missing, Atlantis, XX"
        ).all()
        assert not measure(opened, clock="business").interval.str.contains("Monday").any()
    promised = refund_sla(opened, clock="business_local")
    local = promised.clock == "business_local"
    assert set(promised.clock) == {"calendar", "business_local"}
    assert promised.interval.str.contains("Monday to Friday").equals(local)


def test_the_calendars_that_are_used_are_listed():
    opened = open_tables(abroad(3)[0], as_of=AS_OF)
    table = business_calendars(opened)
    assert set(table.buyer_country.dropna()) == {c for c in COUNTRIES if c}
    assert table.buyer_country.isna().tolist() == [False] * (len(COUNTRIES) - 1) + [True]
    unknown = table[~table.is_known]
    assert unknown.buyer_country.tolist()[:2] == ["Atlantis", "XX"]
    assert set(unknown.calendar) == {"Monday to Friday, no holidays"}
    assert (table.n_days == table.n_days[0]).all()
    weekdays = unknown.n_business_days.iloc[0]
    assert (unknown.n_business_days == weekdays).all()
    french = table.set_index("buyer_country").n_business_days["FR"]
    assert weekdays - 10 < french < weekdays


def test_the_weekend_of_the_emirates_moved_in_2022():
    friday, saturday, sunday = (date(2021, 6, 4) + timedelta(i) for i in range(3))
    assert [is_business_day("AE", d) for d in (friday, saturday, sunday)] == [False, False, True]
    friday, saturday, sunday = (date(2023, 6, 2) + timedelta(i) for i in range(3))
    assert [is_business_day("AE", d) for d in (friday, saturday, sunday)] == [True, False, False]
    for country in ("SA", "EG", "KW", "IL"):
        worked = [is_business_day(country, d) for d in (friday, saturday, sunday)]
        assert worked == [False, False, True], country


def test_a_day_worked_instead_of_another_counts():
    assert is_business_day("CN", date(2025, 1, 26))  # a Sunday, for the Spring Festival
    assert not is_business_day("CN", date(2025, 1, 28))


def test_an_unknown_clock_is_refused(tables):
    opened = tables(refunds="request_id\n1")
    for name in ("refund_curve", "refund_mean", "refund_quantiles"):
        with pytest.raises(ValueError, match="calendar, business, business_local, got 'lunar'"):
            MEASURES[name](opened, clock="lunar")
    with pytest.raises(ValueError, match="business, business_local, got 'calendar'"):
        refund_sla(opened, clock="calendar")


def test_holidays_are_loaded_only_for_the_local_clock():
    code = "import sys, analysis.measures, analysis.sources; print('holidays' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_nobody_and_undated_legs_have_no_days(tables):
    opened = tables(refunds="refund_id\n")
    assert refund_mean(opened, clock="business_local").n.tolist() == [0]
    assert len(business_calendars(opened)) == 0
