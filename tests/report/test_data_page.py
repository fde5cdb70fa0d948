"""Which questions the data can answer: the quick way and the slow way say the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.marketplace import write_market
from analysis.report import data_page
from analysis.report.data_page import answerable_questions, say_answerable_questions
from analysis.sources import open_tables


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    out = tmp_path_factory.mktemp("questions") / "market"
    write_market(out, 300, seed=3)
    return open_tables(out)


def test_data_with_all_tables_and_columns_answers_what_it_would_answer_if_tried(
    market, monkeypatch
):
    known = answerable_questions(market)
    monkeypatch.setattr(data_page, "_is_complete", lambda tables: False)
    assert known.equals(answerable_questions(market))
    assert not known["question"].str.contains("`").any()
    assert known["answerable"].all()


def test_a_table_without_rows_answers_nothing_about_its_rows(market, monkeypatch):
    monkeypatch.setattr(data_page, "_is_empty", lambda tables, name: name == "refunds")
    lacks = answerable_questions(market).set_index("measure")["lacks"]
    assert lacks["refund_mean"] == "the table refunds has no rows"
    assert lacks["outcome_shares"] == ""


def test_what_is_lacking_is_said_shortly_and_may_be_no_table(market):
    frames = {name: f for name, f in market.frames.items() if name in ("orders", "requests")}
    table = answerable_questions(replace(market, frames=frames, manifest=None, _kept={}))
    lacks = table.set_index("measure")["lacks"]
    assert lacks["refund_mean"] == "the table refunds"
    assert lacks["policy_versus_practice"].startswith("the policy of the marketplace")
    able = int(table["answerable"].sum())
    start = f"The data has what it takes to answer {able} of {len(table)} questions; not "
    assert say_answerable_questions(table).startswith(start)
