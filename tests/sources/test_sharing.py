"""What one process has worked out about a dataset is found by those that open the same."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.marketplace import write_market
from analysis.measures import cancellation_success_rate, refund_mean
from analysis.measures.answers import answered
from analysis.report.ask import ask
from analysis.sources import SHARED_FOLDER, THREADS, check, open_tables, share
from analysis.sources.sharing import ANSWERS, CHECK


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    out = tmp_path_factory.mktemp("sharing") / "market"
    write_market(out, 500, seed=3)
    return out


@pytest.fixture
def shared(market, tmp_path, monkeypatch):
    """A folder in which the work on the market lies, and which the environment names."""
    share(open_tables(market), market, tmp_path)
    monkeypatch.setenv(SHARED_FOLDER, str(tmp_path))
    return tmp_path


def test_who_opens_the_same_dataset_gets_joins_and_check(market, shared):
    ours, theirs = open_tables(market), open_tables(market)
    theirs._kept.clear()
    assert set(ours._kept) == {*theirs.joins, CHECK, ANSWERS}
    assert ours.requests_with_context.schema() == theirs.requests_with_context.schema()
    assert ours.refunds_with_context.schema() == theirs.refunds_with_context.schema()
    for question in (check, cancellation_success_rate, refund_mean):
        assert question(ours).equals(question(theirs)), question.__name__


def test_of_very_many_orders_the_narrow_joins_are_shared(market, tmp_path, monkeypatch):
    monkeypatch.setattr("analysis.sources.tables.MOST_WIDE", 0)
    apart = open_tables(market)
    share(apart, market, tmp_path)
    monkeypatch.setenv(SHARED_FOLDER, str(tmp_path))
    ours = open_tables(market)
    assert {path.stem for path in tmp_path.glob("*.parquet")} == set(apart.joins) <= set(ours._kept)
    by = ["category"]  # which the narrow joins do not have
    assert cancellation_success_rate(ours, by=by).equals(cancellation_success_rate(apart, by=by))
    assert refund_mean(ours, by=by).equals(refund_mean(apart, by=by))


def test_a_question_is_answered_once_for_all_who_open_the_dataset(market, shared):
    asked = []

    def counted(tables, *, horizon_hours):
        asked.append(horizon_hours)
        return cancellation_success_rate(tables, horizon_hours=horizon_hours)

    first = answered(counted, open_tables(market), horizon_hours=720)
    again = answered(counted, open_tables(market), horizon_hours=720.0)
    pd.testing.assert_frame_equal(first, again)
    answered(counted, open_tables(market), horizon_hours=48)
    assert asked == [720, 48]


def test_what_the_reader_of_a_notebook_writes_is_asked_every_time(market):
    asked = []

    def mine(tables):
        asked.append(len(asked))
        return pd.DataFrame({"n": [len(asked)]})

    tables = open_tables(market)
    assert [ask(mine, tables).table["n"][0] for _ in range(2)] == [1, 2]


def test_the_program_that_shares_finds_the_answers_too(market, tmp_path, monkeypatch):
    tables = open_tables(market)
    answered(refund_mean, tables)  # before it shares
    share(tables, market, tmp_path)
    monkeypatch.setenv(SHARED_FOLDER, str(tmp_path))
    answered(cancellation_success_rate, open_tables(market))
    monkeypatch.setattr("analysis.measures.answers.partial", lambda *_, **__: pytest.fail)
    assert len(answered(cancellation_success_rate, tables)) == 1


def test_engines_that_work_at_once_share_the_cores(market, shared, monkeypatch):
    monkeypatch.setenv(THREADS, "1")
    assert open_tables(market).backend.settings["threads"] == "1"


def test_another_dataset_gets_nothing(shared, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "market"
    write_market(other, 100, seed=4)
    assert open_tables(other)._kept == {}


def test_nothing_is_found_before_all_of_it_is_written(market, shared):
    (shared / "what.json").unlink()
    assert open_tables(market)._kept == {}


def test_data_without_refunds_shares_what_it_has(market, tmp_path, monkeypatch):
    loose = tmp_path / "loose"
    loose.mkdir()
    for name in ("orders", "requests"):
        (loose / name).symlink_to(market / name)
    share(open_tables(loose, "2025-12-01"), loose, tmp_path)
    monkeypatch.setenv(SHARED_FOLDER, str(tmp_path))
    assert set(open_tables(loose, "2025-12-01")._kept) == {"requests_with_context", CHECK, ANSWERS}
    assert open_tables(loose, "2025-12-02")._kept == {}
