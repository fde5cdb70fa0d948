"""Clusters where there are very many: pools of sellers, and samples of buyers.

A variance between clusters is known to about one part in the square root of twice their number,
so a few thousand say as much as a million, and tables of counts stay small. Pools of independent
clusters are independent of each other; a sample of them stands for all.
"""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING

import ibis

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analysis.sources import Size

MOST_ROWS = 1_000_000  # of a table of counts before clusters are pooled
FEWEST_POOLS = 200
SAMPLED_ORDERS = 1_000_000  # whose buyers tell how orders of one buyer go together


def pooled(frame: ir.Table, column: str, size: Size, n_cells: int) -> ir.Table:
    """Put the number of a pool in the place of the cluster in ``column``, if there are too many.

    Parameters
    ----------
    frame, column
        One row per unit, and which of its columns is the cluster; missing stays missing.
    size
        How many units and clusters there are at most.
    n_cells
        Rows that one cluster can have in the table of counts.

    Notes
    -----
    Whole numbers are dealt out by what is left when a prime divides them, so that no usual way of
    numbering puts many into one pool; other ids in their order.
    """
    n_pools = max(MOST_ROWS // n_cells, FEWEST_POOLS)
    if min(size.n_rows, size.n_sellers * n_cells) <= MOST_ROWS or n_pools >= size.n_sellers:
        return frame
    if frame[column].type().is_integer():
        return frame.mutate(**{column: frame[column] % _prime(n_pools)})
    clusters = frame.filter(frame[column].notnull()).select(column).distinct()
    number = ibis.row_number().over(ibis.window(order_by=clusters[column])) % n_pools
    pools = clusters.mutate(pool_=number.cast("int64"))
    joined = frame.join(pools, column, how="left", rname="{name}_pools")
    return joined.mutate(**{column: joined.pool_}).select(*frame.columns)


def sampled(frame: ir.Table, column: str, lone: str, *, n_rows: int) -> tuple[ir.Table, float]:
    """Return the rows of some of the clusters in ``column``, and the share of them that it is.

    Where ``column`` is missing, ``lone`` holds the number of the cluster. All rows come back
    where ``n_rows`` are few enough, or numbers are no whole numbers.
    """
    times = n_rows // SAMPLED_ORDERS
    whole = all(frame[name].type().is_integer() for name in (column, lone))
    if times < 2 or not whole:
        return frame, 1.0
    of = _prime(times)
    return frame.filter(frame[column].coalesce(frame[lone]) % of == 0), 1 / of


def _prime(most: int) -> int:
    """Return the largest prime number that is not above ``most`` (at least 2)."""
    for number in range(most, 2, -1):
        if all(number % divisor for divisor in range(2, isqrt(number) + 1)):
            return number
    return 2
