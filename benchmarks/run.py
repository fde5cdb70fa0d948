"""Measure speed and memory beside the physical floor and hand-written queries; write RESULTS.md.

Run by ``make bench``; ``--only statistics`` (or market, report) runs one part and replaces its
sections. Machines are shared and noisy, so ratios within one run are what counts. ``--orders`` and
``--rows`` make it smaller; the committed RESULTS.md is of the default size.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "RESULTS.md"
CLI = [sys.executable, "-m", "analysis.cli"]


def seconds(job: Callable[[], object], repeats: int = 3) -> float:
    """Median seconds of a job that has run once before."""
    job()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        job()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def in_child(code: str, *arguments: str) -> str:
    """Run Python code in a process of its own and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def generate(folder: Path, orders: int) -> list[str]:
    """Time the generator with two workers, and pyarrow writing the same tables from memory."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(
        [*CLI, "generate", "--orders", str(orders), "--workers", "2", "--out", str(folder)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    default, tuned = map(float, in_child(WRITE_FLOOR, str(folder)).split())
    return [
        "## Generating",
        "",
        f"{orders:,} orders with all tables and truth to Parquet, two workers.",
        "",
        "| figure | value | aim |",
        "|---|---|---|",
        f"| orders a second | {orders / wall:,.0f} | at least 500,000 |",
        f"| CPU seconds | {cpu:.1f} | |",
        f"| of pyarrow writing the same tables from memory, its defaults | {default:.1f} | |",
        f"| ratio to that | {cpu / default:.2f} | 2 or less |",
        f"| of pyarrow writing them with our encodings | {tuned:.1f} | |",
        f"| ratio to that | {cpu / tuned:.2f} | |",
        f"| largest process, resident MB | {after.ru_maxrss / 1024:.0f} | at most 1,000 |",
        "",
    ]


WRITE_FLOOR = """
import resource, sys, tempfile
from pathlib import Path
import pyarrow as pa, pyarrow.parquet as pq
from analysis.marketplace.writing import write_parquet
pa.set_cpu_count(1)
def cpu(job):
    before = resource.getrusage(resource.RUSAGE_SELF)
    job()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
default = tuned = 0.0
with tempfile.TemporaryDirectory() as out:
    target = Path(out) / "part.parquet"
    for path in sorted(Path(sys.argv[1]).rglob("*.parquet")):
        words = [f.name for f in pq.read_schema(path) if pa.types.is_dictionary(f.type)]
        table = pq.read_table(path, partitioning=None, read_dictionary=words)
        default += cpu(lambda: pq.write_table(table, target))
        tuned += cpu(lambda: write_parquet(table, target))
print(default, tuned)
"""


def measures(folder: Path, orders: int) -> list[str]:
    """Time every measure beside a hand-written query on the same files."""
    from handwritten import HANDWRITTEN, connect

    from analysis.contract import read_manifest
    from analysis.measures import MEASURES
    from analysis.sources import open_tables

    start = time.perf_counter()
    tables = open_tables(folder)
    opened = time.perf_counter() - start
    start = time.perf_counter()
    tables.requests_with_context, tables.refunds_with_context  # noqa: B018 - joins are made here
    joined = time.perf_counter() - start
    con = connect(folder, read_manifest(folder).as_of)
    lines = [
        "## Measures",
        "",
        f"On {orders:,} orders, overall, median of three. Opening took {opened:.2f} s and joining "
        f"requests and refunds with their orders once {joined:.2f} s; hand-written queries join "
        "each time, ours read what is kept.",
        "",
        "| measure | seconds | hand-written | ratio |",
        "|---|---|---|---|",
    ]
    ours_all = theirs_all = 0.0
    for name, measure in MEASURES.items():
        ours = seconds(lambda measure=measure: measure(tables))
        by_hand = HANDWRITTEN.get(name)
        if by_hand is None:
            lines.append(f"| {name} | {ours:.2f} | | |")
            continue
        theirs = seconds(lambda by_hand=by_hand: by_hand(con))
        ours_all, theirs_all = ours_all + ours, theirs_all + theirs
        lines.append(f"| {name} | {ours:.2f} | {theirs:.2f} | {ours / theirs:.2f} |")
    ours_all += joined
    together = f"{ours_all:.2f} | {theirs_all:.2f} | {ours_all / theirs_all:.2f}"
    lines.append(f"| together, joining included | {together} |")
    return [*lines, ""]


def report_and_import() -> list[str]:
    """Time the report on 200,000 orders from nothing, and what importing costs."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        data, site = Path(folder) / "market", Path(folder) / "site"
        made = ["generate", "--orders", "200000", "--workers", "2", "--out", str(data)]
        subprocess.run([*CLI, *made], check=True, stdout=subprocess.DEVNULL)
        generated = time.perf_counter() - start
        subprocess.run(
            [*CLI, "report", str(data), "--out", str(site)], check=True, stdout=subprocess.DEVNULL
        )
        wall = time.perf_counter() - start
        largest = max(path.stat().st_size for path in site.glob("*.html"))
    light, package = (import_seconds(names) for names in ("analysis", "analysis.measures"))
    return [
        "## Report and import",
        "",
        "| figure | value | aim |",
        "|---|---|---|",
        f"| generate 200,000 orders and report, seconds | {wall:.1f} | at most 30 |",
        f"| of which generating | {generated:.1f} | |",
        f"| largest page, kB | {largest / 1000:.0f} | at most 1,000 |",
        f"| `import analysis` beyond pandas, seconds | {light:.3f} | at most 0.3 |",
        f"| with all measures, beyond pandas, seconds | {package:.2f} | |",
        "",
    ]


def import_seconds(name: str) -> float:
    """Median seconds that importing a package takes after pandas, in fresh processes."""
    code = (
        "import time, pandas; start = time.perf_counter(); "
        f"import {name}; print(time.perf_counter() - start)"
    )
    return statistics.median(float(in_child(code)) for _ in range(5))


def machine() -> str:
    """One line on the machine and the versions."""
    names = ("numpy", "pandas", "pyarrow", "duckdb", "ibis-framework")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    where = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    return f"{where}, {versions}."


SECTIONS = ("market", "statistics", "report")


def main() -> None:
    """Run everything and write RESULTS.md; or one part, which replaces its sections there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000_000)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the statistics")
    parser.add_argument("--only", choices=SECTIONS, help="run only this part")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    sys.path.insert(0, str(HERE))
    parts = [options.only] if options.only else SECTIONS
    lines: list[str] = []
    if "market" in parts:
        with tempfile.TemporaryDirectory() as folder:
            market = Path(folder) / "market"
            lines += generate(market, options.orders)
            lines += measures(market, options.orders)
    if "statistics" in parts:
        from statistics_bench import statistics_lines

        lines += statistics_lines(options.rows)
    if "report" in parts:
        lines += report_and_import()
    known = options.out.read_text(encoding="utf-8") if options.out.exists() else ""
    options.out.write_text(results(known if options.only else "", lines), encoding="utf-8")
    print(options.out.read_text(encoding="utf-8"))


def results(known: str, lines: list[str]) -> str:
    """Return RESULTS.md with new sections in their place, or at the end, of the known ones."""
    head = (
        "# Benchmarks\n\nWritten by `make bench`; medians on a shared, noisy machine: read the "
        f"ratios. {machine()}\n"
    )
    sections = {}
    for text in (known, "\n".join(lines)):
        for section in f"\n{text}".split("\n## ")[1:]:
            sections[section.splitlines()[0]] = section.strip()
    return "\n".join([head, *(f"## {section}\n" for section in sections.values())])


if __name__ == "__main__":
    main()
