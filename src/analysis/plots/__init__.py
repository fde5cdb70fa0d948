"""Figures: one function draws one table, ``plot_<table>(table, ax=None) -> Axes``.

matplotlib is imported when a figure is made, not before.
"""

from __future__ import annotations

from analysis.plots.blockers import (
    plot_blocker_overlap,
    plot_blocker_shares,
    plot_success_by_order_age,
)
from analysis.plots.card import plot_why_not
from analysis.plots.comparisons import plot_standardised_success_rate, plot_success_rate_difference
from analysis.plots.curves import plot_refund_curve, plot_response_curve
from analysis.plots.drivers import plot_explain_change, plot_success_drivers
from analysis.plots.durations import plot_refund_mean, plot_refund_quantiles, plot_refund_sla
from analysis.plots.flow import plot_cancel_flow_funnel
from analysis.plots.funnel import plot_seller_funnel
from analysis.plots.gaming import plot_reason_gaming
from analysis.plots.labels import column_label, label, shorten
from analysis.plots.money import plot_open_refund_liability, plot_recovered_sales
from analysis.plots.naive import plot_naive_versus_right
from analysis.plots.numbers import MIN_N
from analysis.plots.practice import plot_policy_versus_practice
from analysis.plots.proof import (
    plot_coverage_study,
    plot_estimates_versus_truth,
    plot_size_study,
)
from analysis.plots.races import plot_outcome_curve, plot_window_curve
from analysis.plots.rates import (
    plot_order_end_shares,
    plot_outcome_shares,
    plot_request_rate,
    plot_success_rate,
)
from analysis.plots.scale import plot_scale_costs
from analysis.plots.sellers import plot_seller_scorecard
from analysis.plots.sides import (
    plot_outcome_difference,
    plot_refund_drivers,
    plot_refund_time_difference,
)
from analysis.plots.snapshots import plot_refund_curve_from_snapshots
from analysis.plots.spread import plot_seller_spread
from analysis.plots.stages import plot_never_refunded_share, plot_stage_durations
from analysis.plots.trend import plot_success_rate_trend
from analysis.plots.windows import plot_window_hazard

__all__ = [
    "MIN_N",
    "column_label",
    "label",
    "plot_blocker_overlap",
    "plot_blocker_shares",
    "plot_cancel_flow_funnel",
    "plot_coverage_study",
    "plot_estimates_versus_truth",
    "plot_explain_change",
    "plot_naive_versus_right",
    "plot_never_refunded_share",
    "plot_open_refund_liability",
    "plot_order_end_shares",
    "plot_outcome_curve",
    "plot_outcome_difference",
    "plot_outcome_shares",
    "plot_policy_versus_practice",
    "plot_reason_gaming",
    "plot_recovered_sales",
    "plot_refund_curve",
    "plot_refund_curve_from_snapshots",
    "plot_refund_drivers",
    "plot_refund_mean",
    "plot_refund_quantiles",
    "plot_refund_sla",
    "plot_refund_time_difference",
    "plot_request_rate",
    "plot_response_curve",
    "plot_scale_costs",
    "plot_seller_funnel",
    "plot_seller_scorecard",
    "plot_seller_spread",
    "plot_size_study",
    "plot_stage_durations",
    "plot_standardised_success_rate",
    "plot_success_by_order_age",
    "plot_success_drivers",
    "plot_success_rate",
    "plot_success_rate_difference",
    "plot_success_rate_trend",
    "plot_why_not",
    "plot_window_curve",
    "plot_window_hazard",
    "shorten",
]
