"""Our estimators beside values from outside: every comparison, with its tolerance.

A module here holds the comparisons of one topic in ``COMPARISONS``. The tests run them all, and
``tools/parity.py`` writes them to ``docs/parity.md``.
"""

from __future__ import annotations

import importlib
import pkgutil

from tests.parity.comparing import Comparison

TOPICS = [
    importlib.import_module(f"{__name__}.{found.name}")
    for found in pkgutil.iter_modules(__path__)
    if not found.name.startswith("test_")
]
COMPARISONS: list[Comparison] = []
for topic in TOPICS:
    COMPARISONS += getattr(topic, "COMPARISONS", [])
