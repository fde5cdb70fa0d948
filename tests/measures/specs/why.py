"""Why not: overlapping rules, what closes the window, policy and practice."""

from __future__ import annotations

from tests.measures.specs.spec import DECIDED, SHARE, Spec

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
}
