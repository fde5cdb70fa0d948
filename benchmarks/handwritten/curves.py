"""Curves by hand: counts by time and end in SQL, the curve in NumPy where one call gives it."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import numpy as np
import pandas as pd

from analysis import stats
from analysis.contract import REFUND_PROMISES, codes

from .engine import (
    ANSWERS,
    CANCELLED,
    COUNTS,
    LIMITS,
    POOLS,
    ByHand,
    by_word,
    fetched,
    numbers,
    one_row,
)

ENDS = [word for word in codes.OUTCOMES if word != codes.PENDING]
WHICH = " ".join(f"WHEN outcome = '{w}' THEN {i}" for i, w in enumerate(ENDS, 1))
REQUEST_SPELLS = f"""SELECT seller_id, payment_method,
      ceil((epoch(coalesce(decided_at, as_of())) - epoch(requested_at)) / 60) t,
      CASE {WHICH} ELSE 0 END cause
    FROM requests JOIN orders USING (order_id) WHERE requested_by = 'buyer'"""
CUT = "SELECT least(t, {0} + 1) t, CASE WHEN t > {0} THEN 0 ELSE cause END cause, count(*) n"
# seconds since a Monday 00:00 UTC that fall on Monday to Friday
WORKDAYS = """CREATE OR REPLACE MACRO workday_seconds(e) AS
    ((e + 259200) // 604800) * 432000 + least((e + 259200) % 604800, 432000)"""


def _spells(con: duckdb.DuckDBPyConnection, query: str) -> tuple[np.ndarray, ...]:
    found = fetched(con, query)
    return tuple(np.ma.filled(found[c], 0).astype(np.int64) for c in ("t", "cause", "n"))


def _one_end(con: duckdb.DuckDBPyConnection, query: str) -> stats.SurvivalCurve:
    time, cause, n = _spells(con, query)
    group = np.zeros(len(time), dtype=np.int64)
    return stats.kaplan_meier(group, time, n * cause, n * (1 - cause), n_groups=1)


def _many_ends(
    con: duckdb.DuckDBPyConnection, query: str, causes: int, last: int, hour: int = 60
) -> np.ndarray:
    """Curves to the last unit of time, of which an hour has so many; those of one day compare."""
    time, cause, n = _spells(con, query)
    events = np.zeros((len(time), causes), dtype=np.int64)
    happened = cause > 0
    events[np.flatnonzero(happened), cause[happened] - 1] = n[happened]
    group = np.zeros(len(time), dtype=np.int64)
    curve = stats.aalen_johansen(group, time, events, np.where(happened, 0, n), n_groups=1)
    at = np.arange(0, last + 1, hour)
    return stats.incidence_at(curve, at).incidence[0][24]


def outcome_curve(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    query = f"{CUT.format(5760)} FROM ({REQUEST_SPELLS}) GROUP BY 1, 2"
    return _many_ends(con, query, len(ENDS), 5760)


WINDOW_SPELLS = f"""SELECT seller_id,
      epoch(least(coalesce(shipped_at, as_of()), coalesce(ended_at, as_of()), as_of()))
        - epoch(paid_at) s,
      CASE WHEN shipped_at IS NOT NULL AND (ended_at IS NULL OR shipped_at <= ended_at) THEN 1
           WHEN ended_at IS NULL THEN 0 WHEN end_code IN ({CANCELLED}) THEN 2 ELSE 3 END cause
    FROM orders WHERE paid_at IS NOT NULL"""
WINDOW_ENDS = ("shipped", "cancelled", "ended_otherwise")


def window_curve(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    spells = f"SELECT ceil(s / 60) t, cause FROM ({WINDOW_SPELLS})"
    return _many_ends(con, f"{CUT.format(14400)} FROM ({spells}) GROUP BY 1, 2", 3, 14400)


def window_curve_of_sellers(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    spells = f"SELECT ceil(s / 900) t, cause, seller_id % {POOLS} pool FROM ({WINDOW_SPELLS})"
    query = f"{CUT.format(960)}, pool FROM ({spells}) GROUP BY ALL"
    return _many_ends(con, query, 3, 960, hour=4)


def window_hazard(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    found = fetched(
        con,
        f"""WITH steps AS (SELECT seller_id, s, cause, s > 864000 beyond,
              CASE WHEN s > 864000 THEN 40 ELSE greatest(ceil(s / 21600), 0)::int - 1 END place
              FROM ({WINDOW_SPELLS}))
            SELECT seller_id, place, CASE WHEN beyond THEN 0 ELSE cause END end_,
              count(*) n, sum(CASE WHEN beyond THEN 0 ELSE s - place * 21600 END) rest
            FROM steps GROUP BY ALL""",
    )
    began = found["place"] >= 0  # what ends as it is paid was never at risk
    return np.bincount(found["end_"].astype(int), numbers(found["n"]) * began, 4)[1:]


def _hazards(table: object) -> np.ndarray:
    sums = table.groupby("outcome")["n_events"].sum()
    return sums.reindex(list(WINDOW_ENDS), fill_value=0)


LEGS = """SELECT refunds.*, seller_id, buyer_country, size_tier,
      coalesce(decided_at, ended_at) due, requested_at
    FROM refunds JOIN (SELECT order_id, seller_id, buyer_country, ended_at FROM orders)
      USING (order_id) LEFT JOIN (SELECT seller_id, size_tier FROM sellers) USING (seller_id)
    LEFT JOIN (SELECT request_id, decided_at, requested_at FROM requests) USING (request_id)"""
REFUND_SPELLS = f"""SELECT ceil((epoch(coalesce(credited_at, as_of())) - epoch(due)) / 3600) t,
      (credited_at IS NOT NULL)::int cause, method, seller_id, buyer_country, size_tier
    FROM ({LEGS}) WHERE due IS NOT NULL"""


def _refunds(cut: int, by: str = "") -> str:
    return f"{CUT.format(cut)}{by} FROM ({REFUND_SPELLS}) GROUP BY ALL"


def refund_curve(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    curve = _one_end(con, _refunds(720))
    return 1 - stats.survival_at(curve, np.arange(121) * 6).survival[0]


def refund_quantiles(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    curve = _one_end(con, _refunds(8760))
    return stats.survival_quantiles(curve, np.array([0.5, 0.9, 0.95])).value[0] / 24


def refund_mean(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    return stats.restricted_mean(_one_end(con, _refunds(720)), 720.0).estimate / 24


def never_refunded(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    _, cause, n = _spells(con, _refunds(8760))
    return np.array([(n * cause).sum(), n.sum()], dtype=float)


def refund_time_difference(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    found = fetched(con, _refunds(720, ", method, seller_id"))
    return np.array([numbers(found["n"]).sum()])


def refund_drivers(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    found = fetched(con, _refunds(720, ", method, buyer_country, size_tier, seller_id"))
    return np.array([(numbers(found["n"]) * found["cause"]).sum()])


def refund_sla(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    con.execute(WORKDAYS)
    methods, parts = list(REFUND_PROMISES), []
    for clock, took in (("calendar", "{1} - {0}"), ("business", WORKDAY_DIFFERENCE)):
        own = [m for m in methods if REFUND_PROMISES[m].clock == clock]
        longest = 24 * max(REFUND_PROMISES[m].days for m in own)
        ends = "epoch(due)::bigint", "epoch(coalesce(credited_at, as_of()))::bigint"
        spells = f"""SELECT ceil(({took.format(*ends)}) / 3600) t, method, seller_id,
              (credited_at IS NOT NULL)::int cause FROM ({LEGS}) WHERE due IS NOT NULL"""
        query = f"{CUT.format(longest)}, method, seller_id FROM ({spells}) GROUP BY ALL"
        found = fetched(con, query)
        for method in own:
            limit = found["t"] <= 24 * REFUND_PROMISES[method].days
            mine = (found["method"] == method) & limit & (found["cause"] == 1)
            parts.append((method, numbers(found["n"])[mine].sum()))
    return np.array([dict(parts)[method] for method in sorted(methods)])


WORKDAY_DIFFERENCE = "workday_seconds({1}) - workday_seconds({0})"


def response_curve(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    return _answered(con, f"{CUT.format(5760)} FROM ({ANSWER_SPELLS}) GROUP BY 1, 2")


def response_curve_of_sellers(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    sellers = f"(SELECT order_id, seller_id % {POOLS} pool FROM orders)"
    spells = f"({ANSWER_SPELLS}) JOIN {sellers} USING (order_id)"
    return _answered(con, f"{CUT.format(5760)}, pool FROM {spells} GROUP BY ALL")


ANSWER_SPELLS = f"""SELECT order_id,
      ceil((epoch(coalesce(decided_at, as_of())) - epoch(requested_at)) / 60) t,
      (outcome IN ({ANSWERS}))::int cause FROM requests
    WHERE requested_by = 'buyer' AND outcome NOT IN ('blocked', 'instant_cancelled')"""


def _answered(con: duckdb.DuckDBPyConnection, query: str) -> np.ndarray:
    return 1 - stats.survival_at(_one_end(con, query), np.arange(97) * 60).survival[0]


def outcome_difference(con: duckdb.DuckDBPyConnection) -> np.ndarray:
    query = f"{CUT.format(5760)}, payment_method, seller_id FROM ({REQUEST_SPELLS}) GROUP BY ALL"
    found = fetched(con, query)
    return np.bincount(found["cause"].astype(int), numbers(found["n"]), len(ENDS) + 1)[1:]


def _of_first_day(words: tuple[str, ...]) -> Callable[[pd.DataFrame], np.ndarray]:
    taken = by_word("outcome", words, "estimate")
    return lambda table: taken(table[table["time_hours"] == 24])


CURVES = {
    "outcome_curve": ByHand(
        outcome_curve,
        _of_first_day(tuple(ENDS)),
        LIMITS,
    ),
    "window_curve": ByHand(
        window_curve,
        _of_first_day(WINDOW_ENDS),
        LIMITS,
        window_curve_of_sellers,
    ),
    "window_hazard": ByHand(window_hazard, _hazards, COUNTS),
    "refund_curve": ByHand(refund_curve, lambda table: table["estimate"], LIMITS),
    "refund_quantiles": ByHand(refund_quantiles, lambda table: table["estimate"], LIMITS),
    "refund_mean": ByHand(refund_mean, lambda table: table["estimate"], LIMITS),
    "refund_sla": ByHand(refund_sla, by_word("method", sorted(REFUND_PROMISES)), COUNTS),
    "refund_time_difference": ByHand(
        refund_time_difference,
        lambda table: np.array([table["n"].sum() + table["n_baseline"].iloc[0]]),
        COUNTS,
    ),
    "refund_drivers": ByHand(
        refund_drivers,
        lambda table: np.array([table[table["factor"] == "method"]["n_events"].sum()]),
        COUNTS,
    ),
    "never_refunded_share": ByHand(never_refunded, one_row("n_events", "n"), COUNTS),
    "response_curve": ByHand(
        response_curve, lambda table: table["estimate"], LIMITS, response_curve_of_sellers
    ),
    "outcome_difference": ByHand(
        outcome_difference,
        lambda table: table.groupby("outcome")["n_events"].sum().reindex(ENDS, fill_value=0),
        COUNTS,
    ),
}
