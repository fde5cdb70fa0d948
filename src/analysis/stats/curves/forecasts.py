"""Amounts still owed: how much of them will be paid within a time, and how sure is that.

Unit: a cell of counts, spells of one stratum that ended (were paid) or are still open at one time.
Every open spell has an amount; whether it is paid soon is told by the Kaplan-Meier curve of its
stratum, given how long it has been open already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.stats.curves.life_tables import checked_groups
from analysis.stats.curves.segments import summed_table
from analysis.stats.scales import checked_level, t_quantile

if TYPE_CHECKING:
    from scipy.sparse import csr_array


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
    doubt_variance: np.ndarray  # of amounts whose like all did the same, in the past seen


class _Stratum(NamedTuple):
    """Kaplan-Meier curve of one stratum, and where its times are among those of all strata."""

    own: slice
    time: np.ndarray
    at_risk: np.ndarray
    paid: np.ndarray
    survival: np.ndarray


class _Past(NamedTuple):
    """Spells by cluster and point, a time of a stratum: matrices have a row a cluster."""

    paid: csr_array
    open: csr_array
    lone_paid: np.ndarray  # of no cluster, by point
    lone_open: np.ndarray
    n_clusters: float
    fellows: float  # of a spell, in its cluster, on average


class _Book(NamedTuple):
    """Amounts owed, by point."""

    amount: np.ndarray
    squares: np.ndarray
    named_squares: np.ndarray  # of spells that have a cluster
    named: csr_array  # their amounts, clusters x points


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
    variance of the error of the forecast is the sum of three: of the estimated curve (influence
    functions of the conditional Kaplan-Meier shares, summed by cluster, times ``C / (C - 1)``),
    of luck yet to come, ``sum amount**2 R (1 - R)``, raised by the correlation inside
    clusters that the past shows: with ``D`` the ratio of clustered to unclustered variance of the
    curve and ``m`` the size of the past's clusters, ``rho = (D - 1) / (m - 1)``, at least 0.
    The third is for amounts of which all ``Y`` who had waited longer did the same (all were paid
    within ``h``, or none), where the other two are 0: with ``R`` half a spell of ``Y + 1`` off
    that, luck as above and ``(sum amount sqrt(R (1 - R) / (Y + 2)))**2`` for the curve.
    Limits are Student's with ``C - 1`` degrees of freedom. Amounts are taken as independent of
    the speed inside a stratum.
    Source: Kaplan and Meier (1958) for the curve; Reid (1981), Ann. Statist. 9:78-92, for its
    influence functions; Kish (1965), Survey Sampling, 8.2, for ``rho``; Jeffreys (1946), Proc.
    R. Soc. A 186:453-461, for the half spell.

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
    point, strata = _strata(cells)
    past = _past(cells, point)
    books = np.zeros(len(cells.time), int) if book is None else np.asarray(book)
    owed = [_book(cells, books == one, point) for one in range(books.max(initial=0) + 1)]
    found = [[_forecast(one, strata, past, h, level) for h in horizons] for one in owed]
    values = np.array(found, dtype=float).reshape(len(owed), len(horizons), 7)
    return PaymentForecast(*np.moveaxis(values[0] if book is None else values, -1, 0))


def _strata(cells: PaymentCells) -> tuple[np.ndarray, list[_Stratum]]:
    """Return the point of each cell, and the curve of each stratum."""
    point, strata, n_points = np.zeros(len(cells.time), int), [], 0
    for number in np.unique(cells.stratum):
        rows = np.flatnonzero(cells.stratum == number)
        time, place = np.unique(cells.time[rows], return_inverse=True)
        paid = np.bincount(place, cells.n_paid[rows], len(time))
        leaving = paid + np.bincount(place, cells.n_open[rows], len(time))
        at_risk = np.cumsum(leaving[::-1])[::-1]
        own = slice(n_points, n_points + len(time))
        strata.append(_Stratum(own, time, at_risk, paid, np.cumprod(1 - paid / at_risk)))
        point[rows] = n_points + place.ravel()
        n_points = own.stop
    return point, strata


def _past(cells: PaymentCells, point: np.ndarray) -> _Past:
    n, lone, n_points = cells.n_paid + cells.n_open, cells.cluster < 0, _size(point)
    sizes = np.bincount(cells.cluster[~lone], n[~lone])
    fellows = ((sizes**2).sum() - sizes.sum()) / max(n.sum(), 1)
    n_clusters = np.unique(cells.cluster[~lone]).size + n[lone].sum()
    alone = [np.bincount(point[lone], x[lone], n_points) for x in (cells.n_paid, cells.n_open)]
    together = [_by_cluster(cells, x, ~lone, point) for x in (cells.n_paid, cells.n_open)]
    return _Past(*together, *alone, n_clusters, fellows)


def _book(cells: PaymentCells, own: np.ndarray, point: np.ndarray) -> _Book:
    own = own & (cells.amount > 0)
    named, n_points = own & (cells.cluster >= 0), _size(point)
    amount, squares = (
        np.bincount(point[own], x[own], n_points) for x in (cells.amount, cells.squares)
    )
    named_squares = np.bincount(point[named], cells.squares[named], n_points)
    return _Book(amount, squares, named_squares, _by_cluster(cells, cells.amount, named, point))


def _size(point: np.ndarray) -> int:
    return int(point.max(initial=-1)) + 1


def _by_cluster(
    cells: PaymentCells, values: np.ndarray, rows: np.ndarray, point: np.ndarray
) -> csr_array:
    """Sum ``values`` of some rows by cluster and point."""
    shape = (int(cells.cluster.max(initial=-1)) + 1, _size(point))
    return summed_table(np.asarray(values, float)[rows], cells.cluster[rows], point[rows], shape)


def _forecast(
    book: _Book, strata: list[_Stratum], past: _Past, horizon: float, level: float
) -> tuple[float, ...]:
    """Return the numbers of one book and horizon in the order of :class:`PaymentForecast`."""
    stay, unseen, slope, passed, followed = np.zeros((5, len(book.amount)))
    for stratum in strata:
        own = stratum.own
        stay[own], unseen[own] = _stays(stratum, horizon)
        followed[own] = np.append(stratum.at_risk[1:], 0)
        slope[own], passed[own] = _slopes(stratum, book.amount[own] * stay[own], horizon)
    expected = (book.amount * (1 - stay)).sum()
    unknown = (book.amount * stay * unseen).sum()
    clustered, alone = _variances(past, slope - passed, -passed)
    alike = ((stay == 0) | (stay == 1)) & (unseen == 0)
    doubted = 0.5 / (followed + 1)
    hidden = np.where(alike, doubted * (1 - doubted), 0.0)
    rho = _correlation(past, clustered, alone)
    luck = _luck(book, stay * (1 - stay), rho)
    doubt = _luck(book, stay * (1 - stay) + hidden, rho) - luck
    doubt += (book.amount * np.sqrt(hidden / (followed + 2))).sum() ** 2
    reach = t_quantile(max(past.n_clusters - 1, 1), level) * np.sqrt(clustered + doubt + luck)
    highest = min(expected + reach + unknown, book.amount.sum())
    return expected, max(expected - reach, 0.0), highest, unknown, clustered, luck, doubt


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


def _variances(past: _Past, paid: np.ndarray, still: np.ndarray) -> tuple[float, float]:
    """Variance clustered and not clustered of the expected amount.

    ``paid`` and ``still`` are the influence of a spell that was paid, or is open, at each point.
    """
    lone = past.lone_paid @ paid**2 + past.lone_open @ still**2
    alone = lone + (past.paid @ paid**2).sum() + (past.open @ still**2).sum()
    together = lone + ((past.paid @ paid + past.open @ still) ** 2).sum()
    return together * past.n_clusters / max(past.n_clusters - 1, 1), alone


def _correlation(past: _Past, clustered: float, alone: float) -> float:
    """Correlation of two spells of one cluster that explains the clustered variance, 0 to 1."""
    if alone == 0 or past.fellows <= 0:
        return 0.0
    return float(np.clip((clustered / alone - 1) / past.fellows, 0, 1))


def _luck(book: _Book, spread: np.ndarray, rho: float) -> float:
    """Variance of what is paid around what is expected."""
    sums = book.named @ np.sqrt(spread)
    both = (sums**2).sum() - book.named_squares @ spread
    return book.squares @ spread + rho * max(both, 0.0)
