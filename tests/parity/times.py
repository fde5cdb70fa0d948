"""Times: curves of one end and of several, quantiles, means, time lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from tests.parity.classics import (
    COMPETING,
    curves_of_cuminc,
    golden,
    incidence_curves,
    survival_curves,
)
from tests.parity.comparing import REFERENCE, Comparison, Pairs

from analysis import stats
from analysis.stats.scales import probability_limits

R = "R 4.2.2, survival 3.5-3"
CMPRSK = "R 4.2.2, cmprsk 2.2-11, cuminc"


def survival(shared: Path) -> Pairs:
    """Compare every column of ``survfit`` and its five kinds of limits."""
    for analysis, curve in survival_curves(shared):
        rows = golden(shared, "km_curves", analysis)
        yield curve.time, rows["time"]
        yield curve.n_at_risk, rows["n_risk"]
        yield curve.n_event, rows["n_event"]
        yield curve.n_censored, rows["n_censor"]
        yield curve.survival, rows["surv"]
        yield np.sqrt(curve.variance), rows["se_greenwood_surv"]
        for kind in stats.KINDS:
            low, high = stats.survival_limits(curve, kind=kind)
            yield low, rows[f"lower_{kind.replace('-', '')}"]
            yield high, rows[f"upper_{kind.replace('-', '')}"]


def hazard(shared: Path) -> Pairs:
    """Compare the cumulative hazard of Nelson and Aalen."""
    for analysis, curve in survival_curves(shared):
        rows = golden(shared, "km_curves", analysis)
        yield curve.hazard, rows["cumhaz_nelson_aalen"]
        yield np.sqrt(curve.hazard_variance), rows["se_cumhaz"]


def quantiles(shared: Path) -> Pairs:
    """Compare with ``quantile(survfit(...))``."""
    for analysis, curve in survival_curves(shared):
        for kind in stats.KINDS:
            rows = golden(shared, "km_quantiles", analysis, conf_type=kind)
            found = stats.survival_quantiles(curve, [0.25, 0.5, 0.75], kind=kind)
            for values, name in zip(found, ("quantile", "lower", "upper"), strict=True):
                yield values.ravel(), rows[name]


def means(shared: Path) -> Pairs:
    """Compare with ``summary(survfit(...), rmean = tau)``."""
    for analysis, curve in survival_curves(shared):
        for tau, rows in golden(shared, "rmst", analysis).groupby("tau"):
            mean = stats.restricted_mean(curve, tau)
            yield mean.estimate, rows["rmst"]
            yield mean.std_error, rows["se_rmst"]


def incidence(shared: Path) -> Pairs:
    """Compare every state of a multi-state ``survfit`` with its jackknife and limits."""
    for analysis, curve in incidence_curves(shared):
        for kind in ("log", "log-log", "plain"):
            limits = stats.incidence_limits(curve, kind=kind)
            stays = curve.survival, curve.survival_variance
            columns = {"(s0)": (*stays, *probability_limits(*stays, kind=kind))}
            for cause, state in enumerate(COMPETING[analysis][4].values()):
                parts = (curve.incidence, curve.variance, *limits)
                columns[state] = tuple(part[:, cause] for part in parts)
            for state, (share, variance, low, high) in columns.items():
                where = {"conf_type": kind, "state": state}
                rows = golden(shared, "aalen_johansen_survfit", analysis, **where)
                yield curve.time, rows["time"]
                yield share, rows["pstate"]
                yield np.sqrt(variance), rows["se_ij"]
                yield low, rows["lower"]
                yield high, rows["upper"]


def cuminc(shared: Path) -> Pairs:
    """Compare estimate and Aalen's variance of ``cuminc`` after each jump."""
    for analysis, curve in incidence_curves(shared):
        variance = stats.aalen_variance(curve)
        for group, cause, rows in curves_of_cuminc(shared, analysis, "cuminc_cmprsk"):
            after = rows.groupby("time", as_index=False).last()  # the file has each jump twice
            own = np.flatnonzero(curve.group == group)
            at = np.searchsorted(curve.time[own], after["time"], side="right") - 1
            for name, values in (("est", curve.incidence), ("var", variance)):
                yield np.where(at >= 0, values[own[np.maximum(at, 0)], cause], 0.0), after[name]


def timepoints(shared: Path) -> Pairs:
    """Compare with ``timepoints(cuminc(...))``: estimate and plain upper limit."""
    for analysis, curve in incidence_curves(shared):
        curve = curve._replace(variance=stats.aalen_variance(curve))  # noqa: PLW2901
        for group, cause, rows in curves_of_cuminc(shared, analysis, "cuminc_timepoints"):
            times = rows["time"].to_numpy()
            at = stats.incidence_at(curve, times, kind="plain")
            share = rows["est"].where(times <= curve.time[curve.group == group].max())
            yield at.incidence[group, :, cause], share
            yield at.high[group, :, cause], probability_limits(share, rows["var"], kind="plain")[1]


def read(name: str) -> pd.DataFrame:
    """Read one of our own references."""
    return pd.read_csv(REFERENCE / "stats" / f"{name}.csv")


def ends_of(spells: pd.DataFrame, weight: np.ndarray | float = 1.0) -> dict[str, np.ndarray]:
    """Counts of made-up spells with two causes, one row a spell."""
    causes = np.stack([spells["cause"] == 1, spells["cause"] == 2], axis=1)
    weight = np.broadcast_to(weight, len(spells))
    return {
        "group": spells["group"].to_numpy(),
        "time": spells["exit"].to_numpy(),
        "n_events": causes * weight[:, None],
        "n_censored": (spells["cause"] == 0).to_numpy() * weight,
    }


def time_lost(_: None) -> Pairs:
    """Compare with the mean times in the states of ``summary(survfit(...), rmean = tau)``."""
    curve = stats.aalen_johansen(**ends_of(read("made_up_spells")))
    for tau, rows in read("time_lost").groupby("tau"):
        lost = stats.restricted_time_lost(curve, tau)
        for cause in (1, 2):
            own = rows[rows["cause"] == cause].sort_values("group")
            yield lost.estimate[:, cause - 1], own["mean"]
            yield lost.std_error[:, cause - 1], own["std_error"]


DESIGN = ["entries", "weights", "cluster"]
Jackknifed = tuple[stats.SurvivalCurve, stats.Jackknife, stats.IncidenceCurve, stats.Jackknife]


def jackknifed(entries: str, weights: str, cluster: str) -> Jackknifed:
    """Curves of the clustered spells with their jackknives, as one design of the reference."""
    spells = read("clustered_spells")
    weight = np.ones(len(spells)) if weights == "unit" else spells["weight"].to_numpy()
    counts, entry = ends_of(spells, weight), None
    if entries == "late":
        entry = spells["entry"].to_numpy()
        before = {name: 0 * values for name, values in counts.items()}
        before |= {"group": counts["group"], "time": entry}
        counts = {name: np.concatenate([counts[name], before[name]]) for name in counts}
        counts["n_entered"] = np.concatenate([0 * weight, weight])
    several = stats.aalen_johansen(**counts)
    counts["n_event"] = counts.pop("n_events").sum(axis=1)
    one = stats.kaplan_meier(**counts)
    cells = stats.Cells(
        spells["group"].to_numpy(),
        spells["exit"].to_numpy(),
        spells["cause"].to_numpy(),
        weight,
        spells["cluster"].to_numpy() if cluster == "cluster" else None,
        entry,
        weight**2,
        np.ones(len(spells)),
    )
    single = cells._replace(end=np.minimum(cells.end, 1))
    return (
        one,
        stats.Jackknife(one, single, corrected=False),
        several,
        stats.Jackknife(several, cells, corrected=False),
    )


def jackknife_survival(_: None) -> Pairs:
    """Compare errors of curve and hazard with ``survfit(..., cluster, robust = TRUE)``."""
    for design, rows in read("jackknife_survival").groupby(DESIGN):
        curve, jackknife, _, _ = jackknifed(*design)
        yield curve.survival, rows["survival"]
        yield curve.hazard, rows["hazard"]
        yield np.sqrt(jackknife.hazard()), rows["hazard_std_error"]
        variance = jackknife.survival()
        yield np.sqrt(variance), rows["std_error"]
        low, high = probability_limits(curve.survival, variance)
        yield low, rows["low"]
        yield high, rows["high"]


def jackknife_quantiles(_: None) -> Pairs:
    """Compare with ``quantile(survfit(..., cluster, robust = TRUE))``."""
    for design, rows in read("jackknife_quantiles").groupby(DESIGN):
        curve, jackknife, _, _ = jackknifed(*design)
        curve = curve._replace(variance=jackknife.survival())
        found = stats.survival_quantiles(curve, rows["prob"].unique())
        for values, name in zip(found, ("value", "low", "high"), strict=True):
            yield values.ravel(), rows[name]


def jackknife_incidence(_: None) -> Pairs:
    """Compare with influences of ``survfit``, summed by cluster."""
    for design, rows in read("jackknife_incidence").groupby(DESIGN):
        _, _, curve, jackknife = jackknifed(*design)
        stays = np.sqrt(jackknife.survival())
        for (group, cause), own in rows.groupby(["group", "cause"]):
            here = curve.group == group
            yield curve.time[here], own["time"]
            if cause == 0:
                yield curve.survival[here], own["share"]
                yield stays[here], own["std_error"]
            else:
                yield curve.incidence[here, cause - 1], own["share"]
                error = np.sqrt(jackknife.incidence(own["time"].to_numpy()))
                yield error[group, :, cause - 1], own["std_error"]


def jackknife_means(_: None) -> Pairs:
    """Compare errors of mean and time lost with areas under influences of ``survfit``."""
    for design, rows in read("jackknife_means").groupby(DESIGN):
        one, single, several, jackknife = jackknifed(*design)
        for tau, own in rows.groupby("tau"):
            wide = own.pivot_table(["mean", "std_error"], "group", "cause")
            yield stats.restricted_mean(one, tau).estimate, wide["mean"][0]
            yield stats.restricted_time_lost(several, tau).estimate, wide["mean"][[1, 2]]
            yield np.sqrt(single.mean(tau)), wide["std_error"][0]
            yield np.sqrt(jackknife.time_lost(tau)), wide["std_error"][[1, 2]]


def pseudo(_: None) -> Pairs:
    """Compare with ``survfit`` on all spells and on all but one, for each."""
    spells, rows = read("made_up_spells"), read("pseudo_observations")
    curve = stats.aalen_johansen(**ends_of(spells))
    kinds = spells[["group", "exit", "cause"]].value_counts().reset_index()
    cells = stats.Cells(*(kinds[c].to_numpy() for c in ("group", "exit", "cause", "count")))
    times = np.sort(rows[rows["quantity"] == "survival"]["time"].unique())
    found = stats.pseudo_observations(curve, cells, times)
    means = stats.pseudo_means(curve, cells, 8)
    for cell, kind in enumerate(kinds.itertuples()):
        own = rows[(rows["group"] == kind.group) & (rows["exit"] == kind.exit)]
        own = own[own["cause"] == kind.cause].set_index("quantity").sort_values("time")
        yield found.survival[cell], own.loc["survival", "pseudo"]
        yield found.incidence[cell, :, 0], own.loc["first", "pseudo"]
        yield found.incidence[cell, :, 1], own.loc["second", "pseudo"]
        yield means[cell], own.loc["mean", "pseudo"]


ROBUST = "robust: by cluster or by spell, weighted or not, late entries or none"
SUMMED = "survfit gives influences by spell, which the script sums by cluster"
COMPARISONS = [
    Comparison(
        "kaplan_meier",
        "counts, survival, Greenwood error, five kinds of limits",
        f"{R}, survfit",
        "golden/km_curves.csv",
        survival,
    ),
    Comparison(
        "kaplan_meier", "hazard, standard error", f"{R}, survfit", "golden/km_curves.csv", hazard
    ),
    Comparison(
        "survival_quantiles",
        "quartiles, five kinds of limits",
        f"{R}, quantile of survfit",
        "golden/km_quantiles.csv",
        quantiles,
    ),
    Comparison(
        "restricted_mean", "mean, standard error", f"{R}, survfit", "golden/rmst.csv", means
    ),
    Comparison(
        "aalen_johansen",
        "shares, jackknife error, three kinds of limits",
        f"{R}, survfit",
        "golden/aalen_johansen_survfit.csv",
        incidence,
    ),
    Comparison(
        "aalen_variance", "shares, Aalen's variance", CMPRSK, "golden/cuminc_cmprsk.csv", cuminc
    ),
    Comparison(
        "incidence_at",
        "shares and plain limits at times",
        CMPRSK,
        "golden/cuminc_timepoints.csv",
        timepoints,
        remark="missing beyond a last time that is censored, where cuminc goes on",
    ),
    Comparison(
        "restricted_time_lost",
        "time lost to each of two causes, standard error",
        f"{R}, survfit",
        "reference/stats/time_lost.csv",
        time_lost,
    ),
    Comparison(
        "Jackknife",
        f"survival, hazard, errors, limits; {ROBUST}",
        f"{R}, survfit",
        "reference/stats/jackknife_survival.csv",
        jackknife_survival,
    ),
    Comparison(
        "Jackknife",
        f"quantiles and limits; {ROBUST}",
        f"{R}, quantile of survfit",
        "reference/stats/jackknife_quantiles.csv",
        jackknife_quantiles,
    ),
    Comparison(
        "Jackknife",
        f"shares of several ends, errors; {ROBUST}",
        f"{R}, influences of survfit",
        "reference/stats/jackknife_incidence.csv",
        jackknife_incidence,
        remark=SUMMED,
    ),
    Comparison(
        "Jackknife",
        f"mean and time lost, errors; {ROBUST}",
        f"{R}, influences of survfit",
        "reference/stats/jackknife_means.csv",
        jackknife_means,
        remark=SUMMED,
    ),
    Comparison(
        "pseudo_observations",
        "survival, shares of two ends, restricted mean",
        f"{R}, survfit without each spell in turn",
        "reference/stats/pseudo_observations.csv",
        pseudo,
        remark="exact leaving out; R's pseudo is the linear approximation",
    ),
]
