"""What engines disagree on: whole seconds, business time, rounding up, types that come out."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.measures.random_rows import AS_OF, random_market

from analysis import cancellation_success_rate
from analysis.sources import (
    business_seconds_between,
    collect,
    epoch_seconds,
    open_tables,
    seconds_between,
    whole_units,
)
from analysis.sources.bits import repeated
from analysis.sources.connecting import MEMORY_VARIABLE, connect
from analysis.sources.engine import (
    arrow_batches,
    registered,
    utc,
)

HOUR, DAY = 3600, 86_400


def seconds(frame, **columns):
    """Collect expressions of ``frame`` in the order of its orders."""
    return collect(frame.select("order_id", **columns).order_by("order_id")).drop(
        columns="order_id"
    )


@pytest.mark.spark
def test_durations_are_whole_seconds_and_missing_where_an_end_is(tables):
    orders = tables(
        orders="""
            paid_at             | shipped_at
            2026-03-01 00:00:00 | 2026-03-01 00:00:01
            2026-03-01 00:00:00 | 2026-04-01 12:00:00
            2026-03-01 00:00:00 |
                                | 2026-03-01
            1969-12-31 23:59:59 | 1970-01-01 00:00:01
        """
    ).orders
    found = seconds(
        orders,
        took=seconds_between(orders.paid_at, orders.shipped_at),
        back=seconds_between(orders.shipped_at, orders.paid_at),
        until=seconds_between(orders.paid_at, datetime(2026, 3, 2, tzinfo=UTC)),
        epoch=epoch_seconds(orders.paid_at),
    )
    took = [1, 31 * DAY + 12 * HOUR, None, None, 2]
    assert found.took.astype("Int64").tolist() == [pd.NA if x is None else x for x in took]
    assert found.back.dropna().tolist() == [-1, -31 * DAY - 12 * HOUR, -2]
    assert found.until.dropna().tolist()[:3] == [DAY, DAY, DAY]
    assert found.epoch.dropna().tolist()[-1] == -1
    assert found.took.isna().tolist() == [x is None for x in took]


@pytest.mark.spark
def test_units_are_rounded_up_never_below_0_and_stay_missing(tables):
    orders = tables(
        orders="""
            n_seconds | blank
            0         | 1
            1         | 1
            3600      | 1
            3601      | 1
            -1        | 1
            -3601     | 1
                      | 1
        """
    ).orders
    found = seconds(orders, hours=whole_units(orders.n_seconds, HOUR)).hours
    assert found[:6].tolist() == [0, 1, 1, 2, 0, 0]
    assert found.isna().tolist() == [False] * 6 + [True]


def business_seconds(moment: int) -> int:
    """Business seconds since 1970 by numpy's calendar: whole business days, and the running one."""
    day = np.datetime64(moment // DAY, "D")
    whole = int(np.busday_count("1970-01-01", day)) * DAY
    return whole + (moment % DAY if np.is_busday(day) else 0)


MOMENTS = st.integers(min_value=0, max_value=4_000_000_000)  # 1970 to 2096


def business_table(pairs: list[tuple[int, int]]) -> pa.Table:
    ends = [pa.array(column, pa.timestamp("s", tz="UTC")) for column in zip(*pairs, strict=True)]
    return pa.table({"order_id": range(len(pairs)), "start": ends[0], "end": ends[1]})


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(MOMENTS, MOMENTS), min_size=1, max_size=50))
def test_business_seconds_are_those_of_numpys_calendar(pairs):
    frame = registered(connect(), "pairs", business_table(pairs))
    found = seconds(frame, took=business_seconds_between(frame.start, frame.end)).took
    assert found.tolist() == [
        business_seconds(end) - business_seconds(start) for start, end in pairs
    ]


@pytest.mark.spark
def test_business_seconds_stop_over_the_weekend(tables):
    orders = tables(
        orders="""
            paid_at             | shipped_at
            2026-03-06 18:00:00 | 2026-03-09 06:00:00
            2026-03-07 10:00:00 | 2026-03-08 10:00:00
            2026-03-02 00:00:00 | 2026-03-09 00:00:00
            2026-03-06 23:59:59 | 2026-03-07 00:00:00
            2026-03-09 06:00:00 | 2026-03-06 18:00:00
            2026-03-02          |
        """  # the 6th is a Friday
    ).orders
    found = seconds(orders, took=business_seconds_between(orders.paid_at, orders.shipped_at)).took
    assert found[:5].tolist() == [12 * HOUR, 0, 5 * DAY, 1, -12 * HOUR]
    assert np.isnan(found[5])
    sunday, monday = datetime(2026, 3, 8, 6, tzinfo=UTC), datetime(2026, 3, 9, 6, tzinfo=UTC)
    until = seconds(
        orders,
        sunday=business_seconds_between(orders.paid_at, sunday),
        monday=business_seconds_between(orders.paid_at, monday),
    )
    assert until.iloc[0].tolist() == [6 * HOUR, 12 * HOUR]


@pytest.mark.spark
def test_what_comes_out_has_the_same_types_on_every_engine(tables):
    orders = tables(
        orders="""
            amount_minor | weight | shipped_at | is_cancellable_goods | category
            5            | 0.5    | 2026-03-01 | true                 | toys
            7            |        |            |                      |
        """
    ).orders
    total = collect(orders.aggregate(total=orders.amount_minor.sum(), n=orders.count()))
    assert total.dtypes.astype(str).to_dict() == {"total": "int64", "n": "int64"}
    assert total.iloc[0].tolist() == [12, 2]
    found = seconds(
        orders,
        amount=orders.amount_minor,
        weight=orders.weight,
        shipped=orders.shipped_at,
        flag=orders.is_cancellable_goods,
        word=orders.category,
        small=orders.amount_minor.cast("int8"),
    )
    assert found.dtypes.astype(str).to_dict() == {
        "amount": "int64",
        "weight": "float64",
        "shipped": "datetime64[us, UTC]",
        "flag": "object",
        "word": "str",
        "small": "int64",
    }
    assert found.isna().iloc[1].tolist() == [False, True, True, True, True, False]


def test_decimals_come_out_as_numbers():
    frame = registered(
        connect(),
        "money",
        pa.table(
            {
                "whole": pa.array([Decimal(12)], pa.decimal128(38, 0)),
                "parts": pa.array([Decimal("1.25")], pa.decimal128(10, 2)),
            }
        ),
    )
    found = collect(frame)
    assert (found.whole.dtype, found.parts.dtype) == ("int64", "float64")
    assert found.iloc[0].tolist() == [12, 1.25]


@pytest.mark.parametrize(
    "made",
    [
        lambda t: t,
        lambda t: t.order_by("i"),
        lambda t: t.limit(11),
        lambda t: t.limit(5).union(t.order_by("i").limit(6)),
        lambda t: t.filter(t.i < 6).union(t.filter(t.i > 5)),
        lambda t: t.group_by("i").aggregate(n=t.count()),
    ],
    ids=["plain", "ordered", "limited", "limited parts", "parts", "counted"],
)
def test_a_result_with_too_many_rows_is_refused(made):
    frame = made(registered(connect(), "numbers", pa.table({"i": range(11)})))
    assert len(collect(frame, max_rows=11)) == 11
    with pytest.raises(ValueError, match="more than 10 rows"):
        collect(frame, max_rows=10)


def test_all_rows_come_out_in_batches_and_in_order():
    backend = connect()
    backend.raw_sql("SET preserve_insertion_order = true")
    frame = registered(backend, "numbers", pa.table({"i": np.arange(300_000)}))
    batches = list(arrow_batches(backend, frame.filter(frame.i % 2 == 0)))
    assert len(batches) > 1
    assert pa.Table.from_batches(batches)["i"].to_pylist() == list(range(0, 300_000, 2))


@pytest.mark.spark
def test_rows_come_out_in_batches_from_every_engine(tables):
    opened = tables(requests="request_id\n1\n2\n")
    table = pa.Table.from_batches(arrow_batches(opened.backend, opened.requests))
    assert sorted(table["request_id"].to_pylist()) == [1, 2]


@pytest.mark.parametrize(
    "moment",
    [
        "2026-03-01",
        "2026-03-01T01:00:00.9+01:00",
        pd.Timestamp("2026-03-01"),
        pd.Timestamp("2026-02-28 19:00", tz="America/New_York"),
        datetime(2026, 3, 1),  # noqa: DTZ001 - without a zone on purpose
        np.datetime64("2026-03-01"),
        date(2026, 3, 1),
        "20260301T0000",
    ],
)
def test_a_moment_is_utc_in_whole_seconds(moment):
    assert utc(moment) == datetime(2026, 3, 1, tzinfo=UTC)
    assert utc(moment).utcoffset().total_seconds() == 0


@pytest.mark.parametrize("moment", ["soon", "", None, pd.NaT, float("nan"), [1]])
def test_what_is_no_moment_is_refused_by_name(moment):
    with pytest.raises(ValueError, match="as_of must be a date or time, got"):
        utc(moment)


@pytest.mark.parametrize(
    "moment",
    ["05.06.2026", "05/06/2026", "now", "today", "12:00", "2026", 20260520, 1.5, True],
)
def test_text_that_is_not_iso_8601_and_numbers_are_no_moment(moment):
    words = "as_of must be a date or time, got .*; allowed is such as 2026-03-01 or 2026-03-01T12"
    with pytest.raises(ValueError, match=words):
        utc(moment)


def test_a_moment_without_a_zone_is_not_taken_as_that_of_the_machine(monkeypatch):
    import time

    monkeypatch.setenv("TZ", "America/Sao_Paulo")
    time.tzset()
    try:
        assert epoch_seconds(datetime(1970, 1, 1, 1)) == HOUR  # noqa: DTZ001
    finally:
        monkeypatch.undo()
        time.tzset()


def raw_orders(times: pa.Array) -> pa.Table:
    """Orders as an engine of the reader's may hold them."""
    return pa.table(
        {
            "order_id": range(len(times)),
            "buyer_id": range(len(times)),
            "placed_at": times,
            "payment_method": ["card"] * len(times),
            "category": ["toys"] * len(times),
            "buyer_country": ["FR"] * len(times),
            "currency": ["EUR"] * len(times),
            "amount_minor": [100] * len(times),
            "n_items": [1] * len(times),
        }
    )


REQUESTS = pa.table(
    {
        "request_id": pa.array([], pa.int64()),
        "order_id": pa.array([], pa.int64()),
        "requested_at": pa.array([], pa.timestamp("s", tz="UTC")),
        **{
            column: pa.array([], pa.string())
            for column in ("requested_by", "reason", "order_state", "outcome")
        },
    }
)
FINE = ["2026-03-01T10:00:00.999999", "2026-03-01T10:00:01.000001", "1969-12-31T23:59:58.5", None]
CUT = ["2026-03-01T10:00:00Z", "2026-03-01T10:00:01Z", "1969-12-31T23:59:58Z", None]


@pytest.mark.spark
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_fractions_of_a_second_are_cut_off_in_an_engine_of_the_readers(engine, zone, request):
    stamps = pa.array(pd.to_datetime(FINE), pa.timestamp("us"))
    backend = ENGINES[engine](request, raw_orders(stamps.cast(pa.timestamp("us", tz=zone))))
    orders = open_tables(backend, as_of="2026-06-30").orders
    found = seconds(orders, placed=orders.placed_at, epoch=epoch_seconds(orders.placed_at))
    expected = pd.Series(pd.to_datetime(CUT, utc=True))
    assert found.placed.tolist()[:3] == expected.tolist()[:3]
    assert found.placed.isna().tolist() == [False, False, False, True]
    assert found.epoch.tolist()[:3] == [stamp.timestamp() for stamp in expected[:3]]


@pytest.mark.spark
def test_days_in_an_engine_of_the_readers_begin_in_utc(engine, request):
    days = pa.array([datetime(2026, 3, 1, tzinfo=UTC), None], pa.date32())
    orders = open_tables(ENGINES[engine](request, raw_orders(days)), as_of="2026-06-30").orders
    found = seconds(orders, placed=orders.placed_at).placed
    assert found[0] == pd.Timestamp("2026-03-01", tz="UTC")
    assert found.isna().tolist() == [False, True]


def duckdb_engine(request, orders):
    backend = connect()
    backend.raw_sql("SET TimeZone = 'America/Sao_Paulo'")  # the reader's own setting
    backend.con.register("orders_", orders)
    backend.con.register("requests_", REQUESTS)
    backend.raw_sql("CREATE TABLE orders AS FROM orders_")
    backend.raw_sql("CREATE TABLE requests AS FROM requests_")
    return backend


def spark_engine(request, orders):
    import ibis

    session = request.getfixturevalue("spark").newSession()
    for name, frame in {"orders": orders, "requests": REQUESTS}.items():
        session.createDataFrame(frame).createOrReplaceTempView(name)
    return ibis.pyspark.connect(session)


ENGINES = {"duckdb": duckdb_engine, "spark": spark_engine}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-70, 70), max_size=80))
def test_repeated_numbers_are_counted_by_blocks(numbers):
    backend = connect()
    rows = registered(backend, "rows", pa.table({"key": pa.array(numbers, pa.int64())}))
    found = collect(repeated(rows, ["key"]).aggregate(n=lambda t: t.extra.sum().fill_null(0)))
    assert found.n[0] == len(numbers) - len(set(numbers))


@pytest.mark.spark
def test_repeated_keys_are_counted_whatever_they_are(tables):
    steps = """
        session_id | step
        1          | submit
        1          | submit
        1          | open_order
        2          | submit
        2          | submit
        2          | submit
    """
    opened = tables(steps=steps).frames["steps"]
    assert collect(repeated(opened, ["session_id", "step"])).extra.sum() == 3
    assert collect(repeated(opened, ["session_id"])).extra.sum() == 4
    assert collect(repeated(opened, ["step"])).extra.sum() == 4
    for words in (["submit"], ["submit", "open_order"], ["x", "open_order", "y"]):
        assert collect(repeated(opened, ["session_id", "step"], words)).extra.sum() == 3


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-9, 9) | st.just(2**63 - 1), st.sampled_from("abcdef"))),
    st.integers(0, 6),
)
def test_repeated_numbers_and_words_are_counted_by_blocks(keys, n_words):
    backend = connect()
    columns = {"key": [key for key, _ in keys], "word": [word for _, word in keys]}
    kinds = [("key", pa.int64()), ("word", pa.string())]
    rows = registered(backend, "rows", pa.table(columns, schema=pa.schema(kinds)))
    found = repeated(rows, ["key", "word"], list("abcdef"[:n_words]))
    found = collect(found.aggregate(n=lambda t: t.extra.sum().fill_null(0)))
    assert found.n[0] == len(keys) - len(set(keys))


def test_duckdb_takes_the_memory_that_the_environment_names(monkeypatch):
    asked = "select current_setting('memory_limit'), current_setting('temp_directory')"
    monkeypatch.setenv(MEMORY_VARIABLE, "1000MiB")
    limit, folder = connect().con.sql(asked).fetchall()[0]
    assert limit == "1000.0 MiB" and Path(folder).parent == Path(tempfile.gettempdir())
    for wrong in ("", "lots", "2", "-2GB", "0GB"):
        monkeypatch.setenv(MEMORY_VARIABLE, wrong)
        with pytest.raises(ValueError, match="must be a size such as 2GB"):
            connect()


@pytest.mark.parametrize("chosen", [True, False])
def test_how_the_caller_wants_statements_put_together_stays_as_it_was(chosen, monkeypatch):
    monkeypatch.setattr(ibis.options.sql, "fuse_selects", chosen)
    frame = registered(connect(), "rows", pa.table({"number": [1, 2]}))
    named = frame.mutate(twice=frame.number * 2).filter(lambda t: t.twice > 2)
    assert collect(named)["twice"].tolist() == [4]
    assert ibis.options.sql.fuse_selects is chosen


def test_a_database_that_may_only_be_read_answers_as_any_other(tmp_path):
    frames = random_market(3, 60)
    with duckdb.connect(tmp_path / "market.duckdb") as writable:
        for name, frame in frames.items():
            writable.register("rows", frame)
            writable.execute(f"CREATE TABLE {name} AS FROM rows")
    readable = ibis.duckdb.connect(tmp_path / "market.duckdb", read_only=True)
    found = cancellation_success_rate(open_tables(readable, AS_OF))
    pd.testing.assert_frame_equal(found, cancellation_success_rate(open_tables(frames, AS_OF)))
