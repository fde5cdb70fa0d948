"""What there is: rows, first and last moment of each table."""

from __future__ import annotations

import pandas as pd

from analysis.contract import TABLES
from analysis.sources.engine import collect
from analysis.sources.tables import Tables

CLOCKS = {  # the moment that dates a row
    "sellers": "opened_at",
    "orders": "placed_at",
    "requests": "requested_at",
    "refunds": "credited_at",
    "steps": "occurred_at",
}


def describe(tables: Tables) -> pd.DataFrame:
    """Return the size and the span of every table of the contract, also of those absent.

    Returns
    -------
    DataFrame
        One row per table: ``table, one_row_is, n_rows, first_at, last_at``; ``n_rows`` is
        missing where the data has no such table, the moments where it has no clock.
    """
    rows = []
    for name, spec in TABLES.items():
        row = {"table": name, "one_row_is": spec.row, "n_rows": pd.NA}
        if name in tables.frames:
            frame = tables.frames[name]
            wanted = {"n_rows": frame.count()}
            if tables.has(name, CLOCKS.get(name, "")):
                clock = frame[CLOCKS[name]]
                wanted |= {"first_at": clock.min(), "last_at": clock.max()}
            row |= collect(frame.aggregate(**wanted)).iloc[0].to_dict()
        rows.append(row)
    table = pd.DataFrame(rows, columns=["table", "one_row_is", "n_rows", "first_at", "last_at"])
    table["n_rows"] = table["n_rows"].astype("Int64")
    for column in ("first_at", "last_at"):
        table[column] = pd.to_datetime(table[column], utc=True)
    return table
