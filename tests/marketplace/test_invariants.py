"""Same seed, same bytes; any slice is the slice of the whole; a policy changes no luck."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.marketplace.worlds import frames

from analysis.contract import TABLES
from analysis.marketplace import life as life_module
from analysis.marketplace import load_policy, make_block, make_market, write_market
from analysis.marketplace.market import build_block
from analysis.marketplace.plan import make_plan

PARTS = 4_000  # ordinary orders per block here


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_the_bytes_do_not_depend_on_the_number_of_workers(tmp_path):
    for workers in (1, 2):
        write_market(tmp_path / str(workers), 10_000, workers=workers, block_orders=PARTS)
    alone, shared = digests(tmp_path / "1"), digests(tmp_path / "2")
    assert alone == shared
    assert len([name for name in alone if name.startswith("orders/")]) == 3


def plan_of(n_orders=10_000, block_orders=10_000, seed=7):
    return make_plan(
        n_orders, seed=seed, policy="aliexpress", world="aliexpress", block_orders=block_orders
    )


def test_the_rows_do_not_depend_on_how_many_orders_are_made_at_a_time():
    plan = plan_of()
    whole = build_block(plan, 0, chunk=10_000)
    pieces = build_block(plan, 0, chunk=777)
    for made, again in ((whole.tables, pieces.tables), (whole.truth, pieces.truth)):
        assert made.keys() == again.keys()
        for name in made:
            assert made[name].equals(again[name]), name
    for name, total in whole.sums.items():
        assert np.allclose(total, pieces.sums[name], rtol=1e-12), name
    assert np.allclose(whole.seller_sums, pieces.seller_sums)


def test_a_block_alone_is_the_block_of_the_whole(tmp_path):
    write_market(tmp_path / "market", 10_000, block_orders=1_000)
    block = make_block(7, 10_000, block_orders=1_000)
    assert set(block) == set(TABLES) - {"sellers"}
    for name, table in block.items():
        part = pq.read_table(tmp_path / "market" / name / "part-00007.parquet")
        assert table.num_rows > 0
        assert part.to_pylist() == table.to_pylist(), name


def test_the_rows_do_not_depend_on_the_size_of_blocks():
    whole = make_market(10_000)
    blocks = [make_block(i, 10_000, block_orders=3_000) for i in range(4)]
    for name, key in (("orders", "order_id"), ("requests", "request_id"), ("steps", None)):
        parts = frames({name: pa.concat_tables([block[name] for block in blocks])})[name]
        keys = [key] if key else ["session_id", "occurred_at", "step"]
        expected = frames({name: whole[name]})[name].sort_values(keys, ignore_index=True)
        assert parts.sort_values(keys, ignore_index=True).equals(expected), name


def test_a_block_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="index must be from 0 to 3, got 4"):
        make_block(4, 10_000, block_orders=3_000)


AS_PLACED = ["buyer_id", "seller_id", "placed_at", "payment_method", "category", "amount_minor"]


@pytest.mark.parametrize(
    "change",
    [
        {"answer_deadline_hours": 12},
        {"silence": "not_cancelled"},
        {"silence": "waits", "review_hours": 0},
        {"packed_blocks": True, "free_window_hours": 6, "max_requests": 1},
    ],
    ids=str,
)
def test_another_policy_meets_the_same_people_with_the_same_luck(market, change):
    policy = dataclasses.replace(load_policy("aliexpress"), **change)
    other = frames(make_market(60_000, policy=policy))
    before = market["orders"].set_index("order_id")
    after = other["orders"].set_index("order_id")
    own = before[before.replaces_order_id.isna()]
    assert own[AS_PLACED].equals(after[after.replaces_order_id.isna()][AS_PLACED])
    # a request that both worlds have is made by the same buyer for the same reason, and an
    # order that nobody asked to cancel comes to the same end
    requests = market["requests"].merge(other["requests"], on="request_id")
    assert (requests.reason_x == requests.reason_y).all() and len(requests) > 3_000
    if "review_hours" not in change:
        asked = set(market["requests"].order_id) | set(other["requests"].order_id)
        calm = own.index.difference(sorted(asked))
        assert before.loc[calm].equals(after.loc[calm])
        assert not market["requests"].outcome.equals(other["requests"].outcome)


def test_a_shorter_deadline_changes_only_requests_that_were_still_open_then(market):
    policy = dataclasses.replace(load_policy("aliexpress"), answer_deadline_hours=12)
    other = frames(make_market(60_000, policy=policy))["requests"]
    both = market["requests"].merge(other, on="request_id")
    withdrawn = (both[["outcome_x", "outcome_y"]] == "withdrawn_by_buyer").any(axis=1)
    ordinary = both.order_id_x % 2 == 0  # replacements are placed when the policy lets them
    first = both[ordinary & (both.request_id % 4 == 1) & ~withdrawn]
    waited = (first.decided_at_x - first.requested_at_x) / pd.Timedelta(hours=1)
    quick = first[(waited <= 12) & (first.outcome_x != "pending")]
    assert (quick.outcome_x == quick.outcome_y).all() and len(quick) > 1_000
    slow = first[(waited > 12) & first.order_state_x.isin(["awaiting_shipment", "packed"])]
    assert (slow.outcome_y == "auto_approved_timeout").mean() > 0.95 and len(slow) > 100


def test_a_new_stream_changes_no_old_column(monkeypatch, market):
    place = life_module.place

    def with_new_column(plan, index):
        placed = place(plan, index)
        plan.draws.uniform("orders.a_new_column", placed.id)
        plan.draws.normal("orders.another", placed.id)
        return placed

    monkeypatch.setattr(life_module, "place", with_new_column)
    again = frames(make_market(60_000))
    for name, frame in market.items():
        assert frame.equals(again[name]), name


def test_another_seed_is_another_market(market):
    other = frames(make_market(60_000, seed=8))
    same = market["orders"].seller_id.iloc[:1000] == other["orders"].seller_id.iloc[:1000]
    assert same.mean() < 0.2


@pytest.mark.parametrize("n_orders", [1, 2, 3, 17])
def test_tiny_markets_are_whole(n_orders):
    made = make_market(n_orders)
    ordinary = made["orders"].to_pandas()
    assert list(made) == list(TABLES)
    assert ordinary.replaces_order_id.isna().sum() == n_orders


@pytest.mark.parametrize("n_orders", [0, -5, True])
def test_a_market_without_orders_is_refused(n_orders):
    with pytest.raises(ValueError, match="n_orders must be from 1"):
        make_market(n_orders)
