"""The whole report: what the index says, when it refuses, and that a rerun changes no byte."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from analysis.contract import ContractError
from analysis.marketplace import write_market
from analysis.measures import cancellation_success_rate
from analysis.report import make
from analysis.report.make import make_report
from analysis.report.notebooks import read_notebooks
from analysis.sources import open_tables


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "market"
    write_market(out, 5000, seed=9)
    return out


@pytest.fixture(scope="module")
def site(market: Path) -> Path:
    return make_report(market, market.parent / "site").parent


def test_index_has_headlines_with_interval_and_denominator(site, market):
    text = (site / "index.html").read_text(encoding="utf-8")
    row = cancellation_success_rate(open_tables(market)).iloc[0]
    assert f"{row.estimate:.0%}" in text
    assert f"{row.n:,} requests" in text
    low, high = (f"{value:.0%}" for value in (row.ci_low, row.ci_high))
    assert f"{low} to {high}" in text


def test_every_page_says_that_synthetic_data_are_synthetic_and_names_its_data(site, market):
    digest = open_tables(market).manifest.digest[:16]
    pages = sorted(site.glob("*.html"))
    assert len(pages) == len(read_notebooks()) + 1  # and the index
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "Synthetic data" in text and digest in text, page.name
        assert "Content-Security-Policy" in text
        assert page.stat().st_size < 1_000_000
        assert not re.search(r"(src|href)=\"(https?:)?//", text)
        assert str(market) not in text  # no place on this machine


def test_figures_have_alternative_text_that_is_the_sentence(site):
    text = (site / "01_cancellation_success.html").read_text(encoding="utf-8")
    labels = re.findall(r'<svg[^>]*aria-label="([^"]*)"', text)
    assert len(labels) == text.count("<figure") >= 5
    assert all(len(label) > 40 for label in labels)


def test_the_same_data_give_the_same_bytes(site, market, tmp_path):
    again = make_report(market, tmp_path / "again", workers=1).parent
    for page in site.glob("*.html"):
        assert page.read_bytes() == (again / page.name).read_bytes(), page.name


def test_a_notebook_of_models_is_begun_before_one_that_asks_as_often():
    def notebook(*sources):
        return {"cells": [{"source": [source]} for source in sources]}

    models = notebook("show(ask(success_drivers, tables))", "show(ask(refund_drivers, tables))")
    counts = notebook("show(ask(request_rate, tables))", "show(ask(request_rate, tables, by=by))")
    assert make._length(models) > make._length(counts) == 2


@pytest.fixture
def few_notebooks(monkeypatch):
    """Of all notebooks but the first two only the titles: enough for what is not about them."""
    few = read_notebooks()
    for name, book in few.items():
        book["cells"] = book["cells"] if name < "02" else book["cells"][:1]
    monkeypatch.setattr(make, "read_notebooks", lambda: few)
    return few


def test_data_that_breaks_rules_is_refused_unless_told_otherwise(market, few_notebooks, tmp_path):
    loose = tmp_path / "loose"
    loose.mkdir()
    for name in ("orders", "requests"):
        frame = pd.read_parquet(market / name)
        frame = pd.concat([frame, frame.head(2)]) if name == "requests" else frame
        frame.to_parquet(loose / f"{name}.parquet", index=False)
    with pytest.raises(ContractError, match="request_id is unique: 2 rows"):
        make_report(loose, tmp_path / "site", as_of="2025-12-01")
    assert not (tmp_path / "site").exists()
    index = make_report(loose, tmp_path / "site", as_of="2025-12-01", despite_broken_rules=True)
    first = (index.parent / "00_the_data.html").read_text(encoding="utf-8")
    assert "request_id is unique: 2 rows" in first and "not to be trusted" in first
    assert "Synthetic data" not in first  # these files do not say that they are


def test_a_failing_notebook_is_a_bug_that_names_the_cell_and_leaves_the_old_site(
    market, few_notebooks, tmp_path
):
    old = make_report(market, tmp_path / "site").parent
    before = (old / "index.html").read_bytes()
    (old / "a mark").touch()
    few_notebooks["01_cancellation_success"]["cells"][3]["source"] = "1 / 0"
    with pytest.raises(RuntimeError, match=r"01_cancellation_success, cell \d+: ZeroDivisionError"):
        make_report(market, old)
    assert (old / "index.html").read_bytes() == before
    assert (old / "a mark").exists()
