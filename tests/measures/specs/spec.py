"""The promises of one measure, and the columns that many have."""

from __future__ import annotations

from typing import Any, NamedTuple


class Spec(NamedTuple):
    """What one measure promises."""

    columns: list[str]  # after the groups
    calls: list[dict[str, Any]]  # options that reach every branch of its expressions
    needs: frozenset[str] = frozenset()  # optional tables and columns it cannot do without
    text: frozenset[str] = frozenset()  # columns of words, beside ``interval``
    bounds: tuple[float, float] | None = (0, 1)  # of its estimates and limits; None: no such rule
    given: dict[str, Any] = {}  # noqa: RUF012 - what frames that nobody described must be told


SHARE = ["estimate", "ci_low", "ci_high"]
CLUSTERED = [*SHARE, "n", "n_events", "n_pending", "n_clusters", "interval"]
CURVE = [*SHARE, "n_at_risk", "n_events", "n_censored", "n", "n_clusters", "interval"]
WAIT = [*SHARE, "n", "n_events", "n_censored", "n_clusters", "interval"]
DECIDED = frozenset({"requests.decided_at"})
REFUNDS = frozenset({"refunds", "refunds.credited_at"})
