"""Shares of clustered units, adjusted p-values, ratios, and one beta distribution for all."""

from __future__ import annotations

import numpy as np
import pandas as pd
from tests.parity.comparing import REFERENCE, Comparison, Pairs

from analysis import stats

STATS = REFERENCE / "stats"
DENSE = "R 4.2.2, dense matrices"


def _cases() -> Pairs:
    """Counts of each case with R's rows for it, one a level."""
    counts = dict(iter(pd.read_csv(STATS / "clustered_counts.csv").groupby("case")))
    for case, rows in pd.read_csv(STATS / "clustered_shares.csv").groupby("case"):
        own = counts[case]
        yield own["k"].to_numpy(), own["n"].to_numpy(), rows


def variances(_: None) -> Pairs:
    for k, n, rows in _cases():
        found = stats.cluster_variance(np.zeros(len(k), int), k, n)
        yield found.variance, rows["variance"]
        yield found.df, rows["df"]


def limits(_: None) -> Pairs:
    for k, n, rows in _cases():
        for row in rows.itertuples():
            found = stats.ratio_interval(np.zeros(len(k), int), k, n, level=row.level)
            yield found.estimate, row.estimate
            yield found.low, row.low
            yield found.high, row.high


def limits_at_a_variance(_: None) -> Pairs:
    for k, n, rows in _cases():
        for row in rows.itertuples():
            low, high = stats.clustered_wilson(
                k.sum(), n.sum(), row.variance, df=row.df, level=row.level
            )
            yield low, row.low
            yield high, row.high


def adjusted(_: None) -> Pairs:
    table = pd.read_csv(STATS / "q_values.csv")
    yield stats.q_values(table["p"].to_numpy()), table["q"]


def ratios(_: None) -> Pairs:
    table = pd.read_csv(STATS / "mover_ratios.csv")
    found = stats.mover_ratio(table["k1"], table["n1"], table["k2"], table["n2"])
    yield from zip(found, (table["estimate"], table["low"], table["high"]), strict=True)


def fitted(_: None) -> Pairs:
    counts = dict(iter(pd.read_csv(STATS / "beta_posterior.csv").groupby("case")))
    for row in pd.read_csv(STATS / "beta_binomial.csv").itertuples():
        own = counts[row.case]
        yield stats.fit_beta_binomial(own["k"], own["n"]), (row.alpha, row.beta)


def shrunk(_: None) -> Pairs:
    table = pd.read_csv(STATS / "beta_posterior.csv")
    found = stats.shrunk_rate(table["k"], table["n"], alpha=3.5, beta=1.5, level=0.9)
    yield from zip(found, (table["estimate"], table["low"], table["high"]), strict=True)


COMPARISONS = [
    Comparison(
        "cluster_variance",
        "CR2 variance, Satterthwaite's degrees of freedom",
        DENSE,
        "reference/stats/clustered_shares.csv",
        variances,
    ),
    Comparison(
        "ratio_interval",
        "share, limits at two levels",
        f"{DENSE}, uniroot",
        "reference/stats/clustered_shares.csv",
        limits,
    ),
    Comparison(
        "clustered_wilson",
        "limits at two levels, the variance given",
        "R 4.2.2, uniroot",
        "reference/stats/clustered_shares.csv",
        limits_at_a_variance,
    ),
    Comparison(
        "q_values",
        "adjusted p-values",
        "R 4.2.2, p.adjust",
        "reference/stats/q_values.csv",
        adjusted,
    ),
    Comparison(
        "mover_ratio",
        "ratio, limits",
        "R 4.2.2, uniroot",
        "reference/stats/mover_ratios.csv",
        ratios,
    ),
    Comparison(
        "fit_beta_binomial",
        "both parameters",
        "R 4.2.2, optim",
        "reference/stats/beta_binomial.csv",
        fitted,
        1e-5,
        "Nelder-Mead stops there; our likelihood is at least R's (tests)",
    ),
    Comparison(
        "shrunk_rate",
        "mean, limits",
        "R 4.2.2, qbeta",
        "reference/stats/beta_posterior.csv",
        shrunk,
    ),
]
