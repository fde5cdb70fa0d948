"""The familiar number beside the right one."""

from __future__ import annotations

from tests.measures.specs.spec import SHARE, Spec

SPECS = {
    "naive_versus_right": Spec(
        [
            "headline",
            "unit",
            "naive",
            *SHARE,
            "difference",
            "n",
            "interval",
            "why_they_differ",
        ],
        [{}],
        text=frozenset({"headline", "unit", "why_they_differ"}),
        bounds=None,
    ),
}
