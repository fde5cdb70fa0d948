"""Do requests end alike: each outcome's share side by side, and Gray's test of its whole curve.

Unit: one cancellation request; one row is one outcome for one value of a column. Requests still
open when observation ends are censored there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis import stats
from analysis.measures.counting import HOUR, require_own_columns
from analysis.measures.curves import shares_at
from analysis.measures.races import ENDS, request_spells
from analysis.measures.sides import Sides, checked_between, rows_to_test, sides_of
from analysis.measures.spells import unit_of
from analysis.sources import Tables


def outcome_difference(
    tables: Tables,
    *,
    between: str = "payment_method",
    by: Sequence[str] = (),
    horizon_hours: float = 96,
    level: float = 0.95,
    requested_by: str | None = "buyer",
) -> pd.DataFrame:
    """Which outcomes of requests are commoner for some values of a column than for others.

    Parameters
    ----------
    tables
        Opened dataset; needs ``requests`` and ``orders``.
    between
        Column of requests, orders or sellers whose values are compared. Of more than 8 values the
        rarest are pooled as "all others"; a missing one is "not recorded"; numbers are classed.
    by
        Further grouping columns: compare within each group.
    horizon_hours
        Hours since the request that count; longer ones are cut (censored) there.
    level
        Confidence level, in (0, 1).
    requested_by
        Whose requests: "buyer", "seller", "platform", or None for everybody's.

    Returns
    -------
    DataFrame
        One row per group, outcome that occurs, and value: ``*by, outcome, compared, value,
        horizon_hours, estimate, ci_low, ci_high, p_value, q_value, n, n_events, n_censored,
        n_clusters, interval``. ``estimate`` is the share that has ended so by the horizon, the
        undecided allowed for; missing where nobody was observed so long. ``p_value`` is of the
        outcome's curve being the same for all values of the group (the same on all of them), and
        ``q_value`` the same adjusted for all these tests of the table.

    Raises
    ------
    MissingData
        A column is in none of the tables.
    ValueError
        ``between`` is known only after asking.

    Notes
    -----
    Shares: Aalen-Johansen, as in :func:`analysis.outcome_curve`. Test: Gray (1988) up to the
    horizon, clustered by seller where sellers are known
    (:func:`analysis.stats.gray_test`); without sellers, requests count as independent and for 1
    each, whatever their weight. q-values: Benjamini and Hochberg (1995).
    """
    columns = checked_between(between, by, moment="asking")
    require_own_columns(("outcome", "horizon_hours"), columns)
    spells = request_spells(
        tables, columns, horizon_hours, requested_by, needed_by="outcome_difference"
    )
    sides = sides_of(spells, between)
    units = HOUR // unit_of(tables.size("requests"), horizon_hours)
    table = shares_at(sides.spells, ENDS, horizon=horizon_hours, units=units, level=level)
    return _arranged(table, sides, between)


def _arranged(table: pd.DataFrame, sides: Sides, between: str) -> pd.DataFrame:
    """Put outcomes before values, and the tests beside the shares."""
    by = list(sides.groups.columns)
    side = np.repeat(np.arange(len(sides.group)), len(ENDS))
    cause = np.tile(np.arange(len(ENDS)), len(sides.group))
    group, value = sides.group[side], sides.value[side]
    tests = _gray_p(sides)
    happens = np.zeros(tests.shape, dtype=bool)
    np.logical_or.at(happens, (group, cause), table["n_events"].to_numpy() > 0)
    adjusted = np.full(tests.shape, np.nan)
    adjusted[happens] = stats.q_values(tests[happens])
    table = table.rename(columns={"time_hours": "horizon_hours"}).assign(
        compared=between, p_value=tests[group, cause], q_value=adjusted[group, cause]
    )
    kept = happens[group, cause]
    order = np.lexsort([value, cause, group])
    table = table.iloc[order[kept[order]]].reset_index(drop=True)
    names = ["outcome", "compared", "value", "horizon_hours", "estimate", "ci_low", "ci_high"]
    names += ["p_value", "q_value", "n", "n_events", "n_censored", "n_clusters", "interval"]
    return table[[*by, *names]].astype({"compared": "str", "outcome": "str", "interval": "str"})


def _gray_p(sides: Sides) -> np.ndarray:
    """P-values of equal curves of each outcome: groups x outcomes."""
    spells, rows = sides.spells, rows_to_test(sides.spells)
    side, end = spells.groups.index[rows.row], spells.end[rows.row]
    weighed = rows.n_spells * rows.weight
    ends = weighed[:, None] * (end[:, None] == np.arange(1, len(ENDS) + 1))
    found = np.full((len(sides.groups), len(ENDS)), np.nan)
    for group in range(len(found)):
        own = sides.group[side] == group
        test = stats.gray_test(
            sides.value[side[own]],
            spells.time[rows.row[own]],
            ends[own],
            (weighed * (end == 0))[own],
            cluster=None if rows.cluster is None else rows.cluster[own],
        )
        found[group] = test.p_value
    return found
