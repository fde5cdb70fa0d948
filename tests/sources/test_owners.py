"""Columns that another table owns are set aside, and whoever opens the data is told."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from tests.measures.random_rows import AS_OF, random_market

from analysis import cancellation_success_rate, request_rate
from analysis.cli import main
from analysis.contract import read_manifest
from analysis.measures import MEASURES
from analysis.sources import check, open_tables

STRAYS = {
    "sellers": ("weight",),
    "orders": ("requested_at", "decided_at", "outcome"),
    "requests": ("seller_id", "paid_at", "weight"),
    "refunds": ("decided_at", "requested_at"),
}


@pytest.fixture(scope="module")
def clean() -> dict[str, pa.Table]:
    return random_market(3, 150)


def with_strays(frames):
    words = {name: table.to_pandas() for name, table in frames.items()}
    return {
        name: frame.assign(**dict.fromkeys(STRAYS.get(name, ()), "stray"))
        for name, frame in words.items()
    }


def test_no_measure_takes_another_tables_column_for_its_own(clean):
    ours, theirs = (open_tables(frames, AS_OF) for frames in (clean, with_strays(clean)))
    assert check(ours).equals(check(theirs))
    for name in ("refund_quantiles", "stage_durations", "seller_scorecard", "window_curve"):
        left, right = (MEASURES[name](tables) for tables in (ours, theirs))
        pd.testing.assert_frame_equal(left, right)
    assert cancellation_success_rate(ours).equals(cancellation_success_rate(theirs))


def test_each_column_that_is_set_aside_is_told_with_its_owner(clean):
    notes = open_tables(with_strays(clean), AS_OF).notes
    assert len(notes) == sum(map(len, STRAYS.values()))
    assert "requests.seller_id is set aside: seller_id is a column of sellers and orders." in notes
    assert open_tables(clean, AS_OF).notes == ()


def test_a_column_whose_owner_is_not_in_the_data_stays(clean):
    frames = {name: clean[name].to_pandas() for name in ("orders", "requests")}
    frames["orders"]["seller_country"] = "TR"
    tables = open_tables(frames, AS_OF)
    assert tables.notes == ()
    assert set(request_rate(tables, by=["seller_country"]).seller_country) == {"TR"}


def test_import_and_check_say_what_is_set_aside(clean, tmp_path, capsys):
    loose = tmp_path / "loose"
    loose.mkdir()
    for name, frame in with_strays(clean).items():
        frame.to_parquet(loose / f"{name}.parquet")
    as_of = ["--as-of", f"{AS_OF:%Y-%m-%d}"]
    assert main(["check", str(loose), *as_of]) == 0
    assert "note: sellers.weight is set aside" in capsys.readouterr().out
    assert main(["import", "tables", str(loose), *as_of, "--out", str(tmp_path / "made")]) == 0
    assert "note: sellers.weight is set aside" in capsys.readouterr().out
    assert any("sellers.weight" in note for note in read_manifest(tmp_path / "made").notes)
    assert "weight" not in open_tables(tmp_path / "made").frames["sellers"].columns
