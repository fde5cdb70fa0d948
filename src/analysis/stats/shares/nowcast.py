"""Nowcasts: what share of a cohort will have succeeded once all of it is decided.

Unit: a cohort, some of whose units are decided and some still open at a known age.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.curves.competing import IncidenceCurve
from analysis.stats.curves.life_tables import checked_groups
from analysis.stats.curves.segments import followed_to, rows_until
from analysis.stats.scales import Pair, checked_level
from analysis.stats.shares.proportions import clustered_wilson
from analysis.stats.shares.two_shares import Limited

MANY = 1000  # open units from which on their number is as good as continuous
BATCH = 500  # cohorts at a time


class Chance(NamedTuple):
    """What becomes of units that are still open; arrays of one value a unit or row."""

    chance: np.ndarray  # that it ends by the cause within the horizon; NaN if never seen
    n_at_risk: np.ndarray  # spells that were open at this age too


def chance_when_open(
    curve: IncidenceCurve,
    group: np.ndarray,
    age: np.ndarray,
    *,
    horizon: float,
    cause: int = 0,
) -> Chance:
    """Chance that a spell which is open at an age ends by a cause up to the horizon.

    Parameters
    ----------
    curve
        From :func:`analysis.stats.aalen_johansen`.
    group
        Which of its curves each spell follows.
    age
        Age at which each is still open, in the unit of the curve.
    horizon
        Ends after this age do not count.
    cause
        Column of the cause.

    Returns
    -------
    Chance
        NaN where no spell of the group was seen open at that age, or none was followed to the
        horizon or until all had ended.

    Notes
    -----
    ``(F(horizon) - F(age)) / S(age)`` of the Aalen-Johansen curve: Andersen, Borgan, Gill and
    Keiding (1993), Statistical models based on counting processes, IV.4.

    Examples
    --------
    Ten spells: two succeed at 1, two at 3, the rest fail at 5; open at 2, two of eight succeed:

    >>> from analysis.stats import aalen_johansen
    >>> curve = aalen_johansen([0] * 3, [1, 3, 5], [[2, 0], [2, 0], [0, 6]], [0, 0, 0])
    >>> found = chance_when_open(curve, np.zeros(2, int), np.array([0, 2]), horizon=10)
    >>> found.chance.round(6).tolist(), found.n_at_risk.tolist()
    ([0.4, 0.25], [10.0, 8.0])
    """
    group, age = np.asarray(group, np.int64), np.asarray(age, float)
    segments = curve.segments
    if not segments.n_rows:
        return Chance(np.full(len(age), np.nan), np.zeros(len(age)))
    incidence = curve.incidence[:, cause]
    within = np.where(curve.time <= horizon, incidence, 0.0)
    top = np.maximum.reduceat(within, segments.first_rows)
    reached = np.full(segments.n_groups, np.nan)
    reached[segments.lengths > 0] = top
    known = followed_to(segments, curve.time, curve.survival, horizon)
    reached = np.where(known, reached, np.nan)
    row = rows_until(segments, curve.time, group, age) - 1
    begun = row >= segments.starts[group]
    at = np.clip(row, 0, segments.n_rows - 1)
    survival = np.where(begun, curve.survival[at], 1.0)
    before = np.where(begun, incidence[at], 0.0)
    following = row + 1
    ahead = following < segments.starts[group + 1]
    risk = np.where(ahead, curve.n_at_risk[np.minimum(following, segments.n_rows - 1)], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = np.where((survival > 0) & ahead, (reached[group] - before) / survival, np.nan)
    return Chance(np.clip(chance, 0, 1), risk)


def nowcast(
    group: np.ndarray,
    n: np.ndarray,
    open_chance: Chance,
    *,
    k: np.ndarray,
    n_total: np.ndarray,
    scatter: np.ndarray | float = 1.0,
    level: float = 0.95,
) -> Limited:
    """Share of each cohort that will have succeeded, with limits for that share.

    Parameters
    ----------
    group
        Cohort of each row of open units, whole numbers from 0.
    n
        Open units of each row, at least 0.
    open_chance
        What becomes of them, from :func:`chance_when_open`.
    k
        Successes so far of each cohort.
    n_total
        Units of each cohort, decided and open.
    scatter
        Standard deviation of a cohort's share beside that of independent units, at least 1, as
        from :func:`analysis.stats.control_limits`.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    Limited
        Limits hold the share that the cohort will have in the end, between all and none of the
        open ones succeeding; they are the estimate itself where nothing is open. NaN where a
        chance is not known or the cohort is empty.

    Raises
    ------
    ValueError
        ``level`` is not in (0, 1), or group numbers do not fit.

    Notes
    -----
    The open ones' successes have the mean ``sum chance`` and the variance ``scatter**2 sum chance
    (1 - chance)`` plus that of the estimated chances, which are read off one curve and therefore
    taken to err together: ``(sum sqrt(chance (1 - chance) / (n_at_risk + 2)))**2``. Limits are
    quantiles of the beta-binomial distribution with that mean and variance (at least the binomial
    one), so with few open units they hold the share more often than ``level``. For limits, each
    chance is taken as half a success and half a failure more leave it,
    ``(chance n_at_risk + 0.5) / (n_at_risk + 1)``: the few who were open as long and all ended
    alike make nothing certain. Source: Jeffreys (1946), Proc. R. Soc. A 186:453-461.

    Examples
    --------
    Of ten units four succeeded, two are open with a chance of one half:

    >>> even = Chance(np.array([0.5]), np.array([1000.0]))
    >>> found = nowcast(np.array([0]), np.array([2]), even, k=np.array([4]), n_total=np.array([10]))
    >>> [round(float(x[0]), 3) for x in found]
    [0.5, 0.4, 0.6]
    """
    checked_level(level)
    k, n_total = np.asarray(k, float), np.asarray(n_total, float)
    group, size = checked_groups(group, len(k))
    n, chance = np.asarray(n, float), open_chance.chance

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(group, np.where(n > 0, values, 0.0), size).astype(float)

    with np.errstate(divide="ignore", invalid="ignore"):
        expected, left = total(n * chance), total(n)
        doubted = chance + (0.5 - chance) / (open_chance.n_at_risk + 1)
        own = doubted * (1 - doubted)
        erring = np.sqrt(own / (open_chance.n_at_risk + 2))
        variance = np.square(scatter) * total(n * own) + total(n * erring) ** 2
        fewest, most = _count_limits(left, total(n * doubted), variance, level)
        known = ~np.isnan(expected) & (n_total > 0)
        found = ((k + x) / n_total for x in (expected, fewest, most))
        estimate, low, high = (np.where(known, x, np.nan) for x in found)
    return Limited(estimate, np.minimum(low, estimate), np.maximum(high, estimate))


def _count_limits(left: np.ndarray, mean: np.ndarray, variance: np.ndarray, level: float) -> Pair:
    """Fewest and most of the ``left`` that may succeed: quantiles of a beta-binomial.

    Where many are left, and the steps between whole numbers are small, Wilson's limits.
    """
    share = np.where(left > 0, np.clip(mean / np.maximum(left, 1e-300), 0, 1), 0.0)
    share = np.nan_to_num(share)
    alike = left * share * (1 - share)  # variance if all chances were the same
    worth = np.where(
        (alike > 0) & (variance > 0), left * alike / np.maximum(variance, 1e-300), left
    )
    low, high = clustered_wilson(share * worth, worth, np.zeros(len(left)), level=level)
    fewest, most = (np.where(left > 0, left * np.nan_to_num(x), 0.0) for x in (low, high))
    inner = np.flatnonzero((alike > 0) & (left <= MANY))
    tail = (1 - level) / 2
    for i in range(0, len(inner), BATCH):
        rows = inner[i : i + BATCH]
        size = np.maximum(np.rint(left[rows]), 1)
        below = _distribution(size, share[rows], np.nan_to_num(variance[rows] / alike[rows], nan=1))
        for limits, at in ((fewest, tail), (most, 1 - tail)):
            limits[rows] = np.minimum((below < at - 1e-12).sum(axis=1), left[rows])
    sure = (alike == 0) & (left > 0)
    return np.where(sure, left * share, fewest), np.where(sure, left * share, most)


def _distribution(size: np.ndarray, share: np.ndarray, excess: np.ndarray) -> np.ndarray:
    """Chances of at most 0, 1, 2, ... of ``size``, one row each, 1 beyond it.

    ``excess`` is the variance over the binomial one, taken as at least 1.
    """
    from scipy.special import betaln, gammaln

    count = np.arange(size.max() + 1)[None]
    size, share = size[:, None], share[:, None]
    alike = np.clip((excess[:, None] - 1) / np.maximum(size - 1, 1), 1e-9, 1 - 1e-9)
    a, b = share * (1 / alike - 1), (1 - share) * (1 / alike - 1)
    rest = np.maximum(size - count, 0)
    ways = gammaln(size + 1) - gammaln(count + 1) - gammaln(rest + 1)
    chance = np.exp(ways + betaln(count + a, rest + b) - betaln(a, b))
    return np.minimum(np.cumsum(np.where(count <= size, chance, 0.0), axis=1), 1.0)
