"""Many small groups: how much they differ, their posteriors, their places."""

from __future__ import annotations

import pandas as pd
from tests.parity.comparing import REFERENCE, Comparison, Pairs

from analysis import stats

STATS = REFERENCE / "stats"


def _counts() -> dict[str, pd.DataFrame]:
    return dict(iter(pd.read_csv(STATS / "beta_posterior.csv").groupby("case")))


def _spreads(file: str, *, adjusted: bool) -> Pairs:
    counts = _counts()
    for row in pd.read_csv(STATS / file).itertuples():
        own = counts[row.case]
        yield stats.beta_binomial_spread(own["k"], own["n"], adjusted=adjusted), row


def _spread_of(file: str, *, adjusted: bool) -> Pairs:
    names = ("mean", "correlation", "low", "high", "statistic", "p_value")
    for found, row in _spreads(file, adjusted=adjusted):
        yield [getattr(found, name) for name in names], [getattr(row, name) for name in names]


def spread_of_r(_: None) -> Pairs:
    """Compare mean, correlation, profile limits and test with R's optimize and uniroot."""
    return _spread_of("spread.csv", adjusted=False)


def adjusted_spread(_: None) -> Pairs:
    """Compare the same of the adjusted likelihood, its information by trigamma functions."""
    return _spread_of("adjusted_spread.csv", adjusted=True)


def spread_of_vgam(_: None) -> Pairs:
    """Compare mean and correlation with ``vglm(..., betabinomial)``."""
    for found, row in _spreads("spread.csv", adjusted=False):
        yield [found.mean, found.correlation], [row.vgam_mean, row.vgam_correlation]


def _posteriors() -> Pairs:
    counts = _counts()
    for case, rows in pd.read_csv(STATS / "group_posteriors.csv").groupby("case"):
        prior = stats.plausible_priors(counts[case]["k"], counts[case]["n"])
        yield stats.shrunk_posterior(rows["k"], rows["n"], prior), rows


def moments(_: None) -> Pairs:
    """Compare means and variances of the posteriors with a fine grid in R."""
    for found, rows in _posteriors():
        yield found.mean, rows["mean"]
        yield found.mean * (1 - found.mean) / (found.a + found.b + 1), rows["variance"]


def shapes(_: None) -> Pairs:
    """Compare limits and a tail with those of the exact mixture on that grid."""
    for found, rows in _posteriors():
        yield from zip(found.limits(), (rows["low"], rows["high"]), strict=True)
        yield [found.below(0.9 * m)[i] for i, m in enumerate(rows["mean"])], rows["below"]


def expected_places(_: None) -> Pairs:
    """Compare expected places with those of R's enumeration."""
    for _, rows in pd.read_csv(STATS / "places.csv").groupby("set"):
        yield stats.rank_limits(rows["a"], rows["b"]).expected, rows["expected"]


def place_limits(_: None) -> Pairs:
    """Compare limits of places with those of R's enumeration."""
    for _, rows in pd.read_csv(STATS / "places.csv").groupby("set"):
        found = stats.rank_limits(rows["a"], rows["b"])
        yield from zip((found.low, found.high), (rows["low"], rows["high"]), strict=True)


def limits_of_funnels(_: None) -> Pairs:
    """Compare interpolated binomial limits with R's qbinom and pbinom."""
    for level, rows in pd.read_csv(STATS / "funnel_limits.csv").groupby("level"):
        found = stats.funnel_limits(rows["target"], rows["n"], level=level)
        yield from zip(found, (rows["low"], rows["high"]), strict=True)


def dispersions(_: None) -> Pairs:
    """Compare phi and tau squared, as published and made consistent."""
    counts = _counts()
    for row in pd.read_csv(STATS / "funnel_dispersion.csv").itertuples():
        k, n = counts[row.case]["k"].to_numpy(), counts[row.case]["n"].to_numpy()
        target = k.sum() / n.sum()
        given = (k / n - target, target * (1 - target) / n)
        plain = stats.dispersion(*given, winsorise=row.winsorise, consistent=False)
        yield [plain.phi, plain.variance], [row.phi, row.variance]
        found = stats.dispersion(*given, winsorise=row.winsorise)
        yield [found.phi, found.variance], [row.phi_consistent, row.variance_consistent]


def tails(_: None) -> Pairs:
    """Compare two-sided p-values with sums of ``dbetabinom.ab`` and with ``pbinom``."""
    rows = pd.read_csv(STATS / "funnel_tails.csv")
    yield stats.two_sided_p(*(rows[name] for name in ("k", "n", "target", "between"))), rows["p"]


R = "R 4.2.2, "
GRID = f"{R}1,500 by 400 grid, pbeta"
COMPARISONS = [
    Comparison(
        "funnel_limits",
        "limits",
        f"{R}qbinom, Spiegelhalter (2005) A.1.1",
        "reference/stats/funnel_limits.csv",
        limits_of_funnels,
    ),
    Comparison(
        "dispersion",
        "phi, tau squared",
        f"{R}Spiegelhalter (2005), DerSimonian and Laird (1986)",
        "reference/stats/funnel_dispersion.csv",
        dispersions,
    ),
    Comparison(
        "two_sided_p",
        "p-values",
        f"{R}VGAM 1.1-7, dbetabinom.ab; pbinom",
        "reference/stats/funnel_tails.csv",
        tails,
    ),
    Comparison(
        "beta_binomial_spread",
        "adjusted: mean, correlation, limits, likelihood ratio, p-value",
        "SciPy, from the definition: minimize_scalar and brentq",
        "reference/stats/adjusted_spread.csv",
        adjusted_spread,
        1e-5,
        "both stop where the likelihood is flat to rounding",
    ),
    Comparison(
        "beta_binomial_spread",
        "mean, correlation, profile limits, likelihood ratio, p-value",
        f"{R}optimize and uniroot",
        "reference/stats/spread.csv",
        spread_of_r,
        1e-5,
        "both stop where the likelihood is flat to rounding",
    ),
    Comparison(
        "beta_binomial_spread",
        "mean, correlation",
        f"{R}VGAM 1.1-7, betabinomial",
        "reference/stats/spread.csv",
        spread_of_vgam,
        1e-4,
        "VGAM stops at a relative change of its coefficients",
    ),
    Comparison(
        "shrunk_posterior",
        "mean, variance",
        GRID,
        "reference/stats/group_posteriors.csv",
        moments,
        1e-5,
        "two ways to integrate over the plausible priors",
    ),
    Comparison(
        "shrunk_posterior",
        "limits, probability below",
        GRID,
        "reference/stats/group_posteriors.csv",
        shapes,
        2e-2,
        "ours is a beta distribution with the mixture's mean and variance",
    ),
    Comparison(
        "rank_limits",
        "expected place",
        f"{R}enumeration, integrate",
        "reference/stats/places.csv",
        expected_places,
        1e-4,
        "ours sums over cells of rates",
    ),
    Comparison(
        "rank_limits",
        "limits of the place",
        f"{R}enumeration, integrate",
        "reference/stats/places.csv",
        place_limits,
        1e-9,
    ),
]
