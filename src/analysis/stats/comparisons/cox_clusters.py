"""Proportional hazards, the clusters: what each adds, and errors that allow for them.

Unit: a cluster of spells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from analysis.stats.bias_reduced import bias_reduced
from analysis.stats.comparisons.cluster_rows import cluster_rows
from analysis.stats.comparisons.cox_risk import Problem, Sums, sums
from analysis.stats.curves.segments import numbered, summed_table


def cluster_scores(problem: Problem, found: Sums, cluster: np.ndarray) -> np.ndarray:
    """Sum the score residuals of the spells of each cluster.

    Parameters
    ----------
    problem, found
        The model, and what it says at some coefficients, from :func:`sums`.
    cluster
        Of each row of counts of the problem.

    Returns
    -------
    ndarray
        Clusters x covariates; they add up to the score, which is 0 at the maximum.

    Notes
    -----
    Source: Lin and Wei (1989); with Efron's ties a spell that has the event at a point of ``d``
    events is at risk there for ``1 - k / d`` of the k-th, as in its likelihood.

    Examples
    --------
    >>> from analysis.stats.comparisons.cox_risk import Rows, points_of, problem_of, sums
    >>> rows, one = np.array([0, 1]), np.ones(2)
    >>> made = Rows(rows, np.array([1, 3]), one, one, one, None)
    >>> points = points_of(np.zeros(2, int), made)
    >>> problem = problem_of(np.array([[0.0], [1.0]]), points, made, "efron")
    >>> cluster_scores(problem, sums(problem, np.zeros(1)), rows).tolist()
    [[-0.25], [-0.25]]
    """
    points, rows, x = problem.points, problem.rows, problem.x
    clusters, cluster = numbered(np.asarray(cluster))
    size = len(clusters)
    if not (x.shape[1] and len(points.time)):
        return np.zeros((size, x.shape[1]))
    own = slice(1, x.shape[1] + 1)
    a, b, c0, c1, c2 = found.powers * found.mean_weight
    at_risk, dead = found.at_risk[:, own], found.dead[:, own]
    running = points.segments.running_sum
    shared = at_risk * c0[:, None] - dead * c1[:, None]
    shared = np.stack([_before(running(one)) for one in shared.T], axis=1)
    back = at_risk * c1[:, None] - dead * c2[:, None]
    hazard, whole = found.hazard[rows.pattern], _before(running(a))
    seen = points.last >= points.first
    begin = np.where(points.first > points.origin, points.first, 0)
    risk = np.where(seen, hazard * rows.n_spells * rows.weight, 0.0)
    dies, last = rows.n_event * rows.weight, np.maximum(points.last, 0)
    sorted_rows = cluster_rows(cluster, size, np.ones(len(cluster), bool))

    def summed(values: np.ndarray, place: np.ndarray, by_place: np.ndarray) -> np.ndarray:
        return sorted_rows.table(values, place, len(by_place)) @ by_place

    own_x = dies * (1 + hazard * b[last]) - risk * (whole[points.last + 1] - whole[begin])
    scores = summed(own_x, rows.pattern, x)
    scores += summed(risk, points.last + 1, shared) - summed(risk, begin, shared)
    scores -= summed(dies, last, _mean_at_risk(problem, found))
    return scores - summed(dies * hazard, last, back)


def cluster_information(problem: Problem, found: Sums, cluster: np.ndarray) -> np.ndarray:
    """Information that the spells of each cluster add to.

    Parameters
    ----------
    problem, found
        The model, and what it says at some coefficients, from :func:`sums`.
    cluster
        Of each row of counts of the problem.

    Returns
    -------
    ndarray
        Clusters x covariates x covariates. They add up to the information of the model but for
        tied events, of which one mean of the covariates at risk serves all.

    Notes
    -----
    A spell at risk adds its expected events times the square of its distance from the mean of the
    covariates at risk. Source: Wang, Turner and Li (2023), Biom. J. 65:2200113.

    Examples
    --------
    >>> from analysis.stats.comparisons.cox_risk import Rows, points_of, problem_of, sums
    >>> rows, one = np.array([0, 1]), np.ones(2)
    >>> made = Rows(rows, np.array([1, 3]), one, one, one, None)
    >>> points = points_of(np.zeros(2, int), made)
    >>> problem = problem_of(np.array([[0.0], [1.0]]), points, made, "efron")
    >>> cluster_information(problem, sums(problem, np.zeros(1)), rows).ravel().tolist()
    [0.125, 0.125]
    """
    points, mean = problem.points, _mean_at_risk(problem, found)
    rows, p, segments = problem.rows, problem.x.shape[1], problem.points.segments
    a, b = found.powers[:2]
    clusters, cluster = numbered(np.asarray(cluster))
    size = len(clusters)
    seen = points.last >= points.first
    late = seen & (points.first > points.origin)  # came under observation after the first point
    dies = rows.n_event > 0
    each = found.hazard[rows.pattern] * rows.weight
    risk, hazard = each * rows.n_spells, found.mean_weight * a

    def passed(steps: np.ndarray) -> np.ndarray:
        return _before(segments.running_sum(steps))

    def once(steps: np.ndarray) -> np.ndarray:
        return -found.mean_weight * b * steps

    until = _Part(seen, points.last + 1, risk, lambda steps: passed(hazard * steps))
    before = _Part(late, points.first, -risk, lambda steps: passed(hazard * steps))
    tied = _Part(dies, points.last, each * rows.n_event, once)
    information = np.zeros((size, p, p))
    for part in (until, before, tied):
        if part.rows.any():
            _add_part(information, part, cluster, rows.pattern, problem.x, mean)
    return information


class _Part(NamedTuple):
    """Rows of counts, the point at which each is looked up, and what is looked up there."""

    rows: np.ndarray  # which
    point: np.ndarray
    weight: np.ndarray
    at: Callable[[np.ndarray], np.ndarray]  # steps at the points -> values to look up


def _add_part(
    information: np.ndarray,
    part: _Part,
    cluster: np.ndarray,
    pattern: np.ndarray,
    x: np.ndarray,
    mean: np.ndarray,
) -> None:
    """Add the squares of distances from the mean, ``w (x - m) (x - m)'``, by cluster.

    The mean depends on the point alone and the covariates on the pattern alone, so that sums over
    rows are products of sparse matrices, a row of them a cluster, or a pattern in a cluster.
    """
    own, size = part.rows, len(information)
    w, point, whole = part.weight, part.point, part.at(np.ones(len(mean)))
    firsts = np.stack([part.at(one) for one in mean.T], axis=1)
    by_point = summed_table(w[own], cluster[own], point[own], (size, len(whole)))
    by_pattern = w[own] * whole[point[own]]
    by_pattern = summed_table(by_pattern, cluster[own], pattern[own], (size, len(x)))
    pairs, pair = numbered(cluster * len(x) + pattern)
    passed = cluster_rows(pair, len(pairs), part.rows).table(w, part.point, len(whole)) @ firsts
    of_cluster = cluster_rows(pairs // len(x), size, np.ones(len(pairs), bool))
    for i in range(x.shape[1]):
        seconds = np.stack([part.at(mean[:, i] * one) for one in mean.T], axis=1)
        place = np.arange(len(pairs))
        crossed = of_cluster.table(x[pairs % len(x), i], place, len(pairs)) @ passed
        information[:, i] += by_pattern @ (x[:, [i]] * x) + by_point @ seconds - crossed
        information[:, :, i] -= crossed


def _mean_at_risk(problem: Problem, found: Sums) -> np.ndarray:
    """Mean of the covariates over those at risk, as the ties are taken: points x covariates."""
    own, (a, b) = slice(1, problem.x.shape[1] + 1), found.powers[:2]
    mean = a[:, None] * found.at_risk[:, own] - b[:, None] * found.dead[:, own]
    return mean / problem.points.died[:, None]


def _before(running: np.ndarray) -> np.ndarray:
    """Put a 0 ahead of running sums: what had passed before the first point."""
    return np.append(0.0, running)


def corrected_errors(
    problem: Problem, beta: np.ndarray, covariance: np.ndarray, cluster: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Covariance of the coefficients that allows for clusters, and degrees of freedom of each.

    Parameters
    ----------
    problem, beta
        The model.
    covariance
        That of the model; 0 for coefficients that have none.
    cluster
        Of each row of counts of the problem.

    Notes
    -----
    :func:`analysis.stats.bias_reduced.bias_reduced` with the full power: a cluster pulls not only
    the coefficients but also the baseline towards itself. Degrees of freedom are at least 1, and
    NaN where there is no covariance. Source: Wang, Turner and Li (2023), Biom. J. 65:2200113.

    Examples
    --------
    >>> from analysis.stats import cox
    >>> kind, time, seller = [0, 1, 1, 0, 1, 0], np.arange(1, 7), np.array([0, 1, 2, 3, 4, 5])
    >>> fit = cox(np.array([[0.0], [1.0]]), kind, time, np.ones(6), np.zeros(6))
    >>> robust, df = corrected_errors(fit.problem, fit.linear, fit.covariance, seller)
    >>> robust.round(3).tolist(), fit.covariance.round(3).tolist(), df.round(2).tolist()
    ([[1.475]], [[0.859]], [1.0])
    """
    values, vectors = np.linalg.eigh(covariance)
    fine = values > 1e-12 * max(values.max(initial=0.0), 1e-300)
    root = vectors[:, fine] * np.sqrt(values[fine])
    found = sums(problem, beta)
    information = root.T @ cluster_information(problem, found, cluster) @ root
    scores = cluster_scores(problem, found, cluster) @ root
    moves, corrected = bias_reduced(root, information, scores, power=1.0)
    df = np.maximum(corrected.df, 1.0)
    return moves.T @ moves, np.where(np.diag(covariance) > 0, df, np.nan)
