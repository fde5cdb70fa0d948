"""The tables of a dataset: what one row is, its columns, their kinds and units.

Kinds: ``id`` (int64 or text), ``time`` (UTC, whole seconds), ``code`` (a word of
:mod:`analysis.contract.codes`), ``text``, ``money`` (integer minor units of ``currency``),
``count`` (integer), ``flag`` (true or false), ``number`` (float).
"""

from __future__ import annotations

from dataclasses import dataclass

from analysis.contract import codes

CONTRACT_VERSION = 1


@dataclass(frozen=True)
class Column:
    """One column: its kind, whether a value may be missing, what it means."""

    name: str
    kind: str
    meaning: str
    optional: bool = False
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableSpec:
    """One table: its name, what one row is, its key and its columns."""

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """Return the column called ``name``."""
        return next(column for column in self.columns if column.name == name)


def _id(name: str, meaning: str, *, optional: bool = False) -> Column:
    return Column(name, "id", meaning, optional)


def _time(name: str, meaning: str, *, optional: bool = False) -> Column:
    return Column(name, "time", meaning, optional)


def _code(name: str, meaning: str, words: tuple[str, ...], *, optional: bool = False) -> Column:
    return Column(name, "code", meaning, optional, words)


def _text(name: str, meaning: str, *, optional: bool = False) -> Column:
    return Column(name, "text", meaning, optional)


SELLERS = TableSpec(
    "sellers",
    "a seller",
    ("seller_id",),
    (
        _id("seller_id", "the seller"),
        _text("seller_country", "ISO 3166 two-letter country the seller ships from"),
        _time("opened_at", "when the shop opened", optional=True),
        _code("size_tier", "size by expected orders", codes.SIZE_TIERS, optional=True),
        _text("seller_name", "the shop's name as a buyer sees it", optional=True),
    ),
)

ORDERS = TableSpec(
    "orders",
    "an order",
    ("order_id",),
    (
        _id("order_id", "the order"),
        _id("buyer_id", "who ordered"),
        _id("seller_id", "who sells; missing where the export does not know", optional=True),
        _time("placed_at", "when the order was placed"),
        _time("paid_at", "when payment succeeded; missing while unpaid", optional=True),
        _time("ship_by_at", "the promised last moment to ship", optional=True),
        _time("packed_at", "when it was packed or its label made", optional=True),
        _time("shipped_at", "when tracking was uploaded", optional=True),
        _time("delivered_at", "when it was delivered", optional=True),
        _time("ended_at", "when the order ended, whatever the end", optional=True),
        _code("end_code", "how the order ended", codes.ORDER_ENDS, optional=True),
        _code("payment_method", "how it was paid", codes.PAYMENT_METHODS),
        _text("category", "what was bought"),
        _text("buyer_country", "ISO 3166 two-letter country of the buyer"),
        _text("currency", "ISO 4217 currency of ``amount_minor``"),
        Column("amount_minor", "money", "what the buyer paid, in minor units"),
        Column("n_items", "count", "number of items"),
        Column("is_cancellable_goods", "flag", "false for digital or custom-made goods", True),
        _id("replaces_order_id", "the cancelled order that this one replaces", optional=True),
        Column("weight", "number", "orders of the population this row stands for", True),
    ),
)

REQUESTS = TableSpec(
    "requests",
    "one attempt to cancel an order",
    ("request_id",),
    (
        _id("request_id", "the request"),
        _id("order_id", "the order it would cancel"),
        _time("requested_at", "when it was submitted"),
        _code("requested_by", "who asked", codes.PARTIES),
        _code("reason", "the declared reason", codes.REASONS),
        _text("reason_text", "what the buyer wrote", optional=True),
        _code("order_state", "state of the order when asked", codes.ORDER_STATES),
        _time("decided_at", "when the outcome was final; missing while pending", optional=True),
        _code("decided_by", "who decided", codes.DECIDERS, optional=True),
        _code("outcome", "how the request ended", codes.OUTCOMES),
        _code("blocker", "the first rule that stood in its way", codes.BLOCKERS, optional=True),
    ),
)

BLOCKERS = TableSpec(
    "blockers",
    "one rule that stood in the way of one request",
    ("request_id", "rank"),
    (
        _id("request_id", "the request"),
        _code("blocker", "the rule", codes.BLOCKERS),
        Column("rank", "count", "1 for the first by precedence, then 2, 3, ..."),
    ),
)

REFUNDS = TableSpec(
    "refunds",
    "one leg of money going back",
    ("refund_id",),
    (
        _id("refund_id", "the leg"),
        _id("order_id", "the order it refunds"),
        _id("request_id", "the request that caused it, if one did", optional=True),
        _code("method", "the rail the money goes back on", codes.REFUND_METHODS),
        _text("currency", "ISO 4217 currency of ``amount_minor``"),
        Column("amount_minor", "money", "the amount, in minor units"),
        _time("started_at", "when the refund was sent off", optional=True),
        _time("credited_at", "when the buyer had the money", optional=True),
        Column("n_failures", "count", "failed tries before the last one"),
    ),
)

STEPS = TableSpec(
    "steps",
    "one step in the cancel dialogue",
    ("session_id", "step"),
    (
        _id("session_id", "one walk through the dialogue"),
        _id("order_id", "the order it is about"),
        _code("step", "the step reached", codes.STEPS),
        _time("occurred_at", "when it was reached"),
    ),
)

TABLES = {t.name: t for t in (SELLERS, ORDERS, REQUESTS, BLOCKERS, REFUNDS, STEPS)}
REQUIRED_TABLES = ("orders", "requests")
