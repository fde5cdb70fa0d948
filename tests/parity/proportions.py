"""Shares of single groups."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from tests.parity.comparing import CLASSICS, REFERENCE, Comparison, Pairs

from analysis import stats


def _golden(shared: Path) -> pd.DataFrame:
    return pd.read_csv(shared / CLASSICS / "golden" / "binomial_ci.csv")


def wilson_of_r(shared: Path) -> Pairs:
    """Compare with ``prop.test(x, n, correct = FALSE)``."""
    cases = _golden(shared)
    found = stats.wilson(cases["x"], cases["n"])
    yield from zip(found, (cases["wilson_lower"], cases["wilson_upper"]), strict=True)


def wilson_ours(_: None) -> Pairs:
    """Compare with R at several levels, counts of 0 and n among them."""
    for level, cases in pd.read_csv(REFERENCE / "stats" / "wilson.csv").groupby("level"):
        found = stats.wilson(cases["k"], cases["n"], level=level)
        yield from zip(found, (cases["low"], cases["high"]), strict=True)


COMPARISONS = [
    Comparison(
        "wilson", "limits", "R 4.2.2, prop.test", "golden/binomial_ci.csv", wilson_of_r, 1e-9
    ),
    Comparison(
        "wilson", "limits", "R 4.2.2, prop.test", "reference/stats/wilson.csv", wilson_ours, 1e-9
    ),
]
