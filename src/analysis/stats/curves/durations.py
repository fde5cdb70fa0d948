"""Durations read off a survival curve: quantiles, and means up to a limit.

Unit: one group's curve of :func:`analysis.stats.kaplan_meier`; results are in its unit of time.
What was not observed long enough is missing, never guessed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.curves.jackknife import Jackknife
from analysis.stats.curves.segments import checked_limit, followed_to
from analysis.stats.curves.survival import SurvivalCurve
from analysis.stats.scales import Pair, normal_quantile, probability_limits, t_quantile

_FLAT = float(np.sqrt(np.finfo(float).eps))  # a curve this near to a share has reached it


class Quantiles(NamedTuple):
    """Times by which given shares have had the event; groups x shares."""

    value: np.ndarray  # NaN: not reached while anybody was observed
    low: np.ndarray
    high: np.ndarray  # NaN: no upper limit


class RestrictedMean(NamedTuple):
    """Mean time up to a limit; one value a group."""

    estimate: np.ndarray  # NaN: observation ends before the limit, or no rows
    low: np.ndarray
    high: np.ndarray
    std_error: np.ndarray


def survival_limits(
    curve: SurvivalCurve,
    *,
    level: float = 0.95,
    kind: str = "log-log",
    jackknife: Jackknife | None = None,
) -> Pair:
    """Pointwise limits of a curve, one pair for each of its rows.

    Parameters
    ----------
    curve
        From :func:`analysis.stats.kaplan_meier`.
    level
        Confidence level, in (0, 1).
    kind
        Scale on which the limits are symmetric: ``"log-log"``, ``"log"``, ``"plain"``,
        ``"logit"`` or ``"arcsin"``.
    jackknife
        Of the same curve: limits allow for its clusters (:meth:`Jackknife.widened`).

    Returns
    -------
    low, high : ndarray
        In [0, 1]. NaN where survival is 0. Before the first event, where survival is 1, ``log``
        and ``plain`` are (1, 1) and the others NaN, as in R.

    Raises
    ------
    ValueError
        ``level`` is not in (0, 1), or ``kind`` is unknown.

    Examples
    --------
    >>> from analysis.stats import kaplan_meier
    >>> curve = kaplan_meier([0] * 4, [1, 2, 3, 4], [1, 2, 0, 1], [0, 0, 1, 0])
    >>> low, high = survival_limits(curve)
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.2038, 0.052, 0.052, nan], [0.9692, 0.7528, 0.7528, nan])
    """
    if jackknife is None:
        return probability_limits(curve.survival, curve.variance, level=level, kind=kind)
    variance = jackknife.widened("survival", curve.variance)
    variance = np.where(curve.survival > 0, variance, np.nan)
    df = jackknife.df[curve.segments.group]
    return probability_limits(curve.survival, variance, level=level, kind=kind, df=df)


def survival_quantiles(
    curve: SurvivalCurve,
    probs: np.ndarray,
    *,
    level: float = 0.95,
    kind: str = "log-log",
    jackknife: Jackknife | None = None,
) -> Quantiles:
    """Find the times by which given shares of each group have had the event.

    Parameters
    ----------
    curve
        From :func:`analysis.stats.kaplan_meier`.
    probs
        Shares in (0, 1); 0.5 is the median.
    level, kind, jackknife
        Of the limits of the curve, as in :func:`analysis.stats.survival_limits`.

    Returns
    -------
    Quantiles
        Arrays of groups x shares; NaN where the curve or limit does not fall that far.

    Raises
    ------
    ValueError
        A share or ``level`` is not in (0, 1), or ``kind`` is unknown.

    Notes
    -----
    The first time at which the curve has fallen to ``1 - prob``. If it stays exactly there for
    a while: the middle of that stretch, which ends with the next event or, without one, with
    the last observed time. Limits: the same for the limits of the curve. Source: Brookmeyer and
    Crowley (1982), Biometrics 38:29-41; the rule of the middle is that of R's ``survfit``.

    Examples
    --------
    >>> from analysis.stats import kaplan_meier
    >>> curve = kaplan_meier([0] * 4, [1, 2, 3, 4], [1, 1, 1, 1], [0] * 4)
    >>> quantiles = survival_quantiles(curve, [0.4, 0.5])
    >>> quantiles.value.tolist(), quantiles.low.tolist(), quantiles.high.tolist()
    ([[2.0, 2.5]], [[1.0, 1.0]], [[nan, nan]])
    """
    probs = np.atleast_1d(np.asarray(probs, dtype=float))
    wrong = ~((probs > 0) & (probs < 1))
    if wrong.any():
        raise ValueError(f"probs must be in (0, 1), got {probs[wrong][0]}")
    low, high = survival_limits(curve, level=level, kind=kind, jackknife=jackknife)
    return Quantiles(*(_crossings(curve, line, probs) for line in (curve.survival, low, high)))


def restricted_mean(
    curve: SurvivalCurve,
    tau: float,
    *,
    level: float = 0.95,
    jackknife: Jackknife | None = None,
) -> RestrictedMean:
    """Mean time to the event in each group, times beyond ``tau`` counting as ``tau``.

    Parameters
    ----------
    curve
        From :func:`analysis.stats.kaplan_meier`.
    tau
        The limit, above 0, in the curve's unit.
    level
        Confidence level, in (0, 1).
    jackknife
        Of the same curve: the error allows for its clusters (:meth:`Jackknife.widened`).

    Returns
    -------
    RestrictedMean
        In the curve's unit. NaN for a group whose last observed time is before ``tau``, unless
        its curve has reached 0 by then; and for a group without rows.

    Raises
    ------
    ValueError
        ``tau`` is not above 0 and finite, or ``level`` is not in (0, 1).

    Notes
    -----
    The area under the curve up to ``tau``; normal limits, cut to [0, tau]. Source: Irwin (1949);
    variance ``sum d / (Y (Y - d)) * (area from the event to tau)**2``, as R's ``survfit``.

    Examples
    --------
    >>> from analysis.stats import kaplan_meier
    >>> curve = kaplan_meier([0] * 4, [1, 2, 3, 4], [1, 1, 1, 1], [0] * 4)
    >>> mean = restricted_mean(curve, 3)
    >>> mean.estimate.tolist(), mean.std_error.round(4).tolist()
    ([2.25], [0.4146])
    """
    tau, z = checked_limit(tau), normal_quantile(level)
    segments, at_risk = curve.segments, curve.n_at_risk
    time = np.minimum(curve.time.astype(float), tau)
    width = segments.following(time, tau) - time
    ahead = segments.sum_from_end(curve.survival * width)  # area from the row to tau
    with np.errstate(divide="ignore"):
        jump = curve.n_event / (at_risk * (at_risk - curve.n_event))
    squares = np.where(ahead > 0, jump, 0.0) * ahead**2
    known = followed_to(segments, curve.time, curve.survival, tau)
    estimate = np.where(known, segments.first(time + ahead, np.nan), np.nan)
    variance = segments.first(segments.sum_from_end(squares), np.nan)
    if jackknife is not None:
        variance = jackknife.widened("mean", variance, tau)
        z = t_quantile(jackknife.df, level)
    error = np.where(known, np.sqrt(variance), np.nan)
    low, high = np.maximum(estimate - z * error, 0), np.minimum(estimate + z * error, tau)
    return RestrictedMean(estimate, low, high, error)


def _crossings(curve: SurvivalCurve, line: np.ndarray, probs: np.ndarray) -> np.ndarray:
    """Time at which a falling line crosses ``1 - prob`` in each group: groups x probs."""
    segments = curve.segments
    end = segments.last(curve.time.astype(float), np.nan)
    crossed = np.full((segments.n_groups, len(probs)), np.nan)
    if not segments.n_rows:
        return crossed
    for column, prob in enumerate(probs):
        reached = segments.first_where(1 - line >= prob - _FLAT)
        passed = segments.first_where(1 - line >= prob + _FLAT)
        since, until = curve.time[reached], np.where(passed >= 0, curve.time[passed], end)
        crossed[:, column] = np.where(reached >= 0, (since + until) / 2, np.nan)
    return crossed
