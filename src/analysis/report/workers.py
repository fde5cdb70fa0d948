"""Processes that have imported what notebooks need, and wait for them.

Each runs :func:`analysis.report.shell.serve` in a session of its own, so that Ctrl-C reaches the
program that started it and not the notebooks.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis.sources import SHARED_FOLDER

END_SECONDS = 10.0  # for a process to take leave of its child
FORKS = hasattr(os, "fork")
_START = (
    "import sys; sys.path[:] = sys.argv[1:]\n"
    "from analysis.report.shell import serve; serve(forks={})"
)
_ENVIRONMENT = {
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "PYTHONHASHSEED": "0",  # the order of sets is the same every time
    # no threads before the fork
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
_MESSAGES = "messages.txt"
_LAST_WORDS = 2_000  # characters of a dead process's own messages that are kept


@dataclass
class Worker:
    """One warm process, and the folder with its messages and IPython's files."""

    process: subprocess.Popen[bytes]
    folder: Path
    forks: bool  # for each notebook; if not, it runs one notebook only
    child: int | None = None  # process id of the running notebook, and of its group


@dataclass(frozen=True)
class WarmProcesses:
    """Processes that wait for notebooks; made by :func:`warm_processes`."""

    folder: Path
    environment: Mapping[str, str]  # variables that theirs has beside ours
    started: list[Worker] = field(default_factory=list)
    free: queue.SimpleQueue[Worker | None] = field(default_factory=queue.SimpleQueue)


@contextlib.contextmanager
def warm_processes(
    workers: int = 2, environment: Mapping[str, str] | None = None
) -> Iterator[WarmProcesses]:
    """Start processes that import what notebooks need meanwhile, and end them on leaving.

    ``environment`` has variables that they see beside those of this process.

    Raises
    ------
    ValueError
        ``workers`` is below 1.
    """
    if workers < 1:
        raise ValueError(f"workers must be 1 or more, got {workers}")
    with tempfile.TemporaryDirectory(prefix="cancellations-", ignore_cleanup_errors=True) as folder:
        warm = WarmProcesses(Path(folder), environment or {})
        try:
            for _ in range(workers):
                warm.free.put(start_worker(warm))
            yield warm
        finally:
            for worker in warm.started:
                end_worker(worker)


def start_worker(warm: WarmProcesses) -> Worker:
    """Start one more process."""
    folder = Path(tempfile.mkdtemp(dir=warm.folder))
    with (folder / _MESSAGES).open("wb") as messages:
        process = subprocess.Popen(
            [sys.executable, "-c", _START.format(FORKS), *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=messages,
            env={
                **os.environ,
                **_ENVIRONMENT,
                **warm.environment,
                "IPYTHONDIR": str(folder),
                SHARED_FOLDER: str(warm.folder),
            },
            start_new_session=True,  # Ctrl-C reaches this program only, which then ends them all
        )
    warm.started.append(Worker(process, folder, FORKS))
    return warm.started[-1]


def stop_notebook(worker: Worker) -> None:
    """Kill the running notebook and all that it started; a process without one, itself."""
    if worker.child is None:
        worker.process.kill()
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(worker.child, signal.SIGKILL)


def end_worker(worker: Worker) -> None:
    """Stop a process, wait for it and close its pipes."""
    stop_notebook(worker)
    with contextlib.suppress(OSError):
        worker.process.stdin.close()
    try:
        worker.process.wait(END_SECONDS)  # it takes leave of its child
    except subprocess.TimeoutExpired:
        worker.process.kill()
        worker.process.wait()
    worker.process.stdout.close()


def messages_of(worker: Worker) -> Iterator[dict[str, Any]]:
    """Give what comes from a process, until it has ended."""
    for line in worker.process.stdout:
        if line.endswith(b"\n"):  # not killed while it wrote
            yield json.loads(line)


def how_it_ended(code: int | None) -> str:
    """Say an exit code (a signal if negative, None if unknown) in words."""
    if code is None:
        return "the process that runs notebooks ended"
    by = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    return f"the process of this notebook ended {by}"


def last_words(worker: Worker) -> str:
    """Return the end of what the process itself had to say, such as where it crashed."""
    text = (worker.folder / _MESSAGES).read_text(encoding="utf-8", errors="replace")
    lines = [line for line in text.splitlines() if not line.startswith("Extension modules:")]
    return "\n".join(lines).strip()[-_LAST_WORDS:]
