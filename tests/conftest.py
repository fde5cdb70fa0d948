"""Fixtures that every test may use: drawn tables, a Spark session, the real public data."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.drawn import drawn_frames
from tests.postgres import Postgres, programs
from tests.standalone import QUICK_TO_START

from analysis.contract import TABLES
from analysis.sources import Tables, open_tables, spark_session

ROOT = Path(__file__).resolve().parents[1]
_SLOW_TO_START = ("test_cluster", "test_browser", "report/test_make.py", "spark", "postgres")
OTHERS_WARNINGS = (  # in Ibis and PySpark, about pandas and DuckDB: nothing to do for us
    "ignore:The copy keyword is deprecated",
    "ignore:The 'future.infer_string' option",
    "ignore:fetch_arrow_table",
)


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker that runs a test on Spark as well; silence warnings about others."""
    config.addinivalue_line("markers", "spark: its drawn tables are opened on Spark too")
    for warning in OTHERS_WARNINGS:
        config.addinivalue_line("filterwarnings", warning)


@pytest.hookimpl(optionalhook=True)  # of xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give tests that share what is slow to start to one process, as groups of xdist would.

    The groups of xdist 3.8 have no effect under pytest 9: it writes them where nobody reads.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return what_it_starts(nodeid) or nodeid

    return Together(config, log)


def what_it_starts(nodeid: str) -> str:
    """Return the name of what a test and others share and is slow to start; else nothing."""
    found = [name for name in _SLOW_TO_START if name in nodeid]
    return found[0] if found else ""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on DuckDB, and on Spark too where it is marked ``spark``."""
    if "engine" in metafunc.fixturenames:
        engines: list[Any] = ["duckdb"]
        if metafunc.definition.get_closest_marker("spark"):
            engines.append(pytest.param("spark", marks=pytest.mark.slow))
        metafunc.parametrize("engine", engines, scope="session")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real public data and reference values; tests skip where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real public data (../shared/data) is not on this machine")
    return folder


@pytest.fixture(scope="session")
def tables(engine: str, request: pytest.FixtureRequest) -> Callable[..., Tables]:
    """Return ``tables(as_of=..., requests=<drawing>, ...)``: the drawn dataset, opened.

    See :mod:`tests.drawn` for what is filled in. ``without=("sellers", "orders.shipped_at")``
    leaves out tables and columns. Runs on DuckDB; in tests marked ``spark`` on Spark too.
    """

    def opened(
        *, as_of: str = "2026-06-30", without: tuple[str, ...] = (), **drawings: str | None
    ) -> Tables:
        frames = drawn_frames(as_of, drawings, without)
        if engine == "spark":
            return request.getfixturevalue("spark_tables")(frames, as_of)
        return open_tables(frames, as_of=as_of)

    return opened


@pytest.fixture(scope="session")
def spark_tables(spark: Any) -> Callable[[Mapping[str, Any], Any], Tables]:
    """Return ``spark_tables(frames, as_of)``: frames of the contract, opened on Spark."""
    import ibis

    from analysis.sources.entering import arrow_table

    def opened(frames: Mapping[str, Any], as_of: Any) -> Tables:
        session = spark.newSession()  # its own views: two datasets may be open at once
        for name, frame in frames.items():
            table = arrow_table(name, frame) if name in TABLES else pa.table(frame)
            session.createDataFrame(table).createOrReplaceTempView(name)
        return open_tables(ibis.pyspark.connect(session), as_of=as_of)

    return opened


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """One small local Spark session for all tests; they skip without pyspark or Java."""
    pytest.importorskip("pyspark.sql", reason="pyspark is not installed")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not on this machine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JDK_JAVA_OPTIONS", " ".join(QUICK_TO_START))
        session = spark_session()
    yield session
    session.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL server for all tests; they skip without its programs or psycopg."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    folder = programs()
    if folder is None:
        pytest.skip("the programs of PostgreSQL are not on this machine")
    server = Postgres(folder)
    yield server
    server.close()


@pytest.fixture(
    params=[
        pytest.param("spark", marks=[pytest.mark.study, pytest.mark.slow, pytest.mark.spark]),
        pytest.param("postgres"),
    ]
)
def opened_elsewhere(request: pytest.FixtureRequest) -> Callable[[Mapping[str, Any], Any], Tables]:
    """Return ``opened_elsewhere(frames, as_of)``: opened in PostgreSQL; on Spark in a study."""
    return request.getfixturevalue(f"{request.param}_tables")


@pytest.fixture(scope="session")
def postgres_tables(postgres: Postgres) -> Callable[[Mapping[str, Any], Any], Tables]:
    """Return ``postgres_tables(frames, as_of)``: frames of the contract, opened in PostgreSQL."""
    from analysis.sources.entering import arrow_table

    def opened(frames: Mapping[str, Any], as_of: Any) -> Tables:
        backend = postgres.backend(postgres.new_schema())
        for name, frame in frames.items():
            backend.create_table(name, arrow_table(name, frame))
        return open_tables(backend, as_of=as_of)

    return opened
