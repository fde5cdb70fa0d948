"""Where Spark is not: one sentence that says what is missing, never a wait without end."""

from __future__ import annotations

import os
import signal
import socket
from types import SimpleNamespace

import pytest

from analysis.cli import main
from analysis.sources import open_tables, spark, spark_session


@pytest.fixture
def installed(monkeypatch):
    """As if pyspark and Java were there: nothing of them is reached."""
    monkeypatch.setattr(spark, "find_spec", lambda name: name)
    monkeypatch.setattr(spark.shutil, "which", lambda name, **path: name)


def test_without_pyspark(installed, monkeypatch):
    monkeypatch.setattr(spark, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="needs the package pyspark, which is not installed"):
        spark_session()


def test_without_java(installed, monkeypatch):
    monkeypatch.setattr(spark.shutil, "which", lambda name, **path: None)
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    with pytest.raises(ValueError, match="needs Java 17: there is no java on the path"):
        spark_session()


@pytest.mark.parametrize(
    "master", ["", "somewhere:7077", "local[some]", "spark://", "spark://a b", "shared"]
)
def test_a_master_that_is_none(installed, master, monkeypatch):
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)  # nobody's session is shared
    with pytest.raises(ValueError, match=r"master must be local\[N\], spark://HOST:PORT"):
        spark_session(master)


def test_a_master_that_does_not_answer(installed):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ValueError, match=f"no Spark master answers at spark://127.0.0.1:{port}"):
        spark_session(f"spark://127.0.0.1:{port}")


def test_one_of_several_masters_may_answer(installed, monkeypatch):
    """A standby does not answer; the session is then started with all of them named."""
    session = SimpleNamespace(sparkContext=SimpleNamespace(master="local"))
    asked = []
    monkeypatch.setattr(spark, "_started", lambda master: asked.append(master) or session)
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(ValueError, match="local"):
        spark_session(f"spark://127.0.0.1:1,127.0.0.1:{server.getsockname()[1]}")
    assert len(asked) == 1


def cluster_of(n_executors):
    """A session whose cluster has so many executors."""
    status = SimpleNamespace(size=lambda: 1 + n_executors)  # the driver is one of them
    java = SimpleNamespace(sc=lambda: SimpleNamespace(getExecutorMemoryStatus=lambda: status))
    context = SimpleNamespace(master="spark://a:7077", _jsc=java)
    return SimpleNamespace(sparkContext=context, stop=lambda: None)


def test_a_cluster_without_a_free_worker_is_not_waited_for_without_end():
    with pytest.raises(ValueError, match="spark://a:7077 gave no executor in 0.01 seconds: is a"):
        spark._require_executor(cluster_of(0), 0.01)
    spark._require_executor(cluster_of(1), 0.01)


def test_only_a_master_on_this_machine_keeps_the_driver_on_loopback():
    for here in ("local", "local[3]", "spark://localhost:7077", "spark://127.0.0.1"):
        assert spark._settings_for(here)["spark.driver.host"] == "127.0.0.1"
    for elsewhere in ("yarn", "spark://10.0.0.1:7077", "spark://127.0.0.1:1,10.0.0.1:1"):
        assert spark._settings_for(elsewhere) == {}
    assert spark._settings_for("local[3]")["spark.sql.shuffle.partitions"] == "3"


@pytest.mark.parametrize("command", ["generate", "tables", "report"])
def test_a_master_without_the_engine_is_refused(command, tmp_path, capsys):
    dataset = [] if command == "generate" else [str(tmp_path)]
    asked = [command, *dataset, "--out", str(tmp_path / "out"), "--master", "local[2]"]
    assert main(asked) == 2
    assert capsys.readouterr().err == "cancellations: --master is for --engine spark\n"
    assert not (tmp_path / "out").exists()


def test_the_environment_names_the_engine_that_reads_folders(installed, monkeypatch, tmp_path):
    monkeypatch.setenv(spark.MASTER_VARIABLE, "nonsense")
    with pytest.raises(ValueError, match="got 'nonsense'"):
        open_tables(tmp_path)


@pytest.fixture
def interruptible():
    """Interrupts are ignored in processes that were started in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_waits_until_java_has_started(interruptible):
    reached = False
    with pytest.raises(KeyboardInterrupt), spark._uninterrupted():
        os.kill(os.getpid(), signal.SIGINT)
        reached = True
    assert reached
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
