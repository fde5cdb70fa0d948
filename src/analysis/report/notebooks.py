"""Where the notebooks of the suite are, and reading them."""

from __future__ import annotations

from pathlib import Path

import nbformat

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


def read_notebooks() -> dict[str, nbformat.NotebookNode]:
    """Return the notebooks in order, by name without ending."""
    paths = sorted(notebook_folder().glob("[0-9][0-9]_*.ipynb"))
    return {path.stem: nbformat.read(path, as_version=4) for path in paths}
