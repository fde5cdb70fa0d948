"""Many tests at once: what share of the discoveries would be false.

Unit: one test of a family, for example one cell of a table.
"""

from __future__ import annotations

import numpy as np


def q_values(p_values: np.ndarray) -> np.ndarray:
    """Return p-values adjusted for the false discovery rate of their family.

    Parameters
    ----------
    p_values
        In [0, 1], one a test; NaN where a test could not be made, which is then no member of the
        family.

    Returns
    -------
    ndarray
        The smallest false discovery rate at which each test is still a discovery; NaN stays NaN.

    Raises
    ------
    ValueError
        A p-value is outside [0, 1].

    Notes
    -----
    Source: Benjamini and Hochberg (1995), J. R. Stat. Soc. B 57:289-300; valid under positive
    dependence (Benjamini and Yekutieli 2001).

    Examples
    --------
    >>> q_values(np.array([0.01, 0.04, np.nan, 0.03])).round(3).tolist()
    [0.03, 0.04, nan, 0.04]
    """
    p_values = np.asarray(p_values, dtype=float)
    known = ~np.isnan(p_values)
    if ((p_values[known] < 0) | (p_values[known] > 1)).any():
        raise ValueError("p_values must be in [0, 1]")
    adjusted = np.full(p_values.shape, np.nan)
    ranked = np.argsort(p_values[known])[::-1]  # the largest first
    rank = np.arange(len(ranked), 0, -1)
    steps = np.minimum.accumulate(p_values[known][ranked] * len(ranked) / rank)
    back = np.empty(len(ranked))
    back[ranked] = np.minimum(steps, 1.0)
    adjusted[known] = back
    return adjusted
