"""Case mix of sellers: counts by seller and by kind of request, and what others do with them.

Unit: one seller. A kind of request is a combination of columns: by default where the order was
when its buyer asked (``order_state``) and how long after payment that was (``order_age``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis import stats
from analysis.measures.blockers import order_age_step
from analysis.measures.counting import groups_of, mature_requests, requests_of
from analysis.sources import Tables, collect
from analysis.sources.tables import as_names, is_success, known_columns

if TYPE_CHECKING:
    import ibis.expr.types as ir

SELLER = "seller_id"
ORDER_AGE = "order_age"


class SellerCells(NamedTuple):
    """Counts by seller and cell of the mix."""

    sellers: pd.DataFrame  # one row per seller, the column ``seller_id``, sorted
    seller: np.ndarray  # seller of each row of the counts, from 0
    cell: np.ndarray  # cell of each row, from 0
    counts: pd.DataFrame


def with_mix(
    tables: Tables, frame: ir.Table, adjust_for: Sequence[str] | None, *, needed_by: str
) -> tuple[ir.Table, list[str]]:
    """Return requests with the columns of the mix, and the names of those.

    ``order_age`` is made from ``paid_at``. None takes ``order_state`` and, where orders have
    ``paid_at``, ``order_age``.

    Raises
    ------
    MissingData
        One of the columns is in none of the tables, or ``order_age`` lacks ``paid_at``.
    """
    if adjust_for is None:
        adjust_for = ["order_state", *([ORDER_AGE] if tables.has("orders", "paid_at") else [])]
    wanted = as_names(adjust_for)
    if ORDER_AGE in wanted and ORDER_AGE not in frame.columns:
        tables.need("orders", "paid_at", by=needed_by)
        frame = frame.mutate(**{ORDER_AGE: order_age_step(frame)})
    return frame, known_columns(frame, wanted, needed_by=needed_by)


def mix_columns(adjust_for: Sequence[str] | None) -> list[str]:
    """Columns of requests, orders or sellers that a mix needs."""
    wanted = [] if adjust_for is None else adjust_for
    return ["paid_at", *as_names(wanted)]


def seller_cells(
    frame: ir.Table, mix: Sequence[str], counted: dict[str, ir.IntegerValue]
) -> SellerCells:
    """Count by seller and cell; requests whose seller is not known are left out."""
    keys = [SELLER, *(column for column in mix if column != SELLER)]
    known = frame.mutate(**counted).filter(frame.seller_id.notnull())
    counts = known.group_by(*keys).aggregate(**{name: known[name].sum() for name in counted})
    counts = collect(counts, in_words=False)
    sellers, cells = groups_of(counts, [SELLER]), groups_of(counts, keys[1:])
    order = np.lexsort((cells.index, sellers.index))  # sums must not depend on the engine
    counts = counts.iloc[order].reset_index(drop=True)
    return SellerCells(sellers.frame, sellers.index[order], cells.index[order], counts)


def requests_by_mix(
    tables: Tables, adjust_for: Sequence[str] | None, horizon_hours: float, *, needed_by: str
) -> tuple[SellerCells, pd.DataFrame]:
    """Count buyers' requests by seller and mix: ``n, n_events, n_pending``, by cell and in all.

    Raises
    ------
    MissingData
        Orders have no ``seller_id``, or a column is in none of the tables.
    """
    tables.need("orders", SELLER, by=needed_by)
    frame, _ = requests_of(
        tables, [SELLER], "buyer", needed_by=needed_by, columns=mix_columns(adjust_for)
    )
    frame, mix = with_mix(tables, frame, adjust_for, needed_by=needed_by)
    mature, in_time = mature_requests(tables, frame, horizon_hours)
    success = mature & in_time & is_success(frame)
    cells = seller_cells(frame, mix, {"n": mature, "n_events": success, "n_pending": ~mature})
    return cells, totals(cells, ("n", "n_events", "n_pending"))


def totals(cells: SellerCells, names: Sequence[str]) -> pd.DataFrame:
    """Return one row per seller with the sums of counts over its cells."""
    sums = {
        name: np.bincount(cells.seller, cells.counts[name], len(cells.sellers)).astype(np.int64)
        for name in names
    }
    return cells.sellers.assign(**sums)


def expected_of(cells: SellerCells) -> stats.Expected:
    """Return observed and expected successes of each seller (counts ``n_events`` of ``n``)."""
    return stats.expected_counts(
        cells.seller,
        cells.cell,
        cells.counts["n_events"].to_numpy(),
        cells.counts["n"].to_numpy(),
        n_groups=len(cells.sellers),
    )
