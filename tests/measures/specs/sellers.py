"""Sellers."""

from __future__ import annotations

from tests.measures.specs.spec import DECIDED, SHARE, Spec

SPECS = {
    "seller_scorecard": Spec(
        [
            "seller_id",
            *SHARE,
            "raw_rate",
            "n",
            "n_events",
            "n_pending",
            "response_median_hours",
            "refund_median_days",
            "n_refunds",
            "interval",
        ],
        [{}, {"horizon_hours": 24, "top": 3}],
        DECIDED | {"orders.seller_id"},
    ),
}
