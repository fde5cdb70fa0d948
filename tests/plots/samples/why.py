"""Tables of why not: overlapping rules."""

from __future__ import annotations

import numpy as np
from tests.plots.samples.numbers import share
from tests.plots.samples.shares import BLOCKED, STAGES


def blocker_overlap(rng: np.random.Generator, n: int) -> list[dict]:
    rows = []
    for word, p in BLOCKED.items():
        whole = int(rng.binomial(n, p))
        only = int(rng.binomial(whole, 0.7))
        first = only + int(rng.binomial(whole - only, 0.6))
        made = share((whole + only) // 2, n, pending=n // 40)
        made |= {
            f"{name}_share": k / n if n else np.nan
            for name, k in (("first", first), ("only", only), ("any", whole))
        }
        made |= {"n_first": first, "n_only": only, "n_any": whole}
        made["interval"] = "Wilson of parts, clustered by seller"
        rows.append({"blocker": word, "stage": STAGES[word], **{c: made[c] for c in OVERLAP}})
    return rows


OVERLAP = (
    "estimate",
    "ci_low",
    "ci_high",
    "first_share",
    "only_share",
    "any_share",
    "n",
    "n_first",
    "n_only",
    "n_any",
    "n_pending",
    "n_clusters",
    "interval",
)
MAKERS = {"blocker_overlap": blocker_overlap}
