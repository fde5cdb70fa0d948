"""Spells that cluster: counts by group, cluster, time and kind of end.

Unit: one cell, the spells of one cluster (a seller) in one group that ended at one time in one
way, and came under observation at one time if any came late.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.curves.competing import IncidenceCurve
from analysis.stats.curves.life_tables import checked_groups
from analysis.stats.curves.segments import Segments, numbered, rows_until
from analysis.stats.curves.survival import SurvivalCurve


class Cells(NamedTuple):
    """Counts of spells; arrays of one length, rows in any order."""

    group: np.ndarray  # whole numbers from 0
    time: np.ndarray  # of the end, or when last seen
    end: np.ndarray  # 0 censored, else the number of the cause from 1
    n: np.ndarray  # how many spells, or the sum of their weights
    cluster: np.ndarray | None = None  # whole numbers; below 0, or None: each a cluster of its own
    entry: np.ndarray | None = None  # at risk after this time; None: all from the beginning
    n_squared: np.ndarray | None = None  # sum of squared weights; None: all weights are 1
    n_spells: np.ndarray | None = None  # how many, where ``n`` is weighted; None: ``n``


class Placed(NamedTuple):
    """Checked cells and where they lie in a curve that was made of them."""

    segments: Segments
    group: np.ndarray
    row: np.ndarray  # of the curve, in which the cell leaves
    begin: np.ndarray | None  # row of the curve from which on it is at risk
    kind: np.ndarray  # row and end in one number: row * kinds + end
    kinds: int  # causes and 1
    n: np.ndarray
    n_squared: np.ndarray
    n_spells: np.ndarray
    unit: np.ndarray  # number of the cell's cluster in its group, -1: on its own
    unit_group: np.ndarray  # group of each such cluster, rising
    unit_n: np.ndarray  # spells in it

    @property
    def end(self) -> np.ndarray:
        """0 censored, else the number of the cause from 1."""
        return self.kind % self.kinds

    def alone(self) -> Placed:
        """Return the same spells, every one a cluster of its own."""
        nobody = np.zeros(0, dtype=np.int64)
        return self._replace(unit=np.full(len(self.row), -1), unit_group=nobody, unit_n=np.zeros(0))

    def kept(self, keep: np.ndarray) -> Placed:
        """Return only some of the cells."""
        if keep.dtype == bool and keep.all():
            return self
        of_cells = ("group", "row", "kind", "n", "unit")
        parts = {name: getattr(self, name)[keep] for name in of_cells}
        for name in ("n_squared", "n_spells"):  # without weights they are ``n``
            values = getattr(self, name)
            parts[name] = parts["n"] if values is self.n else values[keep]
        begin = None if self.begin is None else self.begin[keep]
        return self._replace(begin=begin, **parts)


def placed(curve: SurvivalCurve | IncidenceCurve, cells: Cells) -> Placed:
    """Find the rows of the curve in which cells begin and end, and number their clusters.

    Raises
    ------
    ValueError
        Lengths do not fit, a count is negative, a time is not in the curve, or the cells do not
        add up to its counts.

    Examples
    --------
    >>> from analysis.stats import kaplan_meier
    >>> curve = kaplan_meier([0, 0], [1, 4], [2, 1], [0, 0])
    >>> found = placed(curve, Cells([0, 0, 0], [4, 1, 1], [1, 1, 1], [1, 1, 1], [7, 7, -1]))
    >>> found.row.tolist(), found.unit.tolist(), found.unit_n.tolist()
    ([1, 0, 0], [0, 0, -1], [2.0])
    """
    segments = curve.segments
    group, _ = checked_groups(cells.group, segments.n_groups)
    time, end = np.asarray(cells.time), np.asarray(cells.end)
    n = np.asarray(cells.n, dtype=float)
    squared, spells = (
        n if values is None else np.asarray(values, dtype=float)
        for values in (cells.n_squared, cells.n_spells)
    )
    for values in (time, end, n, squared, spells):
        if values.shape != group.shape:
            raise ValueError(f"cells must be of one length, {group.shape}, got {values.shape}")
    if not (n >= 0).all():
        raise ValueError(f"n must be at least 0, got {n[~(n >= 0)][0]}")
    row = rows_until(segments, curve.time, group, time) - 1
    if len(row) and not ((row >= segments.starts[group]) & (curve.time[row] == time)).all():
        raise ValueError("cells must be those that the curve was made of: a time is not in it")
    begin = None
    if cells.entry is not None:
        begin = rows_until(segments, curve.time, group, np.asarray(cells.entry))
    kind, kinds = _kinds(curve, row, end, n)
    unit, unit_group, unit_n = _units(group, cells.cluster, n)
    counts = (n, squared, spells)
    return Placed(segments, group, row, begin, kind, kinds, *counts, unit, unit_group, unit_n)


def _kinds(
    curve: SurvivalCurve | IncidenceCurve, row: np.ndarray, end: np.ndarray, n: np.ndarray
) -> tuple[np.ndarray, int]:
    """Number row and end together; error if the counts are not those of the curve."""
    several = isinstance(curve, IncidenceCurve)
    counts = [curve.n_censored, *(curve.n_events.T if several else [curve.n_event])]
    kinds = len(counts)
    if end.size and (end.min() < 0 or end.max() >= kinds):
        raise ValueError(f"end must be 0 to {kinds - 1}, got {end.min()} to {end.max()}")
    kind = row * kinds + end
    found = np.bincount(kind, n, minlength=kinds * len(curve.time))
    if not np.allclose(found.reshape(-1, kinds), np.stack(counts, axis=-1), 1e-9, 1e-9):
        raise ValueError("cells must add up to the counts of the curve")
    return kind, kinds


def _units(
    group: np.ndarray, cluster: np.ndarray | None, n: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number the clusters of each group that have spells, groups rising."""
    unit = np.full(len(group), -1, dtype=np.int64)
    if cluster is None:
        return unit, np.zeros(0, dtype=np.int64), np.zeros(0)
    cluster = np.asarray(cluster)
    if cluster.shape != group.shape or (cluster.size and cluster.dtype.kind not in "iu"):
        raise ValueError("cluster must be whole numbers, one a cell")
    inside = np.flatnonzero((cluster >= 0) & (n > 0))
    width = int(cluster.max(initial=0)) + 1
    keys, unit[inside] = numbered(group[inside] * width + cluster[inside])
    return unit, keys // width, np.bincount(unit[inside], n[inside], minlength=len(keys))
