"""The cancel dialogue: how far people who set out to cancel get.

Unit: one session, a walk through the dialogue. Denominator: all sessions.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from analysis.contract import codes
from analysis.measures.counting import (
    cluster_keys,
    groups_of,
    orders_of,
    require_own_columns,
    with_columns,
)
from analysis.measures.shares import tabulated
from analysis.sources import Tables, collect
from analysis.sources.bits import any_bits
from analysis.sources.ranges import edges_of, in_ranges, near
from analysis.sources.tables import is_success

if TYPE_CHECKING:
    import ibis.expr.types as ir

WORDS = (*codes.STEPS, "cancelled")


def cancel_flow_funnel(
    tables: Tables, *, by: Sequence[str] = (), level: float = 0.95
) -> pd.DataFrame:
    """Share of sessions that reached each step, and the order cancelled in the end.

    Parameters
    ----------
    tables
        Opened dataset; needs ``steps``, ``requests`` and ``orders``.
    by
        Grouping columns of orders or sellers.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    DataFrame
        One row per group and step (``codes.STEPS``, then "cancelled"): ``*by, step, estimate,
        ci_low, ci_high, of_previous, of_previous_low, of_previous_high, n, n_events, n_clusters,
        interval``. ``of_previous`` is the share of those who reached the step before that reached
        this one too, with its own limits; the first step has none before it. "cancelled" counts
        sessions whose submit was followed by a success known at ``as_of``; requests still
        pending are not in it.

    Raises
    ------
    MissingData
        There is no table ``steps``, or a column in ``by`` is in none of the tables.
    """
    steps = tables.need("steps", by="cancel_flow_funnel")
    orders, by = orders_of(tables, by, needed_by="cancel_flow_funnel")
    require_own_columns(OF_PREVIOUS, by)
    keys = cluster_keys(orders, by)
    edges = edges_of(steps.session_id, tables.n_rows("steps"))
    parts = in_ranges(steps, "session_id", edges)
    counts = pd.concat(
        [_counts(part, orders, tables.requests, keys, in_part=bool(edges)) for part in parts]
    )
    units, n = _counted(counts, keys)
    events = {word: units[word].to_numpy() for word in WORDS}
    table = tabulated(units, by, events, n=n, level=level, name="step")
    passed = _of_previous(units, by, level)
    for place, name in enumerate(("estimate", "ci_low", "ci_high")):
        table.insert(len(by) + 4 + place, OF_PREVIOUS[place], passed[name].to_numpy())
    return table


def _counts(
    steps: ir.Table, orders: ir.Table, requests: ir.Table, keys: Sequence[str], *, in_part: bool
) -> pd.DataFrame:
    """Count the sessions of ``steps``, all or a part of them, by ``keys`` and what they reached."""
    if in_part:
        orders, requests = (near(frame, steps, "order_id") for frame in (orders, requests))
    wanted = list(dict.fromkeys(["order_id", *keys]))
    frame = _sessions(steps, requests).join(
        orders.select(*wanted), "order_id", how="left", rname="{name}_order"
    )
    return collect(frame.group_by(*keys, "reached_").aggregate(n=frame.count()))


def _sessions(steps: ir.Table, requests: ir.Table) -> ir.Table:
    """One row per session: its order, and ``reached_`` with a bit for each of ``WORDS``."""
    succeeded = requests.filter(is_success(requests)).select("order_id", "requested_at")
    submits = steps.filter(steps.step == "submit")
    worked = submits.semi_join(
        succeeded,
        [submits.order_id == succeeded.order_id, submits.occurred_at == succeeded.requested_at],
    )
    bit = ibis.cases(*((steps.step == word, 1 << i) for i, word in enumerate(codes.STEPS)), else_=0)
    reached = steps.select("session_id", "order_id", bit_=bit.cast("int64"))
    last = ibis.literal(1 << len(codes.STEPS), "int64")
    rows = reached.union(worked.select("session_id", "order_id", bit_=last))
    return rows.group_by("session_id").aggregate(
        order_id=rows.order_id.max(), reached_=any_bits(rows.bit_)
    )


def _counted(counts: pd.DataFrame, keys: Sequence[str]) -> tuple[pd.DataFrame, np.ndarray]:
    """Sessions that reached each word, and those that reached the one before too; and all."""
    units = groups_of(counts, keys)
    bits = counts["reached_"].to_numpy(np.int64)
    reached = {word: bits >> i & 1 for i, word in enumerate(WORDS)}
    both = {_both(word): reached[word] & reached[before] for before, word in pairwise(WORDS)}
    sums = {
        name: np.bincount(units.index, flags * counts["n"], minlength=units.n)
        for name, flags in (reached | both).items()
    }
    n = np.bincount(units.index, counts["n"], minlength=units.n)
    return with_columns(units.frame, **sums), n


def _both(word: str) -> str:
    return f"both_{word}"


OF_PREVIOUS = ("of_previous", "of_previous_low", "of_previous_high")


def _of_previous(units: pd.DataFrame, by: Sequence[str], level: float) -> pd.DataFrame:
    """Share of the step before and its limits, in the order of the funnel's rows."""
    nobody = units.assign(nobody=0)
    parts = [
        tabulated(
            nobody,
            by,
            {word: nobody[passed].to_numpy()},
            n=nobody[before].to_numpy(),
            level=level,
            name="step",
        ).reset_index(names="_group")
        for before, word, passed in [
            ("nobody", WORDS[0], "nobody"),
            *((before, word, _both(word)) for before, word in pairwise(WORDS)),
        ]
    ]
    return pd.concat(parts).sort_values("_group", kind="stable")
