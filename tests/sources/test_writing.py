"""A dataset folder opens as what was written, and only if all of it is there."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.drawn import drawn_frames

from analysis.contract import MANIFEST, TABLES, ContractError, arrow_schema, read_manifest
from analysis.sources import check, check_files, collect, open_tables
from analysis.sources.importers import IMPORTERS, import_tables
from analysis.sources.writing import write_dataset

AS_OF = "2026-06-30"
DRAWN = {
    "requests": """
        requested_at        | outcome            | decided_at
        2026-03-01 10:00:00 | approved_by_seller | 2026-03-02
        2026-03-02 10:00:00 | pending            |
    """,
    "refunds": """
        started_at | credited_at
        2026-03-02 |
    """,
}


@pytest.fixture
def frames() -> dict[str, pa.Table]:
    return drawn_frames(AS_OF, DRAWN)


@pytest.fixture
def written(frames, tmp_path) -> Path:
    """A dataset folder."""
    write_dataset(tmp_path / "out", frames, as_of=AS_OF, source="drawn", notes=["made for a test"])
    return tmp_path / "out"


def rows(opened, name: str) -> pd.DataFrame:
    frame = collect(opened.frames[name])
    return frame.sort_values(list(TABLES[name].key)).reset_index(drop=True)


@pytest.mark.spark
def test_what_is_read_is_what_was_written(tables, frames, written):
    backend = tables(**DRAWN).backend
    opened = open_tables(written, backend=backend)
    before = open_tables(frames, AS_OF)
    for name in frames:
        pd.testing.assert_frame_equal(rows(opened, name), rows(before, name))
    assert check(opened).n_broken.sum() == 0
    assert opened.as_of == before.as_of


def test_the_manifest_says_what_was_written(written):
    manifest = read_manifest(written)
    assert open_tables(written).manifest == manifest
    assert manifest.as_of == "2026-06-30T00:00:00Z"
    assert manifest.n_rows == {"sellers": 2, "orders": 2, "requests": 2, "refunds": 1}
    assert (manifest.source, manifest.notes, manifest.synthetic) == (
        "drawn",
        ("made for a test",),
        False,
    )
    assert check_files(written).empty


def test_the_same_frames_are_the_same_bytes(frames, written, tmp_path):
    again = write_dataset(tmp_path / "again", frames, as_of=AS_OF, source="elsewhere")
    assert again.digest == read_manifest(written).digest
    assert again.parts == read_manifest(written).parts


def test_many_rows_are_written_in_order_and_all_of_them(tmp_path):
    n = 300_000  # several batches
    frames = drawn_frames(AS_OF, {"orders": "order_id\n1", "requests": "request_id"})
    order = frames["orders"].to_pandas()
    orders = pd.DataFrame({c: order[c].repeat(n).to_numpy() for c in order})
    orders["order_id"] = range(n, 0, -1)
    del orders["seller_id"]
    frames = {"orders": orders, "requests": frames["requests"]}
    write_dataset(tmp_path / "out", frames, as_of=AS_OF, source="a test")
    part = pq.read_table(tmp_path / "out" / "orders" / "part-00000.parquet")
    assert part["order_id"].to_pylist() == list(range(n, 0, -1))


def test_files_have_the_contracts_types_and_order_of_columns(written):
    for name in ("sellers", "orders", "requests", "refunds"):
        schema = pq.read_schema(written / name / "part-00000.parquet")
        wanted = arrow_schema(name, leave_out=("weight",))
        assert schema.remove_metadata().equals(wanted), name


def test_text_ids_and_columns_of_the_readers_are_written(frames, tmp_path):
    for name in ("orders", "requests", "refunds"):
        frame = frames[name].to_pandas()
        frame["order_id"] = frame.order_id.map("o{}".format)
        frames[name] = frame
    frames["orders"].insert(0, "campaign", ["spring", None])
    frames["orders"] = frames["orders"].iloc[:, ::-1]
    write_dataset(tmp_path / "out", frames, as_of=AS_OF, source="a test")
    schema = pq.read_schema(tmp_path / "out" / "orders" / "part-00000.parquet")
    assert schema.field("order_id").type == pa.string()
    assert schema.field("seller_id").type == pa.int64()
    ours = [name for name in TABLES["orders"].names if name != "weight"]
    assert schema.names == [*ours, "campaign"]
    found = rows(open_tables(tmp_path / "out"), "orders")
    assert found.order_id.tolist() == ["o1", "o2"]
    assert found.campaign.fillna("").tolist() == ["spring", ""]


def test_frames_that_break_the_contract_are_not_written(frames, written):
    digest = read_manifest(written).digest
    frames["refunds"] = frames["refunds"].to_pandas().assign(amount_minor=-1)
    with pytest.raises(ContractError, match="amount_minor is at least 0: 1 rows"):
        write_dataset(written, frames, as_of=AS_OF, source="drawn")
    assert read_manifest(written).digest == digest
    assert [path.name for path in written.parent.iterdir()] == ["out"]


def test_numbers_too_large_to_store_are_one_clear_error(frames, tmp_path):
    frames["orders"] = frames["orders"].to_pandas().assign(n_items=2**40)
    with pytest.raises(ContractError, match="orders cannot be written: .*1099511627776"):
        write_dataset(tmp_path / "out", frames, as_of=AS_OF, source="drawn")
    assert list(tmp_path.iterdir()) == []


# ---- folders that are not what their manifest says


def test_a_part_that_is_missing_or_another_one_is_found(written):
    part = written / "orders" / "part-00000.parquet"
    pq.write_table(pq.read_table(part).slice(0, 1), part)
    assert check_files(written).to_numpy().tolist() == [
        ["orders/part-00000.parquet", "not the file that was written"]
    ]
    with pytest.raises(ContractError, match="does not have the 2 rows of dataset.json"):
        open_tables(written)
    part.write_bytes(part.read_bytes()[:-20])
    with pytest.raises(ContractError, match="part-00000.parquet is not a complete Parquet file"):
        open_tables(written)
    part.unlink()
    assert check_files(written).problem.tolist() == ["missing"]
    with pytest.raises(ContractError, match="part-00000.parquet is missing"):
        open_tables(written)


def test_a_folder_whose_manifest_was_not_written_does_not_open_as_a_dataset(written):
    (written / MANIFEST).unlink()
    with pytest.raises(ValueError, match="as_of is needed"):
        open_tables(written)


def test_as_of_is_that_of_the_dataset(written):
    assert open_tables(written, "2026-06-30 02:00+02:00").as_of == open_tables(written).as_of
    with pytest.raises(ValueError, match="as_of must be that of the dataset, 2026-06-30T00:00:00Z"):
        open_tables(written, "2026-07-01")


def test_the_truth_beside_the_data_is_not_opened(written):
    content = json.loads((written / MANIFEST).read_text())
    truth = dict(content["parts"][0], table="truth_requests", path="truth/requests.parquet")
    content["parts"].append(truth)
    (written / MANIFEST).write_text(json.dumps(content))
    assert set(open_tables(written).frames) == {"sellers", "orders", "requests", "refunds"}


# ---- the importer of the contract's own columns


def csv_folder(folder: Path, frames: dict[str, pa.Table]) -> Path:
    folder.mkdir()
    for name, table in frames.items():
        table.to_pandas().to_csv(folder / f"{name}.csv", index=False)
    return folder


def test_csv_files_become_the_dataset_that_the_frames_are(frames, written, tmp_path):
    manifest = import_tables(csv_folder(tmp_path / "mine", frames), tmp_path / "ours", AS_OF)
    assert manifest.digest == read_manifest(written).digest
    assert manifest.source == "files in the folder mine"
    assert manifest.made_with == {"importer": "tables"}
    assert rows(open_tables(tmp_path / "ours"), "requests").equals(
        rows(open_tables(written), "requests")
    )
    assert IMPORTERS["tables"] is import_tables


def test_an_import_says_what_is_wrong_and_writes_nothing(frames, written, tmp_path):
    folder = csv_folder(tmp_path / "mine", frames)
    with pytest.raises(ValueError, match="as_of is needed"):
        import_tables(folder, tmp_path / "ours")
    with pytest.raises(ContractError, match="decided_at is not after as_of: 1 rows"):
        import_tables(folder, tmp_path / "ours", "2026-03-01 12:00")
    with pytest.raises(ValueError, match="is a dataset already"):
        import_tables(written, tmp_path / "ours", AS_OF)
    with pytest.raises(ValueError, match="files that this program did not write"):
        import_tables(folder, folder, AS_OF)
    assert not (tmp_path / "ours").exists()
    assert (folder / "orders.csv").exists()
