"""How a cost grows with size: the exponent of a power, and a straight line carried further."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.scales import t_quantile


class Fitted(NamedTuple):
    """An estimate with its limits, which are missing where two sizes are all there is."""

    estimate: float
    low: float
    high: float


def growth_exponent(sizes: np.ndarray, costs: np.ndarray, *, level: float = 0.95) -> Fitted:
    """Exponent of the power of the size with which a cost grows.

    Parameters
    ----------
    sizes, costs
        What was measured, all above 0.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    Fitted
        The slope of the logarithms by least squares, with limits from Student's t; all missing
        for fewer than two different sizes.

    Examples
    --------
    >>> fit = growth_exponent(np.array([1e3, 1e4, 1e5]), np.array([2.0, 20.0, 200.0]))
    >>> round(fit.estimate, 9), round(fit.high - fit.low, 9)
    (1.0, 0.0)
    """
    x = np.log(np.asarray(sizes, float))
    columns = np.column_stack([np.ones_like(x), x])
    return _fitted(columns, np.log(costs), np.array([0.0, 1.0]), level, of_new=False)


def cost_at(size: float, sizes: np.ndarray, costs: np.ndarray, *, level: float = 0.95) -> Fitted:
    """Cost of a size that was not measured: a fixed cost, and the same again for every unit.

    Parameters
    ----------
    size
        The size that is asked for.
    sizes, costs
        What was measured, all above 0.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    Fitted
        The line of least squares of relative errors at ``size``, with limits for one more
        measurement there (Student's t); all missing for fewer than two different sizes.

    Examples
    --------
    >>> fit = cost_at(1e9, np.array([1e5, 1e6, 1e7]), np.array([3.1, 4.0, 13.0]))
    >>> round(fit.estimate, 6)
    1003.0
    """
    sizes, costs = np.asarray(sizes, float), np.asarray(costs, float)
    columns = np.column_stack([1 / costs, sizes / costs])
    wanted = np.array([1.0, size])
    found = _fitted(columns, np.ones_like(costs), wanted, level, of_new=True)
    return found._replace(low=max(found.low, 0.0) if found.low == found.low else found.low)


def _fitted(
    columns: np.ndarray, y: np.ndarray, wanted: np.ndarray, level: float, *, of_new: bool
) -> Fitted:
    """Least squares of ``y`` on ``columns``, at ``wanted``; ``of_new`` adds the error of one."""
    scale = np.abs(columns).max(axis=0, initial=0.0)
    if len(y) < 2 or np.linalg.matrix_rank(columns / scale) < 2:
        return Fitted(np.nan, np.nan, np.nan)
    columns, wanted = columns / scale, wanted / scale
    inverse = np.linalg.inv(columns.T @ columns)
    weights = inverse @ columns.T @ y
    estimate, df = float(wanted @ weights), len(y) - 2
    if df == 0:
        return Fitted(estimate, np.nan, np.nan)
    variance = ((y - columns @ weights) ** 2).sum() / df
    spread = wanted @ inverse @ wanted + (estimate**2 if of_new else 0.0)
    half = float(t_quantile(np.array([df]), level)[0] * np.sqrt(variance * spread))
    return Fitted(estimate, estimate - half, estimate + half)
