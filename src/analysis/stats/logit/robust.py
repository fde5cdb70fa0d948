"""Variances of a fitted logistic model whose cases come in clusters: many requests of one seller.

Unit: a contrast, that is a weighted sum of coefficients.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.bias_reduced import LOST, NO_ROOM, ClusterSums, bias_reduced
from analysis.stats.logit.coded import Coded
from analysis.stats.logit.logistic import LogisticFit
from analysis.stats.shares.proportions import checked_counts

CHUNK = 256  # clusters at a time


class ContrastVariance(NamedTuple):
    """Cluster-robust variances; arrays of one value a contrast."""

    variance: np.ndarray  # NaN: fewer than two clusters, a contrast is NaN or one cluster's own
    df: np.ndarray  # its degrees of freedom, at least 1; NaN likewise
    n_clusters: int


def clustered_variance(
    fit: LogisticFit,
    contrasts: np.ndarray,
    codes: np.ndarray,
    k: np.ndarray,
    n: np.ndarray,
    cluster: np.ndarray,
    *,
    alone: np.ndarray | None = None,
) -> ContrastVariance:
    """Cluster-robust variance of contrasts of the coefficients, and its degrees of freedom.

    Parameters
    ----------
    fit
        The model, fitted to the same cases without regard to clusters.
    contrasts
        One contrast a row, one column a coefficient: rows of the identity for the coefficients
        themselves, gradients for what is computed from them.
    codes, k, n
        Counts by levels and cluster: one row is one combination of levels in one cluster.
    cluster
        Cluster of each row, whole numbers from 0.
    alone
        True for rows that pool ``n`` cases without a cluster, each then its own cluster.

    Returns
    -------
    ContrastVariance
        One value a contrast.

    Raises
    ------
    ValueError
        Counts and clusters do not fit.

    Notes
    -----
    Bias-reduced linearization (CR2): Bell and McCaffrey (2002), Survey Methodology 28:169-181,
    carried to weighted regression by Pustejovsky and Tipton (2018), J. Bus. Econ. Stat.
    36:672-683, with the working model of independent binomial cases and, of the square roots
    of ``I - H_g``, that of Kauermann and Carroll (2001), J. Am. Stat. Assoc. 96:1387-1396. With
    ``V`` the model's covariance, ``M_g`` the information in cluster ``g`` and ``s_g`` its score,
    ``(I - H_g)^(-1/2)`` over the rows of the cluster becomes ``(I - M_g V)^(-1/2) s_g``, a matrix
    of the size of the model. Degrees of freedom are Satterthwaite's. A contrast of which one
    cluster alone determines more than a tenth of the variance has none of both.

    Examples
    --------
    A share in three clusters, as :func:`analysis.stats.cluster_variance` has it:

    >>> from analysis.stats.logit.logistic import logistic_fit
    >>> k, n, none = np.array([8, 5, 2]), np.array([10, 10, 10]), np.zeros((3, 0), int)
    >>> fit = logistic_fit(none, k, n)
    >>> slope = np.array([[0.25]])  # of the share by its log-odds
    >>> found = clustered_variance(fit, slope, none, k, n, np.arange(3))
    >>> found.variance.round(6).tolist(), found.df.round(6).tolist(), found.n_clusters
    ([0.03], [2.0], 3)
    """
    contrasts = np.atleast_2d(np.asarray(contrasts, dtype=float))
    k, n = checked_counts(k, n)
    codes, cluster = np.asarray(codes), np.asarray(cluster)
    alone = np.zeros(len(k), bool) if alone is None else np.asarray(alone, bool)
    if not len(codes) == k.size == cluster.size == alone.size:
        raise ValueError(f"got {len(codes)} codes, {k.size} counts, {cluster.size} clusters")
    has = n > 0
    codes, k, n, cluster, alone = codes[has], k[has], n[has], cluster[has], alone[has]
    _, number, rows_of = np.unique(cluster[~alone], return_inverse=True, return_counts=True)
    n_clusters = len(rows_of) + int(n[alone].sum())
    if n_clusters < 2 or not len(fit.usable):
        none = np.full(len(contrasts), np.nan)
        return ContrastVariance(none, none, n_clusters)
    single = alone.copy()
    single[~alone] = rows_of[number] == 1
    root = np.linalg.cholesky(fit.covariance[np.ix_(fit.usable, fit.usable)])
    whitened = np.nan_to_num(contrasts)[:, fit.usable] @ root
    sums = _singles(fit, root, whitened, codes[single], k[single], n[single], alone[single])
    many = ~single[~alone]
    of = np.flatnonzero(~alone)[many]
    order = of[np.argsort(number[many], kind="stable")]
    names = np.unique(np.sort(number[many]), return_inverse=True)[1]
    for one in _chunks(names):
        rows = order[one]
        part = _several(fit, root, whitened, codes[rows], k[rows], n[rows], names[one])
        sums = ClusterSums(*(a + b for a, b in zip(sums, part, strict=True)))
    model = (whitened**2).sum(axis=1)
    df = sums.df
    missing = np.isnan(contrasts).any(axis=1) | np.isnan(sums.variance)
    return ContrastVariance(
        np.where(missing, np.nan, sums.variance),
        np.where(missing | (model == 0), np.nan, np.maximum(df, 1)),
        n_clusters,
    )


def _chunks(names: np.ndarray) -> list[slice]:
    """Slices of rows, sorted by cluster, that hold ``CHUNK`` whole clusters each."""
    last = names[-1] + 1 if len(names) else 0
    edges = np.searchsorted(names, np.append(np.arange(0, last, CHUNK), last))
    return [slice(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]


def _residuals(
    fit: LogisticFit, codes: np.ndarray, k: np.ndarray, n: np.ndarray
) -> tuple[Coded, np.ndarray, np.ndarray]:
    """Rows, their shares, and their residuals."""
    coded = Coded(codes, fit.coded.n_levels, fit.coded.reference)
    odds = coded.odds(fit.beta)
    share = odds / (1 + odds)
    return coded, share, k - n * share


def _singles(
    fit: LogisticFit,
    root: np.ndarray,
    whitened: np.ndarray,
    codes: np.ndarray,
    k: np.ndarray,
    n: np.ndarray,
    alone: np.ndarray,
) -> ClusterSums:
    """Clusters of one row: their information has rank one and all is in closed form."""
    coded, share, residual = _residuals(fit, codes, k, n)
    size = np.where(alone, 1.0, n)  # cases in a cluster
    members = np.where(alone, n, 1.0)  # clusters in a row
    weight = size * share * (1 - share)
    squared = np.where(alone, k * (1 - share) ** 2 + (n - k) * share**2, residual**2)
    lever = weight * coded.quadratic(np.nan_to_num(fit.covariance))
    only = (1 - lever <= NO_ROOM) & (weight > 0)  # what one cluster alone determines
    left = np.where(only, np.inf, 1 - lever)
    back = np.zeros((len(root), coded.n_columns))
    back[:, fit.usable] = root.T
    variance, mean, squares, crossed = [], [], [], []
    for one_whitened in whitened:
        one = one_whitened @ back  # a contrast times the covariance
        along = coded.predictor(one) ** 2
        theta = along * weight / left
        lost = (along * weight)[only].max(initial=0.0) > LOST * (one_whitened**2).sum()
        variance.append(np.nan if lost else (along * squared / left).sum())
        mean.append((members * theta * (1 - lever)).sum())
        squares.append((members * theta**2 * (1 - 2 * lever)).sum())
        matrix = coded.gram(members * theta * weight)
        crossed.append(root.T @ matrix[np.ix_(fit.usable, fit.usable)] @ root)
    return ClusterSums(*(np.array(part) for part in (variance, mean, squares, crossed)))


def _several(
    fit: LogisticFit,
    root: np.ndarray,
    whitened: np.ndarray,
    codes: np.ndarray,
    k: np.ndarray,
    n: np.ndarray,
    names: np.ndarray,
) -> ClusterSums:
    """Clusters of several rows: one decomposition of a matrix of the model's size each."""
    coded, share, residual = _residuals(fit, codes, k, n)
    names = names - names[0]
    information = _by_cluster(coded, n * share * (1 - share), names)
    scores = _scores(coded, residual, names)[:, fit.usable] @ root
    kept = information[:, fit.usable[:, None], fit.usable]
    return bias_reduced(whitened, root.T @ kept @ root, scores)[1]


def _scores(coded: Coded, residual: np.ndarray, names: np.ndarray) -> np.ndarray:
    """``X' residual`` of each cluster."""
    count = int(names[-1]) + 1
    found = np.zeros((count, coded.n_columns))
    found[:, 0] = np.bincount(names, residual, count)
    for f, levels in enumerate(coded.n_levels):
        table = np.bincount(names * levels + coded.codes[:, f], residual, count * levels)
        others = coded.column[f] >= 0
        found[:, coded.column[f][others]] = table.reshape(count, levels)[:, others]
    return found


def _by_cluster(coded: Coded, weight: np.ndarray, names: np.ndarray) -> np.ndarray:
    """``X' W X`` of each cluster."""
    count, columns = int(names[-1]) + 1, coded.n_columns
    found = np.zeros((count, columns, columns))
    found[:, 0, :] = found[:, :, 0] = _scores(coded, weight, names)
    for f, levels in enumerate(coded.n_levels):
        first = names * levels + coded.codes[:, f]
        for g in range(f, coded.n_factors):
            size = coded.n_levels[g]
            table = np.bincount(
                first * size + coded.codes[:, g], weight, count * levels * size
            ).reshape(count, levels, size)
            rows, others = coded.column[f] >= 0, coded.column[g] >= 0
            table = table[:, rows][:, :, others]
            at = coded.column[f][rows][:, None], coded.column[g][others]
            found[:, at[0], at[1]] = table
            found[:, at[1][:, None], at[0].ravel()] = table.transpose(0, 2, 1)
    return found
