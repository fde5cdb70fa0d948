"""Rates of events per unit of time at risk, constant in pieces: when does it happen fastest.

Unit: one spell, counted by the interval in which it was last seen. A rate is events divided by
time at risk (occurrence / exposure); with several causes each has its own, and they add up.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.curves.life_tables import checked_groups
from analysis.stats.scales import (
    Pair,
    checked_level,
    interval_names,
    normal_quantile,
    t_quantile,
)
from analysis.stats.shares.ratios import residual_variance


class Exposure(NamedTuple):
    """Spells by interval of time; arrays of units x intervals."""

    n_at_risk: np.ndarray  # at the beginning of the interval
    time: np.ndarray  # time at risk within it
    events: np.ndarray  # units x intervals x causes


class RateInterval(NamedTuple):
    """Rate of each group with its limits; arrays of one value a group."""

    estimate: np.ndarray  # events per unit of time; NaN where nobody was at risk
    low: np.ndarray
    high: np.ndarray
    events: np.ndarray
    time: np.ndarray
    n_clusters: np.ndarray  # int64, clusters that were at risk
    interval: np.ndarray  # text, which method made the limits


def exposure_of(
    unit: np.ndarray,
    interval: np.ndarray,
    cause: np.ndarray,
    n: np.ndarray,
    rest: np.ndarray,
    *,
    widths: np.ndarray,
    n_causes: int,
    n_units: int | None = None,
) -> Exposure:
    """Time at risk and events by interval, from how spells were last seen.

    Parameters
    ----------
    unit
        Unit (a group, or a seller in a group) of each row, whole numbers from 0.
    interval
        Interval in which the row's spells were last seen, from 0; the number of intervals for
        those seen to the end of the last one, -1 for those that were never at risk.
    cause
        How they ended, from 1; 0 for those that were last seen without an end.
    n
        Spells of each row.
    rest
        Time that they spent in their last interval, together.
    widths
        Length of each interval.
    n_causes, n_units
        Number of causes, and of units (by default the largest number in ``unit`` plus 1).

    Returns
    -------
    Exposure
        A spell is at risk in an interval from its beginning to where it was last seen, that
        moment included: what ends at a boundary ends in the interval before it.

    Raises
    ------
    ValueError
        Lengths or numbers do not fit.

    Notes
    -----
    The likelihood of rates that are constant within intervals needs nothing but these counts.
    Source: Holford (1980), Biometrics 36:299-305; Laird and Olivier (1981), J. Am. Stat. Assoc.
    76:231-240.

    Examples
    --------
    Intervals of 10; one spell ends at 4, one at 15, and one is seen beyond 20:

    >>> spells = exposure_of([0] * 3, [0, 1, 2], [1, 1, 0], [1] * 3, [4, 5, 0],
    ...                      widths=[10, 10], n_causes=1)
    >>> spells.n_at_risk.tolist(), spells.time.tolist(), spells.events[..., 0].tolist()
    ([[3.0, 2.0]], [[24.0, 15.0]], [[1.0, 1.0]])
    """
    unit, n_units = checked_groups(unit, n_units)
    interval, cause = (np.asarray(x, dtype=np.int64) for x in (interval, cause))
    n, rest, widths = (np.asarray(x, dtype=float) for x in (n, rest, widths))
    last = len(widths)
    if not len(unit) == len(interval) == len(cause) == len(n) == len(rest):
        raise ValueError("unit, interval, cause, n and rest must be of one length")
    for name, values, low, high in (
        ("interval", interval, -1, last),
        ("cause", cause, 0, n_causes),
    ):
        if ((values < low) | (values > high)).any():
            raise ValueError(f"{name} must be from {low} to {high}, got {values.tolist()}")

    def laid_out(rows: np.ndarray, where: np.ndarray) -> np.ndarray:
        cell = unit[where] * (last + 1) + interval[where]
        counts = np.bincount(cell, rows[where], minlength=n_units * (last + 1))
        return counts.reshape(n_units, last + 1)

    ever = interval >= 0
    left = laid_out(n, ever)
    at_risk = left[:, ::-1].cumsum(axis=1)[:, ::-1]
    through = at_risk[:, 1:]  # seen to the end of the interval
    events = [laid_out(n, ever & (cause == c))[:, :-1] for c in range(1, n_causes + 1)]
    time = through * widths + laid_out(rest, ever)[:, :-1]
    return Exposure(at_risk[:, :-1], time, np.stack(events, axis=2))


def poisson_limits(
    k: np.ndarray, *, level: float = 0.95, quantile: np.ndarray | None = None
) -> Pair:
    """Score limits of the mean of a Poisson count.

    Parameters
    ----------
    k
        Counts, at least 0; need not be whole (an effective number of events).
    level
        Confidence level, in (0, 1).
    quantile
        Half-width in standard errors, where it is not that of the normal.

    Returns
    -------
    low, high : ndarray
        ``low`` is exactly 0 at 0.

    Raises
    ------
    ValueError
        A count is negative or not a number, or ``level`` is not in (0, 1).

    Notes
    -----
    The means ``m`` with ``(k - m)**2 <= z**2 m``: Wilson's limits for events that are rare. Exact
    limits (Garwood 1936) cover at least the nominal level and mostly more.
    Source: Brown, Cai and DasGupta (2003), Statistica Sinica 13:19-49.

    Examples
    --------
    >>> low, high = poisson_limits([0, 1, 10])
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.0, 0.1765, 5.432], [3.8415, 5.6649, 18.4095])
    """
    k = np.asarray(k, dtype=float)
    if not (k >= 0).all():
        raise ValueError(f"k must be at least 0, got {k[~(k >= 0)].flat[0]}")
    z = normal_quantile(checked_level(level)) if quantile is None else quantile
    high = k + z**2 / 2 + z * np.sqrt(k + z**2 / 4)
    with np.errstate(divide="ignore", invalid="ignore"):
        return k * (k / high), high


def rate_interval(
    group: np.ndarray,
    events: np.ndarray,
    time: np.ndarray,
    *,
    members: np.ndarray | None = None,
    alone: np.ndarray | None = None,
    n_groups: int | None = None,
    level: float = 0.95,
    clusters: str | None = "cluster",
) -> RateInterval:
    """Events per unit of time at risk in each group, with limits that allow for clusters.

    Parameters
    ----------
    group
        Group of each row, whole numbers from 0.
    events, time
        Events and time at risk of each row. A row is one cluster unless it is ``alone``.
    members
        Spells of each row, for rows that are ``alone``.
    alone
        True for rows that pool spells without a cluster, each then its own cluster.
    n_groups, level
        Number of groups; confidence level, in (0, 1).
    clusters
        What a cluster is, for the name of the interval. None: rows are not clusters, every spell
        is independent.

    Returns
    -------
    RateInterval
        One value a group. ``interval`` is ``"Poisson score"``, ``"Poisson score, clustered by
        seller"``, or ``"Poisson score, too few to cluster by seller"`` with fewer than two.

    Raises
    ------
    ValueError
        Lengths do not fit, a number is negative, or there are events without time at risk.

    Notes
    -----
    With the rate ``r`` the influence of a cluster is ``events - r time``; the variance is that of
    :func:`analysis.stats.residual_variance`. What a single spell adds to it is counted by its
    events (the martingale estimate), so spells without a cluster need no rows of their own. Limits
    are :func:`poisson_limits` at the number of events that this variance is worth, at most those
    seen, with Student's quantile. In 2,000 simulated markets each, 95% limits covered the true rate
    in 94 to 95% (20 to 200 sellers whose rates differ by half their size), 97% (40 sellers alike,
    where the design effect is never taken below 1) and 95% (100 independent spells).
    Source: Lin and Wei (1989), J. Am. Stat. Assoc. 84:1074-1078, for the influence of clusters on
    rates; Bell and McCaffrey (2002) for few clusters.

    Examples
    --------
    >>> rate = rate_interval([0, 0, 0], [8, 5, 2], [100.0, 100.0, 100.0], clusters="seller")
    >>> rate.estimate.tolist(), rate.low.round(4).tolist(), rate.high.round(4).tolist()
    ([0.05], [0.0126], [0.1985])
    """
    group, n_groups = checked_groups(group, n_groups)
    events, time = (np.asarray(x, dtype=float) for x in (events, time))
    alone = np.zeros(len(group), bool) if alone is None else np.asarray(alone, bool)
    alone = np.ones(len(group), bool) if clusters is None else alone
    members = np.where(alone, np.asarray(1 if members is None else members, float), time > 0)
    _check_rates(group, events, time, members)
    k, whole = (np.bincount(group, x, minlength=n_groups).astype(float) for x in (events, time))
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = k / whole
        squared = np.where(alone, events, (events - rate[group] * time) ** 2)
    members = np.where(time > 0, members, 0)
    found = residual_variance(group, squared, time, members, n_groups=n_groups)
    enough = found.n_clusters >= 2
    use = enough if clusters is not None else np.zeros(n_groups, bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        worth = np.where(use & (k > 0), np.minimum(rate**2 / found.variance, k), k)
    worth = np.where(np.isnan(worth), k, worth)
    normal = normal_quantile(checked_level(level))
    quantile = np.where(use, t_quantile(np.where(use, found.df, np.inf), level), normal)
    low, high = poisson_limits(worth, level=level, quantile=quantile)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(k > 0, k / worth, 1.0) / whole
        low, high = low * scale, high * scale
    known = whole > 0
    return RateInterval(
        rate,
        np.where(known, low, np.nan),
        np.where(known, high, np.nan),
        k,
        whole,
        found.n_clusters,
        interval_names("Poisson score", clusters, enough),
    )


def _check_rates(
    group: np.ndarray, events: np.ndarray, time: np.ndarray, members: np.ndarray
) -> None:
    if not len(group) == len(events) == len(time) == len(members):
        raise ValueError("group, events, time and members must be of one length")
    for name, values in (("events", events), ("time", time), ("members", members)):
        if not (values >= 0).all():
            raise ValueError(f"{name} must be at least 0, got {values[~(values >= 0)].flat[0]}")
    if ((events > 0) & ~(time > 0)).any():
        raise ValueError("there are events without time at risk")
