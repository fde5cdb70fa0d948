"""Opening: what the reader has becomes the contract's tables, or one clear error."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.drawn import drawn_frames

from analysis.contract import ContractError, MissingData
from analysis.sources import check, collect, open_tables, require_valid
from analysis.sources.connecting import connect

AS_OF = "2026-06-30"
DRAWN = {
    "requests": """
        requested_at        | outcome            | decided_at
        2026-03-01 10:00:00 | approved_by_seller | 2026-03-02
        2026-03-02 10:00:00 | rejected_by_seller | 2026-03-03
        2026-03-03 10:00:00 | pending            |
    """,
    "refunds": """
        started_at | credited_at
        2026-03-02 | 2026-03-05
        2026-03-03 |
    """,
}


@pytest.fixture
def arrow() -> dict[str, pa.Table]:
    """Valid tables: three orders with a request each, two refunds, three sellers."""
    return drawn_frames(AS_OF, DRAWN)


@pytest.fixture
def frames(arrow) -> dict[str, pd.DataFrame]:
    """The same as a reader's pandas frames."""
    return {name: table.to_pandas() for name, table in arrow.items()}


def contents(opened) -> dict[str, list]:
    """Every row of every table, to compare two ways of opening the same data."""
    found = {}
    for name, frame in opened.frames.items():
        rows = collect(frame).astype(object)
        rows = rows.where(rows.notna(), None).sort_values(rows.columns[0])
        found[name] = [rows.columns.tolist(), *rows.to_numpy().tolist()]
    return found


@pytest.fixture
def expected(arrow) -> dict[str, list]:
    return contents(open_tables(arrow, AS_OF))


# ---- the same data, however it comes


def test_pandas_polars_and_arrow_are_the_same_data(arrow, frames, expected):
    assert contents(open_tables(frames, AS_OF)) == expected
    assert contents(open_tables({n: pl.from_arrow(t) for n, t in arrow.items()}, AS_OF)) == expected


def test_pandas_odds_and_ends_are_the_same_data(frames, expected):
    requests, refunds = frames["requests"], frames["refunds"]
    requests["outcome"] = requests.outcome.astype("category")
    requests["requested_at"] = requests.requested_at.dt.tz_convert("Asia/Kolkata")
    requests["decided_at"] = requests.decided_at.dt.tz_localize(None)  # naive is UTC
    requests.index = [10, 20, 30]
    refunds["amount_minor"] = refunds.amount_minor.astype("float64")
    refunds["n_failures"] = refunds.n_failures.astype("Int8")
    frames["orders"]["seller_id"] = frames["orders"].seller_id.astype("float64")
    opened = contents(open_tables(frames, AS_OF))
    opened["requests"] = [row[:-1] for row in opened["requests"]]  # the index came along
    assert opened == expected


def test_nan_is_a_missing_value_in_arrow_too(arrow):
    orders, nan = arrow["orders"], pa.array([1.0, float("nan"), 3.0])
    place = orders.column_names.index("seller_id")
    arrow["orders"] = orders.set_column(place, "seller_id", nan).append_column("weight", nan)
    found = collect(open_tables(arrow, AS_OF).orders.order_by("order_id"))
    assert found.seller_id.isna().tolist() == [False, True, False]
    sums = open_tables(arrow, AS_OF).orders.weight.sum()
    assert collect(sums.name("total").as_table()).total[0] == 4  # a NaN would make it NaN


def test_polars_categories_and_enums_are_words(arrow, expected):
    polars = {name: pl.from_arrow(table) for name, table in arrow.items()}
    words = pl.Enum(["approved_by_seller", "rejected_by_seller", "pending"])
    polars["requests"] = polars["requests"].with_columns(
        pl.col("outcome").cast(words), pl.col("reason").cast(pl.Categorical)
    )
    assert contents(open_tables(polars, AS_OF)) == expected


def test_a_duckdb_engine_of_the_readers_is_the_same_data(arrow, expected):
    backend = connect()
    for name, table in arrow.items():
        backend.con.register(f"{name}_", table)
        backend.raw_sql(f"CREATE TABLE {name} AS FROM {name}_")
    backend.raw_sql("CREATE TABLE customers AS SELECT 1 AS customer_id")
    backend.raw_sql("CREATE TYPE answer AS ENUM (SELECT DISTINCT outcome FROM requests)")
    backend.raw_sql("ALTER TABLE requests ALTER outcome TYPE answer")
    opened = open_tables(backend, AS_OF)
    assert contents(opened) == expected
    assert check(opened).n_broken.sum() == 0


def test_a_folder_opened_in_an_engine_of_the_readers_leaves_its_tables_alone(arrow, tmp_path):
    backend = connect()
    backend.raw_sql("CREATE TABLE orders AS SELECT 'mine' AS owner")
    for name, table in arrow.items():
        pq.write_table(table, tmp_path / f"{name}.parquet")
    opened = open_tables(tmp_path, AS_OF, backend=backend)
    assert len(collect(opened.requests_with_context)) == 3
    assert collect(backend.table("orders")).owner.tolist() == ["mine"]


def write_csv(folder: Path, frames: dict[str, pd.DataFrame]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


def test_csv_files_are_the_same_data(frames, expected, tmp_path):
    assert contents(open_tables(write_csv(tmp_path, frames), AS_OF)) == expected


@pytest.mark.parametrize("end", [".csv", ".parquet"])
def test_parts_in_sub_folders_are_the_same_data(arrow, expected, tmp_path, end):
    for name, table in arrow.items():
        (tmp_path / name).mkdir()
        for i, part in enumerate([table[:1], table[1:]]):
            path = tmp_path / name / f"part {i} [{name}]{end}"
            part.to_pandas().to_csv(path, index=False) if end == ".csv" else pq.write_table(
                part, path
            )
    assert contents(open_tables(tmp_path, AS_OF)) == expected


def test_csv_times_may_name_their_zone_or_not(frames, tmp_path, expected):
    times = ["2026-03-01T11:00:00+01:00", "2026-03-02 10:00:00.700", "2026-03-03T10:00Z"]
    frames["requests"]["requested_at"] = times
    assert contents(open_tables(write_csv(tmp_path, frames), AS_OF)) == expected


def test_csv_ids_with_leading_zeros_stay_text(frames, tmp_path):
    for name in ("orders", "requests", "refunds"):
        frames[name]["order_id"] = frames[name].order_id.map("{:03d}".format)
    opened = open_tables(write_csv(tmp_path, frames), AS_OF)
    assert collect(opened.orders).order_id.sort_values().tolist() == ["001", "002", "003"]
    assert check(opened).n_broken.sum() == 0


def test_namibia_is_a_country_and_an_empty_cell_is_missing(frames, tmp_path):
    frames["orders"]["buyer_country"] = "NA"
    opened = open_tables(write_csv(tmp_path, frames), AS_OF)
    assert set(collect(opened.orders).buyer_country) == {"NA"}
    assert collect(opened.orders).shipped_at.isna().all()


@pytest.mark.spark
def test_a_folder_of_files_opens_on_every_engine(tables, arrow, expected, tmp_path):
    backend = tables(**DRAWN).backend
    for name, table in arrow.items():
        if name == "refunds":
            table.to_pandas().to_csv(tmp_path / "refunds.csv", index=False)
            continue
        (tmp_path / name).mkdir()
        for i, part in enumerate([table[:1], table[1:]]):
            pq.write_table(part, tmp_path / name / f"{i}.parquet")
    assert contents(open_tables(tmp_path, AS_OF, backend=backend)) == expected


def test_columns_that_the_contract_does_not_know_are_kept_for_grouping(frames):
    frames["orders"]["campaign"] = ["spring", "spring", None]
    opened = open_tables(frames, AS_OF)
    assert collect(opened.requests_with_context).campaign.tolist().count("spring") == 2


def test_the_readers_frames_are_not_changed(frames):
    before = {name: frame.copy(deep=True) for name, frame in frames.items()}
    opened = open_tables(frames, AS_OF)
    check(opened)
    for name, frame in frames.items():
        pd.testing.assert_frame_equal(frame, before[name])


# ---- ids


def test_ids_may_be_text(frames):
    for name, column in [
        ("orders", "order_id"),
        ("requests", "order_id"),
        ("refunds", "order_id"),
        ("orders", "seller_id"),
        ("sellers", "seller_id"),
    ]:
        frames[name][column] = frames[name][column].map("id-{}".format)
    opened = open_tables(frames, AS_OF)
    assert check(opened).n_broken.sum() == 0
    assert set(collect(opened.requests_with_context).seller_id) == {"id-1", "id-2", "id-3"}


def test_text_ids_that_refer_to_whole_numbers_are_refused(frames):
    frames["requests"]["order_id"] = frames["requests"].order_id.astype(str)
    with pytest.raises(ContractError, match="requests.order_id is string but orders.order_id is"):
        open_tables(frames, AS_OF)


def test_an_id_column_without_any_id_fits_every_type(frames):
    frames["requests"]["request_id"] = frames["requests"].request_id.map("r{}".format)
    for nothing in ([None, None], [np.nan, np.nan]):
        frames["refunds"]["request_id"] = nothing
        opened = open_tables(frames, AS_OF)
        assert collect(opened.refunds_with_context).due_since.isna().sum() == 1  # order 2 not ended
        assert check(opened).n_broken.sum() == 0
    frames["requests"] = frames["requests"][:0].astype(object)
    frames["refunds"]["request_id"] = ["r1", "r2"]
    broken = check(open_tables(frames, AS_OF)).query("n_broken > 0")
    assert broken.rule.tolist() == ["request_id is found in requests"]


# ---- sizes


@pytest.mark.spark
def test_no_rows_one_row_and_all_pending_are_tables_like_others(tables):
    none = tables(orders="order_id", requests="request_id", refunds="refund_id")
    assert check(none).n_rows.sum() == 0
    assert len(collect(none.requests_with_context)) == len(collect(none.refunds_with_context)) == 0
    one = tables(requests="outcome\napproved_by_seller")
    assert len(collect(one.requests_with_context)) == 1
    pending = tables(requests="outcome\npending\npending")
    assert check(pending).n_broken.sum() == 0
    assert collect(pending.requests_with_context).decided_at.isna().all()


def test_pandas_frames_without_rows_have_no_types_and_open_all_the_same(frames):
    empty = {name: pd.DataFrame(columns=frame.columns) for name, frame in frames.items()}
    opened = open_tables(empty, AS_OF)
    assert check(opened).n_broken.sum() == 0
    assert collect(opened.requests_with_context).empty


# ---- what is wrong is said


def broken_frames(frames, table, column, values):
    return frames | {table: frames[table].assign(**{column: values})}


@pytest.mark.parametrize(
    ("table", "column", "values", "message"),
    [
        ("requests", "requested_at", ["2026-03-01"] * 3, "must be a time, is .*pandas.to_datetime"),
        ("requests", "requested_at", [1, 2, 3], "requests.requested_at must be a time, is int64"),
        ("refunds", "amount_minor", [12.5, 3.0], "refunds.amount_minor must be a whole minor unit"),
        ("refunds", "amount_minor", ["12", "3"], "must be a whole minor unit.*is text"),
        ("refunds", "amount_minor", [Decimal("1.5"), Decimal("2.0")], "whole minor unit"),
        ("orders", "n_items", [1.5, 1.0, 2.0], "orders.n_items must be a whole number"),
        ("orders", "order_id", [1.5, 2.0, 3.0], "orders.order_id must be a whole number"),
        ("orders", "order_id", [[1], [2], [3]], "orders.order_id must be a whole number"),
        ("requests", "outcome", [1, 2, 3], "requests.outcome must be text, is int64"),
        ("orders", "is_cancellable_goods", ["yes"] * 3, "must be a true or false, is text"),
        ("orders", "weight", ["much"] * 3, "orders.weight must be a number, is text"),
        ("orders", "category", [1, "toys", None], "orders: not a table of plain columns"),
    ],
)
def test_a_column_that_cannot_be_right_is_named(frames, table, column, values, message):
    with pytest.raises(ContractError, match=message):
        open_tables(broken_frames(frames, table, column, values), AS_OF)


def test_times_of_several_zones_in_one_column_are_the_same_moments_in_utc(frames, expected):
    stamps = frames["requests"].requested_at
    zones = ["Europe/Paris", "Asia/Kolkata", "UTC"]
    mixed = [stamp.tz_convert(zone) for stamp, zone in zip(stamps, zones, strict=True)]
    frames["requests"]["requested_at"] = pd.Series(mixed, dtype=object)
    assert contents(open_tables(frames, AS_OF)) == expected


def test_times_with_and_without_a_zone_in_one_column_are_utc_where_they_name_none(frames, expected):
    stamps = frames["requests"].requested_at
    mixed = [stamps[0].tz_localize(None), stamps[1].tz_convert("Asia/Kolkata"), stamps[2]]
    frames["requests"]["requested_at"] = pd.Series(mixed, dtype=object)
    assert contents(open_tables(frames, AS_OF)) == expected


def test_days_are_their_first_moment(frames):
    frames["requests"]["requested_at"] = [datetime.date(2026, 3, day) for day in (1, 2, 3)]
    found = collect(open_tables(frames, AS_OF).requests).requested_at.sort_values()
    assert (
        found.tolist()
        == pd.to_datetime(["2026-03-01", "2026-03-02", "2026-03-03"], utc=True).tolist()
    )


def test_missing_columns_are_all_named(frames):
    del frames["orders"]["currency"], frames["orders"]["n_items"]
    with pytest.raises(ContractError, match="orders lacks currency, n_items; it has: order_id"):
        open_tables(frames, AS_OF)


def test_a_column_twice_is_refused(arrow):
    arrow["orders"] = arrow["orders"].append_column("category", arrow["orders"]["currency"])
    with pytest.raises(ContractError, match="orders has more than one column called category"):
        open_tables(arrow, AS_OF)
    twice = arrow["requests"].to_pandas()
    twice = pd.concat([twice, twice[["outcome"]]], axis=1)
    with pytest.raises(ContractError, match="requests: not a table"):
        open_tables({"requests": twice}, AS_OF)


def test_missing_and_unknown_tables_are_named(frames):
    with pytest.raises(ContractError, match="the data lacks requests; it has: orders"):
        open_tables({"orders": frames["orders"]}, AS_OF)
    with pytest.raises(ContractError, match="no table called order; tables are: sellers, orders"):
        open_tables({"order": frames["orders"]}, AS_OF)
    with pytest.raises(ContractError, match="the data lacks orders, requests; it has: no table"):
        open_tables(connect(), AS_OF)


@pytest.mark.parametrize("frame", [None, 3, "orders.csv", [1, 2]])
def test_what_is_no_frame_is_refused(frames, frame):
    with pytest.raises(ContractError, match="orders: not a table of plain columns"):
        open_tables(frames | {"orders": frame}, AS_OF)


@pytest.mark.parametrize("source", [None, 3, ["orders"]])
def test_what_is_no_source_is_refused(source):
    with pytest.raises(ValueError, match="source must be a folder, a dict of frames or an Ibis"):
        open_tables(source, AS_OF)


def test_as_of_is_needed_and_must_be_a_moment(frames):
    with pytest.raises(ValueError, match="as_of is needed"):
        open_tables(frames)
    with pytest.raises(ValueError, match="as_of must be a date or time, got 'yesterday'"):
        open_tables(frames, "yesterday")


@pytest.mark.parametrize(
    ("column", "sql_type", "message"),
    [
        ("requested_at", "VARCHAR", "requests.requested_at must be a time, is string"),
        ("order_id", "DOUBLE", "requests.order_id must be a whole number or text, is float64"),
        ("outcome", "INTEGER", "requests.outcome must be a text, is int32"),
    ],
)
def test_an_engine_with_a_column_that_cannot_be_right_is_refused(arrow, column, sql_type, message):
    backend = connect()
    for name, table in arrow.items():
        backend.con.register(f"{name}_", table)
        backend.raw_sql(f"CREATE TABLE {name} AS FROM {name}_")
    backend.raw_sql(f"ALTER TABLE requests DROP {column}")
    backend.raw_sql(f"ALTER TABLE requests ADD {column} {sql_type}")
    with pytest.raises(ContractError, match=message):
        open_tables(backend, AS_OF)


def test_folders_that_are_none_or_have_no_tables_are_refused(tmp_path):
    with pytest.raises(ContractError, match="there is no dataset folder"):
        open_tables(tmp_path / "nowhere", AS_OF)
    (tmp_path / "notes.txt").write_text("no table here")
    with pytest.raises(ContractError, match="neither dataset.json nor files named sellers, orders"):
        open_tables(tmp_path, AS_OF)
    with pytest.raises(ContractError, match="there is no dataset folder"):
        open_tables(tmp_path / "notes.txt", AS_OF)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "", "orders.csv does not read as the table orders: Empty CSV file"),
        (lambda text: text.replace(",1000,", ",10.5,"), "does not read as the table orders"),
        (lambda text: text.replace("2026-02-28", "28.2.2026"), "placed_at must be times like"),
        (lambda text: text + "1,2,3\n", "does not read as the table orders"),
        (lambda text: text.replace("currency", "money"), "orders lacks currency"),
        (lambda text: "\xff" + text, "does not read as the table orders"),
        (lambda text: text.replace("toys", "jou\xe9s"), "does not read as the table orders"),
    ],
)
def test_a_csv_file_that_cannot_be_right_is_one_clear_error(frames, tmp_path, change, message):
    path = write_csv(tmp_path, frames) / "orders.csv"
    path.write_bytes(change(path.read_text()).encode("latin-1"))
    with pytest.raises(ContractError, match=message):
        open_tables(tmp_path, AS_OF)


def test_csv_and_parquet_of_one_table_side_by_side_are_refused(arrow, tmp_path):
    for name, table in arrow.items():
        (tmp_path / name).mkdir()
        pq.write_table(table, tmp_path / name / "a.parquet")
    arrow["orders"].to_pandas().to_csv(tmp_path / "orders" / "b.csv", index=False)
    with pytest.raises(ContractError, match="orders has both CSV and Parquet files"):
        open_tables(tmp_path, AS_OF)


@pytest.mark.parametrize("other", ["orders.csv", "orders/0.parquet", "orders/0.csv"])
def test_a_table_in_more_than_one_form_is_refused(arrow, tmp_path, other):
    write_parquet(tmp_path, arrow)
    (tmp_path / other).parent.mkdir(exist_ok=True)
    (tmp_path / other).touch()
    other_form = tmp_path / ("orders" if "/" in other else other)
    words = f"orders must be there in one form only, is in .*orders.parquet and {other_form}"
    with pytest.raises(ContractError, match=words):
        open_tables(tmp_path, AS_OF)


@pytest.mark.parametrize("keep", [0, 4, 200])
def test_a_parquet_file_cut_short_is_refused(arrow, tmp_path, keep):
    for name, table in arrow.items():
        pq.write_table(table, tmp_path / f"{name}.parquet")
    path = tmp_path / "orders.parquet"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ContractError, match="orders.parquet is not a complete Parquet file"):
        open_tables(tmp_path, AS_OF)


def test_rows_that_break_the_contract_are_one_error_with_counts(frames):
    frames["requests"].loc[0, "request_id"] = 2
    frames["requests"].loc[1, "order_id"] = 99
    frames["requests"].loc[1, "decided_at"] = pd.Timestamp("2026-03-01", tz="UTC")
    frames["refunds"].loc[0, "amount_minor"] = -5
    opened = open_tables(frames, AS_OF)
    with pytest.raises(ContractError) as caught:
        require_valid(opened)
    assert caught.value.failures == {
        "requests: decided_at is empty or not before requested_at": 1,
        "requests: request_id is unique": 1,
        "requests: order_id is found in orders": 1,
        "refunds: amount_minor is at least 0": 1,
        # request 1 is called 2 now, so refund 1 has none and refund 2 has two
        "refunds: request_id is found in requests": 1,
        "refunds: order_id is that of the request": 2,
    }
    assert str(caught.value).startswith(
        "requests breaks 3 rules:\n"
        "  decided_at is empty or not before requested_at: 1 rows\n"
        "  request_id is unique: 1 rows\n"
    )
    assert "\nrefunds breaks 3 rules:\n" in str(caught.value)


def test_a_table_or_column_that_a_question_needs_is_named(frames):
    opened = open_tables({n: f for n, f in frames.items() if n != "refunds"}, AS_OF)
    with pytest.raises(
        MissingData, match="^the table refunds is not in this data, needed by x; th"
    ):
        opened.need("refunds", by="x")
    with pytest.raises(MissingData, match=r"^the column orders\.colour is not in this data$"):
        opened.need("orders", "colour")
    assert opened.has("orders", "placed_at")
    assert not opened.has("orders", "colour")
    assert not opened.has("refunds")


# ---- Parquet that other programs wrote


def write_parquet(folder: Path, arrow: dict[str, pa.Table], **parts: list[pa.Table]) -> Path:
    """Write a file a table; of those in ``parts`` a folder of files."""
    for name, table in (arrow | parts).items():
        if isinstance(table, pa.Table):
            pq.write_table(table, folder / f"{name}.parquet")
            continue
        (folder / name).mkdir()
        for i, part in enumerate(table):
            pq.write_table(part, folder / name / f"{i}.parquet")
    return folder


def with_column(table: pa.Table, name: str, values: list | pa.Array) -> pa.Table:
    place = table.column_names.index(name)
    return table.set_column(place, name, pa.array(values))


@pytest.mark.spark
@pytest.mark.parametrize("lacking", [0, 1])
def test_a_column_that_one_part_lacks_is_missing_in_its_rows(tables, arrow, tmp_path, lacking):
    parts = [arrow["orders"][:1], arrow["orders"][1:]]
    parts = [p.append_column("campaign", pa.array(["spring"] * len(p))) for p in parts]
    parts[lacking] = parts[lacking].drop_columns(["paid_at", "campaign"])
    write_parquet(tmp_path, arrow, orders=parts)
    opened = open_tables(tmp_path, AS_OF, backend=tables(**DRAWN).backend)
    orders = collect(opened.orders.order_by("order_id"))
    assert orders.campaign.notna().tolist() == [lacking == 1, lacking == 0, lacking == 0]
    assert orders.paid_at.notna().tolist() == orders.campaign.notna().tolist()
    assert check(opened).n_broken.sum() == 0


def test_parts_may_hold_the_same_values_in_other_types(arrow, expected, tmp_path):
    first, last = arrow["orders"][:1], arrow["orders"][1:]
    first = with_column(first, "seller_id", [1.0])
    first = with_column(first, "n_items", pa.array([1], pa.int16()))
    last = with_column(last, "shipped_at", [None, None])
    last = last.select(last.column_names[::-1])
    write_parquet(tmp_path, arrow, orders=[first, last])
    assert contents(open_tables(tmp_path, AS_OF)) == expected


def test_parts_that_do_not_fit_are_named_with_the_column(arrow, tmp_path):
    first, last = arrow["orders"][:1], arrow["orders"][1:]
    write_parquet(tmp_path, arrow, orders=[first, with_column(last, "order_id", ["a", "b"])])
    words = r"orders.order_id is int64 in .*0\.parquet but string in .*1\.parquet"
    with pytest.raises(ContractError, match=words):
        open_tables(tmp_path, AS_OF)
    pq.write_table(last.drop_columns("n_items"), tmp_path / "orders" / "1.parquet")
    with pytest.raises(ContractError, match=r"1\.parquet: orders lacks n_items"):
        open_tables(tmp_path, AS_OF)


@pytest.mark.spark
def test_a_column_of_missing_values_may_have_no_type(tables, arrow, tmp_path):
    orders = arrow["orders"]
    for column in ("shipped_at", "end_code", "seller_id"):
        orders = with_column(orders, column, pa.nulls(3))
    orders = orders.append_column("weight", pa.nulls(3)).append_column("campaign", pa.nulls(3))
    write_parquet(tmp_path, arrow | {"orders": orders})
    opened = open_tables(tmp_path, AS_OF, backend=tables(**DRAWN).backend)
    kinds = opened.orders.schema()
    assert kinds["shipped_at"].is_timestamp() and kinds["end_code"].is_string()
    assert kinds["weight"].is_floating() and kinds["campaign"].is_string()
    assert collect(opened.orders)[["shipped_at", "weight", "campaign"]].isna().all(axis=None)
    assert check(opened).n_broken.sum() == 0


@pytest.mark.spark
def test_ids_with_gaps_may_be_floats_that_are_whole(tables, arrow, tmp_path):
    orders = with_column(arrow["orders"], "seller_id", [1.0, float("nan"), None])
    write_parquet(tmp_path, arrow | {"orders": orders})
    opened = open_tables(tmp_path, AS_OF, backend=tables(**DRAWN).backend)
    found = collect(opened.orders.order_by("order_id")).seller_id
    assert found.fillna(-1).tolist() == [1, -1, -1]


@pytest.mark.parametrize("wrong", [2.6, float("inf"), 1e30])
def test_floats_that_are_no_whole_ids_are_refused_alike_in_files_and_frames(arrow, tmp_path, wrong):
    arrow["orders"] = with_column(arrow["orders"], "seller_id", [1.0, wrong, float("nan")])
    words = "orders.seller_id must be a whole number, got " + str(wrong).replace("+", r"\+")
    with pytest.raises(ContractError, match=words):
        open_tables(arrow, AS_OF)
    with pytest.raises(ContractError, match=words):
        open_tables(write_parquet(tmp_path, arrow), AS_OF)


def test_columns_that_differ_in_case_only_are_refused(arrow, frames, tmp_path):
    words = "orders has columns that differ in upper and lower case only: order_id, Order_ID"
    twice = arrow["orders"].append_column("Order_ID", arrow["orders"]["order_id"])
    with pytest.raises(ContractError, match=words):
        open_tables(arrow | {"orders": twice}, AS_OF)
    with pytest.raises(ContractError, match=words):
        open_tables(write_parquet(tmp_path, arrow | {"orders": twice}), AS_OF)
    (tmp_path / "orders.parquet").unlink()
    twice.to_pandas().to_csv(tmp_path / "orders.csv", index=False)
    with pytest.raises(ContractError, match=words):
        open_tables(tmp_path, AS_OF)


# ---- CSV that other programs wrote


def test_csv_text_may_have_line_breaks_in_files_of_any_size(frames, tmp_path):
    text = 'first line\nsecond line, with "quotes"\n' * 60_000  # longer than a block that is read
    frames["requests"]["reason_text"] = [text, None, "short"]
    found = collect(open_tables(write_csv(tmp_path, frames), AS_OF).requests.order_by("request_id"))
    assert found.reason_text.fillna("").tolist() == [text, "", "short"]


def test_a_csv_column_of_the_readers_that_turns_out_to_be_text_is_text(frames, tmp_path):
    n = 12_000  # more than are looked at to guess a type
    more = pd.concat([frames["orders"].iloc[:1]] * n, ignore_index=True)
    more = more.assign(order_id=range(n), postcode=["012345"] * (n - 1) + ["SW1A"])
    write_csv(tmp_path, frames | {"orders": more})
    assert collect(open_tables(tmp_path, AS_OF).orders).postcode.nunique() == 2
    (tmp_path / "orders.csv").unlink()
    (tmp_path / "orders").mkdir()
    for i, part in enumerate([more[:2], more[-1:]]):
        part.to_csv(tmp_path / "orders" / f"{i}.csv", index=False)
    found = collect(open_tables(tmp_path, AS_OF).orders).postcode
    assert sorted(found) == ["012345", "012345", "SW1A"]


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("amount_minor", "12,50", "must be a whole minor unit (cents, not euros), got '12,50'"),
        ("n_items", "1.5", "must be a whole number, got '1.5'"),
        ("weight", "1,5", "must be a number, got '1,5'"),
        ("is_cancellable_goods", "yes", "must be a true or false, got 'yes'"),
        ("placed_at", "28.2.2026", "must be times like 2026-03-01T12:00:00Z, got '28.2.2026'"),
        ("placed_at", "now", "must be times like 2026-03-01T12:00:00Z, got 'now'"),
    ],
)
def test_a_csv_cell_that_cannot_be_right_is_named_with_its_file(
    frames, tmp_path, column, cell, message
):
    orders = frames.pop("orders").astype(object)
    write_csv(tmp_path, frames)
    (tmp_path / "orders").mkdir()
    orders[:2].to_csv(tmp_path / "orders" / "0.csv", index=False)
    orders[2:].assign(**{column: cell}).to_csv(tmp_path / "orders" / "1.csv", index=False)
    with pytest.raises(ContractError) as caught:
        open_tables(tmp_path, AS_OF)
    where = f"{tmp_path / 'orders' / '1.csv'} does not read as the table orders"
    assert str(caught.value) == f"{where}: {column} {message}"


@pytest.mark.parametrize(
    ("separator", "encoding"), [(";", "utf-8"), ("\t", "utf-8"), (",", "utf-16"), (";", "utf-16")]
)
def test_a_csv_file_of_other_separators_or_encoding_is_told_what_is_allowed(
    frames, tmp_path, separator, encoding
):
    path = write_csv(tmp_path, frames) / "orders.csv"
    frames["orders"].to_csv(path, index=False, sep=separator, encoding=encoding)
    words = "orders.csv does not read as the table orders: .* separated by commas, in UTF-8"
    with pytest.raises(ContractError, match=words):
        open_tables(tmp_path, AS_OF)


def test_the_csv_part_that_lacks_a_column_or_has_it_twice_is_named(frames, tmp_path):
    orders = frames.pop("orders")
    write_csv(tmp_path, frames)
    (tmp_path / "orders").mkdir()
    orders[:2].to_csv(tmp_path / "orders" / "0.csv", index=False)
    path = tmp_path / "orders" / "1.csv"
    orders[2:].drop(columns="n_items").to_csv(path, index=False)
    with pytest.raises(ContractError, match=r"1\.csv: orders lacks n_items"):
        open_tables(tmp_path, AS_OF)
    pd.concat([orders, orders[["category"]]], axis=1)[2:].to_csv(path, index=False)
    with pytest.raises(ContractError, match=r"1\.csv: orders has more than one column called cat"):
        open_tables(tmp_path, AS_OF)
