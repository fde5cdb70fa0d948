"""Processes that have imported what notebooks need, and wait for them.

One process imports it and forks the others (:func:`analysis.report.serving.serve`), in a session of
their own, so that Ctrl-C reaches the program that started them and not the notebooks.
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
from typing import IO, Any

END_SECONDS = 10.0  # for a process to take leave of its child
FORKS = hasattr(os, "fork")
_START = (
    "import gc, sys; pipes, *sys.path[:] = sys.argv[1:]\n"
    "gc.disable()\n"  # nothing that is imported is garbage
    "from analysis.report.serving import serve; serve(pipes, forks={})"
)
_ENVIRONMENT = {
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "PYTHONHASHSEED": "0",  # the order of sets is the same every time
    # freed memory is used again, not given back and asked for anew
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(512 * 2**20),
    # no threads before the fork
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
_LAST_WORDS = 2_000  # characters of a dead process's own messages that are kept


@dataclass
class Worker:
    """One process that waits for notebooks, the pipes to it, and where it writes messages."""

    process: subprocess.Popen[bytes]  # which imported for it, perhaps for others too
    jobs: IO[bytes]
    replies: IO[bytes]
    messages: Path
    forks: bool  # for each notebook; if not, it runs one notebook only
    server: int | None = None  # process id, once it has imported everything
    child: int | None = None  # process id of the running notebook, and of its group


@dataclass(frozen=True)
class WarmProcesses:
    """Processes that wait for notebooks; made by :func:`warm_processes`."""

    folder: Path
    environment: dict[str, str]  # variables that notebooks see beside ours, also if added later
    started: list[Worker] = field(default_factory=list)
    free: queue.SimpleQueue[Worker | None] = field(default_factory=queue.SimpleQueue)


@contextlib.contextmanager
def warm_processes(
    workers: int = 2, environment: Mapping[str, str] | None = None
) -> Iterator[WarmProcesses]:
    """Start processes that import what notebooks need meanwhile, and end them on leaving.

    ``environment`` has variables that notebooks see beside those of this process.

    Raises
    ------
    ValueError
        ``workers`` is below 1.
    """
    if workers < 1:
        raise ValueError(f"workers must be 1 or more, got {workers}")
    with tempfile.TemporaryDirectory(prefix="cancellations-", ignore_cleanup_errors=True) as folder:
        warm = WarmProcesses(Path(folder), dict(environment or {}))
        try:
            for _ in range(1 if FORKS else workers):
                for worker in start_workers(warm, workers if FORKS else 1):
                    warm.free.put(worker)
            yield warm
        finally:
            for worker in warm.started:
                end_worker(worker)
            for worker in warm.started:
                _wait_for(worker.process)


def start_workers(warm: WarmProcesses, n: int = 1) -> list[Worker]:
    """Start one more process that imports, with ``n`` forks of it that wait for notebooks."""
    folder = Path(tempfile.mkdtemp(dir=warm.folder))
    messages = [folder / f"messages-{i}.txt" for i in range(n)]
    pipes = [(os.pipe(), os.pipe()) for _ in range(n)]
    with contextlib.ExitStack() as theirs:
        ends = [
            (jobs[0], replies[1], theirs.enter_context(path.open("wb")).fileno())
            for (jobs, replies), path in zip(pipes, messages, strict=True)
        ]
        for jobs, replies, _ in ends:
            theirs.callback(os.close, jobs)
            theirs.callback(os.close, replies)
        process = _started(warm, folder, ends)
    for ((_, jobs), (replies, _)), path in zip(pipes, messages, strict=True):
        streams = os.fdopen(jobs, "wb"), os.fdopen(replies, "rb")
        warm.started.append(Worker(process, *streams, path, FORKS))
    return warm.started[-n:]


def _started(
    warm: WarmProcesses, folder: Path, ends: list[tuple[int, int, int]]
) -> subprocess.Popen[bytes]:
    """Start a process that has these ends: of its first worker as its standard streams."""
    more = ends[1:]
    return subprocess.Popen(
        [sys.executable, "-c", _START.format(FORKS), json.dumps(more), *sys.path],
        stdin=ends[0][0],
        stdout=ends[0][1],
        stderr=ends[0][2],
        pass_fds=[end for one in more for end in one],
        env={
            **os.environ,
            **_ENVIRONMENT,
            "IPYTHONDIR": str(folder),
        },
        start_new_session=True,  # Ctrl-C reaches this program only, which then ends them all
    )


def stop_notebook(worker: Worker) -> None:
    """Kill the running notebook and all that it started; a process without one, itself."""
    with contextlib.suppress(ProcessLookupError):
        if worker.child is not None:
            os.killpg(worker.child, signal.SIGKILL)
        elif worker.server is not None:
            os.kill(worker.server, signal.SIGKILL)
        else:
            worker.process.kill()


def end_worker(worker: Worker) -> None:
    """Stop a worker and close its pipes; the process that imported for it sees to its end."""
    stop_notebook(worker)
    for pipe in (worker.jobs, worker.replies):
        with contextlib.suppress(OSError):
            pipe.close()


def _wait_for(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(END_SECONDS)  # it takes leave of its children
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def messages_of(worker: Worker) -> Iterator[dict[str, Any]]:
    """Give what comes from a process, until it has ended."""
    for line in worker.replies:
        if line.endswith(b"\n"):  # not killed while it wrote
            message = json.loads(line)
            worker.server = message.get("server", worker.server)
            yield message


def how_it_ended(code: int | None) -> str:
    """Say an exit code (a signal if negative, None if unknown) in words."""
    if code is None:
        return "the process that runs notebooks ended"
    by = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    return f"the process of this notebook ended {by}"


def last_words(worker: Worker) -> str:
    """Return the end of what the process itself had to say, such as where it crashed."""
    text = worker.messages.read_text(encoding="utf-8", errors="replace")
    lines = [line for line in text.splitlines() if not line.startswith("Extension modules:")]
    return "\n".join(lines).strip()[-_LAST_WORDS:]
