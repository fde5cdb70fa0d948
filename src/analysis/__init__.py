"""Analytics of order cancellations on marketplaces.

Why can this order not be cancelled, how often does asking work, how long until the money is
back, and how sure are we. Start with :func:`open_tables`, then ask a measure::

    from analysis import cancellation_success_rate, open_tables

    tables = open_tables("data/market")
    cancellation_success_rate(tables, by=["order_state"])

Names are imported on first use, so that ``import analysis`` stays light.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "analysis.contract": ("ContractError", "MissingData", "codes"),
    "analysis.sources": (
        "Tables",
        "business_calendars",
        "check",
        "check_files",
        "describe",
        "open_tables",
        "require_valid",
    ),
    "analysis.sources.importers": ("import_olist", "import_tables"),
    "analysis.marketplace": (
        "Policy",
        "World",
        "load_policy",
        "load_world",
        "make_market",
        "write_market",
    ),
    "analysis.measures": (
        "blocker_overlap",
        "blocker_shares",
        "cancel_flow_funnel",
        "cancellation_success_rate",
        "explain_change",
        "naive_versus_right",
        "never_refunded_share",
        "open_refund_liability",
        "order_end_shares",
        "outcome_curve",
        "outcome_difference",
        "outcome_shares",
        "policy_versus_practice",
        "reason_gaming",
        "recovered_sales",
        "refund_curve",
        "refund_curve_from_snapshots",
        "refund_drivers",
        "refund_mean",
        "refund_quantiles",
        "refund_sla",
        "refund_time_difference",
        "request_rate",
        "response_curve",
        "seller_funnel",
        "seller_scorecard",
        "seller_spread",
        "stage_durations",
        "standardised_success_rate",
        "success_by_order_age",
        "success_drivers",
        "success_rate_difference",
        "success_rate_trend",
        "why_not",
        "window_curve",
        "window_hazard",
    ),
    "analysis.report.ask": ("ask", "say", "show"),
    "analysis.report.data_page": (
        "about",
        "answerable_questions",
        "check_summary",
        "fingerprint",
    ),
    "analysis.report.make": ("make_report",),
    "analysis.report.proof": ("coverage_study", "estimates_versus_truth", "size_study"),
    "analysis.report.scale": ("asked_sql", "dataset_parts", "rows_that_leave", "scale_costs"),
    "analysis.report.tables": ("write_tables",),
    "analysis.report.widget": ("order_picker",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted([*_HOME_OF, "__version__"])


def __getattr__(name: str) -> Any:
    """Import a public name where it lives, on first use."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return list(__all__)
