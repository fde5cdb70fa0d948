"""Money: what is still owed to buyers, and how much of what was cancelled was bought again.

Unit of ``open_refund_liability``: one leg of a refund that is not credited at ``as_of``. Unit of
``recovered_sales``: one paid order that was cancelled. Amounts of different currencies are never
added: ``currency`` is always one of the groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from analysis import stats
from analysis.contract import codes
from analysis.measures.counting import (
    CLUSTER,
    DAY,
    HOUR,
    age,
    cluster_keys,
    groups_of,
    in_pools,
    orders_of,
    positive,
    require_own_columns,
    with_columns,
)
from analysis.sources import Tables, collect, seconds_between, whole_units
from analysis.sources.tables import known_columns
from analysis.stats.scales import interval_names

if TYPE_CHECKING:
    import ibis.expr.types as ir

ROWS_OF_A_SELLER = 2_000  # that counts of legs may have, before sellers are pooled
LIABILITY_COLUMNS = ["currency", "horizon_days", "estimate", "ci_low", "ci_high", "open_minor"]
LIABILITY_COLUMNS += ["unknown_minor", "n_open", "n", "interval"]
RECOVERED_COLUMNS = ["currency", "horizon_days", "estimate", "ci_low", "ci_high", "cancelled_minor"]
RECOVERED_COLUMNS += ["recovered_minor", "n", "n_events", "n_pending", "n_clusters", "interval"]
SUMS = ("n", "part", "whole", "part_part", "part_whole", "whole_whole")


def open_refund_liability(
    tables: Tables,
    *,
    by: Sequence[str] = (),
    horizon_days: Sequence[float] = (7, 30, 90),
    level: float = 0.95,
) -> pd.DataFrame:
    """How much of the money still owed will be with the buyers within so many days.

    Parameters
    ----------
    tables
        Opened dataset; needs ``refunds``, ``requests`` and ``orders``.
    by
        Grouping columns of refunds, orders or sellers. ``currency`` is always one.
    horizon_days
        Days from ``as_of``, each above 0.
    level
        Probability that the amount lies between the limits, in (0, 1).

    Returns
    -------
    DataFrame
        One row per group, currency and horizon: ``*by, currency, horizon_days, estimate, ci_low,
        ci_high, open_minor, unknown_minor, n_open, n, interval``. Amounts are in minor units.
        ``open_minor`` is owed at ``as_of`` by ``n_open`` legs; the estimate is what of it is
        expected to be credited within the horizon, the limits hold what will be credited (a
        predictive interval). ``unknown_minor`` is expected to outlast everything observed so
        far: it counts in ``ci_high`` only. ``n`` legs tell the speed.

    Raises
    ------
    MissingData
        There is no table ``refunds``, or a column in ``by`` is in none of the tables.
    ValueError
        A horizon is not above 0.

    Notes
    -----
    :func:`analysis.stats.payment_forecast`: each leg by the Kaplan-Meier curve of its method in
    its group (all currencies), given how long it has been open; whole hours, rounded up. Curve
    and luck are clustered by seller where sellers are known. Simulated with sellers of different
    speed (600 replications a law), 93 to 99% of 95% intervals hold the amount.
    """
    horizons = np.array([positive("horizon_days", days) for days in np.atleast_1d(horizon_days)])
    by, counts = _legs(tables, by)
    groups = groups_of(counts, [*by, "currency"])
    pools = groups_of(counts, by)
    cells, clustered = _cells(counts), ", clustered by seller" if CLUSTER in counts else ""
    del counts
    rows = np.zeros((groups.n, len(horizons), len(_FORECAST)))
    for pool in range(pools.n):
        own = np.flatnonzero(pools.index == pool)
        book, place = np.unique(groups.index[own], return_inverse=True)
        part = stats.PaymentCells(*(column[own] for column in cells)) if pools.n > 1 else cells
        rows[book] = _forecast_rows(part, place, len(book), horizons, level)
    table = groups.frame.loc[np.repeat(np.arange(groups.n), len(horizons))].reset_index(drop=True)
    found = pd.DataFrame(rows.reshape(-1, len(_FORECAST)), columns=_FORECAST)
    table = pd.concat([table, found.astype({"n_open": "int64", "n": "int64"})], axis=1)
    table["interval"] = f"Kaplan-Meier forecast, predictive{clustered}"
    return table[[*by, *LIABILITY_COLUMNS]]


_FORECAST = ["horizon_days", "estimate", "ci_low", "ci_high", "unknown_minor", "open_minor"]
_FORECAST += ["n_open", "n"]


def _legs(tables: Tables, by: Sequence[str]) -> tuple[list[str], pd.DataFrame]:
    """Count legs, and add up the open ones' amounts, by group, currency, method, seller, time."""
    tables.need("refunds", "credited_at", by="open_refund_liability")
    by = known_columns(tables.refunds_with_context, by, needed_by="open_refund_liability")
    frame = tables.refunds_with(by)
    by = [column for column in by if column != "currency"]
    require_own_columns(LIABILITY_COLUMNS, by)
    frame = in_pools(tables, frame, by, "refunds", rows_of_a_seller=ROWS_OF_A_SELLER)
    keys = list(dict.fromkeys(cluster_keys(frame, [*by, "currency", "method"])))
    ended = seconds_between(frame.due_since, frame.credited_at)
    amount = frame.amount_minor.cast("float64")
    if "weight" in frame.columns:
        amount = amount * frame.weight.fill_null(1.0)
    frame = frame.mutate(
        time_=whole_units(ended.coalesce(age(tables, frame.due_since)), HOUR),
        is_open_=ended.isnull(),
        amount_=ended.isnull().ifelse(amount, 0.0),
    ).filter(frame.due_since.notnull())
    counts = frame.group_by(*keys, "time_", "is_open_").aggregate(
        n=frame.count(),
        amount=lambda t: t["amount_"].sum(),
        squares=lambda t: (t["amount_"] * t["amount_"]).sum(),
    )
    return by, collect(counts, in_words=False)


def _cells(counts: pd.DataFrame) -> stats.PaymentCells:
    is_open = counts["is_open_"].to_numpy(bool)
    n = counts["n"].to_numpy()
    named = pd.factorize(counts[CLUSTER])[0] if CLUSTER in counts else np.full(len(counts), -1)
    return stats.PaymentCells(
        stratum=groups_of(counts, ["method"]).index,
        time=counts["time_"].to_numpy(),
        n_paid=np.where(is_open, 0, n),
        n_open=np.where(is_open, n, 0),
        amount=counts["amount"].to_numpy(),
        squares=counts["squares"].to_numpy(),
        cluster=named,
    )


def _forecast_rows(
    cells: stats.PaymentCells, book: np.ndarray, n_books: int, horizons: np.ndarray, level: float
) -> np.ndarray:
    """Return currencies x horizons x columns of one group; all its currencies tell the speed."""
    found = stats.payment_forecast(cells, horizons * (DAY // HOUR), level=level, book=book)
    owed, n_open = (
        np.bincount(book, values, n_books)[:, None] for values in (cells.amount, cells.n_open)
    )
    columns = [horizons, *found[:4], owed, n_open, (cells.n_paid + cells.n_open).sum()]
    return np.stack(np.broadcast_arrays(*columns), axis=-1)


def recovered_sales(
    tables: Tables, *, by: Sequence[str] = (), horizon_days: float = 7, level: float = 0.95
) -> pd.DataFrame:
    """Share of cancelled sales that the buyers bought again.

    Parameters
    ----------
    tables
        Opened dataset; needs ``orders`` with ``paid_at``, ``ended_at``, ``end_code`` and
        ``replaces_order_id``.
    by
        Grouping columns of orders or sellers, e.g. ``["category"]``. ``currency`` is always one.
    horizon_days
        A replacement counts if it is paid within this time of the cancellation, or before it; an
        order counts once it was cancelled this long before ``as_of``.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    DataFrame
        One row per group and currency: ``*by, currency, horizon_days, estimate, ci_low, ci_high,
        cancelled_minor, recovered_minor, n, n_events, n_pending, n_clusters, interval``. The
        estimate is a share of the money of ``n`` mature cancelled orders, of which ``n_events``
        were replaced; a replacement recovers at most what its order was worth.

    Raises
    ------
    MissingData
        A column that is needed is not in the data.

    Notes
    -----
    :func:`analysis.stats.amount_share`, clustered by seller where sellers are known. Whether the
    buyer would have come back anyway is not in any log: this is what came back, not an effect.
    """
    horizon = int(positive("horizon_days", horizon_days) * DAY)
    needed = ["paid_at", "ended_at", "end_code", "replaces_order_id"]
    orders, by = orders_of(tables, by, needed, needed_by="recovered_sales")
    by = [column for column in by if column != "currency"]
    cancelled = orders.filter(
        orders.paid_at.notnull() & orders.end_code.isin(codes.CANCELLED_ENDS)
    ).filter(lambda t: t["ended_at"].notnull())
    keys = cluster_keys(cancelled, [*by, "currency"])
    frame = _with_replacements(cancelled, tables.orders, keys, horizon)
    mature = age(tables, frame.ended_at) >= horizon
    counts = collect(_sums(frame, keys, mature))
    return _recovered(counts, [*by, "currency"], level, horizon_days)


def _with_replacements(
    cancelled: ir.Table, orders: ir.Table, keys: Sequence[str], horizon: int
) -> ir.Table:
    """Return cancelled orders with ``keys``, and ``recovered_``: what was paid again in time."""
    again = orders.filter(orders.replaces_order_id.notnull() & orders.paid_at.notnull())
    again = again.select(
        again_id=again.replaces_order_id,
        again_paid_at=again.paid_at,
        again_minor=again.amount_minor,
        again_currency=again.currency,
    )
    own = [*keys, "order_id", "ended_at", "currency", "amount_minor", "weight"]
    own = [column for column in dict.fromkeys(own) if column in cancelled.columns]
    ends = cancelled.select(*own)
    tried = ends.left_join(again, ends.order_id == again.again_id)
    late = seconds_between(tried.ended_at, tried.again_paid_at)
    in_time = (late <= horizon) & (tried.again_currency == tried.currency)
    joined = tried.group_by(*own).aggregate(again_=tried.again_minor.sum(where=in_time))
    recovered = ibis.least(joined.again_.cast("float64"), joined.amount_minor.cast("float64"))
    return joined.mutate(recovered_=ibis.ifelse(joined.again_.isnull(), 0.0, recovered))


def _sums(frame: ir.Table, keys: list[str], mature: ir.BooleanValue) -> ir.Table:
    """Sums of mature orders by group and seller, as :class:`analysis.stats.AmountSums` wants."""
    weight = frame.weight.fill_null(1.0) if "weight" in frame.columns else ibis.literal(1.0)
    part, whole = frame.recovered_ * weight, frame.amount_minor.cast("float64") * weight
    products = {
        "part": part,
        "whole": whole,
        "part_part": part * part,
        "part_whole": part * whole,
        "whole_whole": whole * whole,
    }
    counted = {name: mature.ifelse(value, 0.0).sum() for name, value in products.items()}
    return frame.group_by(*keys).aggregate(
        n=mature.sum(),
        n_events=(mature & frame.again_.notnull()).sum(),
        n_pending=(~mature).sum(),
        **counted,
    )


def _recovered(
    counts: pd.DataFrame, by: list[str], level: float, horizon_days: float
) -> pd.DataFrame:
    groups = groups_of(counts, by)
    known = CLUSTER in counts
    alone = counts[CLUSTER].isna().to_numpy() if known else np.ones(len(counts), bool)
    sums = stats.AmountSums(*(counts[name].to_numpy(float) for name in SUMS))
    found = stats.amount_share(groups.index, sums, alone=alone, n_groups=groups.n, level=level)
    columns = {"horizon_days": float(horizon_days), "estimate": found.estimate}
    columns |= {"ci_low": found.low, "ci_high": found.high}
    for name, source in (("cancelled_minor", "whole"), ("recovered_minor", "part")):
        columns[name] = np.bincount(groups.index, counts[source], groups.n)
    for name in ("n", "n_events", "n_pending"):
        columns[name] = np.bincount(groups.index, counts[name], groups.n).astype(np.int64)
    columns["n_clusters"] = found.n_clusters
    columns["interval"] = (
        interval_names("Wilson on money", "seller", found.is_clustered)
        if known
        else "Wilson on money, by order"
    )
    return with_columns(groups.frame, **columns)[[*by[:-1], *RECOVERED_COLUMNS]]
