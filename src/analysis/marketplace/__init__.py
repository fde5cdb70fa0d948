"""The synthetic marketplace: rules, people, chance, and the tables and truth that come of them."""

from __future__ import annotations

from analysis.marketplace.market import make_block, make_market, make_truth
from analysis.marketplace.plan import BLOCK
from analysis.marketplace.policy import Policy, load_policy
from analysis.marketplace.world import World, load_world
from analysis.marketplace.writing import write_market

__all__ = [
    "BLOCK",
    "Policy",
    "World",
    "load_policy",
    "load_world",
    "make_block",
    "make_market",
    "make_truth",
    "write_market",
]
