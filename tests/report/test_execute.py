"""Running notebooks: order, parameters, outputs, errors, limits, deaths, nothing left behind."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from analysis.report import serving, workers
from analysis.report.execute import execute_all, failures, warm_processes
from analysis.report.html import OURS
from analysis.report.parameters import INJECTED, with_parameters

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")


def outputs(notebook, number=-1):
    """Outputs of one cell, each as (type, what matters of it)."""
    words = []
    for output in notebook["cells"][number]["outputs"]:
        kind = output["output_type"]
        if kind == "stream":
            words.append((output["name"], output["text"]))
        elif kind == "error":
            words.append((output["ename"], output["evalue"]))
        else:
            words.append((kind, output["data"].get("text/plain")))
    return words


def test_cells_run_in_order_and_share_their_names(run):
    done = run("a = 1", "a += 1; a", "a *= 10; a")
    assert [outputs(done, n) for n in range(3)] == [
        [],
        [("execute_result", "2")],
        [("execute_result", "20")],
    ]
    assert [one["execution_count"] for one in done["cells"]] == [1, 2, 3]


def test_each_notebook_starts_afresh(run):
    run("import os; left = 1; os.environ['LEFT_BEHIND'] = '1'")
    done = run("import os; 'left' in globals(), os.environ.get('LEFT_BEHIND')")
    assert outputs(done) == [("execute_result", "(False, None)")]


def test_variables_that_are_added_late_reach_the_notebooks(drawn, warm, monkeypatch):
    monkeypatch.setitem(warm.environment, "ADDED_LATE", "1")
    done = execute_all([drawn("import os; os.environ['ADDED_LATE']")], warm=warm)[0]
    assert outputs(done) == [("execute_result", "'1'")]


def test_what_is_given_is_not_changed(drawn, warm):
    given = drawn(("a = 1", "parameters"), "a")
    execute_all([given], parameters={"a": 2}, warm=warm)
    assert given == drawn(("a = 1", "parameters"), "a")


def test_parameters_come_after_the_tagged_cell(run):
    values = {"a": 7, "b": ["x'\"\n", None, True], "c": {"k": -1.5}, "d": Path("x") / "y"}
    done = run("a = 0", ("a = 1", "parameters"), "a, b, c, d", parameters=values)
    assert done["cells"][2]["metadata"] == {"tags": [INJECTED]}
    expected = (7, ["x'\"\n", None, True], {"k": -1.5}, str(Path("x") / "y"))
    assert outputs(done) == [("execute_result", repr(expected))]


def test_parameters_come_first_where_no_cell_is_tagged(drawn):
    assert with_parameters(drawn("a"), {"a": 1})["cells"][0]["source"] == "# Parameters\na = 1"


def test_parameters_of_an_earlier_run_are_replaced(drawn):
    once = with_parameters(drawn(("a = 1", "parameters"), "a"), {"a": 2})
    twice = with_parameters(once, {"a": 3})
    assert [one["source"] for one in twice["cells"]] == ["a = 1", "# Parameters\na = 3", "a"]


@pytest.mark.slow
def test_parameters_mean_the_same_as_with_papermill(drawn):
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    parameterize = pytest.importorskip("papermill.parameterize", reason="papermill is missing")
    values = {"a": 7, "b": ["x'\"\\", None, True], "c": {"k": -1.5}, "d": float("inf"), "e": "ü"}
    given = drawn(("a = 1", "parameters"), "a")
    given["metadata"] = {
        "kernelspec": {"name": "python3", "language": "python"},
        "papermill": {},
    }
    ours = with_parameters(given, values)
    theirs = parameterize.parameterize_notebook(nbformat.from_dict(given), values)
    places = [
        [INJECTED in one["metadata"].get("tags", ()) for one in book["cells"]]
        for book in (ours, theirs)
    ]
    assert places[0] == places[1]
    names = [{}, {}]
    exec(ours["cells"][1]["source"], names[0])
    exec(theirs["cells"][1]["source"], names[1])
    assert {k: names[0][k] for k in values} == {k: names[1][k] for k in values} == values


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"a b": 1}, "name of a variable, got 'a b'"),
        ({"a": object}, "parameter a must be a literal"),
        ({"a": [{"k": {1, 2}}]}, "parameter a must be a literal"),
    ],
)
def test_parameters_that_are_no_literals_are_refused(drawn, values, message):
    with pytest.raises(ValueError, match=message):
        with_parameters(drawn("a"), values)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_time_limit_must_be_positive(drawn, warm, seconds):
    with pytest.raises(ValueError, match="timeout_seconds must be positive"):
        execute_all([drawn("1")], timeout_seconds=seconds, warm=warm)


def test_there_must_be_a_worker(drawn):
    with pytest.raises(ValueError, match="workers must be 1 or more, got 0"):
        execute_all([drawn("1")], workers=0)


def test_printed_text_comes_by_stream_and_in_order(run):
    done = run(
        "import sys\nprint('a'); print('b'); print('c', file=sys.stderr); print('d', end='')\n5"
    )
    assert outputs(done) == [
        ("stdout", "a\nb\n"),
        ("stderr", "c\n"),
        ("stdout", "d"),
        ("execute_result", "5"),
    ]


def test_a_warning_names_no_place_on_this_machine(run):
    done = run("import warnings; warnings.warn('mind the gap')")
    assert outputs(done) == [("stderr", "UserWarning: mind the gap\n")]


def test_a_semicolon_and_none_show_nothing(run):
    done = run("1;", "None", "x = 1")
    assert [outputs(done, n) for n in range(3)] == [[], [], []]


def test_displays_can_be_updated_and_cleared(run):
    done = run(
        "from IPython.display import clear_output, display\n"
        "print('gone'); clear_output()\n"
        "handle = display('first', display_id=True); handle.update('second')\n"
        "print('kept')",
        "print('old'); clear_output(wait=True); print('new')",
    )
    assert outputs(done, 0) == [("display_data", "'second'"), ("stdout", "kept\n")]
    assert outputs(done, 1) == [("stdout", "new\n")]


def test_outputs_are_valid_notebook_format(run):
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    done = run(
        "#: words",
        "print(1); 1",
        "import pandas as pd; pd.DataFrame({'a': [1.5]})",
        "from analysis.report.html import note; note('x')",
        "from IPython.display import Image; Image(b'\\x89PNG\\r\\n\\x1a\\n' + bytes(16))",
        "1 / 0",
        parameters={"a": 1},
    )
    nbformat.validate(nbformat.from_dict(done))


def test_notebook_nodes_stay_notebook_nodes(drawn, warm):
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    done = execute_all([nbformat.from_dict(drawn("a"))], parameters={"a": 1}, warm=warm)[0]
    assert done.cells[0].metadata.tags == [INJECTED]
    assert done.cells[1].outputs[0].data["text/plain"] == "1"


def test_an_error_ends_the_notebook_and_is_listed(run):
    done = run("1", "1 / 0", "2")
    assert outputs(done, 1) == [("ZeroDivisionError", "division by zero")]
    assert done["cells"][2]["execution_count"] is None
    assert failures(done) == ["cell 2: ZeroDivisionError: division by zero"]


@pytest.mark.parametrize("source", ["def", "import sys; sys.exit(1)", "%no_such_magic"])
def test_other_ways_to_fail_end_the_notebook_too(run, source):
    done = run(source, "2")
    assert len(failures(done)) == (0 if source.startswith("%") else 1)
    assert (done["cells"][1]["execution_count"] is None) == (not source.startswith("%"))


def test_a_value_that_cannot_be_shown_is_an_error(run):
    done = run("class Odd:\n    def _repr_html_(self):\n        1 / 0\nOdd()")
    assert failures(done) == ["cell 1: ZeroDivisionError: division by zero"]


def test_a_cell_that_may_fail_does_not_end_the_notebook(run):
    done = run(("1 / 0", "raises-exception"), "2")
    assert (outputs(done), failures(done)) == ([("execute_result", "2")], [])


def test_skipped_cells_do_not_run(run):
    done = run("a = 1", ("a = 2", "skip-report"), "a")
    assert outputs(done) == [("execute_result", "1")]
    assert done["cells"][1]["execution_count"] is None


def test_questions_have_no_answer_and_disturb_nothing(run):
    done = run(("input('name? ')", "raises-exception"), "1")
    assert outputs(done, 0)[-1][0] == "EOFError"
    assert outputs(done) == [("execute_result", "1")]


def test_what_is_printed_below_python_disturbs_nothing(run):
    done = run("import os; os.write(1, b'{}\\n'); os.system('echo hello')", "1")
    assert outputs(done) == [("execute_result", "1")]


def test_frames_become_tables_made_here(run):
    done = run("import pandas as pd; pd.DataFrame({'<b>': ['<i>']})")
    data = done["cells"][0]["outputs"][0]["data"]
    assert OURS in data and "&lt;i&gt;" in data["text/html"]
    assert "<i>" not in data["text/html"] and "<b>" not in data["text/html"]


def test_only_what_this_package_made_is_marked(run):
    done = run(
        "from analysis.report.html import note; note('x')",
        "from IPython.display import HTML; HTML('<b>x</b>')",
        "class Mine:\n    def _repr_html_(self):\n        return '<b>'\nMine()",
        "Mine.__module__ = 'analysis.report.ask'; Mine()",
        "Mine.__module__ = 'analysis_of_others'; Mine()",
    )
    marked = [OURS in one["outputs"][0]["data"] for one in done["cells"]]
    assert marked == [True, False, False, True, False]


def test_sets_come_in_the_same_order_every_time(run):
    code, settings = "print(hash('a'))", {**os.environ, "PYTHONHASHSEED": "0"}
    same = subprocess.run(
        [sys.executable, "-c", code], env=settings, capture_output=True, text=True
    )
    assert outputs(run(code)) == [("stdout", same.stdout)]


def test_figures_of_pyplot_appear_as_pictures(run):
    done = run("import matplotlib.pyplot as plt", "plt.plot([1, 2]);")
    assert "image/png" in done["cells"][1]["outputs"][0]["data"]


def test_top_level_await_works(run):
    assert outputs(run("import asyncio; await asyncio.sleep(0, 3)")) == [("execute_result", "3")]


@needs_fork
def test_too_slow_a_notebook_is_stopped_and_the_next_one_runs(run):
    assert outputs(run("0")) == [("execute_result", "0")]  # the process has imported all
    slow = run("a = 1; a", "while True: pass", "2", timeout_seconds=3)
    assert outputs(slow, 0) == [("execute_result", "1")]
    assert failures(slow) == ["cell 2: TimeoutError: the timeout is 3 seconds"]
    assert slow["cells"][2]["execution_count"] is None
    assert outputs(run("3")) == [("execute_result", "3")]


@needs_fork
def test_a_death_is_told_with_its_cell_and_the_next_notebook_runs(run):
    dead = run("1", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert failures(dead) == ["cell 2: ProcessEnded: the process of this notebook ended by SIGSEGV"]
    assert "Segmentation fault" in dead["cells"][1]["outputs"][-1]["traceback"][0]
    left = run("import os; os._exit(3)")
    assert failures(left) == [
        "cell 1: ProcessEnded: the process of this notebook ended with exit code 3"
    ]
    assert outputs(run("3")) == [("execute_result", "3")]


@pytest.mark.slow
@needs_fork
def test_the_death_of_a_worker_is_told_and_the_next_notebooks_run(drawn):
    with warm_processes(2) as warm:
        killing = drawn("import os, signal; os.kill(os.getppid(), signal.SIGKILL)")
        done = execute_all([killing, killing, drawn("3"), drawn("4")], warm=warm)
    assert all("the process that runs notebooks ended" in failures(one)[0] for one in done[:2])
    assert [outputs(one) for one in done[2:]] == [[("execute_result", n)] for n in "34"]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux's /proc")
def test_workers_share_what_was_imported_and_no_pipe(drawn, monkeypatch):
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)  # of another environment IPython would warn
    here = "import os; worker = f'/proc/{os.getppid()}'"
    importer = "open(f'{worker}/stat').read().split()[3]"
    pipes = "[f for f in os.scandir(f'{worker}/fd') if 'pipe' in os.readlink(f)].__len__()"
    words = "os.write(2, b'mine'); open(os.readlink('/proc/self/fd/2')).read()"
    book = drawn(here, importer, pipes, words, "import time; time.sleep(0.3)")
    with warm_processes(2) as warm:
        done = execute_all([book] * 2, warm=warm)
    assert outputs(done[0], 1) == outputs(done[1], 1)
    assert [outputs(one, 2) for one in done] == [[("execute_result", "2")]] * 2
    assert [outputs(one, 3) for one in done] == [[("execute_result", "'mine'")]] * 2


def test_a_process_that_cannot_start_says_why(drawn, monkeypatch):
    monkeypatch.setattr(workers, "_START", "raise ImportError('no such thing')#{}")
    done = execute_all([drawn("#: words", "1")], workers=1)[0]
    assert failures(done) == ["cell 2: ProcessEnded: the process that runs notebooks ended"]
    assert "no such thing" in done["cells"][1]["outputs"][0]["traceback"][0]


@pytest.mark.slow
def test_without_fork_every_notebook_gets_a_fresh_process(drawn, monkeypatch):
    monkeypatch.setattr(workers, "FORKS", False)
    books = [drawn("import os; a = os.getpid()", "a"), drawn("import os; os.getpid()")]
    done = execute_all(books, workers=1)
    pids = {outputs(one)[0][1] for one in done}
    assert len(pids) == 2 and [failures(one) for one in done] == [[], []]


def test_results_keep_their_order_and_progress_is_told(drawn, tmp_path):
    told, ended = [], {}
    last = tmp_path / "all others have ended"
    wait = f"import os, time\nwhile not os.path.exists({str(last)!r}): time.sleep(0.01)"

    def finished(place: int, one: dict) -> None:
        ended[place] = outputs(one)
        if set(ended) == {1, 2, 3}:
            last.touch()

    done = execute_all(
        [drawn(f"{wait}\n0"), drawn("1"), drawn("2"), drawn("3")],
        workers=2,
        timeout_seconds=60,
        progress=lambda *at: told.append(at),
        finished=finished,
    )
    assert [outputs(one) for one in done] == [[("execute_result", str(n))] for n in range(4)]
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert list(ended)[-1] == 0 and ended == dict(enumerate(outputs(one) for one in done))


def test_no_notebooks_no_work():
    assert execute_all([]) == []


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_the_warm_process_has_one_thread_when_it_forks(run):
    done = run("import os; len(os.listdir(f'/proc/{os.getppid()}/task'))")
    assert outputs(done) == [("execute_result", "1")]


@pytest.mark.slow
@needs_fork
def test_nothing_is_left_behind(tmp_path):
    """No process, zombie, temporary folder or file in the home folder; also after Ctrl-C."""
    script = textwrap.dedent("""
        import json, os, signal, sys, threading
        from analysis.report.execute import execute_all
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background
        source = '''
        import json, os, subprocess, sys
        child = subprocess.Popen(["sleep", "600"])
        with open("pids.json", "a") as file:
            print(os.getpid(), os.getppid(), child.pid, file=file)
        while True: pass
        '''.replace("        ", "")
        cell = {"cell_type": "code", "metadata": {}, "source": source}
        book = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        execute_all([book], timeout_seconds=6)
        def interrupt():
            while open("pids.json").read().count("\\n") < 2: pass
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=interrupt).start()
        try:
            execute_all([book], timeout_seconds=60)
        except KeyboardInterrupt:
            print("interrupted")
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            print("no child")
    """)
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir(), temporary.mkdir()
    settings = {
        **os.environ,
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "MPLCONFIGDIR": str(tmp_path / "mpl"),
    }
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=settings,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.split("\n")[:2] == ["interrupted", "no child"]
    pids = [int(word) for word in (tmp_path / "pids.json").read_text().split()]
    assert len(pids) == 6
    assert [pid for pid in pids if is_running(pid)] == []
    assert list(temporary.iterdir()) == []
    assert [path.name for path in home.iterdir() if path.name != ".cache"] == []


def is_running(pid):
    """Whether a process runs; one that has ended and only waits to be read does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.slow
@needs_fork
def test_a_notebook_that_nobody_stops_ends_by_itself():
    with workers.warm_processes(1) as warm:
        jobs = warm.started[0].jobs
        seconds = 0.2 - serving.GRACE_SECONDS
        job = {"cells": [[0, "while True: pass", False]], "seconds": seconds, "environment": {}}
        jobs.write(json.dumps(job).encode() + b"\n")
        jobs.flush()
        assert list(itertools.islice(workers.messages_of(warm.started[0]), 4))[2:] == [
            {"starts": 0},
            {"ended": -signal.SIGALRM},
        ]
