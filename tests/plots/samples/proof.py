"""Studies of coverage and size, and estimates beside the truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
from tests.plots.samples.numbers import CLUSTERED

COVERAGE = [
    ("shares", "success rate", "ratio_interval", "beta-binomial sellers", "60 sellers", 0.943,
     0.932, 0.952, 0.95, 0.93, 0.97, "share", 0.62, -0.0011, 0.0008, 0.139,
     "Wilson, requests taken as independent", 0.553, -0.0011, 0.055, 2000, "kept"),
    ("shares", "a rare share", "clopper_pearson", "binomial", "150 requests", 0.981, 0.978, 0.984,
     0.95, 0.95, 1.0, "share", 0.03, 0.00006, 0.0001, 0.062, None, np.nan, np.nan, np.nan, 10000,
     "kept"),
    ("curves", "mean days to the money", "restricted_mean", "log-normal", "250 refunds", 0.912,
     0.899, 0.924, 0.95, 0.93, 0.97, "days", 5.9, 0.0003, 0.006, 1.3, "mean of the refunds that "
     "have arrived", 0.006, -1.05, 0.9, 2000, "too narrow"),
]  # fmt: skip
SIZES = [
    ("tests", "two groups of refunds", "log_rank", "log-normal", "2 x 150", 0.052, 0.043, 0.063,
     0.05, 0.03, 0.07, "t test of the refunds that have arrived", 0.61, 2000, "kept"),
    ("tests", "two groups of ends", "gray", "two ends", "2 x 150", 0.048, 0.039, 0.058, 0.05, 0.03,
     0.07, None, np.nan, 2000, "kept"),
]  # fmt: skip
TRUTHS = [
    ("requests", "success rate", 0.512, 0.488, 0.536, 0.518, -0.006, True, "share", 2310,
     CLUSTERED),
    ("sellers", "answered within 6 hours", 0.31, 0.27, 0.35, 0.36, -0.05, False, "share", 602,
     "Kaplan-Meier, log-log"),
    ("refunds", "median days to the money", 5.2, 4.9, 5.5, 5.1, 0.1, True, "days", 1908,
     "Kaplan-Meier, log-log, inverted"),
    ("refunds", "mean days, at most 30 of each", 6.4, 6.1, 6.7, 6.3, 0.1, True, "days", 1908,
     "restricted mean, normal"),
]  # fmt: skip


def coverage_study() -> pd.DataFrame:
    names = ["topic", "estimand", "estimator", "law", "cases", "estimate", "ci_low", "ci_high"]
    names += ["nominal", "least", "most", "unit", "truth", "bias", "bias_error", "width"]
    names += ["naive_method", "naive", "naive_bias", "naive_width", "n", "verdict"]
    return pd.DataFrame(COVERAGE, columns=names)


def size_study() -> pd.DataFrame:
    names = ["topic", "estimand", "estimator", "law", "cases", "estimate", "ci_low", "ci_high"]
    names += ["nominal", "least", "most", "naive_method", "naive", "n", "verdict"]
    return pd.DataFrame(SIZES, columns=names)


def estimates_versus_truth() -> pd.DataFrame:
    names = ["topic", "estimand", "estimate", "ci_low", "ci_high", "truth", "difference"]
    return pd.DataFrame(TRUTHS, columns=[*names, "is_inside", "unit", "n", "interval"])


WHOLE = {
    "coverage_study": coverage_study,
    "estimates_versus_truth": estimates_versus_truth,
    "size_study": size_study,
}
