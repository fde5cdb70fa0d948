"""A PostgreSQL server on loopback for tests: its own folder, its own port, ended with ``close``."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from tests.standalone import free_port, wait_until

USER = "postgres"  # of the database; also of the system, where root starts the server
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "shared_buffers": "32MB",
    "max_connections": "50",
}


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs; Debian keeps them off the path."""
    found = shutil.which("postgres")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


class Postgres:
    """A server without password for whoever is on this machine; ids of schemas are new ones."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self._at = {"host": "127.0.0.1", "port": port, "user": USER}
        self._owner = {"user": USER} if os.geteuid() == 0 else {}  # it refuses to run as root
        of_all = "/tmp" if self._owner else None  # root's own folders may be closed to others
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-", dir=of_all))
        if self._owner:
            shutil.chown(self._folder, USER)
        self._schemas = count()
        data = self._folder / "data"
        options = ["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        self._run([folder / "initdb", "-D", data, *options])
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        self._log = (self._folder / "log").open("wb")
        self._server = subprocess.Popen(
            [folder / "postgres", "-D", data, f"--port={port}", *settings],
            stdout=self._log, stderr=self._log, cwd=self._folder, **self._owner,
        )  # fmt: skip
        try:
            wait_until(lambda: self._answers() or self._server.poll() is not None)
            if self._server.poll() is not None:
                raise RuntimeError((self._folder / "log").read_text(encoding="utf-8")[-2000:])
        except (TimeoutError, RuntimeError):
            self.close()
            raise

    def _run(self, command: list[object]) -> None:
        done = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, check=False,
            cwd=self._folder, **self._owner,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)

    def _answers(self) -> bool:
        import psycopg

        try:
            with self.connected():
                return True
        except psycopg.OperationalError:
            return False

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """Yield a connection of psycopg whose statements take effect at once."""
        import psycopg

        with psycopg.connect(**self._at, dbname=USER, autocommit=True) as connection:
            yield connection

    def new_schema(self) -> str:
        """Make a schema that nobody has and return its name."""
        name = f"data_{next(self._schemas)}"
        with self.connected() as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return name

    def backend(self, schema: str) -> Any:
        """Return the Ibis backend that finds tables in a schema."""
        import ibis

        return ibis.postgres.connect(**self._at, database=USER, schema=schema)

    def close(self) -> None:
        """End the server, whoever is still connected, and remove its files."""
        self._server.send_signal(signal.SIGINT)
        self._server.wait(timeout=60)
        self._log.close()
        shutil.rmtree(self._folder)
