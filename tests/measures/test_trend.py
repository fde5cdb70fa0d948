"""Success over time: cohorts in UTC, control limits, nowcasts that hold what becomes of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.measures.random_rows import AS_OF, random_market

from analysis.contract import codes
from analysis.marketplace import make_market, make_truth
from analysis.measures import cancellation_success_rate, success_rate_trend
from analysis.sources import open_tables

FOUR = """
    requested_at        | decided_at          | outcome
    2024-02-29 23:59:59 | 2024-03-01 05:00:00 | approved_by_seller
    2024-03-01 00:00:00 | 2024-03-01 05:00:00 | rejected_by_seller
    2024-03-03 23:59:59 | 2024-03-04 05:00:00 | approved_by_seller
    2024-03-04 00:00:00 | 2024-03-05 05:00:00 | approved_by_seller
"""


@pytest.mark.parametrize(
    ("period", "starts", "sizes"),
    [
        ("day", ["2024-02-29", "2024-03-01", "2024-03-03", "2024-03-04"], [1, 1, 1, 1]),
        ("week", ["2024-02-26", "2024-03-04"], [3, 1]),
        ("month", ["2024-02-01", "2024-03-01"], [1, 3]),
    ],
)
def test_cohorts_begin_at_midnight_on_monday_or_on_the_first(tables, period, starts, sizes):
    table = success_rate_trend(tables(as_of="2024-06-30", requests=FOUR), period=period)
    assert table.cohort_at.tolist() == [pd.Timestamp(day, tz="UTC") for day in starts]
    assert table.n.tolist() == sizes
    assert not table.is_nowcast.any()


def test_periods_are_those_of_the_calendar():
    opened = open_tables(random_market(3, 300), as_of=AS_OF)
    moments = opened.requests.execute()
    asked = moments[moments.requested_by == "buyer"].requested_at.dt.tz_localize(None)
    for period, alias in (("day", "D"), ("week", "W-SUN"), ("month", "M")):
        expected = asked.dt.to_period(alias).dt.start_time.value_counts().sort_index()
        table = success_rate_trend(opened, period=period)
        assert table.cohort_at.dt.tz_localize(None).tolist() == expected.index.tolist()
        assert table.n.tolist() == expected.tolist()


def test_another_period_is_refused(tables):
    with pytest.raises(ValueError, match="period must be one of day, week, month, got 'year'"):
        success_rate_trend(tables(requests=FOUR), period="year")


def test_open_requests_count_by_their_chance_and_settled_ones_as_they_are(tables):
    opened = tables(
        as_of="2026-03-10",
        requests="""
            requested_at        | decided_at          | outcome
            2026-01-05          | 2026-01-05 06:00:00 | rejected_by_seller
            2026-01-05          | 2026-01-07          | approved_by_seller
            2026-01-06          | 2026-01-08          | rejected_by_seller
            2026-01-06          | 2026-01-08          | approved_by_seller
            2026-03-09          | 2026-03-09 06:00:00 | approved_by_seller
            2026-03-09          |                     | pending
        """,
    )
    first, last = success_rate_trend(opened, horizon_hours=240).itertuples()
    assert (first.estimate, first.is_nowcast, first.n_pending) == (0.5, False, 0)
    assert (last.is_nowcast, last.n, last.n_events, last.n_pending) == (True, 2, 1, 1)
    # open for 24 hours: of the three that were too, two worked
    assert last.estimate == pytest.approx((1 + 2 / 3) / 2)
    assert (last.ci_low, last.ci_high, last.signal) == (0.5, 1.0, "not yet")


def test_settled_cohorts_are_the_success_rates_of_their_requests():
    frames = random_market(6, 300, weighted=True)
    opened = open_tables(frames, as_of=AS_OF)
    months = [f"{m:%Y-%m}" for m in frames["requests"]["requested_at"].to_pandas()]
    frames["requests"] = frames["requests"].append_column("month", [months])
    labelled = open_tables(frames, as_of=AS_OF)
    rates = cancellation_success_rate(labelled, by=["category", "month"], horizon_hours=100)
    table = success_rate_trend(opened, by=["category"], period="month", horizon_hours=100)
    table = table.assign(month=table.cohort_at.dt.strftime("%Y-%m"))
    both = table[~table.is_nowcast].merge(rates, on=["category", "month"], suffixes=("", "_rate"))
    assert len(both) >= 4
    for column in ("estimate", "ci_low", "ci_high", "n", "n_events", "n_clusters"):
        np.testing.assert_allclose(both[column], both[f"{column}_rate"], atol=1e-12)


@pytest.mark.study
def test_nowcasts_of_markets_hold_what_becomes_of_them():
    held, errors = [], []
    for seed in range(12):
        as_of = pd.Timestamp("2025-10-01 07:00", tz="UTC") + pd.Timedelta(days=4 * seed)
        options = {"seed": seed, "as_of": as_of}
        frames, truth = make_market(25_000, **options), make_truth(25_000, **options)
        requests = (
            frames["requests"]
            .to_pandas()
            .merge(truth["truth/requests"].to_pandas(), on="request_id")
        )
        requests = requests[requests.requested_by == "buyer"]
        took = requests.eventual_decided_at - requests.requested_at
        worked = requests.eventual_outcome.isin(codes.SUCCESS) & (took <= pd.Timedelta(hours=720))
        true = worked.groupby(requests.requested_at.dt.floor("D")).mean()
        table = success_rate_trend(open_tables(frames, as_of=as_of), period="day")
        table = table[table.n_pending > 0]
        expected = true.loc[table.cohort_at].to_numpy()
        low, high = table.ci_low.to_numpy() - 1e-9, table.ci_high.to_numpy() + 1e-9
        held += ((low <= expected) & (expected <= high)).tolist()
        errors += (table.estimate.to_numpy() - expected).tolist()
    assert len(held) >= 24
    assert np.mean(held) >= 0.93
    assert abs(np.mean(errors)) < 0.05
