"""Time until one end that is only known to lie between two looks: Turnbull's curve, on counts.

Unit: one spell, whose end lies in ``(left, right]``: after the last look that did not see it and
not after the first that did. ``right`` is infinite where no look has seen it (right-censored),
``left == right`` where the time is known exactly. With exact and right-censored spells only the
curve is Kaplan-Meier's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.curves.interval_problem import checked_spells, members_of, problem_of
from analysis.stats.curves.maximum import maximised
from analysis.stats.curves.segments import Segments
from analysis.stats.scales import Pair


class IntervalCurve(NamedTuple):
    """One row per group and innermost interval, sorted: nothing else can carry mass."""

    group: np.ndarray
    low: np.ndarray
    high: np.ndarray  # the end lies in (low, high], or at both where they are equal
    mass: np.ndarray  # share of the spells that end there; where inside is not determined
    segments: Segments  # which rows are whose
    last: np.ndarray  # of each group: the last finite look, NaN without rows
    log_likelihood: np.ndarray  # of each group
    gap: np.ndarray  # of each group: its log-likelihood is within this of the maximum


def turnbull(
    group: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    n: np.ndarray,
    *,
    n_groups: int | None = None,
) -> IntervalCurve:
    """Nonparametric maximum likelihood of each group from counts of interval-censored spells.

    Parameters
    ----------
    group
        Group of each row of counts, whole numbers from 0.
    left, right
        The end lies in ``(left, right]``; ``right`` may be infinite, ``left == right`` is exact.
        ``left`` may be below 0: nothing was seen since the beginning.
    n
        How many spells each row stands for. Need not be whole.
    n_groups
        Number of groups; by default the largest number in ``group`` plus 1.

    Returns
    -------
    IntervalCurve
        One row per group and innermost interval; a group without spells has none.

    Raises
    ------
    ValueError
        Lengths or group numbers do not fit, ``left`` is above ``right``, a bound is not a
        number, or a count is negative or not finite.

    Notes
    -----
    Source: Turnbull (1976), J. R. Stat. Soc. B 38:290-295, for the intervals and the
    self-consistent masses; :func:`analysis.stats.curves.maximum.maximised` for how they are
    found, and Gentleman and Geyer (1994) for the certificate ``gap``. How the mass lies *inside*
    an innermost interval has no influence on the likelihood, so it is not known. In rare small
    samples several distributions of the mass *over* the intervals have the same likelihood too;
    then this is one of them.

    Examples
    --------
    Ends between looks at 0 and 2, 1 and 3, and after 2:

    >>> curve = turnbull([0] * 3, [0, 1, 2], [2, 3, np.inf], [1, 1, 1])
    >>> curve.low.tolist(), curve.high.tolist(), curve.mass.round(6).tolist()
    ([1.0, 2.0], [2.0, 3.0], [0.5, 0.5])
    """
    group, left, right, n, n_groups = checked_spells(group, left, right, n, n_groups)
    solved = []
    for rows in members_of(group, n_groups):
        problem = problem_of(left[rows], right[rows])
        counts = np.bincount(problem.observation, n[rows], len(problem.cells.first))
        solved.append((problem, maximised(problem.cells, counts) if len(rows) else None))
    starts = np.cumsum([0, *(len(problem.low) for problem, _ in solved)])
    segments = Segments(starts)

    def joined(parts: list[np.ndarray]) -> np.ndarray:
        return np.concatenate([*parts, np.empty(0)])

    return IntervalCurve(
        segments.group,
        joined([problem.low for problem, _ in solved]),
        joined([problem.high for problem, _ in solved]),
        joined([found.mass for _, found in solved if found is not None]),
        segments,
        np.array([problem.last for problem, _ in solved]),
        np.array([np.nan if f is None else f.log_likelihood for _, f in solved]),
        np.array([np.nan if f is None else f.gap for _, f in solved]),
    )


def interval_survival_at(curve: IntervalCurve, times: np.ndarray) -> Pair:
    """Bounds of the curve of each group at given times: it is not known better than this.

    Parameters
    ----------
    curve
        From :func:`turnbull`.
    times
        Times to read it at, in any order.

    Returns
    -------
    low, high : ndarray
        Groups x times. Equal wherever no innermost interval with mass is open at the time; NaN
        after the last finite look of a group, and for a group without rows.

    Notes
    -----
    ``low`` puts the mass of an innermost interval right after its beginning, ``high`` at its end.

    Examples
    --------
    >>> curve = turnbull([0] * 3, [0, 1, 2], [2, 3, np.inf], [1, 1, 1])
    >>> low, high = interval_survival_at(curve, [1, 1.5, 2, 4])
    >>> low.round(6).tolist(), high.round(6).tolist()
    ([[1.0, 0.5, 0.5, nan]], [[1.0, 1.0, 0.5, nan]])
    """
    times = np.atleast_1d(np.asarray(times, dtype=float))
    bounds = np.full((2, curve.segments.n_groups, len(times)), np.nan)
    for i, (start, end) in enumerate(
        zip(curve.segments.starts[:-1], curve.segments.starts[1:], strict=True)
    ):
        if start < end:
            rows = slice(start, end)
            pair = survival_bounds(curve.low[rows], curve.high[rows], curve.mass[None, rows], times)
            seen = times <= curve.last[i]
            bounds[:, i] = np.where(seen, np.stack(pair)[:, 0], np.nan)
    return bounds[0], bounds[1]


def survival_bounds(low: np.ndarray, high: np.ndarray, mass: np.ndarray, times: np.ndarray) -> Pair:
    """Lowest and highest survival at ``times``: sets x times, of masses sets x cells."""
    below = np.cumsum(np.pad(mass, ((0, 0), (1, 0))), axis=1)
    below /= below[:, -1:]
    surely = np.searchsorted(high, times, side="right")
    perhaps = np.maximum(surely, np.searchsorted(low, times, side="left"))
    return 1 - below[:, perhaps], 1 - below[:, surely]
