"""The side that runs cells: a warm process that forks workers, which fork for each notebook.

Started by :mod:`analysis.report.execute`, spoken to in lines of JSON. Jobs come in on a pipe of
each worker: ``{"cells": [[number, source, may_fail], ...], "seconds": limit, "environment": {name:
value, ...}}``. For each cell go out ``{"starts": number}`` and ``{"cell": number, "count": n,
"outputs": [...]}``, before them all ``{"child": pid}`` and at last ``{"ended": code}``; before the
first job ``{"server": pid}``.
The warm process imports what notebooks need and starts no thread, so that it may be forked.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import json
import os
import signal
import sys
import traceback
from typing import IO, Any

from analysis.report.shell import Reply, run_cells

Pipes = tuple[IO[bytes], IO[bytes]]  # jobs, replies

GRACE_SECONDS = 5  # after which a child ends by itself, should nobody be left to kill it
GARBAGE_THRESHOLD = 20_000  # new objects before Python looks for garbage; by default 700
NEEDED = (  # by most notebooks, and imported late by what they call
    "ibis.backends.duckdb",
    "scipy.optimize",
    "scipy.special",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "ibis.expr.types.groupby",
    "ibis.formats.pandas",
    "pandas.io.formats.string",
    "pyarrow.pandas_compat",
    "IPython.core.completer",
    "IPython.core.magics",
    "analysis.measures",
    "analysis.plots",
    "analysis.plots.fitting",
    "analysis.report.ask",
    "analysis.report.figure",
    "analysis.report.drawing",
)


def serve(more: str, *, forks: bool) -> None:
    """Run the jobs that come in: on the standard streams, and on ``more`` in forks.

    ``more`` lists, as JSON, file descriptors of jobs, replies and messages, three a fork. Without
    forks: only one job, here.
    """
    ends = [(0, 1, 2), *json.loads(more)]
    pipes = [(os.fdopen(os.dup(end[0]), "rb"), os.fdopen(os.dup(end[1]), "wb")) for end in ends]
    messages = [os.dup(end[2]) for end in ends]  # a copy is not handed on to what cells start
    _keep_apart([number for end in ends[1:] for number in end])
    warm_up()
    if not forks:
        _run_jobs(pipes[0], forks=False)
        return
    for own, words in zip(pipes, messages, strict=True):
        if os.fork() == 0:
            _serve_one(own, pipes, words)
    _close(pipes)
    for _ in pipes:
        os.wait()
    os._exit(0)  # takes leave at once, with all that it has imported


def _keep_apart(others: list[int]) -> None:
    """Keep the pipes apart from what cells read and print, also from below Python."""
    for number in others:
        os.close(number)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 (a device, not a path)
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)


def _serve_one(own: Pipes, pipes: list[Pipes], messages: int) -> None:
    """Be one worker, in a fork, with pipes and messages of its own."""
    try:
        _close([other for other in pipes if other is not own])
        os.dup2(messages, 2)
        os.dup2(messages, 1)
        _run_jobs(own, forks=True)
    finally:
        os._exit(0)


def _close(pipes: list[Pipes]) -> None:
    for pipe in pipes:
        for end in pipe:
            end.close()


def _run_jobs(pipes: Pipes, *, forks: bool) -> None:
    """Run the jobs that come in, each in a child of its own; or only one, where nothing forks."""
    jobs, replies = pipes

    def reply(**message: Any) -> None:
        replies.write(json.dumps(message).encode("ascii") + b"\n")
        replies.flush()

    if forks:
        reply(server=os.getpid())
    for job in jobs:
        if not forks:
            _run(json.loads(job), reply)
            reply(ended=0)
            return
        reply(ended=_in_child(job, reply))


def warm_up() -> None:
    """Import what notebooks need. No connection, no thread pool: a fork would break them.

    What is there by then is not looked through for garbage again, in any fork.
    """
    for name in NEEDED:
        importlib.import_module(name)
    importlib.import_module("ibis").duckdb  # noqa: B018 (finds the engine among all, opens none)
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    gc.enable()


def _run(job: dict[str, Any], reply: Reply) -> None:
    os.environ.update(job["environment"])
    run_cells(job["cells"], reply)


def _in_child(job: bytes, reply: Reply) -> int:
    """Fork, run the job there, wait; return the exit code, or the signal as a negative number."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            faulthandler.enable()
            os.setpgid(0, 0)  # so that what it starts can be ended with it
            reply(child=os.getpid())
            todo = json.loads(job)
            signal.setitimer(signal.ITIMER_REAL, todo["seconds"] + GRACE_SECONDS)
            _run(todo, reply)
            code = 0
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)
