"""What every dataset promises, each promise a sentence with the expression that breaks it.

A rule's ``broken`` takes an Ibis table (any engine) and returns a boolean column that is true
on rows that break the rule, and false or missing on the others. The sentence *is* the message. A
rule is checked only where all its columns are in the data. ``as_of`` rules are added by
:func:`analysis.check` for every time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from analysis.contract import codes


class Rule(NamedTuple):
    """One promise about the rows of one table."""

    sentence: str
    columns: tuple[str, ...]
    broken: Callable[[Any], Any]


class Reference(NamedTuple):
    """``table.column`` must be found in ``target.key``."""

    table: str
    column: str
    target: str
    key: str


def _not_before(later: str, earlier: str) -> Rule:
    def broken(t: Any) -> Any:
        return t[later] < t[earlier]

    return Rule(f"{later} is empty or not before {earlier}", (later, earlier), broken)


def _at_least(column: str, least: int) -> Rule:
    return Rule(f"{column} is at least {least}", (column,), lambda t: t[column] < least)


def _finite_at_least(column: str, least: int) -> Rule:
    def broken(t: Any) -> Any:
        value = t[column].cast("float64")
        return (value < least) | value.isnan() | value.isinf()

    return Rule(f"{column} is finite and at least {least}", (column,), broken)


def _only_with(column: str, other: str) -> Rule:
    return Rule(
        f"{column} is only given with {other}",
        (column, other),
        lambda t: t[column].notnull() & t[other].isnull(),
    )


def _final(t: Any) -> Any:
    return t.outcome != codes.PENDING


ORDER_TIMES = (
    ("paid_at", "placed_at"),
    ("ship_by_at", "placed_at"),
    ("packed_at", "placed_at"),
    ("shipped_at", "placed_at"),
    ("shipped_at", "packed_at"),
    ("delivered_at", "shipped_at"),
    ("ended_at", "placed_at"),
)

ROW_RULES: dict[str, tuple[Rule, ...]] = {
    "sellers": (),
    "orders": (
        *(_not_before(later, earlier) for later, earlier in ORDER_TIMES),
        _at_least("amount_minor", 0),
        _at_least("n_items", 1),
        _finite_at_least("weight", 0),
        Rule(
            "an order does not replace itself",
            ("order_id", "replaces_order_id"),
            lambda t: t.replaces_order_id == t.order_id,
        ),
    ),
    "requests": (
        _not_before("decided_at", "requested_at"),
        Rule(
            "decided_at is given unless outcome is pending",
            ("decided_at", "outcome"),
            lambda t: _final(t) == t.decided_at.isnull(),
        ),
        _only_with("decided_by", "decided_at"),
        Rule(
            "a blocked request names its blocker",
            ("outcome", "blocker"),
            lambda t: (t.outcome == "blocked") & t.blocker.isnull(),
        ),
        Rule(
            "a successful request has no blocker",
            ("outcome", "blocker"),
            lambda t: t.outcome.isin(codes.SUCCESS) & t.blocker.notnull(),
        ),
    ),
    "blockers": (_at_least("rank", 1),),
    "refunds": (
        _not_before("credited_at", "started_at"),
        _at_least("amount_minor", 0),
        _at_least("n_failures", 0),
    ),
    "steps": (),
}

REFERENCES = (
    Reference("orders", "seller_id", "sellers", "seller_id"),
    Reference("orders", "replaces_order_id", "orders", "order_id"),
    Reference("requests", "order_id", "orders", "order_id"),
    Reference("blockers", "request_id", "requests", "request_id"),
    Reference("refunds", "order_id", "orders", "order_id"),
    Reference("refunds", "request_id", "requests", "request_id"),
    Reference("steps", "order_id", "orders", "order_id"),
)

# Rules over a child row joined with its parent; the parent's columns carry the prefix ``parent_``.
JOINED_RULES: dict[tuple[str, str], tuple[Rule, ...]] = {
    ("requests", "orders"): (_not_before("requested_at", "parent_placed_at"),),
    ("refunds", "orders"): (
        _not_before("started_at", "parent_placed_at"),
        Rule(
            "currency is that of the order",
            ("currency", "parent_currency"),
            lambda t: t.currency != t.parent_currency,
        ),
    ),
    ("refunds", "requests"): (
        _not_before("started_at", "parent_decided_at"),
        Rule(
            "order_id is that of the request",
            ("order_id", "parent_order_id"),
            lambda t: t.order_id != t.parent_order_id,
        ),
    ),
    ("blockers", "requests"): (
        Rule(
            "the blocker of rank 1 is the request's blocker",
            ("rank", "blocker", "parent_blocker"),
            lambda t: (t["rank"] == 1) & (t.blocker != t.parent_blocker),
        ),
    ),
    ("steps", "orders"): (_not_before("occurred_at", "parent_placed_at"),),
}
