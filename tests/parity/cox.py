"""Proportional hazards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from tests.parity.comparing import CLASSICS, Comparison, Pairs
from tests.parity.equal_curves import STATS, R, numbered

from analysis import stats

MGUS = "mgus2_competing"


def levels(values: pd.Series, *names: str) -> dict[str, pd.Series]:
    """Return a 0/1 column for each named level."""
    return {f"{values.name}{name}": (values == name).astype(float) for name in names}


def _data(shared: Path, file: str) -> pd.DataFrame:
    return pd.read_csv(shared / CLASSICS / "data" / f"{file}.csv")


def models(shared: Path) -> Iterator[tuple[str, pd.DataFrame, dict]]:
    """Name, covariates and the rest of each of R's 12 models."""
    lung, veteran, colon, pbc, aml, gehan, heart, mgus = (
        _data(shared, file)
        for file in ("lung", "veteran", "colon", "pbc", "aml", "gehan", "heart", MGUS)
    )
    ages = {"age": lung["age"], "ecog": lung["ph.ecog"]}
    died = {"time": lung["time"], "event": lung["status"] == 2}
    yield "lung_sex", pd.DataFrame({"sex": lung["sex"]}), died
    x = pd.DataFrame({"age": ages["age"], "sex": lung["sex"], "ecog": ages["ecog"]})
    yield "lung_age_sex_ecog", x, died
    yield "lung_strat", pd.DataFrame(ages), {**died, "stratum": lung["sex"]}
    cells = levels(veteran["celltype"], "smallcell", "adeno", "large")
    others = {name: veteran[name] for name in ("karno", "diagtime", "age", "prior")}
    x = pd.DataFrame({"trt": veteran["trt"], **cells, **others})
    yield "veteran_full", x, {"time": veteran["time"], "event": veteran["status"] == 1}
    arms = levels(colon["rx"], "Lev", "Lev+5FU")
    death = (colon["etype"] == 2).to_numpy()
    x = pd.DataFrame({**arms, **{name: colon[name] for name in ("sex", "age", "nodes")}})
    ended = {"time": colon["time"], "event": colon["status"] == 1}
    yield "colon_death", x[death], {name: values[death] for name, values in ended.items()}
    clustered = {**ended, "stratum": colon["etype"], "cluster": colon["id"]}
    yield "colon_cluster", pd.DataFrame(arms), clustered
    logs = {name: np.log(pbc[name]) for name in ("bili", "protime", "albumin")}
    x = pd.DataFrame({"age": pbc["age"], "edema": pbc["edema"], **logs})
    yield "pbc_tg", x, {"time": pbc["time"], "event": pbc["status"] == 2}
    x = pd.DataFrame(levels(aml["x"], "Nonmaintained"))
    yield "aml_x", x, {"time": aml["time"], "event": aml["status"] == 1}
    x = pd.DataFrame(levels(gehan["treat"], "control"))
    yield "gehan_treat", x, {"time": gehan["time"], "event": gehan["cens"] == 1}
    changing = {"entry": heart["start"], "time": heart["stop"], "event": heart["event"] == 1}
    yield "heart_td", heart[["age", "year", "surgery", "transplant"]], changing
    x = mgus[["age", "sex", "mspike"]].assign(sex=(mgus["sex"] == "M").astype(float))
    for code, cause in ((1, "pcm"), (2, "death")):
        yield f"mgus2_cs_{cause}", x, {"time": mgus["etime"], "event": mgus["event"] == code}


def fitted(x: pd.DataFrame, rest: dict, ties: str) -> stats.Cox:
    """Fit a model to rows of spells, those with a gap left out."""
    table = x.assign(**{f"{name}_": values for name, values in rest.items()}).dropna()
    own = {name: table[f"{name}_"].to_numpy() for name in rest}
    died = own.pop("event").astype(float)
    for name in ("stratum", "cluster"):
        if name in own:
            own[name] = numbered(pd.Series(own[name]))
    covariates = table[list(x.columns)].to_numpy(float)
    rows = np.arange(len(table))
    return stats.cox(covariates, rows, own.pop("time"), died, 1 - died, ties=ties, **own)


def _fits(shared: Path, file: str) -> Iterator[tuple[stats.Cox, pd.DataFrame]]:
    golden = pd.read_csv(shared / CLASSICS / "golden" / file)
    for name, x, rest in models(shared):
        for ties in ("efron", "breslow"):
            expected = golden[(golden["model"] == name) & (golden["ties"] == ties)]
            yield fitted(x, rest, ties), expected


def coefficients(shared: Path) -> Pairs:
    """Compare with the coefficients of ``coxph``."""
    for fit, expected in _fits(shared, "cox_coefficients.csv"):
        yield fit.coefficient, expected["coef"]
        yield fit.std_error, expected["se"]
        yield fit.robust_error, expected["robust_se"]


def model_tests(shared: Path) -> Pairs:
    """Compare with what ``coxph`` says of whole models."""
    for fit, expected in _fits(shared, "cox_models.csv"):
        row = expected.iloc[0]
        found = (fit.null_log_likelihood, fit.log_likelihood, fit.likelihood_ratio, fit.score)
        yield found, row[["loglik_null", "loglik", "lrt", "score"]].astype(float)
        yield (fit.n, fit.n_events, fit.df), row[["n", "nevent", "df"]].astype(float)


def wald_tests(shared: Path) -> Pairs:
    """Compare with Wald's tests, which R's summary rounds."""
    for fit, expected in _fits(shared, "cox_models.csv"):
        yield round(fit.wald, 2), expected["wald"].iloc[0]


TERMS = {"veteran_full": [0, 1, 1, 1, 2, 3, 4, 5], "colon_death": [0, 0, 1, 2, 3]}


def proportional(shared: Path) -> Pairs:
    """Compare with ``cox.zph``."""
    golden = pd.read_csv(shared / CLASSICS / "golden" / "cox_zph.csv")
    for name, x, rest in models(shared):
        expected = golden[golden["model"] == name]
        if len(expected):
            fit = fitted(x, rest, "efron")
            found = stats.proportionality(fit.problem, fit.linear, term=TERMS.get(name))
            yield from zip(found, (expected[c] for c in ("chisq", "df", "p")), strict=True)


OURS = {  # model: covariates, late entries, stratum, cluster
    "plain": (0, False, False, False),
    "strata": (0, False, True, False),
    "cluster": (2, False, False, True),
    "late": (0, True, False, True),
    "late_strata": (0, True, True, True),
}


def ours(model: str, ties: str, weighted: bool, robust: bool) -> stats.Cox:
    """Fit one of the models of ``make_comparisons.R``."""
    spells = pd.read_csv(STATS / "spells_compared.csv")
    countries, late, stratum, cluster = OURS[model]
    x = {**levels(spells["method"], "card", "wallet"), "large": spells["large"]}
    x |= levels(spells["country"], "DE", "US") if countries else {}
    own = spells["seller"].to_numpy() if cluster else np.arange(len(spells))
    died = (spells["cause"] == 1).to_numpy(float)
    return stats.cox(
        pd.DataFrame(x).to_numpy(float),
        np.arange(len(spells)),
        spells["time"].to_numpy(),
        died,
        1 - died,
        entry=spells["entry"].to_numpy() if late else None,
        stratum=numbered(spells["country"]) if stratum else None,
        weight=spells["weight"].to_numpy() if weighted else None,
        cluster=own if robust else None,
        ties=ties,
    )


def cox_ours(_: None) -> Pairs:
    """Compare with ``coxph`` iterated to the end."""
    coefs = pd.read_csv(STATS / "cox_compared.csv")
    whole = pd.read_csv(STATS / "cox_tests_compared.csv")
    for _, row in whole.iterrows():
        key = (row["model"], row["ties"], row["weighted"])
        own = coefs[(coefs[["model", "ties", "weighted"]] == list(key)).all(axis=1)]
        fit = ours(*key, own["robust_se"].notna().any())
        yield fit.coefficient, own["coef"]
        yield fit.std_error, own["se"]
        yield fit.robust_error, own["robust_se"]
        found = (fit.null_log_likelihood, fit.log_likelihood, fit.score)
        yield found, row[["null", "loglik", "score"]].astype(float)


COMPARISONS = [
    Comparison(
        "cox",
        "coefficients, model and robust errors, 12 models x 2 kinds of ties",
        f"{R}, coxph",
        "golden/cox_coefficients.csv",
        coefficients,
        1e-7,
        "R stops when the likelihood moves by less than 1e-9 of itself, ours when no coefficient "
        "moves; with R told to go on, see reference/stats/cox_compared.csv",
    ),
    Comparison(
        "cox",
        "log likelihoods, likelihood-ratio and score tests, n, events, df",
        f"{R}, coxph",
        "golden/cox_models.csv",
        model_tests,
    ),
    Comparison(
        "cox",
        "Wald tests (robust where clustered), rounded to two decimals as R's summary does",
        f"{R}, coxph",
        "golden/cox_models.csv",
        wald_tests,
    ),
    Comparison(
        "cox",
        "coefficients, errors, likelihoods, score tests: strata, late entries, weights, clusters",
        f"{R}, coxph with eps = 1e-13",
        "reference/stats/cox_compared.csv",
        cox_ours,
    ),
    Comparison(
        "proportionality",
        "chi-square, df, p of each term and of all, 11 models",
        f"{R}, cox.zph",
        "golden/cox_zph.csv",
        proportional,
        1e-7,
        "as far as R's coefficients have converged",
    ),
]
