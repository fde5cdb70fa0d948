"""In a table an estimate and its limits read differently where they differ."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.report.test_html import body_of

DAYS = (27.9, 25.1, 30.2)


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ((0.79123, 0.7312, 0.8512), ["0.79", "0.73", "0.85"]),
        ((0.9983, 0.9961, 0.9991), ["0.998", "0.996", "0.999"]),
        ((1.0, 0.9961, 1.0), ["1.000", "0.996", "1.000"]),
        ((3.0, 3.0, 3.04), ["3.00", "3.00", "3.04"]),
        ((0.0, 0.0, 0.0), ["0.0", "0.0", "0.0"]),
        ((0.5, 0.5, 0.5), ["0.50", "0.50", "0.50"]),
        ((0.25, 0.25 + 1e-12, 0.75), ["0.25", "0.25", "0.75"]),  # which no decimals would show
    ],
)
def test_shares_beside_days_have_the_decimals_that_they_need(row, shown):
    frame = pd.DataFrame([row, DAYS], columns=["estimate", "ci_low", "ci_high"])
    assert body_of(frame) == [shown, ["27.9", "25.1", "30.2"]]


def test_the_familiar_number_has_the_decimals_of_the_right_one():
    frame = pd.DataFrame({"naive": [0.7, 9.0], "estimate": [0.791, 27.9], "ci_low": [0.73, 25.1]})
    assert body_of(frame)[0] == ["0.70", "0.79", "0.73"]


def test_formats_of_the_caller_stay():
    frame = pd.DataFrame({"estimate": [0.79, 27.9], "ci_low": [0.73, 25.1]})
    assert body_of(frame, formats={"estimate": ".0f"})[0] == ["1", "0.73"]
