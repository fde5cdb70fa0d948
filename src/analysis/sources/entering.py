"""How other people's frames and files enter: columns, types and zones made those of the contract.

Each function takes one table and gives it back normalised, or raises a
:class:`~analysis.contract.ContractError` that names the table, the column and what is allowed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from analysis.contract import TABLES, Column, ContractError, TableSpec
from analysis.sources.engine import collect, whole_seconds

if TYPE_CHECKING:
    import ibis.expr.types as ir

_MOMENT = pa.timestamp("ms", tz="UTC")
_ABOVE_INT64 = 2.0**63
_WHOLE = ("id", "money", "count")


def arrow_table(name: str, frame: Any) -> pa.Table:
    """Return a pandas, Polars or Arrow frame as an Arrow table of the contract's types.

    Raises
    ------
    ContractError
        The frame is none, a column is missing, or values cannot be what the contract says.
    """
    try:
        table = frame if isinstance(frame, pa.Table) else pa.table(frame)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError) as err:
        raise ContractError(f"{name}: not a table of plain columns: {err}") from err
    require_columns(name, table.column_names)
    for position, column in enumerate(table.column_names):
        if column in TABLES[name].names:
            spec = TABLES[name].column(column)
            converted = _converted(f"{name}.{column}", spec, table.column(column))
            table = table.set_column(position, column, converted)
    return table


def require_columns(name: str, columns: list[str]) -> None:
    """Raise unless every column that ``name`` must have is there, once."""
    spec: TableSpec = TABLES[name]
    missing = [c.name for c in spec.columns if not c.optional and c.name not in columns]
    if missing:
        raise ContractError(
            f"{name} lacks {', '.join(missing)}; it has: {', '.join(map(str, columns))}"
        )
    twice = sorted({c for c in columns if columns.count(c) > 1})
    if twice:
        raise ContractError(f"{name} has more than one column called {', '.join(twice)}")
    folded = [c.casefold() for c in columns]
    alike = [c for c, low in zip(columns, folded, strict=True) if folded.count(low) > 1]
    if alike:
        raise ContractError(
            f"{name} has columns that differ in upper and lower case only: {', '.join(alike)}"
        )


def _converted(where: str, spec: Column, values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(values.type):
        values = _decoded(values)
    if pa.types.is_null(values.type):
        return values.cast(_TARGETS.get(spec.kind, pa.string()))
    if spec.kind == "time":
        return _moments(where, values)
    if spec.kind == "id":
        return values if _is_text(values.type) else _cast(where, values, pa.int64(), "whole number")
    if spec.kind in ("code", "text") and not _is_text(values.type):
        raise ContractError(f"{where} must be text, is {values.type}")
    target = _TARGETS.get(spec.kind)
    return values if target is None else _cast(where, values, target, WORDS[spec.kind])


def _decoded(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Categories as what they stand for; Polars' are views, which Arrow cannot take from."""
    plain = values.type.value_type
    plain = pa.string() if pa.types.is_string_view(plain) else plain
    arrays = [
        pa.DictionaryArray.from_arrays(chunk.indices, chunk.dictionary.cast(plain))
        for chunk in values.chunks
    ]
    return pa.chunked_array([array.dictionary_decode() for array in arrays], plain)


_TARGETS = {
    "time": _MOMENT,
    "id": pa.int64(),
    "money": pa.int64(),
    "count": pa.int64(),
    "flag": pa.bool_(),
    "number": pa.float64(),
}
_EMPTY_TYPES = {
    "id": "int64",
    "time": "timestamp('UTC')",
    "money": "int64",
    "count": "int64",
    "flag": "boolean",
    "number": "float64",
}
WORDS = {
    "money": "whole minor unit (cents, not euros)",
    "count": "whole number",
    "flag": "true or false",
    "number": "number",
}


def _is_text(kind: pa.DataType) -> bool:
    return any(
        is_kind(kind)
        for is_kind in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    )


def _cast(where: str, values: pa.ChunkedArray, target: pa.DataType, words: str) -> pa.ChunkedArray:
    if _is_text(values.type):
        raise ContractError(f"{where} must be a {words}, is text")
    if pa.types.is_floating(values.type):  # pandas turns integers with gaps into floats
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    try:
        return values.cast(target)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as err:
        raise ContractError(f"{where} must be a {words}{_why(values, err)}") from err


def _why(values: pa.ChunkedArray, err: Exception) -> str:
    """Name the first float that is no whole number; of others Arrow says what is wrong."""
    if not pa.types.is_floating(values.type):
        return f": {err}"
    fits = pc.and_(pc.equal(pc.floor(values), values), pc.less(pc.abs(values), _ABOVE_INT64))
    wrong = values.filter(pc.invert(fits))
    return f", got {wrong[0]}" if len(wrong) else f": {err}"


def _moments(where: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = values.type
    if pa.types.is_date(kind):
        values = values.cast(pa.timestamp("s"))
    elif not pa.types.is_timestamp(kind):
        hint = "; convert it with pandas.to_datetime(..., utc=True)" if _is_text(kind) else ""
        raise ContractError(f"{where} must be a time, is {kind}{hint}")
    if kind != _MOMENT and getattr(values.type, "tz", None) not in (None, "UTC"):
        values = values.cast(pa.timestamp(values.type.unit, tz="UTC"))
    whole = pc.floor_temporal(values, unit="second") if values.type.unit != "s" else values
    return whole.cast(pa.timestamp("ms")).cast(_MOMENT) if _naive(whole) else whole.cast(_MOMENT)


def _naive(values: pa.ChunkedArray) -> bool:
    return values.type.tz is None


def engine_table(name: str, table: ir.Table, *, is_exact: bool = False) -> ir.Table:
    """Return a table that already lives in an engine, with the contract's types.

    Times become UTC without fractions of a second; ``is_exact`` says that they are already.

    Raises
    ------
    ContractError
        A column is missing or has a type that cannot be right.
    """
    require_columns(name, list(table.columns))
    spec = TABLES[name]
    changes = {}
    for column in (c for c in spec.columns if c.name in table.columns):
        changed = _engine_column(f"{name}.{column.name}", column, table[column.name], is_exact)
        if changed is not None:
            changes[column.name] = changed
    return table.mutate(**changes) if changes else table


def _engine_column(where: str, spec: Column, value: Any, is_exact: bool) -> Any:
    kind = value.type()
    if kind.is_null():
        return value.cast(empty_type(spec))
    if spec.kind == "time":
        return _engine_moment(where, value, is_exact)
    if spec.kind == "id" and spec.optional and kind.is_floating():
        return _engine_ids(where, value)
    if kind.is_decimal() and (spec.kind == "number" or (kind.scale == 0 and spec.kind in _WHOLE)):
        return value.cast(empty_type(spec))
    wrong = {
        "id": not (kind.is_integer() or kind.is_string()),
        "code": not kind.is_string(),
        "text": not kind.is_string(),
        "money": not kind.is_integer(),
        "count": not kind.is_integer(),
        "flag": not kind.is_boolean(),
        "number": not kind.is_numeric(),
    }[spec.kind]
    if wrong:
        words = {"id": "whole number or text", "code": "text", "text": "text"} | WORDS
        raise ContractError(f"{where} must be a {words[spec.kind]}, is {kind}")
    return None


def empty_type(spec: Column) -> str:
    """Ibis type of a column of the contract that has no value to tell it by."""
    return _EMPTY_TYPES.get(spec.kind, "string")


def _engine_ids(where: str, value: Any) -> Any:
    """Floats as whole numbers, NaN as missing: pandas turns ids with gaps into floats."""
    known = value.isnan().ifelse(ibis.null(value.type()), value)
    rows = known.name("found").as_table()
    is_wrong = rows.found.isinf() | (rows.found.abs() >= _ABOVE_INT64) | (rows.found % 1 != 0)
    wrong = collect(rows.filter(is_wrong).limit(1)).found.tolist()
    if wrong:
        raise ContractError(f"{where} must be a whole number, got {wrong[0]}")
    return known.cast("int64")


def _engine_moment(where: str, value: Any, is_exact: bool) -> Any:
    kind = value.type()
    if kind.is_date():
        return whole_seconds(value.cast("timestamp"))
    if not kind.is_timestamp():
        raise ContractError(f"{where} must be a time, is {kind}")
    return None if is_exact and kind.timezone is not None else whole_seconds(value)
