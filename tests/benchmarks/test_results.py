"""The page of benchmarks: what got worse is named, and one part replaces only its sections."""

from __future__ import annotations

from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def results(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import results

    return results


def ratio(results, value, better="low", **other):
    named = {"section": "Measures", "figure": "request_rate", "peer": "DuckDB by hand"}
    return results.Ratio(**{**named, "size": 1000, "ratio": value, "better": better, **other})


def test_only_what_is_more_than_a_fifth_worse_is_named(results):
    before = [ratio(results, 1.0), ratio(results, 2.0, "high", peer="Faker loop")]
    fine = [ratio(results, 1.2), ratio(results, 2.0 / 1.2, "high", peer="Faker loop")]
    assert results.regressions(fine, before) == []
    worse = [ratio(results, 1.21), ratio(results, 1.6, "high", peer="Faker loop")]
    assert results.regressions(worse, before) == [
        "Measures: request_rate beside DuckDB by hand, at 1,000: 1.21, was 1.00",
        "Measures: request_rate beside Faker loop, at 1,000: 1.60, was 2.00",
    ]


def test_better_new_and_other_sizes_are_not_named(results):
    before = [ratio(results, 1.0), ratio(results, 2.0, "high", peer="Faker loop")]
    now = [
        ratio(results, 0.1),
        ratio(results, 9.0, "high", peer="Faker loop"),
        ratio(results, 99.0, figure="a new measure"),
        ratio(results, 99.0, size=10),
    ]
    assert results.regressions(now, before) == []


def test_ratios_are_read_as_they_were_written(results):
    own = [ratio(results, 1.25), ratio(results, 12.0, "high", figure="a, with a comma", size=0)]
    assert results.read_ratios(results.ratios_text(own)) == own


def section(results, title, value, lines=("text",), size=10):
    row = results.Row("a figure", "2.00", "Peer 1.2.3", "1.00", value)
    return results.Section(title, size, lines, [row])


def test_the_version_of_a_peer_is_not_part_of_its_name(results):
    (one,) = results.ratios_of([section(results, "Measures", 2.0)])
    assert (one.section, one.peer, one.ratio, one.size) == ("Measures", "Peer", 2.0, 10)


def test_a_part_replaces_its_sections_and_says_what_got_worse(results, tmp_path):
    page = tmp_path / "RESULTS.md"
    first = [section(results, "Measures", 1.0, ["old"]), section(results, "Start", 3.0, ["kept"])]
    assert results.write(first, page) == []
    worse = results.write([section(results, "Measures", 2.0, ["new"])], page, keep=True)
    assert worse == ["Measures: a figure beside Peer, at 10: 2.00, was 1.00"]
    head, measures, start = page.read_text().split("\n## ")
    assert worse[0] in head
    assert ("new" in measures, "old" in measures, "kept" in start) == (True, False, True)
    ratios = results.read_ratios((tmp_path / "results.csv").read_text())
    assert [(one.section, one.ratio) for one in ratios] == [("Start", 3.0), ("Measures", 2.0)]


def test_what_is_committed_is_what_counts(results, tmp_path, monkeypatch):
    (tmp_path / "results.csv").write_text(results.ratios_text([ratio(results, 5.0)]))
    assert [one.ratio for one in results.committed(tmp_path / "results.csv")] == [5.0]
    shown = results.ratios_text([ratio(results, 4.0)])
    done = results.subprocess.CompletedProcess([], 0, stdout=shown)
    monkeypatch.setattr(results.subprocess, "run", lambda *_, **__: done)
    assert [one.ratio for one in results.committed(tmp_path / "results.csv")] == [4.0]


def test_a_size_that_is_not_usual_has_a_section_of_its_own(results):
    titles = [results.titled("Measures", n) for n in (results.USUAL, 100)]
    assert titles == ["Measures", "Measures, 100 orders"]


def test_columns_that_no_row_has_are_left_out(results):
    head, line, row = results.table([results.Row("a", "1", aim="at most 2")])
    assert (head, row) == ("| figure | ours | aim |", "| a | 1 | at most 2 |")
    assert line == "| --- | ---: | --- |"
