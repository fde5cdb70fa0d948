"""Tables as files: every number as it is, in the words of CSV and of JSON."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from analysis.report.tables import write_tables

LONG = "a name, a \"quote\" and 'another'"


@pytest.fixture
def written(monkeypatch, tmp_path):
    """Write one table as the only measure; return the paths of its CSV and its JSON."""

    def write(table):
        monkeypatch.setattr("analysis.report.tables.MEASURES", {"it's": lambda tables: table})
        monkeypatch.setattr("analysis.report.tables.answered", lambda measure, _: measure(None))
        assert write_tables(None, tmp_path / "out") == {}
        return tmp_path / "out" / "it's.csv", tmp_path / "out" / "it's.json"

    return write


def test_numbers_moments_and_words_come_back_as_they_were(written):
    table = pd.DataFrame(
        {
            "seller_id": np.arange(2_000)[::-1],
            "p_value": 10.0 ** -np.linspace(0, 300, 2_000),
            "estimate": np.linspace(0, 1, 2_000) / 3,
            "is_outlier": np.arange(2_000) % 2 == 0,
            "name": [LONG, "plain"] * 1_000,
            "cohort_at": pd.date_range("2025-01-01", periods=2_000, freq="h", tz="UTC").as_unit(
                "us"
            ),
        }
    )
    as_csv, as_json = written(table)
    found = pd.read_csv(as_csv, parse_dates=["cohort_at"])
    pd.testing.assert_frame_equal(found, table, check_dtype=False, rtol=1e-14)
    twin = pd.DataFrame(json.loads(as_json.read_text(encoding="utf-8")))
    twin["cohort_at"] = pd.to_datetime(twin["cohort_at"])
    pd.testing.assert_frame_equal(twin, table, check_dtype=False, check_exact=True)


def test_what_is_missing_is_empty_and_json_has_no_infinity(written):
    table = pd.DataFrame(
        {"estimate": [np.nan, 0.5, np.inf], "word": [None, "x", "y"], "none": [np.nan] * 3}
    )
    as_csv, as_json = written(table)
    lines = as_csv.read_text(encoding="utf-8").splitlines()
    assert lines == ["estimate,word,none", ",,", "0.5,x,", "inf,y,"]
    rows = json.loads(as_json.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert [row["estimate"] for row in rows] == [None, 0.5, None]
    assert rows[0] == {"estimate": None, "word": None, "none": None}


def test_only_text_that_a_spreadsheet_would_run_gets_a_quote(written):
    words = ["=1+1", "+1", "-1", "@x", "\tx", "a=1", "", "1-2"]
    as_csv, as_json = written(pd.DataFrame({"word": words, "estimate": [-1.5] * len(words)}))
    found = pd.read_csv(as_csv, keep_default_na=False)
    assert found.word.tolist() == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "a=1", "", "1-2"]
    assert (found.estimate == -1.5).all()
    assert [row["word"] for row in json.loads(as_json.read_text())] == words


def test_a_table_without_rows_has_its_columns(written):
    as_csv, as_json = written(
        pd.DataFrame({"estimate": np.zeros(0), "word": pd.Series([], dtype="str")})
    )
    assert as_csv.read_text().strip() == "estimate,word"
    assert json.loads(as_json.read_text()) == []
