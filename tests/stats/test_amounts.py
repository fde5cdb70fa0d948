"""Shares of money: the ratio of totals, order by order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.stats import AmountSums, amount_share, ratio_interval

order = st.tuples(st.integers(1, 400), st.floats(0, 1), st.integers(0, 5))
orders_of_a_group = st.lists(order, min_size=2, max_size=30)


def sums_of(orders, clusters=None):
    """Sums by cluster of orders ``(whole, share that came back, cluster)``."""
    whole, share, cluster = (np.array(column, float) for column in zip(*orders, strict=True))
    part = np.floor(whole * share)
    _, row = np.unique(cluster if clusters is None else clusters, return_inverse=True)
    columns = (np.ones(len(whole)), part, whole, part**2, part * whole, whole**2)
    return AmountSums(*(np.bincount(row, column) for column in columns))


def by_hand(orders):
    """Share and clustered variance, in plain Python."""
    rows = [(int(whole * share), whole, cluster) for whole, share, cluster in orders]
    total = sum(whole for _, whole, _ in rows)
    share = sum(part for part, _, _ in rows) / total
    variance = 0.0
    for seller in {cluster for _, _, cluster in rows}:
        own = [(part, whole) for part, whole, cluster in rows if cluster == seller]
        residual = sum(part - share * whole for part, whole in own)
        variance += residual**2 / (1 - sum(whole for _, whole in own) / total) / total**2
    return share, variance


@given(orders_of_a_group.filter(lambda orders: len({o[2] for o in orders}) > 1))
def test_share_and_variance_equal_the_same_by_hand(orders):
    sums = sums_of(orders)
    found = amount_share(np.zeros(len(sums.n), int), sums)
    share, variance = by_hand(orders)
    np.testing.assert_allclose(found.estimate, [share], rtol=1e-12)
    np.testing.assert_allclose(found.variance, [variance], rtol=1e-9, atol=1e-15)
    assert found.low[0] <= share <= found.high[0]
    assert found.low[0] >= 0 and found.high[0] <= 1


def test_orders_of_one_price_give_the_interval_of_a_share_of_orders():
    k, n = np.array([8, 5, 2, 4]), np.array([10, 10, 10, 10])
    orders = [(50, float(i < ones), s) for s, ones in enumerate(k) for i in range(10)]
    found = amount_share(np.zeros(4, int), sums_of(orders))
    counted = ratio_interval(np.zeros(4, int), k, n)
    np.testing.assert_allclose(
        (found.estimate, found.low, found.high), (counted.estimate, counted.low, counted.high)
    )


def test_orders_alone_are_clusters_each_and_one_seller_falls_back_on_orders():
    orders = [(50, 1.0, 0), (150, 0.0, 0), (100, 0.5, 0), (80, 0.25, 0)]
    sums = sums_of(orders)
    alone = amount_share(np.zeros(1, int), sums, alone=np.array([True]))
    assert (alone.n_clusters[0], bool(alone.is_clustered[0])) == (4, True)
    single = amount_share(np.zeros(1, int), sums)
    assert (single.n_clusters[0], bool(single.is_clustered[0])) == (1, False)
    assert single.variance[0] == pytest.approx(alone.variance[0] * 4 / 3)


def test_groups_do_not_touch_each_other_and_no_money_has_no_share():
    one, other = sums_of([(50, 1.0, 0), (150, 0.2, 1)]), sums_of([(10, 0.5, 0), (30, 0.9, 1)])
    nothing = AmountSums(*(np.zeros(1) for _ in AmountSums._fields))
    together = AmountSums(*(np.concatenate(c) for c in zip(one, other, nothing, strict=True)))
    found = amount_share(np.array([0, 0, 1, 1, 2]), together)
    for group, own in enumerate((one, other)):
        single = amount_share(np.zeros(2, int), own)
        assert [column[group] for column in found] == [column[0] for column in single]
    assert np.isnan([found.estimate[2], found.low[2], found.high[2]]).all()


def test_limits_hold_the_true_share_as_often_as_they_say():
    random = np.random.default_rng(3)
    covered = 0
    for _ in range(400):
        seller = random.choice(60, 500, p=(w := (np.arange(60) + 1.0) ** -0.8) / w.sum())
        rate = random.beta(3, 7, 60)[seller]
        whole = np.round(np.exp(random.normal(7, 1, 500)))
        came = random.random(500) < rate
        columns = (np.ones(500), whole * came, whole, (whole * came) ** 2, whole**2 * came)
        sums = AmountSums(*(np.bincount(seller, c, 60) for c in (*columns, whole**2)))
        found = amount_share(np.zeros(60, int), sums)
        covered += int(found.low[0] <= 0.3 <= found.high[0])
    assert 0.925 <= covered / 400 <= 0.98


def test_a_cluster_without_money_counts_for_nothing():
    columns = [np.array(x, float) for x in ([3, 2], [60, 0], [100, 0], [1400, 0], [2200, 0])]
    sums = AmountSums(*columns, np.array([3600.0, 0]))
    found = amount_share(np.zeros(2, int), sums)
    assert found.n_clusters.tolist() == [1] and not found.is_clustered[0]
    assert 0 < found.low[0] < 0.6 < found.high[0] < 1
