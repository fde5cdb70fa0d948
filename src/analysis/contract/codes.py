"""The words that coded columns may hold, each listed once.

Every tuple is in the order in which people should read it: life of an order, precedence of
blockers, steps of the dialogue. The mapping to platforms' own codes is in ``data/README.md``.
"""

from __future__ import annotations

ORDER_STATES = (
    "awaiting_payment",
    "payment_review",
    "awaiting_shipment",
    "packed",
    "cancel_pending",
    "partially_shipped",
    "shipped",
    "delivered",
    "completed",
    "cancelled",
    "disputed",
    "frozen",
)

ORDER_ENDS = (
    "completed",
    "cancelled_by_request",  # a request to cancel succeeded
    "cancelled_by_seller",  # the seller cancelled of its own accord
    "cancelled",  # cancelled; by whom is not recorded
    "unpaid_timeout",
    "ship_timeout",
    "risk_rejected",
    "unavailable",  # out of stock, not recorded as a cancellation
    "dispute_refunded",
    "lost",
)
CANCELLED_ENDS = ("cancelled_by_request", "cancelled_by_seller", "cancelled")

OUTCOMES = (
    "instant_cancelled",
    "approved_by_seller",
    "auto_approved_timeout",
    "blocked",
    "rejected_by_seller",
    "superseded_by_shipment",
    "expired_not_cancelled",
    "withdrawn_by_buyer",
    "preempted",
    "pending",
)
SUCCESS = ("instant_cancelled", "approved_by_seller", "auto_approved_timeout")
SELLER_ANSWERS = ("approved_by_seller", "rejected_by_seller")
PENDING = "pending"

PARTIES = ("buyer", "seller", "platform")
DECIDERS = ("buyer", "seller", "platform", "platform_timeout", "platform_risk", "logistics")

# Precedence: the first one that applies is a request's ``blocker``; all are kept in ``blockers``.
BLOCKERS_AT_SUBMIT = (
    "already_cancelled",
    "delivered_or_completed",
    "dispute_or_case_open",
    "return_in_progress",
    "chargeback_open",
    "order_frozen",
    "already_shipped",
    "partially_shipped",
    "payment_under_review",
    "request_already_open",
    "request_limit_reached",
    "non_cancellable_goods",
    "packed_or_label_created",
    "cancel_window_elapsed",
    "line_not_eligible_whole_order_only",
    "channel_not_supported",
    "buyer_account_issue",
    "reason_not_valid_for_state",
)
BLOCKERS_DECIDED_LATER = (
    "seller_rejected",
    "shipped_during_request",
    "seller_silent_not_cancelled",
)
BLOCKERS = BLOCKERS_AT_SUBMIT + BLOCKERS_DECIDED_LATER

REASONS = (
    "changed_mind",
    "wrong_variant_or_qty",
    "ordered_by_mistake",
    "duplicate_order",
    "wrong_address",
    "coupon_or_discount",
    "found_cheaper",
    "change_shipping_method",
    "payment_problem",
    "too_slow",
    "seller_unresponsive",
    "seller_asked",
    "out_of_stock",
    "pricing_error",
    "undeliverable_area",
    "distrust",
    "unpaid_timeout",
    "ship_timeout",
    "risk_rejected",
    "lost_or_logistics",
    "other",
)

PAYMENT_METHODS = (
    "card",
    "debit_card",
    "wallet",
    "gift_card",  # also vouchers that act as a balance
    "paypal",
    "device_pay",  # Apple Pay, Google Pay
    "pay_later",
    "bank_transfer",
    "cash_voucher",  # Boleto, OXXO
    "money_transfer",  # Western Union, QIWI, WebMoney
    "cash_on_delivery",
    "other",
)
REFUND_METHODS = (*PAYMENT_METHODS, "store_credit")

SIZE_TIERS = ("small", "medium", "large")

STEPS = ("open_orders", "open_order", "find_cancel", "choose_reason", "submit")
