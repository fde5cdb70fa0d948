"""Every measure gives the same table on every engine and from every kind of frame."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest
from tests.measures.random_rows import AS_OF, random_market
from tests.measures.specs import CALLS, SPECS

from analysis.measures import (
    MEASURES,
    cancellation_success_rate,
    order_end_shares,
    refund_quantiles,
    seller_scorecard,
    why_not,
)
from analysis.sources import open_tables


def same(found, expected):
    """Equal tables: types, order of rows, integers and text exactly, other numbers to 1e-12."""
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12, atol=1e-12)


KINDS_OF_ROWS = ("numbers", "text and weights")


def each_call(engine, studies=()):
    """Each of a measure's calls on one kind of rows, in turn; from the second on as studies."""
    return [
        pytest.param(
            f"{engine}: {KINDS_OF_ROWS[(place + i) % 2]}",
            name,
            spec.given | options,
            marks=[pytest.mark.study] * (i > 0 or name in studies),
        )
        for place, (name, spec) in enumerate(SPECS.items())
        for i, options in enumerate(spec.calls if len(spec.calls) > 1 else spec.calls * 2)
    ]


@pytest.fixture(scope="module")
def both(request):
    """The same random rows in DuckDB and in another engine."""
    engine, kind = request.param.split(": ")
    options = {"weighted": True, "text_ids": True} if kind != "numbers" else {}
    frames = random_market(4, 200, **options)
    gaps = {name: sum(c.null_count > 0 for c in frame.columns) for name, frame in frames.items()}
    assert (gaps["orders"] >= 10, gaps["requests"], gaps["refunds"]) == (True, 4, 3)
    elsewhere = request.getfixturevalue(f"{engine}_tables")(frames, AS_OF)
    return open_tables(frames, as_of=AS_OF), elsewhere


def same_table(both, name, options):
    in_duckdb, elsewhere = both
    same(MEASURES[name](elsewhere, **options), MEASURES[name](in_duckdb, **options))


def same_cards(both):
    in_duckdb, elsewhere = both
    orders = in_duckdb.requests.order_id.to_pyarrow().to_pylist()
    some = [None, *sorted(set(orders), key=orders.count)[-2:], *orders[:2]]
    nobodys = set(in_duckdb.orders.order_id.to_pyarrow().to_pylist()) - set(orders)
    for order in (*some, min(nobodys)):
        same(why_not(elsewhere, order), why_not(in_duckdb, order))
    for opened in both:
        with pytest.raises(ValueError, match="order_id 'nobody'|got 'nobody'"):
            why_not(opened, "nobody")


ON_SPARK = each_call("spark", studies=["naive_versus_right"])  # it asks what others ask
CARDS_ON_SPARK = [
    pytest.param("spark: numbers", marks=pytest.mark.study),
    "spark: text and weights",
]
IN_POSTGRES = each_call("postgres")
CARDS_IN_POSTGRES = [f"postgres: {kind}" for kind in KINDS_OF_ROWS]


@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.parametrize(("both", "name", "options"), ON_SPARK, indirect=["both"])
def test_duckdb_and_spark_give_the_same_table(both, name, options):
    same_table(both, name, options)


@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.parametrize("both", CARDS_ON_SPARK, indirect=True)
def test_duckdb_and_spark_give_the_same_cards(both):
    same_cards(both)


@pytest.mark.parametrize(("both", "name", "options"), IN_POSTGRES, indirect=["both"])
def test_duckdb_and_postgres_give_the_same_table(both, name, options):
    same_table(both, name, options)


@pytest.mark.parametrize("both", CARDS_IN_POSTGRES, indirect=True)
def test_duckdb_and_postgres_give_the_same_cards(both):
    same_cards(both)


def test_next_to_nothing_is_the_same_elsewhere(opened_elsewhere):
    frames = {name: frame.slice(0, 0) for name, frame in random_market(4, 5).items()}
    elsewhere, in_duckdb = opened_elsewhere(frames, AS_OF), open_tables(frames, as_of=AS_OF)
    for name, measure in MEASURES.items():
        given = SPECS[name].given
        same(measure(elsewhere, **given), measure(in_duckdb, **given))


# kinds of frames: DuckDB


def as_pandas(table):
    return table.to_pandas()


def as_old_pandas(table):
    """Objects, floats for integers with gaps, categories, times by the nanosecond."""
    frame = table.to_pandas(strings_to_categorical=True)
    times = [c for c in frame.columns if isinstance(frame[c].dtype, pd.DatetimeTZDtype)]
    return frame.assign(**{c: frame[c].dt.as_unit("ns") for c in times})


def as_polars(table):
    return polars.from_arrow(table)


def as_elsewhere(table):
    """Arrow, with large text and the clock of another country."""
    kinds = {pa.string(): pa.large_string(), pa.timestamp("ms", tz="UTC"): "here"}
    columns = {}
    for column in table.column_names:
        kind = kinds.get(table[column].type, table[column].type)
        kind = pa.timestamp("us", tz="America/Sao_Paulo") if kind == "here" else kind
        columns[column] = table[column].cast(kind)
    return pa.table(columns)


def in_pieces(table):
    """Arrow, upside down and in pieces of seven rows."""
    upside_down = table.take(pa.array(np.arange(table.num_rows)[::-1]))
    return pa.concat_tables([upside_down.slice(i, 7) for i in range(0, table.num_rows, 7)])


KINDS = (as_pandas, as_old_pandas, as_polars, as_elsewhere, in_pieces)
FEW = [
    (cancellation_success_rate, {"by": ["is_cancellable_goods", "size_tier"]}),
    (refund_quantiles, {"by": ["method"], "clock": "business"}),
    (order_end_shares, {"by": ["opened_at"]}),
    (seller_scorecard, {}),
]


@pytest.fixture(scope="module")
def arrow():
    frames = random_market(5, 80)
    opened = open_tables(frames, as_of=AS_OF)
    return frames, [measure(opened, **options) for measure, options in FEW]


@pytest.mark.parametrize("kind", KINDS)
def test_what_kind_of_frame_the_rows_come_in_changes_nothing(arrow, kind):
    frames, expected = arrow
    opened = open_tables({name: kind(frame) for name, frame in frames.items()}, as_of=AS_OF)
    for (measure, options), table in zip(FEW, expected, strict=True):
        same(measure(opened, **options), table)


@pytest.mark.study
@pytest.mark.parametrize("kind", KINDS)
def test_what_kind_of_frame_changes_no_measure(arrow, kind):
    frames, _ = arrow
    opened = open_tables({name: kind(frame) for name, frame in frames.items()}, as_of=AS_OF)
    from_arrow = open_tables(frames, as_of=AS_OF)
    for name, options in CALLS:
        same(MEASURES[name](opened, **options), MEASURES[name](from_arrow, **options))
    same(why_not(opened), why_not(from_arrow))


def test_a_folder_of_parquet_or_csv_gives_the_same_table(arrow, tmp_path):
    import pyarrow.parquet as pq
    from pyarrow import csv

    frames, expected = arrow
    for kind, write in (("parquet", pq.write_table), ("csv", csv.write_csv)):
        folder = tmp_path / kind
        folder.mkdir()
        for name, frame in frames.items():
            write(frame, folder / f"{name}.{kind}")
        opened = open_tables(folder, as_of=AS_OF)
        for (measure, options), table in zip(FEW, expected, strict=True):
            same(measure(opened, **options), table)


def test_frames_of_the_readers_own_may_lack_what_is_optional():
    orders = pd.DataFrame(
        {
            "order_id": ["a", "b"],
            "buyer_id": [1, 2],
            "placed_at": pd.to_datetime(["2026-01-01", "2026-01-02"]),
            "payment_method": "card",
            "category": "toys",
            "buyer_country": "FR",
            "currency": "EUR",
            "amount_minor": 100,
            "n_items": 1,
        }
    )
    requests = pd.DataFrame(
        {
            "request_id": [1, 2],
            "order_id": ["a", "b"],
            "requested_at": pd.to_datetime(["2026-01-03", "2026-01-04"]),
            "decided_at": pd.to_datetime(["2026-01-03", "2026-01-04"]),
            "requested_by": "buyer",
            "reason": "changed_mind",
            "order_state": "awaiting_shipment",
            "outcome": ["approved_by_seller", "blocked"],
        }
    )
    opened = open_tables({"orders": orders, "requests": requests}, as_of="2026-06-30")
    row = cancellation_success_rate(opened).iloc[0]
    assert (row.estimate, row.n, row.interval) == (0.5, 2, "Wilson")
