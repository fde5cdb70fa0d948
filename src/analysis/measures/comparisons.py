"""Success beside success: how far apart groups are, and what is left of it at an equal mix.

Unit: one cancellation request. Denominator: requests at least ``horizon_hours`` old when
observation ends; younger ones are counted in ``n_pending`` and never in ``n``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis import stats
from analysis.contract import GroupError
from analysis.measures.counting import (
    Groups,
    as_counts,
    groups_of,
    mature_requests,
    requests_of,
    require_own_columns,
    with_columns,
)
from analysis.measures.rates import HORIZON_HOURS
from analysis.measures.units import Units, counted_units, summed_by_cluster
from analysis.sources import Tables
from analysis.sources.tables import as_names, is_success

RARE = 0.01  # strata with a smaller part of all requests are one stratum together


def success_rate_difference(
    tables: Tables,
    *,
    between: str = "payment_method",
    by: Sequence[str] = (),
    baseline: Any = None,
    horizon_hours: float = HORIZON_HOURS,
    level: float = 0.95,
    requested_by: str | None = "buyer",
) -> pd.DataFrame:
    """How much more often asking works with one value of a column than with the baseline value.

    Parameters
    ----------
    tables
        Opened dataset; needs ``requests`` and ``orders``.
    between
        The column whose values are compared: of requests, orders or sellers.
    by
        Grouping columns; the comparison is made within each group. ``between`` is no group.
    baseline
        The value that the others are compared with; by default the one with the most requests.
    horizon_hours, level, requested_by
        As in :func:`analysis.cancellation_success_rate`.

    Returns
    -------
    DataFrame
        One row per group and value other than the baseline: ``*by, <between>, baseline, estimate,
        ci_low, ci_high, rate, baseline_rate, ratio, ratio_low, ratio_high, p_value, q_value, n,
        n_events, n_pending, n_baseline, n_events_baseline, n_clusters, n_shared_clusters,
        interval``. ``estimate`` is ``rate - baseline_rate``, in [-1, 1]; ``ratio`` is the one over
        the other, its upper limit infinite where the baseline's may be 0. ``q_value`` is the false
        discovery rate at which the row is still a discovery, over all rows of the table.

    Raises
    ------
    MissingData
        A column is in none of the tables.
    ValueError
        ``baseline`` is no value of ``between``.

    Notes
    -----
    Interval: :func:`analysis.stats.clustered_contrast`, that is Newcombe's on Wilson limits that
    are clustered by seller, and it says so where sellers are on both sides. The test is missing
    where a side has fewer than two sellers and sellers are known. These are differences
    between the requests that were made, not effects of changing the value.
    """
    outer = [column for column in as_names(by) if column != between]
    require_own_columns("baseline", outer)
    frame, keys = requests_of(
        tables, [*outer, between], requested_by, needed_by="success_rate_difference"
    )
    mature, in_time = mature_requests(tables, frame, horizon_hours)
    units = counted_units(frame, keys, is_success(frame) & in_time, counted=mature)
    groups = groups_of(units.frame, keys)
    own = _baseline_of(groups.frame[between], units, groups, baseline, between)
    against = _places_of(own, groups, keys[:-1])
    table = _contrasted(units, groups, against, level)
    value = groups.frame[between].iloc[own[:1]].tolist()
    table.insert(len(keys), "baseline", pd.Series(value * len(table), dtype=table[between].dtype))
    table = table[~np.isin(np.arange(len(table)), own)].reset_index(drop=True)
    table["q_value"] = stats.q_values(table["p_value"])
    return table


def standardised_success_rate(
    tables: Tables,
    *,
    by: Sequence[str] = (),
    adjust_for: Sequence[str] = ("order_state",),
    horizon_hours: float = HORIZON_HOURS,
    level: float = 0.95,
    requested_by: str | None = "buyer",
) -> pd.DataFrame:
    """How often asking would work in each group if all groups had the mix of all requests.

    Parameters
    ----------
    tables
        Opened dataset; needs ``requests`` and ``orders``.
    by
        Grouping columns of requests, orders or sellers.
    adjust_for
        Columns whose mix is made equal. The strata are their combinations; the smallest,
        those with less than 1% of all requests each, are one stratum together.
    horizon_hours, level, requested_by
        As in :func:`analysis.cancellation_success_rate`.

    Returns
    -------
    DataFrame
        One row per group: ``*by, estimate, ci_low, ci_high, crude_rate, crude_low, crude_high,
        coverage_share, n_strata, n, n_events, n_pending, n_clusters, interval``. ``crude_rate`` is
        the group's rate at its own mix. ``coverage_share`` is the part of the standard mix that
        the group has mature requests for; below 1 the estimate is missing, because the data does
        not say how often asking works in what is lacking.

    Raises
    ------
    MissingData
        A column is in none of the tables.
    GroupError
        ``adjust_for`` and ``by`` have a column in common.

    Notes
    -----
    Direct standardisation, :func:`analysis.stats.standardised_share`, clustered by seller over
    all strata. The standard mix is taken as known, so without ``by`` the interval is narrower
    than the crude one around the same number.
    """
    by = as_names(by)
    strata = as_names(adjust_for)
    for column in strata:
        if column in by:
            raise GroupError(f"adjust_for and by must not both hold {column}")
    frame, keys = requests_of(
        tables, [*by, *strata], requested_by, needed_by="standardised_success_rate"
    )
    mature, in_time = mature_requests(tables, frame, horizon_hours)
    units = counted_units(frame, keys, is_success(frame) & in_time, counted=mature)
    groups = groups_of(units.frame, by)
    stratum, standard = _strata(units, strata)
    rows = summed_by_cluster(groups.index, stratum, units)
    options = {"n_groups": groups.n, "level": level, "clusters": units.clusters}
    found = stats.standardised_share(
        rows["group"],
        rows["stratum"],
        rows["cluster"],
        rows["k"],
        rows["n"],
        standard,
        alone=rows["alone"],
        **options,
    )
    whole = summed_by_cluster(groups.index, np.zeros_like(stratum), units)
    crude = stats.ratio_interval(
        whole["group"], whole["k"], whole["n"], alone=whole["alone"], **options
    )
    return with_columns(
        groups.frame,
        estimate=found.estimate,
        ci_low=found.low,
        ci_high=found.high,
        crude_rate=crude.estimate,
        crude_low=crude.low,
        crude_high=crude.high,
        coverage_share=found.coverage_share,
        n_strata=len(standard),
        n=as_counts(crude.n),
        n_events=as_counts(crude.k),
        n_pending=as_counts(np.bincount(groups.index, units.pending, groups.n)),
        n_clusters=found.n_clusters,
        interval=found.interval,
    )


def _baseline_of(
    values: pd.Series, units: Units, groups: Groups, baseline: Any, between: str
) -> np.ndarray:
    """Return the groups that have the baseline value.

    By default that is the value with the most requests that count, or the most requests if none
    do; missing values are no baseline.
    """
    if baseline is not None:
        chosen = np.flatnonzero((values == baseline).fillna(False).to_numpy(bool))
        if len(values) and not chosen.size:
            known = ", ".join(map(repr, values.dropna().unique()))
            raise ValueError(f"baseline must be a value of {between} ({known}), got {baseline!r}")
        return chosen
    n, pending = (np.bincount(groups.index, x, groups.n) for x in (units.n, units.pending))
    sizes = pd.DataFrame({"value": values, "n": n, "pending": pending}).dropna(subset="value")
    if sizes.empty:
        return np.zeros(0, np.int64)
    totals = sizes.groupby("value", sort=True)[["n", "pending"]].sum()
    largest = totals.sort_values(["n", "pending"], ascending=False, kind="stable").index[0]
    return np.flatnonzero((values == largest).fillna(False).to_numpy(bool))


def _places_of(own: np.ndarray, groups: Groups, by: list[str]) -> np.ndarray:
    """Return, for each group, the group with the baseline value in the same group of ``by``."""
    outer = groups_of(groups.frame, by)
    place = np.full(outer.n, -1)
    place[outer.index[own]] = own
    return place[outer.index]


def _contrasted(units: Units, groups: Groups, against: np.ndarray, level: float) -> pd.DataFrame:
    rows = summed_by_cluster(groups.index, np.zeros_like(groups.index), units)
    found = stats.clustered_contrast(
        rows["group"],
        rows["cluster"],
        rows["k"],
        rows["n"],
        against,
        level=level,
        clusters=units.clusters,
        alone=rows["alone"],
    )
    share, of = found.share, np.maximum(against, 0)
    known = against >= 0
    return with_columns(
        groups.frame,
        estimate=found.difference.estimate,
        ci_low=found.difference.low,
        ci_high=found.difference.high,
        rate=share.estimate,
        baseline_rate=np.where(known, share.estimate[of], np.nan),
        ratio=found.ratio.estimate,
        ratio_low=found.ratio.low,
        ratio_high=found.ratio.high,
        p_value=found.p_value,
        q_value=np.nan,
        n=as_counts(share.n),
        n_events=as_counts(share.k),
        n_pending=as_counts(np.bincount(groups.index, units.pending, groups.n)),
        n_baseline=as_counts(np.where(known, share.n[of], 0)),
        n_events_baseline=as_counts(np.where(known, share.k[of], 0)),
        n_clusters=share.n_clusters,
        n_shared_clusters=found.n_shared,
        interval=found.interval,
    )


def _strata(units: Units, columns: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the stratum of each row and the standard mix; rare strata are one."""
    strata = groups_of(units.frame, columns)
    mix = np.bincount(strata.index, units.n, max(strata.n, 1))
    if not mix.sum() > 0:
        return np.zeros(len(strata.index), np.int64), np.ones(1)
    order = np.argsort(mix, kind="stable")
    n_rare = int((mix < RARE * mix.sum()).sum())
    if n_rare and mix[order[:n_rare]].sum() < RARE * mix.sum():
        n_rare += 1  # together they are still rare: the next one joins them
    rare = np.zeros(len(mix), bool)
    rare[order[:n_rare]] = True
    number = np.where(rare, (~rare).sum(), np.cumsum(~rare) - 1)
    mixed = np.bincount(number, mix)
    return number[strata.index], mixed
