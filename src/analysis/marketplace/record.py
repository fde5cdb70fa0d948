"""The record: what of the lives is on file when observation ends, as columns of the contract.

What lies after ``as_of`` is absent: orders not yet placed, requests not yet made and refunds not
yet decided have no row; moments that have not come are empty; an undecided request is pending.
Moments are seconds since the window began, missing ones ``NEVER``; missing codes and ids are -1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.contract import codes
from analysis.marketplace.blockers import RULE_CODES
from analysis.marketplace.clocks import NEVER, or_never
from analysis.marketplace.life import Lives
from analysis.marketplace.orders import Times, is_cash_on_delivery
from analysis.marketplace.plan import OUTCOME, PARTY, Plan
from analysis.marketplace.requests import Requests

Columns = dict[str, NDArray]
_IS_LATER = np.array([*(word in codes.BLOCKERS_DECIDED_LATER for word in codes.BLOCKERS), False])


def record(plan: Plan, lives: Lives) -> dict[str, Columns]:
    """Columns of every table but ``sellers``, as observed at the plan's ``as_of``."""
    requests = _requests(plan, lives)
    return {
        "orders": _orders(plan, lives),
        "requests": requests,
        "blockers": _blockers(plan, lives.requests, requests),
        "refunds": _refunds(plan, lives),
        "steps": _steps(plan, lives),
    }


def _seen(moments: Times, until: int | Times) -> Times:
    """Moments that have come; the others never."""
    return or_never(moments, moments <= until)


def _orders(plan: Plan, lives: Lives) -> Columns:
    o, as_of = lives.orders, plan.as_of
    ended = _seen(o.ended, as_of)
    visible = np.minimum(o.ended, as_of)
    paid = _seen(o.paid, as_of)
    at_door = is_cash_on_delivery(o)
    delivered = _seen(o.delivered, as_of)
    columns = {
        "order_id": o.id,
        "buyer_id": o.buyer,
        "seller_id": o.seller,
        "placed_at": o.placed,
        "paid_at": np.where(at_door, delivered, paid) if at_door.any() else paid,
        "ship_by_at": or_never(o.ship_by, paid < NEVER),
        "packed_at": _seen(o.packed, visible),
        "shipped_at": _seen(o.shipped, as_of),
        "delivered_at": delivered,
        "ended_at": ended,
        "end_code": np.where(ended < NEVER, o.end, np.int8(-1)),
        "payment_method": o.method,
        "category": o.category,
        "buyer_country": o.country,
        "currency": o.country,
        "amount_minor": o.amount,
        "n_items": o.n_items,
        "is_cancellable_goods": o.is_cancellable,
        "replaces_order_id": o.replaces,
    }
    return kept(columns, o.placed <= as_of)


def kept(columns: Columns, keep: NDArray[np.bool_]) -> Columns:
    """Columns of the rows to ``keep``: mostly all."""
    if keep.all():
        return columns
    rows = np.flatnonzero(keep)
    return {name: values[rows] for name, values in columns.items()}


def _requests(plan: Plan, lives: Lives) -> Columns:
    made, o, as_of = lives.requests, lives.orders, plan.as_of
    decided = made.decided.at <= as_of
    columns = {
        "request_id": made.id,
        "order_id": o.id[made.row],
        "requested_at": made.at,
        "requested_by": made.by,
        "reason": made.reason,
        "reason_text": _texts(plan, lives),
        "order_state": made.state,
        "decided_at": _seen(made.decided.at, as_of),
        "decided_by": np.where(decided, made.decided.by, np.int8(-1)),
        "outcome": np.where(decided, made.decided.outcome, np.int8(OUTCOME["pending"])),
        "blocker": np.where(decided, made.decided.blocker, np.int8(-1)),
    }
    return kept(columns, made.at <= as_of)


def _texts(plan: Plan, lives: Lives) -> NDArray[np.int32]:
    """Index of what the buyer wrote, -1 for nothing."""
    made, texts = lives.requests, plan.texts
    writes = plan.draws.coin("requests.writes", made.id, plan.world.asking.text_share)
    writes &= made.by == PARTY["buyer"]
    pool = (lives.orders.country[made.row], made.true_reason)
    place = plan.draws.uniform("requests.text", made.id) * texts.reason_size[pool]
    index = texts.reason_first[pool] + place.astype(np.int64)
    return np.where(writes, index, -1).astype(np.int32)


def _blockers(plan: Plan, made: Requests, recorded: Columns) -> Columns:
    """All rules at submit, in order, and the one decided later."""
    request, rule = np.nonzero(made.applies & (made.at <= plan.as_of)[:, None])
    later = _IS_LATER[recorded["blocker"]]
    ids = np.concatenate([made.id[request], recorded["request_id"][later]])
    word = np.concatenate([RULE_CODES[rule], recorded["blocker"][later]])
    order = np.argsort(ids * len(codes.BLOCKERS) + word)
    ids, word = ids[order], word[order]
    place = np.arange(len(ids))
    begins = np.concatenate([[True], ids[1:] != ids[:-1]])[: len(ids)]
    rank = place - np.maximum.accumulate(np.where(begins, place, 0)) + 1
    return {"request_id": ids, "blocker": word, "rank": rank.astype(np.int32)}


def _refunds(plan: Plan, lives: Lives) -> Columns:
    legs, o, as_of = lives.refunds, lives.orders, plan.as_of
    columns = {
        "refund_id": legs.id,
        "order_id": o.id[legs.row],
        "request_id": legs.request,
        "method": legs.method,
        "currency": o.country[legs.row],
        "amount_minor": legs.amount,
        "started_at": _seen(legs.started, as_of),
        "credited_at": _seen(legs.credited, as_of),
        "n_failures": np.where(legs.credited <= as_of, legs.n_failures, 0),
    }
    return kept(columns, legs.decided <= as_of)


def _steps(plan: Plan, lives: Lives) -> Columns:
    steps, o = lives.steps, lives.orders
    columns = {
        "session_id": steps.session,
        "order_id": o.id[steps.row],
        "step": steps.step,
        "occurred_at": steps.at,
    }
    return kept(columns, steps.at <= plan.as_of)


def seller_columns(plan: Plan) -> Columns:
    """Columns of the table ``sellers``."""
    sellers, texts = plan.sellers, plan.texts
    ids = np.arange(len(sellers))
    place = plan.draws.uniform("sellers.name", ids) * texts.shop_size[sellers.country]
    return {
        "seller_id": ids,
        "seller_country": sellers.country,
        "opened_at": -sellers.opened,
        "size_tier": sellers.tier,
        "seller_name": texts.shop_first[sellers.country] + place.astype(np.int64),
    }


def vocabularies(plan: Plan) -> dict[tuple[str, str], tuple[str, ...]]:
    """Words that the indices of text columns stand for, by (table, column)."""
    countries = plan.world.buyers.countries
    currencies = tuple(c.currency for c in countries)
    return {
        ("sellers", "seller_country"): plan.world.sellers.countries,
        ("sellers", "seller_name"): plan.texts.shop_names,
        ("orders", "category"): plan.world.goods.categories,
        ("orders", "buyer_country"): tuple(c.code for c in countries),
        ("orders", "currency"): currencies,
        ("refunds", "currency"): currencies,
        ("requests", "reason_text"): plan.texts.reasons,
    }
