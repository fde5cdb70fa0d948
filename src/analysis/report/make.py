"""The report: every notebook executed on a dataset and rendered as one site."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.report.execute import TIMEOUT_SECONDS, execute_all
from analysis.report.notebooks import read_notebooks
from analysis.report.render import Page, render_page
from analysis.report.site import Index, write_site
from analysis.report.workers import WarmProcesses, warm_processes

if TYPE_CHECKING:
    from analysis.sources import Tables

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
    timeout_seconds: float = TIMEOUT_SECONDS,
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
    timeout_seconds
        Longest time for one notebook, which fails then.
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
        There is no Spark on ``master``, ``timeout_seconds`` is not positive, or a notebook took
        longer.
    RuntimeError
        A notebook failed; names it and the cell.
    """
    with warm_processes(workers) as warm:  # they import while this one does, and checks the data
        with _without_garbage():
            from analysis.report.data_page import fingerprint_of

        tables = _opened(dataset, as_of, master, warm)
        _prepare(tables, dataset, warm, workers, is_valid=not despite_broken_rules)
        marks = fingerprint_of(tables)
        parameters = {"dataset": str(Path(dataset).absolute()), "as_of": as_of}
        pages = _pages(
            marks,
            parameters=parameters,
            timeout_seconds=timeout_seconds,
            progress=progress,
            warm=warm,
        )
        _require_no_failure(pages)
        index = _index(tables, marks)  # from answers that the notebooks have left
    return write_site(pages, index, Path(out))


@contextlib.contextmanager
def _without_garbage() -> Iterator[None]:
    """Look for no garbage meanwhile: nothing that is imported is any."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def _opened(
    dataset: str | Path, as_of: str | None, master: str | None, warm: WarmProcesses
) -> Tables:
    """Open the data, and tell the notebooks which engine is to read it."""
    from analysis.sources import open_tables, spark_backend, spark_session
    from analysis.sources.spark import environment_of_children

    if master is None:
        return open_tables(dataset, as_of)
    backend = spark_backend(master)
    warm.environment.update(environment_of_children(spark_session(master)))
    return open_tables(dataset, as_of, backend=backend)


def _prepare(
    tables: Tables, dataset: str | Path, warm: WarmProcesses, workers: int, *, is_valid: bool
) -> None:
    """Check the data, if it ``is_valid`` only, and leave for notebooks what all of them need."""
    from analysis.sources import SHARED_FOLDER, THREADS, require_valid, share

    if is_valid:
        require_valid(tables)
    share(tables, dataset, warm.folder)
    threads = max(1, (os.cpu_count() or 1) // workers)  # all together as many as cores
    warm.environment.update({SHARED_FOLDER: str(warm.folder), THREADS: str(threads)})


def _pages(marks: Mapping[str, str], **options: Any) -> list[Page]:
    """Run the notebooks, the longest first, so that at the end none runs alone for long.

    Each is rendered as soon as it has ended, while others run.
    """
    notebooks, pages = read_notebooks(), {}
    order = sorted(notebooks, key=lambda name: _length(notebooks[name]), reverse=True)

    def render(place: int, executed: Mapping[str, Any]) -> None:
        name = order[place]
        fingerprint = {**marks, "notebook": _digest(notebooks[name])}
        pages[name] = render_page(executed, name=name, fingerprint=fingerprint)

    execute_all([notebooks[name] for name in order], finished=render, **options)
    return [pages[name] for name in notebooks]


def _length(notebook: Mapping[str, Any]) -> int:
    """How long a notebook will run: its questions, where one to a model takes as long as three."""
    source = "\n".join("".join(cell["source"]) for cell in notebook["cells"])
    return source.count("ask(") + 2 * source.count("_drivers, tables")


def _index(tables: Tables, marks: Mapping[str, str]) -> Index:
    from analysis.report.data_page import about, banner
    from analysis.report.headlines import headline_figures

    return Index(
        TITLE,
        SUMMARY,
        headline_figures(tables),
        about(tables),
        marks,
        banner(tables.manifest),
    )


def _require_no_failure(pages: Sequence[Page]) -> None:
    lines = [f"{page.name}, {line}" for page in pages for line in page.failures]
    if lines:
        slow = all(": TimeoutError: " in line for line in lines)  # no bug: the data are large
        error = ValueError if slow else RuntimeError
        raise error("a notebook failed:\n" + "\n".join(lines))


def _digest(notebook: Mapping[str, Any]) -> str:
    text = "\n".join("".join(cell["source"]) for cell in notebook["cells"])
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:ID_LENGTH]
