"""Refunds seen once a day, stage by stage, and those that never come."""

from __future__ import annotations

from tests.measures.specs.spec import REFUNDS, SHARE, Spec

WAY = REFUNDS | {"refunds.request_id", "refunds.started_at", "requests.decided_at"}
SPECS = {
    "refund_curve_from_snapshots": Spec(
        [
            "time_days",
            *SHARE,
            "at_least",
            "at_most",
            "n_at_risk",
            "n_events",
            "n_censored",
            "n",
            "interval",
        ],
        [{"by": ["method"]}, {"by": ["seller_id"], "snapshot_hours": 6, "horizon_days": 5}],
        REFUNDS,
        bounds=None,  # the estimate is missing between bounds
    ),
    "stage_durations": Spec(
        [
            "stage",
            "horizon_days",
            *SHARE,
            "median_days",
            "share_of_total",
            "n",
            "n_events",
            "n_censored",
            "n_pending",
            "n_clusters",
            "interval",
        ],
        [{"by": ["size_tier"]}, {"horizon_days": 5}],
        WAY,
        frozenset({"stage"}),
        bounds=None,
    ),
    "never_refunded_share": Spec(
        [
            *SHARE,
            "at_most",
            "follow_up",
            "follow_up_p",
            "model",
            "model_estimate",
            "model_low",
            "model_high",
            "n",
            "n_events",
            "n_censored",
            "n_late",
            "n_clusters",
            "interval",
        ],
        [{"by": ["method"]}, {"horizon_days": 20}],
        REFUNDS,
        frozenset({"follow_up", "model"}),
    ),
}
