"""The measures' counts as a person would write them in SQL: the floor that we compare with.

Each entry is a query on the Parquet files that returns the counts of the measure of that name,
followed by the same statistics in NumPy. Time limits are written into the queries.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np

from analysis import stats
from analysis.contract import codes

SUCCESS = ", ".join(f"'{word}'" for word in codes.SUCCESS)
CANCELLED = ", ".join(f"'{word}'" for word in codes.CANCELLED_ENDS)
ANSWERS = ", ".join(f"'{word}'" for word in codes.SELLER_ANSWERS)
HORIZON = 720 * 3600
MATURE = "epoch(as_of) - epoch(requested_at) >= 2592000"
IN_TIME = "epoch(decided_at) - epoch(requested_at) <= 2592000"


def connect(folder: Path, as_of: str) -> duckdb.DuckDBPyConnection:
    """Views on the dataset's Parquet files, in UTC."""
    con = duckdb.connect()
    con.execute("SET TimeZone='UTC'; SET preserve_insertion_order=false")
    con.execute(f"CREATE MACRO as_of() AS TIMESTAMPTZ '{as_of}'")
    for table in ("orders", "requests", "refunds", "sellers", "steps", "blockers"):
        con.execute(
            f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{folder}/{table}/*.parquet')"
        )
    return con


def _shares(con: duckdb.DuckDBPyConnection, query: str) -> list[stats.RatioInterval]:
    found = con.execute(query.replace("as_of)", "as_of())")).fetchnumpy()
    n = np.ma.filled(found.pop("n"), 0).astype(float)
    found.pop("seller_id")
    group = np.zeros(len(n), dtype=np.int64)
    return [stats.ratio_interval(group, np.ma.filled(k, 0), n, n_groups=1) for k in found.values()]


def success_rate(con: duckdb.DuckDBPyConnection) -> object:
    return _shares(
        con,
        f"""SELECT seller_id, sum(({MATURE})::int) n,
              sum(({MATURE} AND {IN_TIME} AND outcome IN ({SUCCESS}))::int) k
            FROM requests JOIN orders USING (order_id) WHERE requested_by = 'buyer'
            GROUP BY seller_id""",
    )


def outcome_shares(con: duckdb.DuckDBPyConnection) -> object:
    sums = ", ".join(
        f"sum(({MATURE} AND {IN_TIME} AND outcome = '{word}')::int) k{i}"
        for i, word in enumerate(codes.OUTCOMES)
    )
    return _shares(
        con,
        f"""SELECT seller_id, sum(({MATURE})::int) n, {sums}
            FROM requests JOIN orders USING (order_id) WHERE requested_by = 'buyer'
            GROUP BY seller_id""",
    )


def blocker_shares(con: duckdb.DuckDBPyConnection) -> object:
    sums = ", ".join(
        f"sum(({MATURE} AND {IN_TIME} AND blocker = '{word}')::int) k{i}"
        for i, word in enumerate(codes.BLOCKERS)
    )
    return _shares(
        con,
        f"""SELECT seller_id, sum(({MATURE})::int) n, {sums}
            FROM requests JOIN orders USING (order_id) WHERE requested_by = 'buyer'
            GROUP BY seller_id""",
    )


def request_rate(con: duckdb.DuckDBPyConnection) -> object:
    return _shares(
        con,
        """WITH first AS (SELECT order_id, min(requested_at) asked_at FROM requests
             JOIN orders USING (order_id)
             WHERE requested_by = 'buyer' AND requested_at >= paid_at GROUP BY order_id)
           SELECT seller_id, count(*) n,
             sum((epoch(asked_at) - epoch(paid_at) <= 2592000)::int) k
           FROM orders LEFT JOIN first USING (order_id)
           WHERE paid_at IS NOT NULL AND epoch(as_of) - epoch(paid_at) >= 2592000
           GROUP BY seller_id""",
    )


def order_end_shares(con: duckdb.DuckDBPyConnection) -> object:
    words = [*codes.ORDER_ENDS]
    sums = ", ".join(f"sum((end_code = '{w}')::int) k{i}" for i, w in enumerate(words))
    return _shares(
        con,
        f"""SELECT seller_id, count(*) n, {sums}, sum((end_code IS NULL)::int) k99
            FROM orders GROUP BY seller_id""",
    )


def success_by_order_age(con: duckdb.DuckDBPyConnection) -> object:
    found = con.execute(
        f"""WITH asked AS (SELECT *, epoch(requested_at) - epoch(paid_at) age
              FROM requests JOIN orders USING (order_id) WHERE requested_by = 'buyer')
            SELECT CASE WHEN age IS NULL OR age < 0 THEN 0 WHEN age < 3600 THEN 1
                WHEN age < 21600 THEN 2 WHEN age < 86400 THEN 3 WHEN age < 172800 THEN 4
                WHEN age < 345600 THEN 5 WHEN age < 604800 THEN 6 ELSE 7 END step,
              seller_id, sum(({MATURE})::int) n,
              sum(({MATURE} AND {IN_TIME} AND outcome IN ({SUCCESS}))::int) k
            FROM asked GROUP BY 1, 2""".replace("as_of)", "as_of())")
    ).fetchnumpy()
    return stats.ratio_interval(found["step"].astype(np.int64), found["k"], found["n"], n_groups=8)


def cancel_flow_funnel(con: duckdb.DuckDBPyConnection) -> object:
    sums = ", ".join(f"sum(s{i}::int) k{i}" for i in range(5))
    reached = ", ".join(f"bool_or(step = '{w}') s{i}" for i, w in enumerate(codes.STEPS))
    return _shares(
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


def _spells(con: duckdb.DuckDBPyConnection, query: str) -> tuple[np.ndarray, ...]:
    found = con.execute(query.replace("as_of)", "as_of())")).fetchnumpy()
    return tuple(np.ma.filled(found[c], 0).astype(np.int64) for c in ("t", "cause", "n"))


def _one_end(con: duckdb.DuckDBPyConnection, query: str, times: np.ndarray) -> object:
    time, cause, n = _spells(con, query)
    group = np.zeros(len(time), dtype=np.int64)
    curve = stats.kaplan_meier(group, time, n * cause, n * (1 - cause), n_groups=1)
    return stats.survival_at(curve, times)


def _many_ends(con: duckdb.DuckDBPyConnection, query: str, causes: int) -> object:
    time, cause, n = _spells(con, query)
    events = np.zeros((len(time), causes), dtype=np.int64)
    happened = cause > 0
    events[np.flatnonzero(happened), cause[happened] - 1] = n[happened]
    group = np.zeros(len(time), dtype=np.int64)
    curve = stats.aalen_johansen(group, time, events, np.where(happened, 0, n), n_groups=1)
    return stats.incidence_at(curve, np.arange(241) * 60)


def outcome_curve(con: duckdb.DuckDBPyConnection) -> object:
    words = [w for w in codes.OUTCOMES if w != codes.PENDING]
    which = " ".join(f"WHEN outcome = '{w}' THEN {i}" for i, w in enumerate(words, 1))
    return _many_ends(
        con,
        f"""WITH spells AS (SELECT
              ceil((epoch(coalesce(decided_at, as_of())) - epoch(requested_at)) / 60) t,
              CASE {which} ELSE 0 END cause FROM requests WHERE requested_by = 'buyer')
            SELECT least(t, 14401) t, CASE WHEN t > 14400 THEN 0 ELSE cause END cause, count(*) n
            FROM spells GROUP BY 1, 2""",
        len(words),
    )


def window_curve(con: duckdb.DuckDBPyConnection) -> object:
    return _many_ends(
        con,
        f"""WITH spells AS (SELECT
              ceil((epoch(least(coalesce(shipped_at, as_of()), coalesce(ended_at, as_of()),
                   as_of())) - epoch(paid_at)) / 60) t,
              CASE WHEN shipped_at IS NOT NULL AND
                        (ended_at IS NULL OR shipped_at <= ended_at) THEN 1
                   WHEN ended_at IS NULL THEN 0
                   WHEN end_code IN ({CANCELLED}) THEN 2 ELSE 3 END cause
              FROM orders WHERE paid_at IS NOT NULL)
            SELECT least(t, 14401) t, CASE WHEN t > 14400 THEN 0 ELSE cause END cause, count(*) n
            FROM spells GROUP BY 1, 2""",
        3,
    )


REFUND_SPELLS = """WITH legs AS (SELECT refunds.*, coalesce(decided_at, ended_at) due
      FROM refunds JOIN orders USING (order_id)
      LEFT JOIN (SELECT request_id, decided_at FROM requests) USING (request_id)),
    spells AS (SELECT ceil((epoch(coalesce(credited_at, as_of())) - epoch(due)) / 3600) t,
      (credited_at IS NOT NULL)::int cause FROM legs WHERE due IS NOT NULL)
    SELECT least(t, {cut} + 1) t, CASE WHEN t > {cut} THEN 0 ELSE cause END cause, count(*) n
    FROM spells GROUP BY 1, 2"""


def refund_curve(con: duckdb.DuckDBPyConnection) -> object:
    return _one_end(con, REFUND_SPELLS.format(cut=720), np.arange(121) * 6)


def refund_quantiles(con: duckdb.DuckDBPyConnection) -> object:
    time, cause, n = _spells(con, REFUND_SPELLS.format(cut=8760))
    group = np.zeros(len(time), dtype=np.int64)
    curve = stats.kaplan_meier(group, time, n * cause, n * (1 - cause), n_groups=1)
    return stats.survival_quantiles(curve, np.array([0.5, 0.9, 0.95]))


def refund_mean(con: duckdb.DuckDBPyConnection) -> object:
    time, cause, n = _spells(con, REFUND_SPELLS.format(cut=720))
    group = np.zeros(len(time), dtype=np.int64)
    curve = stats.kaplan_meier(group, time, n * cause, n * (1 - cause), n_groups=1)
    return stats.restricted_mean(curve, 720.0)


def response_curve(con: duckdb.DuckDBPyConnection) -> object:
    return _one_end(
        con,
        f"""WITH spells AS (SELECT
              ceil((epoch(coalesce(decided_at, as_of())) - epoch(requested_at)) / 60) t,
              (outcome IN ({ANSWERS}))::int cause FROM requests
              WHERE requested_by = 'buyer' AND outcome NOT IN ('blocked', 'instant_cancelled'))
            SELECT least(t, 5761) t, CASE WHEN t > 5760 THEN 0 ELSE cause END cause, count(*) n
            FROM spells GROUP BY 1, 2""",
        np.arange(97) * 60,
    )


HANDWRITTEN: dict[str, Callable[[duckdb.DuckDBPyConnection], object]] = {
    "cancellation_success_rate": success_rate,
    "outcome_shares": outcome_shares,
    "request_rate": request_rate,
    "order_end_shares": order_end_shares,
    "outcome_curve": outcome_curve,
    "window_curve": window_curve,
    "refund_curve": refund_curve,
    "refund_quantiles": refund_quantiles,
    "refund_mean": refund_mean,
    "response_curve": response_curve,
    "blocker_shares": blocker_shares,
    "success_by_order_age": success_by_order_age,
    "cancel_flow_funnel": cancel_flow_funnel,
}
