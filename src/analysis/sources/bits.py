"""Small sets as the bits of whole numbers: which words occur with a key, and which ids twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import ibis

from analysis.sources.dense import n_repeated
from analysis.sources.engine import backend_of, is_duckdb, one_number

if TYPE_CHECKING:
    import ibis.expr.types as ir

BLOCK_BITS = 5  # a block has 32 bits, which fit into a whole number of any engine


@ibis.udf.scalar.builtin(name="bit_count")
def _duckdb_ones(bits: int) -> int:
    """How many bits of a number are set."""


@ibis.udf.agg.builtin(name="bit_or")
def _spark_any_bits(bits: int) -> int:
    """Bits that any of the numbers has: Ibis 12 does not know that Spark can."""


def place_among(word: ir.StringValue, words: Sequence[str]) -> ir.IntegerValue:
    """Place of a word in a list, from 0; missing where it is not there.

    Of many words DuckDB takes less time to look one up than to compare it with each.
    """
    return ibis.literal(list(words), "array<string>").index(word).nullif(-1)


def any_bits(bits: ir.IntegerColumn) -> ir.IntegerScalar:
    """Aggregate numbers to the bits that at least one of them has."""
    return _spark_any_bits(bits) if backend_of(bits) == "pyspark" else bits.bit_or()


def repeated(
    frame: ir.Table, key: Sequence[str], words: Sequence[str] = (), *, marked: bool = False
) -> ir.Table:
    """Rows beyond the first of each key, in the column ``extra``; no column of it is missing.

    ``words`` are what the second column of the key mostly holds, at most 32 of them. DuckDB counts
    whole numbers by blocks in a row, with one bit for each number and word that occurs: ids are
    mostly dense, and then there are far fewer groups than keys. With ``marked`` they are counted
    at once, in a table with a place for each (:mod:`analysis.sources.dense`).
    """
    number = frame[key[0]]
    if len(key) > 1 + bool(words) or not number.type().is_integer() or not is_duckdb(number):
        return _beyond_first(frame, key)
    if not words:
        return _beyond_first_bits(frame.select(number=number), 1, marked=marked)
    known = frame.filter(frame[key[1]].isin(words))
    place = ibis.cases(*((known[key[1]] == word, i) for i, word in enumerate(words)))
    others = frame.filter(frame[key[1]].notin(words))
    placed = known.select(number=known[key[0]], place=place)
    return _beyond_first_bits(placed, len(words), marked=marked).union(_beyond_first(others, key))


def _beyond_first(frame: ir.Table, key: Sequence[str]) -> ir.Table:
    seen = frame.group_by(*key).aggregate(n=frame.count())
    return seen.select(extra=seen.n - 1)


def _beyond_first_bits(frame: ir.Table, n_places: int, *, marked: bool) -> ir.Table:
    n_extra = n_repeated(frame, n_places) if marked else None
    if n_extra is not None:
        return one_number(frame.get_backend(), n_extra).rename(extra="n")
    number, place = frame.number, frame.place if n_places > 1 else ibis.literal(0)
    width = (n_places - 1).bit_length()  # so many bits tell places apart, the others numbers
    low = BLOCK_BITS - width
    bit = ibis.literal(1, "int64") << ((number & (2**low - 1)) * 2**width + place)
    named = frame.select(block_=number >> low, bit_=bit)
    seen = named.group_by("block_").aggregate(n=named.count(), bits_=any_bits(named.bit_))
    return seen.select(extra=seen.n - _duckdb_ones(seen.bits_))
