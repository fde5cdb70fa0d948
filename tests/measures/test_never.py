"""Refunds that never arrive: found where they were planted, not claimed where there are none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.measures.brute import Curve

from analysis.marketplace import make_market
from analysis.measures import never_refunded_share
from analysis.sources import open_tables
from analysis.stats import clustered_wilson

ORDERS = 12_000


def opened(seed, as_of, *, lost=0.0):
    """A synthetic market; of its legs a share ``lost`` is never credited."""
    frames = make_market(ORDERS, seed=seed, as_of=as_of)
    refunds = frames["refunds"]
    credited = refunds["credited_at"].to_pandas()
    gone = np.random.default_rng(seed).random(len(credited)) < lost
    column = pa.array(credited.mask(gone), refunds["credited_at"].type, from_pandas=True)
    place = refunds.column_names.index("credited_at")
    frames["refunds"] = refunds.set_column(place, "credited_at", column)
    return open_tables(frames, as_of=as_of), gone.mean()


@pytest.mark.parametrize("as_of", ["2025-09-20", "2025-11-15", "2026-02-01"])
def test_where_every_refund_arrives_none_is_claimed_to_be_lost(as_of):
    tables, _ = opened(3, as_of)
    for by in ([], ["method"]):
        table = never_refunded_share(tables, by=by)
        assert not (table.estimate > 0).any(), table
        assert (table.at_most.dropna() > 0).all()
        assert not (table.follow_up == "sufficient").any()


@pytest.mark.parametrize("as_of", ["2025-11-15", "2026-02-01"])
def test_legs_that_were_planted_to_be_lost_are_found(as_of):
    tables, lost = opened(3, as_of, lost=0.06)
    row = never_refunded_share(tables).iloc[0]
    assert (row.follow_up, row.follow_up_p < 1e-6) == ("sufficient", True)
    assert row.ci_low <= lost <= row.ci_high
    assert row.ci_low > 0.02
    assert row.model_low <= lost <= row.model_high
    assert row.at_most == row.ci_high
    by_method = never_refunded_share(tables, by=["method"])
    told = by_method[by_method.estimate > 0]
    assert len(told) >= 4
    assert ((told.ci_low <= 0.06) & (told.ci_high >= 0.06)).mean() >= 0.7


def legs(waits, *, open_days=(), as_of="2026-06-30"):
    """A drawing of legs that took so many days, and of some that are open for so many days."""
    end = pd.Timestamp(as_of)
    decided = [end - pd.Timedelta(days=200)] * len(waits)
    decided += [end - pd.Timedelta(days=d) for d in open_days]
    asked = ["request_id | requested_at | decided_at"]
    asked += [f"{i} | {d} | {d}" for i, d in enumerate(decided, 1)]
    back = ["request_id | credited_at"]
    ends = [d + pd.Timedelta(days=w) for d, w in zip(decided, waits, strict=False)]
    ends += [""] * len(open_days)
    back += [f"{i} | {e}" for i, e in enumerate(ends, 1)]
    return {"as_of": as_of, "requests": "\n".join(asked), "refunds": "\n".join(back)}


def test_a_plateau_is_the_share_and_a_short_one_is_none(tables):
    waits = list(range(1, 31))
    # thirty credited within thirty days, ten open for two hundred: 10 of 40
    row = never_refunded_share(tables(**legs(waits, open_days=[200] * 10))).iloc[0]
    assert row.follow_up == "sufficient"
    assert row.estimate == pytest.approx(10 / 40)
    assert (row.n, row.n_events, row.n_censored, row.n_late) == (40, 30, 10, 30)
    assert row.follow_up_p == pytest.approx((7 / 8) ** 29)
    assert row.ci_low < 0.25 < row.ci_high == row.at_most
    # the same ten, open for 32 days only: of the last two days before day 30 one arrival tells
    row = never_refunded_share(tables(**legs(waits, open_days=[32] * 10))).iloc[0]
    assert row.follow_up == "not sufficient"
    assert np.isnan(row[["estimate", "ci_low", "ci_high", "model_estimate"]].astype(float)).all()
    assert (row.model, row.n_late, row.follow_up_p) == ("none", 2, 7 / 8)
    assert 0.25 < row.at_most < 0.5
    # and ten that are younger than the slowest
    row = never_refunded_share(tables(**legs(waits, open_days=[5] * 10))).iloc[0]
    assert (row.follow_up, row.estimate, row.ci_low) == ("nobody left waiting", 0.0, 0.0)
    high = clustered_wilson([0], [30], [0.0], df=39)[1][0]  # forty legs, each of its own seller
    assert row.ci_high == row.at_most == pytest.approx(high)


def test_limits_allow_for_sellers_who_lose_refunds(tables):
    """Four sellers have all that is lost: as the curve leg by leg, clusters summed."""
    waits, lost = list(range(1, 41)), 12
    texts = legs(waits, open_days=[200] * lost)
    sellers = [i % 8 for i in range(40)] + [i % 4 for i in range(lost)]
    orders = [f"{i} | {seller}" for i, seller in enumerate(sellers, 1)]
    asked, *rows = texts["requests"].split("\n")
    texts["orders"] = "\n".join(["order_id | seller_id", *orders])
    texts["requests"] = "\n".join(
        [f"order_id | {asked}", *(f"{i} | {row}" for i, row in enumerate(rows, 1))]
    )
    row = never_refunded_share(tables(**texts)).iloc[0]
    spells = [(24 * days, 1) for days in waits] + [(24 * 200, 0)] * lost
    curve = Curve(spells, 1, names=sellers)
    limits = curve.log_log(lost / 52, curve.variance(24 * 200, None))
    assert (row.estimate, row.ci_low, row.ci_high) == pytest.approx((lost / 52, *limits))
    assert (row.n_clusters, row.interval) == (
        8,
        "Kaplan-Meier plateau, log-log, clustered by seller",
    )
    alone = Curve(spells, 1)
    low, high = alone.log_log(lost / 52, alone.variance(24 * 200, None))
    assert high - low < row.ci_high - row.ci_low


def test_a_credit_after_the_horizon_counts_as_open(tables):
    opened_ = tables(**legs(list(range(1, 31)) + [150.0] * 10))
    assert never_refunded_share(opened_).iloc[0].estimate == 0
    row = never_refunded_share(opened_, horizon_days=100).iloc[0]
    assert (row.estimate, row.follow_up) == (pytest.approx(0.25), "sufficient")
    with pytest.raises(ValueError, match="horizon_days must be more than 0"):
        never_refunded_share(opened_, horizon_days=0)


def test_none_that_arrived_is_nothing_to_tell_from(tables):
    row = never_refunded_share(tables(**legs([], open_days=[100, 50]))).iloc[0]
    assert (row.follow_up, row.at_most, row.n_late) == ("not sufficient", 1.0, 0)
    assert np.isnan(row.estimate)
