"""Circumstances of a request as levels: classes of what is continuous, rare values pooled.

Unit: one row of counts by the values of the circumstances.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import ibis
import numpy as np
import pandas as pd

from analysis.contract import MissingData, codes
from analysis.measures.blockers import ORDER_AGES, by_order_age
from analysis.measures.counting import DAY
from analysis.sources import seconds_between

if TYPE_CHECKING:
    import ibis.expr.types as ir

MISSING = "not recorded"
POOLED = "all others"
CLASSES = 5  # of about as many requests each, where a number has more than MOST_VALUES values
MOST_VALUES = 12
SELLER_AGES = ("under 1 year", "1 to 3 years", "3 years or more")
_IN_ORDER = {
    "order_state": codes.ORDER_STATES,
    "order_age": tuple(name for name, _, _ in ORDER_AGES),
    "seller_age": SELLER_AGES,
    "size_tier": codes.SIZE_TIERS,
}


class Levels(NamedTuple):
    """The levels of one circumstance, and which of them each row of counts has."""

    names: list[str]
    codes: np.ndarray


def with_classes(frame: ir.Table, columns: Iterable[str], *, needed_by: str) -> ir.Table:
    """Add the classes among ``columns`` that are made of other columns of the requests.

    ``order_age`` is the time from payment to asking, ``seller_age`` that from opening the shop.

    Raises
    ------
    MissingData
        What a class is made of is not in this data.
    """
    for column in columns:
        if column in _MADE and column not in frame.columns:
            needed, make = _MADE[column]
            if needed not in frame.columns:
                raise MissingData(f"the column {needed}", needed_by=needed_by)
            frame = frame.mutate(**{column: make(frame)})
    return frame


def can_have(frame: ir.Table, column: str) -> bool:
    """Whether the requests have a column, or what its classes are made of."""
    return column in frame.columns or (column in _MADE and _MADE[column][0] in frame.columns)


def levels_of(name: str, values: pd.Series, n: np.ndarray, *, most: int) -> Levels:
    """Return the levels of one circumstance, at most ``most`` of them.

    Parameters
    ----------
    name
        Of the circumstance; levels that the contract orders keep that order, others come with the
        most requests first.
    values
        One value a row of counts.
    n
        Requests of each row.
    most
        Levels beyond so many, the rarest ones, are pooled as ``POOLED``.
    """
    words, ordered = _as_words(values, n)
    place, found = pd.factorize(words)
    sizes = np.bincount(place, n, len(found))
    rank = np.lexsort([np.asarray(found, dtype=object).astype(str), -sizes])
    kept = [found[i] for i in rank]
    if len(kept) > most:
        kept = kept[: most - 1]
    known = ordered or [one for one in _IN_ORDER.get(name, ()) if one in kept]
    order = [*(one for one in known if one in kept), *(one for one in kept if one not in known)]
    names = [one for one in order if one != MISSING]
    names += [POOLED] if len(kept) < len(found) else []
    names += [MISSING] if MISSING in order else []
    number = {one: i for i, one in enumerate(names)}
    pooled = number.get(POOLED, 0)
    return Levels(names, np.array([number.get(one, pooled) for one in found], np.int64)[place])


def _as_words(values: pd.Series, n: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Values as words; for classes of numbers also the words in order."""
    missing = values.isna().to_numpy()
    is_time = isinstance(values.dtype, pd.DatetimeTZDtype)
    is_number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if (is_time or is_number) and values.nunique() > MOST_VALUES:
        return _classes(values, n, missing, _day if is_time else _figure)
    write: Callable[[Any], str] = _day if is_time else _figure if is_number else _word
    place, found = pd.factorize(values)
    texts = np.array([*(write(one) for one in found), MISSING], dtype=object)
    ordered = [write(one) for one in sorted(found)] if is_time or is_number else []
    return texts[place], list(dict.fromkeys(ordered))


def _classes(
    values: pd.Series, n: np.ndarray, missing: np.ndarray, write: Callable[[Any], str]
) -> tuple[np.ndarray, list[str]]:
    """Fifths of the requests by a number or a moment."""
    known = values[~missing].sort_values(kind="stable")
    below = np.cumsum(n[known.index.to_numpy()])
    at = np.searchsorted(below, below[-1] * np.arange(1, CLASSES) / CLASSES)
    edges = list(dict.fromkeys(known.iloc[np.minimum(at, len(known) - 1)]))
    edges = [edge for edge in edges if edge < known.iloc[-1]]
    words = [f"up to {write(edge)}" for edge in edges]
    words += [f"above {write(edges[-1])}"] if edges else ["any"]
    place = np.zeros(len(values), dtype=np.int64)
    for edge in edges:
        place += (values > edge).to_numpy()
    texts = np.array(words, dtype=object)[place]
    texts[missing] = MISSING
    return texts, list(dict.fromkeys(words))


def _word(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return str(value)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:g}"


def _day(value: pd.Timestamp) -> str:
    return f"{value:%Y-%m-%d}" if value == value.normalize() else f"{value:%Y-%m-%d %H:%M}"


def _order_age(frame: ir.Table) -> ir.StringValue:
    return by_order_age(frame, [name for name, _, _ in ORDER_AGES])


def _seller_age(frame: ir.Table) -> ir.StringValue:
    open_for = seconds_between(frame.opened_at, frame.requested_at)
    return ibis.cases(
        (open_for.isnull(), None),
        (open_for < 365 * DAY, SELLER_AGES[0]),
        (open_for < 3 * 365 * DAY, SELLER_AGES[1]),
        else_=SELLER_AGES[2],
    )


_MADE: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "order_age": ("paid_at", _order_age),
    "seller_age": ("opened_at", _seller_age),
}
MADE_OF = tuple(needed for needed, _ in _MADE.values())
