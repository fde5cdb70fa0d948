"""The rules of the marketplace: who may cancel when, how long the seller has, what silence means.

A what-if changes the ``Policy`` and nothing else: ``dataclasses.replace(policy,
answer_deadline_hours=48)``.
"""

from __future__ import annotations

from dataclasses import dataclass

from analysis.contract import codes
from analysis.marketplace.presets import (
    Checked,
    fraction,
    load_preset,
    number,
    one_of,
    require_sum,
    require_words,
)

SILENCE = ("auto_approve", "not_cancelled", "waits")


@dataclass(frozen=True)
class Dispute(Checked):
    """When a buyer may open a dispute over a shipped order, and how long parties negotiate."""

    is_allowed: bool
    opens_after_days: float = number(0, 365)
    negotiation_days: float = number(0, 365)


@dataclass(frozen=True)
class Policy(Checked):
    """What the marketplace's rules say. Times are in the unit of the field's name.

    ``silence`` says what happens when the seller has not answered by the deadline:
    ``auto_approve`` cancels, ``not_cancelled`` closes the request, ``waits`` has no deadline and
    the order proceeds. 0 means "no such rule" for ``free_window_hours``,
    ``cancel_window_hours`` and ``max_requests``.
    """

    name: str
    silence: str = one_of(*SILENCE)
    answer_deadline_hours: float = number(1, 24 * 365)
    review_hours: float = number(0, 24 * 30)
    review_methods: tuple[str, ...]
    cancel_in_review: bool
    free_window_hours: float = number(0, 24 * 365)
    cancel_window_hours: float = number(0, 24 * 365)
    packed_blocks: bool
    max_requests: int = number(0, 3)
    unpaid_close_days: float = number(0.01, 365)
    ship_deadline_days: tuple[float, ...] = number(0.5, 90)
    ship_deadline_shares: tuple[float, ...] = fraction()
    ship_timeout_cancels: bool
    extension_days: float = number(0, 60)
    dispute: Dispute

    def __post_init__(self) -> None:
        """Check ranges, words and that shares add up."""
        super().__post_init__()
        require_words("Policy.review_methods", self.review_methods, codes.PAYMENT_METHODS)
        require_sum("Policy.ship_deadline_shares", self.ship_deadline_shares)
        if len(self.ship_deadline_days) != len(self.ship_deadline_shares):
            raise ValueError("Policy.ship_deadline_days and ship_deadline_shares differ in length")


def load_policy(name: str | Policy) -> Policy:
    """Return the policy preset ``name``; a ``Policy`` is returned as it is.

    Raises
    ------
    ValueError
        There is no preset of that name.

    Examples
    --------
    >>> import dataclasses
    >>> policy = load_policy("aliexpress")
    >>> dataclasses.replace(policy, answer_deadline_hours=48).answer_deadline_hours
    48
    """
    return name if isinstance(name, Policy) else load_preset(Policy, "policy", name)
