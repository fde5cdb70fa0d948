"""The synthetic marketplace in memory: all of it, or one block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analysis.contract import TABLES
from analysis.marketplace.estimands import Sums, add, estimands, sums_of
from analysis.marketplace.frames import contract_table, plain_table
from analysis.marketplace.life import Lives, live, live_ordinary, replacements
from analysis.marketplace.orders import together
from analysis.marketplace.plan import BLOCK, Plan, make_plan
from analysis.marketplace.policy import Policy
from analysis.marketplace.record import record, seller_columns
from analysis.marketplace.truth import WORDS, buyer_truth, seller_sums, seller_truth, truth_of
from analysis.marketplace.world import World

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 262_144  # ordinary orders made at a time; changes no row, only bounds memory
KEPT_BYTES = 30 << 20  # glibc learns from pieces of up to 32 << 20


@dataclass
class Block:
    """One block of a market: its tables, its truth, and what is summed over blocks."""

    tables: dict[str, pa.Table]
    truth: dict[str, pa.Table]
    sums: Sums
    seller_sums: NDArray[np.float64]


def build_block(plan: Plan, index: int, *, chunk: int = CHUNK) -> Block:
    """Make block ``index`` of a planned market: ordinary orders first, then replacements."""
    if not 0 <= index < plan.n_blocks:
        raise ValueError(f"index must be from 0 to {plan.n_blocks - 1}, got {index}")
    _keep_freed_memory()
    first = index * plan.block_orders
    last = min(first + plan.block_orders, plan.n_orders)
    files, again = _Files(plan), []
    for begin in range(first, last, chunk):
        lives = live_ordinary(plan, begin, min(begin + chunk, last))
        files.put(lives)
        again.append(replacements(plan, lives))
    files.put(live(plan, together(again)))
    made = files.joined()
    buyers = [round(plan.n_buyers * edge / plan.n_orders) for edge in (first, last)]
    truth = {name: made.pop(name) for name in list(made) if name not in TABLES}
    truth["truth/buyers"] = plain_table(plan, buyer_truth(plan, *buyers), {})
    return Block(made, truth, files.sums or {}, files.seller_sums)


def _keep_freed_memory() -> None:
    """Let the process keep freed memory for the next chunk and block.

    Once it has freed so large a piece (which nobody touches), glibc no longer hands freed memory
    back to the system bit by bit, to ask for it again and have it cleared a moment later (notes
    on ``M_MMAP_THRESHOLD`` in mallopt(3)). Elsewhere nothing happens.
    """
    np.empty(KEPT_BYTES, np.uint8)


class _Files:
    """What one block puts on file, lives after lives."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.parts: list[dict[str, pa.Table]] = []
        self.sums: Sums | None = None
        self.seller_sums = np.zeros((3, len(plan.sellers)))

    def put(self, lives: Lives) -> None:
        """Put lives on file and add up what is summed."""
        tables, truth = record(self.plan, lives), truth_of(self.plan, lives)
        self.parts.append(
            {name: contract_table(self.plan, name, columns) for name, columns in tables.items()}
            | {name: plain_table(self.plan, columns, WORDS) for name, columns in truth.items()}
        )
        self.sums = add(self.sums, sums_of(self.plan, lives))
        self.seller_sums += seller_sums(self.plan, lives)

    def joined(self) -> dict[str, pa.Table]:
        """Return every table, its rows in the order in which lives were put."""
        return {
            name: pa.concat_tables([part[name] for part in self.parts]) for name in self.parts[0]
        }


def sellers_table(plan: Plan) -> pa.Table:
    """Return the table ``sellers`` of a market."""
    return contract_table(plan, "sellers", seller_columns(plan))


def make_market(
    n_orders: int = 10_000,
    *,
    seed: int = 7,
    policy: str | Policy = "aliexpress",
    world: str | World = "aliexpress",
    as_of: str | pd.Timestamp | None = None,
) -> dict[str, pa.Table]:
    """Make a synthetic marketplace.

    Parameters
    ----------
    n_orders
        Orders placed of their own accord in the world's window; orders that replace a cancelled
        one come on top.
    seed
        Any integer. The same seed, world and policy give the same tables; two policies with the
        same seed and world give the same people with the same luck.
    policy, world
        Names of presets, or values (``dataclasses.replace(load_policy("aliexpress"), ...)``).
    as_of
        When observation ends; by default the end of the window. What lies after it is absent.

    Returns
    -------
    dict
        ``sellers, orders, requests, blockers, refunds, steps`` as Arrow tables of the contract,
        for ``open_tables(..., as_of=...)``.

    Raises
    ------
    ValueError
        A preset is unknown, or a number is out of range.
    """
    plan = make_plan(n_orders, seed=seed, policy=policy, world=world, as_of=as_of)
    blocks = [build_block(plan, i).tables for i in range(plan.n_blocks)]
    made = {name: pa.concat_tables([block[name] for block in blocks]) for name in blocks[0]}
    return {name: sellers_table(plan) if name == "sellers" else made[name] for name in TABLES}


def make_truth(
    n_orders: int = 10_000,
    *,
    seed: int = 7,
    policy: str | Policy = "aliexpress",
    world: str | World = "aliexpress",
    as_of: str | pd.Timestamp | None = None,
) -> dict[str, Any]:
    """Return the truth beside the tables that :func:`make_market` gives for the same arguments.

    Returns
    -------
    dict
        ``truth/requests``, ``truth/refunds``, ``truth/sellers``, ``truth/buyers`` as Arrow
        tables, and ``truth/estimands`` as a list of dicts.
    """
    plan = make_plan(n_orders, seed=seed, policy=policy, world=world, as_of=as_of)
    blocks = [build_block(plan, i) for i in range(plan.n_blocks)]
    truth: dict[str, Any] = {
        name: pa.concat_tables([block.truth[name] for block in blocks]) for name in blocks[0].truth
    }
    sums: Sums | None = None
    for block in blocks:
        sums = add(sums, block.sums)
    by_seller = sum(block.seller_sums for block in blocks)
    truth["truth/sellers"] = plain_table(plan, seller_truth(plan, by_seller), {})
    truth["truth/estimands"] = estimands(sums or {})
    return truth


def make_block(
    index: int,
    n_orders: int,
    *,
    seed: int = 7,
    policy: str | Policy = "aliexpress",
    world: str | World = "aliexpress",
    as_of: str | pd.Timestamp | None = None,
    block_orders: int = BLOCK,
) -> dict[str, pa.Table]:
    """Make one block of the market of ``n_orders``, the same rows as in the whole.

    A block is ``block_orders`` ordinary orders, the orders that replace some of them, and all
    that came of both; ``sellers`` belongs to no block.

    Raises
    ------
    ValueError
        There is no such block, or as :func:`make_market`.
    """
    plan = make_plan(
        n_orders, seed=seed, policy=policy, world=world, as_of=as_of, block_orders=block_orders
    )
    return build_block(plan, index).tables
