"""A dataset folder: Parquet parts, one sub-folder a table, and ``dataset.json`` written last.

``dataset.json`` is the mark of completeness: it lists every part with its rows and sha256, so
a folder without it, or with a part that does not match it, never opens as complete.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from analysis.contract.errors import ContractError
from analysis.contract.tables import CONTRACT_VERSION

MANIFEST = "dataset.json"
_UNFINISHED = ".unfinished-"
_REPLACED = ".replaced-"
_OURS = ".written-by-order-cancellations"  # in every folder that may be replaced as a whole


@dataclass(frozen=True)
class Part:
    """One Parquet file of a table: its path inside the folder, rows and sha256."""

    table: str
    path: str
    n_rows: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """The contents of ``dataset.json``."""

    as_of: str  # ISO 8601, UTC: what lies after it is not in the data
    parts: tuple[Part, ...]
    contract_version: int = CONTRACT_VERSION
    source: str = ""  # what the data is, for people
    synthetic: bool = False
    notes: tuple[str, ...] = ()  # what a reader must know before believing a number
    made_with: dict[str, Any] = field(default_factory=dict)  # seed, world, policy, versions

    @property
    def n_rows(self) -> dict[str, int]:
        """Rows per table."""
        rows: dict[str, int] = {}
        for part in self.parts:
            rows[part.table] = rows.get(part.table, 0) + part.n_rows
        return rows

    @property
    def digest(self) -> str:
        """One sha256 over the parts, naming the data (not when or where it was written)."""
        lines = sorted(f"{part.path} {part.sha256}" for part in self.parts)
        return hashlib.sha256("\n".join([self.as_of, *lines]).encode()).hexdigest()


def describe_part(folder: Path, table: str, path: Path, n_rows: int) -> Part:
    """Return the manifest's line for a file that has just been written."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Part(table, path.relative_to(folder).as_posix(), n_rows, digest)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``dataset.json``; do this last."""
    text = json.dumps(asdict(manifest), indent=1, sort_keys=True) + "\n"
    with (folder / MANIFEST).open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def read_manifest(folder: Path) -> Manifest:
    """Read ``dataset.json``.

    Raises
    ------
    ContractError
        There is none, it cannot be read, or its contract version is another one.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        _require_version(path, content["contract_version"])
        parts = tuple(Part(**part) for part in content.pop("parts"))
        content["notes"] = tuple(content.get("notes", ()))
        return Manifest(parts=parts, **content)
    except FileNotFoundError as err:
        raise ContractError(f"{folder} has no {MANIFEST}: it is not a complete dataset") from err
    except ContractError:
        raise
    except (ValueError, KeyError, TypeError) as err:
        raise ContractError(f"{path} is not a readable manifest: {err!r}") from err


def _require_version(path: Path, version: int) -> None:
    if version != CONTRACT_VERSION:
        raise ContractError(
            f"{path} has contract_version {version}, this program reads {CONTRACT_VERSION}"
        )


@contextmanager
def replaced_when_complete(target: Path) -> Iterator[Path]:
    """Give a fresh folder beside ``target`` that takes its place only when the block succeeds.

    An interrupted run, killed or failing, leaves the old folder or none, never half of one.
    Unfinished folders of processes that no longer run are cleared away. A folder that this
    program did not write, and that is not empty, is never replaced.

    Raises
    ------
    ValueError
        ``target`` is a file, or a folder with somebody else's files in it.
    """
    target = Path(target).absolute()
    _require_replaceable(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    _clear_leftovers(target)
    fresh = target.with_name(f".{target.name}{_UNFINISHED}{os.getpid()}")
    fresh.mkdir()
    (fresh / _OURS).touch()
    try:
        yield fresh
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    _swap(fresh, target)


def _require_replaceable(target: Path) -> None:
    if target.exists() and not target.is_dir():
        raise ValueError(f"{target} is a file; the result is a folder")
    ours = (target / _OURS).exists() or (target / MANIFEST).exists()
    if target.exists() and not ours and any(target.iterdir()):
        raise ValueError(
            f"{target} has files that this program did not write; name a new or empty folder"
        )


def _swap(fresh: Path, target: Path) -> None:
    old = target.with_name(f".{target.name}{_REPLACED}{os.getpid()}")
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _clear_leftovers(target: Path) -> None:
    for mark in (_UNFINISHED, _REPLACED):
        for leftover in target.parent.glob(f".{glob.escape(target.name)}{mark}*"):
            pid = leftover.name.rsplit("-", 1)[1]
            if pid.isdigit() and (int(pid) == os.getpid() or not _is_running(int(pid))):
                shutil.rmtree(leftover, ignore_errors=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
