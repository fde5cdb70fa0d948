"""Run studies side by side in processes; the numbers do not depend on how many there are."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from typing import Any
from zlib import crc32

from .markets import MARKETS, Truth, side_by_side
from .study import Outcome, Study, joined, scored

SEED = 20_260
MARKETS_AT_A_TIME = 125
FIRST_MARKET = 1_000


def run_all(
    studies: Sequence[Study], *, workers: int = 2, most: int | None = None
) -> list[dict[str, Any]]:
    """Run studies and return their rows, in their order.

    Parameters
    ----------
    studies
        What to run.
    workers
        Processes; with 1 everything runs in this one.
    most
        At most this many replications of each.
    """
    shared = tuple(study for study in studies if study.of_markets)
    n_markets = min(MARKETS, most or MARKETS) if shared else 0
    blocks = [
        range(FIRST_MARKET + first, FIRST_MARKET + min(first + MARKETS_AT_A_TIME, n_markets))
        for first in range(0, n_markets, MARKETS_AT_A_TIME)
    ]
    laws: dict[tuple[str, str], list[Study]] = {}
    for study in studies:
        if not study.of_markets:
            laws.setdefault((study.topic, study.law), []).append(study)
    tasks = [(_on_markets, shared, block) for block in blocks]
    tasks += [(_on_a_law, tuple(group), most) for group in laws.values()]
    found = list(_done(tasks, workers))
    outcomes: dict[str, list[Outcome]] = {study.name: [] for study in studies}
    for part in found:
        for name, outcome in part.items():
            outcomes[name].append(outcome)
    return [scored(study, joined(outcomes[study.name])) for study in studies]


def _done(tasks: Sequence[tuple], workers: int) -> Iterator[dict[str, Outcome]]:
    if workers == 1:
        yield from map(_run, tasks)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from pool.map(_run, tasks)


def _run(task: tuple) -> dict[str, Outcome]:
    job, studies, how = task
    return job(studies, how)


def _on_a_law(studies: tuple[Study, ...], most: int | None) -> dict[str, Outcome]:
    """Run the studies of one law: all see the same datasets, which some keep for each other."""
    seed = (SEED, crc32(studies[0].law.encode()))
    return {
        study.name: study.draw(seed, min(study.replications, most or study.replications))
        for study in studies
    }


def _on_markets(studies: tuple[Study, ...], seeds: range) -> dict[str, Outcome]:
    tables = side_by_side(seeds)
    return {study.name: study.draw(tables, _truth()) for study in studies}


@cache
def _truth() -> Truth:
    return Truth()
