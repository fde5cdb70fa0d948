"""What each rule has a part in when several stand in the way of one request."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.measures.brute import grouped
from tests.measures.random_rows import AS_OF, random_market
from tests.measures.test_properties import renamed, together

from analysis.contract import MissingData, codes
from analysis.measures import blocker_overlap, blocker_shares
from analysis.sources import open_tables

DAY = 24

MET = {
    "as_of": "2026-03-31",
    "requests": """
        request_id | requested_at | decided_at | outcome            | blocker
        1          | 2026-03-01   | 2026-03-01 | blocked            | already_shipped
        2          | 2026-03-01   | 2026-03-01 | blocked            | already_shipped
        3          | 2026-03-01   | 2026-03-01 | blocked            | delivered_or_completed
        4          | 2026-03-01   | 2026-03-04 | rejected_by_seller | seller_rejected
        5          | 2026-03-01   | 2026-03-02 | approved_by_seller |
        6          | 2026-03-01   | 2026-03-29 | rejected_by_seller | seller_rejected
        7          | 2026-03-29   | 2026-03-29 | blocked            | already_shipped
        8          | 2026-03-01   |            | pending            |
    """,
    "blockers": """
        request_id | rank | blocker
        1          | 1    | already_shipped
        1          | 2    | non_cancellable_goods
        2          | 1    | already_shipped
        2          | 1    | already_shipped
        3          | 1    | delivered_or_completed
        3          | 2    | already_shipped
        3          | 3    | non_cancellable_goods
        7          | 1    | already_shipped
    """,
}
COUNTS = ["blocker", "stage", "n", "n_first", "n_only", "n_any", "n_pending"]


def test_a_request_is_split_evenly_among_the_rules_that_stood_in_its_way(tables):
    table = blocker_overlap(tables(**MET), horizon_hours=10 * DAY)
    assert table[COUNTS].to_numpy().tolist() == [  # 7 of 8 are mature; 6 was decided too late
        ["delivered_or_completed", "at_submit", 7, 1, 0, 1, 1],
        ["already_shipped", "at_submit", 7, 2, 1, 3, 1],  # twice in the table is once
        ["non_cancellable_goods", "at_submit", 7, 0, 0, 2, 1],
        ["seller_rejected", "decided_later", 7, 1, 1, 1, 1],  # its own, though not listed
    ]
    shares = [1 / 3, 1 / 2 + 1 + 1 / 3, 1 / 2 + 1 / 3, 1]
    assert (table.estimate * 7).tolist() == pytest.approx(shares, abs=1e-12)
    for name in ("first", "only", "any"):
        assert (table[f"{name}_share"] * 7).tolist() == pytest.approx(table[f"n_{name}"].tolist())


def test_even_and_first_shares_add_up_to_the_share_that_was_stopped(tables):
    opened = tables(**MET)
    for horizon in (10 * DAY, 29 * DAY):
        table = blocker_overlap(opened, horizon_hours=horizon)
        first = blocker_shares(opened, horizon_hours=horizon).set_index("blocker").estimate
        assert table.estimate.sum() == pytest.approx(first.sum(), abs=1e-15)
        own = table.set_index("blocker").first_share
        np.testing.assert_allclose(own.reindex(first.index), first, rtol=1e-15)


def test_a_success_was_not_stopped_whatever_is_listed(tables):
    opened = tables(
        requests="request_id | outcome \n 1 | approved_by_seller \n 2 | blocked",
        blockers="request_id | rank | blocker \n 1 | 1 | order_frozen \n 2 | 1 | already_shipped",
    )
    assert blocker_overlap(opened).blocker.tolist() == ["already_shipped"]


def test_without_a_blocker_of_its_own_precedence_names_the_first(tables):
    rows = "request_id | rank | blocker \n 1 | 2 | non_cancellable_goods \n 1 | 1 | order_frozen"
    opened = tables(
        requests="request_id | outcome \n 1 | blocked",
        blockers=rows,
        without=("requests.blocker",),
    )
    table = blocker_overlap(opened)
    assert table.blocker.tolist() == ["order_frozen", "non_cancellable_goods"]
    assert (table.n_first.tolist(), table.estimate.tolist()) == ([1, 0], [0.5, 0.5])


def test_requests_count_for_their_weight(tables):
    orders = "order_id | weight \n" + "\n".join(f"{i} | {0.5 * i}" for i in range(1, 9))
    table = blocker_overlap(tables(**MET, orders=orders), horizon_hours=10 * DAY)
    shipped = table[table.blocker == "already_shipped"].iloc[0]
    # orders 1, 2, 3 weigh 0.5, 1 and 1.5; the mature ones 0.5 + 1 + 1.5 + 2 + 2.5 + 3 + 4
    assert (shipped.n, shipped.n_any, shipped.n_pending) == (14.5, 3, 3.5)
    assert shipped.estimate == pytest.approx((0.25 + 1 + 0.5) / 14.5, abs=1e-15)


def test_every_rule_can_overlap_with_every_other(tables):
    rows = "\n".join(f"1 | {i} | {word}" for i, word in enumerate(codes.BLOCKERS, start=1))
    opened = tables(
        requests="request_id | outcome | blocker \n 1 | blocked | already_cancelled",
        blockers=f"request_id | rank | blocker\n{rows}",
    )
    table = blocker_overlap(opened)
    assert table.blocker.tolist() == list(codes.BLOCKERS)
    assert table.estimate.tolist() == pytest.approx([1 / 21] * 21, abs=1e-15)
    assert table.n_first.tolist() == [1] + [0] * 20


def test_overlaps_need_their_table_and_cannot_be_grouped_by_what_they_count(tables):
    with pytest.raises(MissingData, match="table blockers .*needed by blocker_overlap"):
        blocker_overlap(tables(requests="request_id\n1"))
    with pytest.raises(ValueError, match="by must not hold blocker"):
        blocker_overlap(tables(**MET), by=["blocker"])
    nobody = tables(requests="outcome\npending", blockers="request_id")
    assert len(blocker_overlap(nobody)) == 0


# row by row


def by_rows(data, horizon):
    """A request's parts, one row at a time."""
    listed = {}
    for row in data.rows["blockers"]:
        listed.setdefault(row["request_id"], set()).add(row["blocker"])
    for row in data.requests(None):
        if data.age(row["requested_at"]) < horizon:
            yield {**row, "counts": False, "met": set()}
            continue
        took = row["decided_at"] and (row["decided_at"] - row["requested_at"]).total_seconds()
        stopped = took is not None and took <= horizon and row["outcome"] not in codes.SUCCESS
        met = listed.get(row["request_id"], set()) | ({row["blocker"]} - {None})
        yield {**row, "counts": True, "met": met if stopped else set()}


@pytest.mark.parametrize("by", [[], ["size_tier"], ["order_state", "is_cancellable_goods"]])
@pytest.mark.parametrize("fixture", ["plain", "weighted"])
def test_the_same_row_by_row(fixture, by, request):
    opened, data = request.getfixturevalue(fixture)
    found = blocker_overlap(opened, by=by, horizon_hours=500, requested_by=None)
    expected = []
    for group, rows in grouped(by_rows(data, 500 * 3600), by).items():
        weighed = [(row, 1 if row.get("weight") is None else row["weight"]) for row in rows]
        n = sum(w for row, w in weighed if row["counts"])
        for rule in codes.BLOCKERS:
            met = [(row, w) for row, w in weighed if rule in row["met"]]
            first = sum(
                w
                for row, w in met
                if rule == (row["blocker"] or min(row["met"], key=codes.BLOCKERS.index))
            )
            even = sum(w / len(row["met"]) for row, w in met)
            only = sum(w for row, w in met if len(row["met"]) == 1)
            whole = sum(w for _, w in met)
            young = sum(w for row, w in weighed if not row["counts"])
            share = even / n if n else np.nan
            expected.append((*group, rule, share, n, first, only, whole, young))
    names = [*by, "blocker", "estimate", "n", "n_first", "n_only", "n_any", "n_pending"]
    expected = pd.DataFrame(expected, columns=names)
    occurs = expected.groupby("blocker").n_any.transform("sum") > 0
    expected = expected[occurs].reset_index(drop=True)
    pd.testing.assert_frame_equal(found[names], expected, check_dtype=False, rtol=1e-12, atol=1e-12)


def test_another_group_and_the_order_of_rows_change_nothing():
    frames = random_market(8, 120, weighted=True)
    other = renamed(random_market(9, 60, weighted=True), ids=10_000, category="others")
    alone = blocker_overlap(open_tables(frames, as_of=AS_OF), by=["category"])
    shuffled = {
        name: frame.take(np.random.default_rng(1).permutation(frame.num_rows))
        for name, frame in together(frames, other).items()
    }
    beside = blocker_overlap(open_tables(shuffled, as_of=AS_OF), by=["category"])
    beside = beside[(beside.category != "others") & beside.blocker.isin(alone.blocker)]
    pd.testing.assert_frame_equal(beside.reset_index(drop=True), alone, rtol=1e-12, atol=1e-12)


def test_limits_allow_for_sellers_and_are_named_so(tables):
    plain = open_tables(random_market(8, 300), as_of=AS_OF)
    table = blocker_overlap(plain, by=["seller_country"])
    assert set(table.interval) == {
        "Wilson of parts, clustered by seller",
        "Wilson of parts, too few to cluster by seller",
    }
    nobody = blocker_overlap(tables(**MET, without=("sellers", "orders.seller_id")))
    assert set(nobody.interval) == {"Wilson of parts"}
    assert (nobody.n_clusters == nobody.n).all()
