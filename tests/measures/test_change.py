"""Why the success rate changed: the parts by hand, the two times, what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.contract import MissingData
from analysis.measures import cancellation_success_rate, explain_change


def drawn(tables, *groups, **options):
    """Requests: (day, state, how many, how many of them worked) each."""
    lines = ["requested_at | order_state | outcome"]
    for day, state, n, worked in groups:
        ends = ["approved_by_seller"] * worked + ["rejected_by_seller"] * (n - worked)
        lines += [f"{day} | {state} | {end}" for end in ends]
    return tables(as_of="2026-06-30", requests="\n".join(lines), **options)


MORE_PACKED = (
    ("2026-03-01", "awaiting_shipment", 30, 24),
    ("2026-03-01", "packed", 10, 2),
    ("2026-04-01", "awaiting_shipment", 20, 16),
    ("2026-04-01", "packed", 20, 8),
)


def test_mix_and_rate_are_kitagawas(tables):
    table = explain_change(drawn(tables, *MORE_PACKED))
    waiting, packed, total = table.itertuples()
    assert [waiting.part, packed.part, total.part] == ["cell", "cell", "total"]
    assert (total.rate_before, total.rate_after) == (26 / 40, 24 / 40)
    assert total.estimate == pytest.approx(-2 / 40)
    mean = (26 / 40 + 24 / 40) / 2
    # shares 3/4 to 1/2 at a rate of 0.8; shares 1/4 to 1/2 at rates 0.2 and 0.4
    assert waiting.mix_effect == pytest.approx((0.8 - mean) * (1 / 2 - 3 / 4))
    assert waiting.rate_effect == pytest.approx(0, abs=1e-15)
    assert packed.mix_effect == pytest.approx((0.3 - mean) * (1 / 2 - 1 / 4))
    assert packed.rate_effect == pytest.approx((1 / 4 + 1 / 2) / 2 * (0.4 - 0.2))
    assert total.mix_effect == pytest.approx(waiting.mix_effect + packed.mix_effect)
    assert total.rate_effect == pytest.approx(packed.rate_effect)
    assert (packed.n_before, packed.n_after, packed.n) == (10, 20, 30)
    assert (packed.share_before, packed.share_after) == (1 / 4, 1 / 2)
    assert (table.interval == "influence functions, clustered by seller").all()
    assert pd.isna(total.order_state)


def test_the_middle_of_the_time_of_mature_requests_parts_before_from_after(tables):
    opened = drawn(
        tables,
        ("2026-03-01", "packed", 1, 1),
        ("2026-03-31", "packed", 1, 1),
        ("2026-04-30", "packed", 1, 0),
        ("2026-06-29", "packed", 2, 0),  # too young: neither counted nor in the middle
    )
    table = explain_change(opened)
    assert table.split_at[0] == pd.Timestamp("2026-03-31", tz="UTC")
    assert table[["n_before", "n_after", "n_pending"]].iloc[0].tolist() == [1, 2, 2]


def test_a_request_made_at_the_moment_itself_is_after_it(tables):
    opened = drawn(tables, *MORE_PACKED)
    for moment, before in (("2026-04-01", 40), ("2026-04-01 00:00:01", 80), ("2026-02-01", 0)):
        total = explain_change(opened, split_at=moment).iloc[-1]
        assert (total.n_before, total.n_after) == (before, 80 - before)
    assert total.interval == "none: one of the times has no request"
    assert np.isnan([total.estimate, total.mix_effect, total.rate_effect, total.ci_low]).all()


def test_cells_that_are_new_or_gone_are_all_mix(tables):
    opened = drawn(
        tables,
        ("2026-03-01", "awaiting_shipment", 20, 10),
        ("2026-03-01", "packed", 10, 5),
        ("2026-04-01", "awaiting_shipment", 20, 10),
        ("2026-04-01", "frozen", 20, 0),
    )
    table = explain_change(opened).set_index("order_state")
    for state, word in (("packed", "gone"), ("frozen", "new")):
        assert table.loc[state, "rate_effect"] == 0
        assert np.isnan(table.loc[state, ["rate_low", "rate_high", "q_value"]].astype(float)).all()
        assert table.loc[state, "interval"].endswith(f"; {word}")
        assert table.loc[state, "ci_low"] < table.loc[state, "ci_high"]
    total = table.iloc[-1]
    assert total.estimate == pytest.approx(10 / 40 - 15 / 30)
    assert total.mix_effect == pytest.approx(total.estimate)


def test_without_groups_all_is_rate_and_rates_are_those_of_the_success_rate(tables):
    opened = drawn(tables, *MORE_PACKED)
    cell, total = explain_change(opened, by=[]).itertuples()
    assert (cell.mix_effect, cell.rate_effect) == (0, pytest.approx(-2 / 40))
    overall = cancellation_success_rate(opened).iloc[0]
    assert total.n == overall.n
    mixed = total.rate_before * total.n_before + total.rate_after * total.n_after
    assert mixed == pytest.approx(overall.n_events)


def test_a_seller_who_decides_all_alike_counts_once(tables):
    orders = ["order_id | seller_id", *(f"{i} | {(i - 1) % 4}" for i in range(1, 81))]
    few = explain_change(drawn(tables, *MORE_PACKED, orders="\n".join(orders)))
    many = explain_change(drawn(tables, *MORE_PACKED))
    assert (few.n_clusters.iloc[-1], many.n_clusters.iloc[-1]) == (4, 80)
    wide = few.ci_high - few.ci_low
    assert (wide > many.ci_high - many.ci_low).all()


def test_groups_keep_their_types_and_sellers_may_be_unknown(tables):
    opened = drawn(tables, *MORE_PACKED, without=("orders.seller_id", "sellers"))
    table = explain_change(opened, by=["is_cancellable_goods", "n_items"])
    assert table.is_cancellable_goods.iloc[0] is True
    assert table.n_items.iloc[0] == 1
    assert (table.interval == "influence functions").all()


def test_what_is_known_only_later_absent_or_no_moment_is_refused(tables):
    opened = drawn(tables, *MORE_PACKED)
    with pytest.raises(ValueError, match="end_code is known when the order ends"):
        explain_change(opened, by=["end_code"])
    with pytest.raises(MissingData, match="the column colour is not in this data"):
        explain_change(opened, by=["colour"])
    with pytest.raises(ValueError, match="split_at must be a date or time, got 'then'"):
        explain_change(opened, split_at="then")
