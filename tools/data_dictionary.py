"""Write the tables of ``data/README.md`` from the contract; ``--check`` compares.

What is between the two marks is made here; what is around it is written by hand.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from analysis.contract import (
    JOINED_RULES,
    REFERENCES,
    REQUIRED_TABLES,
    ROW_RULES,
    TABLES,
    Column,
    TableSpec,
)

TARGET = Path(__file__).resolve().parents[1] / "data" / "README.md"
BEGIN = "<!-- made from src/analysis/contract by tools/data_dictionary.py; do not edit below -->"
END = "<!-- end of what is made from the contract -->"

KINDS = {
    "id": "whole number (int64) or text; the same in every table that refers to it",
    "time": "moment in UTC, whole seconds; without a zone it is taken as UTC, fractions are cut",
    "code": "one of the words listed for the column",
    "text": "text",
    "money": "whole number of minor units (cents) of the currency in the same row",
    "count": "whole number",
    "flag": "true or false",
    "number": "number with a fraction",
}


def dictionary() -> str:
    """Return the generated part: kinds, then a section for every table."""
    kinds = ["| kind | what a value is |", "|---|---|"]
    kinds += [f"| `{kind}` | {meaning} |" for kind, meaning in KINDS.items()]
    return "\n".join(["### Kinds of columns", "", *kinds, "", *map(section, TABLES.values())])


def section(spec: TableSpec) -> str:
    """Return the section of one table: what a row is, its columns, words and rules."""
    needed = "needed" if spec.name in REQUIRED_TABLES else "optional"
    key = " and ".join(f"`{column}`" for column in spec.key)
    lines = [
        f"### `{spec.name}`: one row is {spec.row}",
        "",
        f"This table is {needed}. Its key is {key}: never missing, never twice.",
        "",
        "| column | kind | may be missing | meaning |",
        "|---|---|---|---|",
        *map(row, spec.columns),
        "",
        *words(spec),
        "Rules, beside those that every column of its kind has:",
        "",
        *(f"- {sentence}" for sentence in rules(spec)),
        "",
    ]
    return "\n".join(lines)


def row(column: Column) -> str:
    """Return the line of one column in its table."""
    missing = "yes" if column.optional else "no"
    meaning = column.meaning.replace("``", "`")
    return f"| `{column.name}` | {column.kind} | {missing} | {meaning} |"


def words(spec: TableSpec) -> list[str]:
    """Return a line for every coded column with the words it may hold."""
    coded = [column for column in spec.columns if column.codes]
    lines = [f"- `{c.name}`: {', '.join(f'`{word}`' for word in c.codes)}" for c in coded]
    return ["Words:", "", *lines, ""] if lines else []


def rules(spec: TableSpec) -> list[str]:
    """Return the rules of one table as sentences."""
    own = [rule.sentence for rule in ROW_RULES[spec.name]]
    own += [f"{r.column} is found in {r.target}" for r in REFERENCES if r.table == spec.name]
    for (child, parent), joined in JOINED_RULES.items():
        if child == spec.name:
            whose = f"the {parent[:-1]}'s "
            own += [rule.sentence.replace("parent_", whose) for rule in joined]
    return own or ["none"]


def with_dictionary(text: str) -> str:
    """Return the whole document with its generated part made anew."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{dictionary()}\n{END}{tail}"


def main() -> int:
    """Write or compare; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if the file is out of step")
    old = TARGET.read_text(encoding="utf-8")
    text = with_dictionary(old)
    if parser.parse_args().check:
        if old != text:
            print("data/README.md is out of step: run python tools/data_dictionary.py")
        return int(old != text)
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
