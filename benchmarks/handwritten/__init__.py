"""The measures as a person would write them in SQL: the floor that we compare with.

Each entry is a query on the Parquet files that counts what the measure of that name counts, and,
where one call gives it, the same statistics in NumPy. Time limits are written into the queries.
What has no entry is a measure of measures, follows rules that a query would have to repeat, or is
drawn from snapshots.
"""

from __future__ import annotations

from .curves import CURVES
from .engine import POOLS, ByHand, connect, difference
from .sellers import SELLERS
from .shares import SHARES
from .stages import STAGES_AND_MONEY

HANDWRITTEN: dict[str, ByHand] = {**SHARES, **CURVES, **SELLERS, **STAGES_AND_MONEY}
WITHOUT = {
    "naive_versus_right": "puts together measures that are above",
    "policy_versus_practice": "follows the rules of the policy, which are not SQL",
    "refund_curve_from_snapshots": "reads what daily snapshots would have shown",
}

__all__ = ["HANDWRITTEN", "POOLS", "WITHOUT", "ByHand", "connect", "difference"]
