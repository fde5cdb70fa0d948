"""Why a rate changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from tests.parity.comparing import REFERENCE, Comparison, Pairs

from analysis.stats import rate_change


def deaths(_: Path | None) -> Pairs:
    """Compare with the definition, cell by cell, for deaths by race and age in 1970 and 1985."""
    cells = pd.read_csv(REFERENCE / "stats" / "rate_change.csv")
    found = rate_change(
        np.repeat([0, 1], len(cells)),
        np.tile(cells["cell"], 2),
        np.concatenate([cells["k0"], cells["k1"]]),
        np.concatenate([cells["n0"], cells["n1"]]),
    )
    yield found.mix.estimate, cells["mix"]
    yield found.rate.estimate, cells["rate"]
    whole = cells["mix"].sum(), cells["rate"].sum()
    yield found.whole.estimate, [sum(whole), *whole]


COMPARISONS = [
    Comparison(
        "rate_change",
        "mix and rate effects of 22 cells, and their sums",
        "R 4.2.2, from the definition, on data of Das Gupta (1993)",
        "reference/stats/rate_change.csv",
        deaths,
        1e-12,
    ),
]
