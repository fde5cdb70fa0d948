"""Requests and orders: shares, races, blockers, the dialogue."""

from __future__ import annotations

from tests.measures.specs.spec import CLUSTERED, CURVE, DECIDED, SHARE, Spec

PAID = frozenset({"orders.paid_at"})
SPECS = {
    "cancellation_success_rate": Spec(
        CLUSTERED, [{}, {"by": ["is_cancellable_goods", "size_tier"]}], DECIDED
    ),
    "outcome_shares": Spec(
        ["outcome", *CLUSTERED],
        [{"by": ["seller_id"], "requested_by": None, "horizon_hours": 100}],
        DECIDED,
        frozenset({"outcome"}),
    ),
    "request_rate": Spec(CLUSTERED, [{}, {"by": ["end_code"], "horizon_hours": 48}], PAID),
    "order_end_shares": Spec(
        ["end_code", *SHARE, "n", "n_events", "n_clusters", "interval"],
        [{"by": ["opened_at"]}],
        frozenset({"orders.end_code"}),
        frozenset({"end_code"}),
    ),
    "outcome_curve": Spec(
        ["outcome", "time_hours", *CURVE],
        [{"by": ["size_tier"], "horizon_hours": 40}],
        DECIDED,
        frozenset({"outcome"}),
    ),
    "window_curve": Spec(
        ["outcome", "time_hours", *CURVE],
        [{"by": ["category"], "closed_by": ("packed_at", "shipped_at")}],
        PAID | {"orders.ended_at", "orders.end_code", "orders.shipped_at"},
        frozenset({"outcome"}),
    ),
    "response_curve": Spec(["time_hours", *CURVE], [{"by": ["order_state"]}], DECIDED),
    "blocker_shares": Spec(
        ["blocker", "stage", *CLUSTERED],
        [{"by": ["size_tier"]}],
        DECIDED | {"requests.blocker"},
        frozenset({"blocker", "stage"}),
    ),
    "success_by_order_age": Spec(
        ["order_age", "age_from_hours", "age_to_hours", *CLUSTERED],
        [{"by": ["replaces_order_id"]}, {"by": ["is_cancellable_goods"]}],
        DECIDED | PAID,
        frozenset({"order_age"}),
    ),
    "cancel_flow_funnel": Spec(
        [
            "step",
            *SHARE,
            "of_previous",
            "of_previous_low",
            "of_previous_high",
            *CLUSTERED[3:5],
            *CLUSTERED[6:],
        ],
        [{"by": ["size_tier"]}],
        frozenset({"steps"}),
        frozenset({"step"}),
    ),
}
