"""One estimator beside one reference."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

CLASSICS = "survival_classics"  # folder of shared_data: textbook data, and R's values in golden/
REFERENCE = Path(__file__).resolve().parents[1] / "reference"  # ours: values beside their scripts

Pairs = Iterable[tuple[ArrayLike, ArrayLike]]  # (found, expected), NaN where there is no number


class Comparison(NamedTuple):
    """One row of the parity table."""

    estimator: str  # public name in ``analysis.stats``, or a measure
    numbers: str  # what is compared: "survival, Greenwood error, five kinds of limits"
    reference: str  # who computed it: "R survival 3.5-3, survfit"
    values: str  # where the values lie: "golden/km_curves.csv", "reference/stats/wilson.csv"
    pairs: Callable[[Path | None], Pairs]  # given shared_data (None where ``values`` are ours)
    tolerance: float = 1e-9
    remark: str = ""  # where the formula differs, and why

    @property
    def needs_shared_data(self) -> bool:
        """Whether the values lie outside the repository."""
        return self.values.startswith("golden/")


def largest_difference(pairs: Pairs) -> tuple[float, int]:
    """Largest difference (relative where values are above 1) and how many numbers were compared.

    Missing values must be missing on both sides: where they are not, the difference is infinite.
    """
    largest, n = 0.0, 0
    for found, expected in pairs:
        found, expected = np.broadcast_arrays(
            np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
        )
        n += expected.size
        if not (np.isnan(found) == np.isnan(expected)).all():
            return np.inf, n
        same = (found == expected) | np.isnan(expected)
        with np.errstate(invalid="ignore"):  # both infinite: the same
            away = np.abs(found - expected) / np.maximum(1.0, np.abs(expected))
        largest = max(largest, float(np.where(same, 0.0, away).max(initial=0.0)))
    return largest, n
