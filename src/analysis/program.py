"""The command ``cancellations`` as a process of its own, which ends at once."""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import sys

from analysis.cli import main

GARBAGE_THRESHOLD = 20_000  # new objects before Python looks for garbage; by default 700


def run() -> None:
    """Run one command and end the process.

    It ends at once: Python would look through all that was imported for a quarter of a second.
    Spark has a process of its own to take leave of.
    """
    gc.set_threshold(GARBAGE_THRESHOLD)
    code = main()
    if "pyspark" in sys.modules:
        sys.exit(code)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # nobody reads any more
            stream.flush()
    engines = sys.modules.get("analysis.sources.connecting")  # if it was needed
    if engines is not None:
        shutil.rmtree(engines.spilled_to(), ignore_errors=True)
    os._exit(code)


if __name__ == "__main__":
    run()
