"""Why not: overlapping rules, what closes the window, policy and practice."""

from __future__ import annotations

import dataclasses

from tests.measures.specs.spec import DECIDED, SHARE, Spec

from analysis.marketplace import load_policy

STRICT = dataclasses.replace(
    load_policy("aliexpress"),
    name="strict",
    silence="not_cancelled",
    cancel_in_review=True,
    packed_blocks=True,
    max_requests=1,
    free_window_hours=6,
    cancel_window_hours=60,
    answer_deadline_hours=12,
)
PAID = frozenset({"orders.paid_at"})
SPECS = {
    "blocker_overlap": Spec(
        [
            "blocker",
            "stage",
            *SHARE,
            "first_share",
            "only_share",
            "any_share",
            "n",
            "n_first",
            "n_only",
            "n_any",
            "n_pending",
            "n_clusters",
            "interval",
        ],
        [{}, {"by": ["size_tier", "order_state"], "horizon_hours": 40, "requested_by": None}],
        DECIDED | {"blockers"},
        frozenset({"blocker", "stage"}),
    ),
    "window_hazard": Spec(
        [
            "outcome",
            "from_hours",
            "to_hours",
            *SHARE,
            "n_at_risk",
            "n_events",
            "exposure_hours",
            "n",
            "n_clusters",
            "interval",
        ],
        [
            {"horizon_hours": 100, "step_hours": 7},
            {"by": ["category"], "closed_by": ("packed_at", "shipped_at")},
        ],
        PAID | {"orders.ended_at", "orders.end_code", "orders.shipped_at"},
        frozenset({"outcome"}),
        bounds=(0, float("inf")),
    ),
    "policy_versus_practice": Spec(
        [
            "verdict",
            "practice",
            "is_breach",
            *SHARE,
            "n",
            "n_events",
            "n_pending",
            "n_clusters",
            "policy",
            "interval",
        ],
        [
            {},
            {"by": ["size_tier"], "policy": STRICT, "horizon_hours": 100},
            {"policy": dataclasses.replace(STRICT, silence="waits"), "by": ["reason"]},
        ],
        DECIDED | PAID | {"orders.ended_at", "orders.end_code", "orders.shipped_at"},
        frozenset({"verdict", "practice", "policy"}),
        given={"policy": "aliexpress"},
    ),
}
