"""Text of few words as the numbers of the words: small to keep, quick to group."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import ibis

from analysis.sources.engine import run

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends import BaseBackend

MOST_WORDS = 255  # so that the number of one takes a byte


def in_words(backend: BaseBackend, frame: ir.Table, columns: Iterable[str]) -> ir.Table:
    """Return the same rows; in DuckDB those of the text ``columns`` with few words are its ENUMs.

    For everybody who asks they still are text, and sort as text does.

    Parameters
    ----------
    backend, frame
        The engine, and a table that lives in it.
    columns
        Names of columns; those that ``frame`` lacks, or that are no text, are passed over.
    """
    if backend.name != "duckdb":
        return frame
    text = [c for c in columns if c in frame.columns and frame[c].type().is_string()]
    if not text:
        return frame
    sql = backend.compile(frame)
    casts = [f'"{c}"::{kind} AS "{c}"' for c in text if (kind := _enum(backend, sql, c))]
    if not casts:
        return frame
    view = ibis.util.gen_name("words")
    replaced = f"SELECT * REPLACE ({', '.join(casts)}) FROM ({sql})"
    run(backend, f'CREATE TEMP VIEW "{view}" AS {replaced}')
    return backend.table(view)


def _enum(backend: BaseBackend, sql: str, column: str) -> str | None:
    """Return the name of a new type with the words of the column; None if there are too many."""
    found = backend.con.sql(f'SELECT DISTINCT "{column}" AS word FROM ({sql})').to_arrow_table()
    words = sorted(word for word in found["word"].to_pylist() if word is not None)
    if not 0 < len(words) <= MOST_WORDS:
        return None
    kind = ibis.util.gen_name("kind")
    listed = ", ".join("'" + word.replace("'", "''") + "'" for word in words)
    run(backend, f'CREATE TEMP TYPE "{kind}" AS ENUM ({listed})')
    return f'"{kind}"'
