"""Others' implementations: an environment for those in Python, R where it is installed.

Nothing here fails because a peer is absent: it is then "not installed here".
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE / ".peers"
IN_R = ("survival", "cmprsk", "glm", "glm.fit")
PACKAGES = {"sklearn": "scikit-learn", "glm": "stats", "glm.fit": "stats"}  # called otherwise
LONGEST = 90  # seconds that a peer may take


class Peer(NamedTuple):
    """What a peer took for a work, and its values; or why there are none."""

    name: str
    seconds: float | None
    values: list[float]
    remark: str = ""


@cache
def python_of_peers() -> Path | None:
    """Make the environment of ``peers.txt`` on first use; None where that does not work."""
    python = ENVIRONMENT / "bin" / "python"
    ready = ENVIRONMENT / "ready"
    wanted = (HERE / "peers.txt").read_text(encoding="utf-8")
    if ready.exists() and ready.read_text(encoding="utf-8") == wanted:
        return python
    uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
    install = [uv, "pip", "install", "--quiet", "--python", str(python)]
    settings = {**os.environ, "UV_SYSTEM_CERTS": "true"}
    made = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(ENVIRONMENT)]
    try:
        subprocess.run(made, check=True)
        names = [line for line in wanted.splitlines() if line and not line.startswith("#")]
        for name in names:  # one by one: what cannot be had does not keep the others away
            subprocess.run([*install, name], check=False, env=settings)
    except (OSError, subprocess.CalledProcessError):
        return None
    ready.write_text(wanted, encoding="utf-8")
    return python


@cache
def version(name: str) -> str | None:
    """Return the version of a peer's library, None where it is not installed here."""
    package = PACKAGES.get(name, name)
    if name in IN_R:
        return _said(["Rscript", "-e", f"cat(as.character(packageVersion('{package}')))"])
    python = python_of_peers()
    code = f"from importlib.metadata import version; print(version({package!r}))"
    return _said([str(python), "-c", code]) if python is not None else None


@cache
def licence(name: str) -> str:
    """Return the licence that a Python package says it has."""
    code = (
        "from importlib.metadata import metadata; "
        f"own = metadata({PACKAGES.get(name, name)!r}); "
        "print(own.get('License-Expression') or own.get('License') or 'no licence named')"
    )
    python = python_of_peers()
    said = _said([str(python), "-c", code]) if python is not None else None
    return said.splitlines()[0] if said else "no licence named"


def _said(command: list[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def run(work: str, name: str, folder: Path) -> Peer:
    """Run a work with one peer, in a process of its own."""
    if version(name) is None:
        return Peer(name, None, [], "not installed here")
    if name in IN_R:
        command = ["Rscript", str(HERE / "peers.R")]
    else:
        command = [str(python_of_peers()), str(HERE / "peers_python.py")]
    try:
        done = subprocess.run(
            [*command, str(folder), work, name],
            capture_output=True,
            text=True,
            check=True,
            timeout=LONGEST,
        )
    except subprocess.TimeoutExpired:
        return Peer(name, None, [], f"not done in {LONGEST} s")
    except subprocess.CalledProcessError as err:
        last = err.stderr.strip().splitlines()[-1:] or [f"exit code {err.returncode}"]
        return Peer(name, None, [], f"failed: {last[0]}")
    return _read(name, done.stdout)


def _read(name: str, text: str) -> Peer:
    if name in IN_R:
        seconds, *values = map(float, text.split())
        return Peer(name, seconds, values)
    found = json.loads(text.splitlines()[-1])
    return Peer(name, found["seconds"], found["values"])
