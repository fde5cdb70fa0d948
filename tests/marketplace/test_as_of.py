"""What lies after ``as_of`` is absent: an earlier look is the later one, cut off.

The cut is written here a second time, in pandas on the mature market.
"""

from __future__ import annotations

import pandas as pd
import pytest
from tests.marketplace.worlds import Frames, frames

from analysis.marketplace import make_market


def cut(full: Frames, as_of: str) -> Frames:
    """Tables as they were on file at ``as_of``, from tables of long after."""
    moment = pd.Timestamp(as_of, tz="UTC")
    ends = full["orders"].set_index("order_id").ended_at
    orders = full["orders"][full["orders"].placed_at <= moment].copy()
    orders.loc[~(orders.ended_at <= moment), "end_code"] = None
    orders.loc[~(orders.paid_at <= moment), "ship_by_at"] = pd.NaT
    hide(orders, ["paid_at", "packed_at", "shipped_at", "delivered_at", "ended_at"], moment)
    requests = full["requests"][full["requests"].requested_at <= moment].copy()
    undecided = ~(requests.decided_at <= moment)
    requests.loc[undecided, ["decided_by", "blocker"]] = None
    requests.loc[undecided, "outcome"] = "pending"
    hide(requests, ["decided_at"], moment)
    known = requests.dropna(subset="blocker").request_id
    refunds = full["refunds"][full["refunds"].order_id.map(ends) <= moment].copy()
    refunds.loc[~(refunds.credited_at <= moment), "n_failures"] = 0
    hide(refunds, ["started_at", "credited_at"], moment)
    return {
        "sellers": full["sellers"],
        "orders": orders,
        "requests": requests,
        "blockers": full["blockers"][full["blockers"].request_id.isin(known)],
        "refunds": refunds,
        "steps": full["steps"][full["steps"].occurred_at <= moment],
    }


def hide(frame: pd.DataFrame, columns: list[str], moment: pd.Timestamp) -> None:
    for column in columns:
        frame.loc[~(frame[column] <= moment), column] = pd.NaT


@pytest.mark.parametrize("as_of", ["2025-06-20", "2025-11-12T03:04:05", "2025-12-01"])
def test_an_earlier_look_is_the_later_one_cut_off(mature_market, as_of):
    early = frames(make_market(60_000, as_of=as_of))
    expected = cut(mature_market, as_of)
    for name, frame in early.items():
        wanted = expected[name].reset_index(drop=True)
        assert len(frame) > 100
        pd.testing.assert_frame_equal(frame, wanted, check_dtype=False, obj=name)


def test_by_default_the_look_is_at_the_end_of_the_window(market):
    placed = market["orders"].placed_at
    assert placed.min() >= pd.Timestamp("2025-06-04", tz="UTC")
    assert placed.max() <= pd.Timestamp("2025-12-01", tz="UTC")
    assert (market["requests"].outcome == "pending").sum() > 10
    assert market["refunds"].credited_at.isna().mean() > 0.03


def test_ordinary_orders_are_all_there_at_the_end_of_the_window(market):
    assert market["orders"].replaces_order_id.isna().sum() == 60_000


def test_long_after_everything_has_ended(mature_market):
    assert mature_market["orders"].ended_at.notna().all()
    assert (mature_market["requests"].outcome != "pending").all()
    assert mature_market["refunds"].credited_at.notna().all()


def test_a_look_before_the_window_is_refused():
    with pytest.raises(ValueError, match="as_of must not be before the window, 2025-06-04"):
        make_market(100, as_of="2025-06-03")
