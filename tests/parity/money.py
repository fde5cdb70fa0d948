"""Amounts: forecasts of what will be paid, shares of money."""

from __future__ import annotations

import numpy as np
import pandas as pd
from tests.parity.comparing import REFERENCE, Comparison, Pairs

from analysis import stats


def cells_of(legs: pd.DataFrame) -> stats.PaymentCells:
    """One cell a leg."""
    is_open = (legs["paid"] == 0).to_numpy()
    amount = np.where(is_open, legs["amount"], 0)
    return stats.PaymentCells(
        legs["method"].to_numpy(),
        legs["time"].to_numpy(),
        (~is_open).astype(int),
        is_open.astype(int),
        amount,
        amount**2,
        legs["seller"].to_numpy(),
    )


def forecast(_: None) -> Pairs:
    """Compare with ``survfit(..., influence = 1)``, summed by seller."""
    expected = pd.read_csv(REFERENCE / "stats" / "payment_forecast.csv")
    cells = cells_of(pd.read_csv(REFERENCE / "stats" / "made_up_legs.csv"))
    found = stats.payment_forecast(cells, expected["horizon"].to_numpy())
    yield found.expected, expected["expected"]
    yield found.unknown, expected["unknown"]
    yield found.curve_variance, expected["variance"]


def share(_: None) -> Pairs:
    """Compare with ``svyratio`` of clusters of equal amounts."""
    orders = pd.read_csv(REFERENCE / "stats" / "made_up_amounts.csv")
    part, whole = orders["part"], orders["whole"]
    products = {
        "n": 1,
        "part": part,
        "whole": whole,
        "part_part": part**2,
        "part_whole": part * whole,
        "whole_whole": whole**2,
    }
    sums = orders.assign(**products).groupby("seller").sum()[list(products)]
    columns = [sums[name].to_numpy() for name in products]
    found = stats.amount_share(np.zeros(len(sums), int), stats.AmountSums(*columns))
    expected = pd.read_csv(REFERENCE / "stats" / "amount_share.csv")
    yield found.estimate, expected["estimate"]
    yield found.variance, expected["variance"]


COMPARISONS = [
    Comparison(
        "payment_forecast",
        "expected amount, what outlasts observation, clustered variance of the curve's part",
        "R survival 3.5-3, survfit with influence",
        "reference/stats/payment_forecast.csv",
        forecast,
        1e-10,
    ),
    Comparison(
        "amount_share",
        "share, clustered variance",
        "R survey, svyratio",
        "reference/stats/amount_share.csv",
        share,
        1e-10,
        "clusters of equal amounts: with unequal ones ours corrects for their leverage",
    ),
]
