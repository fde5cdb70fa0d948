"""Counts by group and seller, for what is computed from several groups at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.measures.counting import CLUSTER, cluster_keys
from analysis.measures.shares import LONE, pooled_rows, weighted_rows
from analysis.sources import collect
from analysis.stats.curves.segments import numbered

if TYPE_CHECKING:
    import ibis.expr.types as ir


class Units(NamedTuple):
    """Counts by group and seller: one row is one seller in one group, or units without seller."""

    frame: pd.DataFrame  # the group columns, and the seller where known
    k: np.ndarray  # counted and with the property
    n: np.ndarray  # counted
    pending: np.ndarray  # not counted
    cluster: np.ndarray  # number of the seller, alike in all groups
    alone: np.ndarray  # True where units without seller are pooled
    clusters: str | None  # what a cluster is, None where it is not known

    @property
    def seller(self) -> np.ndarray | None:
        """Number of the seller; None where sellers are not known."""
        return None if self.clusters is None else self.cluster


def counted_units(
    frame: ir.Table, by: Sequence[str], event: ir.BooleanValue, *, counted: ir.BooleanValue
) -> Units:
    """Count rows by group and seller.

    Parameters
    ----------
    frame, event, counted
        As in :func:`analysis.measures.shares.share_table`.
    by
        Group columns.
    """
    keys = cluster_keys(frame, by)
    flags = {"counted_": counted.fill_null(False), "event_": event.fill_null(False)}
    frame, weight, keys = weighted_rows(frame, keys, flags)
    return summed_units(
        frame,
        keys,
        n=frame.counted_.ifelse(weight, 0),
        k=(frame.counted_ & frame.event_).ifelse(weight, 0),
        pending=frame.counted_.ifelse(0, weight),
    )


def summed_units(frame: ir.Table, keys: Sequence[str], **parts: ir.NumericValue) -> Units:
    """Add up ``n``, ``k`` and ``pending`` of the rows by group and seller, the columns ``keys``.

    Units are in the order of their keys: engines have none, and sums must not depend on it.
    """
    sums = {name: part.sum().fill_null(0) for name, part in parts.items()}
    counts = (frame.group_by(*keys) if keys else frame).aggregate(**sums)
    counts = collect(counts, in_words=False)
    if keys:
        counts = counts.sort_values(list(keys), ignore_index=True)
    k, n, pending = (counts[name].to_numpy(float) for name in ("k", "n", "pending"))
    alone = pooled_rows(counts)
    known = alone is not None
    return Units(
        counts.drop(columns=["k", "n", "pending"]),
        np.minimum(k, n),
        n,
        pending,
        cluster_numbers(counts),
        alone if known else np.ones(len(counts), bool),
        "seller" if known else None,
    )


def summed_by_cluster(
    group: np.ndarray, stratum: np.ndarray, units: Units
) -> dict[str, np.ndarray]:
    """Add up the counts of each cluster in each stratum of each group; the pooled rows are one."""
    lone = units.alone
    rows = pd.DataFrame(
        {
            "group": group,
            "stratum": stratum,
            "cluster": np.where(lone, 0, units.cluster),
            "alone": lone,
            "k": units.k,
            "n": units.n,
        }
    )
    keys = ["group", "stratum", "cluster", "alone"]
    rows = rows.groupby(keys, as_index=False, sort=True)[["k", "n"]].sum()
    return {name: rows[name].to_numpy() for name in rows}


def clusters_in(
    place: np.ndarray, n_places: int, n: np.ndarray, cluster: np.ndarray | None, alone: np.ndarray
) -> np.ndarray:
    """Count the clusters that have units (``n``) in each place; lone units are their own.

    All units are where no cluster is known (None).
    """
    if cluster is None:
        return np.bincount(place, n, n_places)
    lone = np.bincount(place, np.where(alone, n, 0), n_places)
    has = ~alone & (n > 0)
    width = int(cluster.max(initial=0)) + 1
    pairs, _ = numbered(place[has] * width + cluster[has])
    return lone + np.bincount(pairs // width, minlength=n_places)


def cluster_numbers(counts: pd.DataFrame) -> np.ndarray:
    """Number sellers, and after them the units without seller that are rows of their own."""
    if CLUSTER not in counts.columns:
        return np.zeros(len(counts), np.int64)
    number, sellers = pd.factorize(counts[CLUSTER], sort=True)
    if LONE not in counts.columns:
        return np.maximum(number, 0).astype(np.int64)
    lone, _ = pd.factorize(counts[LONE], sort=True)
    return np.where(number >= 0, number, np.maximum(lone, 0) + len(sellers)).astype(np.int64)
