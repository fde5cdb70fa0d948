"""Do some sellers' buyers declare other reasons than such requests make expect.

A seller that is at fault gains if its buyers declare that they changed their mind. Then that
reason is too frequent and the seller's own faults are too rare, beside other sellers whose buyers
asked in the same situation. Unit: one seller and one reason; an order counts with the first
request of its buyer, since who asks again declares the same again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import ibis
import numpy as np
import pandas as pd

from analysis import stats
from analysis.contract import codes
from analysis.measures.case_mix import SELLER, mix_columns, with_mix
from analysis.measures.counting import alike, groups_of, requests_of
from analysis.sources import Tables, collect

if TYPE_CHECKING:
    import ibis.expr.types as ir

REASON = "reason"


def reason_gaming(
    tables: Tables, *, adjust_for: Sequence[str] | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Share of each declared reason among a seller's orders, beside what is expected of it.

    Parameters
    ----------
    tables
        Opened dataset; needs ``requests``, and ``orders`` with ``seller_id``.
    adjust_for
        Columns of requests, orders or sellers that make requests alike, as in
        :func:`analysis.seller_funnel`; not ``reason``.
    level
        Confidence level of the limits; departures are found at a false discovery rate of
        ``1 - level``.

    Returns
    -------
    DataFrame
        One row per seller and reason that any buyer declared, sellers with most orders first,
        reasons in the order of ``codes.REASONS``: ``seller_id, reason, estimate, ci_low, ci_high,
        expected_share, difference, spread, p_value, q_value, is_outlier, n, n_events, interval``.
        ``n`` are the orders of the seller that their buyers asked to cancel, ``estimate`` the
        share of them whose first request declares the reason, with Wilson limits, ``difference``
        estimate minus expected. ``spread`` is the correlation of the reasons of one seller's
        buyers that is common to all sellers. ``p_value`` and ``q_value`` are missing where less
        than one order with that reason is expected.

    Raises
    ------
    MissingData
        Orders have no ``seller_id``, or a column in ``adjust_for`` is in none of the tables.
    ValueError
        ``adjust_for`` holds ``reason``.

    Notes
    -----
    :func:`analysis.stats.mix_departures`; false discovery rate by Benjamini and Hochberg over all
    tested sellers and reasons. Young requests count too: a reason is declared at once. A
    departure shows that reasons differ, not who made them differ. In a synthetic market where 4 of
    10 faults of sellers are declared as a change of mind, of 7 sellers with 150 orders or more
    whose buyers hide every fault 4 are found, with 1 other; of smaller ones hardly any.
    """
    tables.need("orders", SELLER, by="reason_gaming")
    frame, _ = requests_of(
        tables,
        [SELLER, REASON],
        "buyer",
        needed_by="reason_gaming",
        columns=mix_columns(adjust_for),
    )
    frame, mix = with_mix(tables, frame, adjust_for, needed_by="reason_gaming")
    if REASON in mix:
        raise ValueError("adjust_for must not hold reason: it is what is compared")
    keys = [SELLER, *(column for column in mix if column != SELLER)]
    frame = _first_of_each_order(frame)
    known = frame.filter(frame.seller_id.notnull() & frame.reason.notnull())
    counted = known.group_by(*keys, REASON).aggregate(n=known.count())
    return _table(*_departures(counted, keys), level)


def _first_of_each_order(requests: ir.Table) -> ir.Table:
    """Keep the first request of each order: who asks again declares the same again."""
    by_time = [requests.requested_at, requests.request_id]
    place = ibis.row_number().over(group_by=requests.order_id, order_by=by_time)
    return requests.mutate(place_=place).filter(lambda t: t.place_ == 0)


def _departures(
    counted: ir.Table, keys: list[str]
) -> tuple[pd.DataFrame, list[str], stats.MixDepartures]:
    """Return the sellers, the reasons, and how far they depart."""
    mixes = _mixes(counted, keys)
    n_groups = len(mixes.sellers)
    found = stats.mix_departures(mixes.seller, mixes.cell, mixes.counts, n_groups=n_groups)
    return mixes.sellers, mixes.words, found


class _Mixes(NamedTuple):
    """Counts of reasons: one row per seller and cell of requests that are alike."""

    sellers: pd.DataFrame  # those with most requests first
    words: list[str]
    seller: np.ndarray
    cell: np.ndarray
    counts: np.ndarray  # rows x words


def _mixes(counted: ir.Table, keys: list[str]) -> _Mixes:
    """Count in a place of its own: of very many sellers, what leads here is large."""
    counts = collect(counted, in_words=False)
    order = {word: place for place, word in enumerate(codes.REASONS)}
    words = sorted(counts[REASON].unique(), key=lambda word: (order.get(word, len(order)), word))
    word = counts[REASON].map({w: i for i, w in enumerate(words)}).to_numpy(np.int64)
    sellers, cells = groups_of(counts, keys[:1]), groups_of(counts, keys[1:])
    n = np.bincount(sellers.index, counts["n"], sellers.n)
    largest = np.lexsort((np.arange(sellers.n), -n))
    seller = np.argsort(largest)[sellers.index]
    row, number = alike(seller, cells.index)
    wide = np.bincount(number * len(words) + word, counts["n"], len(row) * len(words))
    wide = wide.reshape(len(row), len(words))
    frame = sellers.frame.iloc[largest].reset_index(drop=True)
    return _Mixes(frame, words, seller[row], cells.index[row], wide)


def _table(
    sellers: pd.DataFrame, words: list[str], found: stats.MixDepartures, level: float
) -> pd.DataFrame:
    """One row per seller and reason."""
    k, q_value = found.observed, stats.q_values(found.p_value)
    n = np.broadcast_to(k.sum(axis=1)[:, None], k.shape)
    low, high = stats.wilson(k, n, level=level)
    columns = {
        "estimate": k / n,
        "ci_low": low,
        "ci_high": high,
        "expected_share": found.expected / n,
        "difference": (k - found.expected) / n,
        "spread": np.full(k.shape, found.correlation),
        "p_value": found.p_value,
        "q_value": q_value,
        "is_outlier": q_value <= 1 - level,
        "n": n.astype(np.int64),
        "n_events": k.astype(np.int64),
    }
    table = sellers.iloc[np.repeat(np.arange(len(sellers)), len(words))].reset_index(drop=True)
    number = np.tile(np.arange(len(words)), len(sellers))
    reason = {REASON: pd.array(words, dtype="str").take(number)}
    numbers = {name: values.ravel() for name, values in columns.items()}
    own = pd.DataFrame(reason | numbers, copy=False)  # of very many sellers they are large
    return pd.concat([table, own], axis=1).assign(interval="Wilson")
