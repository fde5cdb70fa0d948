"""What is known only later cannot explain what came before it."""

from __future__ import annotations

import pytest

from analysis.contract import TABLES
from analysis.measures.leakage import KNOWN_AT, MOMENTS, known_when, require_known_before

AFTER_ASKING = (
    "decided_at",
    "decided_by",
    "outcome",
    "blocker",
    "paid_at",
    "packed_at",
    "shipped_at",
    "delivered_at",
    "ended_at",
    "end_code",
    "started_at",
    "credited_at",
    "n_failures",
)


def test_somebody_has_decided_for_every_column_of_the_contract():
    columns = {column.name for table in TABLES.values() for column in table.columns}
    assert columns <= set(KNOWN_AT)
    assert set(KNOWN_AT.values()) == set(MOMENTS)


@pytest.mark.parametrize("column", AFTER_ASKING)
def test_what_may_come_after_asking_is_refused_by_name_and_time(column):
    with pytest.raises(
        ValueError, match=f"\n  {column} is known .+\nallowed are .*reason"
    ) as error:
        require_known_before(["reason", column, "colour"], moment="asking")
    assert known_when(column) in str(error.value)
    allowed = str(error.value).partition("allowed are ")[2].split(", ")
    assert not set(AFTER_ASKING) & set(allowed)


def test_all_columns_that_come_too_late_are_named_at_once():
    with pytest.raises(
        ValueError, match="decided_by is known when the request is decided"
    ) as error:
        require_known_before(["decided_by", "shipped_at", "end_code"], moment="asking")
    assert str(error.value).count(" is known when") == 3


@pytest.mark.parametrize(
    ("column", "first"),
    [
        ("payment_method", "ordering"),
        ("size_tier", "ordering"),
        ("order_state", "asking"),
        ("order_age", "asking"),
        ("outcome", "deciding"),
        ("method", "refunding"),
        ("end_code", "afterwards"),
    ],
)
def test_a_column_is_allowed_from_its_moment_on(column, first):
    order = list(MOMENTS)
    for moment in order:
        if order.index(moment) < order.index(first):
            with pytest.raises(ValueError, match=column):
                require_known_before([column], moment=moment)
        else:
            assert require_known_before([column], moment=moment) == []


def test_columns_of_the_data_itself_are_taken_on_trust_and_named():
    assert require_known_before(["colour", "reason", "mood", "colour"], moment="asking") == [
        "colour",
        "mood",
    ]
    assert require_known_before("colour", moment="ordering") == ["colour"]
    assert require_known_before([], moment="asking") == []


def test_an_unknown_moment_is_an_error_that_lists_the_known():
    with pytest.raises(ValueError, match="one of ordering, asking, .* got 'yesterday'"):
        require_known_before(["reason"], moment="yesterday")
