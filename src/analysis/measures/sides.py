"""Spells side by side: the values of one column, compared within groups.

Unit: a *side*, the spells of one group that have one value of the column ``between``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.measures.circumstances import MISSING, POOLED, levels_of
from analysis.measures.counting import Groups, groups_of, require_own_columns
from analysis.measures.leakage import require_known_before
from analysis.measures.spells import Spells
from analysis.sources.tables import as_names

if TYPE_CHECKING:
    import pandas as pd

MOST_VALUES = 8  # compared; rarer ones are pooled
OWN_COLUMNS = ("compared", "value", "baseline")


class Sides(NamedTuple):
    """Who is compared with whom."""

    groups: pd.DataFrame  # one row a group, the columns of ``by``
    names: list[str]  # of the values of ``between``, most spells or the contract's order first
    group: np.ndarray  # of each side
    value: np.ndarray  # of each side: its number in ``names``
    spells: Spells  # counted by side: their groups are the sides

    @property
    def n(self) -> np.ndarray:
        """Spells of each side."""
        return np.bincount(self.spells.groups.index, self.spells.n_spells, len(self.group))


def checked_between(between: str, by: Sequence[str], *, moment: str) -> list[str]:
    """Return the columns to count by: ``by`` without ``between``, then ``between``.

    Raises
    ------
    ValueError
        ``between`` is known only after ``moment``, or the result has a column that ``by`` names.
    """
    by = [column for column in as_names(by) if column != between]
    require_own_columns(OWN_COLUMNS, by)
    require_known_before([between], moment=moment)
    return [*by, between]


def sides_of(spells: Spells, between: str) -> Sides:
    """Tell the groups of spells, counted by groups and then ``between``, into groups and sides."""
    frame = spells.groups.frame
    by = [column for column in frame.columns if column != between]
    n = np.bincount(spells.groups.index, spells.n_spells, minlength=len(frame))
    levels = levels_of(between, frame[between], n, most=MOST_VALUES)
    groups = groups_of(frame, by)
    width = max(len(levels.names), 1)
    keys, index = np.unique(groups.index * width + levels.codes, return_inverse=True)
    group, value = keys // width, keys % width
    sides = groups.frame.iloc[group].reset_index(drop=True)
    sides = sides.assign(value=np.array(levels.names, dtype=object)[value])
    own = Groups(sides.astype({"value": "str"}), index[spells.groups.index])
    return Sides(groups.frame, levels.names, group, value, spells._replace(groups=own))


def baselines(sides: Sides, baseline: str | None) -> tuple[str, np.ndarray]:
    """Return the name of the baseline, and for each side the side to compare it with, or -1.

    Raises
    ------
    ValueError
        ``baseline`` is none of the values.
    """
    if not sides.names:
        return "", np.zeros(0, dtype=np.int64)
    if baseline is None:
        chosen = commonest(sides.names, np.bincount(sides.value, sides.n, len(sides.names)))
    elif str(baseline) in sides.names:
        chosen = sides.names.index(str(baseline))
    else:
        raise ValueError(f"baseline must be one of {', '.join(sides.names)}, got {baseline!r}")
    side_of = np.full(len(sides.groups), -1)
    of_baseline = np.flatnonzero(sides.value == chosen)
    side_of[sides.group[of_baseline]] = of_baseline
    return sides.names[chosen], side_of[sides.group]


def commonest(names: Sequence[str], n: np.ndarray) -> int:
    """Return the number of the value with the largest ``n``, pooled or missing ones last."""
    real = np.array([name not in (MISSING, POOLED) for name in names])
    return int(np.argmax(np.where(real, n + 1.0, 0.0) if real.any() else n))


class TestRows(NamedTuple):
    """Counts for a test: rows of spells, in which each lone spell is a row of its own."""

    row: np.ndarray  # of the spells
    n_spells: np.ndarray
    weight: np.ndarray  # of a spell
    cluster: np.ndarray | None  # None: spells are independent, and weigh 1


def rows_to_test(spells: Spells) -> TestRows:
    """Return the rows that a test counts; spells without seller are clusters of their own.

    Without sellers a test cannot allow for weights, and every spell counts for 1.
    """
    n = np.asarray(spells.n_spells, dtype=float)
    rows = np.flatnonzero(n > 0)
    if spells.cluster is None:
        return TestRows(rows, n[rows], np.ones(len(rows)), None)
    total = spells.events.sum(axis=1) + spells.censored
    weight = np.divide(total, n, out=np.zeros(len(n)), where=n > 0)
    times = np.where(spells.cluster < 0, np.rint(n), 1).astype(np.int64)
    row = np.repeat(rows, times[rows])
    lone = spells.cluster[row] < 0
    cluster = spells.cluster[row].astype(np.int64)
    cluster[lone] = cluster.max(initial=0) + 1 + np.arange(lone.sum())
    return TestRows(row, np.where(lone, 1.0, n[row]), weight[row], cluster)
