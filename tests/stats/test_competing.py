"""Aalen-Johansen on counts: R's values, the same by hand, and what must not matter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stats import by_hand
from tests.stats.test_survival import made_up

from analysis.stats import (
    aalen_johansen,
    aalen_variance,
    incidence_at,
    incidence_limits,
    kaplan_meier,
)
from analysis.stats.scales import probability_limits

REFERENCE = Path(__file__).parents[1] / "reference" / "stats"
RTOL = 1e-9
CAUSES = 3

spell = st.tuples(st.none(), st.integers(0, 9), st.integers(0, CAUSES))
late_spell = st.tuples(st.integers(0, 6), st.integers(1, 5), st.integers(0, CAUSES)).map(
    lambda drawn: (drawn[0], drawn[0] + drawn[1], drawn[2])
)
whole_groups = st.lists(spell, min_size=1, max_size=25)
spells_of_a_group = st.one_of(whole_groups, st.lists(late_spell, min_size=1, max_size=25))


def curve_of(spells, group=0, **options):
    counts = by_hand.counts_of(spells, CAUSES)
    return aalen_johansen(np.full(len(counts["time"]), group), **counts, **options)


def made_up_causes(late):
    counts = made_up(late)
    cause = pd.read_csv(REFERENCE / "made_up_spells.csv")["cause"].to_numpy()
    n_events = np.zeros((len(counts["time"]), 2), int)
    n_events[: len(cause)] = cause[:, None] == [1, 2]
    del counts["n_event"]
    return {**counts, "n_events": n_events}


# --- R --------------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("kind", ["log-log", "log", "plain"])
def test_two_groups_with_ties_and_late_entries_equal_r(late, kind):
    table = pd.read_csv(REFERENCE / "aalen_johansen.csv")
    table = table[(table["entries"] == ("late" if late else "whole")) & (table["kind"] == kind)]
    curve = aalen_johansen(**made_up_causes(late))
    limits = incidence_limits(curve, kind=kind)
    stays = probability_limits(curve.survival, curve.survival_variance, kind=kind)
    columns = [
        (curve.survival, curve.survival_variance, *stays),
        *zip(curve.incidence.T, curve.variance.T, limits[0].T, limits[1].T, strict=True),
    ]
    for cause, (share, variance, low, high) in enumerate(columns):
        expected = table[table["cause"] == cause]
        np.testing.assert_array_equal(curve.time, expected["time"])
        np.testing.assert_allclose(share, expected["share"], rtol=RTOL, atol=1e-12)
        if not late:  # with late entries survfit's jackknife is another variance
            found = {"std_error": np.sqrt(variance), "low": low, "high": high}
            for name, values in found.items():
                np.testing.assert_allclose(
                    values, expected[name], rtol=RTOL, atol=1e-12, err_msg=f"{cause} {name}"
                )


# --- by hand --------------------------------------------------------------------------------


@given(spells_of_a_group)
def test_the_curves_equal_exact_fractions_spell_by_spell(spells):
    curve = curve_of(spells)
    rows = by_hand.aalen_johansen(spells, CAUSES)
    assert curve.time.tolist() == [row["time"] for row in rows]
    exact = [[float(share) for share in row["incidence"]] for row in rows]
    np.testing.assert_allclose(curve.incidence, exact, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(curve.survival, [float(row["survival"]) for row in rows], 1e-12)
    assert curve.n_events.tolist() == [row["n_events"] for row in rows]
    assert curve.n_censored.tolist() == [row["n_censored"] for row in rows]


@settings(max_examples=25)
@given(st.lists(spell, min_size=1, max_size=10))
def test_the_variance_is_the_infinitesimal_jackknife(spells):
    found = curve_of(spells).variance
    np.testing.assert_allclose(found, by_hand.jackknife_variance(spells, CAUSES), 1e-9, 1e-14)


@given(spells_of_a_group)
def test_with_one_cause_it_is_kaplan_meier(spells):
    counts = by_hand.counts_of([(entry, end, min(cause, 1)) for entry, end, cause in spells], 1)
    group = np.zeros(len(counts["time"]), int)
    several = aalen_johansen(group, **counts)
    counts["n_event"] = counts.pop("n_events")[:, 0]
    one = kaplan_meier(group, **counts)
    np.testing.assert_array_equal(several.survival, one.survival)
    np.testing.assert_allclose(several.incidence[:, 0], 1 - one.survival, atol=1e-14)
    some = one.survival > 0
    np.testing.assert_allclose(several.variance[some, 0], one.variance[some], 1e-9, 1e-14)
    np.testing.assert_allclose(several.survival_variance[some], one.variance[some], 1e-12)


@given(spells_of_a_group)
def test_shares_add_up_to_1_and_rise(spells):
    curve = curve_of(spells)
    np.testing.assert_allclose(curve.incidence.sum(axis=1) + curve.survival, 1, atol=1e-12)
    assert (np.diff(curve.incidence, axis=0) >= 0).all()
    assert (curve.variance >= 0).all()


@given(spells_of_a_group, st.sampled_from(["log-log", "log", "plain", "logit", "arcsin"]))
def test_limits_are_around_the_curves_and_in_range(spells, kind):
    curve = curve_of(spells)
    low, high = incidence_limits(curve, kind=kind, level=0.9)
    inside = (curve.incidence > 0) & (curve.incidence < 1)
    low, high, share = low[inside], high[inside], curve.incidence[inside]
    assert ((low >= 0) & (low <= share + 1e-12)).all()
    assert ((share - 1e-12 <= high) & (high <= 1)).all()


def test_without_ties_aalens_variance_is_larger_by_y_over_y_minus_1_a_term():
    n = 40
    curve = aalen_johansen(
        np.zeros(n, int), np.arange(n), np.eye(2, dtype=int)[[0, 1] * 20], [0] * n
    )
    first = aalen_variance(curve)[0, 0] / curve.variance[0, 0]
    assert first == pytest.approx(n / (n - 1), rel=1e-12)
    ratio = aalen_variance(curve)[1:20] / curve.variance[1:20]
    assert ((ratio > n / (n - 1)) & (ratio < 21 / 20)).all()


def test_a_thousand_million_spells_lose_no_digits():
    """Half by each cause, the last two alone; nothing censored, so the variance is binomial."""
    n = 10**9
    n_events = np.array([[1, 0], [n // 2 - 2, n // 2 - 1], [1, 0], [0, 1]])
    curve = aalen_johansen([0] * 4, [1, 2, 3, 4], n_events, [0] * 4)
    ended = np.cumsum(n_events, axis=0)
    exact = ended * (n - ended) / n**3
    np.testing.assert_allclose(curve.incidence, ended / n, rtol=1e-12)
    np.testing.assert_allclose(curve.variance, exact, rtol=1e-9)


# --- what must not matter -------------------------------------------------------------------


@given(st.lists(whole_groups, min_size=2, max_size=6), st.data())
def test_other_groups_change_not_one_bit(groups, data):
    number = data.draw(st.integers(0, len(groups) - 1))
    counts = [by_hand.counts_of(spells, CAUSES) for spells in groups]
    group = np.repeat(np.arange(len(groups)), [len(spells) for spells in groups])
    joined = {name: np.concatenate([part[name] for part in counts]) for name in counts[0]}
    order = np.array(data.draw(st.permutations(range(len(group)))))
    whole = aalen_johansen(group[order], **{name: rows[order] for name, rows in joined.items()})
    alone = curve_of(groups[number])
    own = whole.group == number
    for name in whole._fields[1:-2]:
        np.testing.assert_array_equal(getattr(whole, name)[own], getattr(alone, name))
    np.testing.assert_array_equal(aalen_variance(whole)[own], aalen_variance(alone))


def test_ends_may_be_told_by_true_and_false():
    ends = np.array([[True, False], [False, True], [True, False], [False, False]])
    group, time = np.zeros(4, int), np.array([3.5, 1.0, 3.5, 2.0])
    told = aalen_johansen(group, time, ends, ~ends.any(axis=1))
    counted = aalen_johansen(group, time, ends.astype(float), (~ends.any(axis=1)).astype(float))
    assert told.n_events.tolist() == [[0, 1], [0, 0], [2, 0]]  # two rows at 3.5 are added up
    for name in told._fields[:-2]:
        np.testing.assert_array_equal(getattr(told, name), getattr(counted, name))


@given(whole_groups, st.sampled_from([0.5, 3600.0]))
def test_the_unit_of_time_and_the_order_of_causes_do_not_matter(spells, unit):
    counts = by_hand.counts_of(spells, CAUSES)
    other = aalen_johansen(
        np.zeros(len(spells), int),
        counts["time"] * unit,
        counts["n_events"][:, ::-1],
        counts["n_censored"],
    )
    curve = curve_of(spells)
    np.testing.assert_array_equal(other.time, curve.time * unit)
    np.testing.assert_allclose(other.incidence[:, ::-1], curve.incidence, 1e-12, 1e-15)
    np.testing.assert_allclose(other.variance[:, ::-1], curve.variance, 1e-9, 1e-14)


# --- reading a curve, edges -----------------------------------------------------------------


def test_curves_are_read_as_steps_and_never_extended():
    curve = aalen_johansen([1, 1, 1], [2, 5, 7], [[1, 0], [0, 1], [0, 0]], [0, 0, 2], n_groups=2)
    at = incidence_at(curve, [8, 0, 5, 6], level=0.9, kind="plain")
    nan = np.nan
    np.testing.assert_array_equal(at.incidence[1], [[nan, nan], [0, 0], [0.25, 0.25], [0.25, 0.25]])
    np.testing.assert_array_equal(at.survival[1], [nan, 1, 0.5, 0.5])
    np.testing.assert_array_equal(at.n_at_risk, [[0] * 4, [0, 4, 3, 2]])
    np.testing.assert_array_equal(at.n_events[1], [[1, 1], [0, 0], [1, 1], [1, 1]])
    np.testing.assert_array_equal(at.n_censored[1], [2, 0, 0, 0])
    assert np.isnan(at.incidence[0]).all() and np.isnan(at.survival[0]).all()
    low, high = incidence_limits(curve, level=0.9, kind="plain")
    np.testing.assert_array_equal(at.low[1, 3], low[1])
    np.testing.assert_array_equal(at.high[1, 3], high[1])
    stays = probability_limits(curve.survival, curve.survival_variance, level=0.9, kind="plain")
    assert (at.survival_low[1, 3], at.survival_high[1, 3]) == (stays[0][1], stays[1][1])


def test_limits_may_use_aalens_variance():
    curve = aalen_johansen([0] * 3, [1, 2, 3], [[2, 0], [1, 3], [0, 0]], [0, 0, 9])
    other = aalen_variance(curve)
    low, _ = incidence_limits(curve, variance=other)
    expected, _ = probability_limits(curve.incidence, other)
    np.testing.assert_array_equal(low, expected)
    assert (low[-1] < incidence_limits(curve)[0][-1]).all()


def test_no_rows_no_causes_all_censored():
    empty = aalen_johansen([], [], np.zeros((0, 2)), [], n_groups=1)
    assert empty.incidence.shape == (0, 2)
    assert incidence_at(empty, [0, 1]).incidence.shape == (1, 2, 2)
    assert np.isnan(incidence_at(empty, [0, 1]).survival).all()
    assert aalen_variance(empty).shape == (0, 2)
    censored = aalen_johansen([0], [4], [[0, 0]], [3])
    assert censored.incidence.tolist() == [[0, 0]] and censored.survival.tolist() == [1]
    assert censored.variance.tolist() == [[0, 0]]


def test_counts_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"n_events must be rows x causes, got 1 dimension"):
        aalen_johansen([0], [1], [1], [0])
    with pytest.raises(ValueError, match="counts must be at least 0 and finite, got -2"):
        aalen_johansen([0], [1], [[1, -2]], [0])
    with pytest.raises(ValueError, match="n_entered must add up to those who leave"):
        aalen_johansen([0], [1], [[1, 0]], [0], n_entered=[2])
