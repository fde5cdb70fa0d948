"""From counted spells to the tables of curves, quantiles and means."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import stats
from analysis.measures.counting import Spells, curve_times

LIMITS = "log-log"
