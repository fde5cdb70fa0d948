"""Spark as the engine: one session per process, on this machine or on a cluster.

A master that cannot be reached, or that has no worker free, is an error after a while, not a
wait without end. Numbers do not depend on the engine, so which one reads a folder may also be
said from outside, by the environment variable ``CANCELLATIONS_SPARK_MASTER``: notebooks heed it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

import ibis

if TYPE_CHECKING:
    from ibis.backends import BaseBackend
    from pyspark.sql import SparkSession

LOCAL = "local[2]"
MASTER_VARIABLE = "CANCELLATIONS_SPARK_MASTER"
SHARED = "shared"  # as a master: the session of the process that started this one
GATEWAY_VARIABLE = "PYSPARK_GATEWAY_PORT"  # set where the session may be shared
PORT = 7077  # of a standalone master that names none
CONNECT_SECONDS = 5.0  # for a master to be there
EXECUTOR_SECONDS = 60.0  # for a cluster to give the first executor
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_MASTER = re.compile(r"local(\[(\d+|\*)\])?|spark://[^/,\s]+(,[^/,\s]+)*|yarn|k8s://\S+")
_SETTINGS = {
    "spark.log.level": "ERROR",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
}


def spark_session(
    master: str = LOCAL, *, executor_seconds: float = EXECUTOR_SECONDS
) -> SparkSession:
    """Return the Spark session of this process, started where there is none.

    Parameters
    ----------
    master
        ``local[N]``, ``spark://HOST:PORT``, ``yarn`` or ``k8s://URL``. What is not set here
        (memory, cores, ...) is Spark's own configuration, ``spark-defaults.conf``.
    executor_seconds
        How long to wait for a cluster to give the first executor.

    Raises
    ------
    ValueError
        pyspark or Java is missing, the master is none or does not answer, no executor comes, or
        a session of this process runs on another master.
    """
    _require_installed()
    if master == SHARED and GATEWAY_VARIABLE in os.environ:
        return _shared_session()
    if _MASTER.fullmatch(master) is None:
        raise ValueError(
            f"master must be local[N], spark://HOST:PORT, yarn or k8s://URL, got {master!r}"
        )
    _require_answer(master)
    session = _started(master)
    if session.sparkContext.master != master:
        raise ValueError(
            f"this process has a Spark session on {session.sparkContext.master}, not on {master}"
        )
    _require_executor(session, executor_seconds)
    return session


def spark_backend(master: str = LOCAL) -> BaseBackend:
    """Return an Ibis backend on Spark with views of its own; see :func:`spark_session`."""
    session = spark_session(master)  # says what is missing, before Ibis looks for it
    return ibis.pyspark.connect(session.newSession())


def environment_of_children(session: SparkSession) -> dict[str, str]:
    """Return the environment variables with which processes of ours share this session."""
    parameters = session.sparkContext._gateway.gateway_parameters
    return {
        MASTER_VARIABLE: SHARED,
        GATEWAY_VARIABLE: str(parameters.port),
        "PYSPARK_GATEWAY_SECRET": parameters.auth_token,
    }


def _require_installed() -> None:
    if find_spec("pyspark") is None:
        raise ValueError("Spark needs the package pyspark, which is not installed")
    home = os.environ.get("JAVA_HOME")
    if shutil.which("java") is None and not (home and shutil.which("java", path=f"{home}/bin")):
        raise ValueError("Spark needs Java 17: there is no java on the path and no JAVA_HOME")


def _require_answer(master: str) -> None:
    """Raise unless one of the standalone masters takes a connection."""
    if not master.startswith("spark://"):
        return
    for place in master.removeprefix("spark://").split(","):
        host, port = _host_and_port(place)
        try:
            socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
        except OSError as err:
            problem = err
        else:
            return
    raise ValueError(f"no Spark master answers at {master}: {problem}") from problem


def _host_and_port(place: str) -> tuple[str, int]:
    host, _, port = place.rpartition(":")
    return (host.strip("[]"), int(port)) if host and port.isdigit() else (place, PORT)


def _started(master: str) -> SparkSession:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # of the executors
    builder = SparkSession.builder.master(master).appName("cancellations")
    running = SparkSession.getActiveSession()
    if running is not None:
        return running
    for name, value in (_SETTINGS | _settings_for(master)).items():
        builder = builder.config(name, value)
    try:
        with _uninterrupted():
            return builder.getOrCreate()
    except (Py4JError, PySparkException) as err:
        reason = str(getattr(err, "java_exception", err)).splitlines()[0]
        raise ValueError(f"Spark does not start on {master}: {reason}") from err


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let an interrupt wait: a Java that is just starting would be left behind, by itself."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: caught.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if caught:
        raise KeyboardInterrupt


def _settings_for(master: str) -> dict[str, str]:
    """What a master on this machine needs: no other address, no more partitions than cores."""
    here = {"spark.driver.host": _LOOPBACK[0], "spark.driver.bindAddress": _LOOPBACK[0]}
    if master.startswith("local"):
        cores = master.removeprefix("local").strip("[]") or "1"
        cores = str(os.cpu_count()) if cores == "*" else cores
        return here | {"spark.sql.shuffle.partitions": cores}
    places = master.removeprefix("spark://").split(",")
    return here if all(_host_and_port(place)[0] in _LOOPBACK for place in places) else {}


def _require_executor(session: SparkSession, seconds: float) -> None:
    """Wait for the first executor; Spark alone would wait without end."""
    context = session.sparkContext
    if context.master.startswith("local"):
        return
    end = time.monotonic() + seconds
    while context._jsc.sc().getExecutorMemoryStatus().size() < 2:  # the driver is one of them
        if time.monotonic() > end:
            session.stop()
            raise ValueError(
                f"{context.master} gave no executor in {seconds:g} seconds: "
                "is a worker free that has the cores and the memory that are asked for?"
            )
        time.sleep(0.1)


def _shared_session() -> SparkSession:
    """Return a session in the Spark of the process that started this one."""
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    if SparkContext._active_spark_context is None:
        gateway = launch_gateway()  # it connects to the one that the environment names
        jvm = gateway.jvm
        java = jvm.JavaSparkContext.fromSparkContext(
            jvm.org.apache.spark.SparkContext.getOrCreate()
        )
        conf = SparkConf(_jvm=jvm, _jconf=java.getConf())
        SparkContext(gateway=gateway, jsc=java, conf=conf)
    return SparkSession(SparkContext._active_spark_context)
