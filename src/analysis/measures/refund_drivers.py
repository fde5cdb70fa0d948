"""What makes the money arrive sooner: hazard ratios of several circumstances at once.

Unit: one leg of a refund, as in :mod:`analysis.measures.durations`; one row is one level of one
factor. What is still on its way is censored at ``as_of``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis import stats
from analysis.measures.circumstances import Levels, levels_of
from analysis.measures.counting import alike, as_counts
from analysis.measures.durations import refund_spells
from analysis.measures.leakage import require_known_before
from analysis.measures.sides import commonest, rows_to_test
from analysis.measures.spells import Spells
from analysis.measures.units import clusters_in
from analysis.sources import Tables
from analysis.sources.tables import as_names
from analysis.stats.scales import interval_names, t_p_value, t_quantile

MOST_LEVELS = 8  # of a factor; rarer ones are pooled
MODEL = "Cox, Efron ties"


def refund_drivers(
    tables: Tables,
    *,
    factors: Sequence[str] = ("method", "buyer_country", "size_tier"),
    horizon_days: float = 30,
    clock: str = "calendar",
    level: float = 0.95,
) -> pd.DataFrame:
    """How much sooner or later the money arrives at each level of each factor, others alike.

    Parameters
    ----------
    tables
        Opened dataset; needs ``refunds``, ``requests`` and ``orders``.
    factors
        Columns of refunds, orders or sellers, known when the refund is booked. Of more than 8
        levels the rarest are pooled as "all others"; numbers are classed; missing values are a
        level, "not recorded".
    horizon_days
        Days of ``clock`` that count; longer refunds are cut (censored) there.
    clock
        As in :func:`analysis.refund_mean`.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    DataFrame
        One row per factor and level: ``factor, level, reference, estimate, ci_low, ci_high,
        p_value, q_value, n, n_events, n_censored, n_clusters, status, interval``. ``estimate`` is
        the ratio of the hazard of the money arriving to that at the ``reference`` level, the one
        with most refunds: above 1, it arrives sooner. ``status`` is "reference"; "estimated";
        "infinite" where the data has no finite ratio (nothing, or everything at once, was
        credited), the estimate then being missing; "redundant" where other factors determine
        the level; or "not converged", without numbers, where no maximum was found.

    Raises
    ------
    MissingData
        There is no table ``refunds``, or a factor is in none of the tables.
    ValueError
        A factor is known only after the refund is booked, or ``factors`` is empty.

    Notes
    -----
    Cox's (1972) proportional hazards on counts (:func:`analysis.stats.cox`) with robust errors by
    seller where sellers are known (Lin and Wei 1989), corrected for how far few or large ones pull
    the ratios towards themselves (Wang, Turner and Li 2023), and Student's limits. How often such
    limits hold the truth where sellers of different pace lean to one level is in
    ``benchmarks/COVERAGE.md``; the uncorrected ones of R, with normal limits, are too narrow there.
    A ratio is an average over the time when hazards are not proportional
    (:func:`analysis.stats.proportionality` tests that). It describes; it is no effect. q-values:
    Benjamini and Hochberg (1995), over all levels.
    """
    factors = as_names(factors)
    if not factors:
        raise ValueError("factors must name at least one column")
    require_known_before(factors, moment="refunding")
    spells = refund_spells(tables, factors, horizon_days=horizon_days, clock=clock)
    frame = spells.groups.frame
    n = np.bincount(spells.groups.index, spells.n_spells, minlength=len(frame))
    levels = [levels_of(one, frame[one], n, most=MOST_LEVELS) for one in factors]
    columns = [_columns(one, n) for one in levels]
    x = np.hstack([matrix for matrix, _ in columns])
    table = pd.concat(
        [
            _factor(name, one, number, spells)
            for name, one, (_, number) in zip(factors, levels, columns, strict=True)
        ],
        ignore_index=True,
    )
    counts = _counts(x, spells)
    del spells  # of very many refunds it takes as much memory as the model
    return _estimated(table, stats.cox(**counts, corrected=True), level)


def _columns(levels: Levels, n: np.ndarray) -> tuple[np.ndarray, int]:
    """Return a 0/1 column for each level but the commonest, and which that is."""
    if not levels.names:
        return np.zeros((len(levels.codes), 0)), 0
    number = commonest(levels.names, np.bincount(levels.codes, n, len(levels.names)))
    others = [i for i in range(len(levels.names)) if i != number]
    return (levels.codes[:, None] == others).astype(float), number


def _counts(x: np.ndarray, spells: Spells) -> dict[str, np.ndarray | None]:
    """Counts for the model: what the rows of one pattern, time, end and seller are together.

    They are sorted, so that engines, which count in any order, agree to the last digits.
    """
    rows = rows_to_test(spells)
    x, pattern = np.unique(x, axis=0, return_inverse=True)
    pattern, time = pattern.ravel()[spells.groups.index[rows.row]], spells.time[rows.row]
    ended, weight = spells.end[rows.row] > 0, rows.weight
    cluster = np.zeros(len(ended), np.int64) if rows.cluster is None else rows.cluster
    first, number = alike(cluster, pattern, time, ended, np.unique(weight, return_inverse=True)[1])
    n, ended = np.bincount(number, np.rint(rows.n_spells), len(first)), ended[first]
    return {
        "covariates": x,
        "pattern": pattern[first],
        "time": time[first],
        "n_event": n * ended,
        "n_censored": n * ~ended,
        "weight": weight[first],
        "cluster": None if rows.cluster is None else cluster[first],
    }


def _factor(name: str, levels: Levels, reference: int, spells: Spells) -> pd.DataFrame:
    """Rows of one factor with their counts."""
    code, size = levels.codes[spells.groups.index], len(levels.names)
    events = np.bincount(code, spells.events[:, 0], minlength=size)
    censored = np.bincount(code, spells.censored, minlength=size)
    lone = np.zeros(len(code), bool) if spells.cluster is None else spells.cluster < 0
    return pd.DataFrame(
        {
            "factor": name,
            "level": levels.names,
            "reference": levels.names[reference] if levels.names else "",
            "n": as_counts(events + censored),
            "n_events": as_counts(events),
            "n_censored": as_counts(censored),
            "n_clusters": as_counts(clusters_in(code, size, spells.n_spells, spells.cluster, lone)),
        }
    )


def _estimated(table: pd.DataFrame, fit: stats.Cox, level: float) -> pd.DataFrame:
    """Add ratios and limits to the rows that are no reference."""
    own = (table["level"] != table["reference"]).to_numpy()
    n_clusters = fit.n_clusters
    robust = n_clusters >= 2
    error = fit.robust_error if robust else fit.std_error
    df = np.array(fit.robust_df if robust else np.inf)
    fine = fit.status == "estimated"
    log_ratio = np.where(fine, fit.coefficient, np.nan)
    reach = t_quantile(df, level) * error
    values = {
        "estimate": np.exp(log_ratio),
        "ci_low": np.exp(log_ratio - reach),
        "ci_high": np.exp(log_ratio + reach),
        "p_value": t_p_value(log_ratio, error**2, df),
    }
    columns = {name: np.full(len(table), np.nan) for name in values}
    for name, value in values.items():
        columns[name][own] = value
    for name in ("estimate", "ci_low", "ci_high"):
        columns[name][~own] = 1.0
    status = np.full(len(table), "reference", dtype=object)
    status[own] = fit.status
    table = table.assign(
        **columns,
        q_value=stats.q_values(columns["p_value"]),
        status=status,
        interval=str(interval_names(MODEL, "seller" if n_clusters else None, robust)),
    )
    names = ["factor", "level", "reference", "estimate", "ci_low", "ci_high", "p_value", "q_value"]
    names += ["n", "n_events", "n_censored", "n_clusters", "status", "interval"]
    return table[names].astype(dict.fromkeys(("factor", "level", "reference", "status"), "str"))
