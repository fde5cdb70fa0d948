"""A question asked twice is answered once: tables of measures, kept with the opened dataset."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import signature
from typing import Any

import pandas as pd

from analysis.sources import Tables, shared_answer

MOST_ROWS = 500_000  # of an answer that is kept


def answered(measure: Callable[..., pd.DataFrame], tables: Tables, **options: Any) -> pd.DataFrame:
    """Return ``measure(tables, **options)``, computed only the first time that it is asked.

    Parameters
    ----------
    measure
        A measure: the same tables and options always give the same table.
    tables
        Opened dataset; keeps the answers as long as it lives. In a report they are shared by all
        processes that have opened it.
    options
        Of the measure. One that is left out and one that is given its default are the same
        question.

    Returns
    -------
    DataFrame
        Changing it changes no later answer. Tables of more than 500,000 rows are not kept.
    """
    call = signature(measure).bind(tables, **options)
    call.apply_defaults()
    question = [(name, _plain(value)) for name, value in list(call.arguments.items())[1:]]
    name = f"{measure.__module__}.{measure.__qualname__}{question!r}"
    make = partial(measure, tables, **options)
    table = tables.once(name, lambda: shared_answer(tables, name, make))
    if len(table) > MOST_ROWS:
        tables.forget(name)
    return table.copy(deep=False)  # pandas copies what is changed


def _plain(value: Any) -> Any:
    """Sequences of one content, and numbers of one size, are one value, whatever their type."""
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return list(value) if isinstance(value, list | tuple) else value
