"""Rows of many groups at once: running sums and look-ups within groups.

A *segment* is the run of consecutive rows of one group. Running sums and products start anew in
each segment and are computed in it alone, so the numbers of a group do not depend, to the last
bit, on which other groups are there.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def numbered(key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct whole numbers of ``key``, rising, and the place of each among them.

    They are at least 0.

    Examples
    --------
    >>> found, place = numbered(np.array([7, 2, 7]))
    >>> found.tolist(), place.tolist()
    ([2, 7], [1, 0, 1])
    """
    top = int(key.max(initial=-1)) + 1
    if top > 4 * len(key) + 1000:  # a table of all possible keys would be larger than a sort
        order = rising(key)
        rises = np.append(True, np.diff(key[order]) > 0)[: len(key)]
        place = np.empty(len(key), np.int64)
        place[order] = np.cumsum(rises) - 1
        return key[order[rises]], place
    found = np.zeros(top, dtype=bool)
    found[key] = True
    return np.flatnonzero(found), (np.cumsum(found) - 1)[key]


def summed_table(
    values: np.ndarray, row: np.ndarray, column: np.ndarray, shape: tuple[int, int]
) -> csr_array:
    """Sum values by row and column, as a sparse table without duplicates.

    SciPy does so too, and sorts for it; whole numbers can be told apart sooner.

    Examples
    --------
    >>> values, row, column = np.array([1.0, 2.0, 4.0]), np.array([1, 0, 1]), np.zeros(3, int)
    >>> table = summed_table(values, row, column, (2, 1))
    >>> table.toarray().tolist(), table.nnz
    ([[2.0], [5.0]], 2)
    """
    from scipy.sparse import csr_array

    cells, cell = numbered(row * shape[1] + column)
    starts = np.searchsorted(cells, np.arange(shape[0] + 1) * shape[1])
    summed = np.bincount(cell, values, len(cells))
    return csr_array((summed, cells % shape[1], starts), shape=shape)


def rising(x: np.ndarray) -> np.ndarray:
    """Return the order in which numbers that are at least 0 rise, equal ones as they come.

    The place of each number is written into the low bits of its whole-number image, and the images
    are sorted: several times faster than ``argsort``. The few that only the bits so lost can tell
    apart are sorted once more.

    Examples
    --------
    >>> rising(np.array([0.5, 0.25, 0.5, 0.0])).tolist()
    [3, 1, 0, 2]
    """
    if x.dtype.kind not in "if" or x.dtype.itemsize > 8:
        return np.argsort(x, kind="stable")
    key = x.astype(np.int64) if x.dtype.kind == "i" else (x.astype(float) + 0.0).view(np.int64)
    places = max(len(x) - 1, 0).bit_length()
    lost = max(places - 63 + int(key.max(initial=0)).bit_length(), 0)
    key >>= lost
    key <<= places
    key |= np.arange(len(x))
    key.sort()
    order = key & ((1 << places) - 1)
    key >>= places
    return _told_apart(order, np.flatnonzero(key[1:] == key[:-1]), x) if lost else order


def _told_apart(order: np.ndarray, alike: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Sort those whose image is that of the next one by what the image does not tell."""
    among = np.zeros(len(x), dtype=bool)
    among[alike] = among[alike + 1] = True
    at = np.flatnonzero(among)
    values = x[order[at]]
    if (values[1:] < values[:-1]).any():
        order[at] = order[at][np.argsort(values, kind="stable")]
    return order


class Segments:
    """Where each group's rows begin; ``starts`` has one entry a group and then the row count.

    Examples
    --------
    >>> segments = Segments(np.array([0, 2, 2, 5]))
    >>> segments.running_sum(np.array([1.0, 2.0, 10.0, 20.0, 30.0])).tolist()
    [1.0, 3.0, 10.0, 30.0, 60.0]
    >>> segments.running_product(np.array([2.0, 3.0, 1.0, 5.0, 0.0])).tolist()
    [2.0, 6.0, 1.0, 5.0, 0.0]
    >>> segments.sum_from_end(np.array([1.0, 2.0, 10.0, 20.0, 30.0])).tolist()
    [3.0, 2.0, 60.0, 50.0, 30.0]
    """

    def __init__(self, starts: np.ndarray) -> None:
        self.starts = starts
        self.lengths = np.diff(starts)

    @property
    def n_rows(self) -> int:
        """Number of rows of all groups."""
        return int(self.starts[-1])

    @property
    def n_groups(self) -> int:
        """Number of groups, those without rows included."""
        return len(self.lengths)

    @cached_property
    def group(self) -> np.ndarray:
        """Group of each row."""
        return np.repeat(np.arange(self.n_groups), self.lengths)

    @cached_property
    def first_rows(self) -> np.ndarray:
        """First row of each group that has rows."""
        return self.starts[:-1][self.lengths > 0]

    def running_sum(self, x: np.ndarray) -> np.ndarray:
        """Sum of ``x`` from the group's first row to each row."""
        return self._accumulate(np.add, x, 0.0)

    def running_product(self, x: np.ndarray) -> np.ndarray:
        """Product of ``x`` from the group's first row to each row."""
        return self._accumulate(np.multiply, x, 1.0)

    def sum_from_end(self, x: np.ndarray) -> np.ndarray:
        """Sum of ``x`` from each row to the group's last row."""
        return self._accumulate(np.add, x, 0.0, backwards=True)

    def previous(self, x: np.ndarray, first: float) -> np.ndarray:
        """Value of ``x`` one row earlier, ``first`` in the group's first row."""
        shifted = np.empty(len(x))
        shifted[1:] = x[:-1]
        shifted[self.first_rows] = first
        return shifted

    def following(self, x: np.ndarray, last: float) -> np.ndarray:
        """Value of ``x`` one row later, ``last`` in the group's last row."""
        shifted = np.empty(len(x))
        shifted[:-1] = x[1:]
        shifted[self.starts[1:][self.lengths > 0] - 1] = last
        return shifted

    def first(self, x: np.ndarray, empty: float) -> np.ndarray:
        """Value of ``x`` in the first row of each group, ``empty`` for a group without rows."""
        found = np.full(self.n_groups, empty)
        found[self.lengths > 0] = x[self.first_rows]
        return found

    def last(self, x: np.ndarray, empty: float) -> np.ndarray:
        """Value of ``x`` in the last row of each group, ``empty`` for a group without rows."""
        found = np.full(self.n_groups, empty)
        found[self.lengths > 0] = x[self.starts[1:][self.lengths > 0] - 1]
        return found

    def first_where(self, condition: np.ndarray) -> np.ndarray:
        """First row of each group in which ``condition`` holds, -1 where it never does."""
        found = np.full(self.n_groups, -1)
        if self.n_rows:
            rows = np.where(condition, np.arange(self.n_rows), self.n_rows)
            earliest = np.minimum.reduceat(rows, self.first_rows)
            found[self.lengths > 0] = np.where(earliest < self.n_rows, earliest, -1)
        return found

    def of_rows(self, rows: np.ndarray) -> Segments:
        """Segments of some of the rows, given in rising order."""
        return Segments(np.searchsorted(rows, self.starts))

    def latest(self, rows: np.ndarray) -> np.ndarray:
        """Number, from 1, of the last of ``rows`` at or before each row of its group; 0: none yet.

        Examples
        --------
        >>> Segments(np.array([0, 3, 5])).latest(np.array([1, 3])).tolist()
        [0, 1, 1, 2, 2]
        """
        passed = np.zeros(self.n_rows, dtype=np.intp)  # look-ups take these as they are
        passed[rows] = 1
        np.cumsum(passed, out=passed)
        if self.n_groups > 1:
            earlier = np.searchsorted(rows, self.starts[:-1])
            passed[passed == np.repeat(earlier, self.lengths)] = 0
        return passed

    def locate(self, time: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Count, for each group (rows) and each of ``at`` (columns), rows with ``time <= at``.

        ``time`` rises within groups. Bisection, all groups and times side by side.
        """
        low = np.repeat(self.starts[:-1, None], len(at), axis=1)
        high = np.repeat(self.starts[1:, None], len(at), axis=1)
        for _ in range(int(self.lengths.max(initial=0)).bit_length()):
            middle = (low + high) // 2
            before = (low < high) & (time[np.minimum(middle, len(time) - 1)] <= at)
            low, high = np.where(before, middle + 1, low), np.where(before, high, middle)
        return low - self.starts[:-1, None]

    def _accumulate(
        self, operation: np.ufunc, x: np.ndarray, identity: float, *, backwards: bool = False
    ) -> np.ndarray:
        step = -1 if backwards else 1
        if np.count_nonzero(self.lengths) <= 1:
            run = np.empty(len(x))
            operation.accumulate(x[::step], out=run[::step])
            return run
        padded = np.append(x, identity)
        blocks, position = self._blocks
        run = [operation.accumulate(padded[rows[:, ::step]], axis=1)[:, ::step] for rows in blocks]
        return np.concatenate([block.ravel() for block in run])[position]

    @cached_property
    def _blocks(self) -> tuple[list[np.ndarray], np.ndarray]:
        """Rows of the segments as rectangles, and where in them each row lies.

        Segments of about one length (within a factor of two) share a rectangle, one segment a
        line; short ones are filled up with the row after the last, which holds the identity.
        """
        blocks, position, offset = [], np.empty(self.n_rows, dtype=np.int64), 0
        _, size = np.frexp(np.maximum(self.lengths - 1, 0))
        for each in np.unique(size[self.lengths > 0]):
            members = np.flatnonzero((size == each) & (self.lengths > 0))
            column = np.arange(self.lengths[members].max())
            rows = self.starts[members, None] + column
            inside = column < self.lengths[members, None]
            position[rows[inside]] = offset + np.flatnonzero(inside)
            blocks.append(np.where(inside, rows, self.n_rows))
            offset += rows.size
        return blocks, position


def checked_limit(tau: float) -> float:
    """Return ``tau`` if it can be the limit of a restricted mean.

    Raises
    ------
    ValueError
        It is not above 0 and finite.

    Examples
    --------
    >>> checked_limit(30)
    30.0
    """
    if not 0 < tau < np.inf:
        raise ValueError(f"tau must be above 0 and finite, got {tau}")
    return float(tau)


def all_ended(segments: Segments, survival: np.ndarray) -> np.ndarray:
    """Which groups have nobody left: after their last row nothing changes.

    Examples
    --------
    >>> all_ended(Segments(np.array([0, 2, 4])), np.array([1, 0.5, 0.5, 0])).tolist()
    [False, True]
    """
    return segments.last(survival, 1.0) == 0


def followed_to(
    segments: Segments, time: np.ndarray, survival: np.ndarray, tau: float
) -> np.ndarray:
    """Which groups are known up to ``tau``: observed so long, or all ended before.

    Examples
    --------
    >>> segments = Segments(np.array([0, 2, 4]))
    >>> followed_to(segments, np.array([1, 5, 1, 5]), np.array([1, 0.5, 0.5, 0]), 7).tolist()
    [False, True]
    """
    return (segments.last(time, -1.0) >= tau) | all_ended(segments, survival)


def rows_until(
    segments: Segments, time: np.ndarray, group: np.ndarray, at: np.ndarray
) -> np.ndarray:
    """Number of the row after the last one of the group that is not later than ``at``.

    Examples
    --------
    >>> segments = Segments(np.array([0, 2, 3]))
    >>> rows_until(segments, np.array([1, 3, 2]), np.array([0, 1]), np.array([2, 2])).tolist()
    [1, 3]
    """
    if time.dtype.kind == at.dtype.kind == "i" and at.min(initial=0) >= 0:
        top = int(max(time.max(initial=0), at.max(initial=0))) + 1
        if segments.n_groups * top <= 4 * len(at) + 1000:  # look up instead of searching
            cells = segments.group * top + time
            return np.bincount(cells, minlength=segments.n_groups * top).cumsum()[group * top + at]
    if segments.n_groups == 1 or not len(time):
        return np.searchsorted(time, at, side="right")
    distinct = np.unique(time)
    place = np.searchsorted(distinct, at, side="right")
    key = segments.group * (len(distinct) + 1) + np.searchsorted(distinct, time) + 1
    return np.searchsorted(key, group * (len(distinct) + 1) + place, side="right")
