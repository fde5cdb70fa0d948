"""The plan of one market: everything that is resolved once, before any order is made.

A plan is small, can be pickled, and is all that a worker needs to make any block.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.contract import codes
from analysis.marketplace.clocks import (
    DAY,
    Window,
    WorkClock,
    make_window,
    make_work_clock,
    second_of_day_table,
)
from analysis.marketplace.draws import Draws, share_table
from analysis.marketplace.policy import Policy, load_policy
from analysis.marketplace.sellers import Sellers, make_sellers, n_sellers_for
from analysis.marketplace.text import Texts, make_texts
from analysis.marketplace.world import World, load_world

if TYPE_CHECKING:
    import pandas as pd

METHOD = {word: i for i, word in enumerate(codes.PAYMENT_METHODS)}
END = {word: i for i, word in enumerate(codes.ORDER_ENDS)}
REASON = {word: i for i, word in enumerate(codes.REASONS)}
OUTCOME = {word: i for i, word in enumerate(codes.OUTCOMES)}
STATE = {word: i for i, word in enumerate(codes.ORDER_STATES)}
BLOCKER = {word: i for i, word in enumerate(codes.BLOCKERS)}
DECIDER = {word: i for i, word in enumerate(codes.DECIDERS)}
PARTY = {word: i for i, word in enumerate(codes.PARTIES)}
RAIL = {word: i for i, word in enumerate(codes.REFUND_METHODS)}

SLOW_METHODS = ("bank_transfer", "cash_voucher", "money_transfer")
MAX_ORDERS = 2**44  # ids stay within int64
BLOCK = 262_144  # ordinary orders per block: one part of every table


@dataclass(frozen=True)
class Lookups:
    """World and policy as tables that code by code can be looked up in."""

    country: NDArray[np.uint8]  # share table
    method: NDArray[np.uint8]  # share table, a row per country
    category: NDArray[np.uint8]  # share table
    items: NDArray[np.uint8]  # share table
    buyer_kind: NDArray[np.uint8]  # share table
    deadline: NDArray[np.uint8]  # share table
    reasons: NDArray[np.uint8]  # share table: early, middle, waiting
    unpaid_reasons: NDArray[np.uint8]  # share table
    second_of_day: NDArray[np.float64]  # (countries, knots)
    deadline_seconds: NDArray[np.int32]
    is_reviewed: NDArray[np.bool_]  # by method
    is_slow: NDArray[np.bool_]  # by method
    method_odds: NDArray[np.float64]
    category_odds: NDArray[np.float64]
    buyer_odds: NDArray[np.float64]
    price_median: NDArray[np.float64]  # by category, US cents
    price_sigma: NDArray[np.float64]
    minor_per_cent: NDArray[np.float64]  # by country
    cancellable: NDArray[np.float64]  # by category
    is_domestic: NDArray[np.bool_]  # (seller country, buyer country)
    reason_code: NDArray[np.int8]  # of Asking.reasons
    unpaid_reason_code: NDArray[np.int8]
    is_seller_fault: NDArray[np.bool_]  # by reason code
    is_mistake: NDArray[np.bool_]  # by reason code


@dataclass(frozen=True)
class Plan:
    """One market: its size, rules, people and chance."""

    seed: int
    n_orders: int
    n_buyers: int
    block_orders: int  # ordinary orders per block
    as_of: int  # seconds since the window began
    world: World
    policy: Policy
    draws: Draws
    window: Window
    work_clock: WorkClock
    sellers: Sellers
    lookups: Lookups
    texts: Texts

    @property
    def n_blocks(self) -> int:
        """How many blocks the market has."""
        return -(-self.n_orders // self.block_orders)

    @property
    def as_of_moment(self) -> datetime:
        """When observation ends, UTC."""
        return datetime.fromtimestamp(self.window.start + self.as_of, UTC)

    def made_with(self) -> dict[str, int]:
        """Numbers that were resolved, for the manifest."""
        return {
            "seed": self.seed,
            "n_orders": self.n_orders,
            "n_buyers": self.n_buyers,
            "n_sellers": len(self.sellers),
        }


def make_plan(
    n_orders: int,
    *,
    seed: int,
    policy: str | Policy,
    world: str | World,
    as_of: str | pd.Timestamp | None = None,
    block_orders: int = BLOCK,
) -> Plan:
    """Resolve everything that a market needs.

    Parameters
    ----------
    n_orders
        Orders placed of their own accord; orders that replace a cancelled one come on top.
    seed
        Any integer; names the market's luck.
    policy, world
        Names of presets, or values.
    as_of
        When observation ends (without a zone: UTC); by default the end of the world's window.
    block_orders
        Ordinary orders per block; changes no order, only which part it is in.

    Raises
    ------
    ValueError
        A name is unknown, ``n_orders`` is not positive, or ``as_of`` is before the window.
    """
    if isinstance(n_orders, bool) or not 1 <= n_orders <= MAX_ORDERS:
        raise ValueError(f"n_orders must be from 1 to 2**44, got {n_orders}")
    if block_orders < 1:
        raise ValueError(f"block_orders must be at least 1, got {block_orders}")
    policy, world = load_policy(policy), load_world(world)
    draws = Draws(int(seed))
    window = make_window(world.calendar, draws)
    return Plan(
        seed=int(seed),
        n_orders=int(n_orders),
        n_buyers=max(1, round(n_orders * world.buyers.per_order)),
        block_orders=int(block_orders),
        as_of=_as_of_seconds(window, as_of),
        world=world,
        policy=policy,
        draws=draws,
        window=window,
        work_clock=make_work_clock(world.answering),
        sellers=make_sellers(world.sellers, n_sellers_for(world.sellers, n_orders), draws),
        lookups=make_lookups(world, policy),
        texts=make_texts(world, seed),
    )


def _as_of_seconds(window: Window, as_of: str | pd.Timestamp | None) -> int:
    if as_of is None:
        return window.end
    import pandas as pd  # a worker needs none of it, and it takes longer than all else to import

    moment = pd.Timestamp(as_of)
    moment = moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
    seconds = int(moment.timestamp()) - window.start
    if seconds < 0:
        began = pd.Timestamp(window.start, unit="s")
        raise ValueError(f"as_of must not be before the window, {began:%Y-%m-%d}, got {as_of}")
    return seconds


def make_lookups(world: World, policy: Policy) -> Lookups:
    """Turn world and policy into tables."""
    countries, goods, asking = world.buyers.countries, world.goods, world.asking
    mixes = [world.payments.mixes[c.payments] for c in countries]
    segments = (asking.early_shares, asking.middle_shares, asking.waiting_shares)
    return Lookups(
        country=share_table([c.share for c in countries]),
        method=share_table([[m.get(w, 0.0) for w in codes.PAYMENT_METHODS] for m in mixes]),
        category=share_table(goods.shares),
        items=share_table(goods.items_shares),
        buyer_kind=share_table(world.buyers.ask_odds_shares),
        deadline=share_table(policy.ship_deadline_shares),
        reasons=share_table(segments),
        unpaid_reasons=share_table(asking.unpaid_shares),
        second_of_day=second_of_day_table(world),
        deadline_seconds=np.round(np.asarray(policy.ship_deadline_days) * DAY).astype(np.int32),
        is_reviewed=_is_one_of(codes.PAYMENT_METHODS, policy.review_methods),
        is_slow=_is_one_of(codes.PAYMENT_METHODS, SLOW_METHODS),
        method_odds=np.array([world.payments.ask_odds.get(w, 1.0) for w in codes.PAYMENT_METHODS]),
        category_odds=np.asarray(goods.ask_odds),
        buyer_odds=np.asarray(world.buyers.ask_odds),
        price_median=np.asarray(goods.price_median_us_cents),
        price_sigma=np.asarray(goods.price_sigma),
        minor_per_cent=np.array([c.minor_per_us_cent for c in countries]),
        cancellable=np.asarray(goods.cancellable_share),
        is_domestic=np.array([[s == c.code for c in countries] for s in world.sellers.countries]),
        reason_code=np.array([REASON[w] for w in asking.reasons], np.int8),
        unpaid_reason_code=np.array([REASON[w] for w in asking.unpaid_reasons], np.int8),
        is_seller_fault=_is_one_of(codes.REASONS, asking.seller_fault),
        is_mistake=_is_one_of(codes.REASONS, world.reordering.mistakes),
    )


def _is_one_of(words: tuple[str, ...], wanted: tuple[str, ...]) -> NDArray[np.bool_]:
    return np.array([word in wanted for word in words])
