"""What makes the event come sooner: Cox's proportional hazards, on counts.

Unit: one spell, counted by its pattern of covariates and the time at which it ended with the event
or was censored. A million spells with a few covariates on whole hours are a few thousand counts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.comparisons.cox_clusters import cluster_scores, corrected_errors
from analysis.stats.comparisons.cox_risk import (
    Problem,
    Rows,
    checked_spells,
    information,
    points_of,
    problem_of,
    score,
    sums,
)
from analysis.stats.quadratic import quadratic_form

MAX_STEPS = 60
ESTIMATED, INFINITE, REDUNDANT = "estimated", "infinite", "redundant"
UNSETTLED = "not converged"
_STILL = 1e-10  # Newton's decrement at which the likelihood no longer moves
_SETTLED = 1e-11  # step of the linear predictor at which a coefficient no longer moves
_RUNS_AWAY = 1e-3  # step of the linear predictor that shows that a coefficient still does
_FLAT = 1e-8  # information in a direction, beside that without effects, that is none
_SAME = 1e-10  # part of a covariate's information that others leave it, that is none


class Cox(NamedTuple):
    """A fitted model; one value a covariate where not said otherwise."""

    coefficient: np.ndarray  # log hazard ratio; infinite or NaN where ``status`` says so
    std_error: np.ndarray  # of the model; NaN where there is none
    robust_error: np.ndarray  # allowing for clusters; NaN with fewer than two
    robust_df: np.ndarray  # degrees of freedom of those; NaN likewise
    status: np.ndarray  # "estimated", or "infinite", "redundant", "not converged"
    covariance: np.ndarray  # covariates x covariates
    robust_covariance: np.ndarray
    log_likelihood: float
    null_log_likelihood: float  # without any effect
    likelihood_ratio: float  # chi-square tests of no effect at all, with ``df``
    wald: float  # robust where there are clusters
    score: float
    df: int
    n: float
    n_events: float
    n_clusters: int
    n_steps: int  # of Newton's method
    converged: bool
    problem: Problem  # the counts, for ``proportionality``
    linear: np.ndarray  # the coefficients at which the likelihood was left, all finite


def cox(
    covariates: np.ndarray,
    pattern: np.ndarray,
    time: np.ndarray,
    n_event: np.ndarray,
    n_censored: np.ndarray,
    *,
    entry: np.ndarray | None = None,
    stratum: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    cluster: np.ndarray | None = None,
    corrected: bool = False,
    ties: str = "efron",
) -> Cox:
    """Fit a proportional hazards model to counted spells.

    Parameters
    ----------
    covariates
        Patterns x covariates, all finite.
    pattern
        Pattern of each row of counts: its row in ``covariates``.
    time
        Time of each row, at least 0, in any unit; rows in any order.
    n_event, n_censored
        How many spells ended with the event, and how many were last seen without it. Those with
        the event must be whole for Efron's ties, which ask how many tie.
    entry
        When the spells of a row came under observation: they are at risk over (entry, time]. A
        covariate that changes is several rows of a spell. None: from the start.
    stratum
        Stratum of each row, whole numbers from 0; each has a baseline of its own.
    weight
        What a spell of the row counts for; by default 1.
    cluster
        Cluster of each row (a seller), whole numbers from 0, for robust errors.
    corrected
        Whether to correct what a cluster adds for how far it pulls the coefficients towards
        itself, which matters where clusters are few or a few are large; without it, robust errors
        are R's.
    ties
        ``"efron"`` or ``"breslow"``.

    Returns
    -------
    Cox
        The fit. Nothing is silent: a covariate that others determine, or that is the same for all
        at risk, is ``"redundant"``; one whose likelihood rises without end (a group in which
        nobody, or everybody first, has the event) is ``"infinite"``, and the others have the
        values that they take at that limit; ``converged`` is False if ``MAX_STEPS`` did not do,
        and what would be ``"estimated"`` is then ``"not converged"``.

    Raises
    ------
    ValueError
        Lengths, numbers or ``ties`` do not fit, or ``entry`` is not before ``time``.

    Notes
    -----
    Source: Cox (1972), J. R. Stat. Soc. B 34:187-220; ties as in
    :func:`analysis.stats.comparisons.cox_risk.sums`; Newton's method with step halving until
    no linear predictor moves by 1e-11 (R's ``coxph`` stops when the likelihood moves by less than
    1e-9 of itself). Robust errors: Lin and Wei (1989), J. Am. Stat. Assoc. 84:1074-1078, sums over
    clusters; their degrees of freedom are ``1 / sum h**2 - 1``, ``h`` a cluster's part of the
    spells, at least 1. Corrected ones: Wang, Turner and Li (2023), Biom. J. 65:2200113, the
    correction of Kauermann and Carroll, with degrees of freedom of each coefficient by
    :func:`analysis.stats.bias_reduced.bias_reduced`, at least 1.

    Examples
    --------
    Spells of two kinds; those of the second end sooner:

    >>> kinds = np.array([[0.0], [1.0]])
    >>> fit = cox(kinds, [0, 1, 0, 1], np.array([5, 2, 3, 4]), [2, 3, 1, 1], [1, 0, 0, 0])
    >>> fit.coefficient.round(4).tolist(), fit.std_error.round(4).tolist(), fit.status.tolist()
    ([2.1559], [1.1401], ['estimated'])
    """
    time = np.asarray(time)
    n_event, n_censored = (np.asarray(n, dtype=float) for n in (n_event, n_censored))
    weight = np.ones(len(time)) if weight is None else np.asarray(weight, dtype=float)
    entry = None if entry is None else np.asarray(entry)
    counts = [n_event, n_censored, weight]
    x, pattern = checked_spells(covariates, pattern, time, counts, entry, ties)
    stratum = np.zeros(len(time), np.int64) if stratum is None else np.asarray(stratum)
    n_event = np.where(weight > 0, n_event, 0.0)
    spells = n_event + n_censored
    share = np.bincount(pattern, spells * weight, minlength=len(x))
    middle, spread = _scale(x, share)
    scaled = (x - middle) / spread
    rows = Rows(pattern, time, n_event, spells, weight, entry)
    problem = problem_of(scaled, points_of(stratum, rows), rows, ties)
    found = _maximum(problem)
    p = x.shape[1]
    robust, df, n_clusters = np.full((p, p), np.nan), np.full(p, np.nan), 0
    if cluster is not None:
        part = _parts(spells * weight, cluster)
        n_clusters = int((part > 0).sum())
        if n_clusters >= 2 and corrected:
            robust, df = corrected_errors(problem, found.beta, found.covariance, cluster)
        elif n_clusters >= 2:
            moved = cluster_scores(problem, sums(problem, found.beta), cluster) @ found.covariance
            robust = moved.T @ moved
            df = np.full(p, max(1 / max((part**2).sum(), 1e-300) - 1, 1.0))
    return _told(problem, found, spread, robust, n_clusters, df)


class _Maximum(NamedTuple):
    """Where Newton's method ended, on scaled covariates."""

    beta: np.ndarray
    status: np.ndarray
    covariance: np.ndarray  # 0 for what is not estimated
    values: tuple[float, float]  # log likelihood without effects, and at beta
    start: tuple[
        np.ndarray, np.ndarray
    ]  # score and information without effects, of all but redundant
    n_steps: int
    converged: bool


def _parts(spells: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """Part of all spells that each cluster has, in the order of their numbers."""
    size = np.bincount(np.unique(np.asarray(cluster), return_inverse=True)[1], spells)
    return size / max(float(size.sum()), 1e-300)


def _scale(x: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Middle and spread of each covariate over the spells."""
    whole = max(float(share.sum()), 1e-300)
    middle = share @ x / whole
    spread = np.sqrt(share @ (x - middle) ** 2 / whole)
    return middle, np.where(spread > 1e-12 * (1 + np.abs(middle)), spread, 1.0)


def _maximum(problem: Problem) -> _Maximum:
    p = problem.x.shape[1]
    beta, found = np.zeros(p), sums(problem, np.zeros(p))
    null = found.log_likelihood
    slope, curve = score(problem, found).sum(axis=0), information(found, p)
    kept = _independent(curve)
    start = (slope[kept], curve[np.ix_(kept, kept)])
    used, reach = np.ix_(kept, kept), np.abs(problem.x[:, kept]).max(axis=0, initial=0.0)
    step, still, runs = np.zeros(p), False, np.zeros(p, dtype=bool)
    n_steps = 0
    while kept.any() and n_steps < MAX_STEPS:
        n_steps += 1
        step[kept] = _solved(curve[used], slope[kept])
        still = still or float(step @ slope) < _STILL
        moves = np.abs(step[kept]) * reach
        if still and (moves > _RUNS_AWAY).any():
            runs[kept] = moves > _RUNS_AWAY
            break
        beta, found = _uphill(problem, beta, step, found.log_likelihood)
        slope, curve = score(problem, found).sum(axis=0), information(found, p)
        if still and (moves < _SETTLED).all():
            break
    status = np.where(kept, ESTIMATED, REDUNDANT).astype(object)
    covariance = np.zeros((p, p))
    if kept.any():
        inverse, flat = _inverse(curve[used], np.diag(start[1]), runs.any())
        covariance[used] = inverse
        status[np.flatnonzero(kept)[flat]] = INFINITE
    done = bool(still or not kept.any())
    return _Maximum(beta, status, covariance, (null, found.log_likelihood), start, n_steps, done)


def _independent(curve: np.ndarray) -> np.ndarray:
    """Which covariates tell something that those before them do not."""
    kept = np.zeros(len(curve), dtype=bool)
    scale = max(np.diag(curve).max(initial=0.0), 1e-300)
    for j, own in enumerate(np.diag(curve)):
        if own <= _SAME * scale:
            continue
        cross = curve[kept][:, j]
        left = own - cross @ np.linalg.solve(curve[np.ix_(kept, kept)], cross)
        kept[j] = left > _SAME * own
    return kept


def _solved(curve: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Newton's step; along directions without information at most a step of size 1."""
    values, vectors = np.linalg.eigh(curve)
    if values[0] > 1e-12 * values[-1]:
        return np.linalg.solve(curve, slope)
    turned = vectors.T @ slope
    return vectors @ (turned / np.maximum(values, np.abs(turned)).clip(1e-300))


def _uphill(problem: Problem, beta: np.ndarray, step: np.ndarray, value: float) -> tuple:
    """Take the step, or half of it as often as the likelihood would fall."""
    for _ in range(40):
        found = sums(problem, beta + step)
        if found.log_likelihood >= value - 1e-12 * (1 + abs(value)):
            break
        step = step / 2
    return beta + step, found


def _inverse(
    curve: np.ndarray, without: np.ndarray, any_runs: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Covariance of what has a finite maximum, and which covariates have none."""
    if not any_runs:
        return np.linalg.inv(curve), np.zeros(len(curve), dtype=bool)
    scale = np.sqrt(without)
    values, vectors = np.linalg.eigh(curve / np.outer(scale, scale))
    flat = values < _FLAT
    inverse = (vectors[:, ~flat] / values[~flat]) @ vectors[:, ~flat].T / np.outer(scale, scale)
    return inverse, (np.abs(vectors[:, flat]) > 1e-3).any(axis=1)


def _told(
    problem: Problem,
    found: _Maximum,
    spread: np.ndarray,
    robust: np.ndarray,
    n_clusters: int,
    robust_df: np.ndarray,
) -> Cox:
    """Return the fit in the units of the covariates."""
    fine = found.status == ESTIMATED
    status = np.where(fine & (not found.converged), UNSETTLED, found.status)
    missing = np.where(fine, 0.0, np.nan)
    missing = missing[:, None] + missing[None, :]
    units = np.outer(spread, spread)
    finite = found.beta / spread
    coefficient = np.where(found.status == INFINITE, np.copysign(np.inf, finite), finite)
    coefficient = np.where(found.status == REDUNDANT, np.nan, coefficient)
    used = np.ix_(fine, fine)
    trusted = robust if n_clusters else found.covariance
    known = np.isfinite(trusted[used]).all()
    wald = quadratic_form(found.beta[fine], trusted[used])[0] if known else np.nan
    chisq, df = quadratic_form(*found.start)
    covariance, robust = found.covariance / units + missing, robust / units + missing
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(np.diag(covariance)), np.sqrt(np.diag(robust))
    return Cox(
        coefficient,
        *errors,
        robust_df,
        status.astype(str),
        covariance,
        robust,
        found.values[1],
        found.values[0],
        2 * (found.values[1] - found.values[0]),
        wald,
        chisq,
        df,
        float(problem.rows.n_spells.sum()),
        float(problem.rows.n_event.sum()),
        n_clusters,
        found.n_steps,
        found.converged,
        problem,
        found.beta,
    )
