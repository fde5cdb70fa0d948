"""Orders as they were when somebody asked to cancel, as columns: what the rules read.

Unit: one cancellation request. The rules themselves are those of the marketplace,
:data:`analysis.marketplace.blockers.RULES`; here is only what they need to know.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import ibis

from analysis.contract import codes
from analysis.marketplace.blockers import Moment
from analysis.sources import Tables, seconds_between
from analysis.sources.tables import is_success

if TYPE_CHECKING:
    import ibis.expr.types as ir

NEVER = 2**62  # seconds: later than every moment
NOT_ASKED = ("blocked", "instant_cancelled")  # outcomes of requests that reached no seller
END = {word: i for i, word in enumerate(codes.ORDER_ENDS)}


def with_earlier_requests(tables: Tables, frame: ir.Table) -> ir.Table:
    """Add ``is_open_before_`` and ``n_before_``: what the order's earlier requests came to.

    Parameters
    ----------
    tables
        Opened dataset.
    frame
        One row per request, with ``request_id``, ``order_id`` and ``requested_at``.

    Returns
    -------
    Table
        ``is_open_before_``: an earlier request of the order was still undecided; ``n_before_``:
        how many of the buyer's earlier ones had reached the seller.
    """
    names = ("order_id", "request_id", "requested_at", "decided_at", "outcome", "requested_by")
    others = tables.requests.select(*names)
    others = others.rename({f"other_{name}": name for name in names})
    own = frame.select("request_id", "order_id", "requested_at")
    pairs = own.inner_join(others, own.order_id == others.other_order_id)
    same_time = pairs.other_requested_at == pairs.requested_at
    earlier = (pairs.other_requested_at < pairs.requested_at) | (
        same_time & (pairs.other_request_id < pairs.request_id)
    )
    pairs = pairs.filter(earlier & (pairs.other_request_id != pairs.request_id))
    is_open = pairs.other_decided_at.isnull() | (pairs.other_decided_at > pairs.requested_at)
    reached = (pairs.other_requested_by == "buyer") & pairs.other_outcome.notin(NOT_ASKED)
    found = pairs.group_by("request_id").aggregate(
        is_open_before_=is_open.any(), n_before_=reached.sum()
    )
    joined = frame.left_join(found, "request_id", rname="{name}_before")
    return joined.mutate(
        is_open_before_=joined.is_open_before_.fill_null(False),
        n_before_=joined.n_before_.fill_null(0).cast("int64"),
    )


def with_moment(frame: ir.Table) -> tuple[ir.Table, Moment]:
    """Return the orders of ``frame`` as they were when its requests were made, as its columns.

    Parameters
    ----------
    frame
        One row per request with the columns of its order, from :func:`with_earlier_requests`.

    Returns
    -------
    frame
        The same rows with the columns of the moment.
    moment
        Columns of that frame, none of them ever missing; times are seconds from the request.

    Notes
    -----
    A moment that is not on record, and a column that the data lacks, never came; goods not marked
    otherwise can be cancelled. Two things are known only from ``order_state``: that payment was
    under review, and that a dispute was open. An order paid at the door counts as paid when it is
    placed, because it is on its way before any money moves, unless its state says that it still
    waits for payment. A request that cancelled the order
    found it not yet ended.
    """
    in_review = frame.order_state == "payment_review"
    is_confirmed = frame.order_state != "awaiting_payment"
    at_door = (frame.payment_method == "cash_on_delivery") & is_confirmed
    goods = ibis.literal(value=True)
    if "is_cancellable_goods" in frame.columns:
        goods = frame.is_cancellable_goods.fill_null(True)
    ended = _since_request(frame, "ended_at")
    times = {
        "paid": at_door.ifelse(*(_since_request(frame, c) for c in ("placed_at", "paid_at"))),
        **{
            word: _since_request(frame, f"{word}_at") for word in ("packed", "shipped", "delivered")
        },
        "disputed": (frame.order_state == "disputed").ifelse(0, NEVER),
        "ended": (is_success(frame) & (ended >= 0)).ifelse(NEVER, ended),
        "end": ibis.cases(*((frame.end_code == w, i) for w, i in END.items()), else_=-1),
        "is_cancellable": goods,
        "has_open_request": frame.is_open_before_,
        "n_before": frame.n_before_,
        "in_review": in_review,
    }
    frame = frame.mutate(**{f"{name}_": value for name, value in times.items()})
    paid = frame.in_review_.ifelse(ibis.least(frame.paid_, 0), frame.paid_)
    frame = frame.mutate(paid_=paid, cleared_=frame.in_review_.ifelse(NEVER, frame.paid_))
    own = {one.name: frame[f"{one.name}_"] for one in fields(Moment) if one.name != "at"}
    return frame, Moment(at=ibis.literal(0), **own)


def _since_request(frame: ir.Table, column: str) -> ir.IntegerValue:
    """Seconds from the request to the moment in ``column``, ``NEVER`` where it is not on record."""
    if column not in frame.columns:
        return ibis.literal(NEVER)
    return seconds_between(frame.requested_at, frame[column]).fill_null(NEVER).cast("int64")
