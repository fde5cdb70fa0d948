"""The README keeps its word: its five lines run, its commands and links exist."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

import analysis
from analysis.cli import main

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_five_lines_run_on_the_readers_own_frames(tmp_path, monkeypatch, capsys):
    for name in ("orders", "requests"):
        pd.read_parquet(ROOT / "data" / "sample" / name).to_parquet(tmp_path / f"{name}.parquet")
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) == 5
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    said = capsys.readouterr().out
    assert "order_state" in said and "awaiting_shipment" in said


def test_every_function_that_it_names_is_public():
    table = TEXT.split("## What it answers")[1].split("What is different")[0]
    cells = [row.split("|")[2] for row in table.splitlines() if row.count("|") == 4]
    named = set(re.findall(r"`([a-z_]+)`", " ".join(cells)))
    assert len(named) >= 17
    assert named <= set(analysis.__all__)


def test_every_link_and_picture_is_there():
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / target).exists(), target


def test_every_command_that_it_names_has_its_arguments_right(capsys):
    for line in re.findall(r"^cancellations (\w+)", TEXT, re.MULTILINE):
        try:
            main([line, "--help"])
        except SystemExit as stop:
            assert stop.code == 0
        assert line in capsys.readouterr().out


def test_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("report", "test", "lab", "lint", "notebooks", "bench", "check", "clean", "help"):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
