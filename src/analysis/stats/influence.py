"""Sums of squared influences of clusters on curves, from counts, without a matrix of spells.

A spell at risk over rows ``v`` of its group's curve moves an estimate at ``t`` by the sum over
``v <= t`` of ``load_k(v) (1{ends at v by k} - h_k(v))`` for each cause ``k``, ``h_k = d_k / Y``.
The sum of ``load h`` up to a row, the *drift*, is the same for all: what a spell adds is known
from the rows in which it begins and ends.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.cells import Placed
from analysis.stats.segments import Segments

BLOCK = 2**22  # elements of a matrix of clusters x times


class Load(NamedTuple):
    """How much one end at each row of the curve moves an estimate."""

    every: np.ndarray  # by any cause
    drift: np.ndarray  # running sum of loads times hazards
    own: np.ndarray | None = None  # and by ``cause`` on top
    cause: int = 0  # numbered from 1


def exits(cells: Placed, load: Load) -> np.ndarray:
    """What one spell of each cell adds when it ends, from its beginning on.

    Examples
    --------
    >>> from analysis.stats import Cells, kaplan_meier
    >>> from analysis.stats.cells import placed
    >>> cells = placed(kaplan_meier([0, 0], [1, 2], [1, 1], [0, 0]),
    ...                Cells([0, 0], [1, 2], [1, 1], [1, 1]))
    >>> exits(cells, Load(np.array([1.0, 2.0]), np.array([0.5, 2.5]))).tolist()
    [0.5, -0.5]
    """
    found = load.every[cells.row] * (cells.end > 0) - load.drift[cells.row]
    if load.own is not None:
        found += load.own[cells.row] * (cells.end == load.cause)
    return found if cells.begin is None else found + at_entry(cells, load)


def at_entry(cells: Placed, load: Load) -> np.ndarray:
    """Drift up to the entry of each cell.

    Examples
    --------
    >>> from analysis.stats import Cells, kaplan_meier
    >>> from analysis.stats.cells import placed
    >>> cells = placed(kaplan_meier([0, 0], [1, 2], [1, 1], [0, 0]),
    ...                Cells([0, 0], [1, 2], [1, 1], [1, 1], None, [0, 1]))
    >>> at_entry(cells, Load(np.array([1.0, 2.0]), np.array([0.5, 2.5]))).tolist()
    [0.0, 0.5]
    """
    late = cells.begin > cells.segments.starts[cells.group]
    return np.where(late, load.drift[np.maximum(cells.begin, 1) - 1], 0.0)


def final_squares(cells: Placed, load: Load, part: np.ndarray, lone: np.ndarray) -> np.ndarray:
    """Sum of squared influences at the end of each group's curve.

    Parameters
    ----------
    cells, load
        The spells, and one load.
    part
        What each cluster's square counts for.
    lone
        What the square of one spell on its own counts for, times how many there are; one a cell.

    Examples
    --------
    >>> from analysis.stats import Cells, kaplan_meier
    >>> from analysis.stats.cells import placed
    >>> cells = placed(kaplan_meier([0, 0], [1, 2], [1, 1], [0, 0]),
    ...                Cells([0, 0], [1, 2], [1, 1], [1, 1]))
    >>> load = Load(np.array([1.0, 2.0]), np.array([0.5, 2.5]))
    >>> final_squares(cells, load, np.zeros(0), np.ones(2)).tolist()
    [0.5]
    """
    moves, inside = exits(cells, load), cells.unit >= 0
    whole = np.bincount(cells.unit[inside], (cells.n * moves)[inside], minlength=len(part))
    squares = np.bincount(cells.unit_group, part * whole**2, minlength=cells.segments.n_groups)
    alone = np.where(inside, 0.0, lone * moves**2)
    return squares + np.bincount(cells.group, alone, minlength=cells.segments.n_groups)


def running_squares(cells: Placed, load: Load, part: np.ndarray) -> np.ndarray:
    """Sum of squared influences of clusters at every row, for one load.

    A cluster's influence is ``U - drift * Y``: what its spells added by ending, and how many of
    it are at risk. Both change only in rows of its own, so three running sums of changes give
    the sum of squares everywhere.
    """
    segments = cells.segments
    cells = cells.kept(cells.unit >= 0)
    unit, row, ended, risk = cells.unit, cells.row, cells.n * exits(cells, load), -cells.n
    if cells.begin is not None:  # what is added at an exit is counted from the entry on
        start = segments.starts[cells.group]
        moves = cells.n * at_entry(cells, load)
        unit = np.concatenate([unit, unit])
        row = np.concatenate([row, np.maximum(cells.begin - 1, start)])
        ended = np.concatenate([ended - moves, moves])
        risk = np.concatenate([risk, cells.n])
    order = np.argsort(unit * np.int64(segments.n_rows + 1) + row, kind="stable")
    unit, row, ended, risk = unit[order], row[order], ended[order], risk[order]
    own = Segments(np.searchsorted(unit, np.arange(len(part) + 1)))
    before = -own.sum_from_end(risk)  # at risk before the change
    after = own.following(before, 0.0)
    total = own.running_sum(ended)
    until = own.previous(total, 0.0)
    weight = part[unit]

    def gathered(change: np.ndarray) -> np.ndarray:
        return np.bincount(row, weight * change, minlength=segments.n_rows)

    squares = segments.running_sum(gathered(total**2 - until**2))
    mixed = _from_end(segments, gathered(until * before - total * after))
    risks = _from_end(segments, gathered(before**2 - after**2))
    return np.maximum(squares - load.drift * (2 * mixed - load.drift * risks), 0.0)


def _from_end(segments: Segments, change: np.ndarray) -> np.ndarray:
    """What is left after each row of a sum that ends at 0."""
    return segments.following(segments.sum_from_end(change), 0.0)


def lone_squares(
    cells: Placed, lone: np.ndarray, loads: list[Load], factors: list[np.ndarray]
) -> np.ndarray:
    """Sum of squared influences, at every row, of spells that are clusters of their own.

    The influence is the sum of what each of ``loads`` gives, times its ``factors`` (one a row).
    """
    outside = cells.unit < 0
    cells, lone = cells.kept(outside), lone[outside]
    total = np.zeros(cells.segments.n_rows)
    if not len(lone):
        return total
    moves = [exits(cells, load) for load in loads]
    for i, one in enumerate(loads):
        for j, other in enumerate(loads[: i + 1]):
            pair = _ended(cells, lone * moves[i] * moves[j]) + _waiting(cells, lone, one, other)
            total += (2 - (i == j)) * factors[i] * factors[j] * pair
    return np.maximum(total, 0.0)


def _ended(cells: Placed, values: np.ndarray) -> np.ndarray:
    """Sum of ``values`` of the cells that have ended by each row."""
    segments = cells.segments
    return segments.running_sum(np.bincount(cells.row, values, minlength=segments.n_rows))


def _at_risk(cells: Placed, values: np.ndarray) -> np.ndarray:
    """Sum of ``values`` of the cells that are at risk after each row."""
    segments = cells.segments
    left = _from_end(segments, np.bincount(cells.row, values, minlength=segments.n_rows))
    if cells.begin is None:
        return left
    begun = np.maximum(cells.begin - 1, segments.starts[cells.group])
    return left - _from_end(segments, np.bincount(begun, values, minlength=segments.n_rows))


def _waiting(cells: Placed, lone: np.ndarray, one: Load, other: Load) -> np.ndarray:
    """Sum of products of what waiting has added, over those at risk after each row."""
    both = one.drift * other.drift * _at_risk(cells, lone)
    if cells.begin is None:
        return both
    first, second = at_entry(cells, one), at_entry(cells, other)
    mixed = one.drift * _at_risk(cells, lone * second) + other.drift * _at_risk(cells, lone * first)
    return both - mixed + _at_risk(cells, lone * first * second)


class Paths:
    """Influences of clusters at asked times, a block of clusters after the other.

    ``bins`` are, for each cell, the number of the first asked time by which it has ended;
    ``last`` is the row in force at each asked time, groups x times, -1 before the first.
    """

    def __init__(self, cells: Placed, part: np.ndarray, time: np.ndarray, times: np.ndarray):
        self.cells, self._part = cells.kept(cells.unit >= 0), part
        segments = cells.segments
        passed = segments.locate(time, times)
        self.last = np.where(passed > 0, segments.starts[:-1, None] + passed - 1, -1)
        self._n_times = len(times)
        self._bins = np.searchsorted(times, time[self.cells.row])
        order = np.argsort(self.cells.unit, kind="stable")
        self.cells, self._bins = self.cells.kept(order), self._bins[order]
        self._late = None
        if self.cells.begin is not None:
            begun = np.maximum(self.cells.begin - 1, segments.starts[self.cells.group])
            self._late = np.searchsorted(times, time[begun])

    def at(self, column: np.ndarray) -> np.ndarray:
        """Value of a column of the curve in force at each asked time, 0 before the first row."""
        if not len(column):
            return np.zeros(self.last.shape)
        return np.where(self.last >= 0, column[np.maximum(self.last, 0)], 0.0)

    def squares(self, loads: list[list[Load]], factors: list[list[np.ndarray]]) -> np.ndarray:
        """Sum of squares, groups x times x estimates; each estimate has loads and factors.

        Loads that are the same object are computed once a block.
        """
        cells, n_groups = self.cells, self.cells.segments.n_groups
        total = np.zeros((n_groups, self._n_times, len(loads)))
        moves = {id(load): cells.n * exits(cells, load) for one in loads for load in one}
        size = max(1, BLOCK // max(self._n_times, 1))
        for first in range(0, len(self._part), size):
            units = slice(first, min(first + size, len(self._part)))
            group = cells.unit_group[units]
            risk = self._risk(units)
            paths = {
                id(load): self._path(units, load, moves[id(load)], risk)
                for one in loads
                for load in one
            }
            starts = np.flatnonzero(np.diff(group, prepend=-1))
            for number, (one, scales) in enumerate(zip(loads, factors, strict=True)):
                move = sum(
                    scale[group] * paths[id(load)] for load, scale in zip(one, scales, strict=True)
                )
                sums = np.add.reduceat(self._part[units, None] * move**2, starts, axis=0)
                total[group[starts], :, number] += sums
        return total

    def _counted(
        self, units: slice, own: slice, bins: np.ndarray, values: np.ndarray
    ) -> np.ndarray:
        """Sum ``values`` of the cells ``own`` by cluster and by asked time, running."""
        width = self._n_times + 1
        place = (self.cells.unit[own] - units.start) * width + bins[own]
        size = (units.stop - units.start) * width
        counted = np.bincount(place, values[own], minlength=size).reshape(-1, width)
        return counted[:, :-1].cumsum(axis=1)

    def _own(self, units: slice) -> slice:
        return slice(*np.searchsorted(self.cells.unit, [units.start, units.stop]))

    def _risk(self, units: slice) -> np.ndarray:
        """How many of each cluster are at risk after each asked time."""
        own = self._own(units)
        left = self._counted(units, own, self._bins, self.cells.n)
        if self._late is None:
            return self.cells.unit_n[units, None] - left
        return self._counted(units, own, self._late, self.cells.n) - left

    def _path(self, units: slice, load: Load, moves: np.ndarray, risk: np.ndarray) -> np.ndarray:
        own, cells = self._own(units), self.cells
        path = self._counted(units, own, self._bins, moves)
        if self._late is not None:  # what is added at an exit is counted from the entry on
            entry = cells.n * at_entry(cells, load)
            path += self._counted(units, own, self._late, entry)
            path -= self._counted(units, own, self._bins, entry)
        return path - self.at(load.drift)[cells.unit_group[units]] * risk
