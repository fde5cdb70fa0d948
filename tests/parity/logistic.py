"""Logistic models of categorical factors, and what they say in shares."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from tests.parity.comparing import CLASSICS, REFERENCE, Comparison, Pairs

from analysis.stats.logit.effects import average_effects, factor_tests
from analysis.stats.logit.logistic import LogisticFit, logistic_fit
from analysis.stats.logit.robust import clustered_variance

FACTORS = ["a", "b", "c"]


def _reference(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "stats" / f"logistic_{name}.csv")


def _fitted() -> tuple[LogisticFit, tuple[np.ndarray, ...]]:
    rows = _reference("rows")
    counts = rows[FACTORS].to_numpy(), rows["k"].to_numpy(), rows["n"].to_numpy()
    return logistic_fit(*counts), (*counts, rows["cluster"].to_numpy())


def _admissions(shared: Path) -> pd.DataFrame:
    cases = pd.read_csv(shared / CLASSICS / "data" / "UCBAdmissions.csv")
    cases.columns = [column.lower() for column in cases.columns]
    cases["k"] = cases["freq"].where(cases["admit"] == "Admitted", 0)
    return cases.groupby(["gender", "dept"], as_index=False)[["k", "freq"]].sum()


def admissions(shared: Path) -> Pairs:
    """Compare with ``glm(Admit ~ Gender)`` and ``glm(Admit ~ Gender + Dept)``."""
    cells = _admissions(shared)
    codes = np.column_stack([cells["gender"] == "Female", pd.factorize(cells["dept"])[0]])
    golden = pd.read_csv(shared / CLASSICS / "golden" / "logistic_ucb.csv")
    for model, columns in (("Gender", [0]), ("Gender+Dept", [0, 1])):
        expected = golden[golden["model"] == model]
        fit = logistic_fit(codes[:, columns].astype(int), cells["k"], cells["freq"])
        yield fit.coefficients, expected["coef"]
        yield np.sqrt(np.diag(fit.covariance)), expected["se"]
        yield fit.deviance, expected["deviance"]
        yield fit.null_deviance, expected["null_deviance"]
        yield fit.deviance + 2 * len(fit.coefficients), expected["aic"]


def model(_: None) -> Pairs:
    """Compare with ``glm`` on single cases."""
    expected = _reference("fit")
    fit, _rows = _fitted()
    yield fit.coefficients, expected["coefficient"]
    yield np.sqrt(np.diag(fit.covariance)), expected["se"]
    yield fit.deviance, expected["deviance"]
    yield fit.null_deviance, expected["null_deviance"]


def tests_of_factors(_: None) -> Pairs:
    """Compare with ``drop1(fit, test = "LRT")``."""
    expected = _reference("tests")
    found = factor_tests(_fitted()[0])
    yield from zip(found, (expected[c] for c in ("statistic", "df", "p_value")), strict=True)


def effects(_: None) -> Pairs:
    """Compare with means of predictions of single cases."""
    expected = _reference("effects")
    found = average_effects(_fitted()[0])
    yield found.estimate[1:], expected["effect"]
    yield np.sqrt(found.variance[1:]), expected["se"]


def _clustered(names: tuple[str, str]) -> Pairs:
    fit, rows = _fitted()
    gradients = average_effects(fit).gradient[1:]
    for contrasts, table in ((np.eye(fit.coded.n_columns), "fit"), (gradients, "effects")):
        expected = _reference(table)
        found = clustered_variance(fit, contrasts, *rows)
        yield np.sqrt(found.variance), expected[names[0]]
        yield found.df, expected[names[1]]


def clustered(_: None) -> Pairs:
    """Compare with matrices of all single cases, for coefficients and for average effects."""
    yield from _clustered(("cr2_se", "cr2_df"))


def clustered_elsewhere(_: None) -> Pairs:
    """Compare with ``linear_contrast(fit, vcov = "CR2", test = "Satterthwaite")``."""
    yield from _clustered(("club_se", "club_df"))


COMPARISONS = [
    Comparison(
        "logistic_fit",
        "coefficients, errors, deviances, AIC",
        "R 4.2.2, glm",
        "golden/logistic_ucb.csv",
        admissions,
        1e-5,
        "R's errors are those of its last step but one: deviances agree to 1e-11",
    ),
    Comparison(
        "logistic_fit",
        "coefficients, errors, deviances",
        "R 4.2.2, glm",
        "reference/stats/logistic_fit.csv",
        model,
    ),
    Comparison(
        "factor_tests",
        "statistics, degrees of freedom, p-values",
        "R 4.2.2, drop1",
        "reference/stats/logistic_tests.csv",
        tests_of_factors,
    ),
    Comparison(
        "average_effects",
        "effects and their delta-method errors",
        "R 4.2.2, from the definition",
        "reference/stats/logistic_effects.csv",
        effects,
    ),
    Comparison(
        "clustered_variance",
        "CR2 errors and Satterthwaite degrees of freedom, of coefficients and average effects",
        "R 4.2.2, from the definition",
        "reference/stats/logistic_effects.csv",
        clustered,
    ),
    Comparison(
        "clustered_variance",
        "CR2 errors and Satterthwaite degrees of freedom, of coefficients and average effects",
        "R clubSandwich 0.5.8",
        "reference/stats/logistic_fit.csv",
        clustered_elsewhere,
        1e-3,
        "takes another square root of the same matrix",
    ),
]
