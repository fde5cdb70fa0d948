"""Markets that several tests look at, made once."""

from __future__ import annotations

from typing import Any

import pytest
from tests.marketplace.worlds import AFTER_ALL, Frames, frames

from analysis.marketplace import make_market, make_truth


@pytest.fixture(scope="session")
def market() -> Frames:
    """The default market, 60,000 orders, as of the end of the window."""
    return frames(make_market(60_000))


@pytest.fixture(scope="session")
def mature_market() -> Frames:
    """The same market, looked at when everything has come to its end."""
    return frames(make_market(60_000, as_of=AFTER_ALL))


@pytest.fixture(scope="session")
def truth() -> dict[str, Any]:
    """The truth beside ``market``: frames, and the estimands as a list."""
    made = make_truth(60_000)
    return frames(made) | {"truth/estimands": made["truth/estimands"]}
