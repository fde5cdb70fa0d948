"""Groups beside each other, and success over time."""

from __future__ import annotations

from tests.measures.specs.spec import DECIDED, SHARE, Spec

SPECS = {
    "success_rate_difference": Spec(
        [
            "payment_method",
            "baseline",
            *SHARE,
            "rate",
            "baseline_rate",
            "ratio",
            "ratio_low",
            "ratio_high",
            "p_value",
            "q_value",
            "n",
            "n_events",
            "n_pending",
            "n_baseline",
            "n_events_baseline",
            "n_clusters",
            "n_shared_clusters",
            "interval",
        ],
        [
            {},
            {"by": ["category"], "between": "is_cancellable_goods", "baseline": False},
            {"by": ["order_state"], "between": "seller_id", "horizon_hours": 100},
        ],
        DECIDED,
        frozenset({"payment_method", "baseline"}),
        (-1, 1),
    ),
    "standardised_success_rate": Spec(
        [
            *SHARE,
            "crude_rate",
            "crude_low",
            "crude_high",
            "coverage_share",
            "n_strata",
            "n",
            "n_events",
            "n_pending",
            "n_clusters",
            "interval",
        ],
        [
            {"by": ["size_tier"]},
            {"by": ["category"], "adjust_for": ["is_cancellable_goods", "payment_method"]},
        ],
        DECIDED,
    ),
    "success_rate_trend": Spec(
        [
            "cohort_at",
            *SHARE,
            "centre",
            "control_low",
            "control_high",
            "signal",
            "is_nowcast",
            "n",
            "n_events",
            "n_pending",
            "n_clusters",
            "interval",
        ],
        [
            {},
            {"by": ["size_tier"], "period": "day", "horizon_hours": 100},
            {"by": ["seller_id"], "period": "month", "requested_by": None},
        ],
        DECIDED,
        frozenset({"signal"}),
    ),
}
