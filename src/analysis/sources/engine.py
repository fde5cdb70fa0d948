"""The engine: Ibis expressions in, small pandas tables out.

DuckDB embedded is the default. Everything that engines disagree on is here and nowhere else:
durations, types of sums, time zones.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import numpy as np
import pandas as pd
import pyarrow as pa
from ibis.common.exceptions import IbisError, TableNotFound

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends import BaseBackend

KEPT = "cancellations_kept"  # database in memory: can be packed, which temporary tables cannot
MANY_ROWS = 1_000_000  # whose memory is given back at once
MAX_ROWS = 20_000_000  # a table of counts is smaller than this; more is a question put wrongly
WEEK_SECONDS = 7 * 86_400
WORKDAYS_SECONDS = 5 * 86_400
EPOCH_TO_MONDAY_SECONDS = 3 * 86_400  # 1970-01-01 was a Thursday


_answer: ContextVar[Callable[[ir.Table], pa.Table] | None] = ContextVar("answer", default=None)


def registered(backend: BaseBackend, name: str, table: pa.Table) -> ir.Table:
    """Hand an Arrow table to an engine; DuckDB reads it where it lies."""
    view = ibis.util.gen_name(name)
    if backend.name != "duckdb":
        return backend.create_view(view, ibis.memtable(table))
    backend.con.register(view, table)
    return backend.table(view)


def one_number(backend: BaseBackend, number: int) -> ir.Table:
    """Table of one row and the column ``n``."""
    return registered(backend, "number", pa.table({"n": pa.array([number], pa.int64())}))


def found_table(backend: BaseBackend, name: str) -> ir.Table | None:
    """Return the table of an engine, or nothing if it has none of that name."""
    if backend.name != "duckdb":
        return backend.table(name) if name in backend.list_tables() else None
    try:  # Ibis 12 cannot list the tables of DuckDB 2
        return backend.table(name)
    except TableNotFound:
        return None


@ibis.udf.scalar.builtin(name="epoch_us")
def _duckdb_microseconds(moment) -> int:
    """Microseconds since 1970: 25 times faster than ``epoch(CAST(... AS TIMESTAMP))``."""


@ibis.udf.scalar.builtin(name="make_timestamptz")
def _duckdb_moment(microseconds: int) -> dt.Timestamp("UTC"):
    """Moment that is so many microseconds after 1970."""


@ibis.udf.scalar.builtin(name="datesub")
def _duckdb_elapsed(unit: str, start, end) -> int:
    """Whole units from start to end, towards zero: three times faster than a rounded quotient."""


@ibis.udf.scalar.builtin(name="divide")
def _duckdb_quotient(value: int, by: int) -> int:
    """Quotient towards zero of whole numbers, without the way over floating point."""


def epoch_seconds(moment: ir.TimestampValue | datetime) -> ir.IntegerValue | int:
    """Whole seconds since 1970 of a column of an opened table, or of one moment."""
    if isinstance(moment, datetime):
        return int(utc(moment).timestamp())
    if is_duckdb(moment):
        return _duckdb_quotient(_duckdb_microseconds(moment), 1_000_000)
    return moment.epoch_seconds().cast("int64")


def whole_seconds(moment: ir.TimestampValue) -> ir.TimestampValue:
    """Return the moment in UTC without its fraction of a second; without a zone it is UTC."""
    if is_duckdb(moment):
        return _duckdb_moment(_duckdb_microseconds(moment) // 1_000_000 * 1_000_000)
    return moment.truncate("s").cast("timestamp('UTC')")


def backend_of(*values: ir.Value | datetime) -> str:
    """Name of the engine that columns live in; moments that are none are passed over.

    Empty for columns of a table that is bound to no engine.
    """
    try:
        columns = (value for value in values if not isinstance(value, datetime))
        return next(columns).get_backend().name
    except IbisError:
        return ""


def is_duckdb(*values: ir.Value | datetime) -> bool:
    """Whether columns live in DuckDB."""
    return backend_of(*values) == "duckdb"


def seconds_between(
    start: ir.TimestampValue | datetime, end: ir.TimestampValue | datetime
) -> ir.IntegerValue:
    """Whole seconds from ``start`` to ``end``; missing where either is. The only way to a duration.

    Interval arithmetic and ``.delta`` disagree between engines; differences of epochs do not.
    Moments of opened tables are whole seconds, and DuckDB's own difference of these is theirs.
    """
    if is_duckdb(start, end):
        return _duckdb_elapsed("second", _duckdb_value(start), _duckdb_value(end))
    return epoch_seconds(end) - epoch_seconds(start)


def _duckdb_value(moment: ir.TimestampValue | datetime) -> ir.TimestampValue:
    is_one = isinstance(moment, datetime)
    return _duckdb_moment(epoch_seconds(moment) * 1_000_000) if is_one else moment


def business_seconds_between(
    start: ir.TimestampValue | datetime, end: ir.TimestampValue | datetime
) -> ir.IntegerValue:
    """Seconds from ``start`` to ``end`` that fall on Monday to Friday, UTC, without holidays."""
    return _business_seconds(epoch_seconds(end)) - _business_seconds(epoch_seconds(start))


def _business_seconds(epoch: Any) -> Any:
    since_monday = epoch + EPOCH_TO_MONDAY_SECONDS
    week = since_monday // WEEK_SECONDS
    inside = since_monday - week * WEEK_SECONDS
    if isinstance(epoch, int):
        return week * WORKDAYS_SECONDS + min(inside, WORKDAYS_SECONDS)
    return (week * WORKDAYS_SECONDS + ibis.least(inside, WORKDAYS_SECONDS)).cast("int64")


def whole_units(seconds: ir.IntegerValue, unit_seconds: int) -> ir.IntegerValue:
    """Seconds in units rounded up: ``<= 24 h`` means the same before and after; never below 0.

    Missing seconds stay missing (``greatest`` would turn them into 0).
    """
    beyond = seconds + (unit_seconds - 1)
    is_ours = is_duckdb(seconds)
    up = _duckdb_quotient(beyond, unit_seconds) if is_ours else beyond // unit_seconds
    return ibis.ifelse(up < 0, 0, up).cast("int64")


def collect(frame: ir.Table, *, max_rows: int = MAX_ROWS, in_words: bool = True) -> pd.DataFrame:
    """Run an expression and bring its few rows out: the only door from the engine.

    Integers come as int64, other numbers as float64 (DuckDB sums arrive as decimals), times in
    UTC. Text comes as text; without ``in_words`` as categories where the engine numbers its words.

    Raises
    ------
    ValueError
        The result has more than ``max_rows`` rows.
    """
    answer, most = _answer.get(), max_rows + 1
    result = answer(frame.limit(most)) if answer else _answer_of_engine(frame, most)
    if result.num_rows > max_rows:
        raise ValueError(f"a result has more than {max_rows:,} rows; ask for fewer groups")
    names = result.column_names
    numbers = () if in_words else [n for n in names if pa.types.is_dictionary(result[n].type)]
    columns = [result[name] if name in numbers else _plain(result[name]) for name in names]
    plain = pa.table(columns, names=names)
    many = plain.num_rows > MANY_ROWS
    del result, columns
    frame = plain.to_pandas(split_blocks=True, self_destruct=True)  # many rows are there once
    if many:
        pa.default_memory_pool().release_unused()
    return frame


def _answer_of_engine(frame: ir.Table, most: int) -> pa.Table:
    """Return the first rows of an expression, at most so many."""
    backend = frame.get_backend()
    if backend.name != "duckdb":
        return frame.limit(most).to_pyarrow()
    with warnings.catch_warnings():  # a relation would save a copy, but is planned twice
        warnings.filterwarnings("ignore", "Arrow output on a DB-API result")
        found = backend.con.execute(_limited(backend, frame, most))
        return found.to_arrow_table()  # words stay numbers, which Ibis would write out


def _limited(backend: BaseBackend, frame: ir.Table, most: int) -> str:
    """Return an expression in DuckDB's SQL with a limit behind it.

    Not around it: in a subquery DuckDB keeps the rows that two parts of a statement share.
    """
    if isinstance(frame.op(), ops.Limit):  # a statement has room for one behind it
        return _statement(backend, frame.limit(most))
    return f"{_statement(backend, frame)} LIMIT {most}"


def _statement(backend: BaseBackend, frame: ir.Table) -> str:
    """Return an expression in DuckDB's SQL, a query for each step.

    To put them together takes Ibis a fifth of its time, and DuckDB plans the same either way.
    """
    before = ibis.options.sql.fuse_selects
    ibis.options.sql.fuse_selects = False
    try:
        return backend.compile(frame)
    finally:
        ibis.options.sql.fuse_selects = before


@contextlib.contextmanager
def answered_by(answer: Callable[[ir.Table], pa.Table]) -> Iterator[None]:
    """Let ``answer`` run what is collected meanwhile, instead of the engine that has the tables."""
    before = _answer.set(answer)
    try:
        yield
    finally:
        _answer.reset(before)


def arrow_batches(backend: BaseBackend, frame: ir.Table) -> Iterator[pa.RecordBatch]:
    """Bring all rows of an expression out, a batch at a time: to write or mark, not to measure.

    DuckDB streams them in little memory; from other engines they come at once.
    """
    if backend.name != "duckdb":
        yield from frame.to_pyarrow().to_batches()
        return
    rows = backend.con.sql(_statement(backend, frame))
    yield from pa.RecordBatchReader.from_stream(rows)


def run(backend: BaseBackend, statement: str) -> None:
    """Run a statement of DuckDB's that gives nothing back."""
    backend.con.execute(statement)


def kept_in_engine(
    backend: BaseBackend, name: str, parts: Sequence[ir.Table], *, packed: bool = False
) -> ir.Table:
    """Compute a table once and keep it, where the engine is ours to write to.

    DuckDB computes the parts of it one after the other; for other engines there is one.
    ``packed``: in less than half of the memory, for a third more of the time, in DuckDB.
    """
    if backend.name == "duckdb":  # Ibis would write numbers of words as text
        table, (kind, database) = ibis.util.gen_name(name), _room(backend)
        for i, part in enumerate(parts):
            make = "INSERT INTO {} {}" if i else f"CREATE {kind} {{}} AS {{}}"
            run(backend, make.format(f'{database}.main."{table}"', _statement(backend, part)))
            if packed and database == KEPT:
                run(backend, f"CHECKPOINT {KEPT}")
        return backend.table(table, database=(database, "main"))
    if backend.name == "pyspark":
        return parts[0].cache()
    return parts[0]


def _room(backend: BaseBackend) -> tuple[str, str]:
    """Kind of table that can be kept, and the database for it: ours in memory, if we may."""
    from duckdb import CatalogException

    try:
        run(backend, f"ATTACH IF NOT EXISTS ':memory:' AS {KEPT} (COMPRESS)")
    except CatalogException:  # who opened a file to read only has no room but for what passes
        return "TEMP TABLE", "temp"
    return "TABLE", KEPT


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return column.cast(kind.value_type)
    if pa.types.is_decimal(kind):
        return column.cast(pa.int64() if kind.scale == 0 else pa.float64())
    if pa.types.is_integer(kind):
        return column.cast(pa.int64())
    if pa.types.is_floating(kind):
        return column.cast(pa.float64())
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("us", tz="UTC"))
    return column


def utc(moment: datetime | pd.Timestamp | str, name: str = "as_of") -> datetime:
    """Return a moment as UTC, whole seconds; a moment without a zone is taken as UTC.

    Text is ISO 8601: a day, or a day and a time of it. Words such as ``now`` are no moment.

    Raises
    ------
    ValueError
        It is not a moment.
    """
    try:
        stamp = pd.Timestamp(_moment(moment))
        stamp = stamp.tz_localize(UTC) if stamp.tzinfo is None else stamp.tz_convert(UTC)
    except (ValueError, TypeError, OverflowError) as err:
        raise ValueError(
            f"{name} must be a date or time, got {moment!r}; "
            "allowed is such as 2026-03-01 or 2026-03-01T12:00:00Z"
        ) from err
    return stamp.floor("s").to_pydatetime()


def _moment(given: object) -> date | np.datetime64:
    if isinstance(given, str):
        return datetime.fromisoformat(given)
    if not isinstance(given, date | np.datetime64) or pd.isna(given):
        raise TypeError(f"{type(given)} is no moment")
    return given
