"""The data dictionary and the glossary keep step with the contract."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from analysis.contract import TABLES, codes

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
SECTIONS = {
    "`order_state`": codes.ORDER_STATES,
    "`end_code`": codes.ORDER_ENDS,
    "`outcome`": codes.OUTCOMES,
    "`blocker`": codes.BLOCKERS,
    "`reason`": codes.REASONS,
    "`payment_method`, and `method` of a refund": codes.REFUND_METHODS,
    "`step`": codes.STEPS,
}


@pytest.fixture
def tool():
    """Return the program that writes the dictionary, as a module."""
    spec = importlib.util.spec_from_file_location(
        "data_dictionary", ROOT / "tools" / "data_dictionary.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows_of(section: str) -> list[list[str]]:
    """Cells of the table in a hand-written section, without its head."""
    hand_written = PAGE.split("<!-- end of what is made", 1)[1]
    body = hand_written.split(f"### {section}\n", 1)[1].split("\n### ", 1)[0]
    lines = [line for line in body.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def run(tool, monkeypatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["data_dictionary.py", *arguments])
    return tool.main()


def test_the_page_is_in_step_with_the_contract(tool, monkeypatch):
    assert run(tool, monkeypatch, "--check") == 0


def test_a_page_out_of_step_is_noticed_and_made_anew(tool, monkeypatch, tmp_path, capsys):
    page = tmp_path / "README.md"
    page.write_text(PAGE.replace("who ordered", "who paid"), encoding="utf-8")
    monkeypatch.setattr(tool, "TARGET", page)
    assert run(tool, monkeypatch, "--check") == 1
    assert "out of step" in capsys.readouterr().out
    assert run(tool, monkeypatch) == 0
    assert page.read_text(encoding="utf-8") == PAGE


def test_every_table_column_word_and_rule_is_on_the_page(tool):
    made = tool.dictionary()
    for spec in TABLES.values():
        section = made.split(f"### `{spec.name}`", 1)[1].split("\n### ", 1)[0]
        assert re.findall(r"^\| `(\w+)` \|", section, re.M) == list(spec.names)
        words = [f"`{word}`" for column in spec.columns for word in column.codes]
        assert all(word in section for word in words)
        assert all(f"- {rule}" in section for rule in tool.rules(spec))


def test_every_kind_of_column_is_explained(tool):
    assert {column.kind for spec in TABLES.values() for column in spec.columns} == set(tool.KINDS)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_word_has_a_row_and_every_row_a_word(section):
    head, _, *body = rows_of(section)
    assert [row[0].strip("`") for row in body] == list(SECTIONS[section])
    assert {len(row) for row in body} == {len(head)}
    assert all(cell for row in body for cell in row)


def test_the_glossary_has_one_line_per_word():
    lines = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8").splitlines()
    words = re.findall(r"^\| \*\*(.+?)\*\*", "\n".join(lines), re.M)
    named = [word for line in words for word in line.split(", ")]
    assert len(named) == len(set(named))
    wanted = "request success outcome blocker window mature horizon as_of observed censored pending"
    assert set(wanted.split()) <= set(named)
    assert {"refund leg", "cluster", "shrinkage", "naive", "weight", "synthetic"} <= set(named)
