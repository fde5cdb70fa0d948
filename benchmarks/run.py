"""Measure speed and memory beside the physical floor, hand-written queries and others' tools.

Run by ``make bench``; ``--only statistics`` (or another part) runs one part and replaces its
sections. Machines are shared and noisy, so ratios within one run are what counts: those that are
more than 20 % worse than the committed ones are named at the end and at the top of RESULTS.md.
``--orders``, ``--rows``, ``--report-orders`` and ``--growth`` say how large; numbers of orders that
are not the usual ones have sections of their own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
PARTS = ("market", "statistics", "report", "overhead", "growth")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run everything and write RESULTS.md; or one part, which replaces its sections there."""
    sys.path.insert(0, str(HERE))
    from results import PAGE, USUAL, write

    options = _parser(PAGE, USUAL).parse_args(arguments)
    sections = list(_sections(options, is_page=options.out == PAGE))
    worse = write(sections, options.out, keep=options.only is not None)
    print(options.out.read_text(encoding="utf-8"))
    if worse:
        print("More than 20 % worse than what was committed before:", *worse, sep="\n  ")


def _parser(page: Path, orders: int) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=orders, help="of the market")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the statistics")
    parser.add_argument("--report-orders", type=int, default=1_000_000, help="of the report")
    parser.add_argument("--growth", default="5,6,7", help="powers of ten, as in 5,6,7,8")
    parser.add_argument("--only", choices=PARTS, help="run only this part")
    parser.add_argument("--out", type=Path, default=page, help="the page; its CSV lies beside it")
    return parser


def _sections(options: argparse.Namespace, *, is_page: bool) -> Iterator[object]:
    """Run the parts that are asked for."""
    from measuring import warm_commands

    parts = [options.only] if options.only else PARTS
    if set(parts) - {"statistics", "overhead"}:
        warm_commands()
    if "market" in parts:
        from market_bench import generating
        from measures_bench import all_tables, measuring

        with tempfile.TemporaryDirectory() as folder:
            market = Path(folder) / "market"
            yield generating(market, options.orders)
            yield measuring(market, options.orders)
            yield all_tables(market, options.orders)
    if "statistics" in parts:
        from statistics_bench import statistics_section

        yield statistics_section(options.rows)
    if "report" in parts:
        from overhead_bench import reporting

        yield reporting(options.report_orders)
    if "overhead" in parts:
        from overhead_bench import overhead, starting

        yield starting()
        yield overhead()
    if "growth" in parts:
        yield _growth(options, is_page=is_page)


def _growth(options: argparse.Namespace, *, is_page: bool) -> object:
    """Measure growth; into the package only if the page is the committed one."""
    from growth import PICTURE, TABLE, growing

    sizes = [10 ** int(power) for power in options.growth.split(",")]
    if is_page:
        return growing(sizes)
    beside = options.out.parent
    return growing(sizes, beside / TABLE.name, beside / PICTURE.name)


if __name__ == "__main__":
    main()
