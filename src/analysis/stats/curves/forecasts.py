"""Amounts still owed: how much of them will be paid within a time, and how sure is that.

Unit: a cell of counts, spells of one stratum that ended (were paid) or are still open at one time.
Every open spell has an amount; whether it is paid soon is told by the Kaplan-Meier curve of its
stratum, given how long it has been open already.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.curves.life_tables import checked_groups
from analysis.stats.scales import checked_level, t_quantile


class PaymentCells(NamedTuple):
    """Counts by stratum, time and cluster; arrays of one length."""

    stratum: np.ndarray  # whole numbers from 0
    time: np.ndarray  # whole units, at least 0: when paid, or how long open
    n_paid: np.ndarray
    n_open: np.ndarray
    amount: np.ndarray  # sum over the open spells that the forecast is about
    squares: np.ndarray  # sum of the squares of those amounts
    cluster: np.ndarray  # whole numbers from 0; -1: every spell is its own cluster


class PaymentForecast(NamedTuple):
    """Amount that will be paid within each horizon; arrays of one value a horizon."""

    expected: np.ndarray
    low: np.ndarray  # limits of what will be paid, not of what is expected
    high: np.ndarray
    unknown: np.ndarray  # amount expected to be open when observation of its stratum ends
    curve_variance: np.ndarray  # of ``expected``: the curve is an estimate
    luck_variance: np.ndarray  # of what is paid around what is expected


class _Stratum(NamedTuple):
    """Kaplan-Meier curve of one stratum, and where on it the stratum's cells lie."""

    rows: np.ndarray  # of the cells
    place: np.ndarray  # of each cell, in ``time``
    time: np.ndarray
    at_risk: np.ndarray
    paid: np.ndarray
    survival: np.ndarray


class _Clusters(NamedTuple):
    """Who belongs together."""

    number: np.ndarray  # of each cell; those without a cluster are all number 0
    lone: np.ndarray  # True where every spell of a cell is its own cluster
    n: int  # how many clusters there are
    fellows: float  # of a spell, in its cluster, on average


def payment_forecast(
    cells: PaymentCells,
    horizons: np.ndarray,
    *,
    level: float = 0.95,
    book: np.ndarray | None = None,
) -> PaymentForecast:
    """Forecast how much of the open amounts is paid within each horizon from now.

    Parameters
    ----------
    cells
        What was observed; the open spells are those censored now.
    horizons
        Times from now, above 0, in the unit of ``cells.time``.
    level
        Probability that the amount will lie between the limits, in (0, 1).
    book
        Which amounts belong together (a currency), whole numbers from 0. All books are forecast
        by the same curves, each for itself, and values are books x horizons. None: one book.

    Returns
    -------
    PaymentForecast
        In the unit of the amounts. Where a horizon goes beyond what was ever observed of a
        stratum, nobody knows what happens then: ``expected`` and ``low`` count nothing of it,
        ``high`` all of it, and ``unknown`` says how much that is.

    Raises
    ------
    ValueError
        ``level`` is not in (0, 1), a horizon is not above 0, a stratum is not a whole number, or a
        cell holds both paid and open spells.

    Notes
    -----
    A spell open for ``a`` is paid within ``h`` with probability ``1 - S(a + h) / S(a)``. The
    variance of the error of the forecast is the sum of two: of the estimated curve (influence
    functions of the conditional Kaplan-Meier shares, summed by cluster, times ``C / (C - 1)``),
    and of luck yet to come, ``sum amount**2 R (1 - R)``, raised by the correlation inside
    clusters that the past shows: with ``D`` the ratio of clustered to unclustered variance of the
    curve and ``m`` the size of the past's clusters, ``rho = (D - 1) / (m - 1)``, at least 0.
    Limits are Student's with ``C - 1`` degrees of freedom. Amounts are taken as independent of
    the speed inside a stratum.
    Source: Kaplan and Meier (1958) for the curve; Reid (1981), Ann. Statist. 9:78-92, for its
    influence functions; Kish (1965), Survey Sampling, 8.2, for ``rho``.

    Examples
    --------
    Of four refunds two were paid at 1 and 3; one of 100 has been open for 2, one of 50 for 3:

    >>> ones, none = np.ones(4), np.zeros(4)
    >>> cells = PaymentCells(
    ...     stratum=np.zeros(4, int), time=np.array([1, 3, 2, 3]),
    ...     n_paid=np.array([1, 1, 0, 0]), n_open=np.array([0, 0, 1, 1]),
    ...     amount=np.array([0, 0, 100, 50]), squares=np.array([0, 0, 10_000, 2_500]),
    ...     cluster=np.full(4, -1),
    ... )
    >>> found = payment_forecast(cells, np.array([1]))
    >>> found.expected.tolist(), found.unknown.tolist()
    ([50.0], [50.0])
    """
    level = checked_level(level)
    horizons = np.atleast_1d(np.asarray(horizons))
    if not (horizons > 0).all():
        raise ValueError(f"horizons must be above 0, got {horizons.tolist()}")
    cells = PaymentCells(checked_groups(cells.stratum, None)[0], *map(np.asarray, cells[1:]))
    if ((cells.n_paid > 0) & (cells.n_open > 0)).any():
        raise ValueError("a cell must hold paid spells or open ones, not both")
    strata = [_stratum(cells, number) for number in np.unique(cells.stratum)]
    clusters = _clusters(cells)
    books = np.zeros(len(cells.time), int) if book is None else np.asarray(book)
    owing = [
        np.flatnonzero((books == own) & (cells.amount > 0))
        for own in range(books.max(initial=0) + 1)
    ]
    found = [
        [_forecast(cells, rows, strata, clusters, horizon, level) for horizon in horizons]
        for rows in owing
    ]
    values = np.array(found, dtype=float).reshape(len(owing), len(horizons), 6)
    return PaymentForecast(*np.moveaxis(values[0] if book is None else values, -1, 0))


def _stratum(cells: PaymentCells, number: int) -> _Stratum:
    rows = np.flatnonzero(cells.stratum == number)
    time, place = np.unique(cells.time[rows], return_inverse=True)
    paid = np.bincount(place, cells.n_paid[rows], len(time))
    leaving = paid + np.bincount(place, cells.n_open[rows], len(time))
    at_risk = np.cumsum(leaving[::-1])[::-1]
    return _Stratum(rows, place.ravel(), time, at_risk, paid, np.cumprod(1 - paid / at_risk))


def _clusters(cells: PaymentCells) -> _Clusters:
    n = cells.n_paid + cells.n_open
    lone = cells.cluster < 0
    sizes = np.bincount(cells.cluster[~lone], n[~lone])
    fellows = ((sizes**2).sum() - sizes.sum()) / max(n.sum(), 1)
    n_clusters = np.unique(cells.cluster[~lone]).size + n[lone].sum()
    return _Clusters(np.where(lone, 0, cells.cluster), lone, n_clusters, fellows)


def _forecast(
    cells: PaymentCells,
    owing: np.ndarray,
    strata: list[_Stratum],
    clusters: _Clusters,
    horizon: float,
    level: float,
) -> tuple[float, ...]:
    """Return the numbers of one book and horizon in the order of :class:`PaymentForecast`."""
    amount, stay, unseen = np.zeros((3, len(cells.time)))
    amount[owing] = cells.amount[owing]
    influence = np.zeros(len(cells.time))
    for stratum in strata:
        own, place = stratum.rows, stratum.place
        stays, ends = _stays(stratum, horizon)
        stay[own], unseen[own] = stays[place], ends[place]
        carried = np.bincount(place, amount[own] * stay[own], len(stratum.time))
        slope, passed = _slopes(stratum, carried, horizon)
        influence[own] = np.where(cells.n_paid[own] > 0, slope[place], 0.0) - passed[place]
    amount, stay = amount[owing], stay[owing]
    expected, unknown = (amount * (1 - stay)).sum(), (amount * stay * unseen[owing]).sum()
    clustered, alone = _variances(cells, clusters, influence)
    luck = _luck(cells, owing, stay, _correlation(clusters, clustered, alone))
    reach = t_quantile(max(clusters.n - 1, 1), level) * np.sqrt(clustered + luck)
    highest = min(expected + reach + unknown, amount.sum())
    return expected, max(expected - reach, 0.0), highest, unknown, clustered, luck


def _stays(stratum: _Stratum, horizon: float) -> tuple[np.ndarray, np.ndarray]:
    """Share of spells open at each time that stays open, and whether the curve ends before that.

    Where it does, the share is that at the end of the curve.
    """
    ahead = stratum.time + horizon
    now, before = stratum.survival, np.append(1.0, stratum.survival)
    then = before[np.searchsorted(stratum.time, ahead, side="right")]
    stay = np.divide(then, now, out=np.ones(len(now)), where=now > 0)
    return stay, (ahead > stratum.time[-1]) & (then > 0)


def _slopes(
    stratum: _Stratum, carried: np.ndarray, horizon: float
) -> tuple[np.ndarray, np.ndarray]:
    """Influence of being paid at each time, and of having been open until then.

    ``carried`` is the amount open at each time that stays open for the horizon.
    """
    time, stayed = stratum.time, stratum.at_risk - stratum.paid
    summed = np.append(0.0, np.cumsum(carried))
    first = np.searchsorted(time, time - horizon)  # open since then or later
    waiting = summed[:-1] - summed[first]  # amounts whose wait runs over each time
    slope = np.divide(waiting, stayed, out=np.zeros(len(waiting)), where=stayed > 0)
    return slope, np.cumsum(slope * stratum.paid / stratum.at_risk)


def _variances(
    cells: PaymentCells, clusters: _Clusters, influence: np.ndarray
) -> tuple[float, float]:
    """Variance clustered and not clustered of the expected amount."""
    n = cells.n_paid + cells.n_open
    alone = n * influence**2
    totals = np.bincount(clusters.number, np.where(clusters.lone, 0.0, n * influence))
    together = (totals**2).sum() + alone[clusters.lone].sum()
    return together * clusters.n / max(clusters.n - 1, 1), alone.sum()


def _correlation(clusters: _Clusters, clustered: float, alone: float) -> float:
    """Correlation of two spells of one cluster that explains the clustered variance, 0 to 1."""
    if alone == 0 or clusters.fellows <= 0:
        return 0.0
    return float(np.clip((clustered / alone - 1) / clusters.fellows, 0, 1))


def _luck(cells: PaymentCells, owing: np.ndarray, stay: np.ndarray, rho: float) -> float:
    """Variance of what is paid around what is expected."""
    spread = stay * (1 - stay)
    cluster, squares = cells.cluster[owing], cells.squares[owing] * spread
    named = cluster >= 0
    sums = np.bincount(cluster[named], (cells.amount[owing] * np.sqrt(spread))[named])
    return squares.sum() + rho * max((sums**2).sum() - squares[named].sum(), 0.0)
