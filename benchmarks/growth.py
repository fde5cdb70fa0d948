"""How the cost grows: wall and CPU seconds and peak memory against the number of orders.

``generate``, ``tables`` and ``report`` run as commands, each in a fresh process, and peers where
they can follow. The rows are part of the package (``growth.csv``); sizes that are not measured now
keep theirs.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from growth_picture import draw
from handwritten import HANDWRITTEN
from market_bench import NAMES, OTHERWISE, by_peer
from measuring import CLI, HERE, FailedError, Usage, measured
from results import Row, Section

from analysis.stats.growth import growth_exponent
from analysis.stats.scales import t_quantile

TABLE = HERE.parent / "src" / "analysis" / "report" / "growth.csv"
PICTURE = HERE / "growth.png"
COLUMNS = ["work", "peer", "n_orders", "seconds", "cpu_seconds", "peak_mb"]
WORKS = ("generate", "tables", "report")
LEVEL = 0.95  # of the limits that a standard error is read from
LONGEST = 3600  # seconds that one work of one size may take
FARTHEST = {  # largest number of orders that a peer is asked for: minutes, or all memory, are spent
    "tpchgen-cli": 10**8,
    "misata_tables": 10**6,
    "misata_process": 10**6,
    "faker_loop": 10**6,
    "DuckDB by hand": 10**8,
    "each value read once": 10**8,
    "pandas": 10**7,
}
GENERATORS = ("tpchgen-cli", "misata_tables", "misata_process", "faker_loop")
READERS = {
    "DuckDB by hand": f"counts what {len(HANDWRITTEN)} measures count and fits the simple curves; "
    "checks and writes nothing",
    "each value read once": "DuckDB's hash of every column: the least that can be done",
    "pandas": "six headline numbers from all rows, without limits; checks and writes nothing",
}
REPORT = "nobody else makes such a report, so `report` has no peer"


class Fit(NamedTuple):
    """Exponent of a cost: the slope of its logarithm on that of the number of orders."""

    exponent: float
    error: float  # standard; missing where two sizes are all there is


def growing(sizes: Sequence[int], out: Path = TABLE, picture: Path = PICTURE) -> Section:
    """Measure all sizes, write the table and the picture, and return the section of the page."""
    remarks: list[str] = []
    rows = [row for size in sizes for row in measured_size(size, remarks)]
    found = merged(pd.read_csv(out, keep_default_na=False) if out.exists() else None, rows)
    out.write_text(found.to_csv(index=False, lineterminator="\n"), encoding="utf-8")
    draw(found, picture)
    return section(found, picture.name, remarks)


def measured_size(orders: int, remarks: list[str]) -> Iterator[dict[str, object]]:
    """Measure one number of orders; what fails is told in ``remarks``."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "market"
        generate = [*CLI, "generate", "--orders", orders, "--workers", 2, "--out", data]
        tables = [*CLI, "tables", data, "--out", Path(folder) / "tables"]
        report = [*CLI, "report", data, "--out", Path(folder) / "site"]
        jobs: list[tuple[str, str, Callable[[], Usage]]] = [
            ("generate", name, _generator(name, orders)) for name in GENERATORS
        ]
        jobs += [("generate", "", _command(generate)), ("tables", "", _command(tables))]
        peer = [sys.executable, HERE / "tables_peers.py"]
        jobs += [("tables", name, _command([*peer, name, data])) for name in READERS]
        jobs += [("report", "", _command(report))]
        for work, name, job in jobs:
            if orders > FARTHEST.get(name, orders):
                continue
            try:
                used = job()
            except FailedError as err:
                remarks.append(f"{work}, {name or 'ours'}, {orders:,} orders: {err}")
                continue
            cost = dict(zip(COLUMNS[3:], used[:3], strict=True))
            row = {"work": work, "peer": NAMES.get(name, name), "n_orders": orders, **cost}
            print(row, file=sys.stderr, flush=True)
            yield row


def _command(command: list[object]) -> Callable[[], Usage]:
    return lambda: measured(command, timeout=LONGEST)


def _generator(name: str, orders: int) -> Callable[[], Usage]:
    def job() -> Usage:
        with tempfile.TemporaryDirectory() as folder:
            made = by_peer(name, orders, Path(folder) / "made")
        return Usage(*made[3:])

    return job


def merged(known: pd.DataFrame | None, rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    """Return the table with new rows in the place of known ones of the same work and size."""
    new = pd.DataFrame(rows, columns=COLUMNS)
    found = new if known is None or known.empty else pd.concat([known[COLUMNS], new])
    found = found.drop_duplicates(COLUMNS[:3], keep="last")
    found = found.assign(place=found["work"].map(WORKS.index))
    found = found.sort_values(["place", "peer", "n_orders"], ignore_index=True)[COLUMNS]
    return found.round({"seconds": 3, "cpu_seconds": 3, "peak_mb": 1})


def fitted(orders: np.ndarray, cost: np.ndarray) -> Fit:
    """Fit a line to the logarithms by least squares.

    Parameters
    ----------
    orders, cost
        Sizes, and what each cost; at least two different sizes.
    """
    found = growth_exponent(orders, cost, level=LEVEL)
    reach = t_quantile(np.array([max(len(orders) - 2, 1)]), LEVEL)[0]
    return Fit(found.estimate, float((found.high - found.low) / 2 / reach))


def section(found: pd.DataFrame, picture: str, remarks: Sequence[str]) -> Section:
    """Return the section of the page: exponents, cost per million orders, and the picture."""
    lines = []
    for (work, peer), own in found.groupby(["work", "peer"], sort=False):
        last = own.iloc[-1]
        exponents = " | ".join(_exponent(own, name) for name in COLUMNS[3:])
        cost = f"{last.cpu_seconds / last.n_orders * 1e6:,.2f} | {last.peak_mb:,.0f}"
        sizes = f"{own.n_orders.iloc[0]:,} to {last.n_orders:,}"
        lines.append(f"| {work} | {peer or 'ours'} | {sizes} | {exponents} | {cost} |")
    per_order = _per_order(found)
    words = (
        "Commands in fresh processes, two workers where there are workers. A cost that grows as "
        "orders to the power of an exponent; with the standard error of the line through the "
        "logarithms. Start-up is in all of it, so small sizes make exponents smaller. CPU-seconds "
        f"per million orders and MB are of the largest size. {per_order}"
    )
    head = "| work | by | orders | exponent, seconds | CPU-seconds | MB | CPU-s a million | MB |"
    others = [f"- {NAMES.get(name, name)}: {OTHERWISE[name]}." for name in GENERATORS]
    others += [f"- {name}: {what}." for name, what in READERS.items()]
    others += [f"- {REPORT}.", *(f"- Not measured: {remark}." for remark in remarks)]
    shown = [f"![Seconds and memory against the number of orders]({picture})", ""]
    text = [words, "", *shown, head, f"|{'---|' * 3}{'---:|' * 5}", *lines, "", *others]
    return Section("Growth", 0, text, list(_ratios(found)))


def _exponent(own: pd.DataFrame, cost: str) -> str:
    if len(own) < 2:
        return ""
    fit = fitted(own["n_orders"], own[cost])
    return f"{fit.exponent:.2f}" + ("" if np.isnan(fit.error) else f" ± {fit.error:.2f}")


def _per_order(found: pd.DataFrame) -> str:
    """Say how flat the generator's time per order is from a million orders on."""
    own = found[(found["work"] == "generate") & (found["peer"] == "")]
    own = own[own["n_orders"] >= 10**6]
    if len(own) < 2:
        return ""
    per_order = own["cpu_seconds"] / own["n_orders"]
    times = per_order.iloc[-1] / per_order.iloc[0]
    first, last = own["n_orders"].iloc[[0, -1]]
    return (
        f"An order of {last:,} takes the generator {times:.2f} times as long as one of {first:,}."
    )


def _ratios(found: pd.DataFrame) -> Iterator[Row]:
    """CPU-seconds of ours by those of each peer, at the largest size that both were measured at."""
    for (work, peer), own in found[found["peer"] != ""].groupby(["work", "peer"], sort=False):
        ours = found[(found["work"] == work) & (found["peer"] == "")]
        both = own.merge(ours, on="n_orders", suffixes=("", "_ours"))
        if len(both):
            last = both.iloc[-1]
            ratio = last.cpu_seconds_ours / last.cpu_seconds
            yield Row(f"{work}, CPU-seconds at {last.n_orders:,}", "", peer, "", ratio)
