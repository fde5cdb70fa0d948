"""Quantiles and restricted means of survival curves."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.stats import by_hand
from tests.stats.test_survival import curve_of, made_up, spells_of_a_group

from analysis.stats import KINDS, kaplan_meier, restricted_mean, survival_quantiles

REFERENCE = Path(__file__).parents[1] / "reference" / "stats"


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_quantiles_equal_r(late, kind):
    table = pd.read_csv(REFERENCE / "survival_quantiles.csv")
    expected = table[(table["entries"] == ("late" if late else "whole")) & (table["kind"] == kind)]
    probs = np.sort(expected["prob"].unique())
    found = survival_quantiles(kaplan_meier(**made_up(late)), probs, kind=kind)
    for name, values in found._asdict().items():
        np.testing.assert_allclose(values.ravel(), expected[name], rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("late", [False, True])
def test_restricted_means_equal_r(late):
    table = pd.read_csv(REFERENCE / "restricted_means.csv")
    curve = kaplan_meier(**made_up(late))
    for tau, expected in table[table["entries"] == ("late" if late else "whole")].groupby("tau"):
        mean = restricted_mean(curve, tau)
        np.testing.assert_allclose(mean.estimate, expected["mean"], rtol=1e-9)
        np.testing.assert_allclose(mean.std_error, expected["std_error"], rtol=1e-9)


@given(spells_of_a_group, st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(9, 10)]))
def test_quantiles_equal_exact_fractions(spells, prob):
    exact = by_hand.quantile(spells, prob)
    found = survival_quantiles(curve_of(spells), [float(prob)]).value[0, 0]
    assert np.isnan(found) if exact is None else found == float(exact)


@given(spells_of_a_group, st.integers(1, 12))
def test_restricted_means_equal_exact_fractions_and_nothing_is_extended(spells, tau):
    mean = restricted_mean(curve_of(spells), tau)
    rows = by_hand.aalen_johansen(spells, 1)
    if rows[-1]["time"] < tau and rows[-1]["survival"] > 0:
        assert np.isnan(mean.estimate[0]) and np.isnan(mean.std_error[0])
    else:
        exact = float(by_hand.restricted_mean(spells, tau))
        assert mean.estimate[0] == pytest.approx(exact, rel=1e-12, abs=1e-12)
        assert 0 <= mean.low[0] <= mean.estimate[0] + 1e-12
        assert mean.estimate[0] - 1e-12 <= mean.high[0] <= tau


@given(st.lists(spells_of_a_group.filter(lambda s: s[0][0] is None), min_size=1, max_size=4))
def test_quantiles_are_in_order_and_other_groups_change_nothing(groups):
    counts = [by_hand.counts_of(spells, 1) for spells in groups]
    curve = kaplan_meier(
        np.repeat(np.arange(len(groups)), [len(spells) for spells in groups]),
        np.concatenate([part["time"] for part in counts]),
        np.concatenate([part["n_events"][:, 0] for part in counts]),
        np.concatenate([part["n_censored"] for part in counts]),
    )
    found = survival_quantiles(curve, [0.2, 0.5, 0.8])
    mean = restricted_mean(curve, 4)
    for number, spells in enumerate(groups):
        own = curve_of(spells)
        for one, other in zip(found, survival_quantiles(own, [0.2, 0.5, 0.8]), strict=True):
            np.testing.assert_array_equal(one[number], other[0])
        for one, other in zip(mean, restricted_mean(own, 4), strict=True):
            np.testing.assert_array_equal(one[number], other[0])
    ordered = np.nan_to_num(found.value, nan=np.inf)
    assert (ordered[:, :-1] <= ordered[:, 1:]).all()
    assert not (found.low > found.value).any() and not (found.high < found.value).any()


def test_a_flat_stretch_gives_its_middle():
    curve = kaplan_meier([0, 0, 0], [1, 4, 10], [2, 1, 1], [0, 0, 0])
    assert survival_quantiles(curve, [0.5]).value.tolist() == [[2.5]]  # 0.5 from 1 to 4
    open_end = kaplan_meier([0, 0], [1, 9], [2, 0], [0, 2])
    assert survival_quantiles(open_end, [0.5]).value.tolist() == [[5]]  # to the last seen


def test_what_is_not_reached_is_missing():
    curve = kaplan_meier([0, 0, 1], [1, 5, 2], [1, 0, 0], [0, 9, 3], n_groups=3)
    found = survival_quantiles(curve, [0.05, 0.9])
    np.testing.assert_array_equal(found.value, [[1, np.nan], [np.nan] * 2, [np.nan] * 2])


def test_the_unit_of_time_scales_durations():
    hours = kaplan_meier([0] * 3, [24, 48, 96], [3, 4, 3], [1, 0, 2])
    days = kaplan_meier([0] * 3, [1, 2, 4], [3, 4, 3], [1, 0, 2])
    for one, other in zip(restricted_mean(hours, 72), restricted_mean(days, 3), strict=True):
        np.testing.assert_allclose(one, 24 * other, rtol=1e-12)
    np.testing.assert_array_equal(
        survival_quantiles(hours, [0.5]).value, 24 * survival_quantiles(days, [0.5]).value
    )


def test_the_limits_of_a_mean_stay_between_0_and_tau():
    mean = restricted_mean(kaplan_meier([0] * 2, [1, 5], [1, 1], [0, 0]), 5)
    assert (mean.low[0], mean.estimate[0], mean.high[0]) == (pytest.approx(0.228, abs=1e-3), 3, 5)
    early = restricted_mean(kaplan_meier([0] * 2, [0, 5], [3, 1], [0, 0]), 5)
    assert (early.low[0], early.estimate[0]) == (0, 1.25)


def test_no_rows():
    empty = kaplan_meier([], [], [], [], n_groups=2)
    assert np.isnan(survival_quantiles(empty, [0.5]).value).all()
    assert np.isnan(restricted_mean(empty, 3).estimate).all()


def test_impossible_shares_and_limits_are_named():
    curve = kaplan_meier([0], [1], [1], [1])
    with pytest.raises(ValueError, match=r"probs must be in \(0, 1\), got 1.0"):
        survival_quantiles(curve, [0.5, 1])
    with pytest.raises(ValueError, match="tau must be above 0 and finite, got 0"):
        restricted_mean(curve, 0)
    with pytest.raises(ValueError, match=r"level must be in \(0, 1\), got 1.5"):
        restricted_mean(curve, 1, level=1.5)
