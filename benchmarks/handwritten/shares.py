"""Shares and rates by hand: counts by seller in SQL, clustered limits in NumPy."""

from __future__ import annotations

import duckdb
import numpy as np

from analysis import stats
from analysis.contract import codes
from analysis.measures.blockers import ORDER_AGES

from .engine import (
    COUNTS,
    FROM_BUYERS,
    IN_TIME,
    MATURE,
    N_AND_K,
    SUCCESS,
    WORKED,
    ByHand,
    by_word,
    fetched,
    numbers,
    one_row,
    summed,
)

AGE_STEP = """CASE WHEN paid_at IS NULL OR requested_at < paid_at THEN 0
    WHEN epoch(requested_at) - epoch(paid_at) < 3600 THEN 1
    WHEN epoch(requested_at) - epoch(paid_at) < 21600 THEN 2
    WHEN epoch(requested_at) - epoch(paid_at) < 86400 THEN 3
    WHEN epoch(requested_at) - epoch(paid_at) < 172800 THEN 4
    WHEN epoch(requested_at) - epoch(paid_at) < 345600 THEN 5
    WHEN epoch(requested_at) - epoch(paid_at) < 604800 THEN 6 ELSE 7 END"""
METHODS = codes.PAYMENT_METHODS
BY_SELLER = "GROUP BY seller_id"


def _shares(con: duckdb.DuckDBPyConnection, query: str) -> tuple[list[float], float]:
    """Limits of every share; return the numerators and the denominator."""
    found = fetched(con, query)
    n = numbers(found.pop("n"))
    found.pop("seller_id")
    group = np.zeros(len(n), dtype=np.int64)
    parts = [numbers(k) for k in found.values()]
    for k in parts:
        stats.ratio_interval(group, k, n, n_groups=1)
    return [k.sum() for k in parts], n.sum()


def success_rate(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    k, n = _shares(con, f"SELECT seller_id, {N_AND_K} {FROM_BUYERS} {BY_SELLER}")
    return np.array([*k, n])


def _words(con: duckdb.DuckDBPyConnection, column: str, words: tuple[str, ...]) -> np.ndarray:
    sums = ", ".join(
        f"sum(({MATURE} AND {IN_TIME} AND {column} = '{word}')::int) k{i}"
        for i, word in enumerate(words)
    )
    counts = f"sum({MATURE}::int) n, {sums}"
    return np.array(_shares(con, f"SELECT seller_id, {counts} {FROM_BUYERS} {BY_SELLER}")[0])


def request_rate(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    k, n = _shares(
        con,
        f"""WITH first AS (SELECT order_id, min(requested_at) asked_at {FROM_BUYERS}
              AND requested_at >= paid_at GROUP BY order_id)
            SELECT seller_id, count(*) n,
              sum((epoch(asked_at) - epoch(paid_at) <= 2592000)::int) k
            FROM orders LEFT JOIN first USING (order_id)
            WHERE paid_at IS NOT NULL AND epoch(as_of()) - epoch(paid_at) >= 2592000
            GROUP BY seller_id""",
    )
    return np.array([*k, n])


def order_end_shares(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    words = [*codes.ORDER_ENDS]
    sums = ", ".join(f"sum((end_code = '{w}')::int) k{i}" for i, w in enumerate(words))
    k, _ = _shares(
        con,
        f"""SELECT seller_id, count(*) n, {sums}, sum((end_code IS NULL)::int) k99
            FROM orders GROUP BY seller_id""",
    )
    return np.array(k[:-1])


def success_by_order_age(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    query = f"SELECT {AGE_STEP} step, seller_id, {N_AND_K} {FROM_BUYERS} GROUP BY 1, 2"
    found = fetched(con, query)
    step = found["step"].astype(np.int64)
    return stats.ratio_interval(step, found["k"], found["n"], n_groups=len(ORDER_AGES)).k


def cancel_flow_funnel(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    sums = ", ".join(f"sum(s{i}::int) k{i}" for i in range(len(codes.STEPS)))
    reached = ", ".join(f"bool_or(step = '{w}') s{i}" for i, w in enumerate(codes.STEPS))
    k, _ = _shares(
        con,
        f"""WITH sessions AS (SELECT session_id, max(order_id) order_id, {reached}
              FROM steps GROUP BY session_id),
            worked AS (SELECT DISTINCT session_id FROM steps JOIN requests
              ON steps.order_id = requests.order_id AND occurred_at = requested_at
              WHERE step = 'submit' AND outcome IN ({SUCCESS}))
            SELECT seller_id, count(*) n, {sums}, sum((worked.session_id IS NOT NULL)::int) k5
            FROM sessions JOIN orders USING (order_id) LEFT JOIN worked USING (session_id)
            GROUP BY seller_id""",
    )
    return np.array(k)


def success_rate_difference(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    query = f"SELECT payment_method, seller_id, {N_AND_K} {FROM_BUYERS} GROUP BY ALL"
    found = fetched(con, query)
    return summed(found["payment_method"], found["k"], METHODS)


def _differences(table: object) -> np.ndarray:
    found = dict(zip(table["payment_method"], table["n_events"], strict=True))
    found[table["baseline"].iloc[0]] = table["n_events_baseline"].iloc[0]
    return np.array([found.get(word, 0) for word in METHODS], dtype=float)


def standardised(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    query = f"SELECT order_state, seller_id, {N_AND_K} {FROM_BUYERS} GROUP BY ALL"
    found = fetched(con, query)
    return np.array([found["k"].sum(), found["n"].sum()], dtype=float)


def trend(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    took = f"CASE WHEN {IN_TIME} THEN epoch(decided_at) - epoch(requested_at) END"
    worked = f"({IN_TIME} AND outcome IN ({SUCCESS}))::int"
    found = fetched(
        con,
        f"""SELECT (epoch(requested_at)::bigint // 86400 + 3) // 7 AS cohort, seller_id,
              CASE WHEN {IN_TIME} OR {MATURE} THEN -1
                   ELSE (epoch(as_of()) - epoch(requested_at))::bigint // 600 END open_for,
              count(*) n, sum({worked}) k
            {FROM_BUYERS} GROUP BY ALL""",
    )
    fetched(
        con,
        f"""SELECT least(ceil(coalesce({took}, epoch(as_of()) - epoch(requested_at)) / 600), 4321)
              t, CASE WHEN NOT {IN_TIME} THEN 0 WHEN outcome IN ({SUCCESS}) THEN 1 ELSE 2 END
              cause, count(*) n
            {FROM_BUYERS} GROUP BY 1, 2""",
    )
    _, cohort = np.unique(found["cohort"], return_inverse=True)
    return np.bincount(cohort, numbers(found["k"]))


def explain_change(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    found = fetched(
        con,
        f"""WITH middle AS (SELECT
              (min(epoch(requested_at)) + max(epoch(requested_at)) + 1)::bigint // 2 m
              {FROM_BUYERS} AND {MATURE})
            SELECT order_state, epoch(requested_at) >= m late, seller_id,
              sum({MATURE}::int) n, sum({WORKED}::int) k
            FROM requests JOIN orders USING (order_id), middle WHERE requested_by = 'buyer'
            GROUP BY ALL""",
    )
    late = found["late"].astype(bool)
    return np.array([numbers(found["n"])[~late].sum(), numbers(found["n"])[late].sum()])


SHARES = {
    "cancellation_success_rate": ByHand(success_rate, one_row("n_events", "n")),
    "outcome_shares": ByHand(
        lambda con: _words(con, "outcome", codes.OUTCOMES), by_word("outcome", codes.OUTCOMES)
    ),
    "request_rate": ByHand(
        request_rate, one_row("n_events", "n"), "its limits do not allow for buyers"
    ),
    "order_end_shares": ByHand(order_end_shares, by_word("end_code", [*codes.ORDER_ENDS])),
    "blocker_shares": ByHand(
        lambda con: _words(con, "blocker", codes.BLOCKERS), by_word("blocker", codes.BLOCKERS)
    ),
    "success_by_order_age": ByHand(success_by_order_age, lambda table: table["n_events"]),
    "cancel_flow_funnel": ByHand(cancel_flow_funnel, lambda table: table["n_events"]),
    "success_rate_difference": ByHand(success_rate_difference, _differences, COUNTS),
    "standardised_success_rate": ByHand(standardised, one_row("n_events", "n"), COUNTS),
    "success_rate_trend": ByHand(trend, lambda table: table["n_events"], COUNTS),
    "explain_change": ByHand(
        explain_change,
        lambda table: table[table["part"] == "total"][["n_before", "n_after"]].iloc[0],
        COUNTS,
    ),
}
