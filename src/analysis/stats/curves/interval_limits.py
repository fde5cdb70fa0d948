"""Bootstrap limits of curves of spells that end between two looks.

Unit: one spell, as in :mod:`analysis.stats.curves.intervals`.
"""

from __future__ import annotations

import numpy as np

from analysis.stats.curves.interval_problem import Problem, checked_spells, members_of, problem_of
from analysis.stats.curves.intervals import survival_bounds
from analysis.stats.curves.minorant import minorant_masses
from analysis.stats.curves.mixtures import Allowed
from analysis.stats.curves.segments import summed_table
from analysis.stats.scales import Pair, checked_level, t_quantile

# of bootstrap samples: 600 moved limits by 0.0001 at 20,000 synthetic orders, 0.0006 at 10^6
ENOUGH, STEPS = 0.2, 20
FIRST_STEPS = 100  # of all samples taken together, where each begins: half there, half even


def interval_survival_limits(
    group: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    n: np.ndarray,
    times: np.ndarray,
    *,
    cluster: np.ndarray | None = None,
    n_groups: int | None = None,
    level: float = 0.95,
    replicates: int = 300,
    seed: int = 1,
) -> Pair:
    """Bootstrap limits of the curves of :func:`turnbull` at given times.

    Parameters
    ----------
    group, left, right, n
        As in :func:`turnbull`; ``n`` is rounded where spells are drawn one by one.
    times
        Times to give limits at.
    cluster
        Which spells belong together, whole numbers; negative ones are each alone, so their rows
        must stand for one spell. None, or fewer than two clusters in a group: spells are drawn.
    n_groups
        As in :func:`turnbull`.
    level
        Confidence level, in (0, 1).
    replicates
        Samples drawn.
    seed
        Of the draws; every group is drawn with the same, so groups do not influence each other.

    Returns
    -------
    low, high : ndarray
        Limits of the survival, groups x times: the lower quantile of the lower bounds and the
        upper quantile of the upper bounds. NaN where the curve is.

    Raises
    ------
    ValueError
        As :func:`turnbull`; or ``level`` is not in (0, 1).

    Notes
    -----
    Percentile bootstrap of whole clusters, expanded: the quantiles are those that a t interval
    on ``C`` clusters reaches, ``Phi(-sqrt(C / (C - 1)) t)``. Source: Hesterberg (2015), Am. Stat.
    69:371-386. The masses of cells that nobody's interval ends in
    converge slowly, so no normal theory is at hand (Groeneboom and Wellner 1992), and the
    observed information is singular where masses are 0. Looks fall on a grid of finitely many
    times here, for which the resampled curve is regular; coverage is measured in the tests.

    Examples
    --------
    >>> low, high = interval_survival_limits(
    ...     [0, 0], [0, 1], [1, np.inf], [40, 60], [1], replicates=100
    ... )
    >>> bool(0.4 < low[0, 0] < 0.6 < high[0, 0] < 0.75)
    True
    """
    checked_level(level)
    group, left, right, n, n_groups = checked_spells(group, left, right, n, n_groups)
    times = np.atleast_1d(np.asarray(times, dtype=float))
    limits = np.full((2, n_groups, len(times)), np.nan)
    for i, rows in enumerate(members_of(group, n_groups)):
        if not len(rows):
            continue
        problem = problem_of(left[rows], right[rows])
        who = None if cluster is None else np.asarray(cluster)[rows]
        random = np.random.default_rng(seed)
        drawn, units = _drawn(problem, n[rows], who, replicates, random)
        tail = _expanded_tail(units, level)
        mass = _sample_masses(problem.cells, drawn)
        low, high = survival_bounds(problem.low, problem.high, mass, times)
        seen = times <= problem.last
        limits[0, i] = np.where(seen, np.percentile(low, tail, axis=0), np.nan)
        limits[1, i] = np.where(seen, np.percentile(high, 100 - tail, axis=0), np.nan)
    return limits[0], limits[1]


def _drawn(
    problem: Problem,
    n: np.ndarray,
    cluster: np.ndarray | None,
    replicates: int,
    random: np.random.Generator,
) -> tuple[np.ndarray, int]:
    """Counts of each observation in each bootstrap sample, and how many units were drawn from."""
    width = len(problem.cells.first)
    if cluster is not None:
        alone = cluster < 0
        names = np.where(alone, -1 - np.arange(len(cluster)), cluster)
        _, unit = np.unique(names, return_inverse=True)
        if unit.max(initial=-1) >= 1:
            unit = unit.ravel()
            drawn = _whole_clusters(problem.observation, unit, n, width, replicates, random)
            return drawn, int(unit.max()) + 1
    counts = np.bincount(problem.observation, n, width)
    total = max(int(np.rint(counts.sum())), 1)
    return random.multinomial(total, counts / counts.sum(), replicates).astype(float), total


def _sample_masses(cells: Allowed, n: np.ndarray) -> np.ndarray:
    """Masses of each sample, all begun halfway between even ones and those of them together."""
    even = np.full(cells.m, 1 / cells.m)
    pooled = n.sum(axis=0)[None]
    common = minorant_masses(cells, pooled, even, tolerance=ENOUGH, steps=FIRST_STEPS)[0]
    return minorant_masses(cells, n, (common + even) / 2, tolerance=ENOUGH, steps=STEPS)


def _expanded_tail(units: int, level: float) -> float:
    """Percentile at which limits are read from samples of so many units."""
    from scipy.special import ndtr

    if units < 2:
        return 0.0
    reach = t_quantile(np.array([units - 1.0]), level)[0]
    return float(100 * ndtr(-np.sqrt(units / (units - 1)) * reach))


def _whole_clusters(
    observation: np.ndarray,
    unit: np.ndarray,
    n: np.ndarray,
    width: int,
    replicates: int,
    random: np.random.Generator,
) -> np.ndarray:
    clusters = int(unit.max()) + 1
    counts = summed_table(n, unit, observation, (clusters, width))
    times = random.multinomial(clusters, np.full(clusters, 1 / clusters), replicates)
    return np.asarray(times @ counts, dtype=float)
