"""Write what studies found: a CSV that the package carries, and a page for readers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "src" / "analysis" / "report" / "coverage.csv"
PAGE = ROOT / "benchmarks" / "COVERAGE.md"

NAME = "{topic}: {estimand} ~ {estimator}, {law}"  # as ``Study.name``

HEAD = """# Coverage: do the intervals hold the truth as often as they say?

Written by `make coverage`; the same numbers every time. Each row draws many datasets from a law
whose truth is known, or many small synthetic marketplaces, and counts how often the nominal 95%
interval holds the truth, beside the familiar method on the same datasets. Kept means 93% to 97%
where nothing else is said. Errors are Monte Carlo standard errors.
"""
TESTS = """
## Tests

How often a test at 5% finds a difference where there is none. Kept means 3% to 7%.
"""


def write(rows: Sequence[dict[str, Any]]) -> None:
    """Write the CSV, and the page from it."""
    TABLE.write_text(pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"), encoding="utf-8")
    PAGE.write_text(page(pd.read_csv(TABLE, keep_default_na=True)), encoding="utf-8")


def written() -> dict[str, dict[str, Any]]:
    """Return the rows of the CSV by the name of their study; none where there is no CSV yet."""
    if not TABLE.exists():
        return {}
    rows = pd.read_csv(TABLE).to_dict("records")
    return {NAME.format(**row): row for row in rows}


def page(table: pd.DataFrame) -> str:
    """Return the page of a table of studies."""
    limits, tests = table[table.kind == "interval"], table[table.kind == "test"]
    parts = [HEAD]
    for topic, rows in limits.groupby("topic", sort=False):
        parts.append(f"\n## {topic.capitalize()}\n\n" + _table(rows, _of_limits, LIMIT_COLUMNS))
    if len(tests):
        parts.append(TESTS + "\n" + _table(tests, _of_test, TEST_COLUMNS))
    return "".join([*parts, _remarks(table)])


LIMIT_COLUMNS = (
    "estimand",
    "estimator",
    "law",
    "one dataset",
    "datasets",
    "truth",
    "bias",
    "width",
    "coverage",
    "familiar method",
    "its bias",
    "its coverage",
    "verdict",
)
TEST_COLUMNS = (
    "null hypothesis",
    "test",
    "law",
    "one dataset",
    "datasets",
    "size",
    "familiar method",
    "its size",
    "verdict",
)


def _table(rows: pd.DataFrame, cells: Any, columns: tuple[str, ...]) -> str:
    lines = [columns, ["---"] * len(columns), *(cells(row) for _, row in rows.iterrows())]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _of_limits(row: pd.Series) -> list[str]:
    return [
        row.estimand,
        f"`{row.estimator}`",
        row.law,
        row.cases,
        f"{row.n:,}",
        f"{row.truth:.4g}",
        f"{row.bias:+.2g} ± {row.bias_error:.1g}",
        f"{row.width:.3g}",
        _measured(row),
        _or_none(row.naive_method, str),
        _or_none(row.naive_bias, "{:+.2g}".format),
        _or_none(row.naive, "{:.1%}".format),
        _verdict(row),
    ]


def _of_test(row: pd.Series) -> list[str]:
    return [
        row.estimand,
        f"`{row.estimator}`",
        row.law,
        row.cases,
        f"{row.n:,}",
        _measured(row),
        _or_none(row.naive_method, str),
        _or_none(row.naive, "{:.1%}".format),
        _verdict(row),
    ]


def _measured(row: pd.Series) -> str:
    error = (row.ci_high - row.ci_low) / 2 / 1.96
    return f"{row.estimate:.1%} ± {error:.1%}"


def _or_none(value: Any, text: Any) -> str:
    return "" if pd.isna(value) else text(value)


def _verdict(row: pd.Series) -> str:
    usual = (0.93, 0.97) if row.kind == "interval" else (0.03, 0.07)
    asked = (row.least, row.most)
    return row.verdict if asked == usual else f"{row.verdict} ({asked[0]:.0%} to {asked[1]:.0%})"


def _remarks(table: pd.DataFrame) -> str:
    known = table[table.remark.notna()]
    lines = [f"- {row.estimand} (`{row.estimator}`): {row.remark}\n" for row in known.itertuples()]
    return "\n## Remarks\n\n" + "".join(lines) if lines else ""
