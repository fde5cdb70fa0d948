"""What goes with success, and why its rate changed."""

from __future__ import annotations

import numpy as np
import pandas as pd

DELTA = "delta method, clustered by seller"
INFLUENCE = "influence functions, clustered by seller"


def success_drivers() -> pd.DataFrame:
    nan = np.nan
    rows = [
        ("order_state", "awaiting_payment", nan, nan, nan, nan, 0.31, 702, 702, 79,
         "none: every request worked"),
        ("order_state", "awaiting_shipment", nan, nan, nan, nan, nan, 537, 371, 80, "reference"),
        ("order_state", "packed", -0.112, -0.171, -0.053, 0.0009, -0.146, 240, 131, 61, DELTA),
        ("order_state", "shipped", nan, nan, nan, nan, -0.69, 287, 0, 68,
         "none: no request worked"),
        ("order_state", "delivered", nan, nan, nan, nan, nan, 0, 0, 0,
         "none: no request is old enough"),
        ("reason", "changed_mind", nan, nan, nan, nan, nan, 400, 263, 74, "reference"),
        ("reason", "too_slow", 0.041, -0.022, 0.104, 0.21, -0.02, 120, 76, 44, DELTA),
        ("reason", "all others", 0.083, 0.031, 0.135, 0.004, 0.07, 247, 181, 66, DELTA),
        ("colour", "red", nan, nan, nan, nan, nan, 700, 480, 79, "reference"),
        ("colour", "blue", -0.2, -0.9, 0.5, 0.6, -0.18, 22, 11, 12, DELTA),
    ]  # fmt: skip
    names = ["factor", "level", "estimate", "ci_low", "ci_high", "p_value", "crude_difference",
             "n", "n_events", "n_clusters", "interval"]  # fmt: skip
    table = pd.DataFrame(rows, columns=names)
    reference = {"order_state": "awaiting_shipment", "reason": "changed_mind", "colour": "red"}
    table.insert(2, "reference", table["factor"].map(reference))
    for place, (name, source) in enumerate(
        (("odds_ratio", "estimate"), ("odds_ratio_low", "ci_low"), ("odds_ratio_high", "ci_high"))
    ):
        table.insert(6 + place, name, np.exp(4 * table[source]))
    table.insert(10, "q_value", np.minimum(2 * table["p_value"], 1))
    table.insert(14, "n_pending", table["n"] // 4)
    known = np.where(table["factor"] == "colour", "taken on trust", "when the request is made")
    table.insert(16, "known", known)
    return table


def explain_change() -> pd.DataFrame:
    rows = [
        ("awaiting_shipment", "cell", 0.031, 0.016, -0.005, 0.01, 0.036, 0.016, 0.67, 0.78, 0.4,
         0.35, 430, 380),
        ("packed", "cell", -0.004, 0.01, 0.002, 0.004, -0.006, 0.012, 0.5, 0.46, 0.15, 0.16, 161,
         174),
        ("disputed", "cell", -0.009, 0.005, -0.009, 0.005, 0.0, np.nan, np.nan, 0.0, 0.0, 0.01, 0,
         11),
        ("shipped", "cell", -0.046, 0.02, -0.046, 0.02, 0.0, 0.002, 0.0, 0.0, 0.45, 0.48, 484,
         520),
        (None, "total", -0.028, 0.024, -0.058, 0.022, 0.03, 0.02, 0.343, 0.347, 1.0, 1.0, 1075,
         1085),
    ]  # fmt: skip
    names = ["order_state", "part", "estimate", "half", "mix_effect", "mix_half", "rate_effect",
             "rate_half", "rate_before", "rate_after", "share_before", "share_after", "n_before",
             "n_after"]  # fmt: skip
    made = pd.DataFrame(rows, columns=names)
    table = made[["order_state", "part"]].assign(
        split_at=pd.Series(pd.Timestamp("2025-08-18 00:46", tz="UTC"), index=made.index)
    )
    table["split_at"] = table["split_at"].astype("datetime64[us, UTC]")
    for name, half, kind in (
        ("estimate", "half", "ci"),
        ("mix_effect", "mix_half", "mix"),
        ("rate_effect", "rate_half", "rate"),
    ):
        table[name] = made[name]
        table[f"{kind}_low"] = made[name] - made[half]
        table[f"{kind}_high"] = made[name] + made[half]
    table["p_value"] = [0.0001, 0.32, np.nan, 0.9, 0.004]
    table["q_value"] = [0.0003, 0.48, np.nan, 0.9, np.nan]
    columns = names[8:]
    table[columns] = made[columns]
    table["n"] = made["n_before"] + made["n_after"]
    table["n_pending"] = [122, 23, 3, 61, 209]
    table["n_clusters"] = [80, 61, 9, 68, 81]
    table["interval"] = [INFLUENCE, INFLUENCE, f"{INFLUENCE}; new", INFLUENCE, INFLUENCE]
    return table


WHOLE = {"success_drivers": success_drivers, "explain_change": explain_change}
