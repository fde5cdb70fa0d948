"""Refunds known from daily looks: bounds, a second count of the looks, and the truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from tests.measures.brute import Data, grouped
from tests.measures.random_rows import AS_OF, random_market

from analysis.contract import MissingData
from analysis.marketplace import make_market, make_truth
from analysis.measures import refund_curve_from_snapshots
from analysis.sources import open_tables
from analysis.stats import kaplan_meier, survival_at

DAY = pd.Timedelta(days=1)
REQUESTS = """
    request_id | requested_at     | decided_at
    1          | 2026-03-01 00:00 | 2026-03-01 06:00
    2          | 2026-03-01 00:00 | 2026-03-01 06:00
    3          | 2026-03-01 00:00 | 2026-03-01 06:00
    4          | 2026-03-01 00:00 | 2026-03-05 18:00
"""
REFUNDS = """
    request_id | credited_at
    1          | 2026-03-01 20:00
    2          | 2026-03-03 09:00
    3          |
    4          |
"""


@pytest.mark.spark
def test_a_credit_lies_between_the_looks_of_two_midnights(tables):
    opened = tables(as_of="2026-03-05 12:00", requests=REQUESTS, refunds=REFUNDS)
    table = refund_curve_from_snapshots(opened, horizon_days=4).set_index("time_days")
    # looks are 18, 42, 66 and 90 hours after the decision; leg 4 is decided after the last look
    assert set(table.n) == {3}
    # leg 1 was credited by the first look, leg 2 between 42 and 66 hours, leg 3 not by hour 90
    early, late = table.loc[0.5], table.loc[2.0]
    third = pytest.approx(1 / 3)
    assert (early.at_least, early.at_most) == (0, third)
    assert np.isnan(early.estimate)  # nothing says when in the first 18 hours
    assert (table.estimate[0.75], table.estimate[1.75]) == (third, third)
    assert (late.at_least, late.at_most) == (third, pytest.approx(2 / 3))
    assert table.estimate[2.75] == table.estimate[3.75] == pytest.approx(2 / 3)
    assert table[["estimate", "at_least", "ci_high"]].loc[4.0].isna().all()  # after the last look
    counts = ["n_at_risk", "n_events", "n_censored"]
    assert table.loc[0.5, counts].tolist() == [2, 0, 0]
    assert table.loc[0.75, counts].tolist() == [2, 1, 0]
    assert table.loc[2.75, counts].tolist() == [1, 2, 0]
    assert table.loc[4.0, counts].tolist() == [0, 2, 1]


def test_looks_that_are_closer_tell_more(tables):
    opened = tables(as_of="2026-03-05 12:00", requests=REQUESTS, refunds=REFUNDS)
    hourly = refund_curve_from_snapshots(opened, snapshot_hours=1, horizon_days=4)
    daily = refund_curve_from_snapshots(opened, horizon_days=4)
    vague = [(t.at_most - t.at_least).fillna(0).sum() for t in (hourly, daily)]
    assert vague[0] == pytest.approx(0, abs=1e-9) and vague[1] > 1
    with pytest.raises(ValueError, match="snapshot_hours must be a whole number"):
        refund_curve_from_snapshots(opened, snapshot_hours=0.5)
    with pytest.raises(ValueError, match="horizon_days must be more than 0"):
        refund_curve_from_snapshots(opened, horizon_days=-1)
    with pytest.raises(MissingData, match="column colour"):
        refund_curve_from_snapshots(opened, by="colour")


def looked(leg, hours, as_of):
    """Hours since the decision of the looks around a credit, by stepping from look to look."""
    step = pd.Timedelta(hours=hours)
    due = pd.Timestamp(leg["due_since"])
    look = due.floor(step)
    look = look if look >= due else look + step
    if look > as_of:
        return None
    before = -1.0
    while look <= as_of:
        credited = leg["credited_at"]
        if credited is not None and pd.Timestamp(credited) <= look:
            return before, float(np.ceil((look - due) / pd.Timedelta(hours=1)))
        before = float(np.floor((look - due) / pd.Timedelta(hours=1)))
        look += step
    return before, np.inf


def test_looks_counted_one_by_one_and_a_curve_by_direct_maximisation():
    frames = random_market(11, 40)
    opened, data = open_tables(frames, as_of=AS_OF), Data(frames, AS_OF)
    table = refund_curve_from_snapshots(opened, by=["category"], horizon_days=20)
    for (category,), legs in grouped(data.refunds(), ["category"]).items():
        spells = [s for s in (looked(leg, 24, AS_OF) for leg in legs) if s is not None]
        rows = table[table.category == category].set_index("time_days")
        assert set(rows.n) == {len(spells)}
        for time in (0.0, 2.0, 7.25, 20.0):
            hours = time * 24
            row = rows.loc[time]
            assert row.n_events == sum(right <= hours for _, right in spells)
            assert row.n_at_risk == sum(left >= hours for left, _ in spells)
            assert row.n_censored == sum(left < hours and np.isinf(r) for left, r in spells)
        assert_same_likelihood(spells, rows)


def assert_same_likelihood(spells, rows):
    """The share between two bounds is that of masses on every hour that are as likely as any."""
    ends = sorted({e for spell in spells for e in spell if np.isfinite(e)} | {1e9})
    inside = np.array([[left < e <= min(right, 1e9) for e in ends] for left, right in spells])

    def loss(x):
        p = np.exp(x - x.max())
        p /= p.sum()
        each = np.maximum(inside @ p, 1e-300)
        slope = p * (len(spells) - (inside / each[:, None]).sum(axis=0))
        return -np.log(each).sum(), slope

    found = minimize(loss, np.zeros(len(ends)), jac=True, method="L-BFGS-B", options={"gtol": 1e-9})
    p = np.exp(found.x - found.x.max())
    p /= p.sum()
    for time in (7.0, 14.0):
        share = p[np.array(ends) <= time * 24].sum()
        row = rows.loc[time]
        if not np.isnan(row.at_least):
            assert row.at_least - 0.02 <= share <= row.at_most + 0.02


@pytest.fixture(scope="module")
def market():
    """Legs of a synthetic market in the middle of its sale, with when they will arrive."""
    as_of = pd.Timestamp("2025-11-15 15:00", tz="UTC")
    frames = make_market(20_000, seed=21, as_of=as_of)
    truth = make_truth(20_000, seed=21, as_of=as_of)["truth/refunds"].to_pandas()
    legs = frames["refunds"].to_pandas().merge(truth, on="refund_id")
    asked = frames["requests"].to_pandas()[["request_id", "decided_at"]]
    ended = frames["orders"].to_pandas()[["order_id", "ended_at"]]
    legs = legs.merge(asked, on="request_id", how="left").merge(ended, on="order_id")
    legs["due"] = legs.decided_at.fillna(legs.ended_at)
    legs["days"] = (legs.eventual_credited_at - legs.due) / DAY
    return open_tables(frames, as_of=as_of), legs, as_of


def test_looks_are_enough_for_the_truth_and_rounding_to_days_is_not(market):
    opened, legs, as_of = market
    table = refund_curve_from_snapshots(opened).set_index("time_days")
    times = np.arange(1.0, 25.0)
    true = np.searchsorted(np.sort(legs.days), times, side="right") / len(legs)
    rows = table.loc[times]
    # the habit: days from the date of the decision to the date of the export that shows it
    look = legs.credited_at.dt.ceil("D")
    seen = look.notna() & (look <= as_of.floor("D"))
    rounded = (look.where(seen, as_of.floor("D")) - legs.due.dt.floor("D")) / DAY
    ended = seen.astype(int).to_numpy()
    km = kaplan_meier(np.zeros(len(legs), int), rounded.clip(lower=0), ended, 1 - ended)
    habit = 1 - survival_at(km, times).survival[0]
    assert ((rows.ci_low <= true) & (true <= rows.ci_high)).mean() >= 0.9
    middle = (rows.at_least + rows.at_most) / 2
    assert abs((middle - true).mean()) < 0.006
    assert (habit - true).mean() < -0.015  # the better part of a day too slow
    assert abs(habit - true).sum() > 3 * abs(middle - true).sum()


def test_limits_hold_the_bounds_in_order_and_seeds_repeat(market):
    opened, _, _ = market
    table = refund_curve_from_snapshots(opened, by=["method"], horizon_days=6)
    known = table.dropna(subset="at_least")
    for low, high in (("ci_low", "at_least"), ("at_least", "at_most"), ("at_most", "ci_high")):
        assert (known[low] <= known[high] + 1e-12).all()
    assert ((known.ci_low >= 0) & (known.ci_high <= 1)).all()
    given = known.dropna(subset="estimate")
    np.testing.assert_allclose(given.at_most - given.at_least, 0, atol=1e-6)
    assert given.ci_low.notna().all() and len(given) < len(known)
    for _, rows in known.groupby("method"):
        assert (np.diff(rows.at_least) >= -1e-12).all() and (np.diff(rows.at_most) >= -1e-12).all()
    again = refund_curve_from_snapshots(opened, by=["method"], horizon_days=6)
    pd.testing.assert_frame_equal(table, again)
    other = refund_curve_from_snapshots(opened, by=["method"], horizon_days=6, seed=2)
    pd.testing.assert_series_equal(other.at_least, table.at_least)
    assert not other.ci_low.equals(table.ci_low)
