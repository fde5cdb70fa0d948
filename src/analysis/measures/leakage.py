"""When each column is known, so that nothing is explained by what came after it.

A column that is filled in only after the outcome (``decided_by``, ``ended_at``, ``shipped_at``)
goes with the outcome whatever the cause: a model that may look at it finds the future. Measures
that relate circumstances to an outcome ask here first.
"""

from __future__ import annotations

from collections.abc import Iterable

from analysis.contract import GroupError
from analysis.sources.tables import as_names

MOMENTS = {  # name -> in words; each is no earlier than the one before it
    "ordering": "when the order is placed",
    "asking": "when the request is made",
    "deciding": "when the request is decided",
    "refunding": "when the refund is booked",
    "afterwards": "only afterwards",
}

_PAYING = "when the order is paid, which may be after asking"
_HANDLING = "when it happens, which may be after asking, deciding and refunding"
_ENDING = "when the order ends, which may be after deciding and refunding"

# column -> moment from which it is always known
KNOWN_AT = {
    **dict.fromkeys(
        ("seller_id", "seller_country", "opened_at", "size_tier", "seller_name"), "ordering"
    ),
    **dict.fromkeys(
        ("order_id", "buyer_id", "placed_at", "payment_method", "category", "buyer_country"),
        "ordering",
    ),
    **dict.fromkeys(
        ("currency", "amount_minor", "n_items", "is_cancellable_goods", "replaces_order_id"),
        "ordering",
    ),
    "weight": "ordering",
    **dict.fromkeys(
        ("request_id", "requested_at", "requested_by", "reason", "reason_text", "order_state"),
        "asking",
    ),
    **dict.fromkeys(("session_id", "step", "occurred_at", "seller_age", "order_age"), "asking"),
    **dict.fromkeys(
        ("decided_at", "decided_by", "outcome", "blocker", "rank", "due_since"), "deciding"
    ),
    **dict.fromkeys(("paid_at", "ship_by_at", "refund_id", "method"), "refunding"),
    **dict.fromkeys(("packed_at", "shipped_at", "delivered_at"), "afterwards"),
    **dict.fromkeys(("ended_at", "end_code"), "afterwards"),
    **dict.fromkeys(("started_at", "credited_at", "n_failures"), "afterwards"),
}
# where the moment's own words would mislead
_WORDS = {
    **dict.fromkeys(("paid_at", "ship_by_at"), _PAYING),
    **dict.fromkeys(("packed_at", "shipped_at", "delivered_at"), _HANDLING),
    **dict.fromkeys(("ended_at", "end_code"), _ENDING),
}


def require_known_before(columns: Iterable[str], *, moment: str) -> list[str]:
    """Refuse columns that are known only after ``moment``; return those that nobody can vouch for.

    Parameters
    ----------
    columns
        Columns of the contract, classes made of them (``order_age``, ``seller_age``), or
        the data's own.
    moment
        One of ``MOMENTS``: what is to be explained begins then, and only what is known by then
        may explain it.

    Returns
    -------
    list of str
        The columns that the contract does not know, each once, in order: taken on trust, and to
        be named as such.

    Raises
    ------
    GroupError
        A column is known only later. The message names all of them, when each is known, and what
        is allowed.
    ValueError
        ``moment`` is unknown.

    Examples
    --------
    >>> require_known_before(["reason", "payment_method", "colour"], moment="asking")
    ['colour']
    >>> require_known_before(["reason", "decided_by"], moment="asking")
    ... # doctest: +ELLIPSIS +NORMALIZE_WHITESPACE
    Traceback (most recent call last):
    analysis.contract.errors.GroupError: what is known only later cannot ...:
      decided_by is known when the request is decided
    allowed are seller_id, ..., order_age, and columns that are not in the contract
    """
    if moment not in MOMENTS:
        raise ValueError(f"moment must be one of {', '.join(MOMENTS)}, got {moment!r}")
    columns = as_names(columns)
    late = [column for column in columns if not _is_known(column, moment)]
    if late:
        allowed = ", ".join(column for column in KNOWN_AT if _is_known(column, moment))
        raise GroupError(
            f"what is known only later cannot explain what begins {MOMENTS[moment]}:\n"
            + "\n".join(f"  {column} is known {known_when(column)}" for column in late)
            + f"\nallowed are {allowed}, and columns that are not in the contract"
        )
    return [column for column in columns if column not in KNOWN_AT]


def known_when(column: str) -> str:
    """Return in words from when a column is known.

    Examples
    --------
    >>> known_when("outcome")
    'when the request is decided'
    >>> known_when("paid_at")
    'when the order is paid, which may be after asking'
    """
    return _WORDS.get(column, MOMENTS[KNOWN_AT[column]])


def _is_known(column: str, moment: str) -> bool:
    """Whether a column is known by then; what is not in the contract is taken on trust."""
    order = list(MOMENTS)
    return order.index(KNOWN_AT.get(column, "ordering")) <= order.index(moment)
