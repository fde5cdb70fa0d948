"""Time lost to each of several ends: how much sooner than a limit they come, on average.

Unit: one group's curves of :func:`analysis.stats.aalen_johansen`; results are in its unit of time.
The times lost to all causes and the restricted mean add up to the limit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.curves.competing import IncidenceCurve, where_some_stay
from analysis.stats.curves.jackknife import Jackknife
from analysis.stats.curves.segments import checked_limit, followed_to
from analysis.stats.scales import normal_quantile, t_quantile


class TimeLost(NamedTuple):
    """Mean time lost before a limit to each cause; groups x causes."""

    estimate: np.ndarray  # NaN: observation ends before the limit, or no rows
    low: np.ndarray
    high: np.ndarray
    std_error: np.ndarray


def restricted_time_lost(
    curve: IncidenceCurve,
    tau: float,
    *,
    level: float = 0.95,
    jackknife: Jackknife | None = None,
) -> TimeLost:
    """Mean time between an end by each cause and ``tau``, 0 for those who do not end so by then.

    Parameters
    ----------
    curve
        From :func:`analysis.stats.aalen_johansen`.
    tau
        The limit, above 0, in the curve's unit.
    level
        Confidence level, in (0, 1).
    jackknife
        Of the same curve: the errors allow for its clusters (:meth:`Jackknife.widened`).

    Returns
    -------
    TimeLost
        In the curve's unit. NaN for a group whose last observed time is before ``tau``, unless
        nobody is left by then; and for a group without rows.

    Raises
    ------
    ValueError
        ``tau`` is not above 0 and finite, or ``level`` is not in (0, 1).

    Notes
    -----
    The area under the cumulative incidence up to ``tau``; normal limits, cut to [0, tau].
    Source: Andersen (2013), Stat. Med. 32:5278-5285. Variance of the same kind as that of the
    curve: with ``c_j(u)`` the change of the estimate when one more spell at risk at ``u`` ends
    by cause ``j``, the sum over ``u`` of ``sum_j d_j c_j**2 - (sum_j d_j c_j)**2 / Y``; without
    late entries the infinitesimal jackknife of R's ``survfit``.

    Examples
    --------
    >>> from analysis.stats import aalen_johansen
    >>> curve = aalen_johansen([0] * 3, [1, 2, 3], [[1, 0], [0, 1], [0, 0]], [0, 0, 1])
    >>> lost = restricted_time_lost(curve, 3)
    >>> lost.estimate.round(4).tolist(), lost.std_error.round(4).tolist()
    ([[0.6667, 0.3333]], [[0.5443, 0.2722]])
    """
    tau, z = checked_limit(tau), normal_quantile(level)
    segments, at_risk = curve.segments, curve.n_at_risk
    together = curve.n_events.sum(axis=1)
    left = np.maximum(tau - curve.time, 0.0)
    width = left - segments.following(left, 0.0)
    gone = where_some_stay(at_risk, together, np.ones(len(at_risk))) * (left > 0)
    own = segments.previous(curve.survival, 1.0) / at_risk * left
    known = followed_to(segments, curve.time, curve.survival, tau)
    found = np.full((2, segments.n_groups, curve.incidence.shape[1]), np.nan)
    for cause, incidence in enumerate(curve.incidence.T):
        events = curve.n_events[:, cause]
        area = segments.sum_from_end(incidence * width)  # from the row to tau
        others = -np.maximum(area - incidence * left, 0.0) * gone  # the same, above its level
        ends = events * own + together * others
        squares = events * (own + others) ** 2 + (together - events) * others**2
        squares = np.maximum(squares - ends**2 / at_risk, 0.0)
        found[0, :, cause] = segments.first(area, np.nan)
        found[1, :, cause] = segments.first(segments.sum_from_end(squares), np.nan)
    estimate, variance = np.where(known[:, None], found, np.nan)
    if jackknife is not None:
        variance = jackknife.widened("time_lost", variance, tau)
        z = t_quantile(jackknife.df, level)[:, None]
    error = np.where(known[:, None], np.sqrt(variance), np.nan)
    low, high = np.maximum(estimate - z * error, 0), np.minimum(estimate + z * error, tau)
    return TimeLost(estimate, low, high, error)
