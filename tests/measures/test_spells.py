"""Spells of more sellers than are told apart: pools of sellers, each one cluster."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.marketplace import make_market
from analysis.measures import refund_curve, response_curve, spells
from analysis.sources import open_tables

# sellers in the order of their ids, and the pools of three into which they are dealt out
POOL_OF = {11: 1, 14: 2, 15: 3, 17: 1, 20: 2, 23: 3, 29: 1}
HOURS = [1, 4, 9, 2, 7, 3, 5, 8, 6, 2, 3, 1, 9, 4, 5, 7]
ANSWERS = [
    (f"2026-03-01 00:00 | 2026-03-01 {hours:02}:00", seller)
    for hours, seller in zip(HOURS, list(POOL_OF) * 3, strict=False)
]


def answered(tables, sellers):
    """Requests answered after some hours, one without a seller, and the sellers of their orders."""
    rows = "\n".join(moments for moments, _ in ANSWERS)
    of_orders = "\n".join(f"{i} | {seller}" for i, seller in enumerate([*sellers, ""], 1))
    known = "\n".join(str(seller) for seller in sorted(set(sellers)))
    return tables(
        sellers=f"seller_id\n{known}",
        orders=f"order_id | seller_id\n{of_orders}",
        requests=f"requested_at | decided_at\n{rows}\n2026-03-01 00:00 | 2026-03-01 06:00",
    )


@pytest.mark.spark
def test_sellers_beyond_the_most_are_dealt_out_to_pools_in_the_order_of_their_ids(
    tables, monkeypatch
):
    one_by_one = [seller for _, seller in ANSWERS]
    expected = response_curve(answered(tables, [POOL_OF[s] for s in one_by_one]))
    monkeypatch.setattr(spells, "MAX_CLUSTERS", 3)
    pooled = response_curve(answered(tables, one_by_one))
    pd.testing.assert_frame_equal(pooled, expected, rtol=1e-12, atol=1e-12)
    assert set(pooled.n_clusters) == {4}  # three pools, and the orders that name no seller


def test_limits_of_pools_are_about_as_wide_as_those_of_sellers(monkeypatch):
    opened = open_tables(make_market(60_000, seed=3), as_of="2025-12-01")
    assert opened.n_sellers == 240
    alone = refund_curve(opened, horizon_days=20)
    monkeypatch.setattr(spells, "MAX_CLUSTERS", 60)
    pooled = refund_curve(opened, horizon_days=20)
    np.testing.assert_allclose(pooled.estimate, alone.estimate, rtol=1e-12)
    width, wide = (table.ci_high - table.ci_low for table in (pooled, alone))
    inner = alone.estimate.between(0.05, 0.95)
    assert inner.sum() >= 10
    assert (width / wide)[inner].between(0.7, 1.4).all()
    assert set(pooled.n_clusters) == {60}


def test_a_seller_asked_for_is_never_put_into_a_pool(tables, monkeypatch):
    opened = answered(tables, [seller for _, seller in ANSWERS])
    expected = response_curve(opened, by=["seller_id"])
    monkeypatch.setattr(spells, "MAX_CLUSTERS", 3)
    pd.testing.assert_frame_equal(response_curve(opened, by=["seller_id"]), expected)
    assert expected.seller_id.nunique() == len(POOL_OF)
