"""Do the intervals hold the truth as often as they say? ``python -m benchmarks.coverage``.

``study`` is what one study is and how it is scored, ``laws`` and ``markets`` draw datasets whose
truth is known, ``familiar`` are the methods that ours are compared with; the other modules hold
the studies, one :class:`Study` per estimand; ``running`` runs and
``writing`` writes them.
"""

from __future__ import annotations

from . import (
    clustered_curves,
    compared,
    curves,
    drivers,
    market_studies,
    parts,
    sellers,
    shares,
    tested,
)
from .study import Study

TOPICS = (
    shares,
    compared,
    curves,
    clustered_curves,
    tested,
    drivers,
    parts,
    sellers,
    market_studies,
)
STUDIES: list[Study] = [study for topic in TOPICS for study in topic.STUDIES]
