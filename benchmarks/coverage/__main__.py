"""Run all studies and write them down: ``python -m benchmarks.coverage``."""

from __future__ import annotations

import argparse
import time
from typing import Any

from . import STUDIES
from .running import run_all
from .writing import PAGE, write, written


def main() -> None:
    """Run all studies and write them; or some, or few replications of each, to look at."""
    parser = argparse.ArgumentParser(prog="benchmarks.coverage", description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="", help="studies whose name holds this")
    parser.add_argument("--new", action="store_true", help="studies that are not in the table yet")
    parser.add_argument("--most", type=int, help="at most this many replications; writes nothing")
    options = parser.parse_args()
    known = written()
    studies = [study for study in STUDIES if options.only in study.name]
    studies = [study for study in studies if not (options.new and study.name in known)]
    start = time.perf_counter()
    rows = run_all(studies, workers=options.workers, most=options.most)
    for row in rows:
        print(line(row))
    print(f"{len(rows)} studies in {time.perf_counter() - start:.0f} s")
    if options.most is None:
        known = written() | {study.name: row for study, row in zip(studies, rows, strict=True)}
        write([known[study.name] for study in STUDIES if study.name in known])
        print(f"wrote {PAGE}")


def line(row: dict[str, Any]) -> str:
    """Return what was measured in one study."""
    name = f"{row['topic']}: {row['estimand']} ~ {row['estimator']}"
    naive = f"familiar {row['naive']:.3f}"
    if row["kind"] == "interval":
        name = (
            f"{name}: bias {row['bias']:+.2g} ± {row['bias_error']:.1g}, width {row['width']:.3g}"
        )
        naive = f"{naive} (bias {row['naive_bias']:+.2g})"
    return f"{name}: {row['estimate']:.3f}, {naive}: {row['verdict']}"


if __name__ == "__main__":
    main()
