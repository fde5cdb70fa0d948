"""Time every measure beside a hand-written query, and all tables with their memory."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from handwritten import HANDWRITTEN, POOLS, WITHOUT, connect, difference
from measuring import CLI, FailedError, Usage, measured, seconds
from results import Row, Section, table, titled

from analysis.contract import read_manifest
from analysis.measures import MEASURES
from analysis.sources import open_tables

SAME = 1e-9  # larger differences are shown
LIMIT = "2GB"
OF_SELLERS = f"the same, counted by {POOLS} pools of sellers for limits that allow for them"


def measuring(folder: Path, orders: int) -> Section:
    """Time every measure beside a hand-written query on the same files."""
    start = time.perf_counter()
    tables = open_tables(folder)
    opened = time.perf_counter() - start
    start = time.perf_counter()
    tables.requests_with(), tables.refunds_with()  # joins are made here
    joined = time.perf_counter() - start
    left = dict(tables._kept)
    con = connect(folder, read_manifest(folder).as_of)
    rows, ours_all, theirs_all = [], joined, 0.0
    for name, measure in MEASURES.items():
        found: dict[str, Any] = {}

        def call(own: dict[str, Any] = found, measure: Any = measure) -> None:
            own.update(ours=measure(replace(tables, _kept=dict(left))))  # none finds another's work

        ours, _ = seconds(call)
        if name not in HANDWRITTEN:
            rows.append(Row(name, f"{ours:.2f}", remark=WITHOUT.get(name, "")))
            continue
        by_hand = HANDWRITTEN[name]
        counted = by_hand.ours(found["ours"])
        theirs, remark = _by_hand(con, by_hand.run, counted)
        ours_all, theirs_all = ours_all + ours, theirs_all + theirs
        remark = "; ".join(filter(None, [by_hand.remark, remark]))
        rows.append(_row(name, ours, theirs, remark, "at most 1.5"))
        if by_hand.of_sellers is not None:
            theirs, remark = _by_hand(con, by_hand.of_sellers, counted)
            remark = "; ".join(filter(None, [OF_SELLERS, remark]))
            rows.append(_row(name, ours, theirs, remark, "", "DuckDB by hand, of sellers"))
    rows.append(_row("together, joining included", ours_all, theirs_all, "", ""))
    words = (
        f"On {orders:,} orders, overall, medians of seconds. Opening took {opened:.2f} s and "
        f"joining requests and refunds with their orders once {joined:.2f} s; hand-written "
        "queries join each time, ours read what is kept, and nothing else that a call before has "
        "left. Ours return estimates with limits that "
        "allow for sellers; a remark says where the hand-written query answers less. What both "
        f"count is the same{_but(rows)}."
    )
    return Section(titled("Measures", orders), orders, [words, "", *table(rows)], rows)


def _by_hand(
    con: duckdb.DuckDBPyConnection, run: Callable[..., np.ndarray], ours: np.ndarray
) -> tuple[float, str]:
    """Seconds of a query by hand, and in what it counts otherwise."""
    found: list[np.ndarray] = []
    took, _ = seconds(lambda: found.append(run(con)))
    away = difference(ours, found[-1])
    return took, f"counts differ by {away:.0e}" if not away <= SAME else ""


def _row(
    name: str, ours: float, theirs: float, remark: str, aim: str, peer: str = "DuckDB by hand"
) -> Row:
    texts = (name, f"{ours:.2f}", peer, f"{theirs:.2f}")
    return Row(*texts, ours / theirs, aim, "low", remark)


def _but(rows: list[Row]) -> str:
    return ", but where a remark says so" if any("differ" in row.remark for row in rows) else ""


def all_tables(folder: Path, orders: int) -> Section:
    """Run ``tables`` as a command, as it comes and with little memory for DuckDB."""
    with tempfile.TemporaryDirectory() as out:
        jobs = {
            "": lambda: write_tables(folder, Path(out) / "tables"),
            f", DuckDB's memory limit at {LIMIT}": lambda: write_tables(
                folder, Path(out) / "limited", "--memory", LIMIT
            ),
        }
        rows = []
        for words, job in jobs.items():
            try:
                used = job()
            except FailedError as err:
                rows.append(Row(f"all tables{words}", f"failed: {err}", aim="at most 60"))
                continue
            rows.append(Row(f"all tables{words}, seconds", f"{used.seconds:.1f}", aim=_aim(60)))
            rows.append(Row(f"all tables{words}, CPU-seconds", f"{used.cpu_seconds:.1f}"))
            peak = f"{used.peak_mb:,.0f}"
            rows.append(Row(f"all tables{words}, largest process, MB", peak, aim=_aim("3,000")))
    words = (
        f"`cancellations tables` on {orders:,} orders, checking the data and writing included. "
        f"The limit is that of `--memory {LIMIT}`."
    )
    return Section(titled("All tables", orders), orders, [words, "", *table(rows)], rows)


def _aim(most: object) -> str:
    return f"at most {most} at 100,000,000"


def write_tables(folder: Path, out: Path, *options: str) -> Usage:
    """Write all tables with the command."""
    return measured([*CLI, "tables", folder, "--out", out, *options])
