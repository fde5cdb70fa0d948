"""What a fitted logistic model says in shares: average marginal effects, and tests of factors.

Unit: one level of one factor against its reference.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.logit.logistic import LogisticFit, logistic_fit


class AverageEffects(NamedTuple):
    """Average marginal effects; arrays of one value a column of the model, the intercept's NaN."""

    estimate: np.ndarray  # share points, in [-1, 1]; NaN where there is no coefficient
    variance: np.ndarray  # of cases that are independent
    gradient: np.ndarray  # of each estimate (rows) by each coefficient


class FactorTests(NamedTuple):
    """One test a factor, of whether its levels differ at all."""

    statistic: np.ndarray
    df: np.ndarray  # int64, columns that the factor adds; 0 where it adds none
    p_value: np.ndarray  # NaN where df is 0


def average_effects(fit: LogisticFit) -> AverageEffects:
    """Mean change of the predicted share if all cases had a level, against all its reference.

    Parameters
    ----------
    fit
        A fit without separated levels.

    Returns
    -------
    AverageEffects
        For each level but the reference, in the order of the model's columns: the mean over all
        cases of ``P(success | its level is this one) - P(success | its level is the reference)``,
        everything else about the case as it is.

    Raises
    ------
    ValueError
        A level is separated: its effect has no finite standard error. Firth's penalty has one.

    Notes
    -----
    Standard errors by the delta method: with ``g`` the derivative of the estimate by the
    coefficients, the variance is ``g' V g``. The mix of the covariates is taken as given.
    Source: Bartus (2005), Stata Journal 5:309-329, for categorical variables; Agresti (2013),
    Categorical Data Analysis, 16.1, for the delta method.

    Examples
    --------
    With one factor it is the difference of two shares:

    >>> fit = logistic_fit(np.array([[0], [1]]), np.array([20, 30]), np.array([80, 40]))
    >>> effects = average_effects(fit)
    >>> effects.estimate.round(3).tolist(), effects.variance.round(6).tolist()
    ([nan, 0.5], [nan, 0.007031])
    >>> round(0.25 * 0.75 / 80 + 0.75 * 0.25 / 40, 6)
    0.007031
    """
    if fit.separated.any():
        raise ValueError(
            f"columns {np.flatnonzero(fit.separated).tolist()} are separated; use penalty='firth'"
        )
    columns = fit.coded.n_columns
    estimate = np.full(columns, np.nan)
    gradient = np.full((columns, columns), np.nan)
    usable = set(fit.usable.tolist())
    for factor, numbers in enumerate(fit.coded.column):
        wanted = [(level, j) for level, j in enumerate(numbers) if j in usable]
        if not wanted:
            continue
        base, base_gradient = _mean_share(fit, factor, fit.coded.reference[factor])
        for level, j in wanted:
            share, own = _mean_share(fit, factor, level)
            estimate[j], gradient[j] = share - base, own - base_gradient
    return AverageEffects(estimate, quadratic_forms(gradient, fit.covariance), gradient)


def _mean_share(fit: LogisticFit, factor: int, level: int) -> tuple[float, np.ndarray]:
    """Mean predicted share if every case had ``level``, and its derivative."""
    coded, whole = fit.coded, fit.n.sum()
    odds = coded.odds(fit.beta, (factor, level))
    share = odds / (1 + odds)
    slope = coded.total(fit.n * share / (1 + odds)) / whole
    numbers = coded.column[factor]
    slope[numbers[numbers >= 0]] = 0.0
    if numbers[level] >= 0:
        slope[numbers[level]] = slope[0]
    return float(fit.n @ share) / whole, slope


def quadratic_forms(rows: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """``g' V g`` of each row ``g``; a coefficient that is not there has no variance.

    Examples
    --------
    >>> quadratic_forms(np.array([[1.0, 1.0], [np.nan, 0.0]]), np.diag([2.0, np.nan])).tolist()
    [2.0, nan]
    """
    known = np.nan_to_num(covariance)
    return ((rows @ known) * rows).sum(axis=1)


def factor_tests(fit: LogisticFit) -> FactorTests:
    """Likelihood-ratio test of each factor, given the others.

    Parameters
    ----------
    fit
        A fit without penalty.

    Returns
    -------
    FactorTests
        One value a factor. They take all cases as independent.

    Raises
    ------
    ValueError
        The fit has a penalty, whose likelihoods do not compare so.

    Examples
    --------
    >>> fit = logistic_fit(np.array([[0], [1]]), np.array([20, 30]), np.array([80, 40]))
    >>> tests = factor_tests(fit)
    >>> tests.statistic.round(4).tolist(), tests.df.tolist()
    ([28.0459], [1])
    """
    from scipy.special import chdtrc

    if fit.penalty != "none":
        raise ValueError(f"fit must be without penalty, got {fit.penalty!r}")
    coded = fit.coded
    codes = coded.codes if coded.codes is not None else coded.some(np.arange(coded.n_rows)).codes
    rank = coded.n_columns - fit.aliased.sum()
    statistic, df = np.zeros(coded.n_factors), np.zeros(coded.n_factors, dtype=np.int64)
    for f in range(coded.n_factors):
        others = [g for g in range(coded.n_factors) if g != f]
        without = logistic_fit(
            codes[:, others],
            fit.k,
            fit.n,
            n_levels=[coded.n_levels[g] for g in others],
            reference=[coded.reference[g] for g in others],
        )
        statistic[f] = max(without.deviance - fit.deviance, 0.0)
        df[f] = rank - (without.coded.n_columns - without.aliased.sum())
    p_value = np.where(df > 0, chdtrc(np.maximum(df, 1), statistic), np.nan)
    return FactorTests(statistic, df, p_value)
