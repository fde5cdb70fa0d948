"""The cancel dialogue: how far people who set out to cancel get.

Unit: one session, a walk through the dialogue. Denominator: all sessions.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pandas as pd

from analysis.contract import codes
from analysis.measures.counting import cluster_keys, orders_of
from analysis.measures.shares import tabulated
from analysis.sources import Tables, collect
from analysis.sources.tables import is_success


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
    sessions = _sessions(tables, steps)
    keys = cluster_keys(orders, by)
    wanted = list(dict.fromkeys(["order_id", *keys]))
    frame = sessions.join(orders.select(*wanted), "order_id", how="left", rname="{name}_order")
    words = [*codes.STEPS, "cancelled"]
    reached = {word: frame[f"reached_{word}"].fill_null(False) for word in words}
    both = {f"both_{word}": reached[word] & reached[before] for before, word in pairwise(words)}
    sums = {name: flag.sum().fill_null(0) for name, flag in (reached | both).items()}
    grouped = frame.group_by(*keys) if keys else frame
    counts = collect(grouped.aggregate(n=frame.count(), **sums))
    events = {word: counts[word].to_numpy() for word in words}
    table = tabulated(counts, by, events, n=counts["n"].to_numpy(), level=level, name="step")
    passed = _of_previous(counts, by, words, level)
    for place, name in enumerate(("estimate", "ci_low", "ci_high")):
        table.insert(len(by) + 4 + place, OF_PREVIOUS[place], passed[name].to_numpy())
    return table


def _sessions(tables: Tables, steps: object) -> object:
    """One row per session: its order, the steps it reached, and whether it cancelled the order."""
    requests = tables.requests
    succeeded = requests.filter(is_success(requests)).select("order_id", "requested_at")
    submits = steps.filter(steps.step == "submit")
    worked = submits.semi_join(
        succeeded,
        [submits.order_id == succeeded.order_id, submits.occurred_at == succeeded.requested_at],
    ).select("session_id")
    reached = steps.group_by("session_id").aggregate(
        order_id=steps.order_id.max(),
        **{f"reached_{word}": (steps.step == word).any() for word in codes.STEPS},
    )
    worked = worked.distinct().mutate(reached_cancelled=True)
    return reached.left_join(worked, "session_id", rname="{name}_worked")


OF_PREVIOUS = ("of_previous", "of_previous_low", "of_previous_high")


def _of_previous(
    counts: pd.DataFrame, by: Sequence[str], words: Sequence[str], level: float
) -> pd.DataFrame:
    """Share of the step before and its limits, in the order of the funnel's rows."""
    nobody = counts.assign(nobody=0)
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
            ("nobody", words[0], "nobody"),
            *((before, word, f"both_{word}") for before, word in pairwise(words)),
        ]
    ]
    return pd.concat(parts).sort_values("_group", kind="stable")
