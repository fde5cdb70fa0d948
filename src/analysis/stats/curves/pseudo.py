"""Pseudo-observations: what each spell adds to a curve, so that regressions need no censoring.

Unit: one cell of spells that ended at one time in one way; all its spells have the same values.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.curves.cells import Cells, Placed, placed
from analysis.stats.curves.competing import IncidenceCurve
from analysis.stats.curves.segments import Segments, checked_limit, followed_to


class PseudoObservations(NamedTuple):
    """Values of the spells of each cell, in the order of the cells."""

    survival: np.ndarray  # cells x times
    incidence: np.ndarray  # cells x times x causes


def pseudo_observations(
    curve: IncidenceCurve, cells: Cells, times: np.ndarray
) -> PseudoObservations:
    """``n`` times the estimate of all, less ``n - 1`` times that without the spell.

    Parameters
    ----------
    curve
        From :func:`analysis.stats.aalen_johansen` (one column of events for one end).
    cells
        The spells that it was made of, everybody from the beginning and of weight 1. Clusters
        are of no matter.
    times
        Times at which the shares are asked for, in any order.

    Returns
    -------
    PseudoObservations
        Their mean over the spells of a group is nearly the estimate, exactly so while nobody is
        censored: then they are the 0 and 1 of what happened. NaN beyond the group's last
        observed time.

    Raises
    ------
    ValueError
        The cells are not those of the curve, came late, or are weighted.

    Notes
    -----
    Source: Andersen, Klein and Rosthoj (2003), Biometrika 90:15-27. Leaving out is exact, once
    for each cell: up to its end the curve has one fewer at risk, after it the rest is as before.
    If nobody is left then, the curve without the spell stays where it was. (R's ``pseudo`` has
    another, linear approximation: the infinitesimal jackknife.)

    Examples
    --------
    >>> from analysis.stats import aalen_johansen
    >>> curve = aalen_johansen([0] * 3, [1, 2, 3], [[1], [0], [1]], [0, 1, 0])
    >>> found = pseudo_observations(curve, Cells([0] * 3, [1, 2, 3], [1, 0, 1], [1] * 3), [1, 2.5])
    >>> found.survival.round(4).tolist()
    [[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]]
    """
    spells, without = _left_out(curve, cells)
    times = np.atleast_1d(np.asarray(times))
    last = _rows_at(curve, times)[spells.group]
    known = times <= curve.segments.last(curve.time.astype(float), -1.0)[spells.group, None]
    size = np.bincount(spells.group, spells.n, curve.segments.n_groups)[spells.group, None]

    def values(whole: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.where(known, size * whole - (size - 1) * other, np.nan)

    shares = [
        values(_picked(curve.incidence[:, cause], last, 0.0), without.incidence(cause, last))
        for cause in range(curve.n_events.shape[1])
    ]
    survival = values(_picked(curve.survival, last, 1.0), without.survival(last))
    return PseudoObservations(survival, np.stack(shares, axis=-1))


def pseudo_means(curve: IncidenceCurve, cells: Cells, tau: float) -> np.ndarray:
    """Pseudo-observations of the restricted mean: time up to ``tau`` that a spell stands for.

    Parameters
    ----------
    curve, cells
        As in :func:`pseudo_observations`.
    tau
        The limit, above 0, in the curve's unit.

    Returns
    -------
    ndarray
        One value a cell; NaN in groups not observed up to ``tau``.

    Raises
    ------
    ValueError
        As :func:`pseudo_observations`; or ``tau`` is not above 0 and finite.

    Notes
    -----
    Source: Andersen, Hansen and Klein (2004), Lifetime Data Anal. 10:335-350.

    Examples
    --------
    >>> from analysis.stats import aalen_johansen
    >>> curve = aalen_johansen([0] * 3, [1, 2, 5], [[1]] * 3, [0] * 3)
    >>> pseudo_means(curve, Cells([0] * 3, [1, 2, 5], [1] * 3, [1] * 3), 4).round(6).tolist()
    [1.0, 2.0, 4.0]
    """
    tau, segments = checked_limit(tau), curve.segments
    spells, without = _left_out(curve, cells)
    time = np.minimum(curve.time.astype(float), tau)
    first = segments.first(time, np.nan)
    width = segments.following(time, tau) - time
    whole = segments.sum_from_end(curve.survival * width)
    mean = (first + segments.first(whole, np.nan))[spells.group]
    after = whole[spells.row] * without.rest  # as the curve of all goes on, or stays
    stays = without.after * (tau - time[spells.row])
    before = segments.running_sum(without.running * width) - without.running * width
    other = first[spells.group] + before[spells.row]
    other += np.where(without.follows, after, stays)
    size = np.bincount(spells.group, spells.n, segments.n_groups)[spells.group]
    known = followed_to(segments, curve.time, curve.survival, tau)[spells.group]
    return np.where(known, size * mean - (size - 1) * other, np.nan)


class _LeftOut:
    """Curves of all spells but one of each cell."""

    def __init__(self, curve: IncidenceCurve, spells: Placed) -> None:
        segments = curve.segments
        self._curve, self._spells = curve, spells
        fewer = np.maximum(curve.n_at_risk - 1, 0.0)  # while the spell is at risk, and stays so
        events, together = curve.n_events, curve.n_events.sum(axis=1)
        hazards = np.divide(1.0, fewer, out=np.zeros(len(fewer)), where=fewer > 0)
        self.running = segments.running_product(np.maximum(1 - together * hazards, 0.0))
        self._before = segments.previous(self.running, 1.0)
        self._shares = [segments.running_sum(self._before * own * hazards) for own in events.T]
        row, ended = spells.row, spells.end > 0
        self._hazards, self._ended = hazards[row], ended
        self.after = self._before[row] * np.maximum(1 - (together[row] - ended) * self._hazards, 0)
        some = curve.survival[row] > 0
        self.follows = some | (fewer[row] > 0)  # somebody else was at risk: the rest is known
        self.rest = np.divide(self.after, curve.survival[row], out=np.zeros(len(row)), where=some)

    def survival(self, last: np.ndarray) -> np.ndarray:
        """Share not ended without a spell of the cell; ``last`` row at each time, -1 before."""
        until = _picked(self.running, last, 1.0)
        after = self.rest[:, None] * _picked(self._curve.survival, last, 1.0)
        after = np.where(self.follows[:, None], after, self.after[:, None])
        return np.where(last < self._spells.row[:, None], until, after)

    def incidence(self, cause: int, last: np.ndarray) -> np.ndarray:
        """Share ended by the cause, counted from 0, without a spell of the cell."""
        row, shares = self._spells.row, self._shares[cause]
        own = self._curve.n_events[row, cause] - (self._spells.end == cause + 1)
        here = self._curve.segments.previous(shares, 0.0)[row]
        here = here + self._before[row] * own * self._hazards
        whole = self._curve.incidence[:, cause]
        more = self.rest[:, None] * (_picked(whole, last, 0.0) - whole[row, None])
        until = _picked(shares, last, 0.0)
        return np.where(last < row[:, None], until, here[:, None] + more)


def _left_out(curve: IncidenceCurve, cells: Cells) -> tuple[Placed, _LeftOut]:
    if cells.entry is not None or cells.n_squared is not None:
        raise ValueError("pseudo-observations need spells from the beginning, of weight 1")
    spells = placed(curve, cells)
    return spells, _LeftOut(curve, spells)


def _rows_at(curve: IncidenceCurve, times: np.ndarray) -> np.ndarray:
    """Row in force at each time, groups x times, -1 before the first."""
    segments: Segments = curve.segments
    passed = segments.locate(curve.time, times)
    return np.where(passed > 0, segments.starts[:-1, None] + passed - 1, -1)


def _picked(column: np.ndarray, row: np.ndarray, before: float) -> np.ndarray:
    return np.where(row >= 0, column[np.maximum(row, 0)], before)
