"""Blocks of a market made by the executors of a Spark cluster, each its own.

The plan goes out once; parts and sums come back, no rows, in order of index as from one machine.
An attempt at a block writes beside the folder's parts and renames them into place, so a task
that is lost, retried or run twice leaves whole parts with the same bytes. Executors must see the
folder under the same path (a shared mount) and have the same versions of the packages.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from analysis.marketplace.plan import Plan
from analysis.marketplace.writing import Runner, Written, versions, write_block

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ATTEMPTS = ".attempts"  # folder of parts that are not whole yet
JOBS = 2  # in flight: the second fills cores that the first no longer needs


@dataclass(frozen=True)
class Made:
    """What an executor says of one block."""

    written: Written
    versions: dict[str, str]  # of the packages that made it


def on_spark(session: SparkSession) -> Runner:
    """Return what makes the blocks of a market on a cluster, for ``write_market(runner=...)``.

    Raises
    ------
    ValueError
        (When it runs) an executor lacks the package or has another version of one that the bytes
        depend on, or what it wrote cannot be seen from here.
    """

    def run(plan: Plan, folder: Path) -> Iterator[Written]:
        try:
            for made in _made(session, plan, folder):
                _require_same(made, folder)
                yield made.written
        finally:
            shutil.rmtree(folder / ATTEMPTS, ignore_errors=True)

    return run


def _made(session: SparkSession, plan: Plan, folder: Path) -> Iterator[Made | str]:
    """Make blocks, a wave of one per core at a time; yields them in order of index."""
    context = session.sparkContext
    shared = context.broadcast(plan)
    waiting: list[Future[list[Made | str]]] = []
    asked = 0
    with ThreadPoolExecutor(JOBS) as pool:
        try:
            while asked < plan.n_blocks or waiting:
                while asked < plan.n_blocks and len(waiting) < JOBS:
                    end = min(asked + context.defaultParallelism, plan.n_blocks)
                    waiting.append(pool.submit(_wave, context, shared, folder, range(asked, end)))
                    asked = end
                yield from waiting.pop(0).result()
        except BaseException:
            context.cancelAllJobs()
            raise
    shared.destroy()


def _wave(context: Any, shared: Any, folder: Path, indices: Sequence[int]) -> list[Made | str]:
    """Make some blocks, one task each; an executor without the package says so."""

    def task(indices: Iterator[int]) -> list[Made | str]:  # sent whole: imports only what is there
        try:
            from analysis.marketplace.cluster import make_attempt
        except ImportError as err:
            return [str(err)]
        return [make_attempt(shared.value, folder, index) for index in indices]

    return context.parallelize(indices, len(indices)).mapPartitions(task).collect()


def make_attempt(plan: Plan, folder: Path, index: int) -> Made:
    """Make one block beside the folder's parts, then put its parts in their places."""
    from pyspark import TaskContext

    pa.set_cpu_count(1)
    beside = folder / ATTEMPTS / f"{index}-{TaskContext.get().taskAttemptId()}"
    written = write_block(plan, beside, index)
    for part in written.parts:
        place = folder / part.path
        place.parent.mkdir(parents=True, exist_ok=True)
        (beside / part.path).replace(place)
    shutil.rmtree(beside)
    return Made(written, versions())


def _require_same(made: Made | str, folder: Path) -> None:
    """Raise unless a block is the one that this machine would have made, where it would be."""
    if isinstance(made, str):
        raise ValueError(f"an executor lacks the package or what it needs: {made}")
    ours = versions()
    other = [f"{name} {made.versions[name]}" for name in ours if made.versions[name] != ours[name]]
    if other:
        raise ValueError(f"an executor has {', '.join(other)}, this machine has {ours}")
    for part in made.written.parts:
        if not (folder / part.path).exists():
            raise ValueError(
                f"an executor wrote {folder / part.path}, which is not seen here: "
                "all machines must see the folder under the same path"
            )
