"""Very many rows a part at a time: joined by a key in ranges of it, one range after the other.

A join holds one of its sides in memory; of one range of ids that is little, whatever the size of
the tables.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.sources.engine import collect, is_duckdb

if TYPE_CHECKING:
    import ibis.expr.types as ir

MOST_JOINED = 20_000_000  # rows of both sides that are joined at once


def at_once(n_rows: int) -> bool:
    """Whether so many rows are joined at once."""
    return n_rows <= MOST_JOINED


def edges_of(key: ir.Column, n_rows: int) -> list[int]:
    """Whole numbers that cut the values of a key into ranges; none where one range will do.

    Parameters
    ----------
    key
        Column that is joined by. Cut are whole numbers, in DuckDB: other engines do so themselves.
    n_rows
        Rows of both sides of the join.
    """
    if at_once(n_rows) or not key.type().is_integer() or not is_duckdb(key):
        return []
    ends = _ends(key)
    n_ranges = math.ceil(n_rows / MOST_JOINED)
    return np.linspace(*ends, n_ranges + 1).astype(np.int64)[1:-1].tolist() if ends else []


def in_ranges(frame: ir.Table, key: str, edges: list[int]) -> list[ir.Table]:
    """Return the rows below the first edge, from each edge to the next, and from the last one.

    Each row is in one of the ranges; those without a key are in the first.
    """
    if not edges:
        return [frame]
    column = frame[key]
    first = (column < edges[0]) | column.isnull()
    inner = [(column >= low) & (column < high) for low, high in pairwise(edges)]
    return [frame.filter(one) for one in (first, *inner, column >= edges[-1])]


def near(frame: ir.Table, others: ir.Table, key: str) -> ir.Table:
    """Return the rows of ``frame`` between the smallest and the largest ``key`` of ``others``."""
    ends = _ends(others[key])
    return frame.filter(frame[key].between(*ends)) if ends else frame


def _ends(key: ir.Column) -> list[Any]:
    """Return the smallest and the largest value of a column; nothing if it has none."""
    ends = key.name("key").as_table().aggregate(low=key.min(), high=key.max())
    return [end for row in collect(ends).dropna().itertuples(index=False) for end in row]
