"""What all measures have in common: their columns, empty data, columns that are not there."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.drawn import drawn_frames
from tests.measures.random_rows import AS_OF, random_market
from tests.measures.specs import SPECS

import analysis
from analysis.contract import REQUIRED_TABLES, TABLES, MissingData
from analysis.measures import MEASURES, outcome_curve, outcome_shares, why_not
from analysis.sources import open_tables

GROUPED = [
    name for name, measure in MEASURES.items() if "by" in inspect.signature(measure).parameters
]
NOTHING = {
    name: f"{TABLES[name].columns[0].name}\n"
    for name in ("orders", "requests", "refunds", "steps", "blockers")
}
ONE = {"requests": "request_id\n1", "refunds": "request_id\n1", "steps": "session_id\n1"}
PENDING = {"requests": "outcome\npending\npending", "steps": "session_id\n1\n2"}


def kind(name, column):
    if column in SPECS[name].text or column == "interval":
        return "str"
    if column.endswith("_at"):
        return "datetime64[us, UTC]"
    if column.startswith("is_"):
        return "bool"
    if column.startswith("n_") or column in ("n", "sla_days"):
        return "int64"
    return "float64"


def default_groups(measure):
    """Columns that a measure groups by unless asked otherwise."""
    by = inspect.signature(measure).parameters.get("by")
    return () if by is None else by.default


def asked(name, opened, **options):
    """The table of a measure, told what data without a description does not say."""
    return MEASURES[name](opened, **(SPECS[name].given | options))


def assert_columns(name, table, by=()):
    assert list(table.columns) == [*by, *SPECS[name].columns]
    for column in SPECS[name].columns:
        if len(table) and column != "seller_id":
            assert str(table[column].dtype) == kind(name, column), column
    assert table.index.equals(pd.RangeIndex(len(table)))


def test_the_list_of_measures_is_whole_and_public():
    assert set(MEASURES) == set(SPECS)
    for name, measure in MEASURES.items():
        assert getattr(analysis, name) is measure
        assert measure.__name__ == name
        names = list(inspect.signature(measure).parameters)
        kinds = [p.kind for p in inspect.signature(measure).parameters.values()]
        assert names[0] == "tables"
        assert set(kinds[1:]) == {inspect.Parameter.KEYWORD_ONLY}
        assert "level" in names


@pytest.mark.parametrize("name", SPECS)
def test_a_measure_returns_its_columns_after_the_groups(plain, name):
    opened, _ = plain
    if name not in GROUPED:
        assert_columns(name, asked(name, opened))
        return
    by = ["size_tier", "category"]
    table = asked(name, opened, by=by)
    assert_columns(name, table, by)
    groups = table[by].drop_duplicates()
    ordered = groups.sort_values(by, na_position="last")
    assert groups.index.equals(ordered.index)
    assert groups["size_tier"].isna().any()


@pytest.mark.parametrize("drawn", [NOTHING, ONE, PENDING], ids=["nothing", "one row", "pending"])
def test_next_to_nothing_is_a_correct_table(tables, drawn):
    opened = tables(**drawn)
    for name in MEASURES:
        if SPECS[name].needs & TABLES.keys() - drawn.keys():
            continue
        table = asked(name, opened)
        assert_columns(name, table, default_groups(MEASURES[name]))
        counted = table["n"].to_numpy() if "n" in table else []
        shares = table["estimate"].to_numpy()
        assert np.isnan(shares[counted == 0]).all() or name == "seller_scorecard"
        if drawn is NOTHING:
            assert not counted.any()
        if name in GROUPED and drawn is NOTHING:
            grouped = asked(name, opened, by=["category"])
            assert list(grouped.columns) == ["category", *SPECS[name].columns]
            assert len(grouped) == 0


def optional_columns():
    return [
        f"{name}.{column.name}"
        for name, table in TABLES.items()
        for column in table.columns
        if column.optional
    ]


def answered_or_missing(opened, names=(*MEASURES, "why_not")):
    """Names of the measures that answer; the others must say that data is missing."""
    answered = set()
    for name in names:
        try:
            why_not(opened, 1) if name == "why_not" else asked(name, opened)
        except MissingData as lack:
            assert "is not in this data" in str(lack)
        else:
            answered.add(name)
    return answered


def unanswered(lacking):
    """Names of the measures that cannot do without one of these tables and columns."""
    return {name for name, spec in SPECS.items() if spec.needs & set(lacking)}


def without(frames, columns):
    for lacking in columns:
        name, column = lacking.split(".")
        if column in frames[name].column_names:
            frames[name] = frames[name].drop_columns([column])
    return open_tables(frames, as_of=AS_OF)


def test_without_any_optional_column_a_measure_answers_or_says_what_it_lacks():
    lacking = optional_columns()
    answered = answered_or_missing(without(random_market(3, 20), lacking))
    expected = {*SPECS, "why_not"} - unanswered(lacking) - {"naive_versus_right"}
    assert answered - {"naive_versus_right"} == expected


@pytest.mark.parametrize("lacking", ["requests.decided_at", "refunds.credited_at"])
def test_without_one_column_only_the_measures_that_need_it_are_missing(lacking):
    answered = answered_or_missing(without(random_market(3, 20), [lacking]))
    assert answered == {*SPECS, "why_not"} - unanswered([lacking])
    assert len(unanswered([lacking])) >= 4


def columns_without_which():
    """Sets of optional columns to leave out: each that a measure needs, and all the others."""
    needed = set().union(*(spec.needs for spec in SPECS.values()))
    alone = [[column] for column in optional_columns() if column in needed]
    return [*alone, [column for column in optional_columns() if column not in needed]]


@pytest.mark.parametrize("lacking", columns_without_which()[:-1], ids=" ".join)
def test_without_a_column_that_they_need_measures_say_so(lacking):
    names = unanswered(lacking)
    assert names
    assert answered_or_missing(without(random_market(3, 20), lacking), names) == set()


@pytest.mark.study
@pytest.mark.parametrize("lacking", columns_without_which(), ids=" ".join)
def test_without_optional_columns_a_measure_answers_or_says_what_it_lacks(lacking):
    answered = answered_or_missing(without(random_market(3, 20), lacking))
    assert answered == {*SPECS, "why_not"} - unanswered(lacking)


def test_without_other_tables_the_measures_of_requests_and_orders_answer():
    frames = random_market(3, 20)
    frames = {name: frames[name] for name in REQUIRED_TABLES}
    answered = answered_or_missing(open_tables(frames, as_of=AS_OF))
    lacking = TABLES.keys() - set(REQUIRED_TABLES)
    assert answered == {*SPECS, "why_not"} - unanswered(lacking)


def test_a_group_may_be_named_once_or_twice_or_as_one_word(plain):
    opened, _ = plain
    for name in ("cancellation_success_rate", "request_rate", "refund_mean", "refund_sla"):
        once = MEASURES[name](opened, by=["category"])
        pd.testing.assert_frame_equal(MEASURES[name](opened, by="category"), once)
        pd.testing.assert_frame_equal(MEASURES[name](opened, by=["category"] * 2), once)


@pytest.mark.parametrize("name", GROUPED)
def test_no_groups_by_a_column_that_the_result_has_itself(name):
    frames = random_market(3, 20)
    own = set(SPECS[name].columns).difference(*(spec.names for spec in TABLES.values()))
    words = pa.array(["one", "other"] * (frames["orders"].num_rows // 2))
    for column in sorted(own | {"n", "k"})[::4]:
        orders = frames["orders"].append_column(column, words)
        opened = open_tables(frames | {"orders": orders}, as_of=AS_OF)
        with pytest.raises(ValueError, match=rf"(hold|column) {column}\b"):
            asked(name, opened, by=[column])


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
