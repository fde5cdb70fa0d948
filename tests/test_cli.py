"""The command line: what it writes, what it says, and how it fails."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from tests.measures.random_rows import AS_OF, random_market

from analysis.cli import main
from analysis.measures import MEASURES
from analysis.sources import open_tables
from analysis.sources.writing import write_dataset

COMMAND = [sys.executable, "-m", "analysis.program"]


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small synthetic dataset, made by the command."""
    out = tmp_path_factory.mktemp("cli") / "market"
    assert main(["generate", "--orders", "3000", "--seed", "5", "--out", str(out)]) == 0
    return out


def run(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_generate_says_what_it_made_and_that_it_is_synthetic(tmp_path, capsys):
    assert main(["generate", "--orders", "200", "--seed", "1", "--out", str(tmp_path / "d")]) == 0
    said = capsys.readouterr()
    assert "synthetic, seed 1" in said.out and "orders" in said.out
    assert said.err == ""  # quiet in a pipe: no progress bar
    assert open_tables(tmp_path / "d").manifest.synthetic


def test_check_accepts_what_generate_made_and_names_what_was_changed(market, tmp_path, capsys):
    assert main(["check", str(market)]) == 0
    assert "rules hold" in capsys.readouterr().out
    copy = tmp_path / "copy"
    shutil.copytree(market, copy)
    part = next((copy / "requests").glob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-40])
    assert main(["check", str(copy)]) == 2
    assert part.name in capsys.readouterr().err


def test_check_lists_every_broken_rule_and_exits_2(tmp_path, market, capsys):
    loose = tmp_path / "loose"
    loose.mkdir()
    for name in ("orders", "requests"):
        frame = pd.read_parquet(market / name)
        if name == "requests":
            frame = pd.concat([frame, frame.head(3)])
        frame.to_parquet(loose / f"{name}.parquet", index=False)
    assert main(["check", str(loose), "--as-of", "2025-12-01"]) == 2
    said = capsys.readouterr().err
    assert "request_id is unique: 3 rows" in said
    assert main(["tables", str(loose), "--as-of", "2025-12-01", "--out", str(tmp_path / "t")]) == 2
    assert not (tmp_path / "t").exists()


def test_tables_writes_csv_and_json_of_every_measure(market, tmp_path):
    out = tmp_path / "tables"
    assert main(["tables", str(market), "--out", str(out)]) == 0
    assert {path.stem for path in out.glob("*.csv")} == set(MEASURES)
    table = pd.read_csv(out / "cancellation_success_rate.csv")
    twin = json.loads((out / "cancellation_success_rate.json").read_text(encoding="utf-8"))
    assert table.loc[0, "n_events"] == twin[0]["n_events"] > 0
    assert twin[0]["ci_low"] < twin[0]["estimate"] < twin[0]["ci_high"]


def test_tables_makes_formulas_in_the_data_plain_text(tmp_path, market):
    loose = tmp_path / "loose"
    loose.mkdir()
    orders = pd.read_parquet(market / "orders").assign(category="=1+1")
    orders.to_parquet(loose / "orders.parquet", index=False)
    pd.read_parquet(market / "requests").to_parquet(loose / "requests.parquet", index=False)
    out = tmp_path / "tables"
    arguments = ["tables", str(loose), "--as-of", "2025-12-01", "--by", "category"]
    assert main([*arguments, "--out", str(out)]) == 0
    assert pd.read_csv(out / "request_rate.csv").loc[0, "category"] == "'=1+1"
    assert json.loads((out / "request_rate.json").read_text())[0]["category"] == "=1+1"


def test_why_answers_for_one_order_in_a_sentence(market, capsys):
    requests = pd.read_parquet(market / "requests")
    order = int(requests.loc[requests["blocker"] == "already_shipped", "order_id"].iloc[0])
    assert main(["why", str(order), str(market)]) == 0
    said = capsys.readouterr().out
    assert str(order) in said.replace(",", "") and "shipped" in said


def test_a_measure_that_cannot_be_grouped_so_is_left_out_and_named(tmp_path, capsys):
    frames = random_market(3, 40)
    write_dataset(tmp_path / "made", frames, as_of=AS_OF, source="test")
    out = tmp_path / "out"
    command = ["tables", str(tmp_path / "made"), "--by", "order_state", "--out", str(out)]
    assert main(command) == 0
    assert "left out: standardised_success_rate: adjust_for and by" in capsys.readouterr().out
    assert "order_state" in pd.read_csv(out / "cancellation_success_rate.csv").columns
    assert not (out / "standardised_success_rate.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["why", "nonsense", "MARKET"], "whole number"),
        (["why", "999999999999", "MARKET"], "is not in this data"),
        (["check", "nowhere"], "there is no dataset folder nowhere"),
        (["report", "nowhere", "--out", "site"], "there is no dataset folder nowhere"),
        (["tables", "nowhere", "--out", "out"], "there is no dataset folder nowhere"),
        (["generate", "--orders", "10", "--policy", "nobody", "--out", "x"], "nobody"),
        (["generate", "--orders", "-5", "--out", "x"], "-5"),
        (["import", "word", "nowhere", "--out", "x"], "word"),
        (["import", "olist", "nowhere", "--out", "x"], "nowhere"),
        (
            ["tables", "MARKET", "--by", "shoe_size", "--out", "OUT"],
            "the column shoe_size is not in this data, needed by any measure; there are: amount",
        ),
        (["tables", "MARKET", "--memory", "1KB", "--out", "OUT"], "more with --memory"),
        (["tables", "MARKET", "--memory", "9999999TB", "--out", "OUT"], "such as 2GB"),
        (["tables", "MARKET", "--engine=spark", "--master=", "--out=OUT"], "master must be"),
        (["tables", "MARKET", "--memory", "lots", "--out", "OUT"], "such as 2GB"),
        (["report", "MARKET", "--timeout", "0", "--out", "OUT"], "must be a number of seconds"),
        (["report", "MARKET", "--timeout", "0.05", "--out", "OUT"], "the timeout is 0.05 seconds"),
        (["report", "MARKET", "--memory", "1", "--out", "OUT"], "such as 2GB"),
        (["tables", "MARKET", "--memory=1GB", "--engine=spark", "--out=OUT"], "--engine duckdb"),
    ],
)
def test_user_errors_are_one_message_with_exit_2(
    arguments, words, market, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.environ", dict(os.environ))  # what a command leaves there
    named = {"MARKET": str(market), "OUT": str(tmp_path / "out")}
    try:
        code = main([named.get(argument, argument) for argument in arguments])
    except SystemExit as end:  # of the parser
        code = end.code
    said = capsys.readouterr()
    assert code == 2 and said.out == ""
    assert words in said.err
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_ends_with_an_error_shows_no_traceback():
    done = run("check", "nowhere")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == "cancellations: there is no dataset folder nowhere\n"


def test_an_interrupted_generate_leaves_nothing_that_opens(tmp_path):
    out = tmp_path / "market"
    arguments = ["generate", "--orders", "3000000", "--out", str(out)]
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".market*/orders/*.parquet")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    assert not out.exists()
    assert main(["check", str(out)]) == 2
    assert main(["generate", "--orders", "300", "--out", str(out)]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["market"]  # leftovers are cleared


def test_lab_opens_the_notebooks_and_passes_options_on(monkeypatch):
    ran = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: ran.append(command))
    assert main(["lab", "--no-browser", "--port", "8899"]) == 0
    assert ran[0][1:3] == ["-m", "jupyterlab"]
    assert Path(ran[0][3]).name == "notebooks"
    assert ran[0][4:] == ["--no-browser", "--port", "8899"]


def test_unknown_options_are_refused(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["check", "somewhere", "--shoe-size", "43"])
    assert stop.value.code == 2
    assert "--shoe-size" in capsys.readouterr().err


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    said = capsys.readouterr().out
    for command in ("generate", "check", "import", "tables", "report", "why", "lab"):
        assert command in said
