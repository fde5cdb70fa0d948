"""Sellers."""

from __future__ import annotations

from tests.measures.specs.spec import DECIDED, SHARE, Spec

SPECS = {
    "seller_scorecard": Spec(
        [
            "seller_id",
            *SHARE,
            "raw_rate",
            "expected_rate",
            "observed_expected",
            "adjusted_rate",
            "rank",
            "rank_low",
            "rank_high",
            "p_breach",
            "threshold",
            "n",
            "n_events",
            "n_pending",
            "response_median_hours",
            "refund_median_days",
            "n_refunds",
            "interval",
        ],
        [{}, {"horizon_hours": 24, "top": 3, "adjust_for": ["size_tier", "order_age"]}],
        DECIDED | {"orders.seller_id"},
    ),
    "seller_spread": Spec(
        [
            *SHARE,
            "mean_rate",
            "sd_rates",
            "rate_low",
            "rate_high",
            "luck_share",
            "p_value",
            "n",
            "n_events",
            "n_pending",
            "n_clusters",
            "interval",
        ],
        [{}, {"by": ["size_tier"], "horizon_hours": 24}],
        DECIDED | {"orders.seller_id"},
    ),
}
