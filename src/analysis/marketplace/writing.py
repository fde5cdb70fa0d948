"""Write a market as a dataset folder, block by block, in constant memory.

A block becomes one part of every table, with one row group; the settings of Parquet are chosen
here and nowhere else. Blocks are made by processes that share nothing but the plan, so the bytes
are the same for any number of workers. Workers are spawned, not forked: a script that asks for
more than one needs the usual ``if __name__ == "__main__":``.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from analysis.contract import (
    Manifest,
    Part,
    describe_part,
    replaced_when_complete,
    write_manifest,
)
from analysis.marketplace.estimands import Sums, add, estimands
from analysis.marketplace.frames import plain_table
from analysis.marketplace.market import build_block, sellers_table
from analysis.marketplace.plan import BLOCK, Plan, make_plan
from analysis.marketplace.policy import Policy
from analysis.marketplace.truth import seller_truth
from analysis.marketplace.world import World

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int], None]
PACKAGES = ("order-cancellations", "numpy", "pyarrow", "scipy", "faker")
NOTES = (
    "These data are synthetic: no order, buyer or seller in them exists.",
    "The folder truth/ holds what no marketplace can see; it is for checking methods only.",
)


class Written(NamedTuple):
    """What a worker gives back for one block: no rows, only parts and sums."""

    parts: tuple[Part, ...]
    sums: Sums
    seller_sums: NDArray[np.float64]


# makes all blocks of a plan in a folder, on whatever machines; yields them in order of index
Runner = Callable[[Plan, Path], Iterator[Written]]


def write_market(
    out: str | Path,
    n_orders: int,
    *,
    seed: int = 7,
    policy: str | Policy = "aliexpress",
    world: str | World = "aliexpress",
    as_of: str | pd.Timestamp | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    block_orders: int = BLOCK,
    runner: Runner | None = None,
) -> Manifest:
    """Write a synthetic marketplace as a dataset folder, with its truth beside it.

    Parameters
    ----------
    out
        The folder; an old one is replaced when the new one is complete.
    n_orders, seed, policy, world, as_of
        As in :func:`analysis.marketplace.make_market`.
    workers
        Processes that make blocks, this one included; the bytes do not depend on it.
    progress
        Called with (blocks done, all blocks) at the start and after every block.
    block_orders
        Ordinary orders per part.
    runner
        What makes the blocks instead of ``workers``, such as
        :func:`analysis.marketplace.cluster.on_spark`; the bytes do not depend on it either.

    Returns
    -------
    Manifest
        What was written to ``dataset.json``.

    Raises
    ------
    ValueError
        A preset is unknown, a number is out of range, or ``out`` is a file.
    """
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    plan = make_plan(
        n_orders, seed=seed, policy=policy, world=world, as_of=as_of, block_orders=block_orders
    )
    total, by_seller, parts = None, np.zeros((3, len(plan.sellers))), []
    run = functools.partial(_blocks, workers=workers) if runner is None else runner
    if progress is not None:
        progress(0, plan.n_blocks)
    with replaced_when_complete(Path(out)) as folder:
        for done, written in enumerate(run(plan, folder), 1):
            total, by_seller = add(total, written.sums), by_seller + written.seller_sums
            parts.extend(written.parts)
            if progress is not None:
                progress(done, plan.n_blocks)
        parts += _write_whole(plan, folder, total or {}, by_seller)
        manifest = Manifest(
            as_of=plan.as_of_moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            parts=tuple(sorted(parts, key=lambda part: part.path)),
            source=f"synthetic marketplace, {plan.world.name} world, {plan.policy.name} policy",
            synthetic=True,
            notes=NOTES,
            made_with=_made_with(plan),
        )
        write_manifest(folder, manifest)
    return manifest


def _made_with(plan: Plan) -> dict[str, Any]:
    return {
        **plan.made_with(),
        "world": dataclasses.asdict(plan.world),
        "policy": dataclasses.asdict(plan.policy),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Return the versions of the packages that the bytes may depend on."""
    return {package: version(package) for package in PACKAGES}


def _blocks(plan: Plan, folder: Path, workers: int) -> Iterator[Written]:
    """Write all blocks; yields them in order of index whatever the workers do."""
    others = min(workers, plan.n_blocks) - 1  # this process is one of them
    if others == 0:
        yield from (write_block(plan, folder, index) for index in range(plan.n_blocks))
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        others, mp_context=context, initializer=_adopt, initargs=(plan, folder)
    ) as pool:
        yield from _shared(pool, plan, folder, ahead=2 * others)


def _shared(pool: ProcessPoolExecutor, plan: Plan, folder: Path, ahead: int) -> Iterator[Written]:
    """Hand out blocks, some ``ahead``, and make others here until the next in order is made."""
    blocks: dict[int, Future[Written]] = {}
    begun = 0
    try:
        for index in range(plan.n_blocks):
            while begun < plan.n_blocks and not (index in blocks and blocks[index].done()):
                if sum(not block.done() for block in blocks.values()) < ahead:
                    blocks[begun] = pool.submit(_write_adopted, begun)
                else:
                    blocks[begun] = Future()
                    blocks[begun].set_result(write_block(plan, folder, begun))
                begun += 1
            yield blocks.pop(index).result()
    except BaseException:
        pool.shutdown(wait=True, cancel_futures=True)
        raise


_adopted: dict[str, Any] = {}  # this worker's plan and folder


def _adopt(plan: Plan, folder: Path) -> None:
    pa.set_cpu_count(1)
    _adopted.update(plan=plan, folder=folder)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this worker when its parent is gone, killed or not."""
    multiprocessing.connection.wait([multiprocessing.parent_process().sentinel])
    os._exit(1)


def _write_adopted(index: int) -> Written:
    return write_block(_adopted["plan"], _adopted["folder"], index)


def write_block(plan: Plan, folder: Path, index: int) -> Written:
    """Make one block and write its parts."""
    block = build_block(plan, index)
    tables = block.tables | block.truth
    parts = tuple(_write_part(folder, name, table, index) for name, table in tables.items())
    return Written(parts, block.sums, block.seller_sums)


def _write_part(folder: Path, name: str, table: pa.Table, index: int) -> Part:
    path = folder / name / f"part-{index:05d}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_parquet(table, path)
    return describe_part(folder, name, path, table.num_rows)


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write one part: one row group, dictionaries for words, differences for ids and times.

    Words, all of which are in every part, and moments that may be missing have no statistics: to
    work them out costs as much as writing the words, and readers were no slower without.
    """
    words = [f.name for f in table.schema if pa.types.is_dictionary(f.type)]
    times = [f.name for f in table.schema if pa.types.is_timestamp(f.type)]
    whole = [f.name for f in table.schema if f.type == pa.int64()] + times
    without = {*words, *(name for name in times if table.schema.field(name).nullable)}
    pq.write_table(
        table,
        path,
        row_group_size=max(table.num_rows, 1),
        compression="snappy",
        use_dictionary=words or False,
        column_encoding=dict.fromkeys(whole, "DELTA_BINARY_PACKED"),
        write_statistics=[name for name in table.column_names if name not in without],
        store_schema=True,
    )


def _write_whole(
    plan: Plan, folder: Path, total: Sums, by_seller: NDArray[np.float64]
) -> list[Part]:
    """Write what belongs to no block: sellers, their truth, and the estimands."""
    values = estimands(total)
    path = folder / "truth" / "estimands.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    traits = plain_table(plan, seller_truth(plan, by_seller), {})
    return [
        _write_part(folder, "sellers", sellers_table(plan), 0),
        _write_part(folder, "truth/sellers", traits, 0),
        describe_part(folder, "truth/estimands", path, len(values)),
    ]
