"""The dataset folder: complete or not there, and its manifest says what it is."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.contract import (
    CONTRACT_VERSION,
    MANIFEST,
    ContractError,
    Manifest,
    Part,
    describe_part,
    read_manifest,
    replaced_when_complete,
    write_manifest,
)

# sha256 of "abc", from FIPS 180-2
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def names(folder: Path) -> list[str]:
    """Names in ``folder`` that a reader sees."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def hidden(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A folder that this program has written before."""
    with replaced_when_complete(tmp_path / "out") as folder:
        (folder / "old").write_text("old")
    return tmp_path / "out"


def test_a_new_folder_appears_when_the_block_ends(tmp_path):
    with replaced_when_complete(tmp_path / "deep" / "out") as folder:
        (folder / "new").write_text("new")
        assert not (tmp_path / "deep" / "out").exists()
        assert folder.parent == tmp_path / "deep"  # beside its target: the renaming is one step
    assert names(tmp_path / "deep" / "out") == ["new"]
    assert hidden(tmp_path / "deep") == []


def test_an_old_folder_is_replaced_as_a_whole(target):
    with replaced_when_complete(target) as folder:
        (folder / "new").write_text("new")
        assert names(target) == ["old"]
    assert names(target) == ["new"]
    assert hidden(target.parent) == []


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_a_block_that_fails_leaves_the_old_folder_and_nothing_else(target, error):
    with pytest.raises(error), replaced_when_complete(target) as folder:
        (folder / "new").write_text("half of it")
        raise error
    assert names(target) == ["old"]
    assert hidden(target.parent) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from analysis.contract import replaced_when_complete
with replaced_when_complete(Path(sys.argv[1])) as folder:
    (folder / "new").write_text("half of it")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_the_old_folder_and_the_next_run_clears_up(target):
    run = subprocess.run([sys.executable, "-c", KILLED, str(target)], check=False)
    assert run.returncode == -signal.SIGKILL
    assert names(target) == ["old"]
    (leftover,) = hidden(target.parent)
    assert leftover.startswith(".out.unfinished-")
    with replaced_when_complete(target) as folder:
        (folder / "new").write_text("new")
        assert not (target.parent / leftover).exists()
    assert names(target) == ["new"]
    assert hidden(target.parent) == []


def test_a_killed_first_run_leaves_no_folder(tmp_path):
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "out")], check=False)
    assert not (tmp_path / "out").exists()


def test_what_another_running_process_writes_is_left_alone(target):
    running = target.with_name(f".out.unfinished-{os.getppid()}")
    somebodys = target.with_name(".out.unfinished-copy")
    other_targets = target.with_name(".outer.unfinished-999999999")
    for folder in (running, somebodys, other_targets):
        folder.mkdir()
    with replaced_when_complete(target):
        pass
    assert hidden(target.parent) == sorted([running.name, somebodys.name, other_targets.name])


def test_files_of_somebody_else_are_never_replaced(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with (
        pytest.raises(ValueError, match="files that this program did not write"),
        replaced_when_complete(tmp_path / "thesis"),
    ):
        pass
    assert names(tmp_path / "thesis") == ["chapter.txt"]
    with (
        pytest.raises(ValueError, match="is a file"),
        replaced_when_complete(tmp_path / "thesis" / "chapter.txt"),
    ):
        pass
    (tmp_path / "empty").mkdir()
    with replaced_when_complete(tmp_path / "empty") as folder:
        (folder / "new").touch()
    assert names(tmp_path / "empty") == ["new"]


MADE = Manifest(
    as_of="2026-03-10T00:00:00Z",
    parts=(
        Part("orders", "orders/part-00000.parquet", 10, "a" * 64),
        Part("orders", "orders/part-00001.parquet", 5, "b" * 64),
        Part("requests", "requests/part-00000.parquet", 2, "c" * 64),
    ),
    source="a test",
    synthetic=True,
    notes=("nothing is real",),
    made_with={"seed": 7},
)


def test_a_manifest_is_read_as_it_was_written(tmp_path):
    write_manifest(tmp_path, MADE)
    assert read_manifest(tmp_path) == MADE
    assert MADE.n_rows == {"orders": 15, "requests": 2}


def test_a_part_is_described_by_its_path_rows_and_sha256(tmp_path):
    path = tmp_path / "orders" / "part-00000.parquet"
    path.parent.mkdir()
    path.write_bytes(b"abc")
    assert describe_part(tmp_path, "orders", path, 3) == Part(
        "orders", "orders/part-00000.parquet", 3, ABC
    )


def test_the_digest_names_the_data_and_not_how_it_came_about():
    changed = dataclasses.replace
    same = [
        changed(MADE, parts=MADE.parts[::-1]),
        changed(MADE, source="elsewhere", notes=(), made_with={}),
    ]
    others = [
        changed(MADE, as_of="2026-03-11T00:00:00Z"),
        changed(MADE, parts=MADE.parts[:-1]),
        changed(MADE, parts=(*MADE.parts[:-1], changed(MADE.parts[-1], sha256="d" * 64))),
    ]
    assert {manifest.digest for manifest in same} == {MADE.digest}
    assert len({manifest.digest for manifest in others} | {MADE.digest}) == 1 + len(others)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"contract_version": CONTRACT_VERSION + 1, "colour": "red"}, "has contract_version 2"),
        ({"colour": "red"}, "not a readable manifest.*colour"),
        ({"parts": [{"table": "orders"}]}, "not a readable manifest"),
        ({"parts": None}, "not a readable manifest"),
        ({"as_of": ...}, "not a readable manifest.*as_of"),
        ({"contract_version": ...}, "not a readable manifest.*contract_version"),
    ],
)
def test_a_manifest_of_another_kind_is_one_clear_error(tmp_path, change, message):
    write_manifest(tmp_path, MADE)
    content = json.loads((tmp_path / MANIFEST).read_text()) | change
    content = {name: value for name, value in content.items() if value is not ...}
    (tmp_path / MANIFEST).write_text(json.dumps(content))
    with pytest.raises(ContractError, match=message):
        read_manifest(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[1]", '"orders"', "\xff\xfe"])
def test_a_manifest_that_is_no_manifest_is_one_clear_error(tmp_path, text):
    (tmp_path / MANIFEST).write_bytes(text.encode("latin-1"))
    with pytest.raises(ContractError, match="not a readable manifest"):
        read_manifest(tmp_path)


def test_a_folder_without_manifest_is_not_a_complete_dataset(tmp_path):
    with pytest.raises(ContractError, match="not a complete dataset"):
        read_manifest(tmp_path)
