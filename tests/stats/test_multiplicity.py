"""False discovery rates of families of tests."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.stats import q_values


def by_hand(p):
    """Smallest over all cut-offs at or above p of (tests * cut-off / tests at or below it)."""
    known = [x for x in p if x == x]
    return [
        min(min(1.0, len(known) * c / sum(x <= c for x in known)) for c in known if c >= one)
        if one == one
        else np.nan
        for one in p
    ]


@given(st.lists(st.one_of(st.floats(0, 1), st.just(np.nan)), max_size=30))
def test_equal_the_definition(p):
    np.testing.assert_allclose(q_values(np.array(p)), by_hand(p), rtol=1e-12, atol=1e-300)


def test_a_share_outside_0_and_1_is_an_error():
    with pytest.raises(ValueError, match="must be in"):
        q_values(np.array([0.5, 1.5]))
