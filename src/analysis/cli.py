"""The command ``cancellations``: generate, check, import, tables, report, why, lab.

Errors of the user or of the data are one message on stderr and exit code 2, without traceback.
Anything else is a bug and keeps its traceback.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.contract import ContractError, MissingData

if TYPE_CHECKING:
    from analysis.sources import Tables

USER_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code (0 done, 2 an error the user can mend)."""
    parser = _parser()
    options, others = parser.parse_known_args(arguments)
    options.others = others
    if options.others and options.run is not _lab:
        parser.error(f"unrecognized arguments: {' '.join(options.others)}")
    try:
        options.run(options)
    except (ContractError, MissingData, ValueError) as err:
        if not _is_ours(err):
            raise
        print(f"cancellations: {err}", file=sys.stderr)
        return USER_ERROR
    except (FileNotFoundError, NotADirectoryError, PermissionError, IsADirectoryError) as err:
        print(f"cancellations: {err}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print("cancellations: interrupted; nothing half-written is left", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as err:
        if not _is_out_of_memory(err):
            raise
        what = str(err).splitlines()[0]
        print(f"cancellations: {what}; DuckDB may take more with --memory", file=sys.stderr)
        return USER_ERROR
    return 0


def _is_ours(err: BaseException) -> bool:
    """Whether an error was raised by this package (a message), not inside a library (a bug)."""
    if isinstance(err, ContractError | MissingData):
        return True
    trace = err.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and "analysis" in Path(trace.tb_frame.f_code.co_filename).parts


def _is_out_of_memory(err: Exception) -> bool:
    """Whether DuckDB may not take the memory that it needs; it is not loaded to find out."""
    duckdb = sys.modules.get("duckdb")
    return duckdb is not None and isinstance(err, duckdb.OutOfMemoryException)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cancellations",
        description="Analytics of order cancellations on marketplaces.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_generate(commands)
    _add_reading_commands(commands)
    _add_import(commands)
    _command(commands, "lab", _lab, "open JupyterLab on the notebooks (options are passed on)")
    return parser


def _command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], None], words: str
) -> argparse.ArgumentParser:
    made = commands.add_parser(
        name,
        help=words,
        description=words[0].upper() + words[1:] + ".",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    made.set_defaults(run=run)
    return made


def _add_generate(commands: Any) -> None:
    generate = _command(commands, "generate", _generate, "make a synthetic marketplace")
    generate.add_argument("--orders", type=_whole, default=200_000, help="orders to place")
    generate.add_argument("--seed", type=_whole, default=7, help="same seed, same bytes")
    generate.add_argument("--policy", default="aliexpress", help="rules of the platform")
    generate.add_argument("--workers", type=_whole, default=1, help="processes that generate")
    generate.add_argument("--out", type=Path, required=True, help="folder of the dataset")
    _add_engine(generate, "processes", "makes the blocks")


def _add_engine(command: argparse.ArgumentParser, default: str, does: str) -> None:
    command.add_argument(
        "--engine", choices=(default, "spark"), default=default, help=f"what {does}"
    )
    command.add_argument("--master", help="Spark master, such as spark://HOST:7077")


def _add_reading_commands(commands: Any) -> None:
    check = _command(commands, "check", _check, "check a dataset against the contract")
    tables = _command(commands, "tables", _tables, "write every measure as CSV and JSON")
    report = _command(commands, "report", _report, "run the notebooks and render the HTML report")
    why = _command(commands, "why", _why, "say why one order could not be cancelled")
    why.add_argument("order_id", metavar="ORDER_ID", help="the order")
    for command in (check, tables, report, why):
        command.add_argument("dataset", type=Path, metavar="DATASET", help="folder of the dataset")
        command.add_argument(
            "--as-of", help="end of observation, for folders of plain CSV or Parquet files"
        )
    tables.add_argument("--by", action="append", default=[], help="group by this column (repeat)")
    tables.add_argument("--out", type=Path, required=True, help="folder of the tables")
    report.add_argument("--out", type=Path, required=True, help="folder of the site")
    report.add_argument("--workers", type=_whole, default=2, help="notebooks run at a time")
    report.add_argument("--timeout", type=_seconds, help="seconds for one notebook, default 600")
    for command in (tables, report):
        command.add_argument(
            "--despite-broken-rules", action="store_true", help="go on although `check` fails"
        )
        _add_engine(command, "duckdb", "counts")
        command.add_argument("--memory", help="most that DuckDB may take, such as 2GB")


def _add_import(commands: Any) -> None:
    importing = _command(commands, "import", _import, "turn somebody's export into a dataset")
    importing.add_argument("format", metavar="FORMAT", help="olist, or tables (contract columns)")
    importing.add_argument("files", type=Path, nargs="+", metavar="FILE", help="what to import")
    importing.add_argument("--as-of", help="end of observation, where the export does not know it")
    importing.add_argument("--out", type=Path, required=True, help="folder of the dataset")


def _whole(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, got {text!r}") from None
    if value < 0:
        raise argparse.ArgumentTypeError(f"must not be negative, got {text}")
    return value


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number of seconds, got {text!r}")
    return value


class _Progress:
    """A progress bar on a terminal, silence in a pipe; called with (done, all)."""

    def __init__(self, words: str) -> None:
        from tqdm import tqdm

        self.bar = tqdm(desc=words, unit="", leave=False, disable=not sys.stderr.isatty())

    def __call__(self, done: int, total: int) -> None:
        self.bar.total = total
        self.bar.update(done - self.bar.n)

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()


def _generate(options: argparse.Namespace) -> None:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # each process would start idle threads
    from analysis.marketplace import write_market

    runner, master = None, _master(options)
    if master is not None:
        from analysis.marketplace.cluster import on_spark
        from analysis.sources import spark_session

        runner = on_spark(spark_session(master))
    with _Progress("generating") as progress:
        manifest = write_market(
            options.out,
            options.orders,
            seed=options.seed,
            policy=options.policy,
            workers=options.workers,
            progress=progress,
            runner=runner,
        )
    rows = ", ".join(f"{n:,} {name}" for name, n in manifest.n_rows.items() if "/" not in name)
    print(f"{options.out}: synthetic, seed {options.seed}: {rows}")


def _master(options: argparse.Namespace) -> str | None:
    """Return the Spark master that the options name; None, and DuckDB's memory set, without."""
    memory = getattr(options, "memory", None)
    if getattr(options, "engine", None) == "spark":
        from analysis.sources.spark import LOCAL

        if memory is not None:
            raise ValueError("--memory is for --engine duckdb")
        return LOCAL if options.master is None else options.master
    if getattr(options, "master", None) is not None:
        raise ValueError("--master is for --engine spark")
    if memory is not None:
        from analysis.sources.connecting import MEMORY_VARIABLE, memory_size

        os.environ[MEMORY_VARIABLE] = memory_size(memory)  # for processes that are started, too
    return None


def _open(options: argparse.Namespace) -> Tables:
    from analysis.sources import open_tables, spark_backend

    master = _master(options)
    backend = None if master is None else spark_backend(master)
    return open_tables(options.dataset, options.as_of, backend=backend)


def _check(options: argparse.Namespace) -> None:
    from analysis.sources import check, check_files, require_valid

    tables = _open(options)
    if tables.manifest is not None:
        changed = check_files(options.dataset)
        if len(changed):
            lines = [f"  {row.path}: {row.problem}" for row in changed.itertuples()]
            raise ContractError("\n".join([f"{options.dataset} has changed files:", *lines]))
    require_valid(tables)
    found = check(tables)
    rows = found.drop_duplicates("table")["n_rows"].sum()
    print(f"{options.dataset}: {len(found)} rules hold on {rows:,} rows")
    _print_notes(tables.notes)


def _print_notes(notes: Iterable[str]) -> None:
    for note in notes:
        print(f"  note: {note}")


def _import(options: argparse.Namespace) -> None:
    from analysis.sources.importers import IMPORTERS

    if options.format not in IMPORTERS:
        raise ValueError(f"FORMAT must be one of {', '.join(IMPORTERS)}, got {options.format!r}")
    if len(options.files) != 1:
        raise ValueError(f"{options.format} imports one folder, got {len(options.files)}")
    given = {} if options.as_of is None else {"as_of": options.as_of}
    manifest = IMPORTERS[options.format](options.files[0], options.out, **given)
    rows = ", ".join(f"{n:,} {name}" for name, n in manifest.n_rows.items())
    print(f"{options.out}: {rows}")
    _print_notes(manifest.notes)


def _tables(options: argparse.Namespace) -> None:
    from analysis.report.tables import write_tables

    tables = _open(options)
    _require_valid(tables, options)
    with _Progress("measuring") as progress:
        absent = write_tables(tables, options.out, by=options.by, progress=progress)
    print(f"{options.out}: every measure as CSV and JSON")
    for name, reason in absent.items():
        print(f"  left out: {name}: {reason}")


def _report(options: argparse.Namespace) -> None:
    from analysis.report.make import make_report

    given = {} if options.timeout is None else {"timeout_seconds": options.timeout}
    with _Progress("running notebooks") as progress:
        index = make_report(
            options.dataset,
            options.out,
            as_of=options.as_of,
            workers=options.workers,
            despite_broken_rules=options.despite_broken_rules,
            master=_master(options),
            progress=progress,
            **given,
        )
    print(f"open {index.as_uri()}")


def _why(options: argparse.Namespace) -> None:
    from analysis.measures import why_not
    from analysis.report.say import say_why_not

    print(say_why_not(why_not(_open(options), options.order_id)))


def _lab(options: argparse.Namespace) -> None:
    from analysis.report.notebooks import notebook_folder

    command = [sys.executable, "-m", "jupyterlab", str(notebook_folder()), *options.others]
    subprocess.run(command, check=False)


def _require_valid(tables: Tables, options: argparse.Namespace) -> None:
    from analysis.sources import require_valid

    if not options.despite_broken_rules:
        require_valid(tables)
