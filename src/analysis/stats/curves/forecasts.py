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


class _Curve(NamedTuple):
    """Kaplan-Meier curve of one stratum."""

    time: np.ndarray
    at_risk: np.ndarray
    paid: np.ndarray
    survival: np.ndarray


class _Stratum(NamedTuple):
    """One stratum: which cells are its own, they, and their curve."""

    rows: np.ndarray
    cells: PaymentCells
    curve: _Curve


def payment_forecast(
    cells: PaymentCells, horizons: np.ndarray, *, level: float = 0.95
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
    found = [_forecast(cells, strata, horizon, level) for horizon in horizons]
    return PaymentForecast(*np.array(found, dtype=float).reshape(len(horizons), 6).T)


def _stratum(cells: PaymentCells, number: int) -> _Stratum:
    rows = cells.stratum == number
    part = PaymentCells(*(column[rows] for column in cells))
    return _Stratum(rows, part, _curve(part))


def _forecast(
    cells: PaymentCells, strata: list[_Stratum], horizon: float, level: float
) -> tuple[float, ...]:
    """Return the numbers of one horizon in the order of :class:`PaymentForecast`."""
    stay, unseen, influence = (np.zeros(len(cells.time)) for _ in range(3))
    for own, part, curve in strata:
        stay[own], unseen[own] = _stays(part, curve, horizon)
        influence[own] = _influence(part, curve, stay[own], horizon)
    expected = (cells.amount * (1 - stay)).sum()
    unknown = (cells.amount * stay * unseen).sum()
    clustered, alone, n_clusters = _variances(cells, influence)
    luck = _luck(cells, stay, _correlation(cells, clustered, alone))
    reach = t_quantile(max(n_clusters - 1, 1), level) * np.sqrt(clustered + luck)
    highest = min(expected + reach + unknown, cells.amount.sum())
    return expected, max(expected - reach, 0.0), highest, unknown, clustered, luck


def _curve(part: PaymentCells) -> _Curve:
    time, place = np.unique(part.time, return_inverse=True)
    paid = np.bincount(place, part.n_paid, len(time))
    leaving = paid + np.bincount(place, part.n_open, len(time))
    at_risk = np.cumsum(leaving[::-1])[::-1]
    return _Curve(time, at_risk, paid, np.cumprod(1 - paid / at_risk))


def _stays(part: PaymentCells, curve: _Curve, horizon: float) -> tuple[np.ndarray, np.ndarray]:
    """Share of each cell's open spells that stays open, and whether the curve ends before that.

    Where it does, the share is that at the end of the curve.
    """
    ahead = part.time + horizon
    survival = np.append(1.0, curve.survival)
    now, then = (survival[np.searchsorted(curve.time, t, side="right")] for t in (part.time, ahead))
    stay = np.divide(then, now, out=np.ones(len(now)), where=now > 0)
    return stay, (ahead > curve.time[-1]) & (then > 0)


def _influence(part: PaymentCells, curve: _Curve, stay: np.ndarray, horizon: float) -> np.ndarray:
    """Influence of one spell of each cell on the amount expected to be paid."""
    place = np.searchsorted(curve.time, part.time)
    carried = np.append(0.0, np.cumsum(np.bincount(place, part.amount * stay, len(curve.time))))
    first = np.searchsorted(curve.time, curve.time - horizon)  # open since then or later
    waiting = carried[:-1] - carried[first]  # amounts whose wait runs over each time
    stayed = curve.at_risk - curve.paid
    slope = np.divide(waiting, stayed, out=np.zeros(len(waiting)), where=stayed > 0)
    passed = np.cumsum(slope * curve.paid / curve.at_risk)
    return np.where(part.n_paid > 0, slope[place], 0.0) - passed[place]


def _variances(cells: PaymentCells, influence: np.ndarray) -> tuple[float, float, float]:
    """Variance clustered and not clustered of the expected amount, and how many clusters."""
    n = cells.n_paid + cells.n_open
    lone = cells.cluster < 0
    alone = (n * influence**2).sum()
    named = cells.cluster[~lone]
    totals = np.bincount(named, (n * influence)[~lone]) if named.size else np.zeros(0)
    n_clusters = np.unique(named).size + n[lone].sum()
    together = (totals**2).sum() + (n * influence**2)[lone].sum()
    return together * n_clusters / max(n_clusters - 1, 1), alone, n_clusters


def _correlation(cells: PaymentCells, clustered: float, alone: float) -> float:
    """Correlation of two spells of one cluster that explains the clustered variance, 0 to 1."""
    n = cells.n_paid + cells.n_open
    named = cells.cluster >= 0
    sizes = np.bincount(cells.cluster[named], n[named]) if named.any() else np.zeros(1)
    fellows = (sizes**2).sum() / max(n.sum(), 1) - sizes.sum() / max(n.sum(), 1)
    if alone == 0 or fellows <= 0:
        return 0.0
    return float(np.clip((clustered / alone - 1) / fellows, 0, 1))


def _luck(cells: PaymentCells, stay: np.ndarray, rho: float) -> float:
    """Variance of what is paid around what is expected."""
    spread = stay * (1 - stay)
    own = (cells.squares * spread).sum()
    named = cells.cluster >= 0
    if not named.any():
        return own
    sums = np.bincount(cells.cluster[named], (cells.amount * np.sqrt(spread))[named])
    return own + rho * max((sums**2).sum() - (cells.squares * spread)[named].sum(), 0.0)
