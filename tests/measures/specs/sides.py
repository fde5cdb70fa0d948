"""Comparisons: times, outcomes, what makes the money arrive sooner."""

from __future__ import annotations

from tests.measures.specs.spec import DECIDED, REFUNDS, SHARE, Spec

SPECS = {
    "refund_time_difference": Spec(
        [
            "compared",
            "value",
            "baseline",
            "horizon_days",
            *SHARE,
            "p_value",
            "q_value",
            "logrank_p_value",
            "mean_days",
            "baseline_mean_days",
            "n",
            "n_baseline",
            "n_events",
            "n_censored",
            "n_clusters",
            "interval",
        ],
        [
            {},
            {"between": "size_tier", "by": ["is_cancellable_goods"], "clock": "business"},
            {"between": "amount_minor", "horizon_days": 10},
        ],
        REFUNDS,
        frozenset({"compared", "value", "baseline"}),
        None,
    ),
    "outcome_difference": Spec(
        [
            "outcome",
            "compared",
            "value",
            "horizon_hours",
            *SHARE,
            "p_value",
            "q_value",
            "n",
            "n_events",
            "n_censored",
            "n_clusters",
            "interval",
        ],
        [{}, {"between": "size_tier", "by": ["category"], "horizon_hours": 20}],
        DECIDED,
        frozenset({"outcome", "compared", "value"}),
    ),
    "refund_drivers": Spec(
        [
            "factor",
            "level",
            "reference",
            *SHARE,
            "p_value",
            "q_value",
            "n",
            "n_events",
            "n_censored",
            "n_clusters",
            "status",
            "interval",
        ],
        [{}, {"factors": ["is_cancellable_goods", "method", "seller_id"], "clock": "business"}],
        REFUNDS | {"sellers", "orders.seller_id", "sellers.size_tier"},
        frozenset({"factor", "level", "reference", "status"}),
        None,
    ),
}
