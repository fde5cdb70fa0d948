"""Open a dataset: a folder, frames in memory, or an engine where the orders already live."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.contract import (
    MANIFEST,
    REFERENCES,
    REQUIRED_TABLES,
    TABLES,
    ContractError,
    Manifest,
    read_manifest,
)
from analysis.sources.engine import connect, utc
from analysis.sources.entering import arrow_table, engine_table
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
        table name to a pandas, Polars or Arrow frame; or an Ibis backend that has the tables.
    as_of
        When observation ends (a moment without a zone is UTC). A dataset folder knows it;
        everything else must say it.
    backend
        Ibis backend that reads a folder; an embedded DuckDB by default.

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
    frames = {name: source.table(name) for name in source.list_tables() if name in TABLES}
    return _opened(frames, _required(as_of), source)


def _open_frames(frames: Mapping[str, Any], as_of: Moment | None) -> Tables:
    unknown = sorted(set(frames) - set(TABLES))
    if unknown:
        raise ContractError(
            f"there is no table called {', '.join(unknown)}; tables are: {', '.join(TABLES)}"
        )
    backend = connect()
    opened = {}
    for name, frame in frames.items():
        backend.con.register(name, arrow_table(name, frame))
        opened[name] = backend.table(name)
    return _opened(opened, _required(as_of), backend)


def _open_folder(folder: Path, as_of: Moment | None, backend: BaseBackend | None) -> Tables:
    if not folder.is_dir():
        raise ContractError(f"there is no dataset folder {folder}")
    backend = connect() if backend is None else backend
    if not (folder / MANIFEST).exists():
        files = _loose_files(folder)
        frames = {name: _read(backend, name, paths) for name, paths in files.items()}
        return _opened(frames, _required(as_of), backend)
    manifest = read_manifest(folder)
    moment = utc(manifest.as_of)
    if as_of is not None and utc(as_of) != moment:
        raise ValueError(
            f"as_of must be that of the dataset, {moment:%Y-%m-%dT%H:%M:%SZ}, got {as_of}"
        )
    files = _manifest_files(folder, manifest)
    frames = {name: _read(backend, name, paths) for name, paths in files.items()}
    return _opened(frames, moment, backend, manifest)


def _manifest_files(folder: Path, manifest: Manifest) -> dict[str, list[Path]]:
    files: dict[str, list[Path]] = {}
    for part in manifest.parts:
        if part.table not in TABLES:  # the truth beside the data is not for measures
            continue
        path = folder / part.path
        if path.suffix == ".parquet" and _parquet_rows(path) != part.n_rows:
            raise ContractError(f"{path} does not have the {part.n_rows:,} rows of {MANIFEST}")
        files.setdefault(part.table, []).append(path)
    return files


def _parquet_rows(path: Path) -> int:
    try:
        return pq.read_metadata(path).num_rows
    except FileNotFoundError as err:
        raise ContractError(f"{path} is missing: the dataset is not complete") from err
    except (pa.ArrowInvalid, OSError) as err:
        raise ContractError(f"{path} is not a complete Parquet file: {err}") from err


def _loose_files(folder: Path) -> dict[str, list[Path]]:
    files = {}
    for name in TABLES:
        inside = sorted((folder / name).glob("*.parquet")) + sorted((folder / name).glob("*.csv"))
        single = [p for end in (".parquet", ".csv") if (p := folder / f"{name}{end}").exists()]
        if inside or single:
            files[name] = single[:1] or inside
    if not files:
        raise ContractError(
            f"{folder} has neither {MANIFEST} nor files named {', '.join(TABLES)} (.csv, .parquet)"
        )
    return files


def _read(backend: BaseBackend, name: str, paths: list[Path]) -> Any:
    if paths[0].suffix == ".csv":
        return _read_csv(backend, name, paths)
    for path in paths:
        _parquet_rows(path)
    single = str(paths[0]) if backend.name != "duckdb" and len(paths) == 1 else None
    return backend.read_parquet(single or [str(p) for p in paths], table_name=name)


def _read_csv(backend: BaseBackend, name: str, paths: list[Path]) -> Any:
    """Read CSV with the types that the contract says, through Arrow."""
    import pyarrow.csv as pacsv

    kinds = {"money": pa.int64(), "count": pa.int64(), "number": pa.float64(), "flag": pa.bool_()}
    types = {c.name: kinds.get(c.kind, pa.string()) for c in TABLES[name].columns}
    types |= {
        c.name: pa.timestamp("us", tz="UTC") for c in TABLES[name].columns if c.kind == "time"
    }
    ids = [c.name for c in TABLES[name].columns if c.kind == "id"]
    types = {column: kind for column, kind in types.items() if column not in ids}
    options = pacsv.ConvertOptions(
        column_types=types, strings_can_be_null=True, null_values=["", "NULL", "null"]
    )
    try:
        parts = [pacsv.read_csv(path, convert_options=options) for path in paths]
        frame = pa.concat_tables(parts, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError, OSError) as err:
        raise ContractError(f"{paths[0]} does not read as the table {name}: {err}") from err
    backend.con.register(name, arrow_table(name, frame))
    return backend.table(name)


def _opened(
    frames: Mapping[str, Any], as_of: datetime, backend: Any, manifest: Manifest | None = None
) -> Tables:
    missing = [name for name in REQUIRED_TABLES if name not in frames]
    if missing:
        raise ContractError(
            f"the data lacks {', '.join(missing)}; it has: {', '.join(frames) or 'no table'}"
        )
    frames = {name: engine_table(name, frames[name]) for name in TABLES if name in frames}
    _require_same_ids(frames)
    return Tables(as_of=as_of, frames=frames, backend=backend, manifest=manifest)


def _require_same_ids(frames: Mapping[str, Any]) -> None:
    for table, column, target, key in REFERENCES:
        if table not in frames or target not in frames or column not in frames[table].columns:
            continue
        ours, theirs = frames[table][column].type(), frames[target][key].type()
        if ours.is_string() != theirs.is_string():
            raise ContractError(f"{table}.{column} is {ours} but {target}.{key} is {theirs}")


def _required(as_of: Moment | None) -> datetime:
    if as_of is None:
        raise ValueError("as_of is needed: say when observation of this data ends")
    return utc(as_of)
