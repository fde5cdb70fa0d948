"""What every measure promises, one ``Spec`` a measure: the tests of all measures read it here.

A module here holds the measures of one topic in ``SPECS``, name -> :class:`Spec`.
"""

from __future__ import annotations

import importlib
import pkgutil

from tests.measures.specs.spec import Spec

TOPICS = [
    importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)
]
SPECS: dict[str, Spec] = {}
for topic in TOPICS:
    SPECS |= getattr(topic, "SPECS", {})
CALLS = [(name, spec.given | options) for name, spec in SPECS.items() for options in spec.calls]
