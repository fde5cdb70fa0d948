"""What all measures have in common: their columns, empty data, columns that are not there."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest
from tests.drawn import drawn_frames
from tests.measures.random_rows import AS_OF, random_market

import analysis
from analysis.contract import REQUIRED_TABLES, TABLES, MissingData
from analysis.measures import MEASURES, outcome_curve, outcome_shares, why_not
from analysis.sources import open_tables

SHARE = ["estimate", "ci_low", "ci_high"]
CLUSTERED = [*SHARE, "n", "n_events", "n_pending", "n_clusters", "interval"]
CURVE = [*SHARE, "n_at_risk", "n_events", "n_censored", "n", "interval"]
WAIT = [*SHARE, "n", "n_events", "n_censored", "interval"]
COLUMNS = {
    "cancellation_success_rate": CLUSTERED,
    "outcome_shares": ["outcome", *CLUSTERED],
    "request_rate": CLUSTERED,
    "order_end_shares": ["end_code", *SHARE, "n", "n_events", "n_clusters", "interval"],
    "outcome_curve": ["outcome", "time_hours", *CURVE],
    "window_curve": ["outcome", "time_hours", *CURVE],
    "refund_curve": ["time_days", *CURVE],
    "refund_quantiles": ["probability", *WAIT],
    "refund_mean": ["horizon_days", *WAIT],
    "refund_sla": ["method", "sla_days", "clock", *WAIT[:-1], "n_late", "interval"],
    "response_curve": ["time_hours", *CURVE],
    "blocker_shares": ["blocker", "stage", *CLUSTERED],
    "success_by_order_age": ["order_age", "age_from_hours", "age_to_hours", *CLUSTERED],
    "seller_scorecard": [
        "seller_id",
        *SHARE,
        "raw_rate",
        "n",
        "n_events",
        "n_pending",
        "response_median_hours",
        "refund_median_days",
        "n_refunds",
        "interval",
    ],
    "cancel_flow_funnel": ["step", *SHARE, "of_previous", *CLUSTERED[3:5], *CLUSTERED[6:]],
    "naive_versus_right": [
        "headline",
        "unit",
        "naive",
        *SHARE,
        "difference",
        "n",
        "interval",
        "why_they_differ",
    ],
}
GROUPED = [
    name for name, measure in MEASURES.items() if "by" in inspect.signature(measure).parameters
]
TEXT = {
    "outcome",
    "end_code",
    "method",
    "clock",
    "blocker",
    "stage",
    "order_age",
    "step",
    "interval",
}
TEXT |= {"headline", "unit", "why_they_differ"}
NOTHING = {
    name: f"{TABLES[name].columns[0].name}\n"
    for name in ("orders", "requests", "refunds", "steps", "blockers")
}
ONE = {"requests": "request_id\n1", "refunds": "request_id\n1", "steps": "session_id\n1"}
PENDING = {"requests": "outcome\npending\npending", "steps": "session_id\n1\n2"}


def kind(table, column):
    if column in TEXT:
        return "str"
    if column.startswith("n_") or column in ("n", "sla_days"):
        return "int64"
    return "float64"


def assert_columns(name, table, by=()):
    assert list(table.columns) == [*by, *COLUMNS[name]]
    for column in COLUMNS[name]:
        if len(table) and column != "seller_id":
            assert str(table[column].dtype) == kind(table, column), column
    assert table.index.equals(pd.RangeIndex(len(table)))


def test_the_list_of_measures_is_whole_and_public():
    assert list(MEASURES) == list(COLUMNS)
    for name, measure in MEASURES.items():
        assert getattr(analysis, name) is measure
        assert measure.__name__ == name
        names = list(inspect.signature(measure).parameters)
        kinds = [p.kind for p in inspect.signature(measure).parameters.values()]
        assert names[0] == "tables"
        assert set(kinds[1:]) == {inspect.Parameter.KEYWORD_ONLY}
        assert "level" in names


@pytest.mark.parametrize("name", COLUMNS)
def test_a_measure_returns_its_columns_after_the_groups(plain, name):
    opened, _ = plain
    if name not in GROUPED:
        assert_columns(name, MEASURES[name](opened))
        return
    by = ["size_tier", "category"]
    table = MEASURES[name](opened, by=by)
    assert_columns(name, table, by)
    groups = table[by].drop_duplicates()
    ordered = groups.sort_values(by, na_position="last")
    assert groups.index.equals(ordered.index)
    assert groups["size_tier"].isna().any()


@pytest.mark.parametrize("drawn", [NOTHING, ONE, PENDING], ids=["nothing", "one row", "pending"])
def test_next_to_nothing_is_a_correct_table(tables, drawn):
    opened = tables(**drawn)
    for name, measure in MEASURES.items():
        if name.startswith("refund") and "refunds" not in drawn:
            continue
        table = measure(opened)
        assert_columns(name, table)
        counted = table["n"].to_numpy() if "n" in table else []
        shares = table["estimate"].to_numpy()
        assert np.isnan(shares[counted == 0]).all() or name == "seller_scorecard"
        if drawn is NOTHING:
            assert not counted.any()
        if name in GROUPED and drawn is NOTHING:
            grouped = measure(opened, by=["category"])
            assert list(grouped.columns) == ["category", *COLUMNS[name]]
            assert len(grouped) == 0


def optional_columns():
    return [
        f"{name}.{column.name}"
        for name, table in TABLES.items()
        for column in table.columns
        if column.optional
    ]


def answered_or_missing(opened):
    """Names of the measures that answer; the others must say that data is missing."""
    answered = set()
    for name, measure in {**MEASURES, "why_not": lambda opened: why_not(opened, 1)}.items():
        try:
            measure(opened)
        except MissingData as lack:
            assert "is not in this data" in str(lack)
        else:
            answered.add(name)
    return answered


def test_without_any_optional_column_a_measure_answers_or_says_what_it_lacks():
    frames = random_market(3, 20)
    for lacking in optional_columns():
        name, column = lacking.split(".")
        if column in frames[name].column_names:
            frames[name] = frames[name].drop_columns([column])
    answered = answered_or_missing(open_tables(frames, as_of=AS_OF))
    assert answered == {"cancel_flow_funnel", "why_not"} | {"naive_versus_right"} & answered


@pytest.mark.parametrize(
    ("lacking", "unanswered"),
    [
        (
            "requests.decided_at",
            {
                "cancellation_success_rate",
                "outcome_shares",
                "outcome_curve",
                "response_curve",
                "blocker_shares",
                "success_by_order_age",
                "seller_scorecard",
            },
        ),
        ("refunds.credited_at", {name for name in COLUMNS if name.startswith("refund")}),
    ],
)
def test_without_one_column_only_the_measures_that_need_it_are_missing(lacking, unanswered):
    frames = random_market(3, 20)
    name, column = lacking.split(".")
    frames[name] = frames[name].drop_columns([column])
    answered = answered_or_missing(open_tables(frames, as_of=AS_OF))
    assert answered == {*MEASURES, "why_not"} - unanswered


@pytest.mark.slow
@pytest.mark.parametrize("lacking", optional_columns())
def test_without_one_optional_column_a_measure_answers_or_says_what_it_lacks(lacking):
    frames = random_market(3, 20)
    name, column = lacking.split(".")
    if column in frames[name].column_names:
        frames[name] = frames[name].drop_columns([column])
    assert len(answered_or_missing(open_tables(frames, as_of=AS_OF))) >= 10


def test_without_other_tables_the_measures_of_requests_and_orders_answer():
    frames = random_market(3, 20)
    frames = {name: frames[name] for name in REQUIRED_TABLES}
    answered = answered_or_missing(open_tables(frames, as_of=AS_OF))
    refunds = {name for name in MEASURES if name.startswith("refund")}
    assert answered == {*MEASURES, "why_not"} - refunds - {"cancel_flow_funnel"}


def test_a_group_may_be_named_once_or_twice_or_as_one_word(plain):
    opened, _ = plain
    for name in ("cancellation_success_rate", "request_rate", "refund_mean", "refund_sla"):
        once = MEASURES[name](opened, by=["category"])
        pd.testing.assert_frame_equal(MEASURES[name](opened, by="category"), once)
        pd.testing.assert_frame_equal(MEASURES[name](opened, by=["category"] * 2), once)


@pytest.mark.parametrize("measure", [outcome_shares, outcome_curve])
def test_a_measure_cannot_be_grouped_by_what_it_measures(plain, measure):
    with pytest.raises(ValueError, match="by must not hold outcome"):
        measure(plain[0], by=["category", "outcome"])


def test_measures_do_not_change_the_frames_they_are_given():
    frames = {name: frame.to_pandas() for name, frame in random_market(3, 20).items()}
    before = {name: frame.copy(deep=True) for name, frame in frames.items()}
    opened = open_tables(frames, as_of=AS_OF)
    for name in ("success_by_order_age", "refund_sla", "cancel_flow_funnel", "seller_scorecard"):
        MEASURES[name](opened)
    why_not(opened)
    for name, frame in frames.items():
        pd.testing.assert_frame_equal(frame, before[name])


def test_measures_give_a_new_table_every_time(plain):
    opened, _ = plain
    for name in ("cancellation_success_rate", "refund_mean"):
        first = MEASURES[name](opened)
        first["estimate"] = -1.0
        assert MEASURES[name](opened).estimate[0] >= 0


def test_drawn_tables_and_random_ones_are_of_the_same_types():
    drawn = drawn_frames("2026-06-30", {"requests": "request_id\n1", "refunds": "request_id\n1"})
    for name, frame in random_market(3, 20).items():
        if name in drawn:
            assert frame.select(drawn[name].column_names).schema == drawn[name].schema
