"""Tests of equal curves against sums over single spells, and what must not change them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.stats import gray_test, log_rank

few = settings(max_examples=40, deadline=None)


@st.composite
def spells(draw, causes=1):
    """Group, stratum, cluster, time and end (0: censored) of a few spells, many of them tied."""
    n = draw(st.integers(2, 40))
    values = [st.integers(0, top) for top in (2, 1, 5)] + [st.integers(1, 8)]
    columns = [draw(st.lists(value, min_size=n, max_size=n)) for value in values]
    ends = draw(st.lists(st.integers(0, causes), min_size=n, max_size=n))
    return tuple(np.array(column) for column in (*columns, ends))


def counted(ends, causes):
    """Rows x causes, and the censored."""
    return np.stack([ends == cause for cause in range(1, causes + 1)], axis=1) * 1, (ends == 0) * 1


def by_hand(group, stratum, time, died, rho):
    """Observed, expected and variance, one event time of one stratum after the other."""
    k = 3
    observed, expected, variance = np.zeros(k), np.zeros(k), np.zeros((k, k))
    for one in np.unique(stratum):
        own, survival = stratum == one, 1.0
        for t in np.unique(time[own & (died == 1)]):
            at_risk = np.array([(own & (group == g) & (time >= t)).sum() for g in range(k)])
            d = np.array([(own & (group == g) & (time == t) & (died == 1)).sum() for g in range(k)])
            n, all_d, w = at_risk.sum(), d.sum(), survival**rho
            observed += w * d
            expected += w * all_d * at_risk / n
            if n > 1:
                spread = w**2 * all_d * (n - all_d) / (n - 1) / n
                variance += spread * (np.diag(at_risk) - np.outer(at_risk, at_risk) / n)
            survival *= 1 - all_d / n
    return observed, expected, variance


@few
@given(spells(), st.sampled_from([0.0, 1.0, 0.5]))
def test_a_log_rank_test_is_a_sum_over_event_times(drawn, rho):
    group, stratum, _, time, died = drawn
    found = log_rank(group, time, died, 1 - died, stratum=stratum, rho=rho, n_groups=3)
    for value, expected in zip(found[3:6], by_hand(group, stratum, time, died, rho), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-10, atol=1e-12)
    inverse = np.linalg.pinv(found.variance, rcond=1e-9, hermitian=True)
    gap = found.observed - found.expected
    if found.df:
        assert found.chisq == pytest.approx(gap @ inverse @ gap, rel=1e-8)
        assert 0 <= found.p_value <= 1
    else:
        assert np.isnan(found.chisq) and np.isnan(found.p_value)


@few
@given(spells())
def test_what_a_cluster_adds_is_the_sum_over_its_spells(drawn):
    group, stratum, cluster, time, died = drawn
    found = log_rank(group, time, died, 1 - died, stratum=stratum, cluster=cluster, n_groups=3)
    sums = np.zeros((6, 3))
    for i in range(len(group)):
        for t in np.unique(time[(stratum == stratum[i]) & (died == 1)]):
            at_risk = (stratum == stratum[i]) & (time >= t)
            part = np.bincount(group[at_risk], minlength=3) / at_risk.sum()
            d = (died[at_risk & (time == t)]).sum()
            jump = (time[i] == t) * died[i] - (time[i] >= t) * d / at_risk.sum()
            sums[cluster[i]] += (np.eye(3)[group[i]] - part) * jump
    np.testing.assert_allclose(found.variance, sums.T @ sums, atol=1e-12)
    assert found.n_clusters == len(np.unique(cluster))
    np.testing.assert_allclose(sums.sum(axis=0), found.observed - found.expected, atol=1e-12)


@few
@given(spells(causes=2), st.randoms(use_true_random=False))
def test_only_the_order_of_times_counts_and_not_that_of_rows_or_their_pieces(drawn, random):
    group, stratum, cluster, time, ends = drawn
    events, censored = counted(ends, 2)
    order = np.array(random.sample(range(len(group)), len(group)))
    later = np.log(time + 0.5) * 7 + 10
    twice = np.concatenate([order, order])
    half = [np.concatenate([x[order] / 2, x[order] / 2]) for x in (events, censored)]

    def tests(rows, times, events, censored):
        plain = {"stratum": stratum[rows], "n_groups": 3}
        yield gray_test(group[rows], times, events, censored, **plain)[:3]
        clustered = gray_test(group[rows], times, events, censored, cluster=cluster[rows], **plain)
        yield clustered.score, clustered.variance
        given_ = (group[rows], times, events[:, 0], censored + events[:, 1])
        for options in ({"rho": 1.0}, {"cluster": cluster[rows]}):
            yield log_rank(*given_, **plain, **options)[:6]

    whole = tests(np.arange(len(group)), time, events, censored)
    pieces = tests(twice, np.tile(later[order], 2), *half)
    for one, other in zip(whole, pieces, strict=True):
        for found, expected in zip(one, other, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


@few
@given(spells())
def test_with_a_single_end_grays_score_is_that_of_the_log_rank_test(drawn):
    group, stratum, _, time, died = drawn
    gray = gray_test(group, time, died[:, None], 1 - died, stratum=stratum, n_groups=3)
    ranked = log_rank(group, time, died, 1 - died, stratum=stratum, n_groups=3)
    np.testing.assert_allclose(gray.score[0], ranked.observed - ranked.expected, atol=1e-10)


def gray_by_hand(group, time, ends):
    """Score and variance of Gray (1988) for the first of two causes, two groups, no ties."""
    order = np.argsort(time)
    group, ends = group[order], ends[order]
    n, k = len(group), 2
    at_risk = np.array([[(group[i:] == g).sum() for g in range(k)] for i in range(n)])
    survival, incidence = np.ones((n + 1, k)), np.zeros((n + 1, k))
    common, free, score = np.zeros(n), np.ones(n + 1), np.zeros(k)
    for i in range(n):
        worth = at_risk[i] / np.where(survival[i] > 0, survival[i], np.inf)
        weighed = worth * (1 - incidence[i])
        own = np.eye(k)[group[i]] * (ends[i] == 1)
        score += own - weighed / weighed.sum() * own.sum()
        common[i] = own.sum() / worth.sum() / free[i]
        free[i + 1] = free[i] * (1 - common[i])
        share = np.where(at_risk[i] > 0, own / np.maximum(at_risk[i], 1), 0)
        incidence[i + 1] = incidence[i] + survival[i] * share
        gone = np.eye(k)[group[i]] * (ends[i] > 0) / np.maximum(at_risk[i], 1)
        survival[i + 1] = survival[i] * (1 - gone)
    variance = np.zeros((k, k))
    for r in range(k):
        worth = np.array(
            [at_risk[i] / np.where(survival[i] > 0, survival[i], np.inf) for i in range(n)]
        )
        drift = np.array([w * (np.arange(k) == r) - w * w[r] / w.sum() for w in worth])
        for i in range(n):
            if ends[i] == 0 or (ends[i] == 2 and group[i] != r) or not worth[i, r]:
                continue
            ahead = sum((drift[j] * common[j] for j in range(i + 1, n)), np.zeros(k))
            after = survival[i + 1, r]
            slope = free[i + 1] / after if after > 0 else 0.0
            if ends[i] == 1:
                a = drift[i] + (1 - slope) * ahead
                variance += np.outer(a, a) / worth[i, r] / worth[i].sum()
            else:
                variance += slope**2 * np.outer(ahead, ahead) / worth[i, r] ** 2
    return score, variance


@few
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), min_size=4, max_size=25))
def test_grays_test_is_a_sum_over_ends(drawn):
    group, ends = (np.array(column) for column in zip(*drawn, strict=True))
    time = np.arange(len(group))
    found = gray_test(group, time, *counted(ends, 2), n_groups=2)
    score, variance = gray_by_hand(group, time, ends)
    np.testing.assert_allclose(found.score[0], score, atol=1e-10)
    np.testing.assert_allclose(found.variance[0], variance, rtol=1e-9, atol=1e-10)


def test_many_spells_of_their_own_have_the_variance_of_independent_ones():
    rng = np.random.default_rng(4)
    group, ends = rng.integers(0, 3, 6000), rng.integers(0, 3, 6000)
    time = np.ceil(rng.exponential(10, 6000)).astype(int)
    given_ = (group, time, *counted(ends, 2))
    alone, single = gray_test(*given_), gray_test(*given_, cluster=np.arange(6000))
    np.testing.assert_allclose(single.variance, alone.variance, rtol=0.06)
    np.testing.assert_allclose(single.score, alone.score)
    assert (single.n_clusters, alone.n_clusters) == (6000, 0)


def test_what_sellers_do_alike_is_no_difference_between_groups():
    """Six sellers, each with all of its spells in one group and all of one end."""
    cluster = np.repeat(np.arange(6), 50)
    ends = np.array([1, 1, 2, 1, 2, 2])[cluster]
    given_ = (cluster % 2, np.ones(300, int), *counted(ends, 2))
    assert (gray_test(*given_).p_value < 1e-6).all()
    assert (gray_test(*given_, cluster=cluster).p_value > 0.2).all()


def test_without_anything_to_compare_there_is_no_test():
    for test in (log_rank([], [], [], []), log_rank([0, 1], [1, 2], [0, 0], [1, 1])):
        assert np.isnan(test.chisq) and np.isnan(test.p_value) and test.df == 0
    alone = log_rank([1, 1], [1, 2], [1, 1], [0, 0], n_groups=3)
    assert (alone.df, alone.observed.tolist()) == (0, [0, 2, 0])
    none = gray_test([0, 1], [1, 2], [[0, 1], [0, 1]], [0, 0])
    assert np.isnan(none.p_value[0]) and none.df.tolist() == [0, 1]
    assert gray_test([], [], np.empty((0, 2)), []).df.tolist() == [0, 0]


def test_a_group_without_spells_costs_no_degree_of_freedom():
    given_ = ([0, 1, 0, 1, 1], [1, 2, 3, 4, 5], [1] * 5, [0] * 5)
    one, other = log_rank(*given_), log_rank(*given_, n_groups=4)
    assert (one.chisq, one.df) == (pytest.approx(other.chisq), other.df)


def test_late_entries_are_at_risk_after_they_enter():
    """Group 1 enters at 2: at risk with group 0 at time 3 only."""
    test = log_rank(
        [0, 0, 0, 1, 1], [0, 1, 3, 2, 4], [0, 1, 1, 0, 1], [0] * 5, n_entered=[2, 0, 0, 1, 0]
    )
    assert test.observed.tolist() == [2, 1]
    assert test.expected.tolist() == [1.5, 1.5]  # 1 at time 1, a half at 3, nothing at 4
    with pytest.raises(ValueError, match="n_entered must be None"):
        log_rank([0], [1], [1], [0], n_entered=[1], cluster=[0])
    with pytest.raises(ValueError, match="n_entered must add up"):
        log_rank([0, 0], [1, 2], [1, 1], [0, 0], n_entered=[0, 1])


def test_few_clusters_say_little():
    """Three clusters of a hundred equal spells each are three observations."""
    cluster = np.repeat([0, 1, 2], 100)
    group = (cluster > 0) * 1
    time = np.repeat([5, 9, 8], 100)
    died = np.ones(300)
    assert log_rank(group, time, died, 1 - died).p_value < 1e-12
    assert log_rank(group, time, died, 1 - died, cluster=cluster).p_value > 0.05
    alone = log_rank(group, time, died, 1 - died, cluster=np.zeros(300, int))
    assert np.isnan(alone.p_value)


@pytest.mark.parametrize("wrong", [[-1], [np.nan]])
def test_counts_must_be_counts(wrong):
    with pytest.raises(ValueError, match="counts must be at least 0"):
        log_rank([0], [1], wrong, [0])
    with pytest.raises(ValueError, match="rows x causes"):
        gray_test([0], [1], [1], [0])


def test_clusters_without_spells_change_nothing():
    rng = np.random.default_rng(3)
    group, time, event = rng.integers(0, 2, 40), rng.integers(1, 9, 40), rng.integers(0, 2, 40)
    cluster = np.arange(40) % 8
    more = [np.append(group, 0), np.append(time, 3), np.append(event, 0), np.append(1 - event, 0)]
    few = log_rank(group, time, event, 1 - event, cluster=cluster)
    many = log_rank(*more, cluster=np.append(cluster, 99))
    assert many.n_clusters == few.n_clusters == 8
    assert many.p_value == pytest.approx(few.p_value)
    few = gray_test(group, time, np.c_[event, 0 * event], 1 - event, cluster=cluster)
    many = gray_test(
        *more[:2], np.c_[more[2], 0 * more[2]], more[3], cluster=np.append(cluster, 99)
    )
    assert many.n_clusters == few.n_clusters == 8
    assert many.p_value[0] == pytest.approx(few.p_value[0])
