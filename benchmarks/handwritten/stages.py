"""Counts by hand of stages, blockers that overlap, and money."""

from __future__ import annotations

import duckdb
import numpy as np

from analysis.contract import codes
from analysis.measures.stages import STAGES

from .curves import CUT, LEGS
from .engine import (
    CANCELLED,
    COUNTS,
    IN_TIME,
    MATURE,
    SUCCESS,
    ByHand,
    by_word,
    fetched,
    numbers,
)


def stage_durations(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    """Every stage with its begin and end; those that have not begun are counted apart."""
    con.execute(f"CREATE OR REPLACE TEMP VIEW legs AS {LEGS}")
    parts = """
        SELECT 'decision' stage, requested_at s, decided_at e, true begun FROM asked
        UNION ALL SELECT 'start', requested_at, NULL, false FROM asked WHERE decided_at IS NULL
        UNION ALL SELECT 'start', due, started_at, true FROM sent
        UNION ALL SELECT 'arrival', coalesce(started_at, due), credited_at, started_at IS NOT NULL
          FROM sent
        UNION ALL SELECT 'total', requested_at, credited_at,
          epoch(as_of()) - epoch(requested_at) >= 2592000
          FROM legs WHERE requested_at IS NOT NULL"""
    found = fetched(
        con,
        f"""WITH asked AS (SELECT * FROM requests
              WHERE requested_by = 'buyer' AND outcome <> 'blocked'),
            sent AS (SELECT * FROM legs WHERE started_at IS NOT NULL OR credited_at IS NULL),
            parts AS ({parts}),
            spells AS (SELECT stage, begun, (e IS NOT NULL)::int cause,
              ceil((epoch(coalesce(e, as_of())) - epoch(s)) / 60) t
              FROM parts WHERE s IS NOT NULL)
            {CUT.format(43200)}, stage, begun FROM spells GROUP BY ALL""",
    )
    n = numbers(found["n"]) * found["begun"].astype(bool)
    return np.array([n[found["stage"] == stage].sum() for stage in STAGES])


def blocker_overlap(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    """Requests by the set of rules that they met, as bits."""
    whens = " ".join(f"WHEN blocker = '{w}' THEN {2**i}" for i, w in enumerate(codes.BLOCKERS))
    own = " ".join(f"WHEN blocker = '{w}' THEN {i}" for i, w in enumerate(codes.BLOCKERS))
    found = fetched(
        con,
        f"""WITH met AS (SELECT DISTINCT request_id, CASE {whens} ELSE 0 END bit FROM
              (SELECT request_id, blocker FROM blockers
               UNION ALL SELECT request_id, blocker FROM requests)),
            patterns AS (SELECT request_id, sum(bit)::bigint pattern FROM met GROUP BY request_id),
            rows AS (SELECT seller_id, {MATURE} mature,
              CASE WHEN {MATURE} AND {IN_TIME} AND outcome NOT IN ({SUCCESS})
                   THEN coalesce(pattern, 0) ELSE 0 END pattern,
              CASE {own} ELSE -1 END own
              FROM requests JOIN orders USING (order_id) LEFT JOIN patterns USING (request_id)
              WHERE requested_by = 'buyer')
            SELECT seller_id, pattern, CASE WHEN pattern > 0 THEN own ELSE -1 END own,
              sum(mature::int) n FROM rows GROUP BY ALL""",
    )
    n, pattern = numbers(found["n"]), found["pattern"].astype(np.int64)
    return np.array([n[(pattern >> i) & 1 == 1].sum() for i in range(len(codes.BLOCKERS))])


def open_refund_liability(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    found = fetched(
        con,
        f"""WITH spells AS (SELECT currency, method, seller_id,
              ceil((epoch(coalesce(credited_at, as_of())) - epoch(due)) / 3600) t,
              credited_at IS NULL is_open,
              CASE WHEN credited_at IS NULL THEN amount_minor::double ELSE 0 END amount
              FROM ({LEGS}) WHERE due IS NOT NULL)
            SELECT currency, method, seller_id, t, is_open, count(*) n, sum(amount) amount,
              sum(amount * amount) squares FROM spells GROUP BY ALL""",
    )
    return _by_currency(found, "amount")


def recovered_sales(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    found = fetched(
        con,
        f"""WITH ends AS (SELECT order_id, currency, seller_id, ended_at, amount_minor FROM orders
              WHERE paid_at IS NOT NULL AND ended_at IS NOT NULL AND end_code IN ({CANCELLED})),
            again AS (SELECT ends.order_id, sum(later.amount_minor) again_minor
              FROM ends JOIN orders later ON later.replaces_order_id = ends.order_id
              WHERE later.paid_at IS NOT NULL AND later.currency = ends.currency
                AND epoch(later.paid_at) - epoch(ends.ended_at) <= 604800 GROUP BY ends.order_id),
            rows AS (SELECT currency, seller_id, epoch(as_of()) - epoch(ended_at) >= 604800 mature,
              amount_minor::double whole,
              CASE WHEN again_minor IS NULL THEN 0
                   ELSE least(again_minor, amount_minor)::double END part
              FROM ends LEFT JOIN again USING (order_id))
            SELECT currency, seller_id, sum(mature::int) n, sum((NOT mature)::int) n_pending,
              sum(part) FILTER (mature) part, sum(whole) FILTER (mature) whole,
              sum(part * part) FILTER (mature) pp, sum(part * whole) FILTER (mature) pw,
              sum(whole * whole) FILTER (mature) ww
            FROM rows GROUP BY currency, seller_id""",
    )
    return _by_currency(found, "part")


def _by_currency(found: dict[str, np.ndarray], value: str) -> np.ndarray:
    _, index = np.unique(found["currency"].astype(str), return_inverse=True)
    return np.bincount(index, numbers(found[value]))


STAGES_AND_MONEY = {
    "stage_durations": ByHand(
        stage_durations, lambda table: table["n"], f"{COUNTS}, by stage and minute"
    ),
    "blocker_overlap": ByHand(blocker_overlap, by_word("blocker", codes.BLOCKERS, "n_any"), COUNTS),
    "open_refund_liability": ByHand(
        open_refund_liability, lambda table: table.groupby("currency")["open_minor"].first(), COUNTS
    ),
    "recovered_sales": ByHand(recovered_sales, lambda table: table["recovered_minor"], COUNTS),
}
