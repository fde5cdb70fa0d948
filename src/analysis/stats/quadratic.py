"""Tests of several numbers at once: quadratic forms and their p-values.

Unit: one vector of scores that is expected to be 0, with its variance.
"""

from __future__ import annotations

import numpy as np

_RANK = 1e-9  # a direction with less than this part of the largest variance has none


def quadratic_form(score: np.ndarray, variance: np.ndarray) -> tuple[float, int]:
    """Return ``score' variance^-1 score`` over the directions that vary, and their number.

    Parameters
    ----------
    score
        Numbers that are expected to be 0.
    variance
        Their variance, which may be singular (scores of groups add up to 0).

    Returns
    -------
    chisq : float
        NaN where nothing varies.
    df : int
        Rank of the variance.

    Examples
    --------
    >>> chisq, df = quadratic_form(np.array([2.0, -2.0]), np.array([[1.0, -1.0], [-1.0, 1.0]]))
    >>> round(chisq, 9), df
    (4.0, 1)
    """
    score, variance = np.asarray(score, float), np.asarray(variance, float)
    scale = np.sqrt(np.diag(variance))
    used = scale > 0
    if not used.any():
        return np.nan, 0
    scale = scale[used]
    values, vectors = np.linalg.eigh(variance[np.ix_(used, used)] / np.outer(scale, scale))
    varies = values > _RANK * values[-1]
    turned = vectors[:, varies].T @ (score[used] / scale)
    return float((turned**2 / values[varies]).sum()), int(varies.sum())


def chi_square_p(chisq: float, df: int) -> float:
    """Return the probability of a larger value of chi-square; NaN without a degree of freedom.

    Examples
    --------
    >>> round(chi_square_p(3.841459, 1), 6)
    0.05
    """
    from scipy.special import chdtrc

    return float(chdtrc(df, chisq)) if df > 0 else np.nan


def hotelling_p(chisq: float, df: int, n_clusters: int, *, centred: bool = False) -> float:
    """Return the p-value of a quadratic form whose variance is a sum over few clusters.

    Parameters
    ----------
    chisq
        ``U' (sum_c u_c u_c')^-1 U`` for ``U = sum_c u_c``; it cannot exceed ``n_clusters``.
    df
        Number of scores.
    n_clusters
        Number of clusters.
    centred
        Whether the ``u_c`` of the variance have their mean taken away, so that they add up to 0.

    Returns
    -------
    float
        NaN with no more clusters than scores.

    Notes
    -----
    Hotelling's (1931) test that the mean of ``u_c`` is 0, Ann. Math. Stat. 2:360-378. With ``C``
    clusters and ``t = chisq / (1 - chisq / C)``, the form with the variance around the mean, ``t
    (C - df) / (C df)`` has the F distribution with ``df`` and ``C - df`` degrees of freedom.

    Examples
    --------
    >>> round(hotelling_p(3.841459, 1, 10), 4), round(hotelling_p(3.841459, 1, 10**6), 4)
    (0.042, 0.05)
    >>> round(hotelling_p(3.841459, 1, 10, centred=True), 4)
    0.0959
    """
    from scipy.special import fdtrc

    if df == 0 or n_clusters <= df:
        return np.nan
    left = 1.0 if centred else 1 - chisq / n_clusters
    if left <= 0:
        return 0.0
    return float(fdtrc(df, n_clusters - df, chisq / left * (n_clusters - df) / (n_clusters * df)))
