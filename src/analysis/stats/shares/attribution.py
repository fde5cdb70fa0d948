"""Who shares the blame when several rules stand in the way of one thing: Shapley shares.

Unit: one blocked request, described by the pattern of the rules that stood in its way: a whole
number with bit ``i`` set where rule ``i`` did, bits in order of precedence. Patterns come
counted, so millions of requests are a few hundred rows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.curves.life_tables import checked_groups
from analysis.stats.scales import checked_level, interval_names
from analysis.stats.shares.proportions import checked_counts, clustered_wilson, wilson
from analysis.stats.shares.ratios import RatioInterval, cluster_variance

MAX_RULES = 62  # bits of a pattern


class Attribution(NamedTuple):
    """What each rule had a part in, in units of the counts; arrays of units x rules."""

    shapley: np.ndarray  # a request is split evenly among its rules
    first: np.ndarray  # requests that the rule stopped first
    only: np.ndarray  # requests that it alone stood in the way of
    any: np.ndarray  # requests that it stood in the way of at all
    squares: np.ndarray  # sum over requests of the squared Shapley part
    most: np.ndarray  # largest Shapley part of one request, 0 where there is none


def attribute_patterns(
    unit: np.ndarray,
    pattern: np.ndarray,
    count: np.ndarray,
    *,
    n_rules: int,
    n_units: int | None = None,
    first: np.ndarray | None = None,
) -> Attribution:
    """Split counted patterns of rules among the rules, in each unit.

    Parameters
    ----------
    unit
        Unit (a group, or a seller in a group) of each row, whole numbers from 0.
    pattern
        Rules of each row as bits; 0 is a request that no rule stood in the way of.
    count
        How many requests each row stands for; need not be whole (weights).
    n_rules
        Number of rules, at most 62.
    n_units
        Number of units; by default the largest number in ``unit`` plus 1.
    first
        Rule that stopped the row's requests first, one of its pattern; -1, and the default, is
        the lowest bit.

    Returns
    -------
    Attribution
        Arrays of units x rules. In each unit ``shapley`` and ``first`` add up to the number of
        blocked requests (over rules), and ``only <= shapley <= any`` and ``only <= first <=
        any``.

    Raises
    ------
    ValueError
        Lengths or unit numbers do not fit, a pattern has a bit beyond ``n_rules``, a count is
        negative, or ``first`` is not in its pattern.

    Notes
    -----
    Two games ask two questions of a set of rules ``S``: the *union* game, how many requests were
    blocked by at least one rule in ``S``, and its dual, the *freed* game, how many would have been
    free had all rules in ``S`` been lifted (those whose whole pattern lies in ``S``). "What would
    removing this rule alone free?" is the freed game of one rule, ``only``; "how many did it stand
    in the way of?" is the union game of one rule, ``any``; ``first`` is what each rule adds to the
    union when rules are taken in order of precedence. None of the three can be added up to
    anything but ``first``, which depends on the order. The Shapley value, the mean over all orders
    of what a rule adds, adds up and is the same in both games (a game and its dual share it). A
    game of one pattern ``P`` treats its rules alike, so each gets ``1 / |P|``, and the value is
    linear in the counts: no order has to be enumerated.
    Source: Shapley (1953), Contributions to the Theory of Games II:307-317; duality and the value
    of unanimity games: Peleg and Sudholter (2007), Introduction to the Theory of Cooperative
    Games, chapter 8.

    Examples
    --------
    Six requests: four met rule 0 only, two met rules 0 and 1:

    >>> parts = attribute_patterns([0, 0], [0b01, 0b11], [4, 2], n_rules=2)
    >>> parts.shapley.tolist(), parts.only.tolist(), parts.any.tolist(), parts.first.tolist()
    ([[5.0, 1.0]], [[4.0, 0.0]], [[6.0, 2.0]], [[6.0, 0.0]])
    """
    unit, n_units = checked_groups(unit, n_units)
    pattern, count, first = _checked_patterns(unit, pattern, count, n_rules, first)
    size = np.maximum(np.bitwise_count(pattern), 1)

    def total(rows: np.ndarray) -> np.ndarray:
        return np.bincount(unit, rows, minlength=n_units)

    columns = Attribution(*([] for _ in Attribution._fields))
    for rule in range(n_rules):
        has = (pattern >> rule) & 1
        part = np.where(count > 0, has / size, 0.0)
        most = np.zeros(n_units)
        np.maximum.at(most, unit, part)
        columns.shapley.append(total(count * part))
        columns.first.append(total(count * (first == rule)))
        columns.only.append(total(count * (pattern == 1 << rule)))
        columns.any.append(total(count * has))
        columns.squares.append(total(count * part**2))
        columns.most.append(most)
    return Attribution(*(np.stack(column, axis=1) for column in columns))


def part_interval(
    group: np.ndarray,
    k: np.ndarray,
    squares: np.ndarray,
    n: np.ndarray,
    *,
    most: np.ndarray | float = 1.0,
    n_groups: int | None = None,
    level: float = 0.95,
    clusters: str | None = "cluster",
    alone: np.ndarray | None = None,
) -> RatioInterval:
    """Mean part in [0, 1] of the units of each group, with limits that allow for clusters.

    A unit may belong to what is counted in part (a Shapley part of a half); where every part is 0
    or 1 this is :func:`analysis.stats.ratio_interval`.

    Parameters
    ----------
    group
        Group of each row, whole numbers from 0.
    k, squares
        Sum of the parts of each row's units, and of their squares.
    n
        Units of each row. A row is one cluster unless it is ``alone``.
    most
        Largest part that a unit of the row can have; limits stay at most the largest of a group.
    n_groups, level, clusters, alone
        As in :func:`analysis.stats.ratio_interval`.

    Returns
    -------
    RatioInterval
        One value a group; ``k`` is the sum of parts.

    Raises
    ------
    ValueError
        As :func:`analysis.stats.cluster_variance`; or ``level`` is not in (0, 1).

    Notes
    -----
    The influence of a cluster on the mean ``p`` is ``k_c - p n_c``; its variance is that of
    :func:`analysis.stats.cluster_variance`, at least that of independent units. Limits are
    Wilson's at the sample size that this variance is worth, on the scale from 0 to ``most``: parts
    of a half vary less than whole ones, so the sample may be worth more than ``n``. In 2,000
    simulated markets each, 95% limits covered the true shares of four rules in 94 to 97% (150
    independent requests), 93 to 95% (40 unlike sellers of 6 requests in the mean), 97 to 98% (40
    sellers alike, where the design effect is never taken below 1) and 92 to 94% (15 unlike sellers
    of 20).

    Examples
    --------
    >>> share = part_interval([0, 0], [5.0, 1.0], [4.5, 0.5], [20, 20], clusters=None)
    >>> share.estimate.tolist(), share.low.round(3).tolist(), share.high.round(3).tolist()
    ([0.15], [0.076], [0.274])
    """
    level = checked_level(level)
    if clusters is None:
        alone = np.ones(np.shape(group), dtype=bool)
    found = cluster_variance(group, k, n, squares=squares, n_groups=n_groups, alone=alone)
    length = len(found.variance)
    peak = np.zeros(length)
    np.maximum.at(peak, np.asarray(group), np.broadcast_to(most, np.shape(group)))
    peak = np.where(peak > 0, peak, 1.0)
    k, squares, n = (
        np.bincount(group, np.asarray(x, float), minlength=length) for x in (k, squares, n)
    )
    size, even, p = _worth(k, squares, n, peak)
    low, high = wilson(p * size, size, level=level)
    enough = found.n_clusters >= 2
    if clusters is not None:
        variance = np.maximum(found.variance / peak**2, even)
        wide = clustered_wilson(p * size, size, variance, df=found.df, level=level)
        low, high = (np.where(enough, w, x) for w, x in zip(wide, (low, high), strict=True))
    with np.errstate(invalid="ignore"):
        estimate = k / n
    low, high = np.minimum(low * peak, estimate), np.maximum(high * peak, estimate)
    named = interval_names("Wilson of parts", clusters, enough)
    return RatioInterval(estimate, low, high, n, k, found.n_clusters, named)


def _worth(
    k: np.ndarray, squares: np.ndarray, n: np.ndarray, peak: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Binary units that independent ones are worth, the variance of their mean, and that mean.

    All on the scale from 0 to ``peak``.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.clip(np.where(n > 0, k / n / peak, 0.0), 0, 1)
        spread = p * (1 - p)
        # what is below the last digit is a sum that should be 0
        even = squares / peak**2 / n - p**2
        even = np.where(even > 1e-12 * np.maximum(spread, 1e-300), even, 0.0) / n
        size = np.where((even > 0) & (spread > 0), spread / even, n)
    return size, np.nan_to_num(even), p


def _checked_patterns(
    unit: np.ndarray,
    pattern: np.ndarray,
    count: np.ndarray,
    n_rules: int,
    first: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if not 1 <= n_rules <= MAX_RULES:
        raise ValueError(f"n_rules must be from 1 to {MAX_RULES}, got {n_rules}")
    pattern = np.asarray(pattern, dtype=np.int64)
    count, _ = checked_counts(count, np.inf)
    lowest = np.bitwise_count((pattern & -pattern) - 1).astype(np.int64)
    lowest = np.where(pattern > 0, lowest, -1)
    given = lowest if first is None else np.asarray(first, dtype=np.int64)
    if not len(unit) == len(pattern) == count.size == len(given):
        raise ValueError(
            "unit, pattern, count and first must be of one length, got "
            f"{len(unit)}, {len(pattern)}, {count.size}, {len(given)}"
        )
    if ((pattern < 0) | (pattern >= 1 << n_rules)).any():
        raise ValueError(f"pattern must be from 0 to {(1 << n_rules) - 1}, got {pattern.tolist()}")
    first = np.where(given < 0, lowest, given)
    if ((first >= 0) & ((pattern >> np.maximum(first, 0)) & 1 == 0)).any():
        raise ValueError("first must be a rule of its pattern")
    return pattern, count, first
