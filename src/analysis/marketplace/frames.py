"""Columns of numbers turned into Arrow tables of the contract: times, words, missing values."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analysis.contract import TABLES, arrow_schema
from analysis.marketplace.clocks import NEVER
from analysis.marketplace.plan import Plan
from analysis.marketplace.record import Columns, vocabularies

LEFT_OUT = ("weight",)  # columns of the contract that the marketplace does not have
_INDEX = {"code": (np.int8, pa.int8()), "text": (np.int32, pa.int32())}


def contract_table(plan: Plan, name: str, columns: Columns) -> pa.Table:
    """Return the table ``name`` of the contract."""
    words = vocabularies(plan)
    schema = arrow_schema(name, leave_out=LEFT_OUT)
    arrays = []
    for field in schema:
        column = TABLES[name].column(field.name)
        values = columns[field.name]
        if column.kind == "time":
            arrays.append(moments(plan, values, optional=column.optional))
        elif column.kind == "code":
            arrays.append(_words(values, column.codes, "code"))
        elif column.kind == "text":
            arrays.append(_words(values, words[name, field.name], "text"))
        else:
            arrays.append(_numbers(values, field))
    return pa.Table.from_arrays(arrays, schema=schema)


def moments(plan: Plan, values: NDArray[np.integer], *, optional: bool = True) -> pa.Array:
    """Seconds of the market as UTC milliseconds; ``NEVER`` is missing."""
    stamps = np.multiply(values, 1000, dtype=np.int64)
    stamps += plan.window.start * 1000
    mask = values >= NEVER if optional else None
    return pa.array(stamps, pa.int64(), mask=mask).view(pa.timestamp("ms", tz="UTC"))


def _words(values: NDArray[np.integer], words: tuple[str, ...], kind: str) -> pa.Array:
    """Dictionary array over the distinct ``words``; an index below 0 is missing."""
    numpy_type, arrow_type = _INDEX[kind]
    distinct = list(dict.fromkeys(words))
    index = values.astype(numpy_type, copy=False)
    if len(distinct) < len(words):
        place = {word: i for i, word in enumerate(distinct)}
        renamed = np.array([*(place[w] for w in words), -1], numpy_type)
        index = renamed[index]
    mask = index < 0
    indices = pa.array(index, arrow_type, mask=mask if mask.any() else None)
    return pa.DictionaryArray.from_arrays(indices, pa.array(distinct, pa.string()), safe=False)


def _numbers(values: NDArray, field: pa.Field) -> pa.Array:
    mask = values < 0 if field.nullable and values.dtype != bool else None
    kind = field.type.to_pandas_dtype()
    return pa.array(values.astype(kind, copy=False), field.type, mask=mask)


def plain_table(plan: Plan, columns: Columns, words: dict[str, tuple[str, ...]]) -> pa.Table:
    """Return a table outside the contract: names ending in ``_at`` are times, ``words`` codes."""
    arrays = {}
    for name, values in columns.items():
        if name.endswith("_at"):
            arrays[name] = moments(plan, values)
        elif name in words:
            arrays[name] = _words(values, words[name], "code")
        else:
            arrays[name] = pa.array(values, from_pandas=True)  # NaN is missing
    return pa.table(arrays)
