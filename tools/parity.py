"""Write docs/parity.md: every estimator, its reference, tolerance and largest difference.

``--check`` compares all columns but the measured one, which differs in the last digits between
machines. Values that are not in the repository are read from ../shared/data.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "parity.md"
HEAD = """# Parity: our estimators beside values from outside

Written by `make parity`; every row is a test (`tests/parity`). A difference is relative where the
value is above 1, else absolute, rounded up to a power of ten; below 1e-15 it is "none". `golden/`
is R's output on textbook data (not in this repository); `reference/` is in `tests/reference`,
beside the script that made it.

| estimator | numbers compared | reference | values | n | tolerance | largest difference | remark |
|---|---|---|---|---:|---:|---:|---|
"""


def rows(measured: bool) -> list[list[str]]:
    """Return the cells of every comparison, sorted; measured ones only if asked."""
    from tests.parity import COMPARISONS
    from tests.parity.comparing import largest_difference

    shared = ROOT.parent / "shared" / "data"
    found = []
    for one in sorted(COMPARISONS, key=lambda c: (c.estimator, c.values, c.numbers)):
        difference, n = largest_difference(one.pairs(shared)) if measured else (0.0, 0)
        cells = [f"`{one.estimator}`", one.numbers, one.reference, f"`{one.values}`"]
        cells += [f"{n:,}", f"{one.tolerance:.0e}", _order(difference), one.remark]
        found.append(cells)
    return found


def _order(difference: float) -> str:
    return "none" if difference < 1e-15 else f"1e{int(np.ceil(np.log10(difference))):d}"


def _fixed(line: str) -> list[str]:
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    return [*cells[:4], cells[5], cells[7]]


def main() -> int:
    """Write the page, or say whether it is in step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    sys.path.insert(0, str(ROOT))
    lines = ["| " + " | ".join(cells) + " |" for cells in rows(measured=not check)]
    if not check:
        PAGE.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
        return 0
    written = PAGE.read_text(encoding="utf-8").splitlines() if PAGE.exists() else []
    table = [line for line in written if line.startswith("| `")]
    if [_fixed(line) for line in table] == [_fixed(line) for line in lines]:
        return 0
    print("docs/parity.md is out of step: run make parity", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
