"""Asking: how often buyers of paid orders ask to cancel.

Unit: one paid order. Denominator: orders paid at least ``horizon_hours`` before observation ends;
those paid later are counted in ``n_pending`` and never in ``n``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from analysis import stats
from analysis.measures.counting import (
    CLUSTER,
    HOUR,
    age,
    as_counts,
    cluster_keys,
    groups_of,
    in_pools,
    orders_of,
    positive,
    with_columns,
)
from analysis.measures.pools import sampled
from analysis.measures.rates import HORIZON_HOURS
from analysis.measures.shares import weighted_rows
from analysis.measures.units import Units, summed_units
from analysis.sources import Tables, collect, seconds_between

if TYPE_CHECKING:
    import ibis.expr.types as ir

BUYER = "buyer_id"


def request_rate(
    tables: Tables,
    *,
    by: Sequence[str] = (),
    horizon_hours: float = HORIZON_HOURS,
    level: float = 0.95,
) -> pd.DataFrame:
    """Share of paid orders whose buyer asked to cancel within the horizon after paying.

    Parameters
    ----------
    tables
        Opened dataset; needs ``requests`` and ``orders`` with ``paid_at``.
    by
        Grouping columns of orders or sellers.
    horizon_hours
        An order counts once it was paid this long before ``as_of``.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    DataFrame
        One row per group: ``*by, estimate, ci_low, ci_high, n, n_events, n_pending, n_clusters,
        interval``. ``n`` are mature paid orders, ``n_pending`` those paid too recently;
        ``n_clusters`` are sellers.

    Raises
    ------
    MissingData
        ``paid_at``, or a column in ``by``, is not in the data.

    Notes
    -----
    Interval: Wilson (1927) score at the sample size that a variance clustered by seller and by
    buyer is worth (:func:`analysis.stats.two_way_interval`): buyers who ask often buy from many
    sellers. Of buyers only sums of squares leave the engine; of 2,000,000 orders or more,
    those of a sample of buyers who placed about a million, where their ids are whole numbers.
    """
    positive("horizon_hours", horizon_hours)
    orders, by = orders_of(tables, by, ["paid_at"], needed_by="request_rate")
    paid = orders.filter(orders.paid_at.notnull())
    units = _counted(tables, paid, by, horizon_hours)
    some, share = sampled(paid, BUYER, "order_id", n_rows=tables.n_rows("orders"))
    squares = _squares(_with_asking(tables, some, by, horizon_hours), by)
    squares = squares.assign(**{name: squares[name] / share for name in squares.columns[len(by) :]})
    return _table(units, by, squares, level)


def _counted(tables: Tables, paid: ir.Table, by: list[str], horizon_hours: float) -> Units:
    """Count orders, and under them those that were asked for: they need not be joined."""
    keys = cluster_keys(paid, by)
    asked = in_pools(tables, _asked(tables, keys, horizon_hours), by, "orders")
    parts = []
    for frame, asks in ((paid, 0), (asked, 1)):
        mature = age(tables, frame.paid_at) >= int(horizon_hours * HOUR)
        flags = {"counts_": mature.ifelse(1 - asks, 0), "asks_": mature.ifelse(asks, 0)}
        flags["waits_"] = mature.ifelse(0, 1 - asks)
        named, weight, all_keys = weighted_rows(frame, keys, flags)
        parts.append(named)
    rows = parts[0].union(parts[1])
    weight = 1 if isinstance(weight, int) else rows.weight_
    return summed_units(
        rows, all_keys, n=rows.counts_ * weight, k=rows.asks_ * weight, pending=rows.waits_ * weight
    )


def _asked(tables: Tables, keys: Sequence[str], horizon_hours: float) -> ir.Table:
    """One row per order that its buyer asked to cancel within the horizon, with ``keys``."""
    columns = [*keys, "order_id", "paid_at", "weight"]
    requests = _after_payment(tables, columns)
    horizon = int(horizon_hours * HOUR)
    asked = requests.filter(seconds_between(requests.paid_at, requests.requested_at) <= horizon)
    return asked.select(*(c for c in dict.fromkeys(columns) if c in asked.columns)).distinct()


def _with_asking(
    tables: Tables, paid: ir.Table, by: Sequence[str], horizon_hours: float
) -> ir.Table:
    """Return paid orders whose horizon is over; ``asked_`` is missing where nobody asked in it."""
    asked = _asked(tables, [], horizon_hours).select("order_id", asked_=ibis.literal(value=True))
    mature = paid.filter(age(tables, paid.paid_at) >= int(horizon_hours * HOUR))
    needed = [*cluster_keys(paid, by), BUYER, "order_id", *({"weight"} & set(paid.columns))]
    mature = mature.select(*dict.fromkeys(needed))
    return mature.join(asked, "order_id", how="left", rname="{name}_asked")


def _after_payment(tables: Tables, columns: Sequence[str]) -> ir.Table:
    """Requests of buyers whose order was paid, with ``columns`` of the order and its seller."""
    own = {"order_id", "requested_by", "requested_at"}
    if set(columns) & set(tables.requests.columns) - own:  # the order has the word
        requests = tables.joined(tables.requests.select(*own), columns)
    else:
        requests = tables.requests_with(columns)
    asked = requests.filter(requests.requested_by == "buyer")
    return asked.filter(asked.requested_at >= asked.paid_at)


def _squares(frame: ir.Table, by: Sequence[str]) -> pd.DataFrame:
    """Sums over buyers, and over pairs of buyer and seller, of squares of their counts.

    An order without seller is a pair of its own, as it is a cluster of its own; so is one without
    buyer.
    """
    # decimals add up slowly, and PostgreSQL takes a literal 1.0 for one
    one, zero = (ibis.literal(i).cast("float64") for i in (1, 0))
    weight = frame.weight.fill_null(1.0) if "weight" in frame.columns else one
    order, buyer = frame.order_id, frame[BUYER]
    seller = frame[CLUSTER] if CLUSTER in frame.columns else order
    named = frame.select(
        *by,
        buyer_=buyer,
        seller_=seller,
        lone_=(buyer.isnull() | seller.isnull()).ifelse(order, None),
        n_=weight,
        k_=frame.asked_.notnull().ifelse(weight, zero),
    )
    pairs = named.group_by(*by, "buyer_", "seller_", "lone_").aggregate(
        n=lambda t: t.n_.sum(), k=lambda t: t.k_.sum()
    )
    pairs = pairs.mutate(
        lone_=pairs.buyer_.isnull().ifelse(pairs.lone_, None),
        nn=pairs.n * pairs.n,
        kn=pairs.k * pairs.n,
        kk=pairs.k * pairs.k,
    )
    buyers = pairs.group_by(*by, "buyer_", "lone_").aggregate(
        n=lambda t: t.n.sum(),
        k=lambda t: t.k.sum(),
        pair_nn=lambda t: t.nn.sum(),
        pair_kn=lambda t: t.kn.sum(),
        pair_kk=lambda t: t.kk.sum(),
    )
    buyers = buyers.mutate(nn=buyers.n * buyers.n, kn=buyers.k * buyers.n, kk=buyers.k * buyers.k)
    sums = {
        name: buyers[name].sum() for name in ("nn", "kn", "kk", "pair_nn", "pair_kn", "pair_kk")
    }
    whole = {"n_buyers": (buyers.n > 0).ifelse(1, 0).sum()}
    return collect((buyers.group_by(*by) if by else buyers).aggregate(**sums, **whole))


def _table(units: Units, by: list[str], squares: pd.DataFrame, level: float) -> pd.DataFrame:
    groups = groups_of(units.frame, by)
    place = groups_of(pd.concat([groups.frame, squares[list(by)]], ignore_index=True), by).index
    of = np.full(groups.n, -1)
    of[place[: groups.n]] = np.arange(groups.n)
    sums = {
        name: np.bincount(of[place[groups.n :]], np.nan_to_num(squares[name]), groups.n)
        for name in squares.columns[len(by) :]
    }
    found = stats.two_way_interval(
        groups.index,
        units.k,
        units.n,
        stats.SquareSums(sums["kk"], sums["kn"], sums["nn"]),
        stats.SquareSums(sums["pair_kk"], sums["pair_kn"], sums["pair_nn"]),
        sums["n_buyers"],
        level=level,
        clusters=(units.clusters, "buyer"),
        alone=units.alone,
    )
    return with_columns(
        groups.frame,
        estimate=found.estimate,
        ci_low=found.low,
        ci_high=found.high,
        n=as_counts(found.n),
        n_events=as_counts(found.k),
        n_pending=as_counts(np.bincount(groups.index, units.pending, groups.n)),
        n_clusters=found.n_clusters,
        interval=found.interval,
    )
