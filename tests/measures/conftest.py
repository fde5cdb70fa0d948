"""A random dataset that keeps the contract, opened once for all tests of the measures."""

from __future__ import annotations

import pytest
from tests.measures.brute import Data
from tests.measures.random_rows import AS_OF, random_market

from analysis.sources import open_tables


@pytest.fixture(scope="session")
def plain():
    """Random rows as ``(opened tables, rows)``."""
    frames = random_market(1)
    return open_tables(frames, as_of=AS_OF), Data(frames, AS_OF)


@pytest.fixture(scope="session")
def weighted():
    """As ``plain``, with a weight on every order."""
    frames = random_market(2, weighted=True)
    return open_tables(frames, as_of=AS_OF), Data(frames, AS_OF)
