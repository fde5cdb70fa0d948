"""Worlds and policies that the tests of the marketplace share."""

from __future__ import annotations

import dataclasses
from typing import Any

import pandas as pd

from analysis.marketplace import load_policy, load_world

AFTER_ALL = "2027-06-01"  # long after everything that orders of the window can come to

Frames = dict[str, pd.DataFrame]


def frames(tables: dict[str, Any]) -> Frames:
    """Arrow tables as pandas, words as plain text or None."""
    made = {}
    for name, table in tables.items():
        if hasattr(table, "to_pandas"):
            frame = table.to_pandas()
            for word in frame.select_dtypes("category").columns:
                plain = frame[word].astype(object)
                frame[word] = plain.where(plain.notna(), None)
            made[name] = frame
    return made


ODD_WORLD = load_world("aliexpress")
ODD_WORLD = dataclasses.replace(
    ODD_WORLD,
    payments=dataclasses.replace(
        ODD_WORLD.payments,
        review="approval",
        mixes={
            **ODD_WORLD.payments.mixes,
            "latin": {"card": 0.4, "cash_voucher": 0.2, "cash_on_delivery": 0.4},
        },
    ),
)
_POLICY = load_policy("aliexpress")
OTHER_POLICIES = {
    "aliexpress": _POLICY,
    "silence does not cancel, packing blocks, one request": dataclasses.replace(
        _POLICY, silence="not_cancelled", packed_blocks=True, max_requests=1
    ),
    "no deadline, free first hour, window of two days": dataclasses.replace(
        _POLICY,
        silence="waits",
        free_window_hours=1,
        cancel_window_hours=48,
        cancel_in_review=True,
    ),
    "no review, no ship deadline, no disputes": dataclasses.replace(
        _POLICY,
        review_hours=0,
        ship_timeout_cancels=False,
        dispute=dataclasses.replace(_POLICY.dispute, is_allowed=False),
    ),
}
