"""Every estimator equals its reference within the stated tolerance; the docs list them all."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.parity import COMPARISONS
from tests.parity.comparing import largest_difference

from analysis import stats

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("one", COMPARISONS, ids=lambda c: f"{c.estimator} ~ {c.values}")
def test_an_estimator_equals_its_reference(one, request):
    shared = request.getfixturevalue("shared_data") if one.needs_shared_data else None
    difference, n = largest_difference(one.pairs(shared))
    assert n > 0
    assert difference <= one.tolerance


LIMITS = "limits of a curve: compared with it"
BY_HAND = "no such function elsewhere: beside a second implementation in its tests"
BY_LAW = "no such function elsewhere: its limits are measured on laws in its tests"
NOT_COMPARED = {  # functions of ``analysis.stats`` without a comparison of their own, and why
    "survival_at": LIMITS,
    "survival_limits": LIMITS,
    "incidence_limits": LIMITS,
    "interval_survival_at": "both bounds: compared with turnbull",
    "difference_of": "what newcombe_difference is made of: compared with it",
    "ratio_of": "what mover_ratio is made of: compared with it",
    "plausible_priors": "what shrunk_posterior is made of: compared with it",
    "pseudo_means": "compared with pseudo_observations",
    "time_lost_differences": "made as mean_differences, from restricted_time_lost; both compared",
    "interval_survival_limits": "a bootstrap: its coverage is measured in benchmarks/COVERAGE.md",
    "plateau": "the last value of a curve and its limits",
    "control_limits": BY_HAND,
    "weighted_sum_variance": BY_HAND,
    "standardised_share": BY_HAND,
    "expected_counts": BY_HAND,
    "adjusted_rates": BY_HAND,
    "chance_when_open": BY_HAND,
    "two_way_interval": BY_LAW,
    "nowcast": BY_LAW,
    "clustered_contrast": BY_LAW,
    "part_interval": BY_LAW,
    "wide_limits": BY_LAW,
    "follow_up": BY_LAW,
    "mix_departures": BY_LAW,
}


def test_every_estimator_is_compared_with_something_from_outside():
    functions = {name for name in stats.__all__ if inspect.isfunction(getattr(stats, name))}
    compared = {name for one in COMPARISONS for name in re.findall(r"\w+", one.estimator)}
    assert functions - compared == set(NOT_COMPARED)


def test_the_docs_list_every_comparison():
    tool = ROOT / "tools" / "parity.py"
    done = subprocess.run([sys.executable, tool, "--check"], check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_a_missing_value_on_one_side_is_a_difference():
    assert largest_difference([([1.0, np.nan], [1.0, np.nan])]) == (0.0, 2)
    assert largest_difference([([1.0, 2.0], [1.0, np.nan])])[0] == np.inf
    assert largest_difference([([200.0], [100.0]), ([np.inf], [np.inf])]) == (1.0, 2)
