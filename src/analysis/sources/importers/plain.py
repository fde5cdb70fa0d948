"""Import of CSV or Parquet files that have the contract's columns already."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pandas as pd

from analysis.contract import MANIFEST, Manifest
from analysis.sources.opening import open_tables
from analysis.sources.writing import write_tables


def import_tables(
    folder: str | Path,
    out: str | Path,
    as_of: datetime | pd.Timestamp | str | None = None,
    *,
    source: str = "",
) -> Manifest:
    """Read files named like the tables, check them, and write them as a dataset folder.

    Parameters
    ----------
    folder
        Has ``orders.csv`` and ``requests.csv`` (or ``.parquet``, or folders of parts), and the
        other tables if there are any. Times without a zone are UTC.
    out
        Dataset folder that is made, or replaced once the new one is complete.
    as_of
        When observation ends: what happened later is not in the files.
    source
        What the data is, for people; the folder's name if not given.

    Returns
    -------
    Manifest
        What was written.

    Raises
    ------
    ContractError
        A file cannot be read, or the data breaks the contract: one error says everything.
    ValueError
        ``as_of`` is missing or no moment, or ``folder`` is a dataset already.
    """
    folder = Path(folder)
    if (folder / MANIFEST).exists():
        raise ValueError(f"{folder} is a dataset already (it has {MANIFEST}): open it as it is")
    tables = open_tables(folder, as_of)
    named = source or f"files in the folder {folder.resolve().name}"
    about = {"source": named, "notes": tables.notes, "made_with": {"importer": "tables"}}
    return write_tables(out, tables, **about)
