"""The drawn tables of the tests are themselves legal, and say what was drawn."""

from __future__ import annotations

from analysis.sources import check, collect


def test_what_is_not_drawn_is_filled_in_legally(tables):
    opened = tables(
        requests="""
            requested_at | outcome
            2026-03-01   | approved_by_seller
            2026-03-02   | rejected_by_seller
            2026-03-03   | pending
        """,
        refunds="""
            started_at | credited_at
            2026-03-02 | 2026-03-05
        """,
        blockers="""
            request_id
            2
        """,
        steps="""
            session_id | order_id
            1          | 1
            1          | 1
        """,
    )
    found = check(opened)
    assert found[found.n_broken > 0].empty
    assert dict(found.groupby("table").n_rows.first()) == {
        "blockers": 1,
        "orders": 3,
        "refunds": 1,
        "requests": 3,
        "sellers": 3,
        "steps": 2,
    }
    orders = collect(opened.orders.order_by("order_id"))
    assert orders.end_code.fillna("").tolist() == ["cancelled_by_request", "", ""]
    assert (orders.paid_at == orders.placed_at).all()
    assert opened.requests.count().execute() == 3
    assert "weight" not in opened.orders.columns
