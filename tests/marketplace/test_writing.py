"""A market is written whole or not at all, and says of itself what it is."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.contract import TABLES, ContractError, arrow_schema, read_manifest
from analysis.marketplace import load_policy, load_world, make_market, write_market, writing
from analysis.sources import check_files, open_tables


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written") / "market"
    write_market(folder, 5_000, seed=3, block_orders=2_000)
    return folder


def test_the_manifest_says_how_it_was_made(folder):
    manifest = read_manifest(folder)
    assert manifest.synthetic and "synthetic" in manifest.notes[0]
    assert manifest.as_of == "2025-12-01T00:00:00Z"
    made_with = manifest.made_with
    assert (made_with["seed"], made_with["n_orders"], made_with["n_sellers"]) == (3, 5_000, 40)
    policy = dataclasses.asdict(load_policy("aliexpress"))
    assert made_with["policy"] == json.loads(json.dumps(policy))
    world = dataclasses.asdict(load_world("aliexpress"))
    assert made_with["world"] == json.loads(json.dumps(world))
    assert made_with["versions"]["pyarrow"] == pa.__version__


def test_what_is_written_is_what_make_market_gives(folder):
    tables = open_tables(folder)
    made = make_market(5_000, seed=3)
    assert set(tables.frames) == set(TABLES)
    for name, table in made.items():
        assert read_manifest(folder).n_rows[name] == table.num_rows
        part = pq.read_schema(next((folder / name).glob("*.parquet")))
        wanted = arrow_schema(name, leave_out=("weight",))
        assert part.equals(wanted) and table.schema.equals(wanted), name


def test_every_part_is_the_file_that_was_described(folder):
    assert check_files(folder).empty
    on_disk = {path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet")}
    listed = {part.path for part in read_manifest(folder).parts}
    assert listed == on_disk | {"truth/estimands.json"}


def test_truth_is_beside_the_tables_and_not_among_them(folder):
    names = {part.table for part in read_manifest(folder).parts} - set(TABLES)
    assert names == {
        f"truth/{n}" for n in ("requests", "refunds", "sellers", "buyers", "estimands")
    }
    buyers = pq.read_table(folder / "truth" / "buyers").column("buyer_id").to_pylist()
    assert sorted(buyers) == list(range(2_000))
    values = json.loads((folder / "truth" / "estimands.json").read_text(encoding="utf-8"))
    assert {"name", "value", "n", "unit", "definition"} <= set(values[0])


def test_parts_have_no_statistics_of_words_and_of_moments_that_may_be_missing(folder):
    group = pq.read_metadata(next((folder / "orders").glob("*.parquet"))).row_group(0)
    columns = [group.column(i) for i in range(group.num_columns)]
    known = {column.path_in_schema for column in columns if column.statistics is not None}
    assert {"order_id", "buyer_id", "seller_id", "placed_at"} <= known
    assert not {"paid_at", "end_code", "payment_method", "currency"} & known


GENERATING = """
import sys
from pathlib import Path
from analysis.marketplace import write_market
write_market(Path(sys.argv[1]), 20)
print("pandas" in sys.modules)
"""


def test_generating_does_not_import_pandas(tmp_path):
    command = [sys.executable, "-c", GENERATING, str(tmp_path / "market")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


def test_this_process_makes_blocks_beside_its_workers(tmp_path, monkeypatch):
    here, write_block = [], writing.write_block

    def noted(plan, folder, index):
        here.append(index)
        return write_block(plan, folder, index)

    monkeypatch.setattr(writing, "write_block", noted)
    manifest = write_market(tmp_path / "m", 3_000, workers=2, block_orders=100)
    assert 0 < len(here) < 30 and 0 not in here  # the first blocks are handed out
    assert sum(part.table == "orders" for part in manifest.parts) == 30


def test_progress_counts_blocks(tmp_path):
    seen = []
    write_market(
        tmp_path / "m", 500, block_orders=200, progress=lambda done, of: seen.append((done, of))
    )
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_a_failure_half_way_leaves_the_old_market(tmp_path, monkeypatch):
    target = tmp_path / "market"
    write_market(target, 300, seed=1)
    old = read_manifest(target)
    write_block = writing.write_block

    def breaks(plan, folder, index):
        if index == 1:
            raise OSError("disk full")
        return write_block(plan, folder, index)

    monkeypatch.setattr(writing, "write_block", breaks)
    with pytest.raises(OSError, match="disk full"):
        write_market(target, 300, seed=2, block_orders=100)
    assert read_manifest(target) == old
    assert [path.name for path in tmp_path.iterdir()] == ["market"]


SCRIPT = """
import sys
from analysis.marketplace import write_market
if __name__ == "__main__":
    report = lambda done, of: print(done, flush=True)
    write_market(sys.argv[1], 4_000_000, workers=3, block_orders=5_000, progress=report)
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks processes up in /proc")
def test_a_killed_run_leaves_nothing_that_opens_and_no_worker(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    command = [sys.executable, str(script), str(tmp_path / "market")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        for line in run.stdout:
            if int(line) >= 2:
                break
        (unfinished,) = tmp_path.glob(".market*")
        workers = workers_of(run.pid)
        run.send_signal(signal.SIGKILL)
    assert len(workers) == 2
    with pytest.raises(ContractError):
        open_tables(tmp_path / "market")
    with pytest.raises(ContractError):
        read_manifest(unfinished)
    for _ in range(100):  # the workers notice that their parent is gone
        if not any(map(is_running, workers)):
            break
        time.sleep(0.1)
    assert not any(map(is_running, workers))
    write_market(tmp_path / "market", 100)
    assert not unfinished.exists()


def workers_of(pid: int) -> list[Path]:
    """Workers that the process ``pid`` has, as folders of /proc."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [p for p in (Path("/proc") / child for child in children) if is_running(p)]


def is_running(process: Path) -> bool:
    with contextlib.suppress(OSError):
        return b"--multiprocessing-fork" in (process / "cmdline").read_bytes()
    return False


@pytest.mark.parametrize("workers", [0, -1])
def test_workers_must_be_at_least_one(tmp_path, workers):
    with pytest.raises(ValueError, match="workers must be at least 1"):
        write_market(tmp_path / "m", 10, workers=workers)
    assert not list(tmp_path.iterdir())
