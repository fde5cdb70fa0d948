"""The command as a process: what is left when it ends at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

ENDING = """
import sys
from analysis import program
from analysis.sources.connecting import spilled_to
from pathlib import Path

def main():
    Path(spilled_to()).mkdir()
    (Path(spilled_to()) / "block").write_text("spilled")
    print(spilled_to())
    {more}
    return {code}

program.main = main
program.run()
"""


def ended(code: int, more: str = "", **options) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", ENDING.format(code=code, more=more)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.mark.parametrize("code", [0, 2, 130])
def test_all_that_was_printed_arrives_and_nothing_spilled_is_left(code, tmp_path):
    done = ended(code, "sys.stderr.write('a word')", env={"TMPDIR": str(tmp_path)})
    assert (done.returncode, done.stderr) == (code, "a word")
    assert done.stdout.startswith(str(tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_process_with_spark_ends_as_python_does(tmp_path):
    more = "sys.modules['pyspark'] = sys; import atexit; atexit.register(print, 'leave taken')"
    done = ended(0, more, env={"TMPDIR": str(tmp_path)})
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "leave taken")
