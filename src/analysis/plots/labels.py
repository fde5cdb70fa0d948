"""Words as people read them: codes, column names, and text that comes from the data.

Text from the data is text: it is shown as it is, on one line, without characters that could hide
or reorder what stands around it, and cut where it is too long.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.contract import codes

LONGEST = 46  # characters of a name before it is cut
MISSING = "not recorded"
ELLIPSIS = "…"

# Codes that do not read well with their underscores taken away
_WORDS = {
    "instant_cancelled": "cancelled at once",
    "approved_by_seller": "approved by the seller",
    "auto_approved_timeout": "approved by time-out",
    "blocked": "blocked at once",
    "rejected_by_seller": "refused by the seller",
    "superseded_by_shipment": "overtaken by shipment",
    "expired_not_cancelled": "expired, not cancelled",
    "withdrawn_by_buyer": "withdrawn by the buyer",
    "preempted": "order ended otherwise",
    "pending": "undecided",
    "still_open": "can still be cancelled",
    "unpaid_timeout": "never paid",
    "ship_timeout": "not shipped in time",
    "wrong_variant_or_qty": "wrong variant or quantity",
    "line_not_eligible_whole_order_only": "whole order only",
    "seller_rejected": "seller refused",
    "seller_silent_not_cancelled": "seller silent",
    "non_cancellable_goods": "non-cancellable goods",
    "packed_or_label_created": "packed or labelled",
    "paypal": "PayPal",
    "device_pay": "Apple or Google Pay",
    "beauty_health": "beauty and health",
    "home_garden": "home and garden",
    "jewelry_watches": "jewelry and watches",
    "phones_accessories": "phones and accessories",
    "toys_hobbies": "toys and hobbies",
    "at_submit": "when asked",
    "open_orders": "opened My Orders",
    "open_order": "opened the order",
    "find_cancel": "found Cancel Order",
    "choose_reason": "chose a reason",
    "submit": "submitted",
}
_CODES = frozenset(
    word
    for words in (
        codes.ORDER_STATES,
        codes.ORDER_ENDS,
        codes.OUTCOMES,
        codes.PARTIES,
        codes.DECIDERS,
        codes.BLOCKERS,
        codes.REASONS,
        codes.REFUND_METHODS,
        codes.SIZE_TIERS,
        codes.STEPS,
        ("decided_later", "ended_otherwise", "open", *_WORDS),
    )
    for word in words
)
# Format characters that reorder or hide the text around them, and isolates that do not end
_REORDERING = frozenset("\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff")
_ISOLATES = frozenset("\u2066\u2067\u2068\u2069")


def label(word: str) -> str:
    """Return a code in words; anything that is no code (lower-case words) is returned as text.

    Examples
    --------
    >>> label("already_shipped"), label("auto_approved_timeout"), label("Shop_7")
    ('already shipped', 'approved by time-out', 'Shop_7')
    """
    if _is_code(word):
        return _WORDS.get(word, word.replace("_", " "))
    return plain(word)


def _is_code(word: str) -> bool:
    """Whether a word is a code: lower-case words joined by underscores, or one of the contract."""
    return word in _CODES or re.fullmatch(r"[a-z]+(_[a-z]+)+", word) is not None


def column_label(column: str) -> str:
    """Return the name of a column in words.

    Examples
    --------
    >>> column_label("payment_method"), column_label("is_cancellable_goods"), column_label("A $")
    ('payment method', 'cancellable goods', 'A $')
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", column):
        return plain(column)
    words = column.removeprefix("is_").removeprefix("has_")
    return re.sub(r"^n_", "number of ", words).replace("_", " ")


def plain(text: str) -> str:
    r"""Return text on one line, without control characters and without hidden reordering.

    Examples
    --------
    >>> plain("two\nlines\x00 and" + chr(0x202E) + " more")
    'two lines and more'
    """
    kept = (
        " " if char.isspace() else char
        for char in text
        if char.isspace()
        or not (unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn") or _hides(char))
    )
    return re.sub(" +", " ", "".join(kept)).strip()


def _hides(char: str) -> bool:
    return char in _REORDERING or char in _ISOLATES


def width(text: str) -> int:
    """Return how many columns text takes: wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def shorten(text: str, longest: int = LONGEST) -> str:
    """Return text cut to a width, with an ellipsis where something is missing.

    Examples
    --------
    >>> shorten("a very long name", 8)
    'a very…'
    """
    if width(text) <= longest:
        return text
    kept, taken = [], 0
    for char in text:
        taken += width(char)
        if taken > longest - 1:
            break
        kept.append(char)
    return "".join(kept).rstrip() + ELLIPSIS


def wrap(text: str, columns: int, lines: int = 2) -> str:
    """Return text on at most so many lines of about so many columns, cut where it is longer."""
    broken = textwrap.wrap(shorten(text, columns * lines), columns, break_long_words=True)
    if len(broken) > lines:
        broken = [*broken[: lines - 1], shorten(" ".join(broken[lines - 1 :]), columns)]
    return "\n".join(broken)


def is_missing(value: Any) -> bool:
    """Whether a group value is missing."""
    return value is None or value is pd.NaT or bool(pd.isna(value))


def value_label(value: Any) -> str:
    """Return one value of a group column in words, as on an axis that names the column."""
    if is_missing(value):
        return MISSING
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | float | np.integer | np.floating):
        return f"{value:g}" if isinstance(value, float | np.floating) else str(int(value))
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}" if value == value.normalize() else f"{value:%Y-%m-%d %H:%M}"
    return shorten(label(str(value)) or '""')


def group_label(values: Sequence[Any]) -> str:
    """Return the values of several group columns in words, as on an axis."""
    return ", ".join(value_label(value) for value in values)


def group_name(by: Sequence[str], values: Sequence[Any]) -> str:
    """Return a group as a sentence calls it: codes by themselves, other values with their column.

    Examples
    --------
    >>> group_name(["order_state", "seller_country"], ["packed", "DE"])
    'packed, seller country DE'
    >>> group_name(["is_cancellable_goods"], [False])
    'cancellable goods: no'
    """
    return ", ".join(_named(column, value) for column, value in zip(by, values, strict=True))


def _named(column: str, value: Any) -> str:
    if isinstance(value, str) and _is_code(value):
        return value_label(value)
    if is_missing(value) or isinstance(value, bool | np.bool_):
        return f"{column_label(column)}: {value_label(value)}"
    return f"{column_label(column)} {quoted(value)}"


def quoted(value: Any) -> str:
    """Return a value from the data inside a sentence: in quotes unless it is a simple word."""
    words = value_label(value)
    if isinstance(value, str) and _is_code(value):
        return words
    simple = not isinstance(value, str) or re.fullmatch(r"[\w.\-]+", words)
    return _isolated(words if simple else f"“{words}”")


def _isolated(text: str) -> str:
    """Right-to-left text keeps to itself; other text is unchanged."""
    rtl = any(unicodedata.bidirectional(char) in ("R", "AL") for char in text)
    return f"\u2068{text}\u2069" if rtl else text
