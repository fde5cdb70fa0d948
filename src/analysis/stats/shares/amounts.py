"""Shares of money: of all that was lost, how much came back.

Unit: a cluster (a seller) of one group, with the sums over its orders of the whole amounts, of the
parts that came back, and of their squares and products.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.curves.life_tables import checked_groups
from analysis.stats.shares.proportions import clustered_wilson


class AmountSums(NamedTuple):
    """Sums over the orders of one cluster of one group; arrays of one length."""

    n: np.ndarray  # orders
    part: np.ndarray  # of the amounts that came back, each at most its whole
    whole: np.ndarray  # of the amounts
    part_part: np.ndarray  # of the squared parts
    part_whole: np.ndarray  # of the products
    whole_whole: np.ndarray  # of the squared amounts


class AmountShare(NamedTuple):
    """Share of money of each group; arrays of one value a group."""

    estimate: np.ndarray  # in [0, 1]; NaN where there is no money
    low: np.ndarray
    high: np.ndarray
    variance: np.ndarray  # of the estimate
    n_clusters: np.ndarray  # int64; those that have money
    is_clustered: np.ndarray  # False where fewer than two clusters: orders are then the units


def amount_share(
    group: np.ndarray,
    sums: AmountSums,
    *,
    alone: np.ndarray | None = None,
    n_groups: int | None = None,
    level: float = 0.95,
) -> AmountShare:
    """Share ``sum part / sum whole`` of each group, with limits that allow for its clusters.

    Parameters
    ----------
    group
        Group of each row, whole numbers from 0.
    sums
        One row a cluster; a cluster must not be split over rows.
    alone
        True for rows that pool orders without a cluster: each is then its own.
    n_groups
        Number of groups; by default the largest number in ``group`` plus 1.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    AmountShare
        One value a group.

    Raises
    ------
    ValueError
        ``level`` is not in (0, 1), lengths or group numbers do not fit.

    Notes
    -----
    Ratio of two totals. With ``e`` the residual ``part - p whole`` of a cluster and ``h`` its
    part of all the money, the variance is ``sum e**2 / (1 - h) / whole**2``; of pooled orders,
    each so small a part, ``sum e**2``. Degrees of freedom are the number of clusters that the
    money is worth, ``1 / sum h**2``, less 1. Limits are Wilson's at the sample size that the
    variance is worth, at most the number of orders.
    Source: Cochran (1977), Sampling Techniques, 6.3, for the ratio; Korn and Graubard (1998) for
    the sample size. With clusters of equal amounts the variance is that of R's ``svyratio``.

    Examples
    --------
    Three sellers lost 100 each, and got 80, 50 and 20 back:

    >>> whole, part = np.full(3, 100.0), np.array([80.0, 50.0, 20.0])
    >>> sums = AmountSums(np.full(3, 10), part, whole, part * 8, part * 10, whole * 10)
    >>> found = amount_share(np.zeros(3, int), sums)
    >>> found.estimate.tolist(), found.low.round(3).tolist(), found.high.round(3).tolist()
    ([0.5], [0.085], [0.915])
    """
    group, n_groups = checked_groups(group, n_groups)
    sums = AmountSums(*(np.asarray(column, dtype=float) for column in sums))
    alone = np.zeros(len(group), bool) if alone is None else np.asarray(alone, dtype=bool)

    def total(rows: np.ndarray) -> np.ndarray:
        return np.bincount(group, rows, minlength=n_groups)

    n, whole = total(sums.n), total(sums.whole)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.minimum(total(sums.part) / whole, 1.0)
        by_order = (
            sums.part_part - 2 * p[group] * sums.part_whole + p[group] ** 2 * sums.whole_whole
        )
        held = np.where(alone, 0.0, sums.whole / whole[group])
        by_cluster = (sums.part - p[group] * sums.whole) ** 2 / (1 - held)
        clustered = total(np.where(alone, by_order, by_cluster)) / whole**2
        unclustered = total(by_order) / whole**2 * n / (n - 1)
        worth = total(np.where(alone, sums.whole_whole / whole[group] ** 2, held**2))
        df = np.maximum(1 / worth - 1, 1.0)
    n_clusters = total(np.where(alone, sums.n, sums.whole > 0))
    enough = n_clusters >= 2
    variance = np.where(enough, clustered, np.where(n >= 2, unclustered, 0.0))
    known = whole > 0
    counted = np.where(known, n, 0.0)
    low, high = clustered_wilson(
        np.where(known, p, 0) * counted,
        counted,
        np.where(known, np.maximum(variance, 0), 0),
        df=np.where(enough & known, df, np.inf),
        level=level,
    )
    estimate = np.where(known, p, np.nan)
    return AmountShare(estimate, low, high, variance, np.rint(n_clusters).astype(np.int64), enough)
