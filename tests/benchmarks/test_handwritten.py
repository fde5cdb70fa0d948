"""The hand-written queries count what the measures count, and every measure is spoken for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.contract import read_manifest
from analysis.measures import MEASURES
from analysis.sources import open_tables

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "data" / "sample"


@pytest.fixture(scope="module")
def handwritten():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        import handwritten

        yield handwritten


def test_every_measure_has_a_query_or_a_reason_for_none(handwritten):
    assert set(handwritten.HANDWRITTEN) | set(handwritten.WITHOUT) == set(MEASURES)
    assert not set(handwritten.HANDWRITTEN) & set(handwritten.WITHOUT)


def test_queries_count_what_the_measures_count(handwritten):
    tables = open_tables(SAMPLE)
    con = handwritten.connect(SAMPLE, read_manifest(SAMPLE).as_of)
    away = {
        name: handwritten.difference(query.ours(MEASURES[name](tables)), query.run(con))
        for name, query in handwritten.HANDWRITTEN.items()
    }
    assert {name: found for name, found in away.items() if not found < 1e-12} == {}


def test_counted_of_sellers_they_answer_the_same(handwritten):
    con = handwritten.connect(SAMPLE, read_manifest(SAMPLE).as_of)
    queries = {k: q for k, q in handwritten.HANDWRITTEN.items() if q.of_sellers is not None}
    away = {k: handwritten.difference(q.of_sellers(con), q.run(con)) for k, q in queries.items()}
    assert set(away) == {"window_curve", "response_curve"}
    assert away["response_curve"] < 1e-12
    assert away["window_curve"] < 1e-4  # in quarters of an hour, orders still open are seen longer


def test_differences_are_of_all_values(handwritten):
    nan = np.nan
    assert handwritten.difference([1, nan], [1, nan]) == 0
    assert handwritten.difference([nan], [1.0]) == np.inf
    assert handwritten.difference([200.0], [100.0]) == 1
    assert handwritten.difference([1.0], [1.0, 2.0]) == np.inf


def test_pandas_answers_as_the_measures_do(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import tables_peers

    found = tables_peers.row_level(SAMPLE)
    tables = open_tables(SAMPLE)
    for name in ("cancellation_success_rate", "request_rate"):
        assert found[name] == pytest.approx(MEASURES[name](tables)["estimate"].iloc[0]), name
    curve = MEASURES["refund_curve"](tables).dropna(subset="estimate")
    hours = (curve["time_days"] * 24).round().astype(int)
    np.testing.assert_allclose(found["refund_curve"][hours], curve["estimate"], atol=1e-12)
