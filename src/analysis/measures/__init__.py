"""One question, one function, one table: the measures."""

from __future__ import annotations

from analysis.measures.asking import request_rate
from analysis.measures.blockers import blocker_shares, success_by_order_age
from analysis.measures.card import why_not
from analysis.measures.change import explain_change
from analysis.measures.comparisons import standardised_success_rate, success_rate_difference
from analysis.measures.drivers import success_drivers
from analysis.measures.durations import (
    refund_curve,
    refund_mean,
    refund_quantiles,
    response_curve,
)
from analysis.measures.flow import cancel_flow_funnel
from analysis.measures.money import open_refund_liability, recovered_sales
from analysis.measures.naive import naive_versus_right
from analysis.measures.never import never_refunded_share
from analysis.measures.outcome_differences import outcome_difference
from analysis.measures.overlap import blocker_overlap
from analysis.measures.practice import policy_versus_practice
from analysis.measures.promises import refund_sla
from analysis.measures.races import outcome_curve, window_curve
from analysis.measures.rates import (
    cancellation_success_rate,
    order_end_shares,
    outcome_shares,
)
from analysis.measures.reason_gaming import reason_gaming
from analysis.measures.refund_drivers import refund_drivers
from analysis.measures.seller_funnel import seller_funnel
from analysis.measures.seller_spread import seller_spread
from analysis.measures.sellers import seller_scorecard
from analysis.measures.snapshots import refund_curve_from_snapshots
from analysis.measures.stages import stage_durations
from analysis.measures.time_differences import refund_time_difference
from analysis.measures.trend import success_rate_trend
from analysis.measures.windows import window_hazard

# Every measure of a whole dataset; ``why_not`` is about one order.
MEASURES = {
    measure.__name__: measure
    for measure in (
        cancellation_success_rate,
        success_rate_difference,
        standardised_success_rate,
        success_rate_trend,
        outcome_shares,
        request_rate,
        order_end_shares,
        outcome_curve,
        outcome_difference,
        window_curve,
        window_hazard,
        refund_curve,
        refund_quantiles,
        refund_mean,
        refund_time_difference,
        refund_drivers,
        refund_sla,
        refund_curve_from_snapshots,
        stage_durations,
        never_refunded_share,
        response_curve,
        blocker_shares,
        blocker_overlap,
        success_by_order_age,
        policy_versus_practice,
        seller_scorecard,
        seller_spread,
        seller_funnel,
        reason_gaming,
        cancel_flow_funnel,
        open_refund_liability,
        recovered_sales,
        naive_versus_right,
        success_drivers,
        explain_change,
    )
}

__all__ = ["MEASURES", "why_not", *MEASURES]
