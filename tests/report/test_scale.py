"""What size costs, how data is cut, what leaves the engine, what a warehouse is asked."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
import sqlglot
from tests.plots import samples

from analysis import (
    asked_sql,
    cancellation_success_rate,
    dataset_parts,
    open_tables,
    rows_that_leave,
    scale_costs,
)
from analysis.cli import _parser
from analysis.contract import MissingData
from analysis.marketplace import make_market, write_market
from analysis.measures import MEASURES, order_end_shares
from analysis.report.ask import ask, say
from analysis.report.say import say_scale_costs
from analysis.sources.elsewhere import asked_elsewhere, tables_elsewhere
from analysis.sources.engine import answered_by

WAREHOUSES = ("bigquery", "databricks", "postgres", "snowflake")
ROOT = Path(__file__).resolve().parents[2]
ASKED = [name for name in MEASURES if name != "naive_versus_right"]  # it asks what others ask
A_THIRD = [
    pytest.param(name, marks=[pytest.mark.study] * (i % 3 > 0)) for i, name in enumerate(ASKED)
]
AS_OF = "2025-12-01"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("scale") / "market"
    write_market(out, 4_000, seed=2, block_orders=1_500)
    return out


@pytest.fixture(scope="module")
def opened(folder):
    return open_tables(folder)


# scale_costs


def growth_of(measured):
    """Measurements of works and peers: CPU-seconds by number of orders."""
    rows = [
        (work, peer, n, cost / 2, cost, 300.0)
        for (work, peer), costs in measured.items()
        for n, cost in costs.items()
    ]
    names = ["work", "peer", "n_orders", "seconds", "cpu_seconds", "peak_mb"]
    return pd.DataFrame(rows, columns=names)


def test_ours_is_carried_to_a_billion_orders_and_peers_are_not():
    line = {n: 4 + 2e-6 * n for n in (10**5, 10**6, 10**7)}
    measured = {("generate", ""): line, ("generate", "other"): {10**5: 8.0, 10**6: 80.0}}
    table = scale_costs(growth_of(measured))
    assert table["peer"].tolist() == ["ours"] * 4 + ["other"] * 2
    assert table["is_measured"].tolist() == [True] * 3 + [False] + [True] * 2
    assert table["n_orders"].tolist()[3] == 10**9
    # 4 + 2e-6 * 1e9
    np.testing.assert_allclose(table.loc[3, ["estimate", "ci_low", "ci_high"]].astype(float), 2004)
    assert table["n"].tolist() == [3] * 4 + [2] * 2
    np.testing.assert_allclose(table["exponent"][4:], 1.0)
    assert 0 < table["exponent"][0] < 0.5  # start-up makes it small
    assert table[~table["is_measured"]][["seconds", "peak_mb"]].isna().all(axis=None)


def test_the_measurements_of_the_package_are_told():
    table = scale_costs()
    assert {"generate", "tables", "report"} <= set(table["work"])
    assert (table.loc[table["is_measured"], "estimate"] > 0).all()
    text = say(ask(scale_costs)).text
    assert "n = " in text and "1,000,000,000 orders would take" in text


def test_limits_of_a_power_have_the_minus_of_all_other_numbers():
    line = samples.overall("scale_costs").assign(exponent_low=-0.06)
    assert "(−0.06 to 1.05, n = 3 sizes)" in say_scale_costs(line)


# dataset_parts, rows_that_leave


def test_parts_of_every_table(opened):
    table = dataset_parts(opened).set_index("table")
    assert table["n_parts"].to_dict() == dict.fromkeys(opened.frames, 3) | {"sellers": 1}
    assert table.loc["orders", "n_rows"] == opened.manifest.n_rows["orders"]
    assert table.loc["orders", "most_rows"] < table.loc["orders", "n_rows"]
    on_disk = sum(path.stat().st_size for path in (opened.folder / "orders").iterdir())
    assert table.loc["orders", "megabytes"] == on_disk / 1e6


def test_data_in_memory_has_no_parts():
    in_memory = open_tables(make_market(300, seed=1), as_of=AS_OF)
    with pytest.raises(MissingData, match="a manifest with parts is not in this data"):
        dataset_parts(in_memory)


def test_rows_that_leave_are_counted(opened):
    table = rows_that_leave(opened).set_index("measure")
    success = table.loc["cancellation_success_rate"]
    assert success["unit"] == "requests" and success["n_questions"] >= 1
    assert 0 < success["n_leaving"] < success["n_rows"] / 4
    assert success["n_rows"] == opened.manifest.n_rows["requests"]
    assert success["share"] == success["n_leaving"] / success["n_rows"]


# elsewhere


@pytest.fixture(scope="module")
def warehouse(opened):
    """An engine that has the rows under the names of the tables."""
    here = ibis.duckdb.connect()
    for table, frame in opened.frames.items():
        here.con.register(table, frame.to_pyarrow())
    return here


@pytest.mark.parametrize("name", A_THIRD)
def test_what_a_warehouse_would_be_asked_gives_the_same_table(name, opened, warehouse):
    """The expressions for tables that are bound to no engine, run by DuckDB on the same rows."""
    with answered_by(warehouse.to_pyarrow):
        found = MEASURES[name](tables_elsewhere(opened))
    pd.testing.assert_frame_equal(found, MEASURES[name](opened), rtol=1e-12, atol=1e-12)


IN_TURN = [(name, WAREHOUSES[i % len(WAREHOUSES)]) for i, name in enumerate(ASKED)]
ALL = [(name, warehouse) for name in MEASURES for warehouse in WAREHOUSES]


def can_be_put(name, dialect, opened):
    """Each question of a measure is SQL that a parser of the warehouse's grammar reads."""
    for frame in asked_elsewhere(MEASURES[name], opened):
        sql = str(ibis.to_sql(frame, dialect=dialect))
        assert "epoch_us" not in sql.lower() and "make_timestamptz" not in sql.lower()
        assert len(sqlglot.parse(sql, read=dialect)) == 1


@pytest.mark.parametrize(("name", "dialect"), IN_TURN[::3])
def test_every_question_can_be_put_to_a_warehouse(name, dialect, opened):
    can_be_put(name, dialect, opened)


@pytest.mark.study
@pytest.mark.parametrize(("name", "dialect"), ALL)
def test_every_question_can_be_put_to_every_warehouse(name, dialect, opened):
    can_be_put(name, dialect, opened)


def test_the_sql_of_a_measure_is_shown_as_text(opened):
    shown = asked_sql(order_end_shares, opened, dialect="bigquery")
    assert "FROM `orders`" in shown.text and "<pre>" in shown.markup
    assert "GROUP BY" in shown.text
    with pytest.raises(ValueError, match="dialect must be one of bigquery, .*got 'cobol'"):
        asked_sql(order_end_shares, opened, dialect="cobol")


def test_the_lines_of_the_documentation_run(monkeypatch, capsys):
    text = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    (lines,) = (
        code for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "sample" in code
    )
    monkeypatch.chdir(ROOT)
    exec(compile(lines, "scale.md", "exec"), {})
    assert 'FROM "requests"' in capsys.readouterr().out
    for command in re.findall(r"^cancellations (\w+.*?)(?: +#.*)?$", text, re.MULTILINE):
        _parser().parse_args(shlex.split(command))


def test_asking_elsewhere_leaves_the_tables_as_they_were(opened):
    before = cancellation_success_rate(opened)
    asked_sql(cancellation_success_rate, opened, dialect="postgres", by=["order_state"])
    pd.testing.assert_frame_equal(cancellation_success_rate(opened), before)
