"""Durations: how long until the money is back, and until the seller answers.

Unit of the refund measures: one leg of a refund, from the decision that caused it (``due_since``:
the request's ``decided_at``, else the order's ``ended_at``) to ``credited_at``. A leg not yet
credited is censored at ``as_of``: it is in every denominator and never counts as quick.
Unit of ``response_curve``: one request that was open to the seller.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis import stats
from analysis.measures.counting import (
    DAY,
    HOUR,
    MINUTE,
    Spells,
    curve_times,
    positive,
    requests_of,
    spell_counts,
)
from analysis.sources import Tables, business_seconds_between, seconds_between
from analysis.sources.tables import known_columns
