"""The longest time that is quoted to buyers for a refund, by the rail it goes back on.

Sources: AliExpress' refund pages as copied (cards and the generic "3 to 20 business days"),
PayPal's help page on refunds of card-funded payments, Klarna's and Razorpay's merchant pages;
the EU Consumer Rights Directive's 14 days where nothing is quoted.
"""

from __future__ import annotations

from typing import NamedTuple


class Promise(NamedTuple):
    """A quoted longest time."""

    days: int
    clock: str  # "business" (Monday to Friday) or "calendar"
    source: str


REFUND_PROMISES = {
    "card": Promise(20, "business", "AliExpress help: 3 to 20 business days"),
    "debit_card": Promise(20, "business", "AliExpress help: 3 to 20 business days"),
    "device_pay": Promise(20, "business", "assumption: as the card behind it"),
    "cash_voucher": Promise(20, "business", "AliExpress help, all methods: 3 to 20 business days"),
    "money_transfer": Promise(10, "business", "guides on WebMoney and Western Union: 7 to 10"),
    "pay_later": Promise(5, "business", "Klarna: usually 2 to 5 business days"),
    "paypal": Promise(30, "calendar", "PayPal: up to 30 days for card-funded payments"),
    "bank_transfer": Promise(10, "business", "Razorpay, netbanking: up to 10 days"),
    "wallet": Promise(3, "calendar", "AliExpress help: look again after 3 days"),
    "gift_card": Promise(3, "calendar", "assumption: as a wallet"),
    "store_credit": Promise(3, "calendar", "assumption: as a wallet"),
    "other": Promise(14, "calendar", "EU Consumer Rights Directive: 14 days"),
}
