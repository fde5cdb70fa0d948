"""Proportional hazards against a likelihood written as it is defined, spell by spell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime, minimize

from analysis.stats import cox, log_rank, proportionality
from analysis.stats.comparisons.cox_clusters import cluster_scores
from analysis.stats.comparisons.cox_risk import sums

few = settings(max_examples=15, deadline=None)


def made_up(seed, n=60, p=2, *, late=False, ties=True):
    """Random spells: covariates, entry, time, event, stratum, cluster."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 3, (n, p)).astype(float)
    entry = rng.integers(0, 4, n) * late
    length = rng.exponential(6 * np.exp(-0.4 * x[:, 0]), n)
    time = entry + (np.ceil(length) if ties else length + 1e-3)
    died = (rng.random(n) < 0.8).astype(float)
    return x, entry, time, died, rng.integers(0, 2, n), rng.integers(0, 8, n)


def likelihood(beta, x, entry, time, died, stratum, weight, ties):
    """Return the log partial likelihood, one event time of one stratum after the other."""
    value, risk = 0.0, weight * np.exp(x @ beta)
    for one in np.unique(stratum):
        for t in np.unique(time[(stratum == one) & (died == 1)]):
            at_risk = (stratum == one) & (time >= t) & (entry < t)
            dead = at_risk & (time == t) & (died == 1)
            d = dead.sum()
            value += (weight * (x @ beta))[dead].sum()
            for k in range(d):
                part = k / d if ties == "efron" else 0.0
                left = risk[at_risk].sum() - part * risk[dead].sum()
                value -= weight[dead].mean() * np.log(left)
    return value


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("seed", range(4))
def test_the_fit_maximises_the_likelihood_as_it_is_defined(seed, ties):
    x, entry, time, died, stratum, _ = made_up(seed, late=True)
    weight = np.random.default_rng(seed).integers(1, 4, len(time)).astype(float)
    fit = cox(
        x, np.arange(len(x)), time, died, 1 - died,
        entry=entry, stratum=stratum, weight=weight, ties=ties,
    )  # fmt: skip
    rest = (x, entry, time, died, stratum, weight, ties)
    assert fit.log_likelihood == pytest.approx(likelihood(fit.coefficient, *rest), rel=1e-12)
    assert fit.null_log_likelihood == pytest.approx(likelihood(np.zeros(2), *rest), rel=1e-12)
    best = minimize(lambda b: -likelihood(b, *rest), np.zeros(2), tol=1e-10)
    np.testing.assert_allclose(fit.coefficient, best.x, atol=1e-5)
    assert fit.log_likelihood >= -best.fun - 1e-9

    def slope(b):
        return approx_fprime(b, lambda c: likelihood(c, *rest), 1e-5)

    second = np.array(
        [(slope(fit.coefficient + h) - slope(fit.coefficient - h)) / 2e-3 for h in np.eye(2) * 1e-3]
    )
    np.testing.assert_allclose(np.linalg.inv(fit.covariance), -second, rtol=1e-3)


@few
@given(st.integers(0, 10_000), st.sampled_from(["efron", "breslow"]))
def test_collapsed_counts_say_what_their_spells_say(seed, ties):
    x, entry, time, died, stratum, cluster = made_up(seed, 150, late=True)
    rows = np.arange(len(x))
    options = {"ties": ties}
    one = cox(
        x, rows, time, died, 1 - died, entry=entry, stratum=stratum, cluster=cluster, **options
    )
    patterns, pattern = np.unique(x, axis=0, return_inverse=True)
    keys = np.stack([pattern.ravel(), entry, time, stratum, cluster], axis=1)
    cells, cell = np.unique(keys, axis=0, return_inverse=True)
    events, all_ = (np.bincount(cell.ravel(), w, len(cells)) for w in (died, np.ones(len(x))))
    pattern, entry, time, stratum, cluster = (cells[:, i] for i in range(5))
    other = cox(
        patterns, pattern.astype(int), time, events, all_ - events,
        entry=entry, stratum=stratum.astype(int), cluster=cluster.astype(int), **options,
    )  # fmt: skip
    assert len(cells) < len(x)
    for name in ("coefficient", "std_error", "robust_error", "score", "wald", "log_likelihood"):
        np.testing.assert_allclose(getattr(other, name), getattr(one, name), rtol=1e-8, atol=1e-10)
    assert (other.n, other.n_events, other.n_clusters) == (one.n, one.n_events, one.n_clusters)


@few
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_a_spell_cut_in_two_is_the_same_spell(seed, cut):
    x, _, time, died, stratum, cluster = made_up(seed)
    rows = np.arange(len(x))
    whole = cox(x, rows, time, died, 1 - died, stratum=stratum, cluster=cluster)
    late = time > cut
    entry = np.concatenate([np.zeros(len(x)), np.full(late.sum(), cut)])
    ends = np.concatenate([np.where(late, cut, time), time[late]])
    events = np.concatenate([np.where(late, 0, died), died[late]])
    again = np.concatenate([rows, rows[late]])
    parts = cox(
        x, again, ends, events, 1 - events,
        entry=entry, stratum=stratum[again], cluster=cluster[again],
    )  # fmt: skip
    for name in ("coefficient", "std_error", "robust_error", "log_likelihood"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-8)


@few
@given(st.integers(0, 10_000))
def test_units_of_covariates_and_of_time_do_not_matter(seed):
    x, _, time, died, _, cluster = made_up(seed)
    rows = np.arange(len(x))
    plain = cox(x, rows, time, died, 1 - died, cluster=cluster)
    units = np.array([1000.0, 1e-4])
    other = cox(x * units + 5e3, rows, time**2 + 1, died, 1 - died, cluster=cluster)
    for name in ("coefficient", "std_error", "robust_error"):
        np.testing.assert_allclose(getattr(other, name) * units, getattr(plain, name), rtol=1e-6)
    assert other.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-10)


@few
@given(st.integers(0, 10_000))
def test_without_ties_the_score_test_of_groups_is_the_log_rank_test(seed):
    x, _, time, died, stratum, cluster = made_up(seed, p=1, ties=False)
    group = x[:, 0].astype(int)
    dummies = np.eye(3)[:, 1:]
    fit = cox(dummies, group, time, died, 1 - died, stratum=stratum)
    test = log_rank(group, time, died, 1 - died, stratum=stratum)
    assert fit.score == pytest.approx(test.chisq, rel=1e-8)
    assert fit.df == test.df


def test_with_breslows_ties_a_weight_is_so_many_spells():
    x, _, time, died, _, _ = made_up(3)
    rows, weight = np.arange(len(x)), np.arange(len(x)) % 3 + 1.0
    one = cox(x, rows, time, died, 1 - died, weight=weight, ties="breslow")
    other = cox(x, rows, time, died * weight, (1 - died) * weight, ties="breslow")
    np.testing.assert_allclose(one.coefficient, other.coefficient, rtol=1e-10)
    np.testing.assert_allclose(one.std_error, other.std_error, rtol=1e-10)


def information_of(cluster, beta, x, time, died):
    """Information of each cluster, one event after the other, no ties."""
    found, risk = np.zeros((cluster.max() + 1, len(beta), len(beta))), np.exp(x @ beta)
    for t in time[died == 1]:
        share = np.where(time >= t, risk, 0.0)
        share = share / share.sum()
        away = x - share @ x
        np.add.at(found, cluster, share[:, None, None] * away[:, :, None] * away[:, None, :])
    return found


def test_clusters_are_corrected_for_what_they_pull():
    """By the definition, with inverses; half way to leaving out one cluster at a time."""
    x, _, time, died, _, _ = made_up(6, 120, ties=False)
    rows, cluster = np.arange(120), np.random.default_rng(1).integers(0, 12, 120) ** 2 // 12
    plain, fit = (
        cox(x, rows, time, died, 1 - died, cluster=cluster, corrected=one) for one in (False, True)
    )
    parts = information_of(cluster, fit.coefficient, x, time, died)
    _, cluster, _ = np.unique(cluster, return_inverse=True, return_counts=True)
    parts = parts[parts.any(axis=(1, 2))]
    np.testing.assert_allclose(parts.sum(axis=0), np.linalg.inv(fit.covariance), rtol=1e-8)
    scores = cluster_scores(fit.problem, sums(fit.problem, fit.linear), cluster)
    unscaled = scores * x.std(axis=0)  # the problem has covariates of spread 1
    whole = np.linalg.inv(fit.covariance)
    moved = np.array([np.linalg.solve(whole - m, s) for m, s in zip(parts, unscaled, strict=True)])
    np.testing.assert_allclose(fit.robust_covariance, moved.T @ moved, rtol=1e-7)
    left_out = [
        cox(x[k], np.arange(k.sum()), time[k], died[k], 1 - died[k]).coefficient
        for k in (cluster != one for one in np.unique(cluster))
    ]
    away = np.array(left_out) - fit.coefficient
    jackknife = np.sqrt(np.diag(away.T @ away))
    assert (plain.robust_error < fit.robust_error).all() and (fit.robust_error < jackknife).all()
    np.testing.assert_allclose(fit.robust_error, jackknife, rtol=0.15)


def test_degrees_of_freedom_are_those_of_the_clusters_that_count():
    x, _, time, died, _, _ = made_up(6, 64)
    rows = np.arange(64)
    even = cox(x, rows, time, died, 1 - died, cluster=rows % 8, corrected=True)
    assert ((even.robust_df > 4) & (even.robust_df < 8)).all()
    uneven = cox(x, rows, time, died, 1 - died, cluster=np.minimum(rows, 8), corrected=True)
    assert (uneven.robust_df < 2).all()  # one of nine sellers has nearly all spells
    assert np.isnan(cox(x, rows, time, died, 1 - died).robust_df).all()
    plain = cox(x, rows, time, died, 1 - died, cluster=rows % 8)
    assert plain.robust_df == pytest.approx([7, 7])


def test_a_group_in_which_nothing_happens_has_no_finite_ratio_and_is_named():
    """Nobody of the third kind has the event; the first two differ as if it were not there."""
    kinds = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    pattern = np.repeat([0, 1, 2], 20)
    time = np.tile(np.arange(1, 21), 3)
    died = np.where(pattern == 2, 0, np.where(pattern == 1, time <= 12, time % 2)).astype(float)
    fit = cox(kinds, pattern, time, died, 1 - died)
    without = pattern < 2
    two = cox(kinds[:, :1], pattern[without], time[without], died[without], 1 - died[without])
    assert fit.status.tolist() == ["estimated", "infinite"]
    assert fit.coefficient[1] == -np.inf and np.isnan(fit.std_error[1])
    assert fit.coefficient[0] == pytest.approx(two.coefficient[0], abs=1e-8)
    assert fit.std_error[0] == pytest.approx(two.std_error[0], abs=1e-8)
    assert fit.converged


def test_a_baseline_in_which_nothing_happens_makes_all_ratios_infinite():
    kinds = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    pattern = np.repeat([0, 1, 2], 20)
    time = np.tile(np.arange(1, 21), 3)
    died = (pattern > 0).astype(float)
    fit = cox(kinds, pattern, time, died, 1 - died)
    assert fit.status.tolist() == ["infinite", "infinite"]
    assert (fit.coefficient == np.inf).all()


def test_a_covariate_that_others_determine_is_redundant():
    x, _, time, died, stratum, cluster = made_up(1)
    rows = np.arange(len(x))
    same = np.column_stack([x, x[:, 0] - 2 * x[:, 1], np.ones(len(x)), stratum])
    fit = cox(same, rows, time, died, 1 - died, stratum=stratum, cluster=cluster)
    alone = cox(x, rows, time, died, 1 - died, stratum=stratum, cluster=cluster)
    assert fit.status.tolist() == ["estimated"] * 2 + ["redundant"] * 3
    np.testing.assert_allclose(fit.coefficient[:2], alone.coefficient, rtol=1e-9)
    np.testing.assert_allclose(fit.robust_error[:2], alone.robust_error, rtol=1e-9)
    assert np.isnan(fit.coefficient[2:]).all() and fit.df == 2


def test_nothing_to_fit():
    x = np.array([[0.0], [1.0]])
    for spells in (([], [], [], []), ([0, 1], np.array([1, 2]), [0, 0], [1, 1])):
        fit = cox(x, np.array(spells[0], int), np.array(spells[1]), spells[2], spells[3])
        assert fit.status.tolist() == ["redundant"] and fit.n_events == 0
        assert fit.converged and np.isnan(fit.coefficient[0])
    assert len(cox(np.empty((1, 0)), [0, 0], np.array([1, 2]), [1, 1], [0, 0]).coefficient) == 0


def test_ratios_that_change_are_found_and_ratios_that_stay_are_not():
    rng = np.random.default_rng(5)
    n = 4000
    kind = rng.integers(0, 2, n)
    steady = rng.exponential(np.where(kind == 1, 0.5, 1.0))
    crossing = np.where(kind == 1, rng.weibull(2.5, n), rng.weibull(0.7, n))
    for time, changes in ((steady, False), (crossing, True)):
        fit = cox(np.array([[0.0], [1.0]]), kind, time, np.ones(n), np.zeros(n))
        p = proportionality(fit.problem, fit.linear).p_value
        assert (p[-1] < 1e-6) == changes


def test_truth_is_recovered_and_the_interval_covers_it():
    """Exponential times with hazard ratios 2 and 0.6; frailties of clusters widen the interval."""
    truth, inside, reps = np.log([2.0, 0.6]), 0, 60
    for seed in range(reps):
        rng = np.random.default_rng(seed)
        x = rng.integers(0, 2, (600, 2)).astype(float)
        time = rng.exponential(np.exp(-x @ truth))
        died = (time < 1.5).astype(float)
        fit = cox(x, np.arange(600), np.minimum(time, 1.5), died, 1 - died)
        inside += (np.abs(fit.coefficient - truth) < 1.96 * fit.std_error).sum()
    assert 0.90 <= inside / reps / 2 <= 0.99


def test_wrong_calls_are_refused():
    x, time = np.zeros((1, 1)), np.array([2])
    with pytest.raises(ValueError, match="ties must be one of efron, breslow, got 'exact'"):
        cox(x, [0], time, [1], [0], ties="exact")
    with pytest.raises(ValueError, match="all of them finite"):
        cox(x * np.nan, [0], time, [1], [0])
    with pytest.raises(ValueError, match="entry must be before time"):
        cox(x, [0], time, [1], [0], entry=[2])
    with pytest.raises(ValueError, match="group must be below"):
        cox(x, [1], time, [1], [0])
    with pytest.raises(ValueError, match="must be whole"):
        cox(x, [0], time, [0.5], [0])


@pytest.mark.parametrize("corrected", [False, True])
def test_clusters_of_spells_that_never_end_say_nothing(corrected):
    rows, none = np.arange(3), np.zeros(3)
    x = np.array([[0.0], [1.0], [1.0]])
    fit = cox(x, rows, rows + 1, none, none + 1, cluster=np.array([0, 1, 1]), corrected=corrected)
    assert fit.status.tolist() == ["redundant"] and fit.n_clusters == 2
    assert np.isnan(fit.robust_error).all()


def test_one_cluster_has_no_robust_error():
    kinds, cells = np.array([[0.0], [1.0]]), ([0, 1, 0, 1], [1, 2, 3, 4], [2, 1, 3, 1], [1] * 4)
    for corrected in (False, True):
        fit = cox(kinds, *cells, cluster=np.zeros(4, int), corrected=corrected)
        assert np.isnan([fit.robust_error[0], fit.robust_df[0], fit.wald]).all()
        assert fit.n_clusters == 1 and fit.status.tolist() == ["estimated"]


def test_what_did_not_converge_is_said(monkeypatch):
    from analysis.stats.comparisons import cox as module

    monkeypatch.setattr(module, "MAX_STEPS", 1)
    fit = module.cox(
        np.array([[0.0], [1.0]]), [0, 1, 0, 1], [5, 2, 3, 4], [2, 3, 1, 1], [1, 0, 0, 0]
    )
    assert not fit.converged and fit.status.tolist() == ["not converged"]
