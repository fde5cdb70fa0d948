"""What size costs: measured growth, how a dataset is cut, and what leaves the engine.

Growth is measured by ``make bench`` (``benchmarks/``) and its table is part of the package.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.contract import MissingData
from analysis.measures import (
    cancellation_success_rate,
    order_end_shares,
    response_curve,
)
from analysis.report import html
from analysis.report.data_page import UNITS
from analysis.sources import Tables
from analysis.sources.elsewhere import asked_elsewhere
from analysis.sources.engine import answered_by
from analysis.stats.growth import cost_at, growth_exponent

if TYPE_CHECKING:
    import ibis.expr.types as ir

GROWTH = "growth.csv"
BILLION = 10**9  # orders that costs are carried to
OURS = "ours"
INTERVAL = "straight line, relative errors, t"
COST_COLUMNS = ["work", "peer", "n_orders", "is_measured", "estimate", "ci_low", "ci_high"]
COST_COLUMNS += ["seconds", "peak_mb", "exponent", "exponent_low", "exponent_high", "n", "interval"]
SHOWN = (order_end_shares, cancellation_success_rate, response_curve)
DIALECTS = ("bigquery", "databricks", "duckdb", "postgres", "pyspark", "snowflake")


def scale_costs(growth: pd.DataFrame | None = None, *, level: float = 0.95) -> pd.DataFrame:
    """How much CPU time the work on orders takes, measured, and carried to a billion orders.

    Parameters
    ----------
    growth
        Measurements, ``work, peer, n_orders, seconds, cpu_seconds, peak_mb``, ``peer`` empty for
        ours; None takes those of the last ``make bench``.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    DataFrame
        One row per work, peer and number of orders, as measured: ``work, peer, n_orders,
        is_measured, estimate, ci_low, ci_high, seconds, peak_mb, exponent, exponent_low,
        exponent_high, n, interval``. ``estimate`` is in CPU-seconds. For ours one row more,
        which was not measured: a billion orders, with limits. ``exponent`` is the power of the
        orders with which CPU time grows, from ``n`` sizes.

    Notes
    -----
    Carried further by a straight line, a fixed cost and the same for every order: right if the
    exponent is about 1 at large sizes. Start-up makes exponents of small sizes smaller.
    """
    growth = _measured() if growth is None else growth
    parts = []
    for (work, peer), own in growth.groupby(["work", "peer"], sort=False):
        own = own.sort_values("n_orders")
        parts.append(_measured_rows(own, peer or OURS))
        if not peer:
            parts.append(_carried(work, own, level))
        sizes, costs = own["n_orders"].to_numpy(), own["cpu_seconds"].to_numpy()
        fit = growth_exponent(sizes, costs, level=level)
        for part in parts[-1:] if peer else parts[-2:]:
            part[["exponent", "exponent_low", "exponent_high"]] = fit
            part["n"] = len(own)
    return pd.concat(parts, ignore_index=True)[COST_COLUMNS]


def _measured() -> pd.DataFrame:
    with resources.files("analysis.report").joinpath(GROWTH).open(encoding="utf-8") as file:
        return pd.read_csv(file, keep_default_na=False)


def _measured_rows(own: pd.DataFrame, peer: str) -> pd.DataFrame:
    rows = own[["work", "n_orders", "seconds", "peak_mb"]].reset_index(drop=True)
    costs = own["cpu_seconds"].to_numpy(float)
    known = {"peer": peer, "is_measured": True, "interval": "as measured"}
    return rows.assign(**known, estimate=costs, ci_low=np.nan, ci_high=np.nan)


def _carried(work: str, own: pd.DataFrame, level: float) -> pd.DataFrame:
    sizes, costs = own["n_orders"].to_numpy(), own["cpu_seconds"].to_numpy()
    fit = cost_at(BILLION, sizes, costs, level=level)
    row = {"work": work, "peer": OURS, "n_orders": BILLION, "is_measured": False}
    row |= {"estimate": fit.estimate, "ci_low": fit.low, "ci_high": fit.high}
    return pd.DataFrame([row | {"seconds": np.nan, "peak_mb": np.nan, "interval": INTERVAL}])


def dataset_parts(tables: Tables) -> pd.DataFrame:
    """How a dataset folder is cut: what each machine, or core, may read or write alone.

    Returns
    -------
    DataFrame
        One row per table: ``table, n_parts, n_rows, megabytes, most_rows``; ``most_rows`` is the
        number of rows of the largest part.

    Raises
    ------
    MissingData
        The data was not opened from a folder with a manifest.
    """
    if tables.manifest is None or tables.folder is None:
        raise MissingData("a manifest with parts", needed_by="dataset_parts")
    listed = pd.DataFrame([(p.table, p.path, p.n_rows) for p in tables.manifest.parts])
    listed.columns = ["table", "path", "n_rows"]
    listed = listed[listed["table"].isin(list(tables.frames))]
    listed["bytes"] = [(tables.folder / path).stat().st_size for path in listed["path"]]
    found = listed.groupby("table").agg(
        n_parts=("path", "size"),
        n_rows=("n_rows", "sum"),
        megabytes=("bytes", "sum"),
        most_rows=("n_rows", "max"),
    )
    found["megabytes"] /= 1e6
    return found.reindex(list(tables.frames)).reset_index()


def rows_that_leave(tables: Tables) -> pd.DataFrame:
    """How many rows leave the engine when a question is asked: counts by seller, time and end.

    Returns
    -------
    DataFrame
        One row per question of some that need little time: ``measure, unit, n_rows, n_questions,
        n_leaving, share``. ``unit`` is the table whose ``n_rows`` are counted, ``n_leaving`` the
        rows that come to this process for it, ``share`` one by the other.

    Raises
    ------
    MissingData
        The data cannot answer one of the questions.
    """
    rows = []
    for measure in SHOWN:
        sizes: list[int] = []
        with answered_by(lambda frame, sizes=sizes: _noted(frame, sizes)):
            measure(tables)
        unit = UNITS.get(measure.__name__, "orders")
        n_rows = tables.size(unit).n_rows
        share = sum(sizes) / n_rows if n_rows else np.nan
        rows.append((measure.__name__, unit, n_rows, len(sizes), sum(sizes), share))
    names = ["measure", "unit", "n_rows", "n_questions", "n_leaving", "share"]
    return pd.DataFrame(rows, columns=names)


def _noted(frame: ir.Table, sizes: list[int]) -> Any:
    found = frame.to_pyarrow()
    sizes.append(found.num_rows)
    return found


def asked_sql(
    measure: Callable[..., pd.DataFrame], tables: Tables, *, dialect: str, **options: Any
) -> html.Html:
    """Return the SQL that a warehouse with these tables gets when a measure is asked.

    Parameters
    ----------
    measure
        Function of opened tables; the last question that it puts to the engine is shown.
    tables
        Opened dataset: only the names and types of its columns are read.
    dialect
        One of ``bigquery``, ``databricks``, ``duckdb``, ``postgres``, ``pyspark``, ``snowflake``.
    **options
        Options of the measure.

    Raises
    ------
    ValueError
        ``dialect`` is none of these.
    MissingData
        As the measure.
    """
    import ibis

    if dialect not in DIALECTS:
        raise ValueError(f"dialect must be one of {', '.join(DIALECTS)}, got {dialect!r}")
    asked = asked_elsewhere(measure, tables, **options)
    sql = str(ibis.to_sql(asked[-1], dialect=dialect))
    return html.folded(f"The SQL of {measure.__name__} for {dialect}", html.printed(sql))
