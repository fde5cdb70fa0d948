"""How Parquet files become one table: files that have other columns or types fit, or are named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import ibis
import ibis.expr.datatypes as dt
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.contract import TABLES, ContractError
from analysis.sources.entering import empty_type, engine_table, require_columns

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends import BaseBackend

_COMMON = (
    (dt.DataType.is_integer, dt.int64),
    (dt.DataType.is_numeric, dt.float64),
    (dt.DataType.is_timestamp, dt.Timestamp("UTC")),
)  # the first that both types of a column are, and what then holds both


def parquet_table(
    backend: BaseBackend, name: str, paths: list[Path], *, is_exact: bool = False
) -> ir.Table:
    """Return Parquet files as one table of the contract's types.

    A column that a file does not have is missing in its rows.

    Raises
    ------
    ContractError
        A file is missing, cut short, or has columns that are not those of the contract or of the
        other files.
    """
    parts = [
        _part(backend, name, files, schema, is_exact=is_exact)
        for schema, files in _by_schema(paths)
    ]
    return parts[0].table if len(parts) == 1 else _united(name, parts)


def parquet_rows(path: Path) -> int:
    """Return the number of rows of a Parquet file, from its foot.

    Raises
    ------
    ContractError
        The file is missing or not a whole Parquet file.
    """
    return _foot(path).num_rows


def _foot(path: Path) -> pq.FileMetaData:
    try:
        return pq.read_metadata(path)
    except FileNotFoundError as err:
        raise ContractError(f"{path} is missing: the dataset is not complete") from err
    except (pa.ArrowInvalid, OSError) as err:
        raise ContractError(f"{path} is not a complete Parquet file: {err}") from err


def _by_schema(paths: list[Path]) -> list[tuple[pa.Schema, list[Path]]]:
    """Files that have the same columns of the same types together; mostly that is all of them."""
    groups: list[tuple[pq.ParquetSchema, list[Path]]] = []
    for path in paths:
        schema = _foot(path).schema
        files = next((files for known, files in groups if known.equals(schema)), None)
        if files is None:
            groups.append((schema, files := []))
        files.append(path)
    return [(schema.to_arrow_schema(), files) for schema, files in groups]


class _Part(NamedTuple):
    """Files of one table that have the same columns."""

    path: Path  # of the first
    table: ir.Table
    empty: set[str]  # columns that have neither a value nor a type


def _part(
    backend: BaseBackend, name: str, paths: list[Path], schema: pa.Schema, *, is_exact: bool
) -> _Part:
    try:
        require_columns(name, schema.names)
        table = _read_parquet(backend, [str(path) for path in paths])
        empty = {field.name for field in schema if pa.types.is_null(field.type)}
        if empty:
            table = table.mutate(**{column: _nothing(name, column) for column in empty})
        return _Part(paths[0], engine_table(name, table, is_exact=is_exact), empty)
    except ContractError as err:
        raise ContractError(f"{paths[0]}: {err}") from err


def _nothing(name: str, column: str) -> ir.Scalar:
    spec = TABLES[name]
    return ibis.null(empty_type(spec.column(column)) if column in spec.names else "string")


def _united(name: str, parts: list[_Part]) -> ir.Table:
    """Rows of all parts; a column that a part does not have is missing in its rows."""
    kinds: dict[str, tuple[dt.DataType, Path]] = {}
    for part in parts:
        for column, kind in part.table.schema().items():
            if column not in part.empty:
                known, path = kinds.get(column, (kind, part.path))
                common = _common_kind(known, kind)
                if common is None:
                    raise ContractError(
                        f"{name}.{column} is {known} in {path} but {kind} in {part.path}"
                    )
                kinds[column] = (common, path)
    names = dict.fromkeys(column for part in parts for column in part.table.columns)
    require_columns(name, list(names))
    return ibis.union(*(_with_columns(name, part, names, kinds) for part in parts))


def _with_columns(
    name: str, part: _Part, names: Iterable[str], kinds: Mapping[str, tuple[dt.DataType, Path]]
) -> ir.Table:
    columns = {}
    for column in names:
        has = column in part.table.columns and column not in part.empty
        value = part.table[column] if has else _nothing(name, column)
        columns[column] = value.cast(kinds[column][0]) if column in kinds else value
    return part.table.select(**columns)


def _common_kind(one: dt.DataType, other: dt.DataType) -> dt.DataType | None:
    """Return the type that holds values of both, if they are of one nature."""
    if one == other:
        return one
    for is_both, common in _COMMON:
        if is_both(one) and is_both(other):
            return common
    return None


def _read_parquet(backend: BaseBackend, paths: list[str]) -> ir.Table:
    view = ibis.util.gen_name("parquet")  # never the name of a table that the reader already has
    if backend.name == "pyspark":  # Ibis gives Spark one path only, and not that it is a file's
        files = [f"file://{Path(path).absolute()}" for path in paths]
        backend._session.read.parquet(*files).createOrReplaceTempView(view)
        return backend.table(view)
    return backend.read_parquet(paths if len(paths) > 1 else paths[0], table_name=view)
