"""The contract's columns as Arrow types, for whoever writes Parquet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.contract.tables import TABLES, Column

if TYPE_CHECKING:
    import pyarrow as pa


def arrow_schema(
    table: str, *, text_ids: bool = False, leave_out: tuple[str, ...] = ()
) -> pa.Schema:
    """Return the Arrow schema that our own writers use for ``table``.

    Times are milliseconds in UTC (always whole seconds), codes and text dictionaries of int8
    and int32, ids int64 or text. Columns that may not be missing are not nullable.

    Parameters
    ----------
    table
        Name of a table of the contract.
    text_ids
        Ids are text instead of int64.
    leave_out
        Optional columns that this writer does not have.
    """
    import pyarrow as pa

    def kind(column: Column) -> pa.DataType:
        return {
            "id": pa.string() if text_ids else pa.int64(),
            "time": pa.timestamp("ms", tz="UTC"),
            "code": pa.dictionary(pa.int8(), pa.string()),
            "text": pa.dictionary(pa.int32(), pa.string()),
            "money": pa.int64(),
            "count": pa.int32(),
            "flag": pa.bool_(),
            "number": pa.float64(),
        }[column.kind]

    return pa.schema(
        pa.field(column.name, kind(column), nullable=column.optional)
        for column in TABLES[table].columns
        if column.name not in leave_out
    )
