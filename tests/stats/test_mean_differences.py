"""Differences of mean times against derivatives by the weights of clusters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.stats import (
    Cells,
    aalen_johansen,
    kaplan_meier,
    mean_differences,
    restricted_mean,
    restricted_time_lost,
    time_lost_differences,
)

few = settings(max_examples=12, deadline=None)
TAU = 12
SIDES = np.array([-1, 0, 0])


def made_up(seed, n=240, n_clusters=15):
    """Spells of three groups and of sellers, slow or quick, who have spells in all groups."""
    rng = np.random.default_rng(seed)
    cluster, group = rng.integers(0, n_clusters, n), rng.integers(0, 3, n)
    pace = np.exp(rng.normal(0, 0.6, n_clusters))
    time = np.ceil(rng.exponential(8 / pace[cluster])).astype(int)
    seen = rng.integers(TAU - 2, 40, n)
    end = np.where(time <= seen, rng.integers(1, 3, n), 0)
    return group, np.minimum(time, seen), end, cluster


def curves(group, time, end, weight):
    by_cause = weight[:, None] * (end[:, None] == [1, 2])
    race = aalen_johansen(group, time, by_cause, weight * (end == 0), n_groups=3)
    one = kaplan_meier(group, time, by_cause.sum(axis=1), weight * (end == 0), n_groups=3)
    return one, race


def estimates(group, time, end, weight):
    """Groups x (restricted mean, time lost to each cause)."""
    one, race = curves(group, time, end, weight)
    mean = restricted_mean(one, TAU).estimate[:, None]
    return np.hstack([mean, restricted_time_lost(race, TAU).estimate])


def differences(group, time, end, cluster, baseline=SIDES):
    one, race = curves(group, time, end, np.ones(len(group)))
    cells = Cells(group, time, end, np.ones(len(group)), cluster)
    means = mean_differences(one, cells._replace(end=np.minimum(end, 1)), TAU, baseline)
    lost = time_lost_differences(race, cells, TAU, baseline)
    return means, lost


def influences(group, time, end, cluster):
    """Derivatives of all estimates by the weight of each cluster in each group, numerically."""
    h = 1e-5
    found = np.zeros((cluster.max() + 1, 3, 3))
    for c in range(cluster.max() + 1):
        for g in range(3):
            own = (cluster == c) & (group == g)
            up, down = (estimates(group, time, end, 1 + sign * h * own) for sign in (1, -1))
            found[c, g] = (up[g] - down[g]) / (2 * h)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_errors_are_sums_of_squared_influences_of_sellers_on_both_sides(seed):
    group, time, end, cluster = made_up(seed)
    means, lost = differences(group, time, end, cluster)
    size = np.bincount(group)
    part = np.stack([np.bincount(cluster[group == g], minlength=15) for g in range(3)], 1) / size
    moves = influences(group, time, end, cluster) / np.sqrt(1 - part)[:, :, None]
    for g in (1, 2):
        expected = np.sqrt(((moves[:, g] - moves[:, 0]) ** 2).sum(axis=0))
        found = [means.std_error[g], *lost.std_error[g]]
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        value = estimates(group, time, end, np.ones(len(group)))
        relative = moves[:, g] / value[g] - moves[:, 0] / value[0]
        ratio = value[g] / value[0]
        found = np.log([lost.ratio_high[g], lost.ratio[g], lost.ratio_low[g]])
        np.testing.assert_allclose(lost.ratio[g], ratio[1:], rtol=1e-10)
        np.testing.assert_allclose(found[0] - found[1], found[1] - found[2], rtol=1e-9)
        reach = (found[0] - found[1]) / np.sqrt((relative[:, 1:] ** 2).sum(axis=0))
        usual = (lost.high[g] - lost.estimate[g]) / lost.std_error[g]
        np.testing.assert_allclose(reach, usual, rtol=1e-5)
    assert np.isnan(means.estimate[0]) and means.n_clusters.tolist() == [15, 15, 15]


@few
@given(st.integers(0, 10_000))
def test_without_clusters_the_squared_errors_of_the_groups_add_up(seed):
    group, time, end, _ = made_up(seed)
    means, lost = differences(group, time, end, None)
    one, race = curves(group, time, end, np.ones(len(group)))
    mean, time_lost = restricted_mean(one, TAU), restricted_time_lost(race, TAU)
    for found, alone in ((means, mean), (lost, time_lost)):
        expected = np.sqrt(alone.std_error**2 + alone.std_error[0] ** 2)
        np.testing.assert_allclose(found.std_error[1:], expected[1:], rtol=1e-9)
        gap = alone.estimate - alone.estimate[0]
        np.testing.assert_allclose(found.estimate[1:], gap[1:], rtol=1e-9)
    assert np.isinf(means.df).all() and not means.clustered.any()
    np.testing.assert_allclose(  # what is not lost to either cause is left
        (lost.estimate.sum(axis=1) + means.estimate)[1:], 0, atol=1e-9
    )


@few
@given(st.integers(0, 10_000))
def test_a_difference_the_other_way_round_is_its_negative(seed):
    spells = made_up(seed)
    one, _ = differences(*spells)
    other, _ = differences(*spells, baseline=np.array([1, -1, -1]))
    assert other.estimate[0] == pytest.approx(-one.estimate[1])
    assert other.std_error[0] == pytest.approx(one.std_error[1])
    assert other.df[0] == pytest.approx(one.df[1])
    assert other.p_value[0] == pytest.approx(one.p_value[1])
    assert other.ratio[0] == pytest.approx(1 / one.ratio[1])
    assert other.ratio_low[0] == pytest.approx(1 / one.ratio_high[1])


@few
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_rows_split_and_mixed_and_another_group_change_nothing(seed, pieces):
    group, time, end, cluster = made_up(seed)
    whole, _ = differences(group, time, end, cluster)
    order = np.random.default_rng(seed).permutation(len(group))
    keep = order[group[order] < 2]
    n = np.repeat(1 / pieces, pieces * len(keep))
    rows = np.tile(keep, pieces)
    events = np.minimum(end[rows], 1)
    curve = kaplan_meier(group[rows], time[rows], n * events, n * (1 - events))
    cells = Cells(group[rows], time[rows], events, n, cluster[rows])
    parts = mean_differences(curve, cells, TAU, np.array([-1, 0]))
    for name in ("estimate", "std_error", "df", "low", "high", "p_value", "ratio"):
        np.testing.assert_allclose(getattr(parts, name)[1], getattr(whole, name)[1], rtol=1e-7)


def test_sellers_with_spells_on_both_sides_make_the_difference_surer():
    """Each seller is as slow with both methods: between them the pace of sellers cancels."""
    pace = np.repeat([2, 4, 6, 8, 10], 40)
    group, cluster = np.tile([0, 1], 100), np.repeat(np.arange(5), 40)
    time = pace + group * (np.arange(200) % 4 == 1)
    ones = np.ones(200)
    curve = kaplan_meier(group, time, ones, 0 * ones)
    shared = mean_differences(
        curve, Cells(group, time, ones.astype(int), ones, cluster), 12, SIDES[:2]
    )
    apart = Cells(group, time, ones.astype(int), ones, cluster + 5 * group)
    separate = mean_differences(curve, apart, 12, SIDES[:2])
    assert shared.estimate[1] == separate.estimate[1] == pytest.approx(0.5)
    assert shared.std_error[1] < 1e-6 < separate.std_error[1]
    assert (shared.n_clusters[1], separate.n_clusters[1]) == (5, 10)


def test_what_is_not_known_is_missing():
    group, time, ones = np.array([0, 0, 1, 1, 3]), np.array([2, 20, 3, 5, 20]), np.ones(5)
    end = np.array([1, 1, 1, 0, 1])
    curve = kaplan_meier(group, time, end, 1 - end, n_groups=4)
    cells = Cells(group, time, end, ones, np.array([0, 1, 0, 1, 2]))
    found = mean_differences(curve, cells, 10, np.array([0, 0, 0, 0]))
    assert np.isnan(found.estimate).tolist() == [True, True, True, False]
    assert not found.clustered[3]  # a single seller on that side
    assert np.isnan(found.p_value[:3]).all()
    nobody = kaplan_meier([], [], [], [], n_groups=0)
    empty = mean_differences(nobody, Cells([], [], np.array([], int), []), 10, np.array([], int))
    assert len(empty.estimate) == 0
    with pytest.raises(ValueError, match="baseline must name one of 4 groups"):
        mean_differences(curve, cells, 10, np.array([0, 0, 0, 4]))
    with pytest.raises(ValueError, match="no entries"):
        mean_differences(curve, cells._replace(entry=np.zeros(5)), 10, np.zeros(4, int))
