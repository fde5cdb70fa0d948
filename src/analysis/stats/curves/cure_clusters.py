"""Limits of the share that never ends, from a cure model, of spells that come in clusters.

Unit: one cell, the spells of one cluster (a seller) in one group that were last seen at one time.
"""

from __future__ import annotations

import numpy as np

from analysis.stats.curves.cure import LAWS, CureFit, Sample, terms
from analysis.stats.scales import Pair, t_quantile
from analysis.stats.shares.ratios import satterthwaite


def cure_limits(
    fit: CureFit,
    group: np.ndarray,
    time: np.ndarray,
    n_event: np.ndarray,
    n_censored: np.ndarray,
    cluster: np.ndarray,
    *,
    latency: str = "weibull",
    level: float = 0.95,
) -> Pair:
    """Limits of the share that never ends in each group, allowing for clusters.

    Parameters
    ----------
    fit
        From :func:`analysis.stats.cure_fit`, of the same counts and ``latency``.
    group, time, n_event, n_censored
        Counts of cells.
    cluster
        Cluster of each cell, whole numbers; below 0: every spell of it is on its own.
    latency, level
        As for the fit.

    Returns
    -------
    low, high : ndarray
        One value a group. Those of the fit where its share is 0 or missing, and where a group has
        fewer than two clusters.

    Notes
    -----
    Sandwich variance of the logit of the share: scores summed by cluster and their squares
    enlarged by ``1 / (1 - h)``, with ``h`` the cluster's part of the spells; at least the
    variance of independent spells; Student's quantile with the degrees of freedom of
    :class:`analysis.stats.Jackknife`. Source: Huber (1967); White (1982), Econometrica 50:1-25.

    Examples
    --------
    Two sellers lose more than the two others:

    >>> from analysis.stats import cure_fit
    >>> time, group = np.tile([1, 2, 3, 4, 50], 4), np.zeros(20, int)
    >>> ended = np.tile([3, 6, 4, 2, 0], 4)
    >>> left = np.where(time == 50, np.repeat([2, 2, 12, 12], 5), 0)
    >>> fit = cure_fit(group, time, ended, left)
    >>> low, high = cure_limits(fit, group, time, ended, left, np.repeat(np.arange(4), 5))
    >>> [x.round(3).tolist() for x in (fit.low, low, high, fit.high)]
    [[0.23], [0.107], [0.646], [0.422]]
    """
    low, high = fit.low.copy(), fit.high.copy()
    columns = [np.asarray(x) for x in (time, n_event, n_censored, cluster)]
    for number in np.flatnonzero((fit.share > 0) & (fit.std_error[:, 0] > 0)):
        rows = (np.asarray(group) == number) & (columns[0] > 0) & (columns[1] + columns[2] > 0)
        variance, df = _robust(fit, number, *(x[rows] for x in columns), latency)
        if np.isnan(variance):
            continue
        logit = np.log(fit.share[number] / (1 - fit.share[number]))
        reach = t_quantile(df, level) * np.sqrt(max(variance, fit.std_error[number, 0] ** 2))
        low[number], high[number] = 1 / (1 + np.exp([reach - logit, -reach - logit]))
    return low, high


def _robust(
    fit: CureFit,
    number: int,
    time: np.ndarray,
    n_event: np.ndarray,
    n_censored: np.ndarray,
    cluster: np.ndarray,
    latency: str,
) -> tuple[float, np.ndarray]:
    """Variance of the logit of one group's share and its degrees of freedom; NaN: no clusters."""
    share, free = fit.share[number], [0, 1] if latency == "exponential" else [0, 1, 2]
    theta = np.array([np.log(share / (1 - share)), fit.location[number], np.log(fit.scale[number])])
    sample = Sample(np.log(time), n_event.astype(float), n_censored.astype(float))
    bread = np.linalg.inv(terms(sample, LAWS[latency], theta)[2][np.ix_(free, free)])[0]
    ends, stays = (bread @ x[free] for x in _scores(sample, LAWS[latency], theta))
    n, lone = n_event + n_censored, cluster < 0
    _, unit = np.unique(cluster[~lone], return_inverse=True)
    moved = np.bincount(unit, (n_event * ends + n_censored * stays)[~lone])
    part, own = np.bincount(unit, n[~lone]) / n.sum(), 1 / n.sum()
    n_lone = n[lone].sum()
    if len(part) + n_lone < 2:
        return np.nan, np.array(np.nan)
    alone = (n_event * ends**2 + n_censored * stays**2)[lone].sum() / (1 - own)
    parts = np.append(part, own)
    squares = np.append(part**2, n_lone * own**2)
    df = satterthwaite(np.zeros(len(parts), np.int64), squares, parts, 1)[0]
    return float((moved**2 / (1 - part)).sum() + alone), df


def _scores(sample: Sample, law: object, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives of the log-likelihood of a spell that ended at each time, and of one still open.

    By the logit of the share, the location and the log scale; as in :func:`terms`, spell by spell.
    """
    inverse = np.exp(-theta[2])
    z = (sample.log_time - theta[1]) * inverse
    _, slope, _, survival, density, _ = law(z)
    p = 1 / (1 + np.exp(-theta[0]))
    stays = np.maximum(p + (1 - p) * survival, 1e-300)
    by_share = p * (1 - p) * (1 - survival) / stays
    by_z = -(1 - p) * density / stays
    ended = np.stack([np.full(len(z), -p), -inverse * slope, -slope * z - 1])
    return ended, np.stack([by_share, -inverse * by_z, -by_z * z])
