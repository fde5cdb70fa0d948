"""Whether the numbers can be trusted: the studies that the package carries, and the truth."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from analysis import coverage_study, estimates_versus_truth, open_tables, size_study
from analysis.contract import MissingData
from analysis.marketplace import make_market, write_market
from analysis.report.ask import ask, say


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("proof") / "market"
    write_market(out, 6_000, seed=2)
    return out


@pytest.fixture(scope="module")
def beside(folder):
    return estimates_versus_truth(open_tables(folder))


def test_studies_tell_what_was_measured_and_whether_it_is_what_was_promised():
    table = coverage_study()
    assert len(table) >= 15
    inside = table["estimate"].between(table["least"], table["most"])
    assert ((table["verdict"] == "kept") == inside).all()
    assert (table["ci_low"] <= table["estimate"]).all()
    assert (table["estimate"] <= table["ci_high"]).all()
    assert (table["nominal"] == 0.95).all() and (table["n"] >= 980).all()


def test_studies_of_tests_stand_apart():
    table = size_study()
    assert len(table) >= 3 and (table["nominal"] == 0.05).all()
    assert not set(table["estimand"]) & set(coverage_study()["estimand"])


def test_studies_of_one_topic():
    table = coverage_study(topic="curves")
    assert set(table["topic"]) == {"curves"} and len(table) < len(coverage_study())
    with pytest.raises(ValueError, match="topic must be one of shares, curves"):
        coverage_study(topic="weather")


def test_studies_need_no_data():
    text = say(ask(coverage_study), ask(size_study)).text
    assert "n = " in text and " to " in text


def test_every_truth_is_the_published_one(folder, beside):
    published = json.loads((folder / "truth" / "estimands.json").read_text(encoding="utf-8"))
    values = {round(row["value"], 12) for row in published if row["value"] is not None}
    assert {round(value, 12) for value in beside["truth"]} <= values
    by_name = beside.set_index("estimand")["truth"]
    known = {row["name"]: row["value"] for row in published}
    assert by_name["success rate"] == known["success_rate"]
    assert by_name["request rate"] == known["request_rate"]
    (credited,) = (
        row["value"]
        for row in published
        if row["name"] == "refund_credited" and row["days"] == "7" and "method" not in row
    )
    assert by_name["credited within 7 days"] == credited


def test_inside_is_what_it_says(beside):
    inside = (beside["ci_low"] <= beside["truth"]) & (beside["truth"] <= beside["ci_high"])
    np.testing.assert_array_equal(beside["is_inside"], inside)
    assert len(beside) >= 25 and inside.mean() > 0.8
    difference = beside["estimate"] - beside["truth"]
    np.testing.assert_array_equal(beside["difference"], difference)


def test_narrow_limits_miss_more(folder, beside):
    narrow = estimates_versus_truth(open_tables(folder), level=0.2)
    assert narrow["is_inside"].sum() < beside["is_inside"].sum()
    pd.testing.assert_series_equal(narrow["estimate"], beside["estimate"])


def test_data_without_its_truth_says_so(folder, tmp_path):
    in_memory = open_tables(make_market(500, seed=1), as_of="2025-12-01")
    with pytest.raises(MissingData, match="the truth is not in this data"):
        estimates_versus_truth(in_memory)
    shutil.copytree(folder, tmp_path / "market")
    shutil.rmtree(tmp_path / "market" / "truth")
    answer = ask(estimates_versus_truth, open_tables(tmp_path / "market"))
    assert not answer and "the truth" in answer.missing


def test_what_is_not_in_the_data_has_no_row(folder):
    opened = open_tables(folder)
    frames = {name: frame for name, frame in opened.frames.items() if name != "refunds"}
    table = estimates_versus_truth(dataclasses.replace(opened, frames=frames, _kept={}))
    assert "refunds" not in set(table["topic"]) and "requests" in set(table["topic"])
