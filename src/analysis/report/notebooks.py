"""Where the notebooks of the suite are, and reading them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[1]


def notebook_folder() -> Path:
    """Return the folder of the notebooks: in the package, or beside its source.

    Raises
    ------
    FileNotFoundError
        There are no notebooks in either place.
    """
    for folder in (PACKAGE / "notebooks", PACKAGE.parents[1] / "notebooks"):
        if any(folder.glob("[0-9][0-9]_*.ipynb")):
            return folder
    raise FileNotFoundError(f"no notebooks beside {PACKAGE}: install the package from its source")


def read_notebooks() -> dict[str, dict[str, Any]]:
    """Return the notebooks in order, by name without ending (plain: nbformat imports slowly)."""
    paths = sorted(notebook_folder().glob("[0-9][0-9]_*.ipynb"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}
