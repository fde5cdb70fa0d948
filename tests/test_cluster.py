"""On a cluster: the same bytes, the same tables, nothing lost with a worker, few rows come home.

The cluster is a standalone master with two workers on loopback. The driver is a process of its
own, since the tests' own process may have Spark on this machine already.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
from concurrent.futures import ProcessPoolExecutor

import pandas as pd
import pytest
from tests import cluster_jobs as jobs
from tests.standalone import Standalone, wait_until

from analysis.cli import main
from analysis.marketplace import write_market
from analysis.measures import MEASURES
from analysis.sources import open_tables
from analysis.sources.engine import answered_by

pytestmark = [pytest.mark.slow, pytest.mark.spark]
SOME = ("cancellation_success_rate", "request_rate", "refund_mean", "cancel_flow_funnel")
MOST = "2m"  # bytes of results that Spark lets one job bring to the driver


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A master and two workers."""
    pytest.importorskip("pyspark", reason="pyspark is not installed")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not on this machine")
    running = Standalone(tmp_path_factory.mktemp("standalone"), 2)
    yield running
    running.close()


@pytest.fixture(scope="module")
def driver(cluster):
    """Return ``driver(job, *arguments)``: the future of a job in the driver's process."""
    limits = {"spark.driver.maxResultSize": MOST, "spark.sql.autoBroadcastJoinThreshold": "-1"}
    os.environ |= (settings := cluster.settings(**limits))
    pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
    yield lambda job, *arguments: pool.submit(job, *arguments)
    pool.shutdown()
    for name in settings:
        del os.environ[name]


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    """The market as one machine writes it."""
    out = tmp_path_factory.mktemp("one-machine") / "market"
    write_market(out, **jobs.MARKET)
    return out


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def same_tables(found, expected):
    names = sorted(path.name for path in expected.glob("*.csv"))
    assert names == sorted(path.name for path in found.glob("*.csv"))
    for name in names:
        pair = [pd.read_csv(folder / name) for folder in (found, expected)]
        pd.testing.assert_frame_equal(*pair, rtol=1e-12, atol=1e-12)
    return names


def test_a_cluster_writes_the_bytes_that_one_machine_writes(cluster, driver, market, tmp_path):
    driver(jobs.generated, cluster.master, tmp_path / "market").result()
    assert files(tmp_path / "market") == files(market)
    assert len(list((market / "orders").iterdir())) == 24
    assert [path.name for path in tmp_path.iterdir()] == ["market"]


@pytest.mark.study
def test_the_command_generates_on_a_cluster(cluster, driver, tmp_path):
    asked = ["generate", "--orders", "300", "--seed", "3", "--out"]
    spark = ["--engine", "spark", "--master", cluster.master]
    said = driver(jobs.commanded, *asked, str(tmp_path / "there"), *spark).result()
    assert (said.code, jobs.commanded(*asked, str(tmp_path / "here")).code) == (0, 0)
    assert files(tmp_path / "there") == files(tmp_path / "here")


def test_measures_are_those_of_duckdb_and_only_counts_come_to_the_driver(cluster, driver, market):
    there = driver(jobs.measured, cluster.master, market, SOME)
    tables, counts = open_tables(market), []
    with answered_by(lambda frame: noted(frame, counts)):
        expected = {name: MEASURES[name](tables) for name in SOME}
    found, rows = there.result()
    for name, table in expected.items():
        pd.testing.assert_frame_equal(found[name], table, rtol=1e-12, atol=1e-12)
    assert rows == counts and max(rows) < tables.manifest.n_rows["orders"] / 4
    assert "spark.driver.maxResultSize" in driver(jobs.every_order, cluster.master, market).result()


@pytest.mark.study
def test_every_measure_is_that_of_duckdb(cluster, driver, market, tmp_path):
    asked = ["tables", str(market), "--out"]
    spark = ["--engine", "spark", "--master", cluster.master]
    there = driver(jobs.commanded, *asked, str(tmp_path / "there"), *spark)
    counts: list[int] = []
    with answered_by(lambda frame: noted(frame, counts)):
        assert main([*asked, str(tmp_path / "here")]) == 0
    said = there.result()
    assert said.code == 0, said.err
    names = same_tables(tmp_path / "there", tmp_path / "here")
    assert names == sorted(f"{name}.csv" for name in MEASURES)
    assert said.rows == counts


def noted(frame, counts):
    found = frame.to_pyarrow()
    counts.append(found.num_rows)
    return found


def test_notebooks_of_a_report_share_the_session_on_the_cluster(cluster, driver, market):
    code = "from analysis import open_tables, request_rate\ntables = open_tables(dataset)\n"
    code += "print(tables.backend.name, tables.backend._session.sparkContext.master)\n"
    code += "print(request_rate(tables).n[0])"
    cell = {"cell_type": "code", "source": code, "outputs": [], "metadata": {}}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    done = driver(jobs.noted, cluster.master, market, notebook).result()
    n = MEASURES["request_rate"](open_tables(market)).n[0]
    said = done["cells"][-1]["outputs"][0]["text"]
    assert said == f"pyspark {cluster.master}\n{n}\n"


def test_a_worker_that_dies_while_blocks_are_made_loses_nothing(cluster, driver, market, tmp_path):
    cluster.with_workers(2)
    making = driver(jobs.generated, cluster.master, tmp_path / "market")
    wait_until(lambda: list(tmp_path.glob(".market*/orders/*.parquet")))
    cluster.kill_a_worker()
    n_made = len(list(tmp_path.glob(".market*/orders/*.parquet")))
    making.result()
    assert 0 < n_made < 24
    assert files(tmp_path / "market") == files(market)


def test_a_worker_that_dies_while_a_measure_counts_loses_nothing(cluster, driver, market):
    cluster.with_workers(2)
    pid = cluster.workers[-1].pid
    asked = driver(jobs.measured_while_a_worker_dies, cluster.master, market, "request_rate", pid)
    found, (n_done, n_tasks) = asked.result()
    assert 0 < n_done < n_tasks
    expected = MEASURES["request_rate"](open_tables(market))
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12, atol=1e-12)
