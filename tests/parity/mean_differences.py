"""Differences of restricted means."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from tests.parity.comparing import CLASSICS, Comparison, Pairs
from tests.parity.equal_curves import R, numbered, rows

from analysis import stats

TWO_SIDES = {  # analysis: file, time, event and its code, group
    "lung_sex": ("lung", "time", "status", 2, "sex"),
    "veteran_trt": ("veteran", "time", "status", 1, "trt"),
    "pbc_death_trt": ("pbc", "time", "status", 2, "trt"),
    "aml_x": ("aml", "time", "status", 1, "x"),
    "gehan_treat": ("gehan", "time", "cens", 1, "treat"),
}


def differences(shared: Path) -> Pairs:
    """Compare with two restricted means of ``survfit`` and their errors."""
    golden = pd.read_csv(shared / CLASSICS / "golden" / "rmst.csv")
    for analysis, (file, time, event, code, group) in TWO_SIDES.items():
        table = rows(shared, file, [time, event, group])
        for tau, expected in golden[golden["analysis"] == analysis].groupby("tau"):
            own = numbered(table[group], expected["strata"])
            died = (table[event] == code).to_numpy(int)
            times = table[time].to_numpy()
            curve = stats.kaplan_meier(own, times, died, 1 - died)
            cells = stats.Cells(own, times, died, np.ones(len(own)))
            found = stats.mean_differences(curve, cells, tau, np.array([-1, 0]))
            mean, error = expected["rmst"].to_numpy(), expected["se_rmst"].to_numpy()
            yield found.mean, mean
            yield found.estimate[1], mean[1] - mean[0]
            yield found.std_error[1], np.hypot(*error)
            yield found.ratio[1], mean[1] / mean[0]


COMPARISONS = [
    Comparison(
        "mean_differences",
        "difference, its error, ratio; 5 data sets at 2 or 3 limits each",
        f"{R}, survfit: two means, and the root of the sum of their squared errors",
        "golden/rmst.csv",
        differences,
    ),
]
