"""The embedded engine: how much memory it may take, and where it keeps what does not fit."""

from __future__ import annotations

import os
import re
import tempfile
from typing import TYPE_CHECKING, Any

import ibis

if TYPE_CHECKING:
    from ibis.backends import BaseBackend

MEMORY_VARIABLE = "CANCELLATIONS_MEMORY"


def connect() -> BaseBackend:
    """Return a fresh embedded DuckDB engine.

    It takes at most the memory that the environment variable ``CANCELLATIONS_MEMORY`` names, by
    default most of the machine's, and keeps the rest in files in the folder for temporary ones.

    Raises
    ------
    ValueError
        The variable does not name a size.
    """
    limit = os.environ.get(MEMORY_VARIABLE)
    settings: dict[str, Any] = {
        "temp_directory": spilled_to(),
        "allocator_background_threads": True,  # freed memory goes back to the system by and by
    }
    if limit is not None:
        settings["memory_limit"] = memory_size(limit)
    return ibis.duckdb.connect(preserve_insertion_order=False, **settings)


def spilled_to() -> str:
    """Folder in which the engines of this process keep what memory does not hold."""
    return f"{tempfile.gettempdir()}/cancellations-{os.getpid()}"


def memory_size(text: str) -> str:
    """Return a size of memory as it is, such as ``2GB``.

    Raises
    ------
    ValueError
        It is none.
    """
    if re.fullmatch(r"[1-9]\d{0,5}(\.\d+)? ?[KMGT]i?B", text) is None:
        raise ValueError(f"memory must be a size such as 2GB or 500MB, got {text!r}")
    return text
