"""A Spark standalone cluster on loopback, of a master and workers with one core each."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

START_SECONDS = 90
QUICK_TO_START = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
SMALL = ("-Xmx192m", *QUICK_TO_START)
EXECUTOR_MEMORY = "600m"
SETTINGS = {
    "spark.driver.memory": "600m",
    "spark.executor.memory": EXECUTOR_MEMORY,
    "spark.driver.extraJavaOptions": " ".join(QUICK_TO_START),
    "spark.executor.extraJavaOptions": " ".join(QUICK_TO_START),
    "spark.sql.shuffle.partitions": "2",
}


class Standalone:
    """A master and its workers: all end with ``close``, and none listens beyond loopback."""

    def __init__(self, folder: Path, n_workers: int = 2) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen] = []
        self.workers: list[subprocess.Popen] = []
        port = free_port()
        self.master = f"spark://127.0.0.1:{port}"
        self._start("master.Master", "--port", str(port), says="I have been elected leader")
        self.with_workers(n_workers)

    def with_workers(self, n: int) -> None:
        """Start workers until ``n`` of them run and the master knows them."""
        while len(self.workers) < n:
            place = ("--cores", "1", "--memory", "1g", "--work-dir", str(self.folder / "work"))
            known = "Successfully registered with master"
            self.workers.append(self._start("worker.Worker", *place, self.master, says=known))

    def kill_a_worker(self) -> None:
        """Kill a worker and its executors at once, like a machine that loses its power."""
        kill_with_children(self.workers[-1].pid)
        self.workers.pop().wait()

    def close(self) -> None:
        """End every process that was started here, and what these started."""
        for process in reversed(self.started):
            kill_with_children(process.pid)
            process.wait()

    def settings(self, **more: str) -> dict[str, str]:
        """Write Spark's own configuration; return the environment that makes Spark read it."""
        folder = self.folder / f"conf-{len(list(self.folder.glob('conf-*')))}"
        folder.mkdir()
        lines = [f"{name} {value}" for name, value in (SETTINGS | more).items()]
        (folder / "spark-defaults.conf").write_text("\n".join(lines), encoding="utf-8")
        return {"SPARK_CONF_DIR": str(folder)}

    def _start(self, kind: str, *options: str, says: str) -> subprocess.Popen:
        import pyspark

        log, home = self.folder / f"{len(self.started)}.log", Path(pyspark.__file__).parent
        command = ["java", *SMALL, "-cp", f"{home}/jars/*", f"org.apache.spark.deploy.{kind}"]
        command += ["--host", "127.0.0.1", "--webui-port", "0", *options]
        with log.open("wb") as file:
            own = {"SPARK_HOME": str(home), "SPARK_SCALA_VERSION": "2.13"}
            own |= {"SPARK_LOCAL_IP": "127.0.0.1", "PYTHONPATH": os.pathsep.join(sys.path)}
            process = subprocess.Popen(
                command, stdout=file, stderr=file, env={**os.environ, **own}, cwd=self.folder
            )
        self.started.append(process)
        wait_until(lambda: says in log.read_text(encoding="utf-8") or process.poll() is not None)
        if process.poll() is not None:
            raise RuntimeError(f"{kind} ended: {log.read_text(encoding='utf-8')[-2000:]}")
        return process


def wait_until(happened) -> None:
    """Wait for something that other processes do.

    Raises
    ------
    TimeoutError
        It does not happen.
    """
    end = time.monotonic() + START_SECONDS
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError("waited in vain")
        time.sleep(0.01)


def kill_with_children(pid: int) -> None:
    """Kill a process and all that it started."""
    for one in (*children_of(pid), pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


def children_of(pid: int) -> list[int]:
    """Processes that ``pid`` started, and those that they started."""
    found = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in thread.read_text(encoding="ascii").split()]
    return [*found, *(grandchild for child in found for grandchild in children_of(child))]


def free_port() -> int:
    """Return a port of loopback on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
