"""Variances that allow for clusters, weights and late entries (R's values: tests/parity)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stats.clustered_spells import (
    FIRST,
    curve_of_one,
    curves_of_two,
    many_markets,
    mean_to,
    survival,
)

from analysis.stats import (
    Cells,
    Jackknife,
    aalen_johansen,
    cluster_variance,
    incidence_at,
    kaplan_meier,
    restricted_mean,
    restricted_time_lost,
    survival_at,
    survival_quantiles,
)

CAUSES = 2
row = st.tuples(
    st.integers(0, 1), st.integers(0, 6), st.integers(0, CAUSES), st.integers(1, 4),
    st.integers(-1, 3),
)  # fmt: skip
rows = st.lists(row, min_size=1, max_size=25)


def cells_of(drawn):
    return Cells(*(np.array(column) for column in zip(*drawn, strict=True)))


def estimates(cells, weight):
    """Every estimate with each cell's spells weighted, one vector a group."""
    weighted = cells._replace(n=cells.n * weight)
    one, _ = curve_of_one(weighted)
    two = curves_of_two(weighted)
    times = np.arange(7)
    at = incidence_at(two, times)
    parts = [survival_at(one, times).survival, *np.moveaxis(at.incidence, -1, 0)]
    parts += [restricted_mean(one, 4).estimate[:, None], restricted_time_lost(two, 4).estimate]
    return np.concatenate(parts, axis=1)


def variances(cells, **options):
    one, ended = curve_of_one(cells)
    two = curves_of_two(cells)
    single, several = Jackknife(one, ended, **options), Jackknife(two, cells, **options)
    times = np.arange(7)
    shares = several.shares(times)
    parts = [*np.moveaxis(shares, -1, 0), single.mean(4)[:, None], several.time_lost(4)]
    return np.concatenate(parts, axis=1)


@settings(max_examples=40, deadline=None)
@given(rows)
def test_the_variance_is_the_sum_of_squared_derivatives_by_the_weight_of_each_cluster(drawn):
    cells = cells_of(drawn)
    lone = [((i,), cells.n[i]) for i in np.flatnonzero(cells.cluster < 0)]
    known = [(np.flatnonzero(cells.cluster == c), 1) for c in range(4)]
    total = 0.0
    for members, spells in lone + known:  # the spells of a lone cell are as many clusters
        change = 1e-6 / spells * np.isin(np.arange(len(cells.n)), members)
        slope = (estimates(cells, 1 + change) - estimates(cells, 1 - change)) / 2e-6
        total = total + spells * slope**2
    found = variances(cells, corrected=False)
    one, ended = curve_of_one(cells)
    enough = Jackknife(one, ended).enough[:, None]
    compared = ~np.isnan(total) & np.broadcast_to(enough, total.shape)
    np.testing.assert_allclose(found[compared], total[compared], rtol=1e-4, atol=1e-7)


@given(rows)
def test_without_clusters_and_correction_it_is_greenwood(drawn):
    cells = cells_of(drawn)._replace(cluster=None)
    one, ended = curve_of_one(cells)
    two = curves_of_two(cells)
    single = Jackknife(one, ended, corrected=False)
    enough = single.enough[one.group]
    some = (one.survival > 0) & enough
    np.testing.assert_allclose(single.survival()[some], one.variance[some], 1e-9, 1e-14)
    several = Jackknife(two, cells, corrected=False).incidence(np.arange(7))
    expected = incidence_at(two, np.arange(7))
    for group in np.unique(two.group):
        own = (two.group == group) & enough
        at = two.time[own]
        np.testing.assert_allclose(several[group, at], two.variance[own], 1e-9, 1e-13)
    assert expected.incidence.shape == several.shape


@given(rows, st.permutations(range(25)), st.integers(1, 3))
def test_order_and_splitting_of_cells_do_not_matter(drawn, order, parts):
    cells = cells_of(drawn)
    place = [i for i in order if i < len(drawn)] * parts
    share = Cells(*(column[place] for column in cells[:5]))
    split = share._replace(n=share.n / parts)
    np.testing.assert_allclose(variances(split), variances(cells), 1e-9, 1e-12)


@given(rows)
def test_other_groups_do_not_matter(drawn):
    cells = cells_of(drawn)
    whole = variances(cells)
    for group in np.unique(cells.group):
        own = Cells(*(column[cells.group == group] for column in cells[:5]))
        alone = variances(own._replace(group=np.zeros(len(own.n), int)))
        np.testing.assert_allclose(alone[0], whole[group], 1e-9, 1e-12)


def test_while_nobody_is_censored_a_curve_is_a_share():
    draws = np.random.default_rng(3)
    n = 200
    cells = Cells(
        np.zeros(n, int), draws.integers(0, 9, n), np.ones(n, int), np.ones(n),
        draws.integers(-1, 12, n),
    )  # fmt: skip
    curve, _ = curve_of_one(cells)
    found = Jackknife(curve, cells)
    early = cells.time <= 4
    lone = cells.cluster < 0
    size = np.append(np.bincount(cells.cluster[~lone], minlength=12), lone.sum())
    ended = np.append(np.bincount(cells.cluster[~lone & early], minlength=12), (lone & early).sum())
    share = cluster_variance(np.zeros(13, int), ended, size, alone=np.arange(13) == 12)
    assert found.survival()[4] == pytest.approx(share.variance[0], rel=1e-12)
    assert found.df[0] == pytest.approx(share.df[0], rel=1e-12)
    assert found.n_clusters[0] == share.n_clusters[0]


def test_a_weight_is_not_a_count():
    ones, weight = np.ones(3, int), np.full(3, 30.0)
    cells = Cells(0 * ones, np.arange(1, 4), ones, weight, n_squared=weight**2, n_spells=ones)
    curve, _ = curve_of_one(cells)
    three = kaplan_meier([0] * 3, [1, 2, 3], [1, 1, 1], [0, 0, 0])
    found = Jackknife(curve, cells, corrected=False)
    np.testing.assert_allclose(found.survival()[:2], three.variance[:2], rtol=1e-12)
    assert found.n_clusters.tolist() == [3]
    as_counts = Jackknife(curve, cells._replace(n_squared=None), corrected=False)
    np.testing.assert_allclose(as_counts.survival()[:2], three.variance[:2] / 30, rtol=1e-12)


def test_limits_are_never_narrower_than_those_of_independent_spells():
    cells = Cells(
        np.repeat([0, 1], 6), [1, 2, 3, 1, 2, 3] * 2, [1] * 12, [5] * 12,
        [0, 0, 0, 1, 1, 1] + [4] * 6,
    )  # fmt: skip
    cells = Cells(*(np.asarray(column) for column in cells[:5]))
    curve, _ = curve_of_one(cells)
    found = Jackknife(curve, cells)  # both clusters of the first group are alike: no difference
    assert found.survival()[0] == pytest.approx(0, abs=1e-15)
    assert found.enough.tolist() == [True, False] and np.isinf(found.df[1])
    plain, wide = survival_at(curve, [1, 2]), survival_at(curve, [1, 2], jackknife=found)
    assert (wide.low[0] < plain.low[0]).all() and (wide.high[0] > plain.high[0]).all()
    np.testing.assert_allclose(wide.low[1], plain.low[1], rtol=1e-12)  # too few: as independent


@pytest.mark.parametrize(
    ("n_clusters", "n_markets"),
    [(10, 1000), (40, 400), pytest.param(200, 400, marks=pytest.mark.study)],
)
def test_limits_hold_the_truth_as_often_as_they_say(n_clusters, n_markets):
    """Unequal clusters with gamma frailties; taking spells as independent covers about half."""
    at, tau, step = 20, 30, 0.05
    cells = many_markets(100 + n_clusters, n_markets, n_clusters)
    one, ended = curve_of_one(cells)
    two = curves_of_two(cells)
    single, several = Jackknife(one, ended), Jackknife(two, cells)
    stays, mean = survival(at * step), mean_to(tau * step) / step
    point = survival_at(one, [at], jackknife=single)
    shares = incidence_at(two, [at], jackknife=several)
    held = {
        "survival": (point.low[:, 0], point.high[:, 0], stays),
        "incidence": (shares.low[:, 0, 0], shares.high[:, 0, 0], FIRST * (1 - stays)),
    }
    found = restricted_mean(one, tau, jackknife=single)
    held["mean"] = (found.low, found.high, mean + 0.5)  # times are rounded up
    lost = restricted_time_lost(two, tau, jackknife=several)
    held["lost"] = (lost.low[:, 0], lost.high[:, 0], FIRST * (tau - mean - 0.5))
    error = np.sqrt(0.95 * 0.05 / n_markets)
    for name, (low, high, true) in held.items():
        share = ((low <= true) & (true <= high)).mean()
        assert 0.93 - 3 * error <= share <= 0.97 + 3 * error, (name, share)
    plain = survival_at(one, [at])
    assert ((plain.low <= stays) & (stays <= plain.high)).mean() < 0.65


def test_cells_that_are_not_the_curves_are_named():
    curve = kaplan_meier([0, 0], [1, 2], [1, 1], [0, 0])
    fine = {"group": [0, 0], "time": [1, 2], "end": [1, 1], "n": [1, 1]}
    for change, message in [
        ({"time": [1, 3]}, "a time is not in it"),
        ({"n": [1, 2]}, "must add up to the counts"),
        ({"end": [1, 2]}, "end must be 0 to 1, got 1 to 2"),
        ({"n": [1]}, "cells must be of one length"),
        ({"group": [0, 1]}, "group must be below n_groups = 1"),
    ]:
        columns = {name: np.array(values) for name, values in {**fine, **change}.items()}
        if len(columns["n"]) < 2:
            columns["n_squared"] = columns["n"]
        with pytest.raises(ValueError, match=message):
            Jackknife(curve, Cells(**columns))


def test_no_rows():
    curve = aalen_johansen([], [], np.zeros((0, 2)), [], n_groups=2)
    none = np.zeros(0, int)
    found = Jackknife(curve, Cells(none, none, none, none, none))
    assert found.n_clusters.tolist() == [0, 0]
    assert found.incidence([1, 2]).tolist() == np.zeros((2, 2, 2)).tolist()
    assert np.isnan(incidence_at(curve, [1], jackknife=found).low).all()
    assert np.isnan(restricted_time_lost(curve, 3, jackknife=found).std_error).all()
    single = kaplan_meier([], [], [], [], n_groups=1)
    empty = Jackknife(single, Cells(none, none, none, none, none))
    assert np.isnan(survival_quantiles(single, [0.5], jackknife=empty).low).all()
