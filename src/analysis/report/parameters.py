"""Notebooks as data: their tags, and the cell that sets parameters, as papermill writes it."""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

Notebook = dict[str, Any]  # a parsed .ipynb: plain, or nbformat's NotebookNode

PARAMETERS = "parameters"  # the cell with the parameters and their defaults
INJECTED = "injected-parameters"  # the cell with the values of this run
SKIPPED = "skip-report"  # neither run for the report nor shown in it
MAY_FAIL = "raises-exception"  # an error here does not end the notebook


def tags_of(cell: Mapping[str, Any]) -> Sequence[str]:
    """Return the tags of a cell."""
    return cell["metadata"].get("tags", ())


def node_like(notebook: Notebook, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part of a notebook of the same type as the notebook itself."""
    node = type(notebook)()
    node.update(content)
    return node


def with_parameters(notebook: Notebook, parameters: Mapping[str, Any]) -> Notebook:
    """Return a copy without outputs, with a cell that sets the parameters.

    Parameters
    ----------
    notebook
        A parsed notebook; it is not changed.
    parameters
        Name -> literal: number, text, path, truth value, None, or lists and dicts of such. The new
        cell stands after the one tagged ``parameters``, before all others where there is none, and
        replaces one from an earlier run.

    Raises
    ------
    ValueError
        A name cannot be a variable's, or a value is not a literal.
    """
    made = copy.deepcopy(notebook)
    cells = [cell for cell in made["cells"] if INJECTED not in tags_of(cell)]
    for cell in cells:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    if parameters:
        tagged = (n for n, cell in enumerate(cells, 1) if PARAMETERS in tags_of(cell))
        cells.insert(next(tagged, 0), node_like(made, _parameters_cell(parameters)))
    made["cells"] = cells
    return made


def _parameters_cell(parameters: Mapping[str, Any]) -> dict[str, Any]:
    lines = [f"{name} = {_literal(name, value)}" for name, value in parameters.items()]
    return {
        "cell_type": "code",
        "id": INJECTED,
        "metadata": {"tags": [INJECTED]},
        "source": "\n".join(["# Parameters", *lines]),
        "outputs": [],
        "execution_count": None,
    }


def _literal(name: str, value: Any) -> str:
    """Python source of a value."""
    if not name.isidentifier():
        raise ValueError(f"a parameter must have the name of a variable, got {name!r}")
    if isinstance(value, os.PathLike):
        return repr(os.fspath(value))
    if isinstance(value, dict):
        items = (f"{_literal(name, k)}: {_literal(name, v)}" for k, v in value.items())
        return f"{{{', '.join(items)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_literal(name, item) for item in value)}]"
    if type(value) is float and not math.isfinite(value):
        return f'float("{value}")'
    if value is None or type(value) in (bool, int, float, str):
        return repr(value)
    raise ValueError(f"parameter {name} must be a literal, got {value!r}")
