"""Shares with clustered limits, from counts by seller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis import stats
from analysis.measures.counting import (
    CLUSTER,
    Groups,
    as_counts,
    cluster_keys,
    groups_of,
    require_own_columns,
    with_columns,
)
from analysis.sources import collect

if TYPE_CHECKING:
    import ibis.expr.types as ir

LONE = "lone_"  # request or order without seller that does not weigh 1


def share_table(
    frame: ir.Table,
    by: Sequence[str],
    event: ir.BooleanValue,
    *,
    counted: ir.BooleanValue,
    level: float,
) -> pd.DataFrame:
    """Share of the counted rows on which ``event`` holds, with clustered limits.

    Parameters
    ----------
    frame
        One row per unit; limits are clustered by seller where it has ``seller_id``, and rows
        count for ``weight`` where it has that.
    by
        Group columns.
    event
        What a row must be to count in the numerator. Missing is false.
    counted
        Which rows are in the denominator; the others are ``n_pending``.
    level
        Confidence level.

    Returns
    -------
    DataFrame
        ``*by, estimate, ci_low, ci_high, n, n_events, n_pending, n_clusters, interval``, groups
        sorted.
    """
    word = event.fill_null(False).ifelse("event", "other")
    table = word_table(frame, by, word, ("event",), counted=counted, level=level, name="word_")
    return table.drop(columns="word_")


def word_table(
    frame: ir.Table,
    by: Sequence[str],
    word: ir.StringValue,
    words: Sequence[str],
    *,
    counted: ir.BooleanValue,
    level: float,
    name: str,
) -> pd.DataFrame:
    """Share of the counted rows that have each of ``words``, with clustered limits.

    Parameters
    ----------
    frame, by, counted, level
        As in :func:`share_table`.
    word
        The word of a row; missing is none of them.
    words
        Words to return, in order, also those that no row has.
    name
        Name of their column.

    Returns
    -------
    DataFrame
        One row per group and word; columns as in :func:`share_table` with ``name`` after ``by``.
    """
    require_own_columns(name, by)
    keys = cluster_keys(frame, by)
    columns = {"counted_": counted.fill_null(False), "word_": word}
    frame, weight, keys = weighted_rows(frame, keys, columns)
    counts = frame.group_by(*keys, "word_").aggregate(
        n=frame.counted_.ifelse(weight, 0).sum(), n_pending=frame.counted_.ifelse(0, weight).sum()
    )
    counts = collect(counts, in_words=False)
    units = groups_of(counts, keys)
    n = np.bincount(units.index, counts["n"], minlength=units.n)
    pending = np.bincount(units.index, counts["n_pending"], minlength=units.n)
    shape = (units.n, len(words) + 1)  # the last column is of no word
    cell = units.index * shape[1] + _numbers(counts["word_"], words)
    cells = np.bincount(cell, counts["n"], shape[0] * shape[1]).reshape(shape)
    events = dict(zip(words, cells.T, strict=False))
    return tabulated(units.frame, by, events, n=n, level=level, name=name, n_pending=pending)


def _numbers(column: pd.Series, words: Sequence[str]) -> np.ndarray:
    """Place of each value among ``words``; of what is none of them, their number."""
    places, values = pd.factorize(column)
    known = pd.Index(list(words)).get_indexer(values)
    return np.append(np.where(known < 0, len(words), known), len(words))[places]


def tabulated(
    units: pd.DataFrame,
    by: Sequence[str],
    events: Mapping[str, np.ndarray],
    *,
    n: np.ndarray,
    level: float,
    name: str,
    n_pending: np.ndarray | None = None,
) -> pd.DataFrame:
    """Shares with limits from counts: one row per group and name in ``events``.

    Parameters
    ----------
    units
        What each count belongs to, one row a unit (a seller in a group): the columns of ``by``
        and, where known, ``seller_id``.
    by
        Group columns.
    events
        Name of a share -> its numerator in each unit.
    n, n_pending
        Denominator, and those too young for it, in each unit.
    level
        Confidence level.
    name
        Name of the column that holds the names.
    """
    groups = groups_of(units, by)
    alone = pooled_rows(units)
    found = [_limits(k, n, groups, alone, level) for k in events.values()]
    group = np.repeat(np.arange(groups.n), len(events))
    columns: dict[str, Any] = {name: pd.array(list(events) * groups.n, dtype="str")}
    for column in found[0]:
        columns[column] = np.stack([one[column] for one in found], axis=1).ravel()
        if column == "n_events" and n_pending is not None:
            pending = np.bincount(groups.index, n_pending, minlength=groups.n)
            columns["n_pending"] = as_counts(pending)[group]
    return with_columns(groups.frame.iloc[group].reset_index(drop=True), **columns)


def pooled_rows(units: pd.DataFrame) -> np.ndarray | None:
    """Which units pool rows that have no seller; None where sellers are not known."""
    if CLUSTER not in units.columns:
        return None
    alone = units[CLUSTER].isna().to_numpy()
    return alone & units[LONE].isna().to_numpy() if LONE in units.columns else alone


def _limits(
    k: np.ndarray, n: np.ndarray, groups: Groups, alone: np.ndarray | None, level: float
) -> dict[str, np.ndarray]:
    found = stats.ratio_interval(
        groups.index,
        np.minimum(k, n),
        n,
        n_groups=groups.n,
        level=level,
        clusters="seller" if alone is not None else None,
        alone=alone,
    )
    return {
        "estimate": found.estimate,
        "ci_low": found.low,
        "ci_high": found.high,
        "n": as_counts(found.n),
        "n_events": as_counts(found.k),
        "n_clusters": found.n_clusters,
        "interval": found.interval,
    }


def weighted_rows(
    frame: ir.Table, keys: list[str], columns: Mapping[str, ir.Value]
) -> tuple[ir.Table, Any, list[str]]:
    """Return ``keys`` and ``columns`` of the frame, what a row counts for, and all keys.

    A row without seller is a cluster of its own; such rows are pooled in the counts while they
    weigh 1, and get a key each when they do not.
    """
    if "weight" not in frame.columns:
        return frame.select(*keys, **columns), 1, keys
    weight = frame.weight.fill_null(1.0)
    lone = {}
    if CLUSTER in frame.columns:
        row = frame.request_id if "request_id" in frame.columns else frame.order_id
        heavy = frame[CLUSTER].isnull() & (weight != 1)
        lone = {LONE: heavy.ifelse(row.cast("string"), None)}
    named = frame.select(*keys, **columns, **lone, weight_=weight)
    return named, named.weight_, [*keys, *lone]
