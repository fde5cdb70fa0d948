"""Stages of the way to the money: units, denominators, and who has not begun."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.measures.brute import Data, curve_of, cut, grouped, units
from tests.measures.random_rows import AS_OF, random_market

from analysis.contract import MissingData
from analysis.marketplace import make_market, make_truth
from analysis.measures import stage_durations
from analysis.sources import open_tables

REQUESTS = """
    request_id | requested_at     | decided_at       | outcome            | requested_by
    1          | 2026-01-01 00:00 | 2026-01-01 12:00 | approved_by_seller | buyer
    2          | 2026-01-01 00:00 | 2026-01-02 12:00 | rejected_by_seller | buyer
    3          | 2026-01-01 00:00 | 2026-01-01 00:00 | blocked            | buyer
    4          | 2026-03-09 00:00 |                  | pending            | buyer
    5          | 2026-03-08 00:00 | 2026-03-08 00:00 | instant_cancelled  | buyer
    6          | 2026-01-01 00:00 | 2026-01-03 00:00 | approved_by_seller | seller
"""
REFUNDS = """
    request_id | started_at       | credited_at
    1          | 2026-01-02 12:00 | 2026-01-05 12:00
    5          |                  |
    6          | 2026-01-04 00:00 | 2026-01-09 00:00
"""


def test_every_stage_has_its_own_unit(tables):
    opened = tables(as_of="2026-03-10", requests=REQUESTS, refunds=REFUNDS)
    table = stage_durations(opened, horizon_days=10).set_index("stage")
    counts = ["n", "n_events", "n_censored", "n_pending"]
    # asked by a buyer and not blocked at once: 1, 2, 4 (pending a day), 5 (at once)
    assert table.loc["decision", counts].tolist() == [4, 3, 1, 0]
    # three legs, of which 5 is not sent off; request 4 may come to a leg
    assert table.loc["start", counts].tolist() == [3, 2, 1, 1]
    assert table.loc["arrival", counts].tolist() == [2, 2, 0, 1]
    # two legs of requests ten days old; leg 5 is of a younger one
    assert table.loc["total", counts].tolist() == [2, 2, 0, 1]
    # Of four decisions one is there at once, one after half a day; the third left knows 1.5 days
    # survival 3/4 to 0.5, 1/2 to 1 (then one is censored) and to 1.5
    assert table.estimate["decision"] == pytest.approx(0.5 * 3 / 4 + 1 / 2)
    # leg 5 has been waiting for two days: nobody knows how long it will be
    assert np.isnan(table.estimate["start"]) and table.median_days["start"] == 1.0
    assert table.estimate["arrival"] == (3 + 5) / 2
    assert table.estimate["total"] == (4.5 + 8) / 2
    assert table.median_days["arrival"] == 4.0
    np.testing.assert_allclose(table.share_of_total, table.estimate / 6.25)


def test_a_leg_without_the_moment_it_was_sent_is_in_the_total_only(tables):
    refunds = REFUNDS.replace("| 2026-01-04 00:00 | 2026-01-09", "|                  | 2026-01-09")
    opened = tables(as_of="2026-03-10", requests=REQUESTS, refunds=refunds)
    table = stage_durations(opened, horizon_days=10).set_index("stage")
    assert table.n.to_dict() == {"decision": 4, "start": 2, "arrival": 1, "total": 2}


def spells_of(stage, data, members, horizon):
    """The spells of one stage with their rows, and how many are still to come."""
    asked = {row["request_id"]: row["requested_at"] for row in data.rows["requests"]}
    requests = [r for r in members["requests"] if r["outcome"] != "blocked"]
    legs = members["refunds"]
    waiting = sum(r["decided_at"] is None for r in requests)
    dated = [g for g in legs if g["started_at"] or not g["credited_at"]]
    if stage == "decision":
        return [(r, r["requested_at"], r["decided_at"]) for r in requests], 0
    if stage == "start":
        begun = [(g, g["due_since"], g["started_at"]) for g in dated if g["due_since"]]
        return begun, waiting
    if stage == "arrival":
        begun = [(g, g["started_at"], g["credited_at"]) for g in dated if g["started_at"]]
        left = [g for g in dated if not g["started_at"] and g["due_since"]]
        return begun, len(left)
    whole = [(g, asked[g["request_id"]], g["credited_at"]) for g in legs if g["request_id"]]
    old = [one for one in whole if data.age(one[1]) >= horizon * 86_400]
    return old, len(whole) - len(old)


@pytest.mark.parametrize("horizon", [5, 30])
def test_stages_counted_row_by_row(horizon):
    frames = random_market(6, 120)
    opened, data = open_tables(frames, as_of=AS_OF), Data(frames, AS_OF)
    table = stage_durations(opened, by=["size_tier"], horizon_days=horizon)
    requests = grouped(data.requests(), ["size_tier"])
    refunds = grouped(data.refunds(), ["size_tier"])
    assert len(table) == 4 * len(requests.keys() | refunds.keys())
    for row in table.itertuples():
        key = (None if pd.isna(row.size_tier) else row.size_tier,)
        members = {"requests": requests.get(key, []), "refunds": refunds.get(key, [])}
        own, pending = spells_of(row.stage, data, members, horizon)
        rows = []
        for of, start, end in own:
            length = data.age(start) if end is None else int((end - start).total_seconds())
            spell = cut(units(length, 60), 0 if end is None else 1, horizon * 1440)
            rows.append({"seller_id": of["seller_id"], "spell": spell})
        assert (row.n, row.n_pending) == (len(rows), pending), row.stage
        assert row.n_events == sum(one["spell"][1] for one in rows)
        if len(rows) > 40:
            continue  # exact fractions take long
        curve = curve_of(rows, lambda one: one["spell"], 1)
        named = curve.named("restricted mean, normal", "restricted mean, Student")
        if rows:
            assert {"n_clusters": row.n_clusters, "interval": row.interval} == named
        expected = [value / 1440 for value in curve.mean(horizon * 1440)]
        found = [row.estimate, row.ci_low, row.ci_high]
        np.testing.assert_allclose(found, expected, atol=1e-9, equal_nan=True)


def test_on_complete_histories_the_stages_are_the_true_ones():
    as_of = "2027-06-01"
    frames = make_market(5_000, seed=5, as_of=as_of)
    opened = open_tables(frames, as_of=as_of)
    table = stage_durations(opened, horizon_days=60).set_index("stage")
    legs = (
        frames["refunds"]
        .to_pandas()
        .merge(make_truth(5_000, seed=5, as_of=as_of)["truth/refunds"].to_pandas(), on="refund_id")
    )
    took = (legs.eventual_credited_at - legs.started_at).dt.total_seconds() / 86_400
    assert table.estimate["arrival"] == pytest.approx(took.clip(upper=60).mean(), abs=1 / 1440)
    asked = frames["requests"].to_pandas()[["request_id", "requested_at"]]
    own = legs.merge(asked, on="request_id")
    whole = (own.eventual_credited_at - own.requested_at).dt.total_seconds() / 86_400
    assert table.estimate["total"] == pytest.approx(whole.clip(upper=60).mean(), abs=1 / 1440)
    assert (table.n_censored == 0).all() and (table.n_pending == 0).all()


def test_unfinished_stages_are_not_short_ones():
    """In the middle of a sale: as they will have been, not as those that are over were."""
    as_of = pd.Timestamp("2025-11-15", tz="UTC")
    frames = make_market(20_000, seed=21, as_of=as_of)
    table = stage_durations(open_tables(frames, as_of=as_of), horizon_days=30).set_index("stage")
    truth = make_truth(20_000, seed=21, as_of=as_of)
    legs = frames["refunds"].to_pandas().merge(truth["truth/refunds"].to_pandas(), on="refund_id")
    sent = legs[legs.started_at.notna()]
    days = (sent.eventual_credited_at - sent.started_at).dt.total_seconds() / 86_400
    true = days.clip(upper=30).mean()
    arrival = table.loc["arrival"]
    assert arrival.ci_low <= true <= arrival.ci_high
    over = sent[sent.credited_at.notna()]
    familiar = ((over.credited_at - over.started_at).dt.total_seconds() / 86_400).mean()
    assert abs(familiar - true) > 2 * abs(arrival.estimate - true)


def test_what_is_missing_or_taken_is_said(tables):
    opened = tables(requests=REQUESTS, refunds=REFUNDS, without=("refunds.started_at",))
    with pytest.raises(MissingData, match="refunds.started_at.*stage_durations"):
        stage_durations(opened)
    opened = tables(requests=REQUESTS, refunds=REFUNDS)
    with pytest.raises(MissingData, match="column method"):
        stage_durations(opened, by=["method"])  # a request has no method yet
    with pytest.raises(ValueError, match="horizon_days must be more than 0"):
        stage_durations(opened, horizon_days=0)
