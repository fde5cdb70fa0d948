"""Limits from the beta distribution, and two shares beside each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from tests.parity.comparing import CLASSICS, REFERENCE, Comparison, Pairs

from analysis import stats

PAIR = ("k1", "n1", "k2", "n2")


def beta_of_r(shared: Path) -> Pairs:
    """Compare with qbeta and ``binom.test`` on real counts."""
    cases = pd.read_csv(shared / CLASSICS / "golden" / "binomial_ci.csv")
    for limits, name in ((stats.jeffreys, "jeffreys"), (stats.clopper_pearson, "clopper")):
        expected = cases[f"{name}_lower"], cases[f"{name}_upper"]
        yield from zip(limits(cases["x"], cases["n"]), expected, strict=True)


def beta_ours(_: None) -> Pairs:
    """Compare with R at several levels and up to a thousand million units."""
    for level, cases in pd.read_csv(REFERENCE / "stats" / "beta_limits.csv").groupby("level"):
        for limits, name in ((stats.jeffreys, "jeffreys"), (stats.clopper_pearson, "clopper")):
            expected = cases[f"{name}_low"], cases[f"{name}_high"]
            found = limits(cases["k"], cases["n"], level=level)
            yield from zip(found, expected, strict=True)


def pairs_of(contrast: Callable, name: str, **options: bool) -> Callable[[Path | None], Pairs]:
    """Compare both limits of a contrast of two shares with the columns of ``two_shares.csv``."""

    def pairs(_: Path | None) -> Pairs:
        for level, cases in pd.read_csv(REFERENCE / "stats" / "two_shares.csv").groupby("level"):
            counts = (cases[column] for column in PAIR)
            found = contrast(*counts, level=level, **options)
            expected: Sequence = (cases[f"{name}_low"], cases[f"{name}_high"])
            yield from zip(found[1:], expected, strict=True)

    return pairs


OWN_R = "R 4.2.2, from the definition: optimize and uniroot"
COMPARISONS = [
    Comparison(
        "jeffreys, clopper_pearson",
        "limits",
        "R 4.2.2, qbeta and binom.test",
        "golden/binomial_ci.csv",
        beta_of_r,
        1e-12,
    ),
    Comparison(
        "jeffreys, clopper_pearson",
        "limits",
        "R 4.2.2, qbeta",
        "reference/stats/beta_limits.csv",
        beta_ours,
        1e-12,
    ),
    Comparison(
        "newcombe_difference",
        "limits",
        "R Epi 2.47, ci.pd",
        "reference/stats/two_shares.csv",
        pairs_of(stats.newcombe_difference, "newcombe"),
        1e-12,
    ),
    *(
        Comparison(
            f"{contrast.__name__}{'' if corrected else ', not corrected'}",
            "limits",
            OWN_R,
            "reference/stats/two_shares.csv",
            pairs_of(contrast, name, corrected=corrected),
            1e-10,
        )
        for contrast, name, corrected in (
            (stats.score_difference, "mn", True),
            (stats.score_difference, "mee", False),
            (stats.score_ratio, "mn_ratio", True),
            (stats.score_ratio, "koopman", False),
        )
    ),
]
