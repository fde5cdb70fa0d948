"""Columns of numbers turned into Arrow tables of the contract: times, words, missing values.

Arrays are laid over the memory of the columns, which are not to be changed afterwards.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analysis.contract import TABLES, arrow_schema
from analysis.marketplace.clocks import NEVER
from analysis.marketplace.plan import Plan
from analysis.marketplace.record import Columns, vocabularies

LEFT_OUT = ("weight",)  # columns of the contract that the marketplace does not have
MOMENT = pa.timestamp("ms", tz="UTC")
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
    return _array(MOMENT, stamps, values < NEVER if optional else None)


def _words(values: NDArray[np.integer], words: tuple[str, ...], kind: str) -> pa.Array:
    """Dictionary array over the distinct ``words``; an index below 0 is missing."""
    numpy_type, arrow_type = _INDEX[kind]
    distinct, renamed = _vocabulary(words)
    index = values.astype(numpy_type, copy=False) if renamed is None else renamed[values]
    indices = _array(arrow_type, index.astype(numpy_type, copy=False), index >= 0)
    return pa.DictionaryArray.from_arrays(indices, distinct, safe=False)


@functools.lru_cache(maxsize=64)
def _vocabulary(words: tuple[str, ...]) -> tuple[pa.StringArray, NDArray[np.int32] | None]:
    """Return the distinct words and, where some recur, the new index of each (-1 stays -1)."""
    distinct = list(dict.fromkeys(words))
    if len(distinct) == len(words):
        return strings(distinct), None
    place = {word: i for i, word in enumerate(distinct)}
    return strings(distinct), np.array([*(place[word] for word in words), -1], np.int32)


def strings(words: Sequence[str]) -> pa.StringArray:
    """Return words as an Arrow array; ``pa.array`` would import pandas, which workers need not."""
    encoded = [word.encode() for word in words]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return pa.StringArray.from_buffers(
        len(words), pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))
    )


def _numbers(values: NDArray, field: pa.Field) -> pa.Array:
    known = values >= 0 if field.nullable and values.dtype != bool else None
    return _array(field.type, values.astype(field.type.to_pandas_dtype(), copy=False), known)


def _array(kind: pa.DataType, values: NDArray, known: NDArray[np.bool_] | None) -> pa.Array:
    """Arrow array over the memory of ``values``; those that are not ``known`` are missing."""
    data = np.packbits(values, bitorder="little") if values.dtype == bool else values
    buffers = [None, pa.py_buffer(np.ascontiguousarray(data))]
    if known is not None and not known.all():
        buffers[0] = pa.py_buffer(np.packbits(known, bitorder="little"))
    return pa.Array.from_buffers(kind, len(values), buffers)


def plain_table(plan: Plan, columns: Columns, words: dict[str, tuple[str, ...]]) -> pa.Table:
    """Return a table outside the contract: names ending in ``_at`` are times, ``words`` codes."""
    arrays = {}
    for name, values in columns.items():
        if name.endswith("_at"):
            arrays[name] = moments(plan, values)
        elif name in words:
            arrays[name] = _words(values, words[name], "code")
        else:
            known = ~np.isnan(values) if values.dtype.kind == "f" else None
            arrays[name] = _array(pa.from_numpy_dtype(values.dtype), values, known)
    return pa.table(arrays)
