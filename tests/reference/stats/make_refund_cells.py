"""Count the refunds of a small synthetic market by their circumstances: refund_cells.csv.

In pandas, from the rows; then ``Rscript make_refund_drivers.R`` fits R's Cox model to them. Run in
this folder, with the package installed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from analysis.marketplace import make_market

AS_OF = pd.Timestamp("2025-11-20", tz="UTC")
HORIZON = 30 * 24  # hours
KEYS = ["seller", "method", "buyer_country", "size_tier", "hours", "credited"]


def cells() -> pd.DataFrame:
    """Return refund legs by seller, method, country, size, hours waited and whether credited."""
    frames = {
        name: frame.to_pandas() for name, frame in make_market(9000, seed=5, as_of=AS_OF).items()
    }
    rows = frames["refunds"].merge(
        frames["requests"][["request_id", "decided_at"]], on="request_id", how="left"
    )
    rows = rows.merge(
        frames["orders"][["order_id", "seller_id", "buyer_country", "ended_at"]], on="order_id"
    )
    rows = rows.merge(frames["sellers"][["seller_id", "size_tier"]], on="seller_id")
    due = rows["decided_at"].fillna(rows["ended_at"])
    seconds = (rows["credited_at"].fillna(AS_OF) - due).dt.total_seconds()
    hours = np.ceil(seconds / 3600)
    rows = rows.assign(
        seller=rows["seller_id"],
        hours=np.minimum(hours, HORIZON + 1).astype("Int64"),
        credited=(rows["credited_at"].notna() & (hours <= HORIZON)).astype(int),
    )[due.notna()]
    return rows.groupby(KEYS).size().rename("n").reset_index()


if __name__ == "__main__":
    cells().to_csv(Path(__file__).parent / "refund_cells.csv", index=False)
