"""Orders as they were when somebody asked to cancel, as columns: what the rules read.

Unit: one cancellation request. The rules themselves are those of the marketplace,
:data:`analysis.marketplace.blockers.RULES`; here is only what they need to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from analysis.contract import codes
from analysis.marketplace.blockers import Moment
from analysis.sources import Tables
from analysis.sources.engine import epoch_seconds
from analysis.sources.tables import is_success

if TYPE_CHECKING:
    import ibis.expr.types as ir

OF_THE_ORDER = ("placed_at", "paid_at", "packed_at", "shipped_at", "delivered_at", "ended_at")
OF_THE_ORDER += ("end_code", "payment_method", "is_cancellable_goods")  # that a moment is made of
NEVER = 2**62  # later than every moment, in seconds since 1970
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


def moment_of(frame: ir.Table) -> Moment:
    """Return the orders of ``frame`` as they were when its requests were made.

    Parameters
    ----------
    frame
        One row per request with the columns of its order, from :func:`with_earlier_requests`.

    Returns
    -------
    Moment
        Expressions of ``frame``, none of them ever missing.

    Notes
    -----
    A moment that is not on record, and a column that the data lacks, never came; goods not marked
    otherwise can be cancelled. Two things are known only from ``order_state``: that payment was
    under review, and that a dispute was open. An order paid at the door counts as paid when it is
    placed, because it is on its way before any money moves, unless its state says that it still
    waits for payment. A request that cancelled the order
    found it not yet ended.
    """
    at = epoch_seconds(frame.requested_at)
    in_review = frame.order_state == "payment_review"
    paid = _at(frame, "paid_at")
    is_confirmed = frame.order_state != "awaiting_payment"
    at_door = (frame.payment_method == "cash_on_delivery") & is_confirmed
    paid = at_door.ifelse(_at(frame, "placed_at"), paid)
    paid = in_review.ifelse(ibis.least(paid, at), paid)
    ended = _at(frame, "ended_at")
    ends_it = is_success(frame) & (ended >= at)
    goods = ibis.literal(value=True)
    if "is_cancellable_goods" in frame.columns:
        goods = frame.is_cancellable_goods.fill_null(True)
    return Moment(
        at=at,
        paid=paid,
        cleared=in_review.ifelse(NEVER, paid),
        packed=_at(frame, "packed_at"),
        shipped=_at(frame, "shipped_at"),
        delivered=_at(frame, "delivered_at"),
        disputed=(frame.order_state == "disputed").ifelse(at, NEVER),
        ended=ends_it.ifelse(NEVER, ended),
        end=ibis.cases(*((frame.end_code == w, i) for w, i in END.items()), else_=-1),
        is_cancellable=goods,
        has_open_request=frame.is_open_before_,
        n_before=frame.n_before_,
    )


def _at(frame: ir.Table, column: str) -> ir.IntegerValue:
    """Seconds since 1970, ``NEVER`` where it is not on record."""
    if column not in frame.columns:
        return ibis.literal(NEVER)
    return epoch_seconds(frame[column]).fill_null(NEVER).cast("int64")
