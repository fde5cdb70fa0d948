"""What others do in the place of ``tables``: ``python tables_peers.py PEER FOLDER``.

The hand-written queries count what the measures count; pandas answers headline questions from
rows, without limits. Neither checks the data, and neither writes files. What nobody can do without
is to read each value once.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from handwritten import HANDWRITTEN, connect

from analysis.contract import TABLES, codes, read_manifest

HORIZON = pd.Timedelta(hours=720)
ASKED = ["order_id", "requested_by", "requested_at", "decided_at", "outcome", "blocker"]
PLACED = ["order_id", "paid_at", "shipped_at", "ended_at", "end_code"]
REFUNDED = ["order_id", "request_id", "credited_at"]


def by_hand(folder: Path) -> None:
    """Run every hand-written query once."""
    con = connect(folder, read_manifest(folder).as_of)
    for query in HANDWRITTEN.values():
        query.run(con)


def reading(folder: Path) -> None:
    """Read each value of each table once: a hash of every column."""
    con = connect(folder, read_manifest(folder).as_of)
    for name in TABLES:
        rows = con.table(name)
        rows.aggregate(", ".join(f'bit_xor(hash("{c}"))' for c in rows.columns)).fetchall()


def row_level(folder: Path) -> dict[str, object]:
    """Answer headline questions from the rows with pandas."""
    as_of = pd.Timestamp(read_manifest(folder).as_of)
    requests = pd.read_parquet(folder / "requests", columns=["request_id", *ASKED])
    orders = pd.read_parquet(folder / "orders", columns=PLACED)
    refunds = pd.read_parquet(folder / "refunds", columns=REFUNDED)
    asked = requests[requests["requested_by"] == "buyer"].merge(orders, on="order_id")
    mature = asked[as_of - asked["requested_at"] >= HORIZON]
    soon = mature["decided_at"] - mature["requested_at"] <= HORIZON
    first = asked[asked["requested_at"] >= asked["paid_at"]].groupby("order_id")["requested_at"]
    paid = orders[as_of - orders["paid_at"] >= HORIZON].merge(
        first.min().rename("asked_at"), how="left", left_on="order_id", right_index=True
    )
    legs = refunds.merge(requests[["request_id", "decided_at"]], on="request_id", how="left")
    legs = legs.merge(orders[["order_id", "ended_at"]], on="order_id")
    due = legs["decided_at"].fillna(legs["ended_at"])
    return {
        "cancellation_success_rate": (soon & mature["outcome"].isin(codes.SUCCESS)).mean(),
        "outcome_shares": mature["outcome"].where(soon).value_counts() / len(mature),
        "blocker_shares": mature["blocker"].where(soon).value_counts() / len(mature),
        "request_rate": (paid["asked_at"] - paid["paid_at"] <= HORIZON).mean(),
        "order_end_shares": orders["end_code"].value_counts() / len(orders),
        "refund_curve": product_limit(legs["credited_at"], due, as_of),
    }


def product_limit(ended: pd.Series, start: pd.Series, as_of: pd.Timestamp) -> np.ndarray:
    """Share that has ended by each hour to 30 days, from all rows (Kaplan and Meier 1958)."""
    waited = (ended.fillna(as_of) - start)[start.notna()].dt.total_seconds()
    hours = np.ceil(waited / 3600).clip(upper=721).astype(int).to_numpy()
    happened = ended[start.notna()].notna().to_numpy() & (hours <= 720)
    at_risk = np.bincount(hours, minlength=722)[::-1].cumsum()[::-1]
    events = np.bincount(hours[happened], minlength=722)
    return 1 - np.cumprod(1 - events / np.maximum(at_risk, 1))[:721]


JOBS = {"DuckDB by hand": by_hand, "each value read once": reading, "pandas": row_level}

if __name__ == "__main__":
    JOBS[sys.argv[1]](Path(sys.argv[2]))
