"""The familiar number beside the right one."""

from __future__ import annotations

import pandas as pd
from tests.plots.samples.numbers import CLUSTERED


def naive_versus_right() -> pd.DataFrame:
    rows = [
        ("How often cancelling works", "share", 0.048, 0.612, 0.58, 0.641, 1164,
         "Divides by orders."),
        ("Requests that work, counting those decided so far", "share", 0.63, 0.612, 0.58, 0.641,
         1164, "Drops the requests still open."),
        ("Mean days to the money (at most 30 of each)", "days", 5.1, 6.4, 6.1, 6.7, 980,
         "Averages only the refunds that have arrived."),
        ("Money back within 7 days, of refunds decided in the last 14 days", "share", 0.93, 0.55,
         0.49, 0.61, 210, "Counts only refunds that have arrived."),
    ]  # fmt: skip
    names = ["headline", "unit", "naive", "estimate", "ci_low", "ci_high", "n", "why_they_differ"]
    table = pd.DataFrame(rows, columns=names)
    table.insert(6, "difference", table["naive"] - table["estimate"])
    table.insert(8, "interval", CLUSTERED)
    return table


WHOLE = {"naive_versus_right": naive_versus_right}
