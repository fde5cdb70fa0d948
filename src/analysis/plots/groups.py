"""The groups of a result table: which columns they are, and which of them a figure can show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from analysis.plots.labels import column_label, group_label, group_name, quoted

MOST_GROUPS = 12  # drawn; the others are counted under the figure


class Group(NamedTuple):
    """The rows of one group, and what it is called."""

    label: str  # on an axis
    name: str  # in a sentence
    short: str  # in a sentence that has named the columns
    rows: pd.DataFrame
    values: tuple


def group_columns(table: pd.DataFrame, first: str) -> list[str]:
    """Return the group columns: those that stand before ``first``, the table's own first column.

    Raises
    ------
    ValueError
        The table has no such column: it is the table of another question.
    """
    if first not in table.columns:
        raise ValueError(f"table must have the column {first!r}, got {list(table.columns)}")
    return list(table.columns[: table.columns.get_loc(first)])


def split(table: pd.DataFrame, by: list[str]) -> list[Group]:
    """Return the groups in the order of the table; without group columns one, called "all"."""
    if not by:
        return [Group("all", "all", "all", table, ())]
    numbers = table.groupby(by, sort=False, dropna=False, observed=True).ngroup()
    return list(_groups(table, by, numbers))


def _groups(table: pd.DataFrame, by: list[str], numbers: pd.Series) -> Iterator[Group]:
    for number in dict.fromkeys(numbers):
        rows = table[(numbers == number).to_numpy()].reset_index(drop=True)
        values = tuple(rows[column].iloc[0] for column in by)
        short = ", ".join(quoted(value) for value in values)
        yield Group(group_label(values), group_name(by, values), short, rows, values)


def largest(groups: list[Group], most: int = MOST_GROUPS) -> tuple[list[Group], int]:
    """Return the ``most`` groups with the largest ``n``, in their order, and how many are left."""
    sizes = sizes_of(groups)
    by_size = sorted(range(len(groups)), key=lambda i: -sizes[i])
    kept = sorted(by_size[:most])
    return [groups[i] for i in kept], len(groups) - len(kept)


def sizes_of(groups: list[Group]) -> list[float]:
    """Return the ``n`` of each group, the largest of its rows."""
    return [float(group.rows["n"].fillna(0).max()) for group in groups]


def header(by: list[str]) -> str:
    """Return what the groups are of, e.g. "payment method and size tier"."""
    return " and ".join(column_label(column) for column in by)
