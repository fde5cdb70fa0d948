"""Open a dataset: a folder, frames in memory, or an engine where the orders already live."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.contract import (
    MANIFEST,
    REFERENCES,
    REQUIRED_TABLES,
    TABLES,
    ContractError,
    Manifest,
    read_manifest,
)
from analysis.sources.connecting import connect
from analysis.sources.engine import collect, found_table, registered, utc
from analysis.sources.entering import arrow_table, engine_table
from analysis.sources.owners import with_own_columns
from analysis.sources.parts import parquet_rows
from analysis.sources.reading import loose_files, read_table
from analysis.sources.sharing import with_shared
from analysis.sources.spark import MASTER_VARIABLE, spark_backend
from analysis.sources.tables import Tables

if TYPE_CHECKING:
    from ibis.backends import BaseBackend

Moment = datetime | pd.Timestamp | str


def open_tables(
    source: str | Path | Mapping[str, Any] | BaseBackend,
    as_of: Moment | None = None,
    *,
    backend: BaseBackend | None = None,
) -> Tables:
    """Open a dataset for analysis.

    Parameters
    ----------
    source
        A dataset folder; a folder of CSV or Parquet files named like the tables; a dict from
        table name to a pandas, Polars or Arrow frame; or an Ibis backend that has the tables
        (DuckDB, Spark and PostgreSQL are tested).
    as_of
        When observation ends (a moment without a zone is UTC). A dataset folder knows it;
        everything else must say it.
    backend
        Ibis backend that reads a folder. By default an embedded DuckDB, or Spark where the
        environment variable ``CANCELLATIONS_SPARK_MASTER`` names a master.

    Returns
    -------
    Tables
        The opened tables; nothing has been computed yet.

    Raises
    ------
    ContractError
        A table that is needed is not there, a file is broken, or columns are not those of the
        contract.
    ValueError
        ``as_of`` is missing, is no moment, or contradicts the dataset.
    """
    if isinstance(source, str | Path):
        return _open_folder(Path(source), as_of, backend)
    if isinstance(source, Mapping):
        return _open_frames(source, as_of)
    if not hasattr(source, "list_tables"):
        raise ValueError(
            f"source must be a folder, a dict of frames or an Ibis backend, got {type(source)}"
        )
    frames = {n: engine_table(n, t) for n in TABLES if (t := found_table(source, n)) is not None}
    return _opened(frames, _required(as_of), source)


def _open_frames(frames: Mapping[str, Any], as_of: Moment | None) -> Tables:
    unknown = sorted(set(frames) - set(TABLES))
    if unknown:
        raise ContractError(
            f"there is no table called {', '.join(unknown)}; tables are: {', '.join(TABLES)}"
        )
    backend = connect()
    opened = {n: registered(backend, n, arrow_table(n, frame)) for n, frame in frames.items()}
    return _opened(opened, _required(as_of), backend)


def _open_folder(folder: Path, as_of: Moment | None, backend: BaseBackend | None) -> Tables:
    if not folder.is_dir():
        raise ContractError(f"there is no dataset folder {folder}")
    backend = _default_backend() if backend is None else backend
    if not (folder / MANIFEST).exists():
        files = loose_files(folder)
        frames = {name: read_table(backend, name, paths) for name, paths in files.items()}
        return with_shared(_opened(frames, _required(as_of), backend), folder)
    manifest = read_manifest(folder)
    moment = utc(manifest.as_of)
    if as_of is not None and utc(as_of) != moment:
        raise ValueError(
            f"as_of must be that of the dataset, {moment:%Y-%m-%dT%H:%M:%SZ}, got {as_of}"
        )
    files = _manifest_files(folder, manifest)
    frames = {n: read_table(backend, n, paths, is_exact=True) for n, paths in files.items()}
    opened = _opened(frames, moment, backend, manifest)
    return with_shared(replace(opened, folder=folder.absolute()), folder)


def _default_backend() -> BaseBackend:
    master = os.environ.get(MASTER_VARIABLE)
    return spark_backend(master) if master else connect()


def _manifest_files(folder: Path, manifest: Manifest) -> dict[str, list[Path]]:
    files: dict[str, list[Path]] = {}
    for part in manifest.parts:
        if part.table not in TABLES:  # the truth beside the data is not for measures
            continue
        path = folder / part.path
        if path.suffix == ".parquet" and parquet_rows(path) != part.n_rows:
            raise ContractError(f"{path} does not have the {part.n_rows:,} rows of {MANIFEST}")
        files.setdefault(part.table, []).append(path)
    return files


def _opened(
    frames: Mapping[str, Any], as_of: datetime, backend: Any, manifest: Manifest | None = None
) -> Tables:
    missing = [name for name in REQUIRED_TABLES if name not in frames]
    if missing:
        raise ContractError(
            f"the data lacks {', '.join(missing)}; it has: {', '.join(frames) or 'no table'}"
        )
    frames = _with_same_ids({name: frames[name] for name in TABLES if name in frames})
    frames, set_aside = with_own_columns(frames)
    notes = (*(manifest.notes if manifest else ()), *set_aside)
    return Tables(as_of=as_of, frames=frames, backend=backend, manifest=manifest, notes=notes)


def _with_same_ids(frames: Mapping[str, Any]) -> dict[str, Any]:
    """Ids that refer to each other are of one type; a column without any takes the other's."""
    frames = dict(frames)
    for table, column, target, key in REFERENCES:
        if table not in frames or target not in frames or column not in frames[table].columns:
            continue
        ours, theirs = frames[table][column], frames[target][key]
        if ours.type().is_string() == theirs.type().is_string():
            continue
        if _is_empty(ours):
            frames[table] = frames[table].mutate(**{column: ours.cast(theirs.type())})
        elif _is_empty(theirs):
            frames[target] = frames[target].mutate(**{key: theirs.cast(ours.type())})
        else:
            raise ContractError(
                f"{table}.{column} is {ours.type()} but {target}.{key} is {theirs.type()}"
            )
    return frames


def _is_empty(column: Any) -> bool:
    return bool(collect(column.count().name("n_known").as_table()).n_known[0] == 0)


def _required(as_of: Moment | None) -> datetime:
    if as_of is None:
        raise ValueError("as_of is needed: say when observation of this data ends")
    return utc(as_of)
