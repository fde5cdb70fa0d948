"""The card of one order."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from tests.plots.samples.shares import STAGES


def why_not(
    rows: Sequence[tuple] | None = None, until: str | None = "2025-11-03 14:05"
) -> pd.DataFrame:
    """Card of order 123; rows are (request, asked, state, outcome, rank, blocker, stood since)."""
    if rows is None:
        rows = [
            (9, "2025-11-03 20:05", "shipped", "blocked", 1, "already_shipped", "2025-11-03 14:05")
        ]
    names = [
        "request_id",
        "requested_at",
        "order_state",
        "outcome",
        "rank",
        "blocker",
        "stood_since",
    ]
    card = pd.DataFrame(rows, columns=names)
    card.insert(0, "order_id", 123)
    card.insert(7, "stage", card["blocker"].map(STAGES))
    card["cancellable_until"] = until
    for name in ("requested_at", "stood_since", "cancellable_until"):
        card[name] = pd.to_datetime(card[name], utc=True)
    return card


WHOLE = {"why_not": why_not}
