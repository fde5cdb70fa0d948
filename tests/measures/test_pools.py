"""Where sellers and buyers are very many, pools and samples of them say the same."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest
from tests.measures.random_rows import AS_OF, random_market
from tests.measures.specs import SPECS

from analysis.marketplace import make_market
from analysis.measures import (
    MEASURES,
    cancellation_success_rate,
    outcome_curve,
    outcome_difference,
    pools,
    refund_curve,
    request_rate,
    response_curve,
    spells,
    window_curve,
    window_hazard,
)
from analysis.sources import Size, open_tables

# what the spread between clusters goes into
OF_THE_SPREAD = ("_low", "_high", "at_most", "clusters", "interval", "p_value", "q_value")
OF_SELLERS = {"seller_scorecard", "seller_funnel", "seller_spread", "reason_gaming"}


@pytest.fixture
def pooled_at_once(monkeypatch):
    """Tables of counts may have 40 rows before sellers are pooled into 5."""
    monkeypatch.setattr(pools, "MOST_ROWS", 40)
    monkeypatch.setattr(pools, "FEWEST_POOLS", 5)


TEXTS = ["cancellation_success_rate", "window_curve", "request_rate", "open_refund_liability"]
CASES = [(name, False) for name in SPECS] + [(name, True) for name in TEXTS]


@pytest.fixture(scope="module")
def opened():
    """The same rows opened twice, for each kind of ids: to be pooled, and not."""
    frames = {text_ids: random_market(4, 200, text_ids=text_ids) for text_ids in (False, True)}
    return {ids: [open_tables(rows, as_of=AS_OF) for _ in range(2)] for ids, rows in frames.items()}


@pytest.mark.parametrize(("name", "text_ids"), CASES)
def test_pools_change_no_estimate_and_no_count(name, text_ids, opened, pooled_at_once, request):
    to_be_pooled, plain = opened[text_ids]
    options = SPECS[name].given | SPECS[name].calls[0]
    found = MEASURES[name](to_be_pooled, **options)
    request.getfixturevalue("monkeypatch").undo()
    expected = MEASURES[name](plain, **options)
    columns = [c for c in expected.columns if not c.endswith(OF_THE_SPREAD)]
    if name in OF_SELLERS:
        columns = list(expected.columns)
    pd.testing.assert_frame_equal(found[columns], expected[columns], rtol=1e-9)
    if {"ci_low", "ci_high"} <= set(found.columns):
        assert ((found.ci_low <= found.ci_high) | found.ci_low.isna() | found.ci_high.isna()).all()


def test_pools_are_what_limits_cluster_by(pooled_at_once):
    frames = random_market(4, 200)
    rate = cancellation_success_rate(open_tables(frames, as_of=AS_OF))
    without = sum(order is None for order in frames["orders"]["seller_id"].to_pylist())
    assert without > 0  # each of these is a cluster of its own
    curve = outcome_curve(open_tables(frames, as_of=AS_OF))
    for table in (rate, curve):
        assert table.n_clusters.iloc[0] <= 5 + without
        assert table.interval.str.contains("clustered by seller").all()


@pytest.mark.parametrize("text_ids", [False, True])
def test_pools_are_the_same_on_every_engine(text_ids, pooled_at_once, opened_elsewhere):
    frames = random_market(4, 200, text_ids=text_ids)
    opened = open_tables(frames, as_of=AS_OF), opened_elsewhere(frames, AS_OF)
    for measure in (cancellation_success_rate, refund_curve, request_rate):
        pd.testing.assert_frame_equal(*(measure(tables) for tables in opened), rtol=1e-12)


@pytest.mark.parametrize("step", [1, 2, 7, 10, 64, 1000, 86_400])
def test_no_usual_numbering_of_sellers_crowds_a_pool(step):
    frame = pd.DataFrame({"seller": np.arange(1000, 21_000) * step})
    table = ibis.memtable(frame)
    found = pools.pooled(table, "seller", Size(2 * pools.MOST_ROWS, 20_000), 1000)
    pool = found.to_pandas()["seller"]
    sizes = pool.value_counts()
    assert 900 < len(sizes) <= 1000
    assert sizes.max() <= 2 * 20_000 / len(sizes)


def test_few_rows_or_few_sellers_are_left_alone():
    table = ibis.table({"seller": "int64"}, name="t")
    for size in (Size(pools.MOST_ROWS, 10**6), Size(10**8, 9_000)):
        assert pools.pooled(table, "seller", size, 100) is table


@pytest.fixture(scope="module")
def market():
    """A synthetic market of a few hundred sellers."""
    return open_tables(make_market(60_000, seed=11), as_of="2026-06-30")


def test_a_sample_of_buyers_stands_for_all(market, monkeypatch):
    exact = request_rate(market)
    monkeypatch.setattr(pools, "SAMPLED_ORDERS", 12_000)  # of 60,000: one buyer in five
    found = request_rate(market)
    same = ["estimate", "n", "n_events", "n_pending", "n_clusters"]
    pd.testing.assert_frame_equal(found[same], exact[same])
    wide = (found.ci_high - found.ci_low) / (exact.ci_high - exact.ci_low)
    assert 0.85 < wide[0] < 1.15
    assert wide[0] != 1


@pytest.mark.parametrize("measure", [window_curve, outcome_curve, outcome_difference])
def test_quarters_of_an_hour_say_what_minutes_say(measure, market, monkeypatch):
    exact = measure(market)
    monkeypatch.setattr(spells, "MOST_IN_MINUTES", 1000)
    found = measure(market)
    assert not found.equals(exact)
    pd.testing.assert_series_equal(found.n_events, exact.n_events)
    for column in ("estimate", "ci_low", "ci_high"):
        pd.testing.assert_series_equal(found[column], exact[column], atol=2e-4, rtol=0)


def test_a_horizon_within_a_quarter_is_kept(market, monkeypatch):
    exact = window_curve(market, horizon_hours=0.4)
    monkeypatch.setattr(spells, "MOST_IN_MINUTES", 1000)
    pd.testing.assert_frame_equal(window_curve(market, horizon_hours=0.4), exact)


@pytest.mark.parametrize("options", [{}, {"by": ["seller_id"]}, {"horizon_hours": 100}])
def test_a_hazard_from_the_quarters_of_the_curve_is_exact(options, monkeypatch):
    frames = random_market(4, 300, weighted=True)
    exact = window_hazard(open_tables(frames, as_of=AS_OF), **options)
    monkeypatch.setattr(spells, "MOST_IN_MINUTES", 100)
    tables = open_tables(frames, as_of=AS_OF)
    curve = window_curve(tables, **options)
    monkeypatch.setattr("analysis.measures.spells.collect", None)  # all is counted already
    found = window_hazard(tables, **options)
    pd.testing.assert_frame_equal(found, exact, rtol=1e-12)
    assert len(curve) > 0 and found.n_events.sum() > 0


# sellers in the order of their ids, and the three pools into which they are dealt out
POOL_OF = {"a": "1", "c": "2", "d": "3", "f": "1", "h": "2", "i": "3", "m": "1"}
HOURS = [1, 4, 9, 2, 7, 3, 5, 8, 6, 2, 3, 1, 9, 4, 5, 7]
SELLERS = (list(POOL_OF) * 3)[: len(HOURS)]


def answered_by_sellers(tables, sellers):
    """Requests answered after some hours, and the sellers of their orders; one has none."""
    requests = [f"2026-03-01 00:00 | 2026-03-01 {hours:02}:00" for hours in [*HOURS, 6]]
    orders = [f"{i} | {seller}" for i, seller in enumerate([*sellers, ""], 1)]
    return tables(
        sellers="\n".join(["seller_id", *sorted(set(sellers))]),
        orders="\n".join(["order_id | seller_id", *orders]),
        requests="\n".join(["requested_at | decided_at", *requests]),
    )


@pytest.mark.spark
def test_a_pool_is_as_if_its_sellers_were_one(tables, monkeypatch):
    merged = [f"pool {POOL_OF[seller]}" for seller in SELLERS]
    expected = response_curve(answered_by_sellers(tables, merged))
    monkeypatch.setattr(pools, "MOST_ROWS", 1)
    monkeypatch.setattr(pools, "FEWEST_POOLS", 3)
    found = response_curve(answered_by_sellers(tables, SELLERS))
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12, atol=1e-12)
    assert set(found.n_clusters) == {4}  # three pools, and the request of no seller


def test_limits_of_pools_are_about_as_wide_as_those_of_sellers(monkeypatch):
    frames = make_market(60_000, seed=3)
    alone = refund_curve(open_tables(frames, as_of="2025-12-01"), horizon_days=20)
    monkeypatch.setattr(pools, "MOST_ROWS", 1)
    monkeypatch.setattr(pools, "FEWEST_POOLS", 60)  # of 240 sellers
    found = refund_curve(open_tables(frames, as_of="2025-12-01"), horizon_days=20)
    inner = alone.estimate.between(0.05, 0.95)
    width, wide = (table[inner].ci_high - table[inner].ci_low for table in (found, alone))
    assert inner.sum() >= 10 and (width / wide).between(0.7, 1.4).all()
    assert 40 < found.n_clusters.iloc[0] <= 60 < alone.n_clusters.iloc[0]
