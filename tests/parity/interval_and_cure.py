"""Curves of interval-censored spells, and models with a share that never ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from tests.parity.comparing import CLASSICS, REFERENCE, Comparison, Pairs

from analysis import stats

LAWS = ("exponential", "weibull", "lognormal")
EVENT = {"lung": 2, "veteran": 1}  # code of a death


def turnbull_of_r(_: None) -> Pairs:
    """Compare at all looks with ``survfit(Surv(left, right, type = "interval2") ~ group)``."""
    looks = pd.read_csv(REFERENCE / "stats" / "made_up_looks.csv")
    expected = pd.read_csv(REFERENCE / "stats" / "turnbull.csv")
    right = looks["right"].fillna(np.inf)
    curve = stats.turnbull(looks["group"].to_numpy(), looks["left"], right, np.ones(len(looks)))
    for group, rows in expected.groupby("group"):
        for bound in stats.interval_survival_at(curve, rows["time"]):
            yield bound[group], rows["survival"]


def kaplan_meier_exact(_: None) -> Pairs:
    """Compare with our Kaplan-Meier where every time is exact or right-censored."""
    looks = pd.read_csv(REFERENCE / "stats" / "made_up_looks.csv").query("group == 3")
    ended = looks["right"].notna().astype(int)
    rows = (np.zeros(len(looks), int), looks["left"])
    km = stats.kaplan_meier(*rows, ended, 1 - ended)
    curve = stats.turnbull(*rows, looks["right"].fillna(np.inf), np.ones(len(looks)))
    yield stats.interval_survival_at(curve, km.time)[1][0], km.survival


def cure_of_r(_: None) -> Pairs:
    """Compare with the maximum and the Hessian that ``optim`` and ``optimHess`` find."""
    data = pd.read_csv(REFERENCE / "stats" / "made_up_cures.csv")
    ended = data["event"].to_numpy()
    for law, rows in pd.read_csv(REFERENCE / "stats" / "cure.csv").groupby("latency"):
        fit = stats.cure_fit(data["group"].to_numpy(), data["time"], ended, 1 - ended, latency=law)
        for name in ("share", "location", "scale", "log_likelihood"):
            yield getattr(fit, name), rows[name]
        yield fit.std_error, rows[["se_logit", "se_location", "se_log_scale"]]


def cure_limits_of_r(_: None) -> Pairs:
    """Compare limits with the sandwich from sums of R's gradient over clusters."""
    data = pd.read_csv(REFERENCE / "stats" / "made_up_cures.csv")
    ended = data["event"].to_numpy()
    cluster = (data.groupby("group").cumcount().to_numpy() * 5 % 11) ** 2 // 11
    for law, rows in pd.read_csv(REFERENCE / "stats" / "cure.csv").groupby("latency"):
        counts = (data["group"].to_numpy(), data["time"].to_numpy(), ended, 1 - ended)
        fit = stats.cure_fit(*counts, latency=law)
        found = stats.cure_limits(fit, *counts, cluster, latency=law)
        yield from zip(found, (rows["low"], rows["high"]), strict=True)


def survreg_of_r(shared: Path) -> Pairs:
    """Compare with ``survreg(Surv(time, status) ~ 1)``: nobody is cured."""
    golden = pd.read_csv(shared / CLASSICS / "golden" / "survreg.csv")
    golden = golden[(golden["formula"] == "~1") & golden["dist"].isin(LAWS)]
    for (name, law), rows in golden.groupby(["data", "dist"]):
        data = pd.read_csv(shared / CLASSICS / "data" / f"{name}.csv")
        yield from _survreg(data, EVENT[name], law, rows.set_index("term"))


def _survreg(data: pd.DataFrame, event: int, law: str, rows: pd.DataFrame) -> Iterator:
    ended = (data["status"] == event).astype(int)
    fit = stats.cure_fit(
        np.zeros(len(data), int), data["time"], ended, 1 - ended, latency=law, with_cure=False
    )
    first = rows.loc["(Intercept)"]
    yield fit.location[0], first["est"]
    yield fit.std_error[0, 1], first["se"]
    yield fit.log_likelihood[0], first["loglik"]
    if law != "exponential":
        yield fit.scale[0], first["scale"]
        yield fit.std_error[0, 2], rows.loc["Log(scale)", "se"]


COMPARISONS = [
    Comparison(
        "turnbull",
        "survival at every look, both bounds",
        "R survival 3.5-3, survfit of interval2 data",
        "reference/stats/turnbull.csv",
        turnbull_of_r,
        1e-6,
        "R stops where a step changes the curve by less than 5e-5; the script lets it go on. "
        "Where there is no interval at all, R adds a phantom spell",
    ),
    Comparison(
        "turnbull",
        "survival, exact and right-censored times",
        "analysis.stats.kaplan_meier",
        "reference/stats/made_up_looks.csv",
        kaplan_meier_exact,
        1e-9,
    ),
    Comparison(
        "cure_fit",
        "share, location, scale, standard errors, log-likelihood",
        "R 4.2.2, optim and optimHess on the likelihood written anew",
        "reference/stats/cure.csv",
        cure_of_r,
        1e-6,
        "optim stops before machine precision, and its Hessian is numerical",
    ),
    Comparison(
        "cure_limits",
        "limits of the share, spells in clusters",
        "R 4.2.2, sums of the gradient over clusters and optimHess",
        "reference/stats/cure.csv",
        cure_limits_of_r,
        1e-6,
        "optim stops before machine precision, and its Hessian is numerical",
    ),
    Comparison(
        "cure_fit",
        "nobody cured: location, scale, standard errors, log-likelihood",
        "R survival 3.5-3, survreg",
        "golden/survreg.csv",
        survreg_of_r,
        1e-6,
        "survreg stops at a relative change of the log-likelihood of 1e-9",
    ),
]
