"""The familiar wrong number beside the right one, and why they differ.

Each headline is computed twice on the same data: as public notebooks and dashboards do, and as
the other measures here do (:mod:`analysis.measures.mistakes`).
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.contract import MissingData
from analysis.measures.mistakes import HEADLINES
from analysis.sources import Tables

COLUMNS = [
    "headline",
    "unit",
    "naive",
    "estimate",
    "ci_low",
    "ci_high",
    "difference",
    "n",
    "interval",
    "why_they_differ",
]


def naive_versus_right(
    tables: Tables, *, about: str | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Each headline as it is usually computed, as it should be, and why they differ.

    Parameters
    ----------
    tables
        Opened dataset.
    about
        "success", "requests", "refunds" or "sellers"; None gives all that the data can answer.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    DataFrame
        One row per headline: ``headline, unit, naive, estimate, ci_low, ci_high, difference, n,
        interval, why_they_differ``. ``unit`` is "share" or "days"; ``difference`` is naive minus
        estimate; ``n`` is the denominator of the estimate.

    Raises
    ------
    MissingData
        The data lacks what the headlines need.
    ValueError
        ``about`` is none of the words.
    """
    if about is not None and about not in HEADLINES:
        raise ValueError(f"about must be one of {', '.join(HEADLINES)}, got {about!r}")
    rows: list[dict[str, Any]] = []
    lacks: list[MissingData] = []
    for name in HEADLINES if about is None else (about,):
        try:
            rows += HEADLINES[name](tables, level)
        except MissingData as lack:
            lacks.append(lack)
    if not rows:
        raise lacks[0]
    table = pd.DataFrame(rows)
    return table.assign(difference=table["naive"] - table["estimate"])[COLUMNS]
