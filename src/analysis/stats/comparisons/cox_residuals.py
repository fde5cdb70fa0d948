"""Proportional hazards, the residuals: what a cluster adds, and whether ratios stay the same.

Unit: a cluster of spells, or a covariate.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.bias_reduced import bias_reduced
from analysis.stats.comparisons.cox_risk import Problem, information, score, sums
from analysis.stats.curves.survival import kaplan_meier
from analysis.stats.quadratic import chi_square_p, quadratic_form


def cluster_scores(problem: Problem, beta: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """Sum the score residuals of the spells of each cluster.

    Parameters
    ----------
    problem, beta
        The model.
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
    >>> from analysis.stats.comparisons.cox_risk import Rows, points_of, problem_of
    >>> rows, one = np.array([0, 1]), np.ones(2)
    >>> made = Rows(rows, np.array([1, 3]), one, one, one, None)
    >>> points = points_of(np.zeros(2, int), made)
    >>> problem = problem_of(np.array([[0.0], [1.0]]), points, made, "efron")
    >>> cluster_scores(problem, np.zeros(1), rows).tolist()
    [[-0.25], [-0.25]]
    """
    found, points = sums(problem, beta), problem.points
    pattern, n_event, weight = problem.rows.pattern, problem.rows.n_event, problem.rows.weight
    a, b, c0, c1, c2 = found.powers
    n = problem.x.shape[1] + 1
    at_risk, dead = found.at_risk[:, 1:n], found.dead[:, 1:n]
    segments = points.segments
    whole = _before(segments.running_sum(found.mean_weight * a))
    events = np.flatnonzero(n_event > 0)
    here = points.last[events]
    cluster = np.unique(np.asarray(cluster), return_inverse=True)[1]
    size = int(cluster.max(initial=-1)) + 1
    scores = np.empty((size, n - 1))
    seen = points.last >= points.first
    begin = np.where(points.first > points.origin, points.first, 0)
    passed = np.where(seen, whole[points.last + 1] - whole[begin], 0.0)
    risk = found.hazard[pattern] * problem.rows.n_spells * weight
    for j in range(n - 1):
        x = problem.x[pattern, j]
        shared = found.mean_weight * (at_risk[:, j] * c0 - dead[:, j] * c1)
        shared = _before(segments.running_sum(shared))
        rows = -risk * np.where(seen, x * passed - (shared[points.last + 1] - shared[begin]), 0.0)
        mean = (at_risk[:, j] * a - dead[:, j] * b) / points.died
        back = found.mean_weight * (at_risk[:, j] * c1 - dead[:, j] * c2)
        own = x[events] - mean[here]
        own += found.hazard[pattern[events]] * (
            x[events] * (found.mean_weight * b)[here] - back[here]
        )
        rows[events] += n_event[events] * weight[events] * own
        scores[:, j] = np.bincount(cluster, rows, minlength=size)
    return scores


def cluster_information(problem: Problem, beta: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """Information that the spells of each cluster add to.

    Parameters
    ----------
    problem, beta
        The model.
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
    >>> from analysis.stats.comparisons.cox_risk import Rows, points_of, problem_of
    >>> rows, one = np.array([0, 1]), np.ones(2)
    >>> made = Rows(rows, np.array([1, 3]), one, one, one, None)
    >>> points = points_of(np.zeros(2, int), made)
    >>> problem = problem_of(np.array([[0.0], [1.0]]), points, made, "efron")
    >>> cluster_information(problem, np.zeros(1), rows).ravel().tolist()
    [0.125, 0.125]
    """
    found, points = sums(problem, beta), problem.points
    rows, p, segments = problem.rows, problem.x.shape[1], problem.points.segments
    a, b = found.powers[:2]
    mean = (a[:, None] * found.at_risk[:, 1 : p + 1] - b[:, None] * found.dead[:, 1 : p + 1]).T
    mean = mean / points.died
    _, cluster, members = np.unique(np.asarray(cluster), return_inverse=True, return_counts=True)
    seen = points.last >= points.first
    begin = np.where(points.first > points.origin, points.first, 0)
    dies = np.flatnonzero(rows.n_event > 0)
    each = found.hazard[rows.pattern] * rows.weight
    risk, tied = each * rows.n_spells * seen, (each * rows.n_event)[dies]
    here, hazard = points.last[dies], found.mean_weight * a

    def passed(steps: np.ndarray) -> np.ndarray:
        running = _before(segments.running_sum(steps))
        return running[points.last + 1] - running[begin]

    first = [passed(hazard * one) for one in mean]
    whole, x = passed(hazard), problem.x[rows.pattern].T
    information = np.empty((len(members), p, p))
    for i in range(p):
        for j in range(i + 1):
            own = x[i] * x[j] * whole - x[i] * first[j] - x[j] * first[i]
            own = risk * (own + passed(hazard * mean[i] * mean[j]))
            away = (x[i][dies] - mean[i][here]) * (x[j][dies] - mean[j][here])
            own[dies] -= tied * (found.mean_weight * b)[here] * away
            information[:, i, j] = information[:, j, i] = np.bincount(cluster, own, len(members))
    return information


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
    information = root.T @ cluster_information(problem, beta, cluster) @ root
    scores = cluster_scores(problem, beta, cluster) @ root
    moves, found = bias_reduced(root, information, scores, power=1.0)
    return moves.T @ moves, np.where(np.diag(covariance) > 0, np.maximum(found.df, 1.0), np.nan)


class Proportionality(NamedTuple):
    """One test of proportional hazards for each term, and one for all together (the last)."""

    chisq: np.ndarray
    df: np.ndarray  # int64
    p_value: np.ndarray


def proportionality(
    problem: Problem, beta: np.ndarray, *, term: np.ndarray | None = None
) -> Proportionality:
    """Test whether hazard ratios stay the same over time.

    Parameters
    ----------
    problem, beta
        ``fit.problem`` and ``fit.linear`` of a fit of :func:`analysis.stats.cox`.
    term
        Term of each covariate, whole numbers from 0; the levels of one factor are one term. By
        default each covariate is a term.

    Returns
    -------
    Proportionality
        Terms, and then all of them together.

    Notes
    -----
    Score test against effects that change linearly with ``g``, the share that had the event
    before a time (one minus Kaplan-Meier, over all strata together), which R's ``cox.zph`` makes
    with ``transform = "km"``. Source: Grambsch and Therneau (1994), Biometrika 81:515-526, with
    the variance at each time instead of their average.

    Examples
    --------
    Of the second kind everybody ends at once or very late:

    >>> from analysis.stats import cox
    >>> kinds, rows = np.array([[0.0], [1.0]]), np.repeat([0, 1], 4)
    >>> time = np.array([3, 4, 5, 6, 1, 2, 7, 8])
    >>> fit = cox(kinds, rows, time, np.ones(8), np.zeros(8))
    >>> test = proportionality(fit.problem, fit.linear)
    >>> test.chisq.round(3).tolist(), test.df.tolist()
    ([5.097, 5.097], [1, 1])
    """
    found, p = sums(problem, beta), problem.x.shape[1]
    term = np.arange(p) if term is None else np.asarray(term)
    g = _share_before(problem)
    slope = score(problem, found).T @ g
    inner, crossed = information(found, p), information(found, p, g)
    outer = information(found, p, g**2)
    with np.errstate(all="ignore"):
        variance = outer - crossed.T @ np.linalg.pinv(inner, rcond=1e-12, hermitian=True) @ crossed
    sets = [np.flatnonzero(term == one) for one in range(int(term.max(initial=-1)) + 1)]
    forms = [
        quadratic_form(slope[own], variance[np.ix_(own, own)]) for own in [*sets, np.arange(p)]
    ]
    return Proportionality(
        np.array([chisq for chisq, _ in forms]),
        np.array([df for _, df in forms], dtype=np.int64),
        np.array([chi_square_p(*form) for form in forms]),
    )


def _share_before(problem: Problem) -> np.ndarray:
    """Share of all, of whatever stratum, that had the event before the time of each point."""
    rows = problem.rows
    n_event, n_spells = rows.n_event * rows.weight, rows.n_spells * rows.weight
    group = np.zeros(len(n_event), dtype=np.int64)
    if rows.entry is None:
        curve = kaplan_meier(group, rows.time, n_event, n_spells - n_event)
    else:
        none = np.zeros(len(group))
        curve = kaplan_meier(
            np.tile(group, 2),
            np.concatenate([rows.time, rows.entry]),
            np.concatenate([n_event, none]),
            np.concatenate([n_spells - n_event, none]),
            n_entered=np.concatenate([none, n_spells]),
        )
    passed = np.searchsorted(curve.time, problem.points.time, side="left")
    return 1 - np.append(1.0, curve.survival)[passed]
