"""What one process has worked out about a dataset, for others that open the same.

The program that makes the report writes joins and the check to a folder of its own; the processes
that it starts find that folder in their environment, and leave their answers there for each other
and for that program. Whoever opens another dataset, or opens one elsewhere, gets nothing from
there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.contract import MissingData
from analysis.sources.checking import check
from analysis.sources.tables import Tables

if TYPE_CHECKING:
    from ibis.backends import BaseBackend

SHARED_FOLDER = "CANCELLATIONS_SHARED"  # environment variable
THREADS = "CANCELLATIONS_THREADS"  # environment variable: of the engine, where several work at once
CHECK = "check"
ANSWERS = "answers"
ROWS_OF_A_GROUP = 30_720  # of shared joins: several threads write one
_WHAT = "what.json"


def share(tables: Tables, dataset: str | Path, folder: Path) -> None:
    """Write the joins and the check of an opened dataset to ``folder``, if DuckDB reads it.

    From then on its answers are shared there too: :func:`shared_answer`.
    """
    if tables.backend.name != "duckdb":
        return
    for name, make in tables.joins.items():  # straight to a file, not into the engine first
        with contextlib.suppress(MissingData):
            parts, place = make(), folder / f"{name}.parquet"
            place.mkdir()
            for i, part in enumerate(parts):
                file = place / f"part-{i}.parquet"
                tables.backend.to_parquet(part, file, row_group_size=ROWS_OF_A_GROUP)
    check(tables).to_pickle(folder / CHECK)
    (folder / ANSWERS).mkdir()
    tables.forget(ANSWERS)
    tables.once(ANSWERS, lambda: folder / ANSWERS)
    what = json.dumps(_what(dataset, tables.as_of))
    (folder / _WHAT).write_text(what, encoding="utf-8")


def with_shared(tables: Tables, dataset: Path) -> Tables:
    """Return an opened dataset with what another process has worked out about it, if any has."""
    folder = Path(os.environ.get(SHARED_FOLDER, ""))
    if tables.backend.name != "duckdb" or SHARED_FOLDER not in os.environ:
        return tables
    if not (folder / _WHAT).exists():
        return tables
    what = json.loads((folder / _WHAT).read_text(encoding="utf-8"))
    if what != _what(dataset, tables.as_of):
        return tables
    if THREADS in os.environ:
        tables.backend.settings["threads"] = int(os.environ[THREADS])
    return replace(tables, _kept=_read(tables.backend, folder))


def shared_answer(tables: Tables, question: str, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Return what any process has answered to ``question``; where none has, ``make`` the answer."""
    folder = tables.once(ANSWERS, lambda: None)
    if folder is None:
        return make()
    path = folder / hashlib.sha256(question.encode("utf-8")).hexdigest()
    if path.exists():
        return pd.read_pickle(path)
    table = make()
    unfinished = path.with_suffix(f".{os.getpid()}")
    table.to_pickle(unfinished)
    unfinished.replace(path)
    return table


def _what(dataset: str | Path, as_of: datetime) -> dict[str, str]:
    return {"dataset": str(Path(dataset).absolute()), "as_of": as_of.isoformat()}


def _read(backend: BaseBackend, folder: Path) -> dict[str, Any]:
    joins = folder.glob("*.parquet")
    kept = {path.stem: backend.read_parquet(path / "*.parquet") for path in joins}
    return kept | {CHECK: pd.read_pickle(folder / CHECK), ANSWERS: folder / ANSWERS}
