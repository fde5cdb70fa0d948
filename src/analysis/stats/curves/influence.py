"""Sums of squared influences of clusters on curves, from counts, without a matrix of spells.

A spell at risk over rows ``v`` of its group's curve moves an estimate at ``t`` by the sum over
``v <= t`` of ``load_k(v) (1{ends at v by k} - h_k(v))`` for each cause ``k``, ``h_k = d_k / Y``.
The sum of ``load h`` up to a row, the *drift*, is the same for all: what a spell adds is known
from the rows in which it begins and ends.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from analysis.stats.curves.cells import Placed
from analysis.stats.curves.segments import Segments


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
    >>> from analysis.stats.curves.cells import placed
    >>> cells = placed(kaplan_meier([0, 0], [1, 2], [1, 1], [0, 0]),
    ...                Cells([0, 0], [1, 2], [1, 1], [1, 1]))
    >>> exits(cells, Load(np.array([1.0, 2.0]), np.array([0.5, 2.5]))).tolist()
    [0.5, -0.5]
    """
    table = np.repeat(load.every[:, None], cells.kinds, axis=1)  # rows x ends
    table[:, 0] = 0.0
    if load.own is not None:
        table[:, load.cause] += load.own
    found = (table - load.drift[:, None]).ravel()[cells.kind]
    return found if cells.begin is None else found + at_entry(cells, load)


def at_entry(cells: Placed, load: Load) -> np.ndarray:
    """Drift up to the entry of each cell.

    Examples
    --------
    >>> from analysis.stats import Cells, kaplan_meier
    >>> from analysis.stats.curves.cells import placed
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
        The spells, either all in clusters or all on their own, and one load.
    part
        What each cluster's square counts for; empty if there are none.
    lone
        What the square of one spell on its own counts for, times how many there are; one a cell.

    Examples
    --------
    >>> from analysis.stats import Cells, kaplan_meier
    >>> from analysis.stats.curves.cells import placed
    >>> cells = placed(kaplan_meier([0, 0], [1, 2], [1, 1], [0, 0]),
    ...                Cells([0, 0], [1, 2], [1, 1], [1, 1]))
    >>> load = Load(np.array([1.0, 2.0]), np.array([0.5, 2.5]))
    >>> final_squares(cells, load, np.zeros(0), np.ones(2)).tolist()
    [0.5]
    """
    n_groups, moves = cells.segments.n_groups, exits(cells, load)
    if not len(part):
        return np.bincount(cells.group, lone * moves**2, minlength=n_groups)
    whole = np.bincount(cells.unit, cells.n * moves, minlength=len(part))
    return np.bincount(cells.unit_group, part * whole**2, minlength=n_groups)


class Rows:
    """Results in every row of the curve."""

    def __init__(self, segments: Segments) -> None:
        self.segments, self.size = segments, segments.n_rows
        self.place = np.arange(segments.n_rows)  # of each row of the curve

    def at(self, column: np.ndarray) -> np.ndarray:
        """Value of a column of the curve."""
        return column

    def until(self, change: np.ndarray) -> np.ndarray:
        """Sum of changes up to each place, from 0."""
        return self.segments.running_sum(change)

    def after(self, change: np.ndarray) -> np.ndarray:
        """What is left after each place of a sum that changes down to 0."""
        return -self.segments.following(self.segments.sum_from_end(change), 0.0)


class Asked:
    """Results at asked times, which rise: groups x times."""

    def __init__(self, segments: Segments, time: np.ndarray, times: np.ndarray) -> None:
        width = len(times) + 1  # the last is for what comes later
        self._shape, self.size = (segments.n_groups, width), segments.n_groups * width
        self.place = segments.group * width + np.searchsorted(times, time)
        passed = segments.locate(time, times)
        self._last = np.where(passed > 0, segments.starts[:-1, None] + passed - 1, -1)

    def at(self, column: np.ndarray) -> np.ndarray:
        """Value in force at each asked time, 0 before the first row."""
        if not len(column):
            return np.zeros(self._last.shape)
        return np.where(self._last >= 0, column[np.maximum(self._last, 0)], 0.0)

    def until(self, change: np.ndarray) -> np.ndarray:
        """Sum of changes up to each place, from 0."""
        return change.reshape(self._shape)[:, :-1].cumsum(axis=1)

    def after(self, change: np.ndarray) -> np.ndarray:
        """What is left after each place of a sum that changes down to 0."""
        return -change.reshape(self._shape)[:, :0:-1].cumsum(axis=1)[:, ::-1]


class Clustered:
    """Sums over clusters of squared influences, for cells that are all in clusters.

    A cluster's influence is the sum over its loads of ``factor (U - drift Y)``: ``U`` is what its
    spells added by ending, ``Y`` how many of it are at risk. Both change only when one of its
    own spells begins or ends, so running sums of the changes of their products give the sum of
    squares everywhere, without a matrix of clusters x times.

    Parameters
    ----------
    cells
        Sorted by cluster and row.
    part
        What each cluster's square counts for.
    places
        Where results are wanted.
    """

    def __init__(self, cells: Placed, part: np.ndarray, places: Rows | Asked) -> None:
        self._cells, self._places, self._order = cells, places, None
        unit, row, change = cells.unit, cells.row, -cells.n
        if cells.begin is not None:
            begin = np.maximum(cells.begin - 1, cells.segments.starts[cells.group])
            unit, row = np.concatenate([unit, unit]), np.concatenate([row, begin])
            self._order = np.argsort(unit * np.int64(cells.segments.n_rows) + row, kind="stable")
            unit, row = unit[self._order], row[self._order]
            change = np.concatenate([change, cells.n])[self._order]
        place = places.place[row]
        first = np.ones(len(unit), dtype=bool)
        first[1:] = (unit[1:] != unit[:-1]) | (place[1:] != place[:-1])
        self._runs = np.flatnonzero(first)  # changes of one cluster at one place are one
        unit, self._place = unit[self._runs], place[self._runs]
        self._own = Segments(np.searchsorted(unit, np.arange(len(part) + 1)))
        self._weight = part[unit]
        risk = -self._own.sum_from_end(self._together(change))
        self._risk = (risk, self._own.following(risk, 0.0))  # before and after each change

    def squares(self, loads: list[list[Load]], factors: list[list[np.ndarray]]) -> list[np.ndarray]:
        """Sum of squares for each list of loads with its factors, which lie at the places."""
        paths = {id(load): self._path(load) for one in loads for load in one}
        risks = self._places.after(self._product(self._risk, self._risk))
        mixed = {
            key: self._places.after(self._product(path, self._risk)) for key, path in paths.items()
        }
        drifts = {id(load): self._places.at(load.drift) for one in loads for load in one}
        products: dict[tuple[int, int], np.ndarray] = {}
        found = []
        for one, scales in zip(loads, factors, strict=True):
            total = np.zeros(risks.shape)
            for i, j in itertools.combinations_with_replacement(range(len(one)), 2):
                x, y = id(one[i]), id(one[j])
                if (x, y) not in products:
                    ended = self._places.until(self._product(paths[x], paths[y]))
                    waits = drifts[x] * mixed[y] + drifts[y] * mixed[x]
                    products[x, y] = ended - waits + drifts[x] * drifts[y] * risks
                total += (2 - (i == j)) * scales[i] * scales[j] * products[x, y]
            found.append(np.maximum(total, 0.0))
        return found

    def _path(self, load: Load) -> tuple[np.ndarray, np.ndarray]:
        moves = self._cells.n * exits(self._cells, load)
        if self._order is not None:  # what is added at an exit is counted from the entry on
            entry = self._cells.n * at_entry(self._cells, load)
            moves = np.concatenate([moves - entry, entry])[self._order]
        total = self._own.running_sum(self._together(moves))
        return self._own.previous(total, 0.0), total

    def _together(self, change: np.ndarray) -> np.ndarray:
        return np.add.reduceat(change, self._runs) if len(change) else change

    def _product(
        self, one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]
    ) -> np.ndarray:
        """Changes of a product of two paths, added up by place."""
        change = self._weight * (one[1] * other[1] - one[0] * other[0])
        return np.bincount(self._place, change, minlength=self._places.size)


def lone_squares(
    cells: Placed, lone: np.ndarray, loads: list[Load], factors: list[np.ndarray]
) -> np.ndarray:
    """Sum of squared influences, at every row, of spells that are clusters of their own.

    The influence is the sum of what each of ``loads`` gives, times its ``factors`` (one a row).
    """
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
    change = -np.bincount(cells.row, values, minlength=segments.n_rows)
    if cells.begin is not None:
        begun = np.maximum(cells.begin - 1, segments.starts[cells.group])
        change += np.bincount(begun, values, minlength=segments.n_rows)
    return Rows(segments).after(change)


def _waiting(cells: Placed, lone: np.ndarray, one: Load, other: Load) -> np.ndarray:
    """Sum of products of what waiting has added, over those at risk after each row."""
    both = one.drift * other.drift * _at_risk(cells, lone)
    if cells.begin is None:
        return both
    first, second = at_entry(cells, one), at_entry(cells, other)
    mixed = one.drift * _at_risk(cells, lone * second) + other.drift * _at_risk(cells, lone * first)
    return both - mixed + _at_risk(cells, lone * first * second)
