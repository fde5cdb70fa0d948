"""Every notebook runs top to bottom: in a real kernel, in the report's own way, on any dataset."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pandas as pd
import papermill
import pytest

from analysis.marketplace import make_market, write_market
from analysis.report.execute import execute_all, failures
from analysis.report.notebooks import notebook_folder, read_notebooks
from analysis.sources.writing import write_dataset

NAMES = sorted(read_notebooks())
AS_OF = "2025-12-01"
IN_A_KERNEL = ("02_why_not",)  # the others with `make studies`, and `make notebooks`


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("notebooks") / "market"
    write_market(out, 4000, seed=3)
    return out


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    return {name: table.to_pandas() for name, table in make_market(2000, seed=4).items()}


def outputs(notebook: dict) -> str:
    """What the page shows of a notebook's answers, as text."""
    found = []
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            markup = "".join(output.get("data", {}).get("text/html", ""))
            words = html.unescape(re.sub(r"<[^>]+>", "", markup)).replace("\u00a0", " ")
            found.append(words or str(output.get("text", "")))
    return "\n".join(found)


def run_all(dataset: Path, **parameters: object) -> dict[str, dict]:
    """Every notebook on a dataset in the report's own way; fails where one of them failed."""
    given = {"dataset": str(dataset), **parameters}
    done = execute_all(list(read_notebooks().values()), parameters=given)
    wrong = {name: failures(one) for name, one in zip(NAMES, done, strict=True) if failures(one)}
    assert not wrong
    return dict(zip(NAMES, done, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in IN_A_KERNEL else [pytest.mark.study])
        for name in NAMES
    ],
)
def test_runs_in_a_real_kernel_without_warnings(name, market, tmp_path):
    done = papermill.execute_notebook(
        notebook_folder() / f"{name}.ipynb",
        tmp_path / "done.ipynb",
        parameters={"dataset": str(market)},
        cwd=notebook_folder(),
        kernel_name="python3",
        progress_bar=False,
    )
    for cell in done.cells:
        for output in cell.get("outputs", ()):
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.text


def test_each_answers_in_sentences_with_interval_and_count(market):
    for name, done in run_all(market).items():
        answers = [c for c in done["cells"] if "".join(c["source"]).startswith("say(")]
        text = outputs({"cells": answers})
        assert len(text) > 80, name
        assert "nan" not in text.lower().split(), name
        if name != "00_the_data":
            assert " to " in text and "n = " in text, name


def test_data_without_the_optional_tables_says_so_and_goes_on(frames, tmp_path):
    out = tmp_path / "small"
    kept = {"orders": frames["orders"], "requests": frames["requests"]}
    write_dataset(out, kept, as_of=AS_OF, source="two tables")
    done = run_all(out)
    assert "Not in this data: the table refunds" in outputs(done["03_refund_time"])
    assert "Not in this data: the table blockers" in outputs(done["02_why_not"])
    assert "Not in this data: the policy of the marketplace" in outputs(done["02_why_not"])
    assert "Not in this data: the table steps" in outputs(done["05_the_cancel_flow"])
    assert "Not in this data" in outputs(done["04_sellers"])  # no size_tier without sellers
    assert "requests" in outputs(done["01_cancellation_success"])
    assert "Not in this data: the truth" in outputs(done["09_can_you_trust_it"])


@pytest.mark.parametrize(
    "rows", ["none", *(pytest.param(few, marks=pytest.mark.study) for few in ("one", "pending"))]
)
def test_no_rows_one_row_and_all_pending(rows, frames, tmp_path):
    orders, requests = frames["orders"], frames["requests"]
    pick = {"none": requests.head(0), "one": requests.head(1), "pending": requests.head(40)}[rows]
    if rows == "pending":
        empty = {"decided_at": pd.NaT, "decided_by": None, "blocker": None}
        pick = pick.assign(outcome="pending", **empty)
    kept = orders if rows != "one" else orders[orders["order_id"].isin(pick["order_id"])]
    kept = kept.assign(replaces_order_id=pd.array([None] * len(kept), dtype="Int64"))
    if rows == "none":
        kept = kept.head(0)
    out = tmp_path / rows
    write_dataset(out, {"orders": kept, "requests": pick}, as_of=AS_OF, source=rows)
    run_all(out)


def test_hostile_text_stays_text(frames, tmp_path):
    hostile = ["<script>alert(1)</script>", "$x^2$ `code`", 'a"><img src=x onerror=y>', "שלום" * 40]
    orders = frames["orders"].copy()
    orders["category"] = [hostile[i % len(hostile)] for i in range(len(orders))]
    out = tmp_path / "hostile"
    kept = {"orders": orders, "requests": frames["requests"], "refunds": frames["refunds"]}
    write_dataset(out, kept, as_of=AS_OF, source="<b>hostile</b> $source$")
    for done in run_all(out, by=["category"]).values():
        for cell in done["cells"]:
            for output in cell.get("outputs", ()):
                markup = "".join(output.get("data", {}).get("text/html", ""))
                assert "<script" not in markup and "<img src=x" not in markup
                assert "<b>hostile" not in markup


def test_olist_runs_and_names_what_it_lacks(shared_data, tmp_path):
    from analysis.sources.importers import import_olist

    import_olist(shared_data / "olist", tmp_path / "olist")
    done = run_all(tmp_path / "olist")
    assert "Not in this data: the table refunds" in outputs(done["03_refund_time"])
    first = outputs(done["00_the_data"])
    assert "the table requests has no rows" in first
    assert "99,440" in first
