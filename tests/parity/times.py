"""Times: curves of one end and of several, quantiles, means, time lost."""

from __future__ import annotations

import numpy as np
import pandas as pd
from tests.parity.comparing import REFERENCE, Comparison, Pairs

from analysis import stats

R = "R 4.2.2, survival 3.5-3"


def made_up() -> pd.DataFrame:
    """Read the made-up spells that the references in this repository are about."""
    return pd.read_csv(REFERENCE / "stats" / "made_up_spells.csv")


def ends_of(spells: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Events, rows x causes, and censorings of the made-up spells, one row a spell."""
    n_events = np.stack([spells["cause"] == 1, spells["cause"] == 2], axis=1).astype(int)
    return n_events, (spells["cause"] == 0).to_numpy(int)


def time_lost(_: None) -> Pairs:
    """Compare with the mean times in the states of ``summary(survfit(...), rmean = tau)``."""
    spells = made_up()
    curve = stats.aalen_johansen(spells["group"], spells["exit"], *ends_of(spells))
    for tau, rows in pd.read_csv(REFERENCE / "stats" / "time_lost.csv").groupby("tau"):
        lost = stats.restricted_time_lost(curve, tau)
        for cause in (1, 2):
            own = rows[rows["cause"] == cause].sort_values("group")
            yield lost.estimate[:, cause - 1], own["mean"]
            yield lost.std_error[:, cause - 1], own["std_error"]


COMPARISONS = [
    Comparison(
        "restricted_time_lost",
        "time lost to each of two causes, standard error",
        f"{R}, survfit",
        "reference/stats/time_lost.csv",
        time_lost,
    ),
]
