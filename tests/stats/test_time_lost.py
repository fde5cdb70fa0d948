"""Time lost to each of several ends before a limit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stats import by_hand
from tests.stats.test_competing import CAUSES, curve_of, spell, spells_of_a_group

from analysis.stats import aalen_johansen, kaplan_meier, restricted_mean, restricted_time_lost


def lost_exactly(spells, tau):
    """Areas under the exact curves, step by step."""
    areas, since, level = [0] * CAUSES, 0, [0] * CAUSES
    rows = by_hand.aalen_johansen(spells, CAUSES)
    for until, after in [*((row["time"], row["incidence"]) for row in rows), (tau, None)]:
        width = min(until, tau) - since
        areas = [area + width * share for area, share in zip(areas, level, strict=True)]
        since, level = min(until, tau), after
    return np.array([float(area) for area in areas])


def followed(spells, tau):
    last = by_hand.aalen_johansen(spells, CAUSES)[-1]
    return last["time"] >= tau or last["survival"] == 0


@given(spells_of_a_group, st.integers(1, 12))
def test_the_times_lost_are_exact_and_nothing_is_extended(spells, tau):
    lost = restricted_time_lost(curve_of(spells), tau)
    if not followed(spells, tau):
        assert np.isnan(lost.estimate).all() and np.isnan(lost.std_error).all()
        return
    np.testing.assert_allclose(lost.estimate[0], lost_exactly(spells, tau), 1e-12, 1e-13)
    assert (lost.low >= 0).all() and (lost.low <= lost.estimate + 1e-12).all()
    assert (lost.estimate - 1e-12 <= lost.high).all() and (lost.high <= tau).all()


@given(spells_of_a_group, st.integers(1, 12))
def test_times_lost_to_all_causes_and_the_mean_add_up_to_the_limit(spells, tau):
    counts = by_hand.counts_of(spells, CAUSES)
    several = restricted_time_lost(
        aalen_johansen(np.zeros(len(counts["time"]), int), **counts), tau
    )
    counts["n_event"] = counts.pop("n_events").sum(axis=1)
    mean = restricted_mean(kaplan_meier(np.zeros(len(counts["time"]), int), **counts), tau)
    total = several.estimate.sum(axis=1) + mean.estimate
    np.testing.assert_allclose(total, tau if followed(spells, tau) else np.nan, 1e-12)


@given(spells_of_a_group, st.integers(1, 12))
def test_with_one_cause_the_error_is_that_of_the_mean(spells, tau):
    counts = by_hand.counts_of([(entry, end, min(cause, 1)) for entry, end, cause in spells], 1)
    group = np.zeros(len(counts["time"]), int)
    lost = restricted_time_lost(aalen_johansen(group, **counts), tau)
    counts["n_event"] = counts.pop("n_events")[:, 0]
    mean = restricted_mean(kaplan_meier(group, **counts), tau)
    np.testing.assert_allclose(lost.std_error[:, 0], mean.std_error, 1e-9, 1e-12)


@settings(max_examples=25)
@given(st.lists(spell, min_size=1, max_size=10), st.integers(1, 9))
def test_the_error_is_the_infinitesimal_jackknife(spells, tau):
    if not followed(spells, tau):
        return
    total = 0.0
    for i in range(len(spells)):
        up, down = (weighted_areas(spells, i, change, tau) for change in (1e-6, -1e-6))
        total = total + ((up - down) / 2e-6) ** 2
    found = restricted_time_lost(curve_of(spells), tau).std_error[0]
    np.testing.assert_allclose(found**2, total, rtol=1e-5, atol=1e-8)


def weighted_areas(spells, which, change, tau):
    """Time lost when one spell weighs ``1 + change``."""
    counts = by_hand.counts_of(spells, CAUSES)
    weight = 1 + change * (np.arange(len(spells)) == which)
    curve = aalen_johansen(
        np.zeros(len(spells), int),
        counts["time"],
        counts["n_events"] * weight[:, None],
        counts["n_censored"] * weight,
    )
    return restricted_time_lost(curve, tau).estimate[0]


def test_other_groups_and_the_unit_of_time_change_nothing():
    ends = np.array([[2, 0], [1, 3], [0, 1], [1, 1], [0, 0]])
    whole = aalen_johansen([0, 0, 1, 1, 1], [24, 72, 0, 48, 96], ends, [1, 1, 0, 2, 4])
    alone = aalen_johansen([0, 0, 0], [0, 2, 4], ends[2:], [0, 2, 4])
    for one, other in zip(
        restricted_time_lost(whole, 72), restricted_time_lost(alone, 3), strict=True
    ):
        np.testing.assert_allclose(one[1], 24 * other[0], rtol=1e-12)


def test_no_rows_and_impossible_limits():
    empty = aalen_johansen([], [], np.zeros((0, 2)), [], n_groups=2)
    assert restricted_time_lost(empty, 3).estimate.shape == (2, 2)
    assert np.isnan(restricted_time_lost(empty, 3).std_error).all()
    with pytest.raises(ValueError, match="tau must be above 0 and finite, got -1"):
        restricted_time_lost(empty, -1)
