"""How files become tables of an engine: Parquet as it is, CSV with the types of the contract."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from analysis.contract import TABLES, ContractError
from analysis.sources.engine import registered
from analysis.sources.entering import WORDS, arrow_table, require_columns
from analysis.sources.parts import parquet_table

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends import BaseBackend

ENDINGS = (".parquet", ".csv")
NOTHING = ["", "NULL", "null"]  # words of a CSV cell without a value; "NA" is a country
_CSV = "CSV must be separated by commas, in UTF-8, with the names of the columns in its first line"
_CSV_TYPES = {
    "money": pa.int64(),
    "count": pa.int64(),
    "number": pa.float64(),
    "flag": pa.bool_(),
}  # all else is read as text first
_NUMBERS = {pa.null(), pa.int64(), pa.float64()}  # types that Arrow puts below each other
_LONGEST_ROW_BYTES = 1 << 26  # where texts have line breaks
_WRONG_CELL = re.compile(
    r"CSV column #(?P<column>\d+):.* conversion error to .*: (?:invalid value (?P<value>'.*')|.*)",
    re.DOTALL,
)
_CLOCK = ("now", "today")
_TIMES = "must be times like 2026-03-01T12:00:00Z"
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
    return parquet_table(backend, name, paths, is_exact=is_exact)


def _csv_table(name: str, paths: list[Path]) -> pa.Table:
    """Files one below the other; a column of the reader's own that has several types is text."""
    parts = [_csv_part(name, path) for path in paths]
    kinds: dict[str, set[pa.DataType]] = {}
    for field in (field for part in parts for field in part.schema):
        kinds.setdefault(field.name, set()).add(field.type)
    mixed = [c for c, found in kinds.items() if len(found - {pa.null()}) > 1 and found - _NUMBERS]
    if mixed:
        parts = [_csv_part(name, path, as_text=mixed) for path in paths]
    table = pa.concat_tables(parts, promote_options="permissive")
    for position, column in enumerate(table.column_names):
        if _kind(name, column) == "id":
            table = table.set_column(position, column, _ids(table.column(column)))
    return table


def _csv_part(name: str, path: Path, as_text: Sequence[str] = ()) -> pa.Table:
    kinds = {c.name: _CSV_TYPES.get(c.kind, pa.string()) for c in TABLES[name].columns}
    options = pacsv.ConvertOptions(
        column_types=kinds | dict.fromkeys(as_text, pa.string()),
        strings_can_be_null=True,
        null_values=NOTHING,
    )
    try:
        names = _header(name, path)
        table = _read_csv(path, options)
    except (pa.ArrowInvalid, OSError) as err:
        wrong = _WRONG_CELL.search(str(err))
        if wrong is None:
            raise ContractError(f"{_where(name, path)}: {err}; {_CSV}") from err
        column = names[int(wrong["column"])]
        if column not in TABLES[name].names and column not in as_text:  # its first rows misled
            return _csv_part(name, path, [*as_text, column])
        words = WORDS.get(_kind(name, column), "text in UTF-8")
        got = "" if wrong["value"] is None else f", got {wrong['value']}"
        where = _where(name, path)
        raise ContractError(f"{where}: {column} must be a {words}{got}") from err
    for position, column in enumerate(table.column_names):
        if _kind(name, column) == "time":
            read = _moments(f"{_where(name, path)}: {column}", table.column(column))
            table = table.set_column(position, column, read)
    return table


def _where(name: str, path: Path) -> str:
    return f"{path} does not read as the table {name}"


def _kind(name: str, column: str) -> str:
    """Kind of a column; empty if it is the reader's own."""
    return TABLES[name].column(column).kind if column in TABLES[name].names else ""


def _header(name: str, path: Path) -> list[str]:
    """Names of the columns, seen to be those that the table must have."""
    with path.open("rb") as file:
        line = next((line for line in file if line.strip()), b"")
    text = line.decode("utf-8-sig", "replace")
    names = next(csv.reader(io.StringIO(text, newline="")), [])
    is_known = bool(set(names) & set(TABLES[name].names))
    if "\0" in text or "\ufffd" in text or (len(names) == 1 and not is_known):
        raise ContractError(f"{_where(name, path)}: its first line is {text[:40]!r}; {_CSV}")
    if names:
        try:
            require_columns(name, names)
        except ContractError as err:
            raise ContractError(f"{path}: {err}") from err
    return names


def _read_csv(path: Path, options: pacsv.ConvertOptions) -> pa.Table:
    """Read a file; only if need be the slower way, in which text may have line breaks."""
    try:
        return pacsv.read_csv(path, convert_options=options)
    except pa.ArrowInvalid:
        return pacsv.read_csv(
            path,
            convert_options=options,
            read_options=pacsv.ReadOptions(block_size=_LONGEST_ROW_BYTES),
            parse_options=pacsv.ParseOptions(newlines_in_values=True),
        )


def _ids(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers if every id is written as one (``007`` is not), else text."""
    if pc.all(pc.match_substring_regex(values, _WHOLE_NUMBER), min_count=1).as_py():
        return values.cast(pa.int64())
    return values


def _moments(where: str, values: pa.ChunkedArray) -> pa.Array:
    """ISO 8601 texts, with offset or without (UTC), as moments."""
    texts = values.to_pandas()
    moments = pd.to_datetime(texts, utc=True, format="ISO8601", errors="coerce")
    is_clock = texts.isin(_CLOCK)  # words that pandas takes for the time of reading
    wrong = texts[is_clock | (moments.isna() & texts.notna() & (texts != "NaT"))]
    if len(wrong):
        raise ContractError(f"{where} {_TIMES}, got {wrong.iloc[0]!r}")
    return pa.array(moments.dt.floor("s"), type=pa.timestamp("ms", tz="UTC"))
