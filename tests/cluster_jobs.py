"""What a driver does on a cluster in the tests: each function runs in a process of its own."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from tests.standalone import kill_with_children, wait_until

from analysis.cli import main
from analysis.marketplace import write_market
from analysis.marketplace.cluster import on_spark
from analysis.measures import MEASURES
from analysis.report.execute import execute_all, warm_processes
from analysis.sources import open_tables, spark_backend, spark_session
from analysis.sources.spark import environment_of_children

MARKET = {"n_orders": 24_000, "seed": 11, "block_orders": 1_000}


class Said(NamedTuple):
    """What a command did, and the rows that came to the driver, each time that some did."""

    code: int
    err: str
    rows: list[int]


def generated(master: str, out: Path) -> None:
    """Write the market of the tests on the cluster."""
    write_market(out, **MARKET, runner=on_spark(spark_session(master)))


def commanded(*arguments: str) -> Said:
    """Run a command of ours."""
    err, rows = io.StringIO(), []
    quiet = contextlib.redirect_stdout(io.StringIO())
    with contextlib.redirect_stderr(err), quiet, counted(rows):
        code = main(arguments)
    return Said(code, err.getvalue(), rows)


@contextlib.contextmanager
def counted(rows: list[int]):
    """Note how many rows come to this process from Spark, each time that some do."""
    from pyspark.sql.classic.dataframe import DataFrame

    to_pandas = DataFrame.toPandas

    def noting(self: DataFrame) -> pd.DataFrame:
        found = to_pandas(self)
        rows.append(len(found))
        return found

    DataFrame.toPandas = noting
    try:
        yield
    finally:
        DataFrame.toPandas = to_pandas


def measured(
    master: str, folder: Path, names: Sequence[str]
) -> tuple[dict[str, pd.DataFrame], list[int]]:
    """Return measures, and the rows that came to the driver for them."""
    tables, rows = open_tables(folder, backend=spark_backend(master)), []
    with counted(rows):
        found = {name: MEASURES[name](tables) for name in names}
    return found, rows


def every_order(master: str, folder: Path) -> str:
    """Bring all orders to the driver, as no measure does; return what Spark says."""
    tables = open_tables(folder, backend=spark_backend(master))
    try:
        tables.orders.to_pyarrow()
    except Exception as err:
        return str(err)
    return ""


def measured_while_a_worker_dies(
    master: str, folder: Path, name: str, pid: int
) -> tuple[pd.DataFrame, tuple[int, int]]:
    """Return a measure, and how many tasks of the stage were done, of all, when it was killed."""
    backend = spark_backend(master)
    backend._session.conf.set("spark.sql.files.maxPartitionBytes", "16k")  # a task for each part
    tables = open_tables(folder, backend=backend)
    found: list[Any] = []
    asking = threading.Thread(target=lambda: found.append(MEASURES[name](tables)))
    tracker = backend._session.sparkContext.statusTracker()
    stages: list[tuple[int, int]] = []

    def half_way() -> bool:
        for number in tracker.getActiveStageIds():
            stage = tracker.getStageInfo(number)
            if stage and 3 <= stage.numCompletedTasks < stage.numTasks / 2:
                stages.append((stage.numCompletedTasks, stage.numTasks))
        return bool(stages)

    asking.start()
    wait_until(half_way)
    kill_with_children(pid)
    asking.join()
    return found[0], stages[0]


def noted(master: str, folder: Path, notebook: Mapping[str, Any]) -> dict[str, Any]:
    """Run a notebook as the report does on Spark."""
    environment = environment_of_children(spark_session(master))
    with warm_processes(1, environment) as warm:
        return execute_all([notebook], parameters={"dataset": str(folder)}, warm=warm)[0]
