"""Requests as counts by the levels of several circumstances and by seller.

Unit: one combination of levels, for one seller.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.measures.circumstances import levels_of
from analysis.measures.counting import alike
from analysis.measures.units import counted_units

if TYPE_CHECKING:
    import ibis.expr.types as ir

SETTLED_N = 30  # requests that all ended alike: a level of so many is taken to settle the outcome


class Cases(NamedTuple):
    """Counts of requests by levels of circumstances and seller."""

    factors: list[str]
    names: list[list[str]]  # of each factor's levels
    codes: np.ndarray
    k: np.ndarray
    n: np.ndarray
    pending: np.ndarray
    cluster: np.ndarray | None  # None where sellers are not known
    alone: np.ndarray  # rows that pool requests without a seller

    def by_level(self, factor: int, x: np.ndarray) -> np.ndarray:
        """Sum of ``x`` over the rows of each level of a factor."""
        return np.bincount(self.codes[:, factor], x, len(self.names[factor]))


def counted_cases(
    frame: ir.Table,
    factors: Sequence[str],
    event: ir.BooleanValue,
    *,
    counted: ir.BooleanValue,
    most: int,
) -> Cases:
    """Count events by the levels of factors and by seller, and code the levels.

    Parameters
    ----------
    frame
        One row per request; counts are clustered by seller where it has ``seller_id``, and rows
        count for ``weight`` where it has that.
    factors
        Columns of ``frame``.
    event, counted
        Which rows are in the numerator and in the denominator; rows that are not counted are
        pending.
    most
        Levels of a factor beyond so many are pooled.
    """
    keys = {f"factor_{i}": frame[factor] for i, factor in enumerate(factors)}
    units = counted_units(frame.mutate(**keys), list(keys), event, counted=counted)
    size = units.n + units.pending
    found = [
        levels_of(factor, units.frame[key], size, most=most)
        for factor, key in zip(factors, keys, strict=True)
    ]
    codes = np.column_stack([one.codes for one in found] or [np.zeros((len(size), 0), int)])
    names = [one.names for one in found]
    # sorted, so that engines, which count in any order, agree to the last digits
    first, number = alike(units.alone, units.cluster, *codes.T)
    counts = (np.bincount(number, x, len(first)) for x in (units.k, units.n, units.pending))
    seller = None if units.seller is None else units.seller[first]
    return Cases(list(factors), names, codes[first], *counts, seller, units.alone[first])


def settled_levels(cases: Cases) -> list[np.ndarray]:
    """For each factor: +1 for levels at which every request worked, -1 where none did, else 0."""
    found = []
    for f in range(len(cases.factors)):
        n, k = cases.by_level(f, cases.n), cases.by_level(f, cases.k)
        found.append(np.where(n < SETTLED_N, 0, (k == n) * 1 - (k == 0) * 1))
    return found
