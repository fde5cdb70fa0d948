"""Linear predictors of categorical factors, without a matrix of dummies.

Unit: a row of counts with one level of each factor. A dense matrix of dummies has a column a
level; here rows keep the numbers of their levels, factors are packed into a few *blocks* of at
most ``BLOCK`` combinations, and every sum that a fit needs is a :func:`numpy.bincount` over the
combinations of a block, or of two. Where all combinations of all factors are hardly more than
the rows, the rows are pooled into the table of all combinations, and even those go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import combinations

import numpy as np

BLOCK = 512  # combinations of levels in a block: a table of two blocks stays in the cache
GRID = 2  # rows are pooled where a table of all combinations has at most so many times their number
STRIP = 2**18  # multiplications: threads of BLAS that share fewer wait longer than they work
LARGEST = 300.0  # of a block's part of the linear predictor: beyond, odds overflow


class Coded:
    """Rows of levels and the sums over them that a model with one effect a level needs.

    Columns are the intercept, then for each factor its levels but the reference, in order.

    Parameters
    ----------
    codes
        Level of each factor (columns) in each row, whole numbers from 0; None for a row for each
        combination of levels, in the order of :meth:`pooled`.
    n_levels
        Number of levels of each factor.
    reference
        Level of each factor that the others are compared with.

    Examples
    --------
    >>> coded = Coded(np.array([[0, 1], [1, 2], [1, 0]]), [2, 3], [0, 2])
    >>> coded.column
    [array([-1,  1]), array([ 2,  3, -1])]
    >>> coded.predictor(np.array([10.0, 1.0, 0.1, 0.2])).tolist()
    [10.2, 11.0, 11.1]
    >>> coded.gram(np.ones(3)).astype(int).tolist()
    [[3, 2, 1, 1], [2, 2, 1, 0], [1, 1, 1, 0], [1, 0, 0, 1]]
    """

    def __init__(
        self, codes: np.ndarray | None, n_levels: Sequence[int], reference: Sequence[int]
    ) -> None:
        self.codes, self.n_levels, self.reference = codes, list(n_levels), list(reference)
        self.n_factors = len(self.n_levels)
        self.column = []  # of each factor: the column of each level, -1 for the reference
        self.n_columns = 1
        for levels, base in zip(self.n_levels, self.reference, strict=True):
            others = np.arange(levels) != base
            self.column.append(np.where(others, self.n_columns + np.cumsum(others) - 1, -1))
            self.n_columns += levels - 1
        self.blocks = _halves(self.n_levels) if codes is None else _packed(self.n_levels)
        self.sizes = [int(np.prod([self.n_levels[f] for f in block])) for block in self.blocks]
        self.n_rows = int(np.prod(self.sizes)) if codes is None else len(codes)

    @classmethod
    def pooled(
        cls, codes: np.ndarray, n_levels: Sequence[int], reference: Sequence[int], *x: np.ndarray
    ) -> tuple[Coded, list[np.ndarray]]:
        """Return the rows and the counts ``x``, pooled by combination where that makes few."""
        if np.prod(np.asarray(n_levels, float)) > GRID * len(codes):
            return cls(codes, n_levels, reference), list(x)
        grid = cls(None, n_levels, reference)
        number = grid._number([f for block in grid.blocks for f in block], codes)
        return grid, [np.bincount(number, one, grid.n_rows) for one in x]

    def _number(self, factors: Sequence[int], codes: np.ndarray) -> np.ndarray:
        """Which combination of the factors' levels each row has."""
        weight = np.zeros(self.n_factors, dtype=np.int64)
        weight[factors] = np.cumprod([1, *(self.n_levels[f] for f in factors[:0:-1])])[::-1]
        return codes.astype(np.int64, copy=False) @ weight

    @cached_property
    def combination(self) -> list[np.ndarray]:
        """For each block: which combination of its factors' levels each row has."""
        if self.codes is None:
            return list(np.unravel_index(np.arange(self.n_rows), self.sizes))
        return [self._number(block, self.codes) for block in self.blocks]

    @cached_property
    def _pair(self) -> dict[tuple[int, int], np.ndarray]:
        """For each two blocks: which combination of both each row has."""
        return {
            (i, j): self.combination[i] * self.sizes[j] + self.combination[j]
            for i, j in combinations(range(len(self.blocks)), 2)
        }

    @cached_property
    def _levels_of(self) -> list[dict[int, np.ndarray]]:
        """For each block: factor -> its level in each combination."""
        found = []
        for block, size in zip(self.blocks, self.sizes, strict=True):
            shape = [self.n_levels[f] for f in block]
            levels = np.unravel_index(np.arange(size), shape) if block else ()
            found.append(dict(zip(block, levels, strict=True)))
        return found

    @cached_property
    def dummies(self) -> list[np.ndarray]:
        """For each block: the matrix of dummies of its combinations, all columns of the model."""
        found = []
        for i, (block, size) in enumerate(zip(self.blocks, self.sizes, strict=True)):
            matrix = np.zeros((size, self.n_columns))
            matrix[:, 0] = i == 0
            for f in block:
                columns = self.column[f][self._levels_of[i][f]]
                at = np.flatnonzero(columns >= 0)
                matrix[at, columns[at]] = 1.0
            found.append(matrix)
        return found

    @cached_property
    def _own(self) -> list[np.ndarray]:
        """For each block: the columns that its factors, or the intercept, have."""
        return [np.flatnonzero(matrix.any(axis=0)) for matrix in self.dummies]

    def parts(self, beta: np.ndarray, setting: tuple[int, int] | None = None) -> list[np.ndarray]:
        """Each block's part of the linear predictor, for each of its combinations.

        With ``setting`` (a factor and a level) as if every row had that level.
        """
        found = [matrix @ beta for matrix in self.dummies]
        if setting is not None:
            factor, level = setting
            i = next(i for i, block in enumerate(self.blocks) if factor in block)
            effect = np.append(beta, 0.0)[self.column[factor]]  # of column -1, the reference: 0
            found[i] = found[i] - effect[self._levels_of[i][factor]] + effect[level]
        return found

    def predictor(self, beta: np.ndarray, setting: tuple[int, int] | None = None) -> np.ndarray:
        """Linear predictor of every row."""
        return self._combined(self.parts(beta, setting), np.add)

    def odds(self, beta: np.ndarray, setting: tuple[int, int] | None = None) -> np.ndarray:
        """``exp`` of the linear predictor of every row, by products of a table's values."""
        parts = self.parts(beta, setting)
        largest = LARGEST / len(parts)
        return self._combined([np.exp(np.clip(p, -largest, largest)) for p in parts], np.multiply)

    def _combined(self, tables: Sequence[np.ndarray], operation: np.ufunc) -> np.ndarray:
        """Combine one value of each block's table for every row."""
        result = None
        for blocks in self._covering():
            rows = tables[blocks[0]]
            if len(blocks) == 2:
                rows = operation.outer(rows, tables[blocks[1]]).ravel()
            if self.codes is not None:
                rows = np.take(rows, self._index(blocks))
            result = rows if result is None else operation(result, rows, out=result)
        return result

    def _covering(self) -> Iterator[tuple[int, ...]]:
        """Pairs of blocks, and perhaps one single, that hold each block once."""
        blocks = tuple(range(len(self.blocks)))
        return (blocks[i : i + 2] for i in range(0, len(blocks), 2))

    def _index(self, blocks: tuple[int, ...]) -> np.ndarray:
        return self._pair[blocks] if len(blocks) == 2 else self.combination[blocks[0]]

    def _table(self, blocks: tuple[int, ...], x: np.ndarray | None) -> np.ndarray:
        """Sum of ``x`` (None: the number of rows) in each combination of one or two blocks."""
        shape = [self.sizes[i] for i in blocks]
        if self.codes is None:
            return np.ones(shape) if x is None else x.reshape(shape)
        return np.bincount(self._index(blocks), x, int(np.prod(shape))).reshape(shape)

    def total(self, x: np.ndarray) -> np.ndarray:
        """``X' x``: the sum of ``x`` over the rows in which each column is 1."""
        found = np.zeros(self.n_columns)
        for blocks in self._covering():
            table = self._table(blocks, x)
            sums = [table] if len(blocks) == 1 else [table.sum(axis=1), table.sum(axis=0)]
            for i, one in zip(blocks, sums, strict=True):
                found += one @ self.dummies[i]
        return found

    def by_level(self, total: np.ndarray) -> list[np.ndarray]:
        """Sums of each level of each factor, the reference's too, from ``X' x``."""
        found = []
        for columns, base in zip(self.column, self.reference, strict=True):
            sums = total[columns]
            sums[base] = total[0] - np.delete(sums, base).sum()
            found.append(sums)
        return found

    def gram(self, w: np.ndarray | None = None) -> np.ndarray:
        """``X' diag(w) X``; without ``w`` of weights 1."""
        found = np.zeros((self.n_columns, self.n_columns))
        if len(self.blocks) == 1:
            return self._within(0, self._table((0,), w), found)
        for i, j in combinations(range(len(self.blocks)), 2):
            table = self._table((i, j), w)
            rows, columns = self._own[i], self._own[j]
            cross = self.dummies[i][:, rows].T @ _product(table, self.dummies[j][:, columns])
            found[np.ix_(rows, columns)] += cross
            found[np.ix_(columns, rows)] += cross.T
            if j == i + 1:
                self._within(i, table.sum(axis=1), found)
            if j == len(self.blocks) - 1 and i == j - 1:
                self._within(j, table.sum(axis=0), found)
        return found

    def _within(self, i: int, sums: np.ndarray, found: np.ndarray) -> np.ndarray:
        own = self._own[i]
        matrix = self.dummies[i][:, own]
        found[np.ix_(own, own)] += matrix.T @ (sums[:, None] * matrix)
        return found

    def quadratic(self, v: np.ndarray) -> np.ndarray:
        """``x' V x`` of every row, for a symmetric ``V``."""
        found = np.zeros(self.n_rows)
        for i, matrix in enumerate(self.dummies):
            found += ((matrix @ v) * matrix).sum(axis=1)[self.combination[i]]
        for (i, j), index in self._pair.items():
            found += (2 * self.dummies[i] @ v @ self.dummies[j].T).ravel()[index]
        return found

    def matrix(self, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return the dense dummies of some rows, for few rows at a time."""
        parts = [d[c[rows]] for c, d in zip(self.combination, self.dummies, strict=True)]
        return np.sum(parts, axis=0)

    def some(self, rows: np.ndarray) -> Coded:
        """Return the same factors for some of the rows."""
        if self.codes is not None:
            return Coded(self.codes[rows], self.n_levels, self.reference)
        number = np.flatnonzero(rows) if rows.dtype == bool else rows
        order = [f for block in self.blocks for f in block]
        codes = np.empty((len(number), self.n_factors), dtype=np.int64, order="F")
        levels = np.unravel_index(number, [self.n_levels[f] for f in order]) if order else ()
        for f, one in zip(order, levels, strict=True):
            codes[:, f] = one
        return Coded(codes, self.n_levels, self.reference)


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """``a @ b`` in strips that BLAS computes in one thread."""
    rows = max(1, STRIP // max(b.size, 1))
    return np.concatenate([a[i : i + rows] @ b for i in range(0, len(a), rows)])


def _packed(n_levels: Sequence[int], most: int = BLOCK) -> list[list[int]]:
    """Factors in few blocks of at most ``most`` combinations; a larger factor has its own."""
    blocks: list[list[int]] = []
    sizes: list[int] = []
    for f in sorted(range(len(n_levels)), key=lambda f: -n_levels[f]):
        fits = [i for i, size in enumerate(sizes) if size * n_levels[f] <= most]
        if fits:
            i = max(fits, key=lambda i: sizes[i])
            blocks[i].append(f)
            sizes[i] *= n_levels[f]
        else:
            blocks.append([f])
            sizes.append(n_levels[f])
    return blocks or [[]]


def _halves(n_levels: Sequence[int]) -> list[list[int]]:
    """Factors in two blocks of about as many combinations."""
    blocks: list[list[int]] = [[], []]
    sizes = [1, 1]
    for f in sorted(range(len(n_levels)), key=lambda f: -n_levels[f]):
        i = int(sizes[1] < sizes[0])
        blocks[i].append(f)
        sizes[i] *= n_levels[f]
    return blocks
