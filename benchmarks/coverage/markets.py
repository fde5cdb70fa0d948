"""Synthetic marketplaces, many small ones in one dataset, and what they are draws of.

Every small market has sellers, buyers and luck of its own. The truth is taken from one large
market with other luck, followed to the end of every history with the ``truth/`` beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from unittest import mock

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.contract import TABLES, codes
from analysis.marketplace import load_policy, load_world, make_market, make_truth
from analysis.marketplace.text import make_texts
from analysis.sources import Tables, open_tables

AS_OF = pd.Timestamp("2025-12-01", tz="UTC")
ORDERS = 4_000
MARKETS = 1_000
IDS = 10_000_000  # more than any table of a small market has rows
LEFT_OUT = ("steps",)  # the largest table; no study here reads it
DAY = pd.Timedelta(days=1)
HOURS_OF_HORIZON = 720
SEED_OF_TRUTH, ORDERS_OF_TRUTH = 99, 1_000_000


def side_by_side(seeds: Sequence[int], n_orders: int = ORDERS) -> Tables:
    """Open many small markets as one dataset, orders labelled with their ``market``.

    They share their pools of words, which take longer to make than a small market and which
    nothing here reads.
    """
    policy, world = load_policy("aliexpress"), load_world("aliexpress")
    markets = []
    words = make_texts(world, seeds[0])
    for seed in seeds:
        with mock.patch("analysis.marketplace.plan.make_texts", return_value=words):
            frames = make_market(n_orders, seed=seed, policy=policy, world=world, as_of=AS_OF)
        frames = {name: frame for name, frame in frames.items() if name not in LEFT_OUT}
        markets.append({name: _labelled(name, frame, seed) for name, frame in frames.items()})
    joined = {name: pa.concat_tables([m[name] for m in markets]) for name in markets[0]}
    return open_tables(joined, as_of=AS_OF)


def _labelled(name: str, frame: pa.Table, seed: int) -> pa.Table:
    for column in (c.name for c in TABLES[name].columns if c.kind == "id"):
        position = frame.column_names.index(column)
        frame = frame.set_column(position, column, pc.add(frame[column], seed * IDS))
    if name == "orders":
        frame = frame.append_column("market", pa.array(np.full(frame.num_rows, seed)))
    return frame


class Truth:
    """One large market with complete histories, in pandas: nothing of the measures is used."""

    def __init__(self, n_orders: int = ORDERS_OF_TRUTH, seed: int = SEED_OF_TRUTH) -> None:
        self._frames = make_market(n_orders, seed=seed, as_of=AS_OF)
        self._truth = make_truth(n_orders, seed=seed, as_of=AS_OF)

    def value(self, name: str, **labels: str | None) -> float:
        """Read a published true value; ``method=None`` is that of all methods together."""
        found = pd.DataFrame(self._truth["truth/estimands"]).query("name == @name")
        for label, value in labels.items():
            found = found[found[label].isna() if value is None else found[label] == value]
        (row,) = found.itertuples()
        return float(row.value)

    @cached_property
    def orders(self) -> pd.DataFrame:
        """Orders on record."""
        columns = ["order_id", "seller_id", "placed_at", "paid_at", "shipped_at", "ended_at"]
        return self._frames["orders"].select(columns).to_pandas()

    @cached_property
    def requests(self) -> pd.DataFrame:
        """Buyers' requests at least a horizon old, with their end and the hours until it."""
        frame = self._frames["requests"].drop_columns(["reason_text"]).to_pandas()
        frame = frame.merge(self._truth["truth/requests"].to_pandas(), on="request_id")
        took = frame.eventual_decided_at - frame.requested_at
        frame = frame.assign(took_hours=took.dt.total_seconds() / 3600)
        old = frame.requested_at <= AS_OF - pd.Timedelta(hours=HOURS_OF_HORIZON)
        return frame[(frame.requested_by == "buyer") & old]

    @cached_property
    def success(self) -> pd.Series:
        """Whether each mature request worked within the horizon."""
        in_time = self.requests.took_hours <= HOURS_OF_HORIZON
        return self.requests.eventual_outcome.isin(codes.SUCCESS) & in_time

    def request_rate(self) -> float:
        """Share of orders paid a horizon ago whose buyer asked within it."""
        horizon = pd.Timedelta(hours=HOURS_OF_HORIZON)
        paid = self.orders[self.orders.paid_at <= AS_OF - horizon]
        requests = self._frames["requests"].select(["order_id", "requested_by", "requested_at"])
        asked = requests.to_pandas().merge(paid, on="order_id")
        wait = asked.requested_at - asked.paid_at
        within = (wait >= 0 * DAY) & (wait <= horizon) & (asked.requested_by == "buyer")
        return float(asked.order_id[within].nunique() / len(paid))
