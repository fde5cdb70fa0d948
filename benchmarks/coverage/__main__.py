"""Run all studies and write them down: ``python -m benchmarks.coverage``."""

from __future__ import annotations

import argparse
import time

from . import STUDIES
from .running import run_all
from .writing import PAGE, write


def main() -> None:
    """Run everything, or with ``--only`` show some studies without writing."""
    parser = argparse.ArgumentParser(prog="benchmarks.coverage", description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--most", type=int, help="at most this many replications; writes nothing")
    parser.add_argument("--only", help="studies whose name holds this; writes nothing")
    options = parser.parse_args()
    studies = [study for study in STUDIES if (options.only or "") in study.name]
    start = time.perf_counter()
    rows = run_all(studies, workers=options.workers, most=options.most)
    for row in rows:
        naive = f"naive {row['naive']:.3f} ({row['naive_bias']:+.3g})"
        figures = (
            f"{row['estimate']:.3f}, bias {row['bias']:+.2g} ± {row['bias_error']:.1g}, {naive}"
        )
        print(
            f"{row['topic']}: {row['estimand']} ~ {row['estimator']}: {figures}: {row['verdict']}"
        )
    print(f"{len(rows)} studies in {time.perf_counter() - start:.0f} s")
    if options.most is None and options.only is None:
        write(rows)
        print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
