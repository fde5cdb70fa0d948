"""What an engine elsewhere would be asked: the same expressions, for tables that lie there.

A warehouse that Ibis speaks to (BigQuery, Snowflake, Databricks, PostgreSQL) gets from a measure
the expressions that Spark gets. Here they are caught on their way out, so that their SQL can be
read without having the warehouse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import ibis

from analysis.sources.connecting import connect
from analysis.sources.engine import answered_by
from analysis.sources.tables import Tables

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True)
class Elsewhere:
    """An engine that is not ours to write to, whichever it is."""

    name: str = "elsewhere"


def tables_elsewhere(tables: Tables) -> Tables:
    """Return tables of the same names and columns that are bound to no engine."""
    frames = {name: ibis.table(frame.schema(), name=name) for name, frame in tables.frames.items()}
    return replace(tables, frames=frames, backend=Elsewhere(), _kept={})


def asked_elsewhere(measure: Callable[..., Any], tables: Tables, **options: Any) -> list[ir.Table]:
    """Return the expressions, in order, of which a measure asks an engine for the results.

    Parameters
    ----------
    measure
        Function of opened tables.
    tables
        Opened dataset; only the names and types of its columns are read. The answers to the
        first expressions are those of tables without rows.
    **options
        Options of the measure.

    Raises
    ------
    MissingData
        As the measure.
    """
    empty, asked = connect(), []
    for name, frame in tables.frames.items():
        empty.create_table(name, schema=frame.schema())

    def answer(frame: ir.Table) -> Any:
        asked.append(frame)
        return empty.to_pyarrow(frame)

    with answered_by(answer):
        measure(tables_elsewhere(tables), **options)
    return asked
