"""A column belongs to the table that the contract gives it to: the same name elsewhere waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from analysis.contract import TABLES

if TYPE_CHECKING:
    import ibis.expr.types as ir


def with_own_columns(
    frames: Mapping[str, ir.Table],
) -> tuple[dict[str, ir.Table], tuple[str, ...]]:
    """Return the tables without columns of each other's names, and a sentence for each of those.

    Tables are joined by measures: an export that repeats ``seller_id`` in its requests, or a
    ``weight`` of sellers, must not take the place of what the contract means by the name. A
    column whose owner is not in the data stays, as any other column that the contract lacks.
    """
    kept, sentences = {}, []
    for table, frame in frames.items():
        owners = {c: _owners(c, table, frames) for c in frame.columns}
        others = [column for column, found in owners.items() if found]
        kept[table] = frame.drop(*others) if others else frame
        sentences += [_sentence(table, column, owners[column]) for column in others]
    return kept, tuple(sentences)


def _owners(column: str, table: str, frames: Mapping[str, ir.Table]) -> list[str]:
    """Tables of the data that a column of ``table`` belongs to instead."""
    if column in TABLES[table].names:
        return []
    return [other for other in frames if column in TABLES[other].names]


def _sentence(table: str, column: str, owners: list[str]) -> str:
    return f"{table}.{column} is set aside: {column} is a column of {' and '.join(owners)}."
