"""Kaplan-Meier on counts: R's values, the same by hand, and what must not matter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.stats import by_hand

from analysis.stats import KINDS, kaplan_meier, survival_at, survival_limits

REFERENCE = Path(__file__).parents[1] / "reference" / "stats"
RTOL = 1e-9

spell = st.tuples(st.none(), st.integers(0, 9), st.integers(0, 1))
late_spell = st.tuples(st.integers(0, 6), st.integers(1, 5), st.integers(0, 1)).map(
    lambda drawn: (drawn[0], drawn[0] + drawn[1], drawn[2])
)
spells_of_a_group = st.one_of(
    st.lists(spell, min_size=1, max_size=25), st.lists(late_spell, min_size=1, max_size=25)
)


def curve_of(spells, group=0, **options):
    counts = by_hand.counts_of(spells, 1)
    counts["n_event"] = counts.pop("n_events")[:, 0]
    return kaplan_meier(np.full(len(counts["time"]), group), **counts, **options)


def made_up(late):
    """Return the made-up spells as arguments of ``kaplan_meier``."""
    spells = pd.read_csv(REFERENCE / "made_up_spells.csv")
    counts = {
        "group": spells["group"].to_numpy(),
        "time": spells["exit"].to_numpy(),
        "n_event": (spells["cause"] > 0).to_numpy(int),
        "n_censored": (spells["cause"] == 0).to_numpy(int),
    }
    if not late:
        return counts
    nobody = np.zeros(len(spells), int)
    entries = (counts["group"], spells["entry"].to_numpy(), nobody, nobody)
    both = {
        name: np.concatenate([own, entry])
        for (name, own), entry in zip(counts.items(), entries, strict=True)
    }
    return {**both, "n_entered": np.concatenate([nobody, nobody + 1])}


# --- R --------------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_two_groups_with_ties_and_late_entries_equal_r(late, kind):
    table = pd.read_csv(REFERENCE / "kaplan_meier.csv")
    expected = table[(table["entries"] == ("late" if late else "whole")) & (table["kind"] == kind)]
    curve = kaplan_meier(**made_up(late))
    low, high = survival_limits(curve, kind=kind)
    found = {
        "group": curve.group,
        "time": curve.time,
        "n_at_risk": curve.n_at_risk,
        "n_event": curve.n_event,
        "n_censored": curve.n_censored,
        "survival": curve.survival,
        "std_error": np.sqrt(curve.variance),
        "hazard": curve.hazard,
        "hazard_std_error": np.sqrt(curve.hazard_variance),
        "low": low,
        "high": high,
    }
    for name, values in found.items():
        np.testing.assert_allclose(values, expected[name], rtol=RTOL, atol=1e-12, err_msg=name)


# --- by hand --------------------------------------------------------------------------------


@given(spells_of_a_group)
def test_the_curve_equals_exact_fractions_spell_by_spell(spells):
    curve = curve_of(spells)
    rows = by_hand.aalen_johansen(spells, 1)
    assert curve.time.tolist() == [row["time"] for row in rows]
    for name in ("n_at_risk", "n_censored", "survival", "variance", "hazard", "hazard_variance"):
        exact = [np.nan if row[name] is None else float(row[name]) for row in rows]
        np.testing.assert_allclose(getattr(curve, name), exact, rtol=1e-12, atol=1e-15)
    assert curve.n_event.tolist() == [row["n_events"][0] for row in rows]
    gone = [row["survival"] == 0 for row in rows]
    assert (curve.survival == 0).tolist() == gone  # exactly


@given(spells_of_a_group, st.sampled_from(KINDS), st.sampled_from([0.5, 0.95, 0.999]))
def test_limits_are_around_the_curve_and_in_range(spells, kind, level):
    curve = curve_of(spells)
    low, high = survival_limits(curve, level=level, kind=kind)
    inside = (curve.survival > 0) & (curve.survival < 1)
    assert not np.isnan(low[inside]).any() and not np.isnan(high[inside]).any()
    assert np.isnan(low[curve.survival == 0]).all()
    low, high, survival = low[inside], high[inside], curve.survival[inside]
    assert ((low >= 0) & (low <= survival + 1e-12)).all()
    assert ((survival - 1e-12 <= high) & (high <= 1)).all()


@given(spells_of_a_group)
def test_curves_fall_and_hazards_rise(spells):
    curve = curve_of(spells)
    assert (np.diff(curve.survival, prepend=1.0) <= 0).all()
    assert (np.diff(curve.hazard, prepend=0.0) >= 0).all()
    assert curve.n_event.sum() + curve.n_censored.sum() == len(spells)


# --- what must not matter -------------------------------------------------------------------


@given(
    st.lists(spells_of_a_group, min_size=1, max_size=4),
    st.randoms(use_true_random=False),
)
def test_row_order_and_split_rows_change_nothing(groups, random):
    late = any(s[0] is not None for spells in groups for s in spells)
    rows = []  # group, time, n_event, n_censored, n_entered
    for number, spells in enumerate(groups):
        for entry, end, cause in spells:
            rows.append((number, end, cause, 1 - cause, 0))
            if late:
                rows.append((number, -1 if entry is None else entry, 0, 0, 1))
    if late:  # those at risk from the beginning come in before everybody else
        rows = [(g, time + 1, *counts) for g, time, *counts in rows]

    def curve(some):
        group, time, *counts = np.array(some).T
        names = ("n_event", "n_censored", "n_entered")[: 3 if late else 2]
        return kaplan_meier(group, time, **dict(zip(names, counts, strict=False)))

    merged = {}
    for group, time, *counts in rows:
        merged[group, time] = np.add(merged.get((group, time), 0), counts)
    random.shuffle(rows)
    together = [(*key, *counts) for key, counts in merged.items()]
    for one, other in zip(curve(rows)[:-1], curve(together)[:-1], strict=True):
        np.testing.assert_array_equal(one, other)


@given(st.lists(st.lists(spell, min_size=1, max_size=20), min_size=2, max_size=6), st.data())
def test_other_groups_change_not_one_bit(groups, data):
    number = data.draw(st.integers(0, len(groups) - 1))
    counts = [by_hand.counts_of(spells, 1) for spells in groups]
    whole = kaplan_meier(
        np.repeat(np.arange(len(groups)), [len(spells) for spells in groups]),
        np.concatenate([part["time"] for part in counts]),
        np.concatenate([part["n_events"][:, 0] for part in counts]),
        np.concatenate([part["n_censored"] for part in counts]),
    )
    alone = curve_of(groups[number])
    own = whole.group == number
    for name in whole._fields[1:-1]:
        np.testing.assert_array_equal(getattr(whole, name)[own], getattr(alone, name))


@given(spells_of_a_group, st.sampled_from([0.25, 60.0, 3600.0]))
def test_the_unit_of_time_does_not_matter(spells, unit):
    curve = curve_of(spells)
    counts = by_hand.counts_of(spells, 1)
    counts["n_event"] = counts.pop("n_events")[:, 0]
    counts["time"] = counts["time"] * unit
    other = kaplan_meier(np.zeros(len(counts["time"]), int), **counts)
    np.testing.assert_array_equal(other.time, curve.time * unit)
    np.testing.assert_array_equal(other.survival, curve.survival)


def test_weights_count_as_repeated_spells():
    once = kaplan_meier([0, 0, 0], [1, 2, 3], [2.5, 0, 5], [0, 2.5, 0])
    assert once.survival.tolist() == [0.75, 0.75, 0]
    assert once.n_at_risk.tolist() == [10, 7.5, 5]


# --- reading a curve ------------------------------------------------------------------------


def test_a_curve_is_read_as_steps_and_not_extended_while_somebody_is_left():
    curve = kaplan_meier([0, 0, 1], [2, 5, 3], [1, 0, 1], [0, 3, 1], n_groups=3)
    at = survival_at(curve, [5, 0, 2, 4.5, 6])  # in any order
    nan = np.nan
    np.testing.assert_array_equal(
        at.survival, [[0.75, 1, 0.75, 0.75, nan], [nan, 1, 1, nan, nan], [nan] * 5]
    )
    np.testing.assert_array_equal(at.n_at_risk, [[3, 4, 4, 3, 0], [0, 2, 2, 0, 0], [0] * 5])
    np.testing.assert_array_equal(at.n_event, [[1, 0, 1, 1, 1], [1, 0, 0, 1, 1], [0] * 5])
    np.testing.assert_array_equal(at.n_censored, [[3, 0, 0, 0, 3], [1, 0, 0, 1, 1], [0] * 5])


def test_when_all_have_ended_nothing_changes_any_more():
    curve = kaplan_meier([0, 0, 1, 1], [2, 5, 2, 5], [1, 3, 1, 2], [0, 0, 0, 1])
    at = survival_at(curve, [5, 6, 99])
    np.testing.assert_array_equal(at.survival, [[0, 0, 0], [0.25, np.nan, np.nan]])
    np.testing.assert_array_equal(at.n_at_risk, [[3, 0, 0], [3, 0, 0]])
    np.testing.assert_array_equal(at.n_event, [[4, 4, 4], [3, 3, 3]])


@given(spells_of_a_group, st.lists(st.integers(0, 12), min_size=1, max_size=6))
def test_reading_equals_looking_up_each_time(spells, times):
    curve = curve_of(spells, group=1, n_groups=2)
    at = survival_at(curve, times, level=0.9, kind="log")
    low, high = survival_limits(curve, level=0.9, kind="log")
    for column, time in enumerate(times):
        rows = np.flatnonzero(curve.time <= time)
        if time > curve.time.max() and curve.survival[-1] > 0:
            expected = [np.nan] * 3
        else:
            here = [curve.survival, low, high]
            expected = [values[rows[-1]] if len(rows) else 1.0 for values in here]
        found = [at.survival[1, column], at.low[1, column], at.high[1, column]]
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        assert at.n_event[1, column] == curve.n_event[rows].sum()
        assert at.n_censored[1, column] == curve.n_censored[rows].sum()
        assert np.isnan(at.survival[0, column])


# --- edges ----------------------------------------------------------------------------------


def test_no_rows_one_row_all_censored_and_a_group_without_events():
    empty = kaplan_meier([], [], [], [], n_groups=2)
    assert len(empty.time) == 0
    assert np.isnan(survival_at(empty, [0, 1]).survival).all()
    one = kaplan_meier([0], [3], [1], [0])
    assert (one.survival.tolist(), one.n_at_risk.tolist()) == ([0], [1])
    censored = kaplan_meier([0, 0], [1, 2], [0, 0], [4, 5])
    assert censored.survival.tolist() == [1, 1]
    assert survival_limits(censored, kind="plain")[0].tolist() == [1, 1]
    assert np.isnan(survival_limits(censored)[0]).all()
    mixed = kaplan_meier([0, 1, 2], [1, 1, 1], [1, 0, 0], [1, 2, 0])
    assert mixed.group.tolist() == [0, 1]  # group 2 has no spell: no row
    assert mixed.survival.tolist() == [0.5, 1]


def test_times_at_which_nobody_leaves_are_no_rows():
    curve = kaplan_meier([0, 0, 0], [1, 2, 3], [1, 0, 1], [0, 0, 0])
    assert curve.time.tolist() == [1, 3]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time": [1, -2]}, "time must be at least 0 and finite, got -2"),
        ({"time": [1.0, np.nan]}, "time must be at least 0 and finite, got nan"),
        ({"time": [1, 2, 3]}, r"must have one value a row, \(2,\), got \(3,\)"),
        ({"n_event": [1, -1]}, "counts must be at least 0 and finite, got -1"),
        ({"n_censored": [np.inf, 1]}, "counts must be at least 0 and finite, got inf"),
        ({"group": [0, 3], "n_groups": 3}, "group must be below n_groups = 3, got 3"),
        ({"n_entered": [2, 1]}, "n_entered must add up to those who leave, not so in group 0"),
        ({"n_entered": [2, 0]}, "1 leave group 0 at time 1, when 0 are at risk"),
    ],
)
def test_counts_that_do_not_fit_are_named(change, message):
    fine = {"group": [0, 0], "time": [1, 2], "n_event": [1, 1], "n_censored": [0, 0]}
    with pytest.raises(ValueError, match=message):
        kaplan_meier(**(fine | change))


def test_an_unknown_scale_is_named():
    curve = kaplan_meier([0], [1], [1], [1])
    with pytest.raises(ValueError, match="kind must be one of log-log, .*, got 'linear'"):
        survival_limits(curve, kind="linear")
    with pytest.raises(ValueError, match=r"level must be in \(0, 1\), got 0"):
        survival_at(curve, [1], level=0)
