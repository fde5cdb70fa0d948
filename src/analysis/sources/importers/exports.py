"""The files of somebody's export: found, read as text, and their columns seen to be there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.contract import ContractError

ENDINGS = (".csv", ".parquet")


class Export(NamedTuple):
    """One file: what we call it, its name without ending, the columns that it must have."""

    name: str
    file: str
    columns: tuple[str, ...]


class Files(NamedTuple):
    """Files that were read: their frames, and the sub-folder in which each was found."""

    frames: dict[str, pd.DataFrame]
    folders: dict[str, str]


def read_exports(folder: Path, exports: Iterable[Export], places: Iterable[str]) -> Files:
    """Read every export from the first of ``places`` (sub-folders of ``folder``) that has it.

    Returns
    -------
    Files
        Only the wanted columns; CSV cells are text, empty ones missing.

    Raises
    ------
    ContractError
        ``folder`` is none, files are missing (all are named), unreadable, or lack columns.
    """
    if not folder.is_dir():
        raise ContractError(f"there is no folder {folder}")
    exports, places = list(exports), list(places)
    found = {export.name: _find(folder, export.file, places) for export in exports}
    absent = [export.file for export in exports if found[export.name] is None]
    if absent:
        raise ContractError(
            f"{folder} is not this export: it lacks {', '.join(absent)} ({' or '.join(ENDINGS)})"
        )
    frames = {export.name: _read(found[export.name], export.columns) for export in exports}
    parents = {name: path.parent.relative_to(folder).as_posix() for name, path in found.items()}
    return Files(frames, parents)


def moments(where: str, texts: pd.Series, zone: str) -> pd.Series:
    """Return local times without a zone as UTC; empty ones stay missing.

    In the hour that a change of clocks repeats, the first is meant; an hour that it skips is
    taken as its end. So times that were in order stay in order.

    Raises
    ------
    ContractError
        A text is not a time; ``where`` says whose.
    """
    try:
        local = pd.to_datetime(texts, format="ISO8601")
    except ValueError as err:
        read = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True)
        wrong = _first(texts, read.isna())
        raise ContractError(
            f"{where} must be a local time such as 2018-03-01 12:00:00{wrong}"
        ) from err
    if local.dt.tz is None:
        summer = np.ones(len(local), dtype=bool)
        local = local.dt.tz_localize(zone, ambiguous=summer, nonexistent="shift_forward")
    return local.dt.tz_convert("UTC")


def numbers(where: str, texts: pd.Series) -> pd.Series:
    """Return texts as numbers; empty ones stay missing.

    Raises
    ------
    ContractError
        A text is not a finite number; ``where`` says whose.
    """
    read = pd.to_numeric(texts, errors="coerce")
    wrong = _first(texts, read.isna() | np.isinf(read))
    if wrong:
        raise ContractError(f"{where} must be numbers, finite, such as 12.50{wrong}")
    return read


def _first(texts: pd.Series, is_wrong: pd.Series) -> str:
    """Words that name the first wrong text; none if there is none."""
    wrong = texts[is_wrong & texts.notna()]
    return f", got {wrong.iloc[0]!r}" if len(wrong) else ""


def _find(folder: Path, file: str, places: list[str]) -> Path | None:
    paths = (folder / place / f"{file}{ending}" for place in places for ending in ENDINGS)
    return next((path for path in paths if path.is_file()), None)


def _read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    try:
        if path.suffix == ".parquet":
            frame = pd.read_parquet(path)
        else:
            frame = pd.read_csv(
                path, dtype="str", encoding="utf-8-sig", keep_default_na=False, na_values=[""]
            )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, pa.ArrowInvalid, ValueError) as err:
        raise ContractError(f"{path} cannot be read: {err}") from err
    lacking = [column for column in columns if column not in frame.columns]
    if lacking:
        raise ContractError(
            f"{path} lacks the columns {', '.join(lacking)}; it has: {', '.join(frame.columns)}"
        )
    return frame[list(columns)]
