"""Every measure as files: CSV for a spreadsheet, JSON for a program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import signature
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.contract import MissingData, replaced_when_complete
from analysis.measures import MEASURES
from analysis.measures.answers import answered
from analysis.sources import Tables

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_tables(
    tables: Tables,
    out: Path,
    *,
    by: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, str]:
    """Write the table of every measure to ``out`` as ``<measure>.csv`` and ``<measure>.json``.

    Parameters
    ----------
    tables
        Opened dataset.
    out
        Folder; replaced as a whole when everything is written.
    by
        Group columns; a measure that cannot be grouped so is named in the result.
    progress
        Called with (measures done, all measures).

    Returns
    -------
    dict
        Measure that has no file -> what it lacks in this data.

    Raises
    ------
    MissingData
        No measure can be grouped by ``by``; nothing is written.
    """
    absent: dict[str, str] = {}
    grouped = {name for name, measure in MEASURES.items() if "by" in signature(measure).parameters}
    with replaced_when_complete(Path(out)) as folder:
        for done, (name, measure) in enumerate(MEASURES.items(), 1):
            options: dict[str, Any] = {"by": list(by)} if name in grouped else {}
            try:
                _write(folder, name, answered(measure, tables, **options))
            except MissingData as lack:
                absent[name] = str(lack)
            if progress is not None:
                progress(done, len(MEASURES))
        if by and grouped <= set(absent):
            raise MissingData(f"the column {', '.join(by)}", needed_by="any measure")
    return absent


def _write(folder: Path, name: str, table: pd.DataFrame) -> None:
    safe = table.copy()
    for column in table.select_dtypes(include=["object", "str"]).columns:
        safe[column] = table[column].map(_inert)
    safe.to_csv(folder / f"{name}.csv", index=False)
    table.to_json(
        folder / f"{name}.json", orient="records", date_format="iso", double_precision=15, indent=1
    )


def _inert(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula, made plain text by a quote before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
