"""The report: every notebook executed on a dataset and rendered as one site."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.report.data_page import about, banner, fingerprint_of
from analysis.report.execute import execute_all, failures, warm_processes
from analysis.report.headlines import headline_figures
from analysis.report.notebooks import read_notebooks
from analysis.report.render import render_page
from analysis.report.site import Index, write_site
from analysis.sources import (
    Tables,
    open_tables,
    require_valid,
    share,
    spark_backend,
    spark_session,
)
from analysis.sources.spark import environment_of_children

if TYPE_CHECKING:
    from ibis.backends import BaseBackend

TITLE = "Order cancellations"
SUMMARY = (
    "Why can this order not be cancelled, how often does asking work, and how long until the "
    "money is back."
)
ID_LENGTH = 16  # digits of a hash that are shown


def make_report(
    dataset: str | Path,
    out: str | Path,
    *,
    as_of: str | None = None,
    workers: int = 2,
    despite_broken_rules: bool = False,
    master: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Run all notebooks on a dataset and write the site.

    Parameters
    ----------
    dataset
        Folder of the dataset.
    out
        Folder of the site; replaced as a whole when everything is rendered.
    as_of
        End of observation, for folders of plain CSV or Parquet files.
    workers
        Notebooks run at a time.
    despite_broken_rules
        Go on although the data breaks rules of the contract; the first page lists them.
    master
        Spark master on which all notebooks share one session; None: each counts with DuckDB.
    progress
        Called with (notebooks done, all notebooks).

    Returns
    -------
    Path
        The file to open.

    Raises
    ------
    ContractError
        The dataset does not open, or breaks rules.
    ValueError
        There is no Spark on ``master``.
    RuntimeError
        A notebook failed; names it and the cell.
    """
    backend, environment = _engine(master)
    tables = open_tables(dataset, as_of, backend=backend)
    notebooks = read_notebooks()
    parameters: dict[str, Any] = {"dataset": str(Path(dataset).absolute()), "as_of": as_of}
    with warm_processes(workers, environment) as warm:  # they import while the data is checked
        if not despite_broken_rules:
            require_valid(tables)
        share(tables, dataset, warm.folder)
        marks = fingerprint_of(tables)
        executed = _executed(notebooks, parameters=parameters, progress=progress, warm=warm)
        _require_no_failure(executed)
        index = _index(tables, marks)  # from answers that the notebooks have left
    pages = [
        render_page(done, name=name, fingerprint=marks | {"notebook": _digest(notebooks[name])})
        for name, done in executed.items()
    ]
    return write_site(pages, index, Path(out))


def _engine(master: str | None) -> tuple[BaseBackend | None, dict[str, str]]:
    """Return what reads the data, and what tells the notebooks' processes to use it too."""
    if master is None:
        return None, {}
    return spark_backend(master), environment_of_children(spark_session(master))


def _executed(
    notebooks: Mapping[str, Mapping[str, Any]], **options: Any
) -> dict[str, Mapping[str, Any]]:
    """Run the notebooks, the longest first, so that at the end none runs alone for long."""
    order = sorted(notebooks, key=lambda name: len(notebooks[name]["cells"]), reverse=True)
    done = execute_all([notebooks[name] for name in order], **options)
    executed = dict(zip(order, done, strict=True))
    return {name: executed[name] for name in notebooks}


def _index(tables: Tables, marks: Mapping[str, str]) -> Index:
    return Index(
        TITLE,
        SUMMARY,
        headline_figures(tables),
        about(tables),
        marks,
        banner(tables.manifest),
    )


def _require_no_failure(executed: Mapping[str, Mapping[str, Any]]) -> None:
    lines: Sequence[str] = [
        f"{name}, {line}" for name, done in executed.items() for line in failures(done)
    ]
    if lines:
        raise RuntimeError("a notebook failed:\n" + "\n".join(lines))


def _digest(notebook: Mapping[str, Any]) -> str:
    text = "\n".join("".join(cell["source"]) for cell in notebook["cells"])
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:ID_LENGTH]
