"""Time the generator beside pyarrow writing its tables, and beside other generators."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import NamedTuple

import peers
import pyarrow.parquet as pq
from measuring import CLI, HERE, FailedError, Usage, in_child, measured
from results import Row, Section, table, titled

ORDERS_OF_TPCH = 1_500_000  # at scale factor 1, by its specification
PEER_ORDERS = {  # enough that a peer runs for seconds
    "tpchgen-cli": ORDERS_OF_TPCH,
    "faker_loop": 50_000,
    "misata_tables": 200_000,
    "misata_process": 500_000,
}
PACKAGE = {"faker_loop": "faker", "misata_tables": "misata", "misata_process": "misata"}
NAMES = {"faker_loop": "Faker loop", "misata_process": "Misata, events only"}
NAMES |= {"misata_tables": "Misata, tables and events"}
OTHERWISE = {
    "tpchgen-cli": "another world, that of TPC-H: no cancellations, no states, no truth; what "
    "compares is values written to Parquet, rows times columns, in CPU-seconds of all its threads",
    "faker_loop": "one table of 16 columns, one order a pass; nobody's behaviour hangs together; "
    "importing is not in its seconds, in ours it is",
    "misata_tables": "sellers, orders and an event log with every order's steps from declared "
    "probabilities; no rules of a platform, no blockers, no refund legs, nothing open at the end; "
    "importing is not in its seconds, in ours it is",
    "misata_process": "only the event log of given orders; the rest as above",
}


class Made(NamedTuple):
    """What a generator made, and what that cost."""

    orders: int
    rows: int
    values: int
    seconds: float
    cpu_seconds: float
    peak_mb: float


def ours(folder: Path, orders: int, workers: int = 2) -> Made:
    """Generate orders with the command and count what is in the files, the truth included."""
    made = ["generate", "--orders", orders, "--workers", workers, "--out", folder]
    return counted(folder, orders, measured([*CLI, *made]))


def counted(folder: Path, orders: int, used: Usage) -> Made:
    """Count rows and values in the Parquet files of a folder."""
    sizes = [pq.read_metadata(path) for path in folder.rglob("*.parquet")]
    rows = sum(size.num_rows for size in sizes)
    values = sum(size.num_rows * size.num_columns for size in sizes)
    return Made(orders, rows, values, *used[:3])


def by_peer(name: str, orders: int, folder: Path) -> Made:
    """Let a peer make so many orders.

    Raises
    ------
    FailedError
        It is not installed, it failed or it takes too long.
    """
    python = peers.python_of_peers()
    if python is None or peers.version(PACKAGE.get(name, name)) is None:
        raise FailedError("not installed here")
    if name == "tpchgen-cli":
        scale = orders / ORDERS_OF_TPCH
        command = [python.parent / name, "parquet", "--quiet", "-s", scale, "-o", folder]
        return counted(folder, orders, measured(command))
    used = measured([python, HERE / "generators.py", name, orders, folder])
    return Made(**json.loads(used.output.splitlines()[-1]), peak_mb=used.peak_mb)


def generating(folder: Path, orders: int) -> Section:
    """Time ours with two workers, pyarrow writing the same tables, and other generators."""
    made = ours(folder, orders)
    default, tuned = map(float, in_child(WRITE_FLOOR, folder).split())
    row = f"{made.orders / made.seconds:,.0f}"
    cpu = f"{made.cpu_seconds:.1f} CPU-seconds"
    rows = [
        Row("orders a second", row, aim="at least 1,000,000"),
        Row("largest process, resident MB", f"{made.peak_mb:.0f}", aim="less than 1,000"),
        _floor(cpu, "its defaults", made.cpu_seconds, default, "at most 1.6"),
        _floor(cpu, "our encodings", made.cpu_seconds, tuned, ""),
    ]
    remarks = []
    for name in PEER_ORDERS:
        found, words = _beside(name, made)
        rows += found
        remarks.append(f"- {words}")
    words = (
        f"{orders:,} orders with all tables and truth to Parquet, two workers, the whole command. "
        "Peers run in the same run, on as many orders as take them seconds."
    )
    return Section(
        titled("Generating", orders), orders, [words, "", *table(rows), "", *remarks], rows
    )


def _floor(cpu: str, how: str, own: float, theirs: float, aim: str) -> Row:
    name = f"pyarrow writing the same tables from memory, {how}"
    ratio = own / theirs
    return Row("all of it", cpu, name, f"{theirs:.1f} CPU-seconds", ratio, aim, "low")


FIGURES = {  # figure of a Made, its unit, and the least ratio that is aimed at
    "tpchgen-cli": [("values", "cpu_seconds", "at least 2")],
    "faker_loop": [("rows", "seconds", "at least 90"), ("rows", "cpu_seconds", "")],
    "misata_tables": [("orders", "seconds", "more than 1"), ("orders", "cpu_seconds", "")],
    "misata_process": [("orders", "seconds", "more than 1"), ("orders", "cpu_seconds", "")],
}


def _beside(name: str, made: Made) -> tuple[list[Row], str]:
    package = PACKAGE.get(name, name)
    shown = f"{NAMES.get(name, name)} {peers.version(package) or ''}".strip()
    try:
        with tempfile.TemporaryDirectory() as out:
            theirs = by_peer(name, PEER_ORDERS[name], Path(out) / name)
    except FailedError as err:
        row = Row(FIGURES[name][0][0], "", shown, str(err), None, FIGURES[name][0][2])
        return [row], f"{shown}: {err}"
    rows = []
    for what, per, aim in FIGURES[name]:
        own, other = (getattr(one, what) / getattr(one, per) for one in (made, theirs))
        unit = "a second" if per == "seconds" else "a CPU-second"
        texts = (f"{what} {unit}", f"{own:,.0f}", shown, f"{other:,.0f}")
        rows.append(Row(*texts, own / other, aim, "high"))
    licence = peers.licence(package)
    size = f"{theirs.orders:,} orders, {theirs.rows:,} rows"
    return rows, f"{shown} ({licence}; {size}): {OTHERWISE[name]}."


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
