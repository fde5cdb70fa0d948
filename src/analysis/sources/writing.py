"""How a dataset folder is written: checked first, one Parquet part a table, manifest last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.contract import (
    TABLES,
    ContractError,
    Manifest,
    Part,
    arrow_schema,
    describe_part,
    replaced_when_complete,
    write_manifest,
)
from analysis.sources.checking import require_valid
from analysis.sources.engine import arrow_batches
from analysis.sources.opening import open_tables
from analysis.sources.tables import Tables

if TYPE_CHECKING:
    import ibis.expr.types as ir


def write_dataset(
    out: str | Path,
    frames: Mapping[str, Any],
    *,
    as_of: datetime | pd.Timestamp | str,
    source: str,
    notes: Iterable[str] = (),
    synthetic: bool = False,
    made_with: Mapping[str, Any] | None = None,
) -> Manifest:
    """Check frames against the contract and write them as a dataset folder.

    Parameters
    ----------
    out
        Folder that is made, or replaced once the new one is complete.
    frames
        Table name to pandas, Polars or Arrow frame.
    as_of
        When observation ends; a moment without a zone is UTC.
    source
        What the data is and under which licence, for people.
    notes
        Sentences that a reader must know before believing a number.
    synthetic
        Whether the data was made up.
    made_with
        What made it, e.g. ``{"importer": "olist"}``.

    Returns
    -------
    Manifest
        What was written.

    Raises
    ------
    ContractError
        The frames break the contract; nothing is written.
    """
    tables = open_tables(frames, as_of)
    about = {"source": source, "notes": tuple(notes), "synthetic": synthetic}
    return write_tables(out, tables, made_with=dict(made_with or {}), **about)


def write_tables(out: str | Path, tables: Tables, **about: Any) -> Manifest:
    """Check opened tables and write them as a dataset folder, part by part in little memory.

    ``about`` fills the manifest: ``source, notes, synthetic, made_with``.

    Raises
    ------
    ContractError
        The tables break the contract; nothing is written.
    """
    require_valid(tables)
    if tables.backend.name == "duckdb":  # the same rows in the same order: the same bytes
        tables.backend.raw_sql("SET preserve_insertion_order = true")
    with replaced_when_complete(Path(out)) as folder:
        parts = tuple(_write_part(folder, tables, name) for name in tables.frames)
        manifest = Manifest(as_of=f"{tables.as_of:%Y-%m-%dT%H:%M:%SZ}", parts=parts, **about)
        write_manifest(folder, manifest)
    return manifest


def _write_part(folder: Path, tables: Tables, name: str) -> Part:
    frame = _in_order(name, tables.frames[name])
    schema = _schema(name, frame)
    path = folder / name / "part-00000.parquet"
    path.parent.mkdir()
    n_rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in arrow_batches(tables.backend, frame):
            try:
                writer.write_table(pa.table(batch).cast(schema))
            except pa.ArrowInvalid as err:
                raise ContractError(f"{name} cannot be written: {err}") from err
            n_rows += batch.num_rows
    return describe_part(folder, name, path, n_rows)


def _in_order(name: str, frame: ir.Table) -> ir.Table:
    """Columns as the contract lists them, then the reader's own."""
    ours = [column for column in TABLES[name].names if column in frame.columns]
    return frame.select(*ours, *(column for column in frame.columns if column not in ours))


def _schema(name: str, frame: ir.Table) -> pa.Schema:
    """Return the contract's types for the columns of ``frame``; its ids stay what they are."""
    ours = arrow_schema(name)
    ids = {column.name for column in TABLES[name].columns if column.kind == "id"}
    fields = []
    for field in frame.schema().to_pyarrow():
        wanted = ours.field(field.name) if field.name in ours.names else field
        fields.append(wanted.with_type(field.type) if field.name in ids else wanted)
    return pa.schema(fields)
