"""What the hand-written queries have in common: views on the files, words, and what compares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd

from analysis.contract import codes


def quoted(words: Sequence[str]) -> str:
    """Return words as a list in SQL."""
    return ", ".join(f"'{word}'" for word in words)


SUCCESS, CANCELLED = quoted(codes.SUCCESS), quoted(codes.CANCELLED_ENDS)
ANSWERS = quoted(codes.SELLER_ANSWERS)
MATURE = "(epoch(as_of()) - epoch(requested_at) >= 2592000)"
IN_TIME = "coalesce(epoch(decided_at) - epoch(requested_at) <= 2592000, false)"
WORKED = f"({MATURE} AND {IN_TIME} AND outcome IN ({SUCCESS}))"
N_AND_K = f"sum({MATURE}::int) n, sum({WORKED}::int) k"
ASKED = "requests JOIN orders USING (order_id)"
FROM_BUYERS = f"FROM {ASKED} WHERE requested_by = 'buyer'"
COUNTS = "counts only"
LIMITS = "its limits do not allow for sellers"
POOLS = 199  # of sellers, counted by for limits that allow for sellers


class ByHand(NamedTuple):
    """A measure as a person would write it for DuckDB."""

    run: Callable[[duckdb.DuckDBPyConnection], np.ndarray]  # returns what compares
    ours: Callable[[pd.DataFrame], np.ndarray]  # the same from the measure's table
    remark: str = ""  # in what its answer is another
    of_sellers: Callable[[duckdb.DuckDBPyConnection], np.ndarray] | None = None  # see POOLS


def connect(folder: Path, as_of: str, memory: str | None = None) -> duckdb.DuckDBPyConnection:
    """Views on the dataset's Parquet files, in UTC."""
    con = duckdb.connect()
    con.execute("SET TimeZone='UTC'; SET preserve_insertion_order=false")
    if memory is not None:
        con.execute(f"SET memory_limit='{memory}'")
    con.execute(f"CREATE MACRO as_of() AS TIMESTAMPTZ '{as_of}'")
    for table in ("orders", "requests", "refunds", "sellers", "steps", "blockers"):
        con.execute(
            f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{folder}/{table}/*.parquet')"
        )
    return con


def fetched(con: duckdb.DuckDBPyConnection, query: str) -> dict[str, np.ndarray]:
    """Run a query and return its columns."""
    return con.execute(query).fetchnumpy()


def numbers(column: np.ndarray) -> np.ndarray:
    """Return a column of numbers, 0 where one is missing."""
    return np.ma.filled(column, 0).astype(float)


def summed(keys: np.ndarray, values: np.ndarray, words: Sequence[str]) -> np.ndarray:
    """Add up the values of each word."""
    place = {word: i for i, word in enumerate(words)}
    index = np.array([place.get(key, len(words)) for key in np.ma.filled(keys, "")], dtype=int)
    return np.bincount(index, numbers(values), len(words) + 1)[:-1]


def by_word(column: str, words: Sequence[str], value: str = "n_events") -> Callable:
    """Return what takes a value of each word from a table; 0 where a word has no row."""
    return lambda table: table.set_index(column)[value].reindex(list(words), fill_value=0)


def one_row(*names: str) -> Callable[[pd.DataFrame], np.ndarray]:
    """Return what takes columns of the only row."""
    return lambda table: table[list(names)].iloc[0].to_numpy(float)


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest difference, relative where a value is above 1; infinite where one has no value."""
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    if ours.shape != theirs.shape:
        return float("inf")
    if (np.isnan(ours) != np.isnan(theirs)).any():
        return float("inf")
    away = abs(ours - theirs) / np.maximum(1, abs(theirs))
    return float(np.nanmax(away, initial=0))
