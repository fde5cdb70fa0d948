"""How fast the window of an order closes, interval by interval after payment."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.measures.brute import HOUR, grouped, seconds
from tests.measures.random_rows import AS_OF, random_market
from tests.measures.test_properties import renamed, together

from analysis.contract import MissingData, codes
from analysis.marketplace import make_market
from analysis.measures import window_curve, window_hazard
from analysis.sources import open_tables

few = settings(max_examples=3, deadline=None, derandomize=True, database=None)

DRAWN = {
    "as_of": "2026-03-05 00:00",
    "orders": """
        placed_at  | shipped_at          | ended_at         | end_code
        2026-03-01 | 2026-03-01 06:00    |                  |
        2026-03-01 | 2026-03-01 06:00:01 | 2026-03-01 20:00 | completed
        2026-03-01 |                     | 2026-03-01 09:00 | cancelled_by_request
        2026-03-01 |                     | 2026-03-01 12:00 | ship_timeout
        2026-03-01 |                     |                  |
        2026-03-04 |                     |                  |
    """,
}
WANTED = ["outcome", "from_hours", "to_hours", "n_at_risk", "n_events", "exposure_hours"]


def test_windows_close_in_the_interval_that_holds_the_moment(tables):
    table = window_hazard(tables(**DRAWN), horizon_hours=30, step_hours=6)
    rows = table[table.outcome == "closed_in_any_way"][WANTED[1:]]
    second = 1 / 3600
    expected = [  # the first is shipped at 6 hours sharp: that is still the first interval
        [0, 6, 6, 1, 6 * 6],
        [6, 12, 5, 3, second + 3 + 6 + 6 + 6],
        [12, 18, 2, 0, 12],
        [18, 24, 2, 0, 12],  # one was paid a day before the end of observation
        [24, 30, 1, 0, 6],
    ]
    np.testing.assert_allclose(rows.to_numpy(float), expected, rtol=1e-12)
    ends = table[table.n_events > 0][["outcome", "from_hours", "n_events"]]
    assert ends.to_numpy().tolist() == [
        ["closed_in_any_way", 0, 1],
        ["closed_in_any_way", 6, 3],
        ["shipped", 0, 1],
        ["shipped", 6, 1],
        ["cancelled", 6, 1],
        ["ended_otherwise", 6, 1],
    ]
    assert set(table.n) == {6}
    first = table.iloc[0]
    assert first.estimate == 1 / 36


def test_the_last_interval_is_shorter_where_the_steps_do_not_fit(tables):
    table = window_hazard(tables(**DRAWN), horizon_hours=10, step_hours=4)
    shown = table[table.outcome == "closed_in_any_way"]
    assert shown.to_hours.tolist() == [4, 8, 10]
    assert shown.exposure_hours.tolist() == pytest.approx([24, 4 + 1 / 3600 + 16, 7])
    wide = window_hazard(tables(**DRAWN), horizon_hours=10, step_hours=99)
    assert wide.to_hours.unique().tolist() == [10]


def test_what_else_closes_the_window_can_be_named(tables):
    drawing = """
        placed_at  | packed_at        | shipped_at
        2026-03-01 | 2026-03-01 03:00 | 2026-03-01 04:00
        2026-03-01 |                  | 2026-03-01 05:00
    """
    opened = tables(as_of="2026-03-05", orders=drawing)
    table = window_hazard(
        opened, horizon_hours=6, step_hours=6, closed_by=("packed_at", "shipped_at")
    )
    assert table.outcome.tolist() == ["closed_in_any_way", "packed", "shipped"]
    assert table.n_events.tolist() == [2, 1, 1]
    assert set(table.exposure_hours) == {8}


def test_orders_closed_before_they_are_paid_were_never_at_risk(tables):
    drawing = """
        placed_at  | paid_at          | shipped_at
        2026-03-01 | 2026-03-03       | 2026-03-02
        2026-03-01 | 2026-03-01       | 2026-03-01 00:00
        2026-03-01 | 2026-03-01       | 2026-03-01 02:00
        2026-03-01 |                  |
    """
    table = window_hazard(tables(orders=drawing), horizon_hours=4, step_hours=2)
    assert table.n.tolist() == [3] * 4  # paid orders
    assert table.n_at_risk.tolist() == [1, 0] * 2
    assert table.n_events.tolist() == [1, 0] * 2
    assert table.estimate.isna().tolist() == [False, True] * 2
    assert table.interval[0] == "Poisson score, too few to cluster by seller"


def test_intervals_and_columns_are_checked(tables):
    opened = tables(**DRAWN)
    with pytest.raises(ValueError, match="step_hours must make at most 1,000 intervals of 240"):
        window_hazard(opened, step_hours=0.1)
    for option in ("horizon_hours", "step_hours"):
        with pytest.raises(ValueError, match=f"{option} must be more than 0"):
            window_hazard(opened, **{option: 0})
    with pytest.raises(MissingData, match="orders.packed_at .*needed by window_hazard"):
        window_hazard(tables(**DRAWN, without=("orders.packed_at",)), closed_by=["packed_at"])
    with pytest.raises(ValueError, match="by must not hold from_hours"):
        window_hazard(tables(orders="from_hours\na"), by=["from_hours"])
    alone = window_hazard(tables(**DRAWN, without=("sellers", "orders.seller_id")))
    assert set(alone.interval) == {"Poisson score"}


# row by row


def brute(data, by, closed_by, step, horizon):
    """Time at risk by seconds of overlap, one order at a time."""
    rows = []
    for row in data.orders:
        if row["paid_at"] is None:
            continue
        ends = [(seconds(row["paid_at"], row[c]), c.removesuffix("_at")) for c in closed_by]
        how = "cancelled" if row["end_code"] in codes.CANCELLED_ENDS else "ended_otherwise"
        ends.append((seconds(row["paid_at"], row["ended_at"]), how))
        time, end = min(((t, e) for t, e in ends if t is not None), default=(None, None))
        rows.append({**row, "time": data.age(row["paid_at"]) if time is None else time, "end": end})
    names = [c.removesuffix("_at") for c in closed_by] + ["cancelled", "ended_otherwise"]
    for group, members in grouped(rows, by).items():
        for outcome in ["closed_in_any_way", *names]:
            for low in range(0, horizon, step):
                high = min(low + step, horizon)
                ended = [
                    r
                    for r in members
                    if low < r["time"] <= high
                    and r["end"] is not None
                    and outcome in ("closed_in_any_way", r["end"])
                ]
                hours = sum(max(min(r["time"], high) - low, 0) for r in members) / HOUR
                at_risk = [r for r in members if r["time"] > low]
                sellers = {r["seller_id"] for r in at_risk} - {None}
                alone = sum(r["seller_id"] is None for r in at_risk)
                yield (
                    *group,
                    outcome,
                    low / HOUR,
                    high / HOUR,
                    len(ended) / hours if hours else np.nan,
                    len(at_risk),
                    len(ended),
                    hours,
                    len(members),
                    len(sellers) + alone,
                )


@pytest.mark.parametrize(
    ("by", "closed_by"), [([], ["shipped_at"]), (["size_tier"], ["packed_at", "shipped_at"])]
)
def test_the_same_row_by_row(plain, by, closed_by):
    opened, data = plain
    found = window_hazard(opened, by=by, closed_by=closed_by, horizon_hours=100, step_hours=7)
    names = [*by, *WANTED[:3], "estimate", *WANTED[3:], "n", "n_clusters"]
    expected = pd.DataFrame(brute(data, by, closed_by, 7 * HOUR, 100 * HOUR), columns=names)
    pd.testing.assert_frame_equal(found[names], expected, check_dtype=False, rtol=1e-12)


# properties


@few
@given(seed=st.integers(0, 9999), n_orders=st.integers(1, 80))
def test_ends_until_an_hour_are_those_of_the_curve_and_rates_add_up(seed, n_orders):
    opened = open_tables(random_market(seed, n_orders), as_of=AS_OF)
    table = window_hazard(opened, horizon_hours=48, step_hours=4)
    curve = window_curve(opened, horizon_hours=48)
    parts = table[table.outcome != "closed_in_any_way"]
    whole = table[table.outcome == "closed_in_any_way"].set_index("from_hours")
    np.testing.assert_allclose(
        parts.groupby("from_hours").estimate.sum().reindex(whole.index, fill_value=0),
        whole.estimate.fillna(0),
        atol=1e-12,
    )
    for outcome, rows in parts.groupby("outcome"):
        one = curve[curve.outcome == outcome].set_index("time_hours").n_events
        before = one.loc[0]  # closed by the moment of payment
        assert (one.loc[rows.to_hours].to_numpy() - before == rows.n_events.cumsum()).all()


def test_another_group_the_order_of_rows_and_the_date_change_nothing():
    frames = random_market(8, 150)
    other = renamed(random_market(9, 60), ids=10_000, category="others")
    options = {"by": ["category"], "horizon_hours": 60}
    alone = window_hazard(open_tables(frames, as_of=AS_OF), **options)
    shuffled = {
        name: frame.take(np.random.default_rng(1).permutation(frame.num_rows))
        for name, frame in together(frames, other).items()
    }
    later = renamed(shuffled, weeks=200)
    beside = window_hazard(open_tables(later, as_of=AS_OF + pd.Timedelta(weeks=200)), **options)
    beside = beside[beside.category != "others"].reset_index(drop=True)
    pd.testing.assert_frame_equal(beside, alone, rtol=1e-12, atol=1e-12)


# on a law that is known


def test_rates_of_a_known_law_are_found(tables):
    """Orders close at 0.02 an hour, from 24 hours on at 0.1."""
    random = np.random.default_rng(6)
    n = 3000
    wait = random.exponential(1, n)
    hours = np.where(wait < 0.48, wait / 0.02, 24 + (wait - 0.48) / 0.1)
    paid = pd.Timestamp("2026-03-01", tz="UTC")
    frames = random_market(3, 1)
    orders = frames["orders"].to_pandas().iloc[[0] * n].reset_index(drop=True)
    orders = orders.assign(
        order_id=np.arange(n),
        seller_id=np.arange(n) % 12,
        placed_at=paid,
        paid_at=paid,
        packed_at=pd.NaT,
        shipped_at=paid + pd.to_timedelta((hours * 3600).astype(int) + 1, unit="s"),
        delivered_at=pd.NaT,
        ended_at=pd.NaT,
        end_code=None,
        replaces_order_id=pd.array([None] * n, dtype="Int64"),
    )
    seen = orders.shipped_at.where(orders.shipped_at < paid + pd.Timedelta(hours=40))
    requests = frames["requests"].slice(0, 0)
    opened = open_tables(
        {"orders": orders.assign(shipped_at=seen), "requests": requests},
        as_of=paid + pd.Timedelta(hours=40),
    )
    table = window_hazard(opened, horizon_hours=48, step_hours=12)
    shown = table[table.outcome == "shipped"]
    for row, true in zip(shown.itertuples(), [0.02, 0.02, 0.1, 0.1], strict=True):
        assert row.ci_low <= true <= row.ci_high
        assert row.ci_high - row.ci_low < 0.5 * true
    assert shown.exposure_hours.iloc[3] < 4 * shown.n_at_risk.iloc[3]  # observation ends at 40


@pytest.mark.study
def test_the_window_of_the_marketplace_closes_as_its_curve_says():
    market = open_tables(make_market(6000, seed=5), as_of="2025-12-01")
    table = window_hazard(market, horizon_hours=96, step_hours=0.25)
    whole = table[table.outcome == "closed_in_any_way"]
    left = np.exp(-np.cumsum(whole.estimate * (whole.to_hours - whole.from_hours)))
    curve = window_curve(market, horizon_hours=96)
    still = curve[curve.outcome == "still_open"].set_index("time_hours").estimate
    for hour in (1, 24, 48, 96):
        at = left[(whole.to_hours == hour).to_numpy()].iloc[0]
        assert at == pytest.approx(still[hour], abs=2e-3)
