"""Sentences: ``say_<table>(table) -> str``, plain text with the numbers of the table and no others.

Names of groups are data and stand in the text as they are; whoever shows the text escapes it.
Rounding happens in :mod:`analysis.plots.numbers`, which figures share.
"""

from __future__ import annotations

from analysis.plots.numbers import count, days, hours, interval_text, moment, percent, points, span
from analysis.report.say.blockers import say_blocker_shares, say_success_by_order_age
from analysis.report.say.card import say_why_not
from analysis.report.say.comparisons import (
    say_standardised_success_rate,
    say_success_rate_difference,
)
from analysis.report.say.curves import (
    say_outcome_curve,
    say_refund_curve,
    say_response_curve,
    say_window_curve,
)
from analysis.report.say.drivers import say_explain_change, say_success_drivers
from analysis.report.say.durations import say_refund_mean, say_refund_quantiles, say_refund_sla
from analysis.report.say.flow import say_cancel_flow_funnel
from analysis.report.say.funnel import say_seller_funnel
from analysis.report.say.gaming import say_reason_gaming
from analysis.report.say.money import say_open_refund_liability, say_recovered_sales
from analysis.report.say.naive import say_naive_versus_right
from analysis.report.say.overlap import say_blocker_overlap
from analysis.report.say.practice import say_policy_versus_practice
from analysis.report.say.proof import (
    say_coverage_study,
    say_estimates_versus_truth,
    say_size_study,
)
from analysis.report.say.rates import (
    say_order_end_shares,
    say_outcome_shares,
    say_request_rate,
    say_success_rate,
)
from analysis.report.say.scale import say_dataset_parts, say_rows_that_leave, say_scale_costs
from analysis.report.say.sellers import say_seller_scorecard
from analysis.report.say.sides import (
    say_outcome_difference,
    say_refund_drivers,
    say_refund_time_difference,
)
from analysis.report.say.snapshots import say_refund_curve_from_snapshots
from analysis.report.say.spread import say_seller_spread
from analysis.report.say.stages import say_never_refunded_share, say_stage_durations
from analysis.report.say.trend import say_success_rate_trend
from analysis.report.say.windows import say_window_hazard

__all__ = [
    "count",
    "days",
    "hours",
    "interval_text",
    "moment",
    "percent",
    "points",
    "say_blocker_overlap",
    "say_blocker_shares",
    "say_cancel_flow_funnel",
    "say_coverage_study",
    "say_dataset_parts",
    "say_estimates_versus_truth",
    "say_explain_change",
    "say_naive_versus_right",
    "say_never_refunded_share",
    "say_open_refund_liability",
    "say_order_end_shares",
    "say_outcome_curve",
    "say_outcome_difference",
    "say_outcome_shares",
    "say_policy_versus_practice",
    "say_reason_gaming",
    "say_recovered_sales",
    "say_refund_curve",
    "say_refund_curve_from_snapshots",
    "say_refund_drivers",
    "say_refund_mean",
    "say_refund_quantiles",
    "say_refund_sla",
    "say_refund_time_difference",
    "say_request_rate",
    "say_response_curve",
    "say_rows_that_leave",
    "say_scale_costs",
    "say_seller_funnel",
    "say_seller_scorecard",
    "say_seller_spread",
    "say_size_study",
    "say_stage_durations",
    "say_standardised_success_rate",
    "say_success_by_order_age",
    "say_success_drivers",
    "say_success_rate",
    "say_success_rate_difference",
    "say_success_rate_trend",
    "say_why_not",
    "say_window_curve",
    "say_window_hazard",
    "span",
]
