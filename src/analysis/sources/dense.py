"""Ids that lie close together, marked in a table with a place for each number.

A table of counts of a hundred million ids is large, and slow to fill. Ids are mostly numbered one
after the other, and then a mark for each number from the smallest to the largest tells as much. Of
very many numbers a span is marked at a time, so that the table stays small.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from analysis.sources.engine import arrow_batches, collect, is_duckdb

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

MOST_BYTES = 2**27  # of one table
SPARSEST = 64  # bytes for each row


def n_repeated(frame: ir.Table, n_places: int = 1) -> int | None:
    """Count the rows beyond the first of each number.

    Parameters
    ----------
    frame
        Column ``number``; and ``place``, from 0 and below ``n_places`` (at most 32), if these are
        several: then a row is told by both. Nothing is missing.

    Returns
    -------
    int or None
        None where numbers are not whole or lie too far apart, or DuckDB does not have them.
    """
    kind = np.min_scalar_type((1 << n_places) - 1)  # a bit for each place
    spans = _spans(frame, kind.itemsize)
    return None if spans is None else sum(_repeated_in(frame, span, kind) for span in spans)


def n_unknown(frame: ir.Table, known: ir.Table) -> int | None:
    """Count the rows of ``frame`` whose ``number`` is not among those of ``known``.

    None where numbers of either are not whole, or those of ``known`` lie too far apart, or DuckDB
    does not have them. Nothing is missing.
    """
    spans = _spans(known, 1) if _is_whole(frame) else None
    if spans is None:
        return None
    n_rows = int(collect(frame.aggregate(n=frame.count())).n.iloc[0])
    return n_rows - sum(_found_in(frame, known, span) for span in spans)


def _is_whole(frame: ir.Table) -> bool:
    return frame.number.type().is_signed_integer() and is_duckdb(frame.number)


def _spans(frame: ir.Table, n_bytes: int) -> list[range] | None:
    """Numbers from the smallest to the largest, as many at a time as may be marked at once."""
    if not _is_whole(frame):
        return None
    number = frame.number
    ends = collect(frame.aggregate(low=number.min(), high=number.max(), n=number.count()))
    low, high, n = next(ends.itertuples(index=False))
    if n == 0:
        return []
    if (high - low + 1) * n_bytes > SPARSEST * n:
        return None
    width = MOST_BYTES // n_bytes
    return [range(i, min(i + width, high + 1)) for i in range(low, high + 1, width)]


def _repeated_in(frame: ir.Table, span: range, kind: np.dtype) -> int:
    marks, n_rows = np.zeros(-(-len(span) // 8) * 8, kind), 0  # in whole words of 64 bits
    for batch in _batches(frame, span):
        at = _offsets(batch, span)
        n_rows += len(at)
        if "place" in frame.columns:
            np.bitwise_or.at(marks, at, _bits(kind)[batch["place"].to_numpy()])
        else:
            marks[at] = 1
    return n_rows - int(np.bitwise_count(marks.view(np.uint64)).sum())


def _bits(kind: np.dtype) -> np.ndarray:
    return np.left_shift(1, np.arange(8 * kind.itemsize)).astype(kind)


def _found_in(frame: ir.Table, known: ir.Table, span: range) -> int:
    marks = np.zeros(len(span), bool)
    for batch in _batches(known, span):
        marks[_offsets(batch, span)] = True
    batches = _batches(frame, span)
    return sum(np.count_nonzero(marks[_offsets(batch, span)]) for batch in batches)


def _batches(frame: ir.Table, span: range) -> Iterator[pa.RecordBatch]:
    rows = frame.filter(frame.number.between(span.start, span.stop - 1))
    yield from arrow_batches(frame.get_backend(), rows)


def _offsets(batch: pa.RecordBatch, span: range) -> np.ndarray:
    return batch["number"].to_numpy().astype(np.int64) - span.start
