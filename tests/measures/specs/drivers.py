"""What goes with success, and why its rate changed."""

from __future__ import annotations

from tests.measures.specs.spec import DECIDED, SHARE, Spec

SPECS = {
    "success_drivers": Spec(
        [
            "factor",
            "level",
            "reference",
            *SHARE,
            "odds_ratio",
            "odds_ratio_low",
            "odds_ratio_high",
            "p_value",
            "q_value",
            "crude_difference",
            "n",
            "n_events",
            "n_pending",
            "n_clusters",
            "known",
            "interval",
        ],
        [
            {},
            {
                "factors": ["seller_age", "amount_minor", "is_cancellable_goods", "requested_at"],
                "requested_by": None,
                "horizon_hours": 100,
                "most_levels": 3,
            },
        ],
        DECIDED,
        frozenset({"factor", "level", "reference", "known"}),
        bounds=(-1, 1),
    ),
    "explain_change": Spec(
        [
            "part",
            "split_at",
            *SHARE,
            "mix_effect",
            "mix_low",
            "mix_high",
            "rate_effect",
            "rate_low",
            "rate_high",
            "p_value",
            "q_value",
            "rate_before",
            "rate_after",
            "share_before",
            "share_after",
            "n_before",
            "n_after",
            "n",
            "n_pending",
            "n_clusters",
            "interval",
        ],
        [
            {},
            {"by": ["size_tier", "is_cancellable_goods"], "split_at": "2026-05-20"},
            {"by": [], "requested_by": None, "horizon_hours": 40},
        ],
        DECIDED,
        frozenset({"part"}),
        bounds=(-1, 1),
    ),
}
