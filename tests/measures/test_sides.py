"""Comparisons: differences of times and outcomes, and what brings the money sooner."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.drawn import arrow_rows
from tests.measures.random_rows import AS_OF, random_market

from analysis import stats
from analysis.contract import TABLES, MissingData
from analysis.measures import (
    outcome_curve,
    outcome_difference,
    refund_drivers,
    refund_mean,
    refund_time_difference,
)
from analysis.sources import open_tables

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "stats"
HOUR = pd.Timedelta(hours=1)

SEVEN = {  # decided on 1 March; by card after 2, 4 and 6 days, by wallet after 1, 1 and 4; one open
    "as_of": "2026-04-10",
    "refunds": """
        request_id | credited_at | method
        1          | 2026-03-03  | card
        2          | 2026-03-05  | card
        3          | 2026-03-07  | card
        4          | 2026-03-02  | wallet
        5          | 2026-03-02  | wallet
        6          | 2026-03-05  | wallet
        7          |             | card
    """,
    "requests": "request_id | requested_at | decided_at\n"
    + "\n".join(f"{i} | 2026-03-01 | 2026-03-01" for i in range(1, 8)),
}


# refund_time_difference


def test_times_are_compared_with_those_of_the_commonest_method(tables):
    row = refund_time_difference(tables(**SEVEN), horizon_days=10).iloc[0]
    assert (row.compared, row.value, row.baseline) == ("method", "wallet", "card")
    assert (row.mean_days, row.baseline_mean_days) == (2, 5.5)  # (2 + 4 + 6 + 10) / 4
    assert row.estimate == pytest.approx(-3.5)
    assert (row.n, row.n_baseline, row.n_events, row.n_censored) == (3, 4, 3, 0)
    assert row.q_value == row.p_value  # the only test of the table
    # every order has its own seller: variances with one spell left out of each square
    spread = np.array([2, 4, 6, 10]), np.array([1, 1, 4])
    error = np.sqrt(sum(((x - x.mean()) ** 2).sum() / len(x) / (len(x) - 1) for x in spread))
    half = (row.ci_high - row.ci_low) / 2
    assert row.interval == "difference of restricted means, clustered by seller"
    assert row.n_clusters == 7
    v = [((x - x.mean()) ** 2).sum() / len(x) ** 2 for x in spread]
    df = sum(v) ** 2 / (v[0] ** 2 / 4 + v[1] ** 2 / 3) - 1
    assert half == pytest.approx(stats.scales.t_quantile(np.array(df), 0.95) * error)


def test_without_sellers_spells_are_independent(tables):
    opened = tables(**SEVEN, without=("sellers", "orders.seller_id"))
    row = refund_time_difference(opened, horizon_days=10).iloc[0]
    spread = np.array([2, 4, 6, 10]), np.array([1, 1, 4])
    error = np.sqrt(sum(((x - x.mean()) ** 2).sum() / len(x) ** 2 for x in spread))
    assert row.ci_high - row.ci_low == pytest.approx(2 * 1.959964 * error, rel=1e-6)
    assert row.interval == "difference of restricted means, normal"
    test = stats.log_rank(
        [0] * 4 + [1] * 3, [2, 4, 6, 10, 1, 1, 4], [1, 1, 1, 0, 1, 1, 1], [0] * 3 + [1] + [0] * 3
    )
    assert row.logrank_p_value == pytest.approx(test.p_value)


def test_a_baseline_can_be_named_and_must_exist(tables):
    opened = tables(**SEVEN)
    row = refund_time_difference(opened, horizon_days=10, baseline="wallet").iloc[0]
    assert (row.value, row.estimate) == ("card", pytest.approx(3.5))
    with pytest.raises(ValueError, match="baseline must be one of card, wallet, got 'cash'"):
        refund_time_difference(opened, baseline="cash")


def test_a_group_without_its_baseline_keeps_its_row(tables):
    opened = tables(
        orders="order_id | category\n1 | toys\n2 | toys\n3 | tools",
        refunds="""
            order_id | credited_at | method
            1        | 2026-06-01  | card
            2        | 2026-06-02  | wallet
            3        | 2026-06-01  | wallet
        """,
    )
    table = refund_time_difference(opened, by=["category"], baseline="card")
    assert table.category.tolist() == ["tools", "toys"]
    assert table.n_baseline.tolist() == [0, 1]
    assert np.isnan(table.estimate).tolist() == [True, False]
    assert np.isnan(table.baseline_mean_days).tolist() == [True, False]
    assert table.n.tolist() == [1, 1]


def test_what_is_known_only_later_is_refused(tables):
    opened = tables(**SEVEN)
    for measure, options in (
        (refund_time_difference, {"between": "n_failures"}),
        (refund_drivers, {"factors": ["method", "n_failures"]}),
    ):
        with pytest.raises(ValueError, match="n_failures is known only afterwards"):
            measure(opened, **options)
    with pytest.raises(ValueError, match="decided_by is known when the request is decided"):
        outcome_difference(opened, between="decided_by")
    once = refund_time_difference(opened)  # what is compared is no group
    pd.testing.assert_frame_equal(refund_time_difference(opened, by=["method"]), once)
    with pytest.raises(ValueError, match="by must not hold value"):
        refund_time_difference(opened, by=["value"])
    with pytest.raises(ValueError, match="at least one column"):
        refund_drivers(opened, factors=[])
    with pytest.raises(MissingData, match="colour"):
        refund_drivers(opened, factors=["colour"])


@pytest.fixture(scope="module")
def market():
    frames = random_market(8, 500)
    return open_tables(frames, as_of=AS_OF), {name: f.to_pandas() for name, f in frames.items()}


def test_both_means_are_those_of_refund_mean(market):
    opened, _ = market
    table = refund_time_difference(opened, by=["category"], horizon_days=20)
    means = refund_mean(opened, by=["category", "method"], horizon_days=20)
    means = means.set_index(["category", "method"])
    assert len(table) > 10
    for _, row in table.iterrows():
        own, other = (means.loc[(row.category, x)] for x in (row.value, row.baseline))
        assert row.mean_days == pytest.approx(own.estimate, nan_ok=True)
        assert row.baseline_mean_days == pytest.approx(other.estimate, nan_ok=True)
        assert row.estimate == pytest.approx(own.estimate - other.estimate, nan_ok=True)
        assert (row.n, row.n_baseline) == (own.n, other.n)
    known = table.p_value.dropna()
    np.testing.assert_allclose(table.q_value.dropna(), stats.q_values(known.to_numpy()))


def refunds_by_row(frames, horizon_days=30):
    """Refund legs with hours waited and whether credited, in pandas."""
    rows = frames["refunds"].merge(
        frames["requests"][["request_id", "decided_at"]], on="request_id", how="left"
    )
    orders = frames["orders"][["order_id", "seller_id", "ended_at", "category"]]
    rows = rows.merge(orders, on="order_id")
    rows = rows.merge(frames["sellers"][["seller_id", "size_tier"]], on="seller_id", how="left")
    due = rows.decided_at.fillna(rows.ended_at)
    hours = np.ceil((rows.credited_at.fillna(AS_OF) - due).dt.total_seconds() / 3600)
    died = (rows.credited_at.notna() & (hours <= horizon_days * 24)).astype(int)
    rows = rows.assign(hours=np.minimum(hours, horizon_days * 24 + 1), died=died)[due.notna()]
    lone = rows.seller_id.isna()
    cluster = rows.seller_id.where(~lone, 1000 + np.arange(len(rows))).astype(int)
    return rows.assign(cluster=cluster)


def test_the_log_rank_test_is_that_of_the_rows(market):
    opened, frames = market
    rows = refunds_by_row(frames)
    group = pd.factorize(rows.method, sort=True)[0]
    test = stats.log_rank(group, rows.hours, rows.died, 1 - rows.died, cluster=rows.cluster)
    table = refund_time_difference(opened)
    assert rows.seller_id.isna().sum() > 20
    np.testing.assert_allclose(table.logrank_p_value, test.p_value, rtol=1e-9)


# outcome_difference


def test_outcomes_are_compared_between_values(tables):
    """By card 2 of 3 are approved, by wallet 1 of 3; one by wallet is still open after 9 hours."""
    opened = tables(
        as_of="2026-03-01 09:00",
        orders="order_id | payment_method\n"
        + "\n".join(f"{i} | {'card' if i < 4 else 'wallet'}" for i in range(1, 7)),
        requests="""
            order_id | requested_at | decided_at       | outcome
            1        | 2026-03-01   | 2026-03-01 02:00 | approved_by_seller
            2        | 2026-03-01   | 2026-03-01 03:00 | approved_by_seller
            3        | 2026-03-01   | 2026-03-01 04:00 | rejected_by_seller
            4        | 2026-03-01   | 2026-03-01 02:00 | approved_by_seller
            5        | 2026-03-01   | 2026-03-01 05:00 | rejected_by_seller
            6        | 2026-03-01   |                  | pending
        """,
    )
    table = outcome_difference(opened, horizon_hours=8)
    assert table.outcome.tolist() == ["approved_by_seller"] * 2 + ["rejected_by_seller"] * 2
    assert table.value.tolist() == ["card", "wallet"] * 2
    np.testing.assert_allclose(table.estimate, [2 / 3, 1 / 3, 1 / 3, 1 / 3])
    assert table.n.tolist() == [3] * 4
    assert table.n_events.tolist() == [2, 1, 1, 1]
    assert (table.horizon_hours == 8).all()
    ends = np.array([[1, 0], [1, 0], [0, 1], [1, 0], [0, 1], [0, 0]])
    minutes = np.array([2, 3, 4, 2, 5, 9]) * 60
    group = [0, 0, 0, 1, 1, 1]
    test = stats.gray_test(group, minutes, ends, 1 - ends.sum(axis=1), cluster=np.arange(6))
    assert table.p_value.tolist() == pytest.approx(list(np.repeat(test.p_value, 2)))
    later = outcome_difference(
        opened, horizon_hours=20
    )  # all by card have ended, one by wallet not
    assert np.isnan(later.estimate).tolist() == [False, True] * 2
    assert later.estimate[0] == pytest.approx(2 / 3)


def test_shares_are_those_of_the_curve_at_the_horizon(market):
    opened, _ = market
    options = {"horizon_hours": 20, "by": ["order_state"]}
    table = outcome_difference(opened, **options)
    curve = outcome_curve(opened, by=["order_state", "payment_method"], horizon_hours=20)
    curve = curve[curve.time_hours == 20].set_index(["order_state", "payment_method", "outcome"])
    assert len(table) > 30
    for _, row in table.iterrows():
        same = curve.loc[(row.order_state, row.value, row.outcome)]
        for name in ("estimate", "ci_low", "ci_high", "n", "n_events", "n_censored", "n_clusters"):
            assert row[name] == pytest.approx(same[name], rel=1e-9), name
    tests = table.groupby(["order_state", "outcome"]).agg({"p_value": "nunique", "n_events": "sum"})
    assert (tests.p_value <= 1).all() and (tests.n_events > 0).all()
    once = table.drop_duplicates(["order_state", "outcome"])
    np.testing.assert_allclose(once.q_value, stats.q_values(once.p_value.to_numpy()))


# refund_drivers


def from_cells():
    """The dataset whose refunds are counted in refund_cells.csv."""
    cells = pd.read_csv(REFERENCE / "refund_cells.csv")
    rows = cells.loc[np.repeat(cells.index, cells.n)].reset_index(drop=True)
    as_of = pd.Timestamp("2026-06-30", tz="UTC")
    made = {name: [] for name in TABLES}
    for seller, own in cells.groupby("seller"):
        made["sellers"].append(
            {"seller_id": seller, "seller_country": "CN", "size_tier": own.size_tier.iloc[0]}
        )
    for i, row in rows.iterrows():
        due = as_of - row.hours * HOUR - (40 * 24 * HOUR if row.credited else 0 * HOUR)
        order = {"order_id": i, "buyer_id": i, "seller_id": row.seller, "placed_at": due - HOUR}
        order |= {"ended_at": due, "end_code": "cancelled", "payment_method": "card"}
        order |= {"category": "toys", "buyer_country": row.buyer_country, "currency": "EUR"}
        made["orders"].append(order | {"amount_minor": 100, "n_items": 1})
        credited = due + row.hours * HOUR if row.credited else None
        refund = {"refund_id": i, "order_id": i, "request_id": None, "method": row.method}
        refund |= {"currency": "EUR", "amount_minor": 100, "credited_at": credited}
        made["refunds"].append(refund | {"n_failures": 0})
    frames = {name: arrow_rows(name, made[name]) for name in TABLES}
    return open_tables(frames, as_of=as_of)


def test_ratios_are_those_of_r_on_the_same_counts():
    table = refund_drivers(from_cells())
    expected = pd.read_csv(REFERENCE / "refund_drivers.csv").set_index(["factor", "level"])
    own = table[table.status != "reference"].set_index(["factor", "level"])
    assert set(own.index) == set(expected.index) and (own.status == "estimated").all()
    expected = expected.loc[own.index]
    np.testing.assert_allclose(np.log(own.estimate), expected.coef, rtol=1e-8, atol=1e-10)
    moves = pd.read_csv(REFERENCE / "refund_dfbeta.csv")  # what each seller adds to the ratios
    columns = moves[[f"{factor}.{level}".replace(" ", ".") for factor, level in own.index]]
    plain = np.sqrt((columns**2).sum(axis=0)).to_numpy()
    np.testing.assert_allclose(plain, expected.robust_se, rtol=1e-9)
    reach = np.log(own.ci_high / own.ci_low) / 2 / plain  # few sellers: more than R's 1.96
    assert ((reach > 1.96) & (reach < 3)).all(), reach
    references = table[table.status == "reference"]
    assert references.level.tolist() == references.reference.tolist()
    assert (references.estimate == 1).all() and references.p_value.isna().all()
    assert len(set(table.groupby("factor").n.sum())) == 1  # all refunds have a level of each


def test_the_fit_is_that_of_the_rows_and_gaps_are_a_level(market):
    opened, frames = market
    rows = refunds_by_row(frames)
    table = refund_drivers(opened, factors=["method", "size_tier"])
    x, names = [], []
    for factor in ("method", "size_tier"):
        values = rows[factor].fillna("not recorded")
        reference = table[table.factor == factor].reference.iloc[0]
        assert reference == values[values != "not recorded"].value_counts().idxmax()
        for level in table[(table.factor == factor) & (table.level != reference)].level:
            x.append((values == level).to_numpy(float))
            names.append((factor, level))
    assert ("size_tier", "not recorded") in names
    fit = stats.cox(
        np.stack(x, axis=1), np.arange(len(rows)), rows.hours.to_numpy(), rows.died, 1 - rows.died,
        cluster=rows.cluster.to_numpy(),
    )  # fmt: skip
    found = table.set_index(["factor", "level"]).loc[names]
    np.testing.assert_allclose(np.log(found.estimate), fit.coefficient, rtol=1e-7, atol=1e-9)
    sellers = rows.groupby(rows.method).cluster.nunique()
    shown = table[table.factor == "method"].set_index("level").n_clusters
    assert shown.to_dict() == sellers.to_dict()


def test_a_level_without_a_credit_has_no_finite_ratio_and_says_so(tables):
    lines = [f"2026-06-{10 + i} | {'card' if i % 2 else 'wallet'}" for i in range(8)]
    lines += [" | bank_transfer"] * 3
    opened = tables(refunds="credited_at | method\n" + "\n".join(lines))
    table = refund_drivers(opened, factors=["method"]).set_index("level")
    assert table.loc["bank_transfer", "status"] == "infinite"
    assert np.isnan(table.loc["bank_transfer", "estimate"])
    assert (table.loc["bank_transfer", "n"], table.loc["bank_transfer", "n_events"]) == (3, 0)
    assert sorted(table.status) == ["estimated", "infinite", "reference"]


@pytest.mark.parametrize("without", [None, "seller_id"])
def test_a_weight_is_so_many_orders_and_none_is_no_order(without):
    """Orders of weight 0 are as if they were not there, and all weights doubled change no mean."""
    frames = random_market(4, 200, weighted=True)
    orders = frames["orders"] if without is None else frames["orders"].drop_columns([without])
    weight = orders.column("weight").to_pandas().fillna(1.0)
    double = orders.set_column(
        orders.column_names.index("weight"), "weight", [(weight * 2).tolist()]
    )
    kept = set(np.array(orders.column("order_id").to_pylist())[weight > 0])
    inside = [order in kept for order in frames["refunds"].column("order_id").to_pylist()]
    fewer = frames["refunds"].filter(inside)

    def tables(rows, refunds):
        return open_tables({**frames, "orders": rows, "refunds": refunds}, as_of=AS_OF)

    once, twice = (tables(rows, frames["refunds"]) for rows in (orders, double))
    some = tables(orders, fewer)
    assert 0 < fewer.num_rows < frames["refunds"].num_rows
    for measure in (refund_time_difference, refund_drivers):
        options = {} if measure is refund_time_difference else {"factors": ["method"]}
        found, doubled, less = (measure(opened, **options) for opened in (once, twice, some))
        np.testing.assert_allclose(doubled.estimate, found.estimate, rtol=1e-7)
        np.testing.assert_allclose(doubled.n, 2 * found.n)
        np.testing.assert_allclose(less.estimate, found.estimate, rtol=1e-7)
        if without is None:
            np.testing.assert_allclose(doubled.ci_low, found.ci_low, rtol=1e-6)
            np.testing.assert_allclose(doubled.p_value, found.p_value, rtol=1e-5)
