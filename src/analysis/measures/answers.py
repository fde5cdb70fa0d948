"""A question asked twice is answered once: tables of measures, kept with the opened dataset."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

import pandas as pd

from analysis.sources import Tables

MOST_ROWS = 500_000  # of an answer that is kept


def answered(measure: Callable[..., pd.DataFrame], tables: Tables, **options: Any) -> pd.DataFrame:
    """Return ``measure(tables, **options)``, computed only the first time that it is asked.

    Parameters
    ----------
    measure
        A measure: the same tables and options always give the same table.
    tables
        Opened dataset; keeps the answers as long as it lives.
    options
        Of the measure. One that is left out and one that is given its default are the same
        question.

    Returns
    -------
    DataFrame
        A copy: changing it changes no later answer. Tables of more than 500,000 rows are not kept.
    """
    call = signature(measure).bind(tables, **options)
    call.apply_defaults()
    question = [(name, _plain(value)) for name, value in list(call.arguments.items())[1:]]
    name = f"{measure.__module__}.{measure.__qualname__}{question!r}"
    table = tables.once(name, lambda: measure(tables, **options))
    if len(table) > MOST_ROWS:
        tables.forget(name)
    return table.copy()


def _plain(value: Any) -> Any:
    """Sequences of one content are one value, whatever their type."""
    return list(value) if isinstance(value, list | tuple) else value
