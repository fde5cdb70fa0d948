"""Shapley shares of overlapping rules: the closed form beside every order there is."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import stats

few = settings(max_examples=40, deadline=None, derandomize=True, database=None)
patterns = st.lists(
    st.tuples(st.integers(0, 2**4 - 1), st.integers(0, 20)), min_size=1, max_size=12
)


def stopped(rows, rules):
    """The union game: how many requests at least one of these rules stood in the way of."""
    return sum(n for pattern, n in rows if any(pattern >> rule & 1 for rule in rules))


def freed(rows, rules):
    """Its dual: how many requests would have been free without these rules."""
    return sum(n for p, n in rows if p and all(r in rules for r in range(8) if p >> r & 1))


def over_all_orders(game, rows, n_rules):
    """Mean over all orders of what each rule adds when its turn comes."""
    total = [Fraction(0)] * n_rules
    orders = list(permutations(range(n_rules)))
    for order in orders:
        for place, rule in enumerate(order):
            total[rule] += game(rows, order[: place + 1]) - game(rows, order[:place])
    return [value / len(orders) for value in total]


def attributed(rows, n_rules, **options):
    pattern, count = np.array(rows).T
    return stats.attribute_patterns(
        np.zeros(len(rows), int), pattern, count, n_rules=n_rules, **options
    )


@few
@given(rows=patterns)
@pytest.mark.parametrize("game", [stopped, freed])
def test_the_even_split_is_the_mean_over_all_orders_in_both_games(game, rows):
    expected = over_all_orders(game, rows, 4)
    found = attributed(rows, 4)
    np.testing.assert_allclose(found.shapley[0], [float(x) for x in expected], atol=1e-12)


@few
@given(rows=patterns)
def test_alone_and_at_all_are_the_games_of_one_rule_and_first_is_precedence(rows):
    found = attributed(rows, 4)
    for rule in range(4):
        assert found.only[0, rule] == freed(rows, [rule])
        assert found.any[0, rule] == stopped(rows, [rule])
        added = stopped(rows, range(rule + 1)) - stopped(rows, range(rule))
        assert found.first[0, rule] == added


@few
@given(rows=patterns)
def test_shares_add_up_and_lie_between_alone_and_at_all(rows):
    found = attributed(rows, 4)
    blocked = sum(n for pattern, n in rows if pattern)
    for split in (found.shapley, found.first):
        assert split.sum() == pytest.approx(blocked, abs=1e-9)
        assert (found.only <= split + 1e-9).all() and (split <= found.any + 1e-9).all()
    assert (found.squares <= found.shapley * found.most + 1e-9).all()


@few
@given(rows=patterns, seed=st.integers(0, 999))
def test_rows_may_be_split_and_come_in_any_order(rows, seed):
    random = np.random.default_rng(seed)
    halves = [(p, n // 2) for p, n in rows] + [(p, n - n // 2) for p, n in rows]
    mixed = [halves[i] for i in random.permutation(len(halves))]
    for one, other in zip(attributed(rows, 4), attributed(mixed, 4), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)


def test_every_rule_of_the_contract_at_once():
    rows = [(2**21 - 1, 21), (2**20, 3), (0, 100)]
    found = attributed(rows, 21)
    assert found.shapley[0].tolist() == pytest.approx([1.0] * 20 + [4.0], abs=1e-12)
    assert (found.first[0, 0], found.first[0, 20]) == (21, 3)
    assert found.only[0].sum() == 3


def test_units_are_kept_apart_and_a_first_rule_may_be_named():
    unit, pattern, count = [0, 0, 2, 2], [0b110, 0b010, 0b110, 0b000], [4, 1, 3, 9]
    found = stats.attribute_patterns(
        unit, pattern, count, n_rules=3, n_units=4, first=[2, -1, -1, -1]
    )
    assert found.shapley.tolist() == [[0, 3, 2], [0, 0, 0], [0, 1.5, 1.5], [0, 0, 0]]
    assert found.first.tolist() == [[0, 1, 4], [0, 0, 0], [0, 3, 0], [0, 0, 0]]
    assert found.squares.tolist() == [[0, 2, 1], [0, 0, 0], [0, 0.75, 0.75], [0, 0, 0]]
    assert found.most.tolist() == [[0, 1, 0.5], [0, 0, 0], [0, 0.5, 0.5], [0, 0, 0]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pattern": [8]}, "pattern must be from 0 to 7, got"),
        ({"pattern": [-1]}, "pattern must be from 0 to 7, got"),
        ({"count": [-1]}, "k must be at least 0"),
        ({"first": [0]}, "first must be a rule of its pattern"),
        ({"pattern": [1, 1]}, "must be of one length"),
        ({"n_rules": 63}, "n_rules must be from 1 to 62, got 63"),
        ({"unit": [-1]}, "group"),
    ],
)
def test_what_cannot_be_split_is_refused(change, words):
    given_ = {"unit": [0], "pattern": [6], "count": [1], "n_rules": 3, "first": None} | change
    with pytest.raises(ValueError, match=words):
        stats.attribute_patterns(**given_)


# limits of parts


def test_whole_parts_have_the_limits_of_shares():
    random = np.random.default_rng(4)
    n = random.integers(0, 9, 60)
    k = random.binomial(n, 0.3)
    group, alone = random.integers(0, 5, 60), random.random(60) < 0.3
    for options in ({"alone": alone}, {"clusters": None}, {"level": 0.8}):
        whole = stats.ratio_interval(group, k, n, n_groups=6, **options)
        parts = stats.part_interval(group, k, k, n, n_groups=6, **options)
        for name in ("estimate", "low", "high", "n", "k", "n_clusters"):
            np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-9)


def test_halves_are_whole_parts_of_half_the_size():
    random = np.random.default_rng(5)
    n = random.integers(1, 9, 40)
    k = random.binomial(n, 0.4)
    whole = stats.ratio_interval(np.zeros(40, int), k, n)
    half = stats.part_interval(np.zeros(40, int), k / 2, k / 4, n, most=0.5)
    for name in ("estimate", "low", "high"):
        np.testing.assert_allclose(2 * getattr(half, name), getattr(whole, name), rtol=1e-12)
    assert half.interval.tolist() == ["Wilson of parts, clustered by cluster"]


def test_lone_units_may_be_pooled():
    parts = np.array([0, 0.5, 0.5, 1, 0, 1 / 3])
    each = stats.part_interval(np.zeros(6, int), parts, parts**2, np.ones(6))
    pooled = stats.part_interval([0], [parts.sum()], [(parts**2).sum()], [6], alone=[True])
    for name in ("estimate", "low", "high", "n_clusters"):
        np.testing.assert_allclose(getattr(pooled, name), getattr(each, name), rtol=1e-12)


@few
@given(seed=st.integers(0, 10_000), size=st.integers(1, 40), level=st.floats(0.5, 0.99))
def test_limits_lie_around_the_estimate_and_below_the_largest_part(seed, size, level):
    random = np.random.default_rng(seed)
    pattern, count = random.integers(0, 8, size), random.integers(0, 5, size)
    unit = random.integers(0, 6, size)
    found = stats.attribute_patterns(unit, pattern, count, n_rules=3, n_units=6)
    n = np.bincount(unit, count, minlength=6)
    for rule in range(3):
        made = stats.part_interval(
            [0, 0, 0, 1, 1, 1],
            found.shapley[:, rule],
            found.squares[:, rule],
            n,
            most=found.most[:, rule],
            level=level,
        )
        known = made.n > 0
        assert (np.isnan(made.estimate) == ~known).all()
        assert (np.isnan(made.low) == ~known).all() and (np.isnan(made.high) == ~known).all()
        peak = found.most[:, rule].reshape(2, 3).max(axis=1)
        top = np.where(peak > 0, peak, 1.0)[known]
        assert (made.low[known] >= 0).all() and (made.high[known] <= top + 1e-12).all()
        assert (made.low[known] <= made.estimate[known]).all()
        assert (made.estimate[known] <= made.high[known]).all()


def coverage(n_sellers, sellers_differ, *, times, seed):
    """How often 95% limits hold the true parts of three rules, and how often below and above."""
    random = np.random.default_rng(seed)
    pattern = np.arange(8)
    chances = np.array([0.5, 0.14, 0.1, 0.08, 0.06, 0.05, 0.04, 0.03])
    has = pattern[:, None] >> np.arange(3) & 1
    true = chances @ (has / np.maximum(has.sum(axis=1), 1)[:, None])
    held = np.zeros(3)
    unit = np.repeat(np.arange(n_sellers), 8)
    for _ in range(times):
        size = random.geometric(1 / 6, n_sellers)
        own = random.dirichlet(chances * (8 if sellers_differ else 1e6), n_sellers)
        counts = random.multinomial(size, own).ravel()
        parts = stats.attribute_patterns(unit, np.tile(pattern, n_sellers), counts, n_rules=3)
        for rule in range(3):
            made = stats.part_interval(
                np.zeros(n_sellers, int),
                parts.shapley[:, rule],
                parts.squares[:, rule],
                size,
                most=parts.most[:, rule],
            )
            held[rule] += made.low[0] <= true[rule] <= made.high[0]
    return held / times


def test_limits_hold_the_truth_as_often_as_they_say():
    unlike = coverage(60, sellers_differ=True, times=600, seed=3)
    alike = coverage(60, sellers_differ=False, times=300, seed=2)
    assert (unlike > 0.925).all() and (unlike < 0.975).all(), unlike
    assert (alike > 0.935).all() and (alike < 0.99).all(), alike
