"""Notebooks in, executed notebooks out: two at a time, each in a fork of a warm process.

A kernel per notebook spends most of its time starting and importing. Here one process imports
everything and forks the workers, which fork for every notebook (:mod:`analysis.report.serving`).
Where there is no fork, each notebook gets a fresh process. Nothing is raised for what happens
inside a notebook: an error, a time limit or a death is an output of the cell where it happened,
the cells after it are not run, and :func:`failures` lists it.
"""

from __future__ import annotations

import contextlib
import json
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from analysis.report.parameters import (
    MAY_FAIL,
    SKIPPED,
    Notebook,
    node_like,
    tags_of,
    with_parameters,
)
from analysis.report.workers import (
    WarmProcesses,
    Worker,
    end_worker,
    how_it_ended,
    last_words,
    messages_of,
    start_workers,
    stop_notebook,
    warm_processes,
)

TIMEOUT_SECONDS = 600.0


def execute_all(
    notebooks: Sequence[Notebook],
    *,
    parameters: Mapping[str, Any] | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
    finished: Callable[[int, Notebook], None] | None = None,
    warm: WarmProcesses | None = None,
) -> list[Notebook]:
    """Run every notebook top to bottom.

    Parameters
    ----------
    notebooks
        Parsed notebooks; they are not changed. Cells tagged ``skip-report`` are not run, and
        cells tagged ``raises-exception`` may fail without ending the notebook.
    parameters
        Values set after the cell tagged ``parameters`` (before all others where there is none), in
        a new cell tagged ``injected-parameters``, as papermill does.
    timeout_seconds
        Longest time for one notebook; its process is killed then.
    workers
        Notebooks run at once.
    progress
        Called with (notebooks done, all notebooks).
    finished
        Called with the place of a notebook, from 0, and its executed copy, when it has ended.
    warm
        Processes started before; then ``workers`` does not count.

    Returns
    -------
    list
        Executed copies, in the same order.

    Raises
    ------
    ValueError
        A parameter is no literal (number, text, truth value, None, or lists and dicts of such), or
        ``workers`` or ``timeout_seconds`` is not positive.
    """
    if not 0 < timeout_seconds < math.inf:
        raise ValueError(f"timeout_seconds must be positive, got {timeout_seconds}")
    prepared = [with_parameters(notebook, parameters or {}) for notebook in notebooks]
    if warm is None:
        with warm_processes(min(workers, max(1, len(prepared)))) as own:
            _run_all(prepared, own, timeout_seconds, progress, finished)
    else:
        _run_all(prepared, warm, timeout_seconds, progress, finished)
    return prepared


def failures(notebook: Notebook) -> list[str]:
    """Return one line for each error in an executed notebook, but for those that may fail."""
    return [
        f"cell {number}: {output['ename']}: {output['evalue']}"
        for number, cell in enumerate(notebook["cells"], 1)
        for output in cell.get("outputs", ())
        if output["output_type"] == "error" and MAY_FAIL not in tags_of(cell)
    ]


def _run_all(
    notebooks: list[Notebook],
    warm: WarmProcesses,
    timeout_seconds: float,
    progress: Callable[[int, int], None] | None,
    finished: Callable[[int, Notebook], None] | None,
) -> None:
    with ThreadPoolExecutor(max(1, len(warm.started))) as pool:
        running = {
            pool.submit(_run, notebook, warm, timeout_seconds): place
            for place, notebook in enumerate(notebooks)
        }
        try:
            for done, one in enumerate(as_completed(running), 1):
                one.result()
                if finished is not None:
                    finished(running[one], notebooks[running[one]])
                if progress is not None:
                    progress(done, len(notebooks))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in list(warm.started):
                stop_notebook(worker)
            raise


def _run(notebook: Notebook, warm: WarmProcesses, timeout_seconds: float) -> None:
    """Run one notebook in a free process, filling in its outputs."""
    worker = warm.free.get()
    if worker is None or worker.process.poll() is not None:
        (worker,) = start_workers(warm)
    late = threading.Event()
    timer = threading.Timer(timeout_seconds, lambda: (late.set(), stop_notebook(worker)))
    timer.start()
    try:
        begun, code = _converse(worker, notebook, timeout_seconds, warm.environment)
    finally:
        timer.cancel()
    if late.is_set():
        _fail(notebook, begun, "TimeoutError", f"the timeout is {timeout_seconds:g} seconds")
    elif code != 0:
        _fail(notebook, begun, "ProcessEnded", how_it_ended(code), last_words(worker))
    is_usable = worker.forks and code is not None
    if not is_usable:
        end_worker(worker)
    warm.free.put(worker if is_usable else None)


def _converse(
    worker: Worker, notebook: Notebook, seconds: float, environment: Mapping[str, str]
) -> tuple[int, int | None]:
    """Send a notebook, take its outputs; return the cell begun last and the exit code.

    The code is negative for a signal, and None where the process went away without a word.
    """
    begun, code = -1, None
    job = json.dumps(
        {"cells": _to_run(notebook), "seconds": seconds, "environment": dict(environment)}
    )
    with contextlib.suppress(OSError):  # it went away: there will be no answer either
        worker.jobs.write(job.encode("ascii") + b"\n")
        worker.jobs.flush()
    for message in messages_of(worker):
        if "ended" in message:
            code = message["ended"]
            break
        worker.child = message.get("child", worker.child)
        begun = message.get("starts", begun)
        if "cell" in message:
            _take(notebook, message)
    worker.child = None
    return begun, code


def _to_run(notebook: Notebook) -> list[tuple[int, str, bool]]:
    return [
        (number, "".join(cell["source"]), MAY_FAIL in tags_of(cell))
        for number, cell in enumerate(notebook["cells"])
        if cell["cell_type"] == "code" and SKIPPED not in tags_of(cell)
    ]


def _take(notebook: Notebook, message: Mapping[str, Any]) -> None:
    cell = notebook["cells"][message["cell"]]
    cell["execution_count"] = message["count"]
    cell["outputs"] = [node_like(notebook, output) for output in message["outputs"]]


def _fail(notebook: Notebook, number: int, name: str, words: str, messages: str = "") -> None:
    """Write an error into the cell that was running, or the first if none was."""
    codes = [n for n, cell in enumerate(notebook["cells"]) if cell["cell_type"] == "code"]
    error = {
        "output_type": "error",
        "ename": name,
        "evalue": words,
        "traceback": [messages or words],
    }
    cell = notebook["cells"][number if number >= 0 else codes[0]]
    cell["outputs"] = [*cell["outputs"], node_like(notebook, error)]
