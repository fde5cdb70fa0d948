"""Write ``environment.yml``, for conda users, from ``pyproject.toml``; ``--check`` compares."""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "environment.yml"
CONDA_NAMES = {"duckdb": "python-duckdb", "ibis-framework": "ibis-duckdb"}
HEAD = """\
# Made from pyproject.toml by tools/environment.py; do not edit by hand.
#   conda env create -f environment.yml && conda activate order-cancellations
"""


def conda_requirement(requirement: str) -> str:
    """Return a requirement of PyPI as conda-forge spells it.

    >>> conda_requirement("ibis-framework[duckdb]>=12,<13")
    'ibis-duckdb>=12,<13'
    """
    name, versions = re.fullmatch(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?(.*)", requirement).groups()
    return f"{CONDA_NAMES.get(name, name)}{versions}"


def environment(project: dict) -> str:
    """Return the text of ``environment.yml``."""
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    lines = [f"  - {conda_requirement(requirement)}" for requirement in wanted]
    return "\n".join(
        [
            f"{HEAD}name: {project['name']}",
            "channels:",
            "  - conda-forge",
            "dependencies:",
            f"  - python{project['requires-python']}",
            *lines,
            "  - pip",
            "  - pip:",
            "      - --editable .",
            "",
        ]
    )


def main() -> int:
    """Write or compare; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if the file is out of step")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = environment(project)
    if parser.parse_args().check:
        same = TARGET.exists() and TARGET.read_text(encoding="utf-8") == text
        if not same:
            print("environment.yml is out of step: run python tools/environment.py")
        return 0 if same else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
