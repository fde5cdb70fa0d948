"""What is paid before any data is read: importing, the command, a measure of an empty table."""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

from measuring import CLI, in_child, measured, seconds
from results import Row, Section, table

from analysis.measures import MEASURES
from analysis.sources import Tables, open_tables

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "sample"
CALLS = 5
MOST_MS = 60


def empty_tables() -> Tables:
    """Open the tables of the sample without any of their rows."""
    sample = open_tables(SAMPLE)
    frames = {name: frame.limit(0).to_pyarrow() for name, frame in sample.frames.items()}
    return replace(open_tables(frames, sample.as_of), manifest=sample.manifest)


def overhead() -> Section:
    """Time every measure on tables without rows: building the query, planning it, the table."""
    tables = empty_tables()
    tables.requests_with(), tables.refunds_with()  # kept from here on
    took = {
        name: seconds(lambda measure=measure: measure(tables), CALLS)
        for name, measure in MEASURES.items()
    }
    rows = [
        Row(name, f"{cpu * 1000:.0f}", theirs=f"{wall * 1000:.0f}", aim=f"at most {MOST_MS}")
        for name, (wall, cpu) in took.items()
    ]
    within = sum(cpu * 1000 <= MOST_MS for _, cpu in took.values())
    middle = statistics.median(cpu for _, cpu in took.values()) * 1000
    words = (
        f"One call of each measure on tables without rows, median of {CALLS}, in milliseconds: "
        f"CPU first, then the wall. {within} of {len(took)} are within the aim, "
        f"half of them take at most {middle:.0f} ms."
    )
    lines = table(rows)
    lines[0] = lines[0].replace("ours", "CPU ms").replace("its", "wall ms")
    return Section("A call without rows", 0, [words, "", *lines], rows)


def starting() -> Section:
    """Time importing, and the help of the command, in fresh processes."""
    light, package = (import_seconds(names) for names in ("analysis", "analysis.measures"))
    rows = [
        Row("`import analysis` beyond pandas, seconds", f"{light:.3f}", aim="at most 0.15"),
        Row("with all measures, beyond pandas, seconds", f"{package:.2f}"),
        Row("`cancellations --help`, seconds", f"{help_seconds():.2f}", aim="at most 0.4"),
    ]
    return Section("Start", 0, ["Medians of five fresh processes.", "", *table(rows)], rows)


def import_seconds(name: str) -> float:
    """Median seconds that importing a package takes after pandas, in fresh processes."""
    code = (
        "import time, pandas; start = time.perf_counter(); "
        f"import {name}; print(time.perf_counter() - start)"
    )
    return statistics.median(float(in_child(code)) for _ in range(5))


def help_seconds() -> float:
    """Median seconds of the help of the command, in fresh processes."""
    return statistics.median(measured([*CLI, "--help"]).seconds for _ in range(5))


def reporting(orders: int) -> Section:
    """Time the report of so many orders, and look at its pages."""
    with tempfile.TemporaryDirectory() as folder:
        data, site = Path(folder) / "market", Path(folder) / "site"
        made = measured([*CLI, "generate", "--orders", orders, "--workers", 2, "--out", data])
        used = measured([*CLI, "report", data, "--out", site])
        largest = max(path.stat().st_size for path in site.glob("*.html"))
    rows = [
        Row("report, seconds", f"{used.seconds:.1f}", aim="at most 15 at 1,000,000"),
        Row("report, CPU-seconds", f"{used.cpu_seconds:.1f}"),
        Row("report, largest process, MB", f"{used.peak_mb:,.0f}"),
        Row("generating before, seconds", f"{made.seconds:.1f}"),
        Row("largest page, kB", f"{largest / 1000:.0f}", aim="at most 1,000"),
    ]
    words = f"All notebooks on {orders:,} orders, as a command."
    return Section("Report", orders, [words, "", *table(rows)], rows)
