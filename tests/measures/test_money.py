"""Money still owed and sales that came back: by hand, and on markets known to the end."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.contract import codes
from analysis.marketplace import make_market, make_truth
from analysis.measures import open_refund_liability, recovered_sales
from analysis.sources import open_tables

DAY = pd.Timedelta(days=1)


# open_refund_liability


def test_what_is_open_is_expected_as_the_others_of_its_method_were_paid(tables):
    # cards: paid after 2, 4 and 6 days; one of 1,000 open for 3 days, one of 500 for 5.
    # S: 1 - 1/5 = 0.8 at 2, then three are at risk at 4: x 2/3, one at 6: 0. Within a day of now
    # the first comes by day 4 with 1 - 2/3, the second by day 6 for sure.
    # Wallets: open for 1 day, and nobody was seen for longer.
    opened = tables(
        as_of="2026-06-30",
        requests="""
            request_id | decided_at
            1          | 2026-06-01
            2          | 2026-06-01
            3          | 2026-06-01
            4          | 2026-06-27
            5          | 2026-06-25
            6          | 2026-06-29
        """,
        refunds="""
            request_id | method | currency | amount_minor | credited_at
            1          | card   | EUR      | 100          | 2026-06-03
            2          | card   | USD      | 100          | 2026-06-05
            3          | card   | EUR      | 100          | 2026-06-07
            4          | card   | EUR      | 1000         |
            5          | card   | EUR      | 500          |
            6          | wallet | EUR      | 70           |
        """,
    )
    table = open_refund_liability(opened, horizon_days=[1])
    euro, dollar = table.iloc[0], table.iloc[1]
    assert (euro.currency, euro.open_minor, euro.n_open, euro.n) == ("EUR", 1570, 3, 6)
    assert euro.estimate == pytest.approx(1000 / 3 + 500)
    assert euro.unknown_minor == 70
    assert euro.ci_high <= 1570
    assert (dollar.currency, dollar.open_minor, dollar.n_open, dollar.estimate) == ("USD", 0, 0, 0)


def by_hand(data, horizon_hours):
    """Expected amount per currency and what outlasts observation, leg by leg."""
    legs = []
    for leg in data.refunds():
        if leg["due_since"] is None:
            continue
        end = leg["credited_at"] or data.as_of
        hours = max(0, -(-int((end - leg["due_since"]).total_seconds()) // 3600))
        weight = 1.0 if leg.get("weight") is None else leg["weight"]
        legs.append((leg["method"], hours, leg["credited_at"] is not None, weight, leg))
    found = {leg["currency"]: [0.0, 0.0] for *_, leg in legs}
    for method, hours, paid, weight, leg in legs:
        if paid:
            continue
        own = [(h, p) for m, h, p, *_ in legs if m == method]
        stays = 1.0
        for moment in sorted({h for h, p in own if p and hours < h <= hours + horizon_hours}):
            risk = sum(h >= moment for h, _ in own)
            stays *= 1 - sum(h == moment and p for h, p in own) / risk
        amount = leg["amount_minor"] * weight
        found[leg["currency"]][0] += amount * (1 - stays)
        if hours + horizon_hours > max(h for h, _ in own):
            found[leg["currency"]][1] += amount * stays
    return found


@pytest.mark.parametrize("market", ["plain", "weighted"])
def test_the_expected_amount_equals_the_same_leg_by_leg(market, request):
    opened, data = request.getfixturevalue(market)
    table = open_refund_liability(opened, horizon_days=[3, 15])
    for days, rows in table.groupby("horizon_days"):
        expected = by_hand(data, days * 24)
        assert list(rows.currency) == sorted(expected)
        np.testing.assert_allclose(
            rows[["estimate", "unknown_minor"]], [expected[c] for c in rows.currency], rtol=1e-12
        )


def test_groups_are_forecast_from_their_own_and_add_up_to_what_is_owed(plain):
    opened, _ = plain
    overall = open_refund_liability(opened).iloc[0]
    by_tier = open_refund_liability(opened, by=["size_tier"])
    first = by_tier[by_tier.horizon_days == 7]
    assert first.open_minor.sum() == overall.open_minor
    assert first.n.sum() == overall.n
    named_twice = open_refund_liability(opened, by=["currency"])
    pd.testing.assert_frame_equal(named_twice, open_refund_liability(opened))


def test_a_horizon_must_be_ahead(plain):
    with pytest.raises(ValueError, match="horizon_days must be more than 0"):
        open_refund_liability(plain[0], horizon_days=[7, 0])


def paid_later(seed, n_orders, as_of):
    """Forecast of all currencies, and what was really credited in the week after."""
    frames = make_market(n_orders, seed=seed, as_of=as_of)
    truth = make_truth(n_orders, seed=seed, as_of=as_of)["truth/refunds"].to_pandas()
    legs = frames["refunds"].to_pandas().merge(truth, on="refund_id")
    now = pd.Timestamp(as_of, tz="UTC")
    soon = legs[legs.credited_at.isna() & (legs.eventual_credited_at <= now + 7 * DAY)]
    table = open_refund_liability(open_tables(frames, as_of=as_of), horizon_days=[7])
    table = table.set_index("currency")
    return table.assign(true=soon.groupby("currency").amount_minor.sum()).fillna({"true": 0})


def test_on_a_synthetic_market_the_forecast_comes_true():
    table = paid_later(21, 80_000, "2025-11-15").query("n_open >= 20")
    assert len(table) >= 4
    within = (table.ci_low <= table.true) & (table.true <= table.ci_high)
    assert within.mean() >= 0.7


@pytest.mark.study
def test_on_many_synthetic_markets_the_forecast_comes_true_as_often_as_it_says():
    found = pd.concat([paid_later(seed, 80_000, "2025-11-15") for seed in range(12)])
    found = found[found.n_open >= 15]
    covered = ((found.ci_low <= found.true) & (found.true <= found.ci_high)).mean()
    assert len(found) > 60
    assert 0.87 <= covered <= 1.0
    assert abs(found.estimate.sum() / found.true.sum() - 1) < 0.25


# recovered_sales

SALES = {
    "as_of": "2026-06-30",
    "orders": """
      order_id | seller_id | paid_at    | ended_at | end_code | amount_minor | replaces_order_id
      1        | 1         | 2026-05-01 | 2026-05-02 | cancelled_by_request | 1000         |
      2        | 1         | 2026-05-03 |            |                      | 600          | 1
      3        | 1         | 2026-05-04 |            |                      | 700          | 1
      4        | 2         | 2026-05-01 | 2026-05-02 | cancelled_by_seller  | 3000         |
      5        | 2         | 2026-05-20 |            |                      | 3000         | 4
      6        | 2         | 2026-05-01 | 2026-05-02 | cancelled_by_request | 500          |
      7        | 2         |            |            |                      | 500          | 6
      8        | 3         |            | 2026-05-02 | cancelled_by_request | 9000         |
      9        | 3         | 2026-05-01 | 2026-06-01 | completed            | 9000         |
      10       | 3         | 2026-06-01 | 2026-06-28 | cancelled_by_request | 800          |
    """,
}


def test_what_is_bought_again_in_time_counts_up_to_what_was_cancelled(tables):
    # order 1: 600 + 700 came back, counted as 1,000; 4: too late for a week; 6: never paid;
    # 8 was never paid; 10 was cancelled too recently
    (row,) = recovered_sales(tables(**SALES)).itertuples()
    assert (row.currency, row.horizon_days) == ("USD", 7)
    assert (row.cancelled_minor, row.recovered_minor) == (4500, 1000)
    assert row.estimate == pytest.approx(1000 / 4500)
    assert (row.n, row.n_events, row.n_pending, row.n_clusters) == (3, 1, 1, 2)
    later = recovered_sales(tables(**SALES), horizon_days=30).iloc[0]
    assert (later.recovered_minor, later.n_events) == (4000, 2)


def test_money_of_another_currency_recovers_nothing(tables):
    opened = tables(
        as_of="2026-06-30",
        orders="""
            order_id | currency | paid_at    | ended_at   | end_code  | replaces_order_id
            1        | USD      | 2026-05-01 | 2026-05-02 | cancelled |
            2        | EUR      | 2026-05-03 |            |           | 1
        """,
    )
    (dollar,) = recovered_sales(opened).itertuples()
    assert (dollar.currency, dollar.n, dollar.n_events, dollar.recovered_minor) == ("USD", 1, 0, 0)


def recovered_by_hand(data, horizon):
    """Lost and recovered money per currency, order by order."""
    sums = {}
    for order in data.orders:
        ends = order["ended_at"] is not None and order["end_code"] in codes.CANCELLED_ENDS
        if order["paid_at"] is None or not ends or data.age(order["ended_at"]) < horizon:
            continue
        weight = 1.0 if order.get("weight") is None else order["weight"]
        again = [
            other["amount_minor"]
            for other in data.orders
            if other["replaces_order_id"] == order["order_id"]
            and other["paid_at"] is not None
            and other["currency"] == order["currency"]
            and (other["paid_at"] - order["ended_at"]).total_seconds() <= horizon
        ]
        lost, back, n, k = sums.get(order["currency"], (0, 0, 0, 0))
        back += weight * min(sum(again), order["amount_minor"])
        lost += weight * order["amount_minor"]
        sums[order["currency"]] = (lost, back, n + 1, k + bool(again))
    return sums


@pytest.mark.parametrize("market", ["plain", "weighted"])
@pytest.mark.parametrize("days", [2, 20])
def test_recovered_sales_equal_the_same_order_by_order(market, days, request):
    opened, data = request.getfixturevalue(market)
    table = recovered_sales(opened, horizon_days=days)
    for row in table.itertuples():
        lost, back, n, k = recovered_by_hand(data, days * 86_400)[row.currency]
        assert (row.n, row.n_events) == (n, k)
        assert (row.cancelled_minor, row.recovered_minor) == pytest.approx((lost, back))
        assert row.estimate == pytest.approx(back / lost)
    assert (table.recovered_minor > 0).any()


def test_a_synthetic_market_recovers_what_its_buyers_replaced():
    frames = make_market(8_000, seed=5)
    orders = frames["orders"].to_pandas()
    again = orders[orders.replaces_order_id.notna() & orders.paid_at.notna()]
    lost = orders[orders.paid_at.notna() & orders.end_code.isin(codes.CANCELLED_ENDS)]
    both = again.merge(lost, left_on="replaces_order_id", right_on="order_id", suffixes=("", "_0"))
    back = np.minimum(both.amount_minor, both.amount_minor_0).groupby(both.currency).sum()
    table = recovered_sales(open_tables(frames, as_of="2027-06-01"), horizon_days=500)
    found = table.set_index("currency").recovered_minor
    expected = back.reindex(found.index, fill_value=0)
    np.testing.assert_allclose(found, expected)
    assert (table.recovered_minor > 0).sum() >= 4
