"""The shape of the house: imports point one way, notebooks only call, docs keep their word."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import analysis

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "analysis"
STEPS = {  # a room may import rooms on lower steps only
    "contract": 0,
    "stats": 0,
    "sources": 1,
    "marketplace": 1,
    "measures": 2,
    "plots": 3,
    "report": 4,
    "cli": 5,
    "program": 6,
}
OUT_OF_ARROW = {"engine.py", "reading.py"}  # where rows become pandas frames
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def rooms_imported(path: Path) -> set[str]:
    """Rooms of ours that a file imports, at any depth of its syntax tree."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
            if node.module == "analysis":
                names = [f"analysis.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("analysis.")}
    return found & set(STEPS)


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda p: str(p.name))
def test_imports_point_one_way(path):
    inside = path.relative_to(SOURCE).parts
    room = inside[0].removesuffix(".py")
    if room not in STEPS:
        return
    upward = {other for other in rooms_imported(path) - {room} if STEPS[other] >= STEPS[room]}
    assert not upward, f"{room} must not import {upward}"


def test_every_room_has_a_step():
    rooms = {p.name for p in SOURCE.iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert rooms <= set(STEPS)


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, analysis; print(' '.join(sorted({m.split('.')[0] for m in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"matplotlib", "ibis", "scipy", "pandas", "faker"} & set(done.stdout.split())


def test_every_public_name_exists_and_is_documented():
    for name in analysis.__all__:
        value = getattr(analysis, name)
        if callable(value) and not isinstance(value, type):
            assert inspect.getdoc(value), name


def test_only_the_source_of_the_engine_collects_and_no_function_reads_the_clock():
    forbidden = re.compile(
        r"datetime\.now\(|datetime\.utcnow\(|time\.time\(|date\.today\(|Timestamp\.now\("
    )
    for path in SOURCE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not forbidden.search(text), path
        assert ".to_pandas(" not in text or path.name in OUT_OF_ARROW, path
        assert ".execute(" not in text or path.name == "engine.py", path


def test_only_the_notebook_that_checks_the_methods_reads_the_truth():
    for path in NOTEBOOKS:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        assert ("truth" in code) == (path.stem == "09_can_you_trust_it"), path
    for path in SOURCE.rglob("*.py"):
        room = path.relative_to(SOURCE).parts[0]
        reads = re.search(r"truth/|estimands|truth_of|make_truth", path.read_text(encoding="utf-8"))
        assert not reads or room == "marketplace" or path.name == "proof.py", path


def test_environment_for_conda_is_in_step():
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "environment.py", "--check"], check=False
    )
    assert done.returncode == 0


def test_constraints_name_every_dependency_with_hashes_and_no_address():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *sum(project["optional-dependencies"].values(), [])]
    for requirement in wanted:
        name = re.match(r"[A-Za-z0-9._-]+", requirement).group()
        assert re.search(rf"^{re.escape(name)}(\[[^\]]*\])?==", text, re.MULTILINE), name
    assert "://" not in text
    pins = [line for line in text.splitlines() if "==" in line]
    assert len(pins) <= text.count("--hash=sha256:")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
class TestNotebook:
    """Rules for every notebook."""

    def cells(self, path):
        return json.loads(path.read_text(encoding="utf-8"))["cells"]

    def code(self, path):
        return ["".join(c["source"]) for c in self.cells(path) if c["cell_type"] == "code"]

    def test_is_short_and_has_no_outputs(self, path):
        assert len(self.cells(path)) <= 25
        for cell in self.cells(path):
            if cell["cell_type"] == "code":
                assert cell["outputs"] == [] and cell["execution_count"] is None
                assert len("".join(cell["source"]).splitlines()) <= 6

    def test_has_one_parameters_cell(self, path):
        tags = [c["metadata"].get("tags", []) for c in self.cells(path)]
        assert sum("parameters" in t for t in tags) == 1

    def test_only_calls(self, path):
        forbidden = (
            ast.FunctionDef,
            ast.ClassDef,
            ast.For,
            ast.While,
            ast.If,
            ast.Try,
            ast.Lambda,
            ast.ListComp,
            ast.DictComp,
        )
        for source in self.code(path):
            for node in ast.walk(ast.parse(source)):
                assert not isinstance(node, forbidden), source
                if isinstance(node, ast.Attribute):
                    assert node.attr not in {"groupby", "merge", "apply"}, source

    def test_opens_with_its_question_and_ends_with_its_limits_and_fingerprint(self, path):
        texts = ["".join(c["source"]) for c in self.cells(path)]
        assert re.match(r"# .*\?", texts[0].splitlines()[0])
        assert texts.index("## The answer") < 6
        assert any(text.startswith("## What this cannot tell") for text in texts)
        assert texts[-1] == "fingerprint(tables)"

    def test_prose_has_no_computed_number(self, path):
        for cell in self.cells(path):
            if cell["cell_type"] == "markdown":
                assert not re.search(r"\d+(\.\d+)? ?%", "".join(cell["source"]))
