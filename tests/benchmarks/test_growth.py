"""Growth of the cost: exponents, rows that are kept, the picture, and what commands cost."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def growth(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import growth

    return growth


@pytest.fixture
def measuring(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import measuring

    return measuring


def costs(growth, work="generate", peer="", sizes=(1e5, 1e6, 1e7), per_order=1e-5):
    rows = [(work, peer, int(n), n * per_order / 2, n * per_order, 200.0) for n in sizes]
    return pd.DataFrame(rows, columns=growth.COLUMNS)


def test_the_exponent_of_a_power_is_found(growth):
    n = np.array([1e5, 1e6, 1e7])
    fit = growth.fitted(n, 3 * n**0.8)
    assert fit == pytest.approx((0.8, 0), abs=1e-9)
    bent = growth.fitted(n, np.exp([0, 1, 3]))  # slope 3/2 a decade, residuals 1/6, -1/3, 1/6
    assert bent.exponent == pytest.approx(1.5 / np.log(10))
    assert bent.error == pytest.approx(np.sqrt((1 / 6) / 1 / 2) / np.log(10))
    assert np.isnan(growth.fitted(n[:2], n[:2]).error)  # a line through two points has no error


def test_sizes_that_are_not_measured_now_keep_their_rows(growth):
    new = costs(growth, sizes=(1e6, 1e8), per_order=2e-5)
    found = growth.merged(costs(growth), new.to_dict("records"))
    assert found["n_orders"].tolist() == [10**5, 10**6, 10**7, 10**8]
    assert found["cpu_seconds"].tolist() == [1.0, 20.0, 100.0, 2000.0]
    assert growth.merged(None, new.to_dict("records"))["n_orders"].tolist() == [10**6, 10**8]


def test_works_come_in_order_and_ours_before_peers(growth):
    parts = [costs(growth, "tables", "pandas"), costs(growth, "report"), costs(growth, "tables")]
    rows = pd.concat(parts).to_dict("records")
    found = growth.merged(None, rows)[["work", "peer"]].drop_duplicates()
    assert found.to_numpy().tolist() == [["tables", ""], ["tables", "pandas"], ["report", ""]]


def test_the_section_has_exponents_ratios_and_what_failed(growth):
    found = pd.concat([costs(growth), costs(growth, peer="Faker loop", per_order=1e-3)])
    section = growth.section(found, "growth.png", ["generate, Misata, 10 orders: no memory"])
    text = "\n".join(section.lines)
    assert "| generate | ours | 100,000 to 10,000,000 | 1.00 ± 0.00 | 1.00 ± 0.00 |" in text
    assert "Not measured: generate, Misata, 10 orders: no memory." in text
    assert (
        "An order of 10,000,000 takes the generator 1.00 times as long as one of 1,000,000." in text
    )
    (row,) = section.rows
    assert (row.peer, row.ratio) == ("Faker loop", pytest.approx(0.01))


def test_the_picture_shows_ours_and_peers(growth, tmp_path):
    found = pd.concat([costs(growth), costs(growth, peer="Faker loop"), costs(growth, "report")])
    figure = growth.draw(found, tmp_path / "growth.png")
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")
    generate, report, *_ = figure.axes
    assert [len(panel.lines) for panel in (generate, report)] == [2, 1]
    powers = [text.get_text() for text in figure.axes[-1].get_xticklabels()]
    assert powers == ["10⁵", "10⁶", "10⁷"]
    assert [text.get_text() for text in generate.get_yticklabels()] == ["1", "10", "100"]


def test_a_peer_that_cannot_follow_is_named(growth, monkeypatch):
    def failing(*_, **__):
        raise growth.FailedError("no memory left")

    monkeypatch.setattr(growth, "measured", failing)
    monkeypatch.setattr(growth, "by_peer", failing)
    remarks: list[str] = []
    assert list(growth.measured_size(10**7, remarks)) == []
    assert "generate, tpchgen-cli, 10,000,000 orders: no memory left" in remarks
    assert "report, ours, 10,000,000 orders: no memory left" in remarks
    assert not any("misata" in remark for remark in remarks)  # not asked for so many


def test_the_packaged_table_has_the_columns_that_the_notebook_reads(growth):
    found = pd.read_csv(growth.TABLE, keep_default_na=False)
    assert list(found.columns) == growth.COLUMNS
    assert set(found["work"]) == set(growth.WORKS)
    assert (found["seconds"] > 0).all() and (found["peak_mb"] > 0).all()


def test_a_command_costs_what_its_largest_process_and_all_of_them_cost(measuring):
    code = (
        "import subprocess, sys; print('made'); sys.stdout.flush(); "
        "subprocess.run([sys.executable, '-c', 'x = bytearray(150_000_000); sum(range(10**6))'])"
    )
    ballast = bytearray(400_000_000)  # of this process, which does not count
    used = measuring.measured([sys.executable, "-c", code])
    assert used.output == "made"
    assert 150 < used.peak_mb < 350 and len(ballast)
    assert used.cpu_seconds > 0


def test_a_command_that_fails_or_takes_too_long_says_so(measuring):
    with pytest.raises(measuring.FailedError, match="no such thing"):
        measuring.measured([sys.executable, "-c", "raise SystemExit('no such thing')"])
    with pytest.raises(measuring.FailedError, match="not done in 0.2 s"):
        measuring.measured([sys.executable, "-c", "import time; time.sleep(60)"], timeout=0.2)


def test_the_faker_loop_makes_orders_that_can_have_happened(monkeypatch, tmp_path, capsys):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import generators

    monkeypatch.setattr(sys, "argv", ["generators.py", "faker_loop", "50", str(tmp_path)])
    generators.main()
    made = json.loads(capsys.readouterr().out)
    assert (made["orders"], made["rows"], made["values"]) == (50, 50, 800)
    orders = pd.read_parquet(tmp_path / "orders.parquet")
    assert (orders["placed_at"] <= orders["paid_at"]).all()
    assert orders.loc[orders["status"] == "cancelled", "shipped_at"].isna().all()
