"""Control charts of shares: which periods differ by more than the usual scatter.

Unit: a period of a group, k of n.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.curves.life_tables import checked_groups
from analysis.stats.shares.proportions import checked_counts

MEAN_RANGE = 2 / np.sqrt(np.pi)  # of two independent standard normal values


class ControlLimits(NamedTuple):
    """Centre and limits; arrays of one value a row, and a scatter of one value a group."""

    centre: np.ndarray  # share of all usual periods of the group together
    low: np.ndarray  # in [0, 1]; NaN with fewer than two usual periods
    high: np.ndarray
    scatter: np.ndarray  # standard deviation beside that of independent units, at least 1


def control_limits(
    group: np.ndarray,
    k: np.ndarray,
    n: np.ndarray,
    *,
    usual: np.ndarray | None = None,
    sigmas: float = 3.0,
    n_groups: int | None = None,
) -> ControlLimits:
    """Laney's p' chart: limits for each period that allow for the scatter between periods.

    Parameters
    ----------
    group
        Group of each row, whole numbers from 0; the rows of a group in the order of time.
    k, n
        Counts of each period, ``0 <= k <= n``.
    usual
        Which periods centre and scatter are computed from; by default all that have units.
    sigmas
        How many standard deviations the limits are from the centre, more than 0.
    n_groups
        Number of groups; by default the largest number in ``group`` plus 1.

    Returns
    -------
    ControlLimits
        Limits of every row, also of those that are not ``usual``; NaN where ``n`` is 0.

    Raises
    ------
    ValueError
        A count is negative or not a number, ``k > n``, numbers do not fit, or ``sigmas`` is not
        more than 0.

    Notes
    -----
    With ``p`` the centre and ``s_i = sqrt(p (1 - p) / n_i)``, ``z_i = (p_i - p) / s_i``; the
    scatter is the mean of ``|z_i - z_(i-1)|`` over 1.128 and the limits ``p +- sigmas s_i
    scatter``. A scatter below 1 is taken for luck.
    Source: Laney (2002), Quality Engineering 14:531-537.

    Examples
    --------
    >>> k = np.array([50, 56, 43, 52, 49, 80])
    >>> found = control_limits(np.zeros(6, int), k, np.full(6, 100), usual=np.arange(6) < 5)
    >>> float(found.centre[0]), found.scatter.round(3).tolist()
    (0.5, [1.374])
    >>> float(found.low[5].round(3)), float(found.high[5].round(3))
    (0.294, 0.706)
    """
    if not sigmas > 0:
        raise ValueError(f"sigmas must be more than 0, got {sigmas}")
    group, n_groups = checked_groups(group, n_groups)
    k, n = checked_counts(k, n)
    usual = (n > 0) if usual is None else np.asarray(usual, bool) & (n > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        whole, events = (np.bincount(group, np.where(usual, x, 0), n_groups) for x in (n, k))
        p = (events / whole)[group]
        spread = np.sqrt(p * (1 - p) / n)
        z = np.where(spread > 0, (k / n - p) / spread, 0.0)
        rows = np.flatnonzero(usual)
        rows = rows[np.argsort(group[rows], kind="stable")]
        same = group[rows][1:] == group[rows][:-1]
        ranges = np.abs(np.diff(z[rows]))[same]
        of = group[rows][1:][same]
        mean = np.bincount(of, ranges, n_groups) / np.bincount(of, minlength=n_groups)
        scatter = np.maximum(mean / MEAN_RANGE, 1)
        reach = sigmas * spread * scatter[group]
    known = n > 0
    low, high = np.clip(p - reach, 0, 1), np.clip(p + reach, 0, 1)
    return ControlLimits(
        np.where(known, p, np.nan),
        np.where(known, low, np.nan),
        np.where(known, high, np.nan),
        scatter,
    )
