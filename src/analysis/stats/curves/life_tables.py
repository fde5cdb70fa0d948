"""Life tables of many groups at once: counts by group and time, and who was at risk."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.curves.segments import Segments, rising


class LifeTable(NamedTuple):
    """Counts by group and time, sorted; only times at which somebody leaves."""

    segments: Segments
    time: np.ndarray
    n_at_risk: np.ndarray  # just before the time
    n_events: np.ndarray  # causes x rows
    n_ended: np.ndarray  # by any cause
    n_censored: np.ndarray


def life_table(
    group: np.ndarray,
    time: np.ndarray,
    n_events: np.ndarray,
    n_censored: np.ndarray,
    n_entered: np.ndarray | None,
    n_groups: int | None,
) -> LifeTable:
    """Gather counts by group and time and count who is at risk.

    Parameters
    ----------
    group, time
        Of each row of counts, in any order; the same pair may come in several rows.
    n_events
        Causes x rows.
    n_censored, n_entered
        Of each row; those who enter at a time are at risk after it. Without ``n_entered``
        everybody is at risk from the beginning.
    n_groups
        Number of groups; by default the largest number in ``group`` plus 1.

    Returns
    -------
    LifeTable
        One row per group and time with an event or a censoring.

    Raises
    ------
    ValueError
        Lengths or group numbers do not fit, a time is negative or not finite, a count is
        negative or not finite, or more leave than are at risk.

    Examples
    --------
    >>> table = life_table([0, 0, 0], [2, 1, 2], [[1, 0, 2]], [0, 1, 0], None, None)
    >>> table.time.tolist(), table.n_at_risk.tolist(), table.n_events.tolist()
    ([1, 2], [4.0, 3.0], [[0.0, 3.0]])
    """
    group, n_groups = checked_groups(group, n_groups)
    time = np.asarray(time)
    counts = [*np.asarray(n_events), np.asarray(n_censored)]
    n_kinds = len(counts)
    if n_entered is not None:
        counts.append(np.asarray(n_entered))
    checked_rows(group, time, counts)
    group, time, counts = _gathered(group, time, counts, n_groups)
    events, censored = counts[: n_kinds - 1], counts[n_kinds - 1]
    ended = events.sum(axis=0)
    leaving = ended + censored
    segments = Segments(np.searchsorted(group, np.arange(n_groups + 1)))
    change = leaving if n_entered is None else leaving - counts[-1]
    at_risk = segments.sum_from_end(change)
    table = LifeTable(segments, time, at_risk, events, ended, censored)
    if n_entered is not None:
        table = table._replace(n_at_risk=_checked_risk(table))
    return table if (leaving > 0).all() else _kept(table, leaving > 0)


def checked_groups(group: np.ndarray, n_groups: int | None) -> tuple[np.ndarray, int]:
    """Return ``group`` as int64, and the number of groups.

    Raises
    ------
    ValueError
        A group is not a whole number from 0 to below ``n_groups``.

    Examples
    --------
    >>> checked_groups([0, 2, 2], None)[1]
    3
    """
    found = np.asarray(group)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        raise ValueError(f"group must be whole numbers in one dimension, got {found.dtype}")
    top = int(found.max(initial=-1))
    n_groups = top + 1 if n_groups is None else n_groups
    if found.min(initial=0) < 0:
        raise ValueError(f"group must be at least 0, got {found.min()}")
    if top >= n_groups:
        raise ValueError(f"group must be below n_groups = {n_groups}, got {top}")
    return found.astype(np.int64, copy=False), n_groups


def checked_rows(group: np.ndarray, time: np.ndarray, counts: list[np.ndarray]) -> None:
    """Check that times and counts have a value a row, at least 0 and finite.

    Raises
    ------
    ValueError
        One of them has not.

    Examples
    --------
    >>> checked_rows(np.array([0]), np.array([1.0]), [np.array([-1.0])])
    Traceback (most recent call last):
    ValueError: counts must be at least 0 and finite, got -1.0
    """
    for values in (time, *counts):
        if values.shape != group.shape:
            raise ValueError(f"counts must have one value a row, {group.shape}, got {values.shape}")
    for name, values in (("time", time), *(("counts", count) for count in counts)):
        if values.size and not (values.min() >= 0 and values.max() < np.inf):  # so for NaN, too
            fine = (values >= 0) & (values < np.inf)
            raise ValueError(f"{name} must be at least 0 and finite, got {values[~fine][0]}")


def _gathered(
    group: np.ndarray, time: np.ndarray, counts: list[np.ndarray], n_groups: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Add up the counts of each group and time, sorted; kinds of counts x rows."""
    width = int(time.max(initial=0)) + 1 if time.dtype.kind in "iu" else 0
    if 0 < width * n_groups <= 4 * len(time):  # many rows on few whole times: do not sort
        key = group * width + time
        found = np.flatnonzero(np.bincount(key, minlength=width * n_groups))
        summed = [np.bincount(key, count, minlength=width * n_groups)[found] for count in counts]
        return found // width, (found % width).astype(time.dtype), np.array(summed)
    pairs = sorted_pairs(group, time)
    rows = np.empty((len(counts), len(time)))
    for own, count in zip(rows, counts, strict=True):
        own[:] = count[pairs.order]
    if len(pairs.group) < len(time):
        rows = np.add.reduceat(rows, np.flatnonzero(pairs.first), axis=1)
    return pairs.group, pairs.time, rows


class Pairs(NamedTuple):
    """Rows sorted by group and time."""

    order: np.ndarray | slice  # of the rows
    first: np.ndarray  # bool: which sorted rows begin a new pair
    group: np.ndarray  # of each pair
    time: np.ndarray  # of each pair


def sorted_pairs(group: np.ndarray, time: np.ndarray) -> Pairs:
    """Sort rows by group and time, both at least 0.

    Examples
    --------
    >>> pairs = sorted_pairs(np.array([1, 0, 0]), np.array([5, 2, 2]))
    >>> pairs.order.tolist(), pairs.first.tolist()
    ([1, 2, 0], [True, False, True])
    >>> pairs.group.tolist(), pairs.time.tolist()
    ([0, 1], [2, 5])
    """
    same = group[1:] == group[:-1]
    alone = bool(same.all())
    order: np.ndarray | slice = slice(None)
    if not np.all((group[1:] > group[:-1]) | (same & (time[1:] >= time[:-1]))):
        order = rising(time)
        if not alone:
            narrow = np.uint16 if group.max() < 2**16 else np.int64  # 16 bits sort in linear time
            order = order[np.argsort(group[order].astype(narrow), kind="stable")]
            group = group[order]
        time = time[order]
    first = np.ones(len(group), dtype=bool)
    np.not_equal(time[1:], time[:-1], out=first[1:])
    if not alone:
        first[1:] |= group[1:] != group[:-1]
    if not first.all():
        group, time = group[first], time[first]
    return Pairs(order, first, group, time)


def _kept(table: LifeTable, keep: np.ndarray) -> LifeTable:
    group = table.segments.group[keep]
    segments = Segments(np.searchsorted(group, np.arange(table.segments.n_groups + 1)))
    rows = (part[..., keep] for part in table[1:])
    return LifeTable(segments, *rows)


def _checked_risk(table: LifeTable) -> np.ndarray:
    """Return who is at risk, at least those who leave; error if entries do not fit exits."""
    segments, leaving = table.segments, table.n_ended + table.n_censored
    slack = 1e-9 * max(1.0, float(leaving.max(initial=0)))  # weighted counts carry rounding
    surplus = segments.group[segments.first_rows][
        np.abs(table.n_at_risk[segments.first_rows]) > slack
    ]
    if surplus.size:
        raise ValueError(f"n_entered must add up to those who leave, not so in group {surplus[0]}")
    short = np.flatnonzero(table.n_at_risk < leaving - slack)
    if short.size:
        i = short[0]
        raise ValueError(
            f"n_entered does not fit: {leaving[i]:g} leave group {segments.group[i]} at time "
            f"{table.time[i]}, when {table.n_at_risk[i]:g} are at risk"
        )
    return np.maximum(table.n_at_risk, leaving)
