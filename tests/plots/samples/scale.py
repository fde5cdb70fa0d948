"""What size costs: measured at some sizes, ours carried to a billion orders."""

from __future__ import annotations

import numpy as np
import pandas as pd

LINE = "straight line, relative errors, t"
COSTS = [
    ("generate", "ours", 10**6, True, 3.1, np.nan, np.nan, 2.0, 310.0, 0.93, 0.81, 1.05, 3,
     "as measured"),
    ("generate", "ours", 10**7, True, 24.0, np.nan, np.nan, 12.6, 420.0, 0.93, 0.81, 1.05, 3,
     "as measured"),
    ("generate", "ours", 10**9, False, 2330.0, 2050.0, 2610.0, np.nan, np.nan, 0.93, 0.81, 1.05, 3,
     LINE),
    ("generate", "another generator", 10**6, True, 80.0, np.nan, np.nan, 81.0, 2310.0, 1.01, np.nan,
     np.nan, 2, "as measured"),
    ("report", "ours", 10**6, True, 19.0, np.nan, np.nan, 11.0, 610.0, 0.41, np.nan, np.nan, 2,
     "as measured"),
    ("report", "ours", 10**9, False, 5240.0, np.nan, np.nan, np.nan, np.nan, 0.41, np.nan, np.nan,
     2, LINE),
]  # fmt: skip


def scale_costs() -> pd.DataFrame:
    names = ["work", "peer", "n_orders", "is_measured", "estimate", "ci_low", "ci_high", "seconds"]
    names += ["peak_mb", "exponent", "exponent_low", "exponent_high", "n", "interval"]
    return pd.DataFrame(COSTS, columns=names)


WHOLE = {"scale_costs": scale_costs}
