"""Chance is uniform, independent between ids, streams and seeds, and the same for any slice."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.marketplace.draws import Draws, interpolated, share_table

IDS = np.arange(0, 400_000, 2)  # like ids of ordinary orders: even and adjacent
DRAWS = Draws(7)
LEAST_P = 1e-4  # a fixed seed: passes or fails for good


@pytest.mark.parametrize("stream", ["orders.buyer", "orders.seller", "a", "b"])
def test_draws_are_uniform_in_every_hundredth(stream):
    u = DRAWS.uniform(stream, IDS)
    assert u.min() > 0 and u.max() < 1
    counts = np.bincount((u * 100).astype(int), minlength=100)
    assert stats.chisquare(counts).pvalue > LEAST_P


def test_low_bits_are_uniform_too():
    counts = np.bincount(np.floor(DRAWS.uniform("low", IDS) * 2**40).astype(int) % 64)
    assert stats.chisquare(counts).pvalue > LEAST_P


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (DRAWS.uniform("a", IDS), DRAWS.uniform("a", IDS + 2)),  # the next order
        (DRAWS.uniform("a", IDS), DRAWS.uniform("a", IDS + 1)),  # the order that replaces it
        (DRAWS.uniform("a", IDS), DRAWS.uniform("b", IDS)),  # another stream
        (DRAWS.uniform("a", IDS), Draws(8).uniform("a", IDS)),  # another seed
        (DRAWS.uniform("a", IDS), DRAWS.uniform("a", IDS + 2**40)),  # far away
    ],
    ids=["next", "replacement", "stream", "seed", "far"],
)
def test_draws_are_independent(first, second):
    cells = np.bincount((first * 16).astype(int) * 16 + (second * 16).astype(int), minlength=256)
    assert stats.chisquare(cells).pvalue > LEAST_P
    assert abs(np.corrcoef(first, second)[0, 1]) < 4 / np.sqrt(len(IDS))


def test_a_slice_in_any_order_has_the_draws_of_the_whole():
    rows = np.array([70, 3, 3, 199_999, 0])
    for draw in (DRAWS.uniform, DRAWS.normal):
        assert (draw("x", IDS[rows]) == draw("x", IDS)[rows]).all()


@pytest.mark.parametrize("share", [0.0, 1e-12, 0.029, 0.5, 1.0])
def test_a_coin_is_a_uniform_below_its_share(share):
    expected = DRAWS.uniform("coin", IDS) < share
    assert (DRAWS.coin("coin", IDS, share) == expected).all()
    assert (DRAWS.coin("coin", IDS, np.full(len(IDS), share)) == expected).all()


def test_categories_come_in_their_shares_and_never_with_share_zero():
    table = share_table([[0.0, 0.25, 0.75, 0.0], [0.5, 0.0, 0.0, 0.5]])
    row = np.arange(len(IDS)) % 2
    picked = DRAWS.pick("kind", IDS, table, row)
    first = np.bincount(picked[row == 0], minlength=4) / (len(IDS) / 2)
    assert first == pytest.approx([0, 0.25, 0.75, 0], abs=0.006)
    assert first[0] == first[3] == 0
    assert set(picked[row == 1]) == {0, 3}


def test_normal_draws_have_the_quantiles_of_the_normal():
    z = DRAWS.normal("z", IDS)
    at = [0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999]
    assert np.quantile(z, at) == pytest.approx(stats.norm.ppf(at), abs=0.03)
    assert z.std() == pytest.approx(1, abs=0.01)


def test_lognormal_and_exponential_have_their_median_and_mean():
    response = DRAWS.lognormal("l", IDS, 6.0, 1.44)
    assert np.median(response) == pytest.approx(6, rel=0.02)
    assert response.mean() == pytest.approx(6 * np.exp(1.44**2 / 2), rel=0.03)  # 17 h
    assert DRAWS.exponential("e", IDS, 45.0).mean() == pytest.approx(45, rel=0.02)


def test_interpolation_is_linear_between_knots_of_the_chosen_row():
    table = np.array([[0.0, 10.0, 30.0], [100.0, 200.0, 400.0]])
    value = interpolated(table, np.array([0.25, 0.75, 0.75]), np.array([0, 0, 1]))
    assert value == pytest.approx([5, 20, 300])
