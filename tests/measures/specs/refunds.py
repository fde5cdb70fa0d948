"""Refunds: how long until the money is back."""

from __future__ import annotations

from tests.measures.specs.spec import CURVE, REFUNDS, WAIT, Spec

SPECS = {
    "refund_curve": Spec(
        ["time_days", *CURVE],
        [{"by": ["method"]}, {"clock": "business", "by": ["seller_country"]}],
        REFUNDS,
    ),
    "refund_quantiles": Spec(
        ["probability", *WAIT], [{"by": ["method"], "clock": "business"}], REFUNDS, bounds=None
    ),
    "refund_mean": Spec(
        ["horizon_days", *WAIT],
        [
            {"by": ["end_code"], "horizon_days": 10},
            {"by": ["buyer_country"], "clock": "business_local"},
        ],
        REFUNDS,
        bounds=None,
    ),
    "refund_sla": Spec(
        ["method", "sla_days", "clock", *WAIT[:-2], "n_late", "n_clusters", "interval"],
        [{}, {"by": ["is_cancellable_goods"]}],
        REFUNDS,
        frozenset({"method", "clock"}),
    ),
}
