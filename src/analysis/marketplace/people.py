"""What people do about cancelling: asking, answering, ordering again, walking the dialogue.

Parts of :class:`analysis.marketplace.world.World`.
"""

from __future__ import annotations

from dataclasses import dataclass

from analysis.contract import codes
from analysis.marketplace.presets import (
    Checked,
    fraction,
    number,
    require_length,
    require_sum,
    require_words,
)

ANY = (0, 1e9)  # the range of a duration


@dataclass(frozen=True)
class Asking(Checked):
    """Who asks to cancel, when, why, and what they say."""

    ask_share: float = number(1e-6, 0.9)
    domestic_odds: float = number(0, 1000)
    segment_shares: tuple[float, ...] = fraction()
    early_mean_hours: float = number(*ANY)
    middle_mean_days: float = number(*ANY)
    waiting_mean_days: float = number(1e-3, 1e4)
    waiting_jump: float = number(0.01, 1000)
    delivered_share: float = fraction()
    ended_share: float = fraction()
    reasons: tuple[str, ...]
    early_shares: tuple[float, ...] = fraction()
    middle_shares: tuple[float, ...] = fraction()
    waiting_shares: tuple[float, ...] = fraction()
    seller_fault: tuple[str, ...]
    misreport_share: float = fraction()
    unpaid_reasons: tuple[str, ...]
    unpaid_shares: tuple[float, ...] = fraction()
    text_share: float = fraction()
    impatient_share: float = fraction()
    again_after_rejection_share: float = fraction()
    again_after_review_share: float = fraction()
    again_after_other_share: float = fraction()
    again_mean_hours: float = number(*ANY)
    dispute_share: float = fraction()
    dispute_won_share: float = fraction()
    dispute_slack_days: float = number(*ANY)

    def __post_init__(self) -> None:
        """Check ranges, reasons and that shares add up."""
        super().__post_init__()
        for words in (self.reasons, self.seller_fault, self.unpaid_reasons):
            require_words("Asking", words, codes.REASONS)
        for shares in ("segment", "early", "middle", "waiting", "unpaid"):
            require_sum(f"Asking.{shares}_shares", getattr(self, f"{shares}_shares"))
        require_length("Asking.segment_shares", self.segment_shares, 3)
        for shares in ("early", "middle", "waiting"):
            name = f"{shares}_shares"
            require_length(f"Asking.{name}", getattr(self, name), len(self.reasons))
        require_length("Asking.unpaid_shares", self.unpaid_shares, len(self.unpaid_reasons))


@dataclass(frozen=True)
class Answering(Checked):
    """What sellers do with an open request, and how fast."""

    response_median_hours: float = number(*ANY)
    response_sigma: float = number(0.01, 3)
    night_speed: float = number(0.01, 1)
    day_from_hour: float = number(0, 24)
    day_to_hour: float = number(0, 24)
    reject_shift_fault: float = number(-10, 10)
    reject_shift_packed: float = number(-10, 10)
    reject_shift_early: float = number(-10, 10)
    early_hours: float = number(*ANY)
    ship_over_median_hours: float = number(*ANY)
    ship_over_sigma: float = number(0.01, 3)
    resume_hours: float = number(*ANY)
    withdraw_share: float = fraction()
    pricing_error_share: float = fraction()


@dataclass(frozen=True)
class Reordering(Checked):
    """Who orders again after a cancellation."""

    mistakes: tuple[str, ...]
    mistake_share: float = fraction()
    other_share: float = fraction()
    mean_hours: float = number(*ANY)
    same_seller_share: float = fraction()


@dataclass(frozen=True)
class Dialogue(Checked):
    """How people walk through the cancel dialogue."""

    abandoned_share: float = fraction()
    reach_shares: tuple[float, ...] = fraction()
    step_median_seconds: float = number(*ANY)
    step_sigma: float = number(0, 3)

    def __post_init__(self) -> None:
        """Check ranges and that there is a share for each step but the first and the submit."""
        super().__post_init__()
        require_length("Dialogue.reach_shares", self.reach_shares, 3)
