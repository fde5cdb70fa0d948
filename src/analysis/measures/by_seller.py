"""Counts of requests by any keys and by seller, for inference that needs who they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.measures.counting import CLUSTER
from analysis.measures.shares import LONE
from analysis.sources import collect

if TYPE_CHECKING:
    import ibis.expr.types as ir

SELLER = "cluster_"


class Sellers(NamedTuple):
    """To which cluster each row of counts belongs."""

    cluster: np.ndarray | None  # whole numbers; None where sellers are not known
    alone: np.ndarray  # rows that pool requests without a seller, each its own cluster


def counts_by_seller(
    frame: ir.Table, keys: Mapping[str, ir.Value], event: ir.BooleanValue, counted: ir.BooleanValue
) -> pd.DataFrame:
    """Count events by keys and seller: ``*keys, n, k, pending`` and what :func:`sellers_of` needs.

    Parameters
    ----------
    frame
        One row per request; rows count for ``weight`` where it has that.
    keys
        Name -> expression.
    event, counted
        Which rows are in the numerator and in the denominator (missing is neither); rows that are
        not counted are pending.
    """
    counted, keys = counted.fill_null(False), dict(keys)
    weight = frame.weight.fill_null(1.0) if "weight" in frame.columns else 1
    if CLUSTER in frame.columns:
        keys[SELLER] = frame[CLUSTER]
        if "weight" in frame.columns:  # rows without seller are pooled while they weigh 1
            heavy = frame[CLUSTER].isnull() & (weight != 1)
            keys[LONE] = heavy.ifelse(frame.request_id.cast("string"), None)
    happened = counted & event.fill_null(False)
    frame = frame.mutate(**keys).mutate(
        n_=counted.ifelse(weight, 0), k_=happened.ifelse(weight, 0), p_=counted.ifelse(0, weight)
    )
    sums = {"n": frame.n_.sum(), "k": frame.k_.sum(), "pending": frame.p_.sum()}
    grouped = frame.group_by(*keys).aggregate(**sums) if keys else frame.aggregate(**sums)
    return collect(grouped).fillna(dict.fromkeys(sums, 0))


def sellers_of(counts: pd.DataFrame) -> Sellers:
    """Number the clusters of rows of :func:`counts_by_seller`."""
    nobody = np.zeros(len(counts), bool)
    if SELLER not in counts:
        return Sellers(None, nobody)
    heavy = counts[LONE].notna().to_numpy() if LONE in counts else nobody
    cluster = pd.factorize(counts[SELLER])[0]
    alone = (cluster < 0) & ~heavy
    return Sellers(np.where(heavy, len(counts) + np.arange(len(counts)), cluster), alone)
