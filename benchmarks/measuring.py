"""What a piece of work costs: wall seconds, CPU seconds, and the largest process that it had.

Commands are started by a small process of its own (this file as a script), because the peak that
the system keeps of a process counts the memory of whoever started it. They find Python's bytecode
in a folder of the benchmarks, as they would after a first start anywhere.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
CLI = (sys.executable, "-m", "analysis.program")
KB = 1024  # the system tells the peak in units of so many bytes, we in millions
BYTECODE = HERE / ".bytecode"
LONGEST = 4 * 3600  # seconds that a command may take where nothing else is said
SLOW = 10  # seconds; what has taken so long is not run again


class Usage(NamedTuple):
    """What a command cost, and what it printed."""

    seconds: float
    cpu_seconds: float  # user and system, of the process and of all that it waited for
    peak_mb: float  # resident, of the largest of these processes
    output: str = ""


class FailedError(Exception):
    """A command failed or took too long; says how."""


def measured(command: Sequence[object], *, timeout: float = LONGEST) -> Usage:
    """Run a command to its end.

    Raises
    ------
    FailedError
        It failed (with its last words) or took longer than ``timeout`` seconds.
    """
    starter = [sys.executable, "-I", "-S", __file__, str(timeout), *map(str, command)]
    done = subprocess.run(starter, capture_output=True, text=True, check=False, env=_settings())
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise FailedError(last[0])
    output, _, found = done.stdout.rstrip().rpartition("\n")
    return Usage(**json.loads(found), output=output.strip())


def _settings() -> dict[str, str]:
    others = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**others, "PYTHONPYCACHEPREFIX": str(BYTECODE)}


def warm_commands() -> None:
    """Run each command once on few orders, so that no later one compiles what it imports."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "market"
        measured([*CLI, "generate", "--orders", 2000, "--workers", 2, "--out", data])
        for command in ("tables", "report"):
            measured([*CLI, command, data, "--out", Path(folder) / command])


def started(command: Sequence[str], timeout: float) -> dict[str, float]:
    """Start a command, wait for it and return what it cost; ends this process if it fails."""
    start = time.perf_counter()
    child = subprocess.Popen(command, start_new_session=True)
    signal.signal(signal.SIGALRM, lambda *_: _stop(child, f"not done in {timeout:g} s"))
    signal.setitimer(signal.ITIMER_REAL, timeout)
    _, status, used = os.wait4(child.pid, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    if status:
        sys.exit(abs(os.waitstatus_to_exitcode(status)))
    return {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss * KB / 1e6,
    }


def _stop(child: subprocess.Popen, words: str) -> None:
    os.killpg(child.pid, signal.SIGKILL)
    print(words, file=sys.stderr)
    sys.exit(1)


def in_child(code: str, *arguments: object) -> str:
    """Run Python code in a process of its own and return what it prints."""
    return measured([sys.executable, "-c", code, *arguments]).output


def seconds(job: Callable[[], object], repeats: int = 3) -> tuple[float, float]:
    """Median wall and CPU seconds of a job that has run once before; of one run if that is slow."""
    first = _timed(job)
    if first[0] > SLOW:
        return first
    walls, cpus = zip(*(_timed(job) for _ in range(repeats)), strict=True)
    return statistics.median(walls), statistics.median(cpus)


def _timed(job: Callable[[], object]) -> tuple[float, float]:
    start = time.perf_counter(), time.process_time()
    job()
    return time.perf_counter() - start[0], time.process_time() - start[1]


if __name__ == "__main__":
    found = started(sys.argv[2:], float(sys.argv[1]))
    print("\n" + json.dumps(found))
