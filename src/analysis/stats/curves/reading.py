"""Curves read at given times: what had happened by then, and who was still at risk.

Unit: one group at one time. Beyond the last observed time of its group a curve says nothing, unless
all had ended by then: nothing changes any more.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np

from analysis.stats.curves.competing import IncidenceCurve
from analysis.stats.curves.jackknife import Jackknife
from analysis.stats.curves.segments import Segments, all_ended
from analysis.stats.curves.survival import SurvivalCurve
from analysis.stats.scales import probability_limits


class SurvivalAt(NamedTuple):
    """A curve read at given times; groups x times."""

    survival: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n_at_risk: np.ndarray  # just before the time
    n_event: np.ndarray  # until then
    n_censored: np.ndarray  # until then


class IncidenceAt(NamedTuple):
    """Curves read at given times; groups x times, and x causes where named so."""

    survival: np.ndarray
    survival_low: np.ndarray
    survival_high: np.ndarray
    incidence: np.ndarray  # x causes
    low: np.ndarray  # x causes
    high: np.ndarray  # x causes
    n_at_risk: np.ndarray  # just before the time
    n_events: np.ndarray  # x causes, until then
    n_censored: np.ndarray  # until then


def survival_at(
    curve: SurvivalCurve,
    times: np.ndarray,
    *,
    level: float = 0.95,
    kind: str = "log-log",
    jackknife: Jackknife | None = None,
) -> SurvivalAt:
    """Curve and limits of each group at given times.

    Parameters
    ----------
    curve
        From :func:`analysis.stats.kaplan_meier`.
    times
        Times to read it at, in any order.
    level, kind, jackknife
        As in :func:`analysis.stats.survival_limits`.

    Returns
    -------
    SurvivalAt
        Arrays of groups x times. Survival and limits are NaN beyond the group's last observed
        time, unless survival is 0 there, and for a group without rows; before the first they are
        those of survival 1. With late entries ``n_at_risk`` is that of the first observed time
        at or after the one asked for.

    Raises
    ------
    ValueError
        As :func:`analysis.stats.survival_limits`.

    Examples
    --------
    >>> from analysis.stats import kaplan_meier
    >>> curve = kaplan_meier([0, 0, 0, 1, 1], [1, 2, 3, 1, 2], [1, 2, 0, 1, 1], [0, 0, 2, 0, 0])
    >>> points = survival_at(curve, [0, 2.5, 5])
    >>> points.survival.tolist()
    [[1.0, 0.4, nan], [1.0, 0.0, 0.0]]
    >>> points.n_at_risk.tolist(), points.n_event.tolist()
    ([[5.0, 2.0, 0.0], [2.0, 0.0, 0.0]], [[0.0, 3.0, 3.0], [0.0, 2.0, 2.0]])
    """
    settled = all_ended(curve.segments, curve.survival)
    read = Reader(curve.segments, curve.time, times, settled)
    survival, variance, df = read.step(curve.survival, 1.0), curve.variance, None
    if jackknife is not None:
        variance = jackknife.widened("survival", variance)
        df = jackknife.df[:, None]
    variance = read.step(variance, 0.0)
    low, high = probability_limits(survival, variance, level=level, kind=kind, df=df)
    return SurvivalAt(
        survival,
        low,
        high,
        read.next(curve.n_at_risk),
        read.until(curve.n_event),
        read.until(curve.n_censored),
    )


def incidence_at(
    curve: IncidenceCurve,
    times: np.ndarray,
    *,
    level: float = 0.95,
    kind: str = "log-log",
    jackknife: Jackknife | None = None,
) -> IncidenceAt:
    """Cumulative incidences of each group at given times, with the share that has not ended.

    Parameters
    ----------
    curve
        From :func:`analysis.stats.aalen_johansen`.
    times
        Times to read it at, in any order.
    level, kind
        As in :func:`analysis.stats.incidence_limits`.
    jackknife
        Of the same curve: limits allow for its clusters (:meth:`Jackknife.widened`).

    Returns
    -------
    IncidenceAt
        Arrays of groups x times (x causes). Shares and limits are NaN beyond the group's last
        observed time, unless all had ended by then, and for a group without rows.

    Raises
    ------
    ValueError
        As :func:`analysis.stats.incidence_limits`.

    Examples
    --------
    >>> from analysis.stats import aalen_johansen
    >>> curve = aalen_johansen([0] * 3, [1, 2, 3], [[1, 0], [0, 1], [0, 0]], [0, 0, 1])
    >>> points = incidence_at(curve, [2, 4])
    >>> points.incidence.round(4).tolist(), points.survival.round(4).tolist()
    ([[[0.3333, 0.3333], [nan, nan]]], [[0.3333, nan]])
    """
    settled = all_ended(curve.segments, curve.survival)
    read = Reader(curve.segments, curve.time, times, settled)

    def causes(columns: np.ndarray, how: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        return np.stack([how(column) for column in columns.T], axis=-1)

    survival = read.step(curve.survival, 1.0)
    incidence = causes(curve.incidence, lambda column: read.step(column, 0.0))
    variance = causes(curve.variance, lambda column: read.step(column, 0.0))
    stays, df = read.step(curve.survival_variance, 0.0), None
    if jackknife is not None:
        both = np.concatenate([stays[..., None], variance], axis=-1)
        both = jackknife.widened("shares", both, times)
        stays, variance, df = both[..., 0], both[..., 1:], jackknife.df[:, None]
    options = {"level": level, "kind": kind}
    return IncidenceAt(
        survival,
        *probability_limits(survival, stays, **options, df=df),
        incidence,
        *probability_limits(
            incidence, variance, **options, df=None if df is None else df[..., None]
        ),
        read.next(curve.n_at_risk),
        causes(curve.n_events, read.until),
        read.until(curve.n_censored),
    )


class Reader:
    """Reads columns of curves at given times, groups x times.

    The last value of groups that are ``settled`` is in force at any later time.

    Examples
    --------
    >>> read = Reader(Segments(np.array([0, 2])), np.array([1, 3]), [0, 1, 2, 9])
    >>> read.step(np.array([0.7, 0.4]), 1.0).tolist()
    [[1.0, 0.7, 0.7, nan]]
    >>> read.until(np.array([3.0, 3.0])).tolist(), read.next(np.array([10.0, 7.0])).tolist()
    ([[0.0, 3.0, 3.0, 6.0]], [[10.0, 10.0, 7.0, 0.0]])
    """

    def __init__(
        self,
        segments: Segments,
        time: np.ndarray,
        times: np.ndarray,
        settled: np.ndarray | None = None,
    ) -> None:
        times = np.atleast_1d(np.asarray(times))
        self._segments = segments
        starts, last = segments.starts[:-1, None], max(segments.n_rows - 1, 0)
        passed = segments.locate(time, times)  # rows at or before the time
        self._passed, self._rank = passed, np.argsort(times, kind="stable")
        self._row = np.clip(starts + passed - 1, 0, last)
        self._begun = passed > 0
        exact = self._begun & (_picked(time, self._row) == times)
        self._next = np.minimum(starts + passed - exact, last)
        self._ahead = passed - exact < segments.lengths[:, None]  # somebody leaves then or later
        self._known = self._ahead if settled is None else self._ahead | settled[:, None]

    def step(self, column: np.ndarray, before: float) -> np.ndarray:
        """Value in force at the time; ``before`` ahead of the first row, NaN if not known."""
        value = np.where(self._begun, _picked(column, self._row), before)
        return np.where(self._known, value, np.nan)

    def next(self, column: np.ndarray) -> np.ndarray:
        """Value in the first row at or after the time, 0 if there is none."""
        return np.where(self._ahead, _picked(column, self._next), 0.0)

    def until(self, column: np.ndarray) -> np.ndarray:
        """Sum over the rows up to and including the time."""
        begin, empty = self._pieces
        sums = np.zeros(len(empty))
        if len(begin):
            sums[: len(begin)] = np.add.reduceat(column, begin)
        sums[empty] = 0.0
        found = np.empty(self._passed.shape)
        sums = sums.reshape(len(found), found.shape[1] + 1)
        found[:, self._rank] = sums[:, :-1].cumsum(axis=1)
        return found

    @cached_property
    def _pieces(self) -> tuple[np.ndarray, np.ndarray]:
        """Where the rows between two of the times, rising, begin in each group; which are none."""
        starts, n_rows = self._segments.starts[:-1, None], self._segments.n_rows
        begin = np.hstack([starts, starts + self._passed[:, self._rank]]).ravel()
        empty = begin == np.append(begin[1:], n_rows)
        return begin[: np.searchsorted(begin, n_rows)], empty


def _picked(column: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return column[rows] if len(column) else np.zeros(rows.shape)
