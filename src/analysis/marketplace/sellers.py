"""Sellers: how many, how big, and the traits in which they differ.

All sellers are made once for a market (there are few of them beside the orders) and handed to
every worker. Draws are keyed by the seller's index.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.marketplace.clocks import DAY, HOUR
from analysis.marketplace.draws import Draws, Ids, share_table
from analysis.marketplace.world import SellerTraits

LARGE = 4.0  # times the mean volume from which a seller is large
MEDIUM = 0.8


@dataclass(frozen=True)
class Sellers:
    """Arrays with one element per seller, the largest first, and the table to draw one from."""

    volume: NDArray[np.float64]  # share of all orders
    country: NDArray[np.uint8]  # index into SellerTraits.countries
    utc_offset: NDArray[np.int64]  # seconds
    opened: NDArray[np.int64]  # seconds before the window began
    tier: NDArray[np.int8]  # index into codes.SIZE_TIERS
    handling_x: NDArray[np.float32]  # times the median handling time
    response_x: NDArray[np.float32]  # times the median response time
    answers: NDArray[np.float64]  # (sellers, 4): approve, reject, ship over, stay silent
    stock_out: NDArray[np.float32]  # share of paid orders that the seller cancels
    alias_share: NDArray[np.float32]
    alias: NDArray[np.int32]

    def __len__(self) -> int:
        """Return the number of sellers."""
        return len(self.volume)

    def pick(self, draws: Draws, stream: str, ids: Ids) -> NDArray[np.int32]:
        """Draw a seller for each of ``ids``, by volume (alias method, Walker 1977)."""
        place = draws.uniform(stream, ids)
        place *= len(self)
        column = place.astype(np.int32)
        place -= column
        return np.where(place < self.alias_share.take(column), column, self.alias.take(column))


def n_sellers_for(traits: SellerTraits, n_orders: int) -> int:
    """Return how many sellers a market of ``n_orders`` has."""
    return max(traits.at_least, round(n_orders / traits.orders_per_seller))


def make_sellers(traits: SellerTraits, n_sellers: int, draws: Draws) -> Sellers:
    """Make all sellers of a market."""
    ids = np.arange(n_sellers)
    volume = _volumes(traits, n_sellers)
    alias_share, alias = _alias_table(volume)
    country = draws.pick("sellers.country", ids, share_table(traits.country_shares))
    offsets = (np.asarray(traits.country_utc_offset_hours) * HOUR).astype(np.int64)
    age = draws.uniform("sellers.opened", ids) * traits.oldest_shop_years * 365 * DAY
    return Sellers(
        volume=volume,
        country=country,
        utc_offset=offsets[country],
        opened=age.astype(np.int64),
        tier=_tiers(volume),
        handling_x=_spread(draws, "sellers.handling", ids, traits.handling_log_sd),
        response_x=_spread(draws, "sellers.response", ids, traits.response_log_sd),
        answers=_answers(traits, ids, draws),
        stock_out=_stock_outs(traits, ids, draws),
        alias_share=alias_share,
        alias=alias,
    )


def _volumes(traits: SellerTraits, n_sellers: int) -> NDArray[np.float64]:
    """Zipf by rank, none above ``largest_share`` (as far as so few sellers can keep to it)."""
    volume = (np.arange(n_sellers) + 1.0) ** -traits.volume_power
    volume /= volume.sum()
    most = max(traits.largest_share, 1.0 / n_sellers)
    for _ in range(n_sellers):
        capped = volume >= most
        rest = volume[~capped].sum()
        if rest == 0 or volume.max() <= most * (1 + 1e-12):
            break
        volume = np.where(capped, most, volume * ((1 - most * capped.sum()) / rest))
    return volume / volume.sum()


def _tiers(volume: NDArray[np.float64]) -> NDArray[np.int8]:
    relative = volume * len(volume)
    tier = np.searchsorted([MEDIUM, LARGE], relative, side="right")
    return tier.astype(np.int8)


def _spread(draws: Draws, stream: str, ids: Ids, sd: float) -> NDArray[np.float32]:
    return np.exp(sd * draws.normal(stream, ids)).astype(np.float32)


def _answers(traits: SellerTraits, ids: Ids, draws: Draws) -> NDArray[np.float64]:
    """Dirichlet shares, from gamma quantiles."""
    from scipy.special import gammaincinv

    columns = []
    for i, mean in enumerate(traits.answer_shares):
        shape = max(mean * traits.answer_concentration, 1e-3)
        columns.append(gammaincinv(shape, draws.uniform(f"sellers.answers.{i}", ids)))
    weights = np.maximum(np.stack(columns, axis=1), 1e-6)
    return weights / weights.sum(axis=1, keepdims=True)


def _stock_outs(traits: SellerTraits, ids: Ids, draws: Draws) -> NDArray[np.float32]:
    from scipy.special import betaincinv

    a = traits.stock_out_share * traits.stock_out_concentration
    b = (1 - traits.stock_out_share) * traits.stock_out_concentration
    return betaincinv(a, b, draws.uniform("sellers.stock_out", ids)).astype(np.float32)


def _alias_table(volume: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Walker's table: seller i is drawn in column i with ``share[i]``, else ``alias[i]``."""
    n = len(volume)
    scaled = (volume * n).tolist()
    alias = list(range(n))
    small = [i for i, v in enumerate(scaled) if v < 1]
    large = [i for i, v in enumerate(scaled) if v >= 1]
    while small and large:
        low, high = small.pop(), large[-1]
        alias[low] = high
        scaled[high] -= 1 - scaled[low]
        if scaled[high] < 1:
            small.append(large.pop())
    for i in small + large:
        scaled[i] = 1.0
    return np.asarray(scaled, np.float32), np.asarray(alias, np.int32)
