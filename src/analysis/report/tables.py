"""Every measure as files: CSV for a spreadsheet, JSON for a program."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.contract import GroupError, MissingData, replaced_when_complete
from analysis.measures import MEASURES
from analysis.measures.answers import answered
from analysis.sources import Tables

ROWS_AT_A_TIME = 200_000
FORMULA = r"^[=+\-@\t\r]"  # what a spreadsheet takes for the beginning of one


def write_tables(
    tables: Tables,
    out: Path,
    *,
    by: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, str]:
    """Write the table of every measure to ``out`` as ``<measure>.csv`` and ``<measure>.json``.

    Parameters
    ----------
    tables
        Opened dataset.
    out
        Folder; replaced as a whole when everything is written.
    by
        Group columns; a measure that cannot be grouped so is named in the result.
    progress
        Called with (measures done, all measures).

    Returns
    -------
    dict
        Measure that has no file -> why: what it lacks in this data, or why not by these groups.

    Raises
    ------
    MissingData, GroupError
        No measure can be grouped by ``by``; nothing is written.
    """
    absent: dict[str, MissingData | GroupError] = {}
    grouped = {name for name, measure in MEASURES.items() if "by" in signature(measure).parameters}
    one_thread = duckdb.connect(config={"threads": 1})
    with replaced_when_complete(Path(out)) as folder, one_thread as engine:
        for done, (name, measure) in enumerate(MEASURES.items(), 1):
            options: dict[str, Any] = {"by": list(by)} if name in grouped else {}
            try:
                _write(engine, folder / name, answered(measure, tables, **options))
            except (MissingData, GroupError) as lack:
                absent[name] = lack
            _give_back()
            if progress is not None:
                progress(done, len(MEASURES))
        if by and grouped <= set(absent):
            raise _why_none(tables, by, absent.values())
    return {name: str(lack) for name, lack in absent.items()}


def _why_none(
    tables: Tables, by: Sequence[str], lacks: Iterable[MissingData | GroupError]
) -> MissingData | GroupError:
    """Say why no measure can be grouped so: a column that is refused, or that is not there."""
    refused = [lack for lack in lacks if isinstance(lack, GroupError)]
    if refused:
        return refused[0]
    known = {column for frame in tables.frames.values() for column in frame.columns}
    return MissingData(f"the column {', '.join(by)}", needed_by="any measure", known=known)


def _give_back() -> None:
    """Hand freed memory back to the system: glibc keeps what lies between pieces in use."""
    pa.default_memory_pool().release_unused()
    with contextlib.suppress(OSError, TypeError, AttributeError):  # another system's library
        ctypes.CDLL(None).malloc_trim(0)


def _write(engine: duckdb.DuckDBPyConnection, path: Path, table: pd.DataFrame) -> None:
    """Write one table in every format, side by side."""
    with ThreadPoolExecutor(len(FORMATS)) as threads:
        list(threads.map(partial(_write_one, engine, path, table), FORMATS))


def _write_one(
    engine: duckdb.DuckDBPyConnection, path: Path, table: pd.DataFrame, ending: str
) -> None:
    """Write one table; of many sellers DuckDB does so in a tenth of the time of pandas.

    With several threads for one file it would hold all text until it is in order.
    """
    change, moment, options = FORMATS[ending]
    quoted = f"{path}.{ending}".replace("'", "''")
    with engine.cursor() as own:
        own.register("prepared", _stream(table, partial(_changed, change=change, moment=moment)))
        own.sql(f"COPY prepared TO '{quoted}' (FORMAT {ending}, {options})")


def _stream(table: pd.DataFrame, prepared: Callable[[pa.Table], pa.Table]) -> pa.RecordBatchReader:
    """Return the rows prepared a part at a time, so that they are never all there twice."""
    schema = pa.Schema.from_pandas(table, preserve_index=False)
    starts = range(0, max(len(table), 1), ROWS_AT_A_TIME)
    parts = (table.iloc[start : start + ROWS_AT_A_TIME] for start in starts)
    rows = (pa.Table.from_pandas(part, schema, preserve_index=False) for part in parts)
    batches = (batch for one in rows for batch in prepared(one).to_batches())
    return pa.RecordBatchReader.from_batches(prepared(schema.empty_table()).schema, batches)


def _changed(
    rows: pa.Table, change: Callable[[pa.ChunkedArray], pa.ChunkedArray], moment: str
) -> pa.Table:
    """Return the rows with every column changed, and moments (in UTC) written as ``moment``."""
    columns = {}
    for name in rows.column_names:
        column = rows[name]
        if pa.types.is_timestamp(column.type):
            whole = column.cast(pa.timestamp("us", tz=column.type.tz)).cast(
                pa.timestamp("s", "UTC")
            )
            column = pc.strftime(whole, format=moment)
        columns[name] = change(column)
    return pa.table(columns)


def _inert(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text that a spreadsheet would run as a formula, made plain text by a quote before it."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    starts = pc.match_substring_regex(column, FORMULA)
    mark, nothing = pa.scalar("'", column.type), pa.scalar("", column.type)
    quoted = pc.binary_join_element_wise(mark, column, nothing)
    return pc.if_else(starts.fill_null(False), quoted, column)


def _finite(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers that JSON has no word for, made missing."""
    if not pa.types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))


FORMATS = {  # ending -> what changes a column, how moments are written, options of DuckDB
    "csv": (_inert, "%Y-%m-%d %H:%M:%S+00:00", "HEADER"),
    "json": (_finite, "%Y-%m-%dT%H:%M:%S.000Z", "ARRAY true"),
}
