"""Money."""

from __future__ import annotations

from tests.measures.specs.spec import REFUNDS, SHARE, Spec

SPECS = {
    "open_refund_liability": Spec(
        [
            "currency",
            "horizon_days",
            *SHARE,
            "open_minor",
            "unknown_minor",
            "n_open",
            "n",
            "interval",
        ],
        [{}, {"by": ["size_tier", "currency"], "horizon_days": [3, 400]}],
        REFUNDS,
        frozenset({"currency"}),
        bounds=None,
    ),
    "recovered_sales": Spec(
        [
            "currency",
            "horizon_days",
            *SHARE,
            "cancelled_minor",
            "recovered_minor",
            "n",
            "n_events",
            "n_pending",
            "n_clusters",
            "interval",
        ],
        [{"by": ["category"]}, {"horizon_days": 60}],
        frozenset(
            {"orders.paid_at", "orders.ended_at", "orders.end_code", "orders.replaces_order_id"}
        ),
        frozenset({"currency"}),
    ),
}
