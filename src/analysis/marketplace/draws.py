"""Chance: every draw is a pure function of (seed, stream name, id).

A stream is a name such as ``"orders.paid"``, an id names the order, request or seller that the
luck belongs to. A draw is a hash of the two (the finaliser of SplitMix64, Steele, Lea and Flood
2014, keyed twice by BLAKE2b of seed and name), not the next number of a generator that somebody
advanced. So any slice of a market, by any worker in any chunk, is the same slice of the whole; a
new stream changes no old one; and luck can be drawn for only those orders that need it.
"""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.integer]
Floats = NDArray[np.floating]

SLOTS = 1 << 14  # resolution of tables of shares: they are kept to 1/16384
TILE = 1 << 14  # ids hashed at a time
KNOTS = 1 << 12  # resolution of tables of quantiles
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S11 = (np.uint64(s) for s in (27, 30, 31, 11))
_TO_SLOT = np.uint64(64 - 14)  # leaves log2(SLOTS) bits
_UNIT = 2.0**-53


@dataclass(frozen=True)
class Draws:
    """All the luck of one market.

    Every method takes the name of a stream and the ids to draw for, and returns one value per
    id; the same id in the same stream always has the same value.
    """

    seed: int

    def uniform(self, stream: str, ids: Ids) -> Floats:
        """Uniform in (0, 1), never 0 or 1."""
        u = np.empty(len(ids))
        for part, bits in _hashed(*_keys(self.seed, stream), ids):
            bits >>= _S11
            own = u[part]
            own[:] = bits.view(np.int64)
            own += 0.5
            own *= _UNIT
        return u

    def coin(self, stream: str, ids: Ids, share: float | Floats) -> NDArray[np.bool_]:
        """Return true with probability ``share``: where :meth:`uniform` is below it."""
        if not isinstance(share, int | float):
            return self.uniform(stream, ids) < share
        below = math.ceil(share / _UNIT - 0.5)  # of 2**53 equal steps
        if below >= 1 << 53:
            return np.ones(len(ids), bool)
        limit = np.uint64(max(below, 0) << 11)
        found = np.empty(len(ids), bool)
        for part, bits in _hashed(*_keys(self.seed, stream), ids):
            np.less(bits, limit, out=found[part])
        return found

    def normal(self, stream: str, ids: Ids) -> Floats:
        """Standard normal, by interpolation in a table of quantiles (within 3.7 of 0)."""
        return interpolated(_normal_quantiles(), self.uniform(stream, ids))

    def lognormal(
        self, stream: str, ids: Ids, median: float | Floats, sigma: float | Floats
    ) -> Floats:
        """Lognormal with ``median`` (in its unit) and ``sigma`` on the log scale."""
        z = self.normal(stream, ids)
        z *= sigma
        np.exp(z, out=z)
        z *= median
        return z

    def exponential(self, stream: str, ids: Ids, mean: float | Floats) -> Floats:
        """Exponential with ``mean`` (in its unit)."""
        u = self.uniform(stream, ids)
        np.log(u, out=u)
        u *= -mean
        return u

    def pick(
        self, stream: str, ids: Ids, table: NDArray[np.uint8], row: Ids | None = None
    ) -> NDArray[np.uint8]:
        """Index of a category, from :func:`share_table`; ``row`` selects the table's row."""
        flat, found = table.ravel(), np.empty(len(ids), table.dtype)
        for part, bits in _hashed(*_keys(self.seed, stream), ids):
            bits >>= _TO_SLOT
            slots = bits.view(np.int64)
            if row is not None:
                slots += np.multiply(row[part], SLOTS, dtype=np.int64)
            flat.take(slots, out=found[part], mode="clip")
        return found


def share_table(shares: object) -> NDArray[np.uint8]:
    """Lookup table for :meth:`Draws.pick`: ``SLOTS`` entries per row of ``shares``.

    Parameters
    ----------
    shares
        Weights of the categories, not negative; a list, or one list per row.
    """
    weights = np.atleast_2d(np.asarray(shares, float))
    ends = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    middles = (np.arange(SLOTS) + 0.5) / SLOTS
    last = np.array([np.flatnonzero(row)[-1] for row in weights])
    found = np.array([np.searchsorted(row, middles, side="right") for row in ends])
    return np.minimum(found, last[:, None]).astype(np.uint8)


def interpolated(table: Floats, u: Floats, row: Ids | None = None) -> Floats:
    """Value at ``u`` in (0, 1) of a table of quantiles at equal steps, linear in between.

    ``table`` has the quantiles in its last axis; ``row`` selects a row of a two-dimensional one.
    """
    steps = table.shape[-1] - 1
    flat = table.ravel()
    values = np.empty(len(u))
    for begin in range(0, len(u), TILE):
        part = slice(begin, begin + TILE)
        place = u[part] * steps
        knot = place.astype(np.intp)
        place -= knot
        if row is not None:
            knot += np.multiply(row[part], steps + 1, dtype=np.intp)
        value = values[part]
        flat.take(knot, out=value, mode="clip")
        knot += 1
        rise = flat.take(knot, mode="clip")
        rise -= value
        rise *= place
        value += rise
    return values


@functools.cache
def _normal_quantiles() -> Floats:
    from scipy.special import ndtri

    u = np.arange(KNOTS + 1) / KNOTS
    u[0], u[-1] = 0.5 / KNOTS, 1 - 0.5 / KNOTS  # the outermost knots stand for their half step
    return ndtri(u)


@functools.lru_cache(maxsize=1024)
def _keys(seed: int, stream: str) -> tuple[np.uint64, np.uint64]:
    digest = hashlib.blake2b(f"{seed}/{stream}".encode(), digest_size=16).digest()
    return tuple(np.frombuffer(digest, dtype="<u8"))


def _hashed(
    first: np.uint64, second: np.uint64, ids: Ids
) -> Iterator[tuple[slice, NDArray[np.uint64]]]:
    """64 well-mixed bits per id, tile by tile so that the work stays in the cache."""
    ids = np.asarray(ids, np.int64).view(np.uint64)
    z, shifted = np.empty((2, min(TILE, len(ids))), np.uint64)
    for begin in range(0, len(ids), TILE):
        part = slice(begin, min(begin + TILE, len(ids)))
        bits, moved = z[: part.stop - begin], shifted[: part.stop - begin]
        np.multiply(ids[part], _GOLDEN, out=bits)
        bits += first
        bits ^= np.right_shift(bits, _S30, out=moved)
        bits *= _MIX_1
        bits ^= second
        bits ^= np.right_shift(bits, _S27, out=moved)
        bits *= _MIX_2
        bits ^= np.right_shift(bits, _S31, out=moved)
        yield part, bits
