"""How files become tables of an engine: Parquet as it is, CSV with the types of the contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import ibis
import ibis.expr.datatypes as dt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from analysis.contract import TABLES, ContractError
from analysis.sources.engine import registered
from analysis.sources.entering import arrow_table, engine_table, require_columns

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends import BaseBackend

ENDINGS = (".parquet", ".csv")
NOTHING = ["", "NULL", "null"]  # words of a CSV cell without a value; "NA" is a country
_KINDS = {
    "id": "int64",
    "time": "timestamp('UTC')",
    "money": "int64",
    "count": "int64",
    "flag": "boolean",
    "number": "float64",
}  # of a column without a value; others are text
_COMMON = (
    (dt.DataType.is_integer, dt.int64),
    (dt.DataType.is_numeric, dt.float64),
    (dt.DataType.is_timestamp, dt.Timestamp("UTC")),
)  # the first that both types of a column are, and what then holds both
_WHOLE_NUMBER = r"^(0|-?[1-9][0-9]{0,17})$"  # written so, a number is the same read as text


def loose_files(folder: Path) -> dict[str, list[Path]]:
    """Files of a folder without manifest: ``orders.csv``, ``orders.parquet`` or ``orders/*``.

    Raises
    ------
    ContractError
        No file is named like a table, or a table is there in more than one form.
    """
    files = {}
    for name in TABLES:
        inside = [p for end in ENDINGS for p in sorted((folder / name).glob(f"*{end}"))]
        single = [p for end in ENDINGS if (p := folder / f"{name}{end}").exists()]
        forms = [*single, *([folder / name] if inside else [])]
        if len(forms) > 1:
            raise ContractError(
                f"{name} must be there in one form only, is in {' and '.join(map(str, forms))}"
            )
        if forms:
            files[name] = single or inside
    if not files:
        raise ContractError(
            f"{folder} has neither dataset.json nor files named {', '.join(TABLES)} "
            "(.csv, .parquet)"
        )
    return files


def read_table(
    backend: BaseBackend, name: str, paths: list[Path], *, is_exact: bool = False
) -> ir.Table:
    """Return the files of one table as an Ibis table of the contract's types.

    Parameters
    ----------
    backend
        Engine that reads Parquet; CSV is read here and handed over.
    name
        Name of a table of the contract.
    paths
        All Parquet or all CSV.
    is_exact
        Times are known to be whole seconds: do not make the engine cut them.

    Raises
    ------
    ContractError
        A file is missing, cut short, or has columns that are not those of the contract.
    """
    endings = {path.suffix for path in paths}
    if len(endings) > 1:
        raise ContractError(f"{name} has both CSV and Parquet files: {paths[0].parent}")
    if endings == {".csv"}:
        return registered(backend, name, arrow_table(name, _csv_table(name, paths)))
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
    kind = TABLES[name].column(column).kind if column in TABLES[name].names else "text"
    return ibis.null(_KINDS.get(kind, "string"))


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


def _csv_table(name: str, paths: list[Path]) -> pa.Table:
    kinds = {"money": pa.int64(), "count": pa.int64(), "number": pa.float64(), "flag": pa.bool_()}
    columns = TABLES[name].columns
    options = pacsv.ConvertOptions(
        column_types={c.name: kinds.get(c.kind, pa.string()) for c in columns},
        strings_can_be_null=True,
        null_values=NOTHING,
    )
    try:
        parts = [pacsv.read_csv(path, convert_options=options) for path in paths]
        table = pa.concat_tables(parts, promote_options="permissive")
        names = table.column_names
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeDecodeError, OSError) as err:
        raise ContractError(f"{paths[0]} does not read as the table {name}: {err}") from err
    for position, column in enumerate(names):
        kind = TABLES[name].column(column).kind if column in TABLES[name].names else ""
        if kind == "time":
            read = _moments(f"{name}.{column}", table.column(column))
            table = table.set_column(position, column, read)
        elif kind == "id":
            table = table.set_column(position, column, _ids(table.column(column)))
    return table


def _ids(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers if every id is written as one (``007`` is not), else text."""
    if pc.all(pc.match_substring_regex(values, _WHOLE_NUMBER), min_count=1).as_py():
        return values.cast(pa.int64())
    return values


def _moments(where: str, values: pa.ChunkedArray) -> pa.Array:
    """ISO 8601 texts, with offset or without (UTC), as moments."""
    try:
        moments = pd.to_datetime(values.to_pandas(), utc=True, format="ISO8601")
    except ValueError as err:
        raise ContractError(f"{where} must be times like 2026-03-01T12:00:00Z: {err}") from err
    return pa.array(moments.dt.floor("s"), type=pa.timestamp("ms", tz="UTC"))
