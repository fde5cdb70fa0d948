"""Benchmarks of the statistics: the same rows for all, absent peers named, sections replaced."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import statistics_bench

    return statistics_bench


def test_every_work_runs_and_knows_who_else_does_it(bench):
    data = bench.drawn(3_000)
    python, r = ((BENCHMARKS / name).read_text() for name in ("peers_python.py", "peers.R"))
    for work in bench.WORKS:
        values = work.ours(work.start(data))
        assert np.isfinite(values).mean() > 0.5, work.name  # a seller may not be seen so long
        for peer in work.peers:
            assert f"{work.name}__{peer}" in (r if peer in bench.peers.IN_R else python)


def test_peers_read_the_rows_that_ours_do(bench, tmp_path):
    from statistics_data import read

    data = bench.drawn(500)
    bench.write(data, tmp_path)
    for name, column in data._asdict().items():
        np.testing.assert_array_equal(getattr(read(tmp_path), name), column)


def test_counting_keeps_every_row(bench):
    cells, counts = bench.counted(np.array([5, 2, 5, 5]), np.array([0, 1, 2, 2]), 3)
    assert cells.tolist() == [2, 5]
    assert counts.tolist() == [[0, 1, 0], [1, 0, 2]]


def test_an_absent_peer_is_named_and_nothing_fails(bench, monkeypatch, tmp_path):
    monkeypatch.setattr(bench.peers, "version", lambda name: None)
    peer = bench.peers.run("wilson", "statsmodels", tmp_path)
    assert (peer.seconds, peer.remark) == (None, "not installed here")
    assert "not installed here" in bench._beside(peer, 0.1, np.ones(1))


def test_a_peer_that_fails_or_takes_too_long_says_so(bench, monkeypatch, tmp_path):
    monkeypatch.setattr(bench.peers, "version", lambda name: "1")
    monkeypatch.setattr(bench.peers, "python_of_peers", lambda: Path(sys.executable))
    assert "failed" in bench.peers.run("wilson", "nobody", tmp_path).remark

    def slow(*_, **__):
        raise subprocess.TimeoutExpired("peer", 1)

    monkeypatch.setattr(bench.peers.subprocess, "run", slow)
    assert bench.peers.run("wilson", "nobody", tmp_path).remark.startswith("not done in")


def test_differences_are_relative_where_values_are_large(bench):
    assert bench.difference(np.array([0.5, 200.0]), np.array([0.5, 100.0])) == 1.0
    assert bench.difference(np.array([0.5, 1.0]), np.array([0.25])) == 0.25
