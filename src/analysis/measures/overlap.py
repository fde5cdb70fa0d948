"""Overlapping blockers: what each rule has a part in when several stand in the way at once.

Unit: one cancellation request. Denominator: all mature requests, also those that succeeded, so
that the shares of all rules and what no rule stopped are parts of one whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from analysis import stats
from analysis.contract import codes
from analysis.measures.blockers import STAGES
from analysis.measures.counting import (
    Groups,
    as_counts,
    cluster_keys,
    groups_of,
    mature_requests,
    requests_of,
    require_own_columns,
    with_columns,
)
from analysis.measures.rates import HORIZON_HOURS
from analysis.measures.shares import pooled_rows, weighted_rows
from analysis.sources import Tables, collect
from analysis.sources.bits import any_bits, place_among
from analysis.sources.tables import is_success

if TYPE_CHECKING:
    import ibis.expr.types as ir


def blocker_overlap(
    tables: Tables,
    *,
    by: Sequence[str] = (),
    horizon_hours: float = HORIZON_HOURS,
    level: float = 0.95,
    requested_by: str | None = "buyer",
) -> pd.DataFrame:
    """Part that each rule has in the requests that were stopped, where several rules applied.

    Parameters
    ----------
    tables
        Opened dataset; needs ``requests``, ``orders`` and ``blockers``.
    by
        Grouping columns of requests, orders or sellers.
    horizon_hours
        A request counts once it is this old at ``as_of``; later decisions do not count.
    level
        Confidence level, in (0, 1).
    requested_by
        Whose requests: "buyer", "seller", "platform", or None for everybody's.

    Returns
    -------
    DataFrame
        One row per group and blocker that occurs anywhere, in order of precedence: ``*by,
        blocker, stage, estimate, ci_low, ci_high, first_share, only_share, any_share, n, n_first,
        n_only, n_any, n_pending, n_clusters, interval``. All shares are of *all* mature requests.
        ``estimate`` is the Shapley share: a request is split evenly among the rules that stood in
        its way, so the shares of a group add up to the share of its requests that were stopped.
        ``first_share`` is of requests that the rule stopped first (these add up too, but depend
        on the precedence), ``only_share`` of those that it alone stood in the way of, which is
        what lifting this rule and no other would have let through, and ``any_share`` of those
        that it stood in the way of at all, which is what it would stop were it the only rule.

    Raises
    ------
    MissingData
        There is no table ``blockers``, or a column in ``by`` is in none of the tables.

    Notes
    -----
    A request was stopped if it was decided within the horizon, did not succeed, and has a
    ``blocker`` of its own or one in the table ``blockers``; its own counts also where that table
    does not list it. Without a ``blocker`` of its own the first is that of the contract's
    precedence. A rule that is decided later (the seller refuses) was never reached where a rule
    at submit stopped a request, so "let through" means let through to the seller.
    Interval: :func:`analysis.stats.part_interval`, clustered by seller where sellers are known.
    Source: see :func:`analysis.stats.attribute_patterns`.
    """
    tables.need("blockers", by="blocker_overlap")
    frame, by = requests_of(tables, by, requested_by, needed_by="blocker_overlap")
    require_own_columns("blocker", by)
    mature, in_time = mature_requests(tables, frame, horizon_hours)
    stopped = mature & in_time & ~is_success(frame)
    own = _rule(frame.blocker) if "blocker" in frame.columns else ibis.null("int64")
    kept = ["request_id", *cluster_keys(frame, by), *({"weight"} & set(frame.columns))]
    frame = frame.select(
        *dict.fromkeys(kept), counted_=mature, stopped_=stopped, own_=own.fill_null(-1)
    )
    counts, keys = _counted(_with_patterns(tables, frame), by)
    return _tabulated(counts, keys, by, level)


def _rule(word: ir.StringValue) -> ir.IntegerValue:
    """Place of a blocker in the order of precedence; missing where it is none."""
    return place_among(word, codes.BLOCKERS)


def _with_patterns(tables: Tables, frame: ir.Table) -> ir.Table:
    """Add the rules that stood in the way of each request as bits; 0 where it was not stopped."""
    met = tables.need("blockers").select("request_id", "blocker")
    met = met.select("request_id", bit_=_bit(_rule(met.blocker)))
    patterns = met.group_by("request_id").aggregate(pattern_=any_bits(met.bit_))
    joined = frame.left_join(patterns, "request_id", rname="{name}_met")
    own = (joined.own_ >= 0).ifelse(_bit(joined.own_), 0)
    pattern = joined.pattern_.fill_null(0).cast("int64") | own.cast("int64")
    return joined.mutate(pattern_=joined.stopped_.ifelse(pattern, 0))


def _bit(place: ir.IntegerValue) -> ir.IntegerValue:
    return ibis.literal(1, "int64") << place.cast("int32")  # PostgreSQL shifts by no others


def _counted(frame: ir.Table, by: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """Requests by group, seller, pattern and own blocker, and the columns of group and seller."""
    own = (frame.pattern_ > 0).ifelse(frame.own_, -1)
    columns = {"counted_": frame.counted_, "pattern_": frame.pattern_, "own_": own}
    frame, weight, keys = weighted_rows(frame, cluster_keys(frame, by), columns)
    grouped = frame.group_by(*keys, "pattern_", "own_")
    counted = grouped.aggregate(
        n=frame.counted_.ifelse(weight, 0).sum(),
        n_pending=frame.counted_.ifelse(0, weight).sum(),
    )
    return collect(counted), keys


def _tabulated(
    counts: pd.DataFrame, keys: Sequence[str], by: Sequence[str], level: float
) -> pd.DataFrame:
    units = groups_of(counts, keys)
    n = np.bincount(units.index, counts["n"], minlength=units.n)
    parts = stats.attribute_patterns(
        units.index,
        counts["pattern_"].to_numpy(),
        counts["n"].to_numpy(float),
        n_rules=len(codes.BLOCKERS),
        n_units=units.n,
        first=counts["own_"].to_numpy(),
    )
    groups, alone = groups_of(units.frame, by), pooled_rows(units.frame)
    pending = np.bincount(units.index, counts["n_pending"], minlength=units.n)
    pending = as_counts(np.bincount(groups.index, pending, minlength=groups.n))
    n_rules = len(codes.BLOCKERS)
    rules = [_of_rule(rule, parts, n, groups, alone, level) for rule in range(n_rules)]
    columns = {name: np.stack([one[name] for one in rules], axis=1).ravel() for name in rules[0]}
    table = with_columns(
        groups.frame.loc[np.repeat(np.arange(groups.n), n_rules)].reset_index(drop=True),
        blocker=pd.array(list(codes.BLOCKERS) * groups.n, dtype="str"),
        stage=pd.array([STAGES[word] for word in codes.BLOCKERS] * groups.n, dtype="str"),
        **columns,
    )
    table.insert(table.columns.get_loc("n_any") + 1, "n_pending", np.repeat(pending, n_rules))
    occurs = table.groupby("blocker")["n_any"].transform("sum") > 0
    return table[occurs].reset_index(drop=True)


def _of_rule(
    rule: int,
    parts: stats.Attribution,
    n: np.ndarray,
    groups: Groups,
    alone: np.ndarray | None,
    level: float,
) -> dict[str, np.ndarray]:
    """Columns of one rule, one value a group."""
    found = stats.part_interval(
        groups.index,
        parts.shapley[:, rule],
        parts.squares[:, rule],
        n,
        most=parts.most[:, rule],
        n_groups=groups.n,
        level=level,
        clusters="seller" if alone is not None else None,
        alone=alone,
    )
    names = ("first", "only", "any")
    totals = {
        name: np.bincount(groups.index, getattr(parts, name)[:, rule], minlength=groups.n)
        for name in names
    }
    with np.errstate(invalid="ignore"):
        shares = {f"{name}_share": totals[name] / found.n for name in names}
    return {
        "estimate": found.estimate,
        "ci_low": found.low,
        "ci_high": found.high,
        **shares,
        "n": as_counts(found.n),
        **{f"n_{name}": as_counts(totals[name]) for name in names},
        "n_clusters": found.n_clusters,
        "interval": found.interval,
    }
