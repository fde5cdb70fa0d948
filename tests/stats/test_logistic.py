"""Logistic fits from counts equal fits of single cases with dense matrices, written twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from analysis.stats import average_effects, clustered_variance, factor_tests, logistic_fit
from analysis.stats.logit import coded as coded_module
from analysis.stats.logit import logistic as logistic_module

LEVELS = [3, 2, 4]


def made_up(seed, n=400, levels=LEVELS, clusters=12):
    """Single cases: codes, ends, clusters of unequal size."""
    rng = np.random.default_rng(seed)
    codes = np.column_stack([rng.integers(0, size, n) for size in levels])
    cluster = (clusters * rng.random(n) ** 2).astype(int)
    eta = rng.normal(0, 0.5, n) + rng.normal(0, 0.6, clusters)[cluster]
    for f, size in enumerate(levels):
        eta += rng.normal(0, 0.5, size)[codes[:, f]]
    return codes, (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float), cluster


def dense(codes, levels, reference):
    """Dummies of every case, a column a level but the reference."""
    columns = [np.ones(len(codes))]
    for f, size in enumerate(levels):
        columns += [codes[:, f] == level for level in range(size) if level != reference[f]]
    return np.column_stack(columns).astype(float)


def newton(x, y):
    """Maximum likelihood of single cases: coefficients and their covariance."""
    beta = np.zeros(x.shape[1])
    for _ in range(60):
        p = 1 / (1 + np.exp(-x @ beta))
        information = x.T @ (x * (p * (1 - p))[:, None])
        beta = beta + np.linalg.solve(information, x.T @ (y - p))
    return beta, np.linalg.inv(information)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    reference=st.tuples(*(st.integers(0, size - 1) for size in LEVELS)),
    how=st.sampled_from(["pooled", "blocks", "one block"]),
)
def test_equals_newton_on_single_cases_with_a_dense_matrix(seed, reference, how):
    codes, y, _ = made_up(seed)
    with pytest.MonkeyPatch.context() as patch:
        if how != "pooled":
            patch.setattr(coded_module, "GRID", 0)
        if how == "blocks":
            patch.setattr(coded_module, "_packed", lambda n_levels: [[f] for f in range(3)])
        fit = logistic_fit(codes, y, np.ones(len(y)), n_levels=LEVELS, reference=reference)
    assert len(fit.coded.sizes) == {"pooled": 2, "blocks": 3, "one block": 1}[how]
    x = dense(codes, LEVELS, reference)
    beta, covariance = newton(x, y)
    np.testing.assert_allclose(fit.coefficients, beta, atol=1e-9)
    np.testing.assert_allclose(fit.covariance, covariance, atol=1e-9)
    eta = x @ beta
    log_likelihood = (y * eta - np.log1p(np.exp(eta))).sum()
    assert fit.deviance == pytest.approx(-2 * log_likelihood, rel=1e-12)
    p = y.mean()
    null = (y * np.log(p) + (1 - y) * np.log(1 - p)).sum()
    assert fit.null_deviance == pytest.approx(-2 * null, rel=1e-12)
    assert not (fit.aliased | fit.confounded | fit.separated).any()


@given(seed=st.integers(0, 10_000))
@settings(max_examples=10)
def test_the_order_and_the_pieces_of_the_rows_change_nothing(seed):
    codes, y, _ = made_up(seed, 300)
    rng = np.random.default_rng(seed)
    whole = logistic_fit(codes, y, np.ones(300))
    order = rng.permutation(300)
    part = rng.random(300)
    pieces = np.concatenate([order, order])
    k, n = (np.concatenate([x * part[order], x * (1 - part[order])]) for x in (y[order], 1.0))
    again = logistic_fit(codes[pieces], k, n)
    np.testing.assert_allclose(again.coefficients, whole.coefficients, atol=1e-9)
    np.testing.assert_allclose(again.covariance, whole.covariance, atol=1e-9)
    assert again.deviance == pytest.approx(whole.deviance)


def test_many_rows_start_from_a_part_of_them_and_end_at_the_same(monkeypatch):
    monkeypatch.setattr(coded_module, "GRID", 0)
    codes, y, _ = made_up(1, 60_000)
    y[codes[:, 0] == 1] *= np.arange(60_000)[codes[:, 0] == 1] % 5 == 0  # far off: more steps
    fit = logistic_fit(codes, y, np.ones(len(y)))
    monkeypatch.setattr(logistic_module, "SAMPLE_ABOVE", 1000)
    sampled = logistic_fit(codes, y, np.ones(len(y)))
    assert sampled.n_steps < fit.n_steps
    np.testing.assert_allclose(sampled.coefficients, fit.coefficients, atol=1e-10)
    np.testing.assert_allclose(sampled.covariance, fit.covariance, atol=1e-10)


def test_shares_near_0_and_large_effects_are_found_too():
    k, n = np.array([1, 40_000, 3]), np.array([200_000, 40_010, 4_000_000])
    fit = logistic_fit(np.arange(3)[:, None], k, n)
    log_odds = np.log(k / (n - k))
    np.testing.assert_allclose(fit.coefficients, log_odds - np.array([0, *log_odds[[0, 0]]]))


# Separation


def test_a_level_in_which_all_cases_end_alike_is_named_and_the_others_are_those_without_it():
    codes = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]])
    k, n = np.array([5, 9, 4, 2, 7, 3]), np.array([12, 20, 11, 13, 7, 3])
    fit = logistic_fit(codes, k, n)
    assert fit.separated.tolist() == [False, False, True, False]
    assert fit.coefficients[2] == np.inf
    without = logistic_fit(codes[:4], k[:4], n[:4])
    np.testing.assert_allclose(fit.coefficients[[0, 1, 3]], without.coefficients, atol=1e-9)
    assert fit.deviance == pytest.approx(without.deviance)  # those cases are certain
    assert np.isnan(fit.covariance[2]).all()
    with pytest.raises(ValueError, match=r"columns \[2\] are separated; use penalty='firth'"):
        average_effects(fit)


def test_separation_by_two_factors_together_is_found_though_no_level_is_one_sided():
    codes = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    n = np.array([7, 8, 9, 5])
    fit = logistic_fit(codes, np.array([0, 3, 6, 5]), n)
    assert fit.separated.all()
    shares = np.array([3 / 8, 6 / 9])  # of the two cells that are not certain: both fit exactly
    expected = -2 * (n[1:3] * (shares * np.log(shares) + (1 - shares) * np.log(1 - shares))).sum()
    assert fit.deviance == pytest.approx(expected)
    clear = logistic_fit(codes, np.array([1, 3, 6, 4]), n)
    assert not clear.separated.any()
    certain = logistic_fit(codes, np.array([0, 0, 5, 0]), np.array([4, 5, 5, 3]))
    assert certain.separated.all()
    assert certain.deviance == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("grid", [0, 2])
def test_separation_of_few_cases_is_found_exactly_where_a_direction_exists(grid, monkeypatch):
    monkeypatch.setattr(coded_module, "GRID", grid)
    rng = np.random.default_rng(5)
    n_separated = 0
    for _ in range(60):
        codes = np.column_stack([rng.integers(0, size, 22) for size in (2, 3)])
        y = (rng.random(22) < 0.5).astype(float)
        x = dense(codes, [2, 3], [0, 0])
        signed = x * np.where(y == 1, 1, -1)[:, None]
        found = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(22), bounds=(-1, 1))
        fit = logistic_fit(codes, y, np.ones(22), n_levels=[2, 3])
        assert fit.separated.any() == (found.fun < -1e-7)
        n_separated += fit.separated.any()
        loss = minimize(
            lambda beta, signed=signed: np.logaddexp(0, -signed @ beta).sum(),
            np.zeros(4),
            method="L-BFGS-B",
            options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 5000},
        )
        assert fit.deviance == pytest.approx(2 * loss.fun, abs=1e-3)
    assert 10 <= n_separated <= 50


def test_combinations_that_nobody_has_do_not_count_where_separation_leaves_few_rows():
    rng = np.random.default_rng(3)
    codes = np.column_stack([rng.integers(0, size, 40) for size in (2, 3, 3, 3)])
    codes[:, 2] = np.where(codes[:, 2] == 1, 0, codes[:, 2])  # a level that nobody has
    y = ((codes[:, 1] == 2) & (rng.random(40) < 0.5)).astype(float)
    fit = logistic_fit(codes, y, np.ones(40), n_levels=[2, 3, 3, 3])
    rest = codes[:, 1] == 2
    inside = logistic_fit(codes[rest], y[rest], np.ones(rest.sum()), n_levels=[2, 3, 3, 3])
    assert fit.separated.any()
    assert fit.deviance == pytest.approx(inside.deviance)


def test_no_success_at_all_leaves_the_intercept_without_a_value():
    fit = logistic_fit(np.array([[0], [1]]), np.array([0, 0]), np.array([4, 6]))
    assert fit.separated[0]
    assert fit.coefficients[0] == -np.inf
    assert fit.deviance == 0


def test_no_case_at_all_and_no_factor_at_all():
    nothing = logistic_fit(np.zeros((0, 2), int), np.zeros(0), np.zeros(0), n_levels=[2, 3])
    assert np.isnan(nothing.coefficients).all()
    assert len(nothing.coefficients) == 4
    alone = logistic_fit(np.zeros((2, 0), int), np.array([3, 1]), np.array([5, 5]))
    assert alone.coefficients == pytest.approx([np.log(4 / 6)])


# Firth's penalty


def test_with_the_penalty_one_factor_is_as_if_each_level_had_half_a_success_and_half_a_failure():
    k, n = np.array([0, 4, 7]), np.array([5, 10, 7])
    fit = logistic_fit(np.arange(3)[:, None], k, n, penalty="firth")
    log_odds = np.log((k + 0.5) / (n - k + 0.5))
    expected = log_odds - np.array([0, log_odds[0], log_odds[0]])
    np.testing.assert_allclose(fit.coefficients, expected, atol=1e-8)
    assert not fit.separated.any()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_penalised_estimate_maximises_the_penalised_likelihood(seed):
    codes, y, _ = made_up(seed, 60)
    y[codes[:, 0] == 1] = 1.0  # separated
    x = dense(codes, LEVELS, [0, 0, 0])

    def loss(beta):
        p = 1 / (1 + np.exp(-x @ beta))
        information = x.T @ (x * (p * (1 - p))[:, None])
        log_likelihood = (y * np.log(p) + (1 - y) * np.log(1 - p)).sum()
        return -log_likelihood - np.linalg.slogdet(information)[1] / 2

    found = minimize(loss, np.zeros(x.shape[1]), method="BFGS", options={"gtol": 1e-8})
    fit = logistic_fit(codes, y, np.ones(60), penalty="firth")
    np.testing.assert_allclose(fit.coefficients, found.x, atol=2e-5)
    assert loss(fit.coefficients) <= found.fun + 1e-10


# Rank


def test_levels_that_always_come_together_are_confounded_and_the_later_one_is_left_out():
    codes, y, _ = made_up(4, 300)
    codes[:, 1] = codes[:, 0] == 2
    fit = logistic_fit(codes, y, np.ones(300))
    assert fit.aliased.tolist() == [False, False, False, True, False, False, False]
    assert np.flatnonzero(fit.confounded).tolist() == [2, 3]
    without = logistic_fit(codes[:, [0, 2]], y, np.ones(300))
    np.testing.assert_allclose(fit.coefficients[~fit.aliased], without.coefficients, atol=1e-9)
    assert fit.deviance == pytest.approx(without.deviance)
    effects = average_effects(fit)
    assert np.isnan(effects.estimate[3])
    assert np.isfinite(effects.estimate[[1, 2, 4, 5, 6]]).all()
    tests = factor_tests(fit)
    assert tests.df.tolist() == [1, 0, 3]
    assert np.isnan(tests.p_value[1])


def test_levels_that_nobody_has_are_left_out():
    codes, y, _ = made_up(5, 300)
    fit = logistic_fit(codes, y, np.ones(300), n_levels=[4, 2, 5], reference=[0, 1, 0])
    assert np.flatnonzero(fit.aliased).tolist() == [3, 8]
    np.testing.assert_allclose(
        fit.coefficients[~fit.aliased],
        logistic_fit(codes, y, np.ones(300), reference=[0, 1, 0]).coefficients,
        atol=1e-9,
    )


# Average effects


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_effects_are_means_over_single_cases_and_their_derivatives_numerical(seed):
    codes, y, _ = made_up(seed, 250)
    fit = logistic_fit(codes, y, np.ones(250), n_levels=LEVELS, reference=[1, 0, 2])
    found = average_effects(fit)

    def effect(beta, factor, level):
        shares = []
        for one in (level, [1, 0, 2][factor]):
            moved = codes.copy()
            moved[:, factor] = one
            shares.append((1 / (1 + np.exp(-dense(moved, LEVELS, [1, 0, 2]) @ beta))).mean())
        return shares[0] - shares[1]

    for factor, level, column in [(0, 0, 1), (0, 2, 2), (1, 1, 3), (2, 0, 4), (2, 3, 6)]:
        assert found.estimate[column] == pytest.approx(
            effect(fit.coefficients, factor, level), abs=1e-10
        )
        for j in range(7):
            step = np.zeros(7)
            step[j] = 1e-5
            up, down = (effect(fit.coefficients + s, factor, level) for s in (step, -step))
            assert found.gradient[column, j] == pytest.approx((up - down) / 2e-5, abs=1e-7)
    gradient = found.gradient[1:]
    np.testing.assert_allclose(
        found.variance[1:], np.diag(gradient @ fit.covariance @ gradient.T), rtol=1e-9
    )


# Clusters


def by_definition(x, y, beta, covariance, contrast, cluster):
    """CR2 variance and its degrees of freedom with matrices of all cases."""
    p = 1 / (1 + np.exp(-x @ beta))
    deviation = np.sqrt(p * (1 - p))
    z = x * deviation[:, None]
    away = np.eye(len(y)) - z @ covariance @ z.T
    variance, forms = 0.0, []
    for one in np.unique(cluster):
        inside = cluster == one
        values, vectors = np.linalg.eigh(away[np.ix_(inside, inside)])
        root = vectors / np.sqrt(values) @ vectors.T
        weight = root @ z[inside] @ covariance @ contrast
        variance += (weight @ ((y - p) / deviation)[inside]) ** 2
        forms.append(away[:, inside] @ weight)
    gram = np.array(forms) @ np.array(forms).T
    return variance, np.trace(gram) ** 2 / (gram**2).sum()


@pytest.mark.parametrize("chunk", [256, 3])
def test_cluster_variances_equal_matrices_of_all_cases(chunk, monkeypatch):
    monkeypatch.setattr("analysis.stats.logit.robust.CHUNK", chunk)
    codes, y, cluster = made_up(6, 240, clusters=15)
    alone = cluster == 0
    alone[:5] = True  # cases without a cluster are their own
    fit = logistic_fit(codes, y, np.ones(240))
    contrasts = np.vstack([np.eye(7), average_effects(fit).gradient[1:]])
    _, rows = np.unique(np.column_stack([codes, cluster, alone]), axis=0, return_inverse=True)
    first = np.unique(rows, return_index=True)[1]
    found = clustered_variance(
        fit,
        contrasts,
        codes[first],
        np.bincount(rows, y),
        np.bincount(rows),
        cluster[first],
        alone=alone[first],
    )
    own = np.where(alone, 1000 + np.arange(240), cluster)
    assert found.n_clusters == len(np.unique(own))
    x = dense(codes, LEVELS, [0, 0, 0])
    expected = [
        by_definition(x, y, fit.coefficients, fit.covariance, one, own) for one in contrasts
    ]
    np.testing.assert_allclose(found.variance, [v for v, _ in expected], rtol=1e-8)
    np.testing.assert_allclose(found.df, [df for _, df in expected], rtol=1e-8)


def test_one_cluster_says_nothing_about_others():
    codes, y, _ = made_up(7, 50, levels=[2])
    fit = logistic_fit(codes, y, np.ones(50))
    found = clustered_variance(fit, np.eye(2), codes, y, np.ones(50), np.zeros(50, int))
    assert found.n_clusters == 1
    assert np.isnan([found.variance, found.df]).all()


def test_a_level_of_one_cluster_alone_has_no_spread_between_clusters_to_go_by():
    codes, y, cluster = made_up(8, 200, levels=[3])
    codes[codes[:, 0] == 2] = 1
    codes[cluster == 3] = 2
    fit = logistic_fit(codes, y, np.ones(200))
    found = clustered_variance(fit, np.eye(3), codes, y, np.ones(200), cluster)
    assert (
        np.isfinite(found.variance[:2]).all() and np.isnan([found.variance[2], found.df[2]]).all()
    )
    assert (found.df[:2] >= 1).all()


@pytest.mark.study
def test_limits_with_few_unequal_clusters_cover_the_truth():
    from analysis.stats.scales import t_quantile

    rng = np.random.default_rng(20260101)
    sizes = np.r_[np.full(20, 8), np.full(8, 30), 90, 120]
    cluster = np.repeat(np.arange(30), sizes)
    b = rng.normal(0, 0.8, (500, 30))
    covered, naive = [], []
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    marginal = [  # share over clusters' own level at each level of the factor
        (1 / (1 + np.exp(-(eta + 0.8 * nodes))) * weights).sum() / weights.sum()
        for eta in (-0.2, 0.5)
    ]
    truth = marginal[1] - marginal[0]
    for lean in b:
        codes = (rng.random(len(cluster)) < 0.2 + 0.6 * (cluster % 3 == 0)).astype(int)[:, None]
        eta = -0.2 + 0.7 * codes[:, 0] + lean[cluster]
        y = (rng.random(len(eta)) < 1 / (1 + np.exp(-eta))).astype(float)
        fit = logistic_fit(codes, y, np.ones(len(y)))
        effects = average_effects(fit)
        found = clustered_variance(fit, effects.gradient[1:], codes, y, np.ones(len(y)), cluster)
        off = abs(effects.estimate[1] - truth)
        covered.append(off <= t_quantile(found.df, 0.95)[0] * np.sqrt(found.variance[0]))
        naive.append(off <= 1.96 * np.sqrt(effects.variance[1]))
    assert 0.93 <= np.mean(covered) <= 0.975
    assert np.mean(naive) < 0.85  # what it is for


# What is refused


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"penalty": "ridge"}, "penalty must be one of none, firth, got 'ridge'"),
        ({"n_levels": [2]}, "codes must be below n_levels"),
        ({"n_levels": [3, 3]}, "codes must be below n_levels"),
        ({"reference": [3]}, "reference must be a level of each factor"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        logistic_fit(np.array([[0], [2]]), np.array([1, 1]), np.array([2, 2]), **options)


def test_counts_and_codes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="k must be at most n"):
        logistic_fit(np.array([[0]]), np.array([3]), np.array([2]))
    with pytest.raises(ValueError, match="whole numbers from 0"):
        logistic_fit(np.array([[-1]]), np.array([1]), np.array([2]))
    with pytest.raises(ValueError, match="a row a count"):
        logistic_fit(np.array([[0], [1]]), np.array([1]), np.array([2]))
    fit = logistic_fit(np.array([[0], [1]]), np.array([1, 1]), np.array([2, 2]), penalty="firth")
    with pytest.raises(ValueError, match="fit must be without penalty, got 'firth'"):
        factor_tests(fit)
    with pytest.raises(ValueError, match="2 codes, 2 counts, 1 clusters"):
        clustered_variance(fit, np.eye(2), fit.coded.matrix(), [1, 1], [2, 2], [0])


@pytest.mark.parametrize("worked", [11, 17, 20, 21])
def test_a_level_of_one_cluster_alone_has_no_clustered_variance(worked):
    """Whether that cluster has one row or two, and whatever the rounding."""
    k, n = np.array([worked - 5, 20, 15, 22, 12, 18, 5]), np.array([20, 30, 30, 30, 30, 30, 10])
    codes, cluster = np.array([[1], [0], [0], [0], [0], [0], [1]]), np.array([0, 1, 2, 3, 4, 5, 0])
    pooled = np.r_[worked, k[1:6]]
    fit = logistic_fit(codes[:6], pooled, np.full(6, 30))
    gradient = average_effects(fit).gradient
    one = clustered_variance(fit, gradient, codes[:6], pooled, np.full(6, 30), cluster[:6])
    two = clustered_variance(fit, gradient, codes, k, n, cluster)
    for found in (one, two):
        assert np.isnan(found.variance[1]) and np.isnan(found.df[1])
        rest = clustered_variance(fit, np.eye(2)[:1], codes, k, n, cluster)
        assert rest.df[0] == pytest.approx(4) and rest.variance[0] > 0


def test_firths_estimates_are_never_infinite():
    codes = np.array([[0], [1]])
    for n in (100, 10**4, 10**6):
        fit = logistic_fit(codes, np.array([0, n // 2]), np.array([10, n]), penalty="firth")
        assert np.isfinite(fit.coefficients).all() and not fit.separated.any()
    rng = np.random.default_rng(1)
    for _ in range(60):
        codes = np.stack([rng.integers(0, 3, 8), rng.integers(0, 2, 8)], axis=1)
        n = rng.choice([1, 10, 1000, 10**6], 8).astype(float)
        k = np.floor(n * rng.choice([0, 0, 0.5, 1, 1, 0.1], 8))
        fit = logistic_fit(codes, k, n, n_levels=[3, 2], penalty="firth")
        assert not fit.separated.any()
