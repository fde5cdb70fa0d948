"""Forecasts of payments: by hand, leg by leg, and whether the limits hold what is paid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.stats import PaymentCells, payment_forecast

leg = st.tuples(
    st.integers(0, 1),  # method
    st.integers(0, 8),  # time
    st.booleans(),  # paid
    st.integers(1, 500),  # amount
    st.integers(-1, 4),  # seller
)
legs_of_a_book = st.lists(leg, min_size=1, max_size=25)


def cells_of(legs):
    """One cell a leg."""
    method, time, paid, amount, seller = (np.array(column) for column in zip(*legs, strict=True))
    owed = np.where(paid, 0, amount)
    return PaymentCells(method, time, paid.astype(int), (~paid).astype(int), owed, owed**2, seller)


def survival(legs, weights, time):
    """Weighted Kaplan-Meier, leg by leg."""
    share = 1.0
    for moment in sorted({leg[1] for leg in legs if leg[2] and leg[1] <= time}):
        risk = sum(w for w, leg in zip(weights, legs, strict=True) if leg[1] >= moment)
        paid = sum(w for w, leg in zip(weights, legs, strict=True) if leg[1] == moment and leg[2])
        share *= 1 - paid / risk
    return share


def expected_by_hand(legs, weights, horizon):
    """Sum over the open legs; their own weights move the curve only."""
    total = 0.0
    for method in {leg[0] for leg in legs}:
        own = [i for i, leg in enumerate(legs) if leg[0] == method]
        part, heavy = [legs[i] for i in own], [weights[i] for i in own]
        for _, time, paid, amount, _ in part:
            if not paid:
                now = survival(part, heavy, time)
                total += amount * (1 - survival(part, heavy, time + horizon) / now)
    return total


def curve_variance_by_hand(legs, horizon):
    """Jackknife: derivatives by each leg's weight, summed by seller, squared."""
    slopes, step = [], 1e-6
    for i in range(len(legs)):
        sides = []
        for sign in (1, -1):
            weights = [1.0 + sign * step * (j == i) for j in range(len(legs))]
            sides.append(expected_by_hand(legs, weights, horizon))
        slopes.append((sides[0] - sides[1]) / (2 * step))
    sellers = [leg[4] if leg[4] >= 0 else f"alone {i}" for i, leg in enumerate(legs)]
    sums = [
        sum(s for s, owner in zip(slopes, sellers, strict=True) if owner == seller)
        for seller in set(sellers)
    ]
    return sum(s**2 for s in sums) * len(sums) / max(len(sums) - 1, 1)


def doubt_by_hand(legs, horizon):
    """Of amounts for which the others of the method, open longer, all did the same."""
    total = luck = 0.0
    for method, time, paid, amount, _ in legs:
        own = [leg for leg in legs if leg[0] == method]
        now, then = (survival(own, [1.0] * len(own), t) for t in (time, time + horizon))
        if paid or then not in (0, now) or (then and time + horizon > max(leg[1] for leg in own)):
            continue
        followed = sum(leg[1] > time for leg in own)
        share = 0.5 / (followed + 1)
        total += amount * np.sqrt(share * (1 - share) / (followed + 2))
        luck += amount**2 * share * (1 - share)
    return total**2 + luck


@given(legs_of_a_book, st.integers(1, 9))
def test_equals_the_same_leg_by_leg(legs, horizon):
    found = payment_forecast(cells_of(legs), np.array([horizon]))
    expected = expected_by_hand(legs, [1.0] * len(legs), horizon)
    np.testing.assert_allclose(found.expected, expected, rtol=1e-9, atol=1e-9)
    variance = curve_variance_by_hand(legs, horizon)
    np.testing.assert_allclose(found.curve_variance, variance, rtol=1e-4, atol=1e-3)
    alone = payment_forecast(cells_of([(*leg[:4], -1) for leg in legs]), np.array([horizon]))
    np.testing.assert_allclose(alone.doubt_variance, doubt_by_hand(legs, horizon), atol=1e-6)


def test_a_few_that_were_all_paid_soon_make_nothing_certain():
    legs = [(0, 2, False, 100, -1), (0, 3, True, 1, -1), (0, 3, True, 1, -1), (0, 4, True, 1, -1)]
    found = payment_forecast(cells_of(legs), np.array([5]))
    assert found.expected == pytest.approx([100])
    share = 0.5 / 4  # three were open longer
    assert found.luck_variance == [0]
    assert found.doubt_variance == pytest.approx([100**2 * share * (1 - share) * (1 + 1 / 5)])
    assert found.low[0] < 50


def test_limits_from_a_score_of_refunds_hold_what_is_paid():
    held = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        took, age = np.ceil(rng.lognormal(np.log(5), 0.7, 20)), np.ceil(rng.uniform(0, 30, 20))
        amount, paid = rng.lognormal(3, 1, 20), took <= age
        time, owed = np.where(paid, took, age).astype(int), np.where(paid, 0, amount)
        none = np.full(20, -1)
        cells = PaymentCells(none + 1, time, paid * 1, ~paid * 1, owed, owed**2, none)
        found = payment_forecast(cells, np.array([7]))
        true = owed[took <= age + 7].sum()
        held.append(found.low[0] - 1e-9 <= true <= found.high[0] + 1e-9)
        assert found.low[0] < found.high[0] or paid.all()
    assert 0.91 <= np.mean(held) <= 0.98


@given(legs_of_a_book)
def test_limits_hold_the_expectation_and_lie_between_nothing_and_all(legs):
    cells = cells_of(legs)
    found = payment_forecast(cells, np.array([1, 4, 20]))
    assert (found.low >= 0).all()
    assert (found.low <= found.expected + 1e-9).all()
    assert (found.expected <= found.high + 1e-9).all()
    assert (found.high <= cells.amount.sum() + 1e-9).all()
    assert (np.diff(found.expected) >= -1e-9).all()  # more is paid in a longer time


@given(legs_of_a_book, st.integers(0, 10), st.integers(2, 7))
def test_order_pooling_scale_and_unit_do_not_matter(legs, seed, scale):
    cells = cells_of(legs)
    found = payment_forecast(cells, np.array([3]))
    order = np.random.default_rng(seed).permutation(len(legs))
    shuffled = payment_forecast(PaymentCells(*(column[order] for column in cells)), np.array([3]))
    np.testing.assert_allclose(shuffled, found, rtol=1e-9, atol=1e-6)
    longer = cells._replace(time=cells.time * scale)
    np.testing.assert_allclose(
        payment_forecast(longer, np.array([3 * scale])), found, rtol=1e-9, atol=1e-6
    )
    dearer = cells._replace(amount=cells.amount * scale, squares=cells.squares * scale**2)
    more = payment_forecast(dearer, np.array([3]))
    for name in ("expected", "low", "high", "unknown"):
        np.testing.assert_allclose(
            getattr(more, name), scale * getattr(found, name), rtol=1e-9, atol=1e-6
        )


def test_pooled_legs_are_the_same_as_each_in_its_own_cell():
    legs = [(0, 2, True, 1, 3), (0, 2, True, 1, 3), (0, 4, False, 7, 3), (0, 4, False, 9, 3)]
    legs += [(0, 5, True, 1, -1), (0, 5, True, 1, -1), (0, 1, False, 4, 2)]
    pooled = PaymentCells(
        np.zeros(4, int),
        np.array([2, 4, 5, 1]),
        np.array([2, 0, 2, 0]),
        np.array([0, 2, 0, 1]),
        np.array([0, 16, 0, 4]),
        np.array([0, 49 + 81, 0, 16]),
        np.array([3, 3, -1, 2]),
    )
    horizons = np.array([1, 2])
    np.testing.assert_allclose(
        payment_forecast(pooled, horizons), payment_forecast(cells_of(legs), horizons)
    )


def test_what_outlasts_all_that_was_seen_is_unknown_and_not_promised():
    # one paid at 2; one of 100 open for 5: nobody was seen for longer
    found = payment_forecast(cells_of([(0, 2, True, 1, 0), (0, 5, False, 100, 1)]), np.array([1]))
    assert (found.expected[0], found.low[0], found.high[0], found.unknown[0]) == (0, 0, 100, 100)


def test_nothing_open_is_nothing_owed():
    found = payment_forecast(cells_of([(0, 2, True, 1, 0), (0, 3, True, 1, 1)]), np.array([7]))
    assert (found.expected[0], found.low[0], found.high[0], found.unknown[0]) == (0, 0, 0, 0)


def test_wrong_input_is_an_error():
    cells = cells_of([(0, 2, True, 1, 0)])
    with pytest.raises(ValueError, match="horizons must be above 0"):
        payment_forecast(cells, np.array([0]))
    with pytest.raises(ValueError, match="level must be in"):
        payment_forecast(cells, np.array([1]), level=95)
    with pytest.raises(ValueError, match="not both"):
        payment_forecast(cells._replace(n_open=np.array([1])), np.array([1]))


# how often a 95% interval holds what is paid; each law was tried on 600 books: 0.948, 0.933,
# 0.977, 0.963 (few clusters make it wide)
LAWS = [(200, 0.0, False), (200, 0.3, False), (40, 0.3, False), (200, 0.3, True)]


def book(random, sellers, spread, heavy, *, n=1000, days=60):
    """Return cells of a book seen after ``days``, and what is paid in the week after."""
    size = random.pareto(1.2, sellers) + 0.1 if heavy else np.ones(sellers)
    seller = random.choice(sellers, n, p=size / size.sum())
    method = random.integers(0, 2, n)
    speed = np.exp(random.normal(0, spread, sellers))[seller]
    wait = np.ceil(24 * np.where(method == 0, 6, 2) * speed * np.exp(random.normal(0, 0.6, n)))
    age = np.floor(random.uniform(0, days, n) * 24)
    paid, amount = wait <= age, np.round(np.exp(random.normal(8, 1, n)))
    owed = np.where(paid, 0, amount)
    is_open = (~paid).astype(int)
    cells = PaymentCells(
        method, np.where(paid, wait, age), 1 - is_open, is_open, owed, owed**2, seller
    )
    return cells, (owed * (wait <= age + 7 * 24)).sum()


@pytest.mark.parametrize(("sellers", "spread", "heavy"), LAWS)
def test_limits_hold_what_is_paid_as_often_as_they_say(sellers, spread, heavy):
    random = np.random.default_rng(5)
    covered, error, paid = 0, 0.0, 0.0
    for _ in range(150):
        cells, true = book(random, sellers, spread, heavy)
        found = payment_forecast(cells, np.array([7 * 24]))
        covered += int(found.low[0] <= true <= found.high[0])
        error, paid = error + found.expected[0] - true, paid + true
    assert 0.90 <= covered / 150 <= 1.0
    assert abs(error / paid) < 0.02
