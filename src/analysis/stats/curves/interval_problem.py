"""Which innermost intervals can carry mass, and which of them each spell allows.

Unit: one spell, as in :mod:`analysis.stats.curves.intervals`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from analysis.stats.curves.life_tables import checked_groups
from analysis.stats.curves.mixtures import Allowed
from analysis.stats.curves.segments import numbered


class Problem(NamedTuple):
    """The spells of one group: innermost intervals, and which of them each observation allows."""

    low: np.ndarray
    high: np.ndarray
    cells: Allowed
    observation: np.ndarray  # of each row of counts
    last: float


def checked_spells(
    group: np.ndarray, left: np.ndarray, right: np.ndarray, n: np.ndarray, n_groups: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]:
    """Return the rows that count, as numbers, and how many groups there are; or raise."""
    group, n_groups = checked_groups(group, n_groups)
    left, right, n = (np.asarray(values, dtype=float) for values in (left, right, n))
    for name, values in (("left", left), ("right", right), ("n", n)):
        if values.shape != group.shape:
            raise ValueError(f"{name} must have one value a row, {group.shape}, got {values.shape}")
    wrong = ~(left <= right) | np.isposinf(left)
    if wrong.any():
        i = np.flatnonzero(wrong)[0]
        raise ValueError(f"left must be finite and at most right, got ({left[i]}, {right[i]}]")
    if not ((n >= 0) & (n < np.inf)).all():
        raise ValueError("n must be at least 0 and finite")
    counted = n > 0
    return group[counted], left[counted], right[counted], n[counted], n_groups


def members_of(group: np.ndarray, n_groups: int) -> Iterator[np.ndarray]:
    """Rows of each group."""
    order = np.argsort(group, kind="stable")
    edges = np.searchsorted(group[order], np.arange(n_groups + 1))
    for start, end in zip(edges[:-1], edges[1:], strict=True):
        yield order[start:end]


def problem_of(left: np.ndarray, right: np.ndarray) -> Problem:
    """Find the innermost intervals: a left end whose next end is a right one.

    Ends at one time are in the order: left of an exact time, right, left of an interval.
    """
    exact = left == right
    pairs, observation = _distinct(left, right)
    begins, _ = _distinct(left, np.where(exact, 0.0, 2.0))
    ends = np.unique(right)
    time = np.concatenate([begins[:, 0], ends])
    kind = np.concatenate([begins[:, 1], np.ones(len(ends))])
    order = np.lexsort((kind, time))
    is_end = kind[order] == 1
    at = np.flatnonzero(~is_end[:-1] & is_end[1:])
    low, high = time[order][at], time[order][at + 1]
    alone = pairs[:, 0] == pairs[:, 1]
    # an exact time is a cell of its own, [t, t], before any that is open at t
    first = np.searchsorted(high, pairs[:, 0], side="left")
    open_first = np.searchsorted(low, pairs[:, 0], side="left")
    open_first += _exact_at(low, high, pairs[:, 0], open_first)
    last = np.searchsorted(high, pairs[:, 1], side="right") - 1
    cells = Allowed(len(low), np.where(alone, first, open_first), np.where(alone, first, last))
    finite = np.concatenate([left[np.isfinite(left)], right[np.isfinite(right)]])
    return Problem(low, high, cells, observation, finite.max(initial=-np.inf))


def _distinct(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct pairs, rising, one row each, and the place of each pair among them."""
    (firsts, i), (seconds, j) = (np.unique(x, return_inverse=True) for x in (first, second))
    keys, place = numbered(i * len(seconds) + j)
    pairs = np.stack([firsts[keys // len(seconds)], seconds[keys % len(seconds)]], axis=1)
    return pairs, place


def _exact_at(low: np.ndarray, high: np.ndarray, time: np.ndarray, at: np.ndarray) -> np.ndarray:
    """1 where the cell ``at`` is the exact time itself, which an interval open there excludes."""
    inside = np.minimum(at, len(low) - 1)
    return ((at < len(low)) & (low[inside] == time) & (high[inside] == time)).astype(np.int64)
