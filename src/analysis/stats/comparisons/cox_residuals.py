"""Proportional hazards, the residuals: whether ratios stay the same over time.

Unit: a covariate.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.comparisons.cox_risk import Problem, information, score, sums
from analysis.stats.curves.survival import kaplan_meier
from analysis.stats.quadratic import chi_square_p, quadratic_form


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
