"""Counts by hand of what compares sellers, reasons and circumstances."""

from __future__ import annotations

import duckdb
import numpy as np

from analysis.contract import codes

from .curves import CUT, REFUND_SPELLS, REQUEST_SPELLS
from .engine import (
    ASKED,
    COUNTS,
    FROM_BUYERS,
    MATURE,
    N_AND_K,
    ByHand,
    fetched,
    numbers,
    one_row,
    summed,
)
from .shares import AGE_STEP

BY_MIX = f"""SELECT seller_id, order_state, {AGE_STEP} age_step, {N_AND_K} {FROM_BUYERS}
    AND seller_id IS NOT NULL GROUP BY ALL"""


def _by_seller(found: dict[str, np.ndarray]) -> np.ndarray:
    sellers, index = np.unique(numbers(found["seller_id"]), return_inverse=True)
    return np.bincount(index, numbers(found["k"]), len(sellers))


def seller_funnel(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    return _by_seller(fetched(con, BY_MIX))


def seller_scorecard(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    answers = REQUEST_SPELLS.replace(
        "WHERE", "WHERE outcome NOT IN ('blocked', 'instant_cancelled') AND"
    ).replace("/ 60", "/ 3600")
    fetched(con, f"{CUT.format(240)}, seller_id FROM ({answers}) GROUP BY ALL")
    days = REFUND_SPELLS.replace("/ 3600", "/ 86400")
    fetched(con, f"{CUT.format(120)}, seller_id FROM ({days}) GROUP BY ALL")
    return _by_seller(fetched(con, BY_MIX))


def seller_spread(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    found = fetched(con, f"SELECT seller_id, {N_AND_K} {FROM_BUYERS} GROUP BY seller_id")
    return np.array([numbers(found["k"]).sum(), numbers(found["n"]).sum()])


def reason_gaming(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    found = fetched(
        con,
        f"""WITH asked AS (SELECT seller_id, order_state, {AGE_STEP} age_step, reason,
              row_number() OVER (PARTITION BY order_id ORDER BY requested_at, request_id) place
              {FROM_BUYERS})
            SELECT seller_id, order_state, age_step, reason, count(*) n FROM asked
            WHERE place = 1 AND seller_id IS NOT NULL AND reason IS NOT NULL GROUP BY ALL""",
    )
    return summed(found["reason"], found["n"], codes.REASONS)


def success_drivers(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    found = fetched(
        con,
        f"""SELECT seller_id, order_state, {AGE_STEP} age_step, reason, payment_method, size_tier,
              {N_AND_K}, sum((NOT {MATURE})::int) n_young
            FROM {ASKED} LEFT JOIN sellers USING (seller_id) WHERE requested_by = 'buyer'
            GROUP BY ALL""",
    )
    return np.array([numbers(found["n_young"]).sum()])


def _young(table: object) -> np.ndarray:
    """Requests that are not counted yet; of the others, those that one level settles are apart."""
    return np.array([table[table["factor"] == "order_state"]["n_pending"].sum()])


def _events(table: object) -> np.ndarray:
    return table.sort_values("seller_id")["n_events"]


SELLERS = {
    "seller_scorecard": ByHand(seller_scorecard, _events, COUNTS),
    "seller_spread": ByHand(seller_spread, one_row("n_events", "n"), COUNTS),
    "seller_funnel": ByHand(seller_funnel, _events, COUNTS),
    "reason_gaming": ByHand(
        reason_gaming,
        lambda table: (
            table.groupby("reason")["n_events"].sum().reindex(codes.REASONS, fill_value=0)
        ),
        COUNTS,
    ),
    "success_drivers": ByHand(success_drivers, _young, COUNTS),
}
