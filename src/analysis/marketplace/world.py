"""How buyers, sellers, banks and carriers behave, whatever the rules are.

The names of the fields carry the unit; ``presets/world_*.toml`` gives every value with its unit
and its source. "odds" multiply the odds of asking to cancel.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from analysis.contract import codes
from analysis.marketplace.people import ANY, Answering, Asking, Dialogue, Reordering
from analysis.marketplace.presets import (
    Checked,
    fraction,
    load_preset,
    number,
    one_of,
    require_length,
    require_sum,
    require_words,
)


@dataclass(frozen=True)
class Sale(Checked):
    """A sale: more orders, and sellers slower during it and for ``strain_days`` after."""

    name: str
    first_day: str
    days: int = number(1, 60)
    orders_x: float = number(0, 100)
    response_x: float = number(0.1, 100)
    handling_x: float = number(0.1, 100)
    strain_days: int = number(0, 60)


@dataclass(frozen=True)
class Calendar(Checked):
    """When orders are placed."""

    starts_on: str
    days: int = number(1, 3660)
    day_noise_sigma: float = number(0, 2)
    weekday_weights: tuple[float, ...] = number(0, 100)
    hour_weights: tuple[float, ...] = number(0, 100)
    sales: tuple[Sale, ...]

    def __post_init__(self) -> None:
        """Check ranges, lengths and days."""
        super().__post_init__()
        require_length("Calendar.weekday_weights", self.weekday_weights, 7)
        require_length("Calendar.hour_weights", self.hour_weights, 24)
        for day in (self.starts_on, *(sale.first_day for sale in self.sales)):
            date.fromisoformat(day)


@dataclass(frozen=True)
class Country(Checked):
    """Where buyers live: their clock, money, payment mix and language."""

    code: str
    share: float = fraction()
    utc_offset_hours: float = number(-12, 14)
    currency: str
    minor_per_us_cent: float = number(1e-6, 1e6)
    payments: str
    language: str


@dataclass(frozen=True)
class Buyers(Checked):
    """Who buys. ``ask_odds`` are kinds of buyers by how readily they ask to cancel."""

    per_order: float = number(0.001, 1)
    concentration: float = number(1, 20)
    ask_odds: tuple[float, ...] = number(0, 1000)
    ask_odds_shares: tuple[float, ...] = fraction()
    countries: tuple[Country, ...]

    def __post_init__(self) -> None:
        """Check ranges and that shares add up."""
        super().__post_init__()
        require_sum("Buyers.ask_odds_shares", self.ask_odds_shares)
        require_length("Buyers.ask_odds", self.ask_odds, len(self.ask_odds_shares))
        require_sum("Buyers.countries.share", (c.share for c in self.countries))


@dataclass(frozen=True)
class SellerTraits(Checked):
    """Who sells, and how sellers differ. Shares of answers: approve, reject, ship over, silent."""

    orders_per_seller: float = number(1, 1e6)
    at_least: int = number(1, 10_000_000)
    volume_power: float = number(0, 3)
    largest_share: float = fraction()
    countries: tuple[str, ...]
    country_shares: tuple[float, ...] = fraction()
    country_utc_offset_hours: tuple[float, ...] = number(-12, 14)
    handling_log_sd: float = number(0, 3)
    response_log_sd: float = number(0, 3)
    answer_shares: tuple[float, ...] = fraction()
    answer_concentration: float = number(0.1, 1e4)
    stock_out_share: float = number(1e-6, 0.5)
    stock_out_concentration: float = number(1, 1e6)
    oldest_shop_years: float = number(0.1, 50)

    def __post_init__(self) -> None:
        """Check ranges and that shares add up."""
        super().__post_init__()
        require_sum("SellerTraits.answer_shares", self.answer_shares)
        require_sum("SellerTraits.country_shares", self.country_shares)
        require_length("SellerTraits.answer_shares", self.answer_shares, 4)
        for name in ("country_shares", "country_utc_offset_hours"):
            require_length(f"SellerTraits.{name}", getattr(self, name), len(self.countries))


@dataclass(frozen=True)
class Goods(Checked):
    """What is bought; all lists but the last run along ``categories``."""

    categories: tuple[str, ...]
    shares: tuple[float, ...] = fraction()
    price_median_us_cents: tuple[float, ...] = number(1, 1e8)
    price_sigma: tuple[float, ...] = number(0, 3)
    ask_odds: tuple[float, ...] = number(0, 1000)
    cancellable_share: tuple[float, ...] = fraction()
    items_shares: tuple[float, ...] = fraction()

    def __post_init__(self) -> None:
        """Check ranges and that shares add up."""
        super().__post_init__()
        require_sum("Goods.shares", self.shares)
        require_sum("Goods.items_shares", self.items_shares)
        for name in ("shares", "price_median_us_cents", "price_sigma", "ask_odds"):
            require_length(f"Goods.{name}", getattr(self, name), len(self.categories))
        require_length("Goods.cancellable_share", self.cancellable_share, len(self.categories))


@dataclass(frozen=True)
class Payments(Checked):
    """Paying, and what is found out about payments."""

    unpaid_share: float = fraction()
    unpaid_cancelled_share: float = fraction()
    unpaid_cancel_mean_hours: float = number(*ANY)
    prompt_median_seconds: float = number(*ANY)
    prompt_sigma: float = number(0, 3)
    slow_median_hours: float = number(*ANY)
    slow_sigma: float = number(0, 3)
    risk_close_share: float = fraction()
    risk_close_hours: float = number(0.1, 1000)
    review: str = one_of("fixed", "approval")
    approval_quick_share: float = fraction()
    approval_quick_mean_hours: float = number(*ANY)
    approval_slow_median_hours: float = number(*ANY)
    approval_slow_sigma: float = number(0, 3)
    mixes: dict[str, dict[str, float]] = fraction()
    ask_odds: dict[str, float] = number(0, 1000)

    def __post_init__(self) -> None:
        """Check ranges, methods and that every mix adds up."""
        super().__post_init__()
        require_words("Payments.ask_odds", self.ask_odds, codes.PAYMENT_METHODS)
        for name, mix in self.mixes.items():
            require_words(f"Payments.mixes.{name}", mix, codes.PAYMENT_METHODS)
            require_sum(f"Payments.mixes.{name}", mix.values())


@dataclass(frozen=True)
class Shipping(Checked):
    """Handling, packing, carriers and confirmation."""

    handling_median_days: float = number(*ANY)
    handling_sigma: float = number(0, 3)
    rush_share: float = fraction()
    rush_hours: float = number(0, 1000)
    extension_share: float = fraction()
    pack_lead_median_hours: float = number(*ANY)
    pack_lead_sigma: float = number(0, 3)
    transit_median_days: float = number(*ANY)
    transit_sigma: float = number(0, 3)
    domestic_median_days: float = number(*ANY)
    domestic_sigma: float = number(0, 3)
    lost_share: float = fraction()
    lost_days: float = number(*ANY)
    confirm_median_days: float = number(*ANY)
    confirm_sigma: float = number(0, 3)
    confirm_at_most_days: float = number(*ANY)


@dataclass(frozen=True)
class Rail(Checked):
    """How long money takes on one rail, once sent off.

    A ``quick_share`` arrives within the day; the rest is lognormal between ``low`` and ``high``,
    in calendar or business days as ``clock`` says. ``start_x`` multiplies the time until it is
    sent off.
    """

    clock: str = one_of("business", "calendar")
    median: float = number(1e-4, 365)
    sigma: float = number(0, 3)
    low: float = number(0, 365)
    high: float = number(0, 365)
    start_x: float = number(0, 100)
    quick_share: float = fraction()


@dataclass(frozen=True)
class Refunds(Checked):
    """How money goes back."""

    start_median_hours: float = number(*ANY)
    start_sigma: float = number(0, 3)
    start_at_most_hours: float = number(*ANY)
    failure_share: float = fraction()
    failure_business_days: tuple[float, ...] = number(0, 365)
    partial_share: float = fraction()
    partial_range: tuple[float, ...] = fraction()
    dispute_partial_share: float = fraction()
    two_legs_share: float = fraction()
    two_legs_range: tuple[float, ...] = fraction()
    voucher_credit_share: float = fraction()
    rails: dict[str, Rail]

    def __post_init__(self) -> None:
        """Check ranges and the names of rails."""
        super().__post_init__()
        require_words("Refunds.rails", self.rails, codes.REFUND_METHODS)
        for name in ("failure_business_days", "partial_range", "two_legs_range"):
            require_length(f"Refunds.{name}", getattr(self, name), 2)


@dataclass(frozen=True)
class World:
    """Everything about people, shops, banks and carriers that a policy cannot change."""

    name: str
    calendar: Calendar
    buyers: Buyers
    sellers: SellerTraits
    goods: Goods
    payments: Payments
    shipping: Shipping
    asking: Asking
    answering: Answering
    refunds: Refunds
    reordering: Reordering
    dialogue: Dialogue

    def __post_init__(self) -> None:
        """Check that the parts fit together."""
        mixes = self.payments.mixes
        require_words(
            "Buyers.countries.payments", (c.payments for c in self.buyers.countries), mixes
        )
        used = {method for mix in mixes.values() for method in mix} - {"cash_on_delivery"}
        needed = used | {"gift_card", "store_credit"}
        require_words("Payments.mixes", needed, self.refunds.rails)


def load_world(name: str | World) -> World:
    """Return the world preset ``name``; a ``World`` is returned as it is.

    Raises
    ------
    ValueError
        There is no preset of that name.
    """
    return name if isinstance(name, World) else load_preset(World, "world", name)
