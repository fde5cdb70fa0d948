"""Time the statistics on a million rows, each beside its peers in the same run.

Ours start from the same rows as the peers: counting is in our seconds unless a line says so.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import peers
from measuring import seconds
from results import Row, Section
from statistics_data import COVARIATES, LEVELS, SELLERS, Data, drawn, write

from analysis import stats

SIZE = 1_000_000
AT_HOURS = np.array([72, 168, 336])
COMPARED = 1000  # cells


class Work(NamedTuple):
    """One piece of work: what ours computes, what it should take, and who else does it."""

    name: str
    words: str
    ours: Callable[[Any], np.ndarray]  # returns the values that are compared
    peers: tuple[str, ...]
    aim: str = ""
    start: Callable[[Data], Any] = lambda data: data  # what ours begins with


def counted(key: np.ndarray, causes: np.ndarray, n_causes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the cells of ``key`` that occur, and how many rows of each cause are in them."""
    found = np.bincount(key * n_causes + causes).astype(float)
    found = np.append(found, np.zeros(-len(found) % n_causes)).reshape(-1, n_causes)
    cells = np.flatnonzero(found.any(axis=1))
    return cells, found[cells]


def aalen_johansen_hours(data: Data) -> np.ndarray:
    hours, counts = counted(data.hours, data.cause, 4)
    group = np.zeros(len(hours), dtype=np.int64)
    curve = stats.aalen_johansen(group, hours, counts[:, 1:], counts[:, 0])
    stats.incidence_limits(curve)
    return stats.incidence_at(curve, AT_HOURS).incidence[0].T.ravel()


def aalen_johansen_exact(data: Data) -> np.ndarray:
    group = np.zeros(len(data.days), dtype=np.int64)
    ends = np.array([data.cause == cause for cause in (1, 2, 3)]).T
    curve = stats.aalen_johansen(group, data.days, ends, data.cause == 0)
    stats.incidence_limits(curve)
    return stats.incidence_at(curve, AT_HOURS / 24).incidence[0].T.ravel()


def kaplan_meier_sellers(data: Data) -> np.ndarray:
    last = data.hours.max() + 1
    cells, counts = counted(data.seller * last + data.hours, (data.cause > 0).astype(int), 2)
    seller, hours = np.divmod(cells, last)
    curve = stats.kaplan_meier(seller, hours, counts[:, 1], counts[:, 0], n_groups=SELLERS)
    stats.survival_limits(curve)
    return stats.survival_at(curve, [168]).survival[:, 0]


def log_rank(data: Data) -> np.ndarray:
    arm, hours, counts = _by_arm(data, (data.cause > 0).astype(np.int64), 2)
    return np.array([stats.log_rank(arm, hours, counts[:, 1], counts[:, 0]).chisq])


def gray_test(data: Data) -> np.ndarray:
    arm, hours, counts = _by_arm(data, data.cause, 4)
    return stats.gray_test(arm, hours, counts[:, 1:], counts[:, 0]).chisq


def _by_arm(data: Data, cause: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    last = data.hours.max() + 1
    cells, counts = counted(data.arm * last + data.hours, cause, n)
    return *np.divmod(cells, last), counts


def cox(data: Data) -> np.ndarray:
    patterns = np.stack(np.unravel_index(np.arange(2**COVARIATES), (2,) * COVARIATES), axis=1)
    pattern = np.ravel_multi_index(data.covariates.T, (2,) * COVARIATES)
    last = data.hours.max() + 1
    cells, counts = counted(pattern * last + data.hours, (data.cause > 0).astype(np.int64), 2)
    pattern, hours = np.divmod(cells, last)
    return stats.cox(patterns, pattern, hours, counts[:, 1], counts[:, 0]).coefficient


def cells_of(data: Data) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the combinations of levels that occur, with successes and requests."""
    weight = np.cumprod([1, *LEVELS[:0:-1]])[::-1]
    cells, counts = counted(data.codes @ weight, data.success, 2)
    codes = np.indices(LEVELS).reshape(len(LEVELS), -1)[:, cells].T
    return codes, counts[:, 1], counts.sum(axis=1)


def logistic(data: Data) -> np.ndarray:
    return stats.logistic_fit(*cells_of(data)).coefficients


def logistic_counted(cells: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    return stats.logistic_fit(*cells).coefficients


def jeffreys(data: Data) -> np.ndarray:
    return _ends(stats.jeffreys(data.k, data.n))


def wilson(data: Data) -> np.ndarray:
    return _ends(stats.wilson(data.k, data.n))


def _ends(limits: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return np.concatenate([limit[:COMPARED] for limit in limits])


WORKS = [
    Work(
        "aalen_johansen_hours",
        "Aalen-Johansen, three ends, variance and limits, whole hours",
        aalen_johansen_hours,
        ("statsmodels", "survival", "cmprsk", "lifelines"),
        "0.10",
    ),
    Work(
        "aalen_johansen_exact",
        "the same, times all different",
        aalen_johansen_exact,
        ("statsmodels",),
        "0.30",
    ),
    Work(
        "kaplan_meier_sellers",
        f"curves with limits of {SELLERS} sellers, whole hours",
        kaplan_meier_sellers,
        ("statsmodels", "lifelines", "survival"),
        "0.35",
    ),
    Work(
        "log_rank",
        "log-rank test of two groups, whole hours",
        log_rank,
        ("statsmodels", "lifelines", "survival"),
        "0.10",
    ),
    Work(
        "gray_test",
        "Gray's tests of two groups, three ends, whole hours",
        gray_test,
        ("cmprsk",),
        "0.10",
    ),
    Work(
        "cox",
        "Cox model, six binary covariates, Efron's ties, whole hours",
        cox,
        ("survival", "lifelines"),
        "10 times R",
    ),
    Work(
        "logistic",
        "logistic model, ten categorical covariates",
        logistic,
        ("sklearn", "statsmodels", "glm.fit", "glm"),
        "20 times the fastest",
    ),
    Work(
        "logistic",
        "the same, from cells that are counted already",
        logistic_counted,
        (),
        "",
        cells_of,
    ),
    Work(
        "wilson",
        "Wilson's limits of as many cells",
        wilson,
        ("statsmodels",),
        "0.10",
    ),
    Work(
        "jeffreys",
        "Jeffreys' limits of as many cells",
        jeffreys,
        ("statsmodels",),
        "1",
    ),
]


def statistics_section(size: int = SIZE) -> Section:
    """Run all works and return the section of RESULTS.md."""
    data = drawn(size)
    lines = [
        f"On {size:,} rows (refunds, cells or requests), ours and others' on the same rows in the "
        "same run, medians, counting included. The ratio is their seconds by ours; the difference "
        "is the largest between our values and theirs, relative where a value is above 1.",
        "",
        "| work | seconds | aim | peer | its seconds | ratio | difference |",
        "|---|---:|---:|---|---:|---:|---:|",
    ]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as out:
        folder = Path(out)
        write(data, folder)
        for work in WORKS:
            of_work = _rows_of(work, data, folder)
            lines += [line for line, _ in of_work]
            rows += [row for _, row in of_work]
            print(lines[-1], file=sys.stderr, flush=True)  # some peers take long
    return Section("Statistics", size, lines, rows)


def _rows_of(work: Work, data: Data, folder: Path) -> list[tuple[str, Row]]:
    begun = work.start(data)
    values = work.ours(begun)
    took, _ = seconds(lambda: work.ours(begun), 5)
    found = []
    for name in work.peers:
        peer = peers.run(work.name, name, folder)
        first = f"{work.words} | {took:.3f} | {work.aim}" if not found else "| |"
        ratio = None if peer.seconds is None else peer.seconds / took
        row = Row(work.words, f"{took:.3f}", name, "", ratio, work.aim, "high")
        found.append((f"| {first} | {_beside(peer, took, values)} |", row))
    alone = f"| {work.words} | {took:.3f} | {work.aim} | | | | |"
    return found or [(alone, Row(work.words, f"{took:.3f}"))]


def _beside(peer: peers.Peer, took: float, values: np.ndarray) -> str:
    named = f"{peer.name} {peers.version(peer.name) or ''}".strip()
    if peer.seconds is None:
        return f"{named} | {peer.remark} | |"
    away = difference(values, np.array(peer.values))
    return f"{named} | {peer.seconds:.3f} | {peer.seconds / took:.1f} | {away:.0e}"


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest difference of the values that both have."""
    both = min(len(ours), len(theirs))
    ours, theirs = ours[:both], theirs[:both]
    return float((abs(ours - theirs) / np.maximum(1, abs(theirs))).max())
