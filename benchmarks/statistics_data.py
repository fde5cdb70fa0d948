"""Made-up refunds, cells and requests for the benchmarks of the statistics.

They lie in a folder as plain binary numbers (float64, little-endian), one file a column, so that
Python and R read the very same rows.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

SEED = 1
SELLERS = 500
COVARIATES = 6
LEVELS = (2, 2, 2, 3, 3, 3, 4, 4, 5, 6)  # of the ten covariates of the logistic fit


class Data(NamedTuple):
    """Everything that the works read; one value a refund, cell or request."""

    hours: np.ndarray  # whole
    days: np.ndarray  # all different
    cause: np.ndarray  # 0: censored, 1 to 3
    seller: np.ndarray  # 0 to 499
    arm: np.ndarray  # 0 or 1
    covariates: np.ndarray  # refunds x 6, 0 or 1
    k: np.ndarray
    n: np.ndarray
    codes: np.ndarray  # requests x 10
    success: np.ndarray  # 0 or 1


def drawn(size: int) -> Data:
    """Draw ``size`` refunds, cells and requests."""
    rng = np.random.default_rng(SEED)
    covariates = rng.integers(0, 2, (size, COVARIATES))
    effect = covariates @ np.array([0.3, -0.2, 0.15, 0.1, -0.1, 0.05])
    days = rng.lognormal(1.8, 0.6, size) * np.exp(-effect)
    n = np.ceil(rng.lognormal(3.0, 1.2, size)).astype(np.int64)
    codes = np.stack([rng.integers(0, levels, size) for levels in LEVELS], axis=1)
    slope = np.linspace(-0.4, 0.4, len(LEVELS))
    odds = np.exp(0.2 + (codes * slope / np.array(LEVELS)).sum(axis=1))
    return Data(
        hours=np.ceil(days * 24).astype(np.int64),
        days=days,
        cause=rng.integers(0, 4, size),
        seller=rng.integers(0, SELLERS, size),
        arm=rng.integers(0, 2, size),
        covariates=covariates,
        k=rng.binomial(n, rng.beta(4, 2, size)),
        n=n,
        codes=codes,
        success=(rng.random(size) < odds / (1 + odds)).astype(np.int64),
    )


def write(data: Data, folder: Path) -> None:
    """Write every column to a file of its own; tables column after column."""
    for name, values in data._asdict().items():
        np.asarray(values, dtype="<f8").ravel(order="F").tofile(folder / name)


def read(folder: Path) -> Data:
    """Read what :func:`write` wrote."""
    columns = {name: np.fromfile(folder / name, dtype="<f8") for name in Data._fields}
    size = len(columns["hours"])
    for name in ("covariates", "codes"):
        columns[name] = columns[name].reshape(size, -1, order="F").astype(np.int64)
    for name in ("hours", "cause", "seller", "arm", "k", "n", "success"):
        columns[name] = columns[name].astype(np.int64)
    return Data(**columns)
