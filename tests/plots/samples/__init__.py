"""Result tables for the tests of figures and sentences: seeded, in the shape of the measures.

A module here holds the tables of one topic: ``MAKERS`` (name -> rows from a generator and a size,
for measures that can be grouped) and ``WHOLE`` (name -> table, for the others). ``overall(name)``
is one realistic table, ``grouped(name, groups)`` the same for several groups. The shapes are
checked against the real measures in ``test_real_tables.py``.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

TOPICS = [
    importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)
]
MAKERS: dict[str, Callable[[np.random.Generator, int], list[dict]]] = {}
WHOLE: dict[str, Callable[[], pd.DataFrame]] = {}
for topic in TOPICS:
    MAKERS |= getattr(topic, "MAKERS", {})
    WHOLE |= getattr(topic, "WHOLE", {})
NAMES = (*MAKERS, *WHOLE)


@functools.cache
def _made(name: str, n: int, seed: int) -> pd.DataFrame:
    return pd.DataFrame(MAKERS[name](np.random.default_rng(seed), n))


def overall(name: str, *, n: int = 1200, seed: int = 1) -> pd.DataFrame:
    """Sample table of a measure without groups."""
    return WHOLE[name]() if name in WHOLE else _made(name, n, seed).copy()


def grouped(
    name: str, groups: Sequence, *, by: Sequence[str] = ("group",), seed: int = 1
) -> pd.DataFrame:
    """Sample table of a measure for groups (values, or tuples of values), each half the last."""
    parts = []
    for i, group in enumerate(groups):
        part = overall(name, n=max(1600 // 2**i, 8), seed=seed + i)
        values = group if isinstance(group, tuple) else (group,)
        for position, (column, value) in enumerate(zip(by, values, strict=True)):
            part.insert(position, column, [value] * len(part))
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
