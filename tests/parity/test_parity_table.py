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


NOT_COMPARED = {  # functions of ``analysis.stats`` that have no comparison, and why
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
