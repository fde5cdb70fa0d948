"""Scorecards: posterior rates and typical waits of sellers, against direct formulas."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, betabinom

from analysis import stats
from analysis.contract import MissingData
from analysis.measures import seller_scorecard


def drawn(*sellers):
    """Requests and orders of sellers: id -> successes, refusals, and young open requests."""
    requests, orders, order = ["order_id | requested_at | outcome"], ["order_id | seller_id"], 0
    for seller, worked, refused, young in sellers:
        for word, many in (("approved_by_seller", worked), ("rejected_by_seller", refused)):
            for _ in range(many):
                order += 1
                requests.append(f"{order} | 2026-05-01 | {word}")
                orders.append(f"{order} | {seller}")
        for _ in range(young):
            order += 1
            requests.append(f"{order} | 2026-06-29 | pending")
            orders.append(f"{order} | {seller}")
    return {"requests": "\n".join(requests), "orders": "\n".join(orders)}


SIX = drawn((3, 9, 1, 0), (1, 1, 0, 1), (2, 4, 6, 0), (9, 0, 0, 2), (5, 2, 8, 0), (7, 1, 0, 0))


def test_rates_are_posterior_means_under_the_prior_of_all_sellers(tables):
    card = seller_scorecard(tables(**SIX))
    assert card.seller_id.tolist() == [2, 3, 5, 1, 7, 9]  # most mature requests, then the id
    assert card.n.tolist() == [10, 10, 10, 1, 1, 0]
    assert card.n_events.tolist() == [4, 9, 2, 1, 1, 0]
    assert card.n_pending.tolist() == [0, 0, 0, 1, 0, 2]
    assert card.raw_rate.tolist()[:5] == [0.4, 0.9, 0.2, 1, 1]
    assert np.isnan(card.raw_rate[5])
    k, n = card.n_events.to_numpy(), card.n.to_numpy()
    mean, variance, tail = by_brute_force(k, n, card.ci_low.to_numpy())
    np.testing.assert_allclose(card.estimate, mean, atol=1e-4)
    np.testing.assert_allclose(tail, 0.025, atol=0.018)  # its shape is taken as beta
    assert (card.estimate[3] < 1, card.estimate[2] > 0.2) == (True, True)  # drawn together
    a, b = stats.fit_beta_binomial(k, n)
    certain = beta(a + k, b + n - k).std() ** 2  # the prior taken as known
    assert (variance > certain).all()


def by_brute_force(k, n, points):
    """Mean, variance and probability below ``points``, over a plain grid of priors."""
    correlation = (np.arange(400) + 0.5) / 400 / 1.1
    mean = np.sin((np.arange(150) + 0.5) / 150 * np.pi / 2) ** 2
    strength, mean = (x.ravel() for x in np.meshgrid(1 / correlation - 1, mean))
    a, b = mean * strength, (1 - mean) * strength
    height = sum(betabinom.logpmf(i, j, a, b) for i, j in zip(k, n, strict=True))
    weight = np.exp(height - height.max())
    weight /= weight.sum()
    own = [beta(a + i, b + j - i) for i, j in zip(k, n, strict=True)]
    means = np.array([weight @ one.mean() for one in own])
    spread = [
        weight @ (one.var() + (one.mean() - m) ** 2) for one, m in zip(own, means, strict=True)
    ]
    return means, np.array(spread), [weight @ o.cdf(p) for o, p in zip(own, points, strict=True)]


def test_places_are_those_of_the_posteriors_and_1_is_the_highest(tables):
    card = seller_scorecard(tables(**SIX))
    assert card.sort_values("rank").seller_id.tolist()[0] == 3  # 9 of 10
    assert card.sort_values("rank").seller_id.tolist()[-1] == 5  # 2 of 10
    assert card["rank"].sum() == pytest.approx(6 * 7 / 2, rel=1e-6)  # 1 + 2 + ... + 6
    wide = card.set_index("seller_id")
    assert (wide.rank_low[9], wide.rank_high[9]) == (1, 6)  # nothing is known of it
    assert (card.rank_low <= card["rank"]).all() and (card["rank"] <= card.rank_high).all()


def test_a_breach_is_a_true_rate_below_the_threshold(tables):
    opened = tables(**SIX)
    card = seller_scorecard(opened, threshold=0.5).set_index("seller_id")
    assert set(card.threshold) == {0.5}
    assert card.p_breach[5] > 0.8 > 0.5 > card.p_breach[3]
    low, high = (seller_scorecard(opened, threshold=t).p_breach for t in (0.3, 0.7))
    assert (low < high).all()
    assert (seller_scorecard(opened, threshold=1).p_breach == 1).all()
    k, n = card.n_events.to_numpy(), card.n.to_numpy()
    tenth = beta(*stats.fit_beta_binomial(k, n)).ppf(0.1)
    assert seller_scorecard(opened).threshold[0] == pytest.approx(tenth, rel=1e-9)
    with pytest.raises(ValueError, match=r"threshold must be in \[0, 1\], got 1.5"):
        seller_scorecard(opened, threshold=1.5)


MIXED = {
    "requests": """
        order_id | order_state        | requested_at | outcome
        1        | awaiting_shipment  | 2026-05-01   | approved_by_seller
        2        | awaiting_shipment  | 2026-05-01   | approved_by_seller
        3        | shipped            | 2026-05-01   | rejected_by_seller
        4        | shipped            | 2026-05-01   | approved_by_seller
        5        | awaiting_shipment  | 2026-05-01   | rejected_by_seller
        6        | shipped            | 2026-05-01   | rejected_by_seller
        7        | packed             | 2026-05-01   | approved_by_seller
    """,
    "orders": "order_id | seller_id \n 1|1 \n 2|1 \n 3|1 \n 4|2 \n 5|2 \n 6|2 \n 7|2",
}


def test_a_seller_is_expected_to_do_as_the_others_with_such_requests(tables):
    card = seller_scorecard(tables(**MIXED), adjust_for=["order_state"]).set_index("seller_id")
    # seller 1: others succeed in 2 of 4; awaiting (0 + 1/2) / (1 + 1), shipped (1 + 1/2) / (2 + 1)
    assert card.expected_rate[1] == pytest.approx((2 * 0.25 + 0.5) / 3)
    assert card.observed_expected[1] == pytest.approx(2 / (2 * 0.25 + 0.5))
    # seller 2: others succeed in 2 of 3; shipped (0 + 2/3) / 2, packed 2/3; awaiting
    # (2 + 2/3) / 3, kept half of 3 + 1 requests from 1
    assert card.expected_rate[2] == pytest.approx((2 * 1 / 3 + 7 / 8 + 2 / 3) / 4)
    same = seller_scorecard(tables(**MIXED), adjust_for=[]).set_index("seller_id")
    assert same.expected_rate[1] == pytest.approx((2 + 0.5) / (4 + 1))
    with pytest.raises(MissingData, match="the column nothing"):
        seller_scorecard(tables(**MIXED), adjust_for=["nothing"])
    unpaid = tables(**MIXED, without=("orders.paid_at",))
    assert seller_scorecard(unpaid).set_index("seller_id").expected_rate.equals(card.expected_rate)
    with pytest.raises(MissingData, match="orders.paid_at"):
        seller_scorecard(unpaid, adjust_for=["order_age"])


def test_the_level_widens_the_interval(tables):
    opened = tables(**SIX)
    narrow, wide = seller_scorecard(opened, level=0.5), seller_scorecard(opened, level=0.99)
    assert (narrow.ci_high - narrow.ci_low < wide.ci_high - wide.ci_low).all()
    k, n = narrow.n_events.to_numpy(), narrow.n.to_numpy()
    found = stats.shrunk_posterior(k, n, stats.plausible_priors(k, n))
    np.testing.assert_allclose(narrow.ci_low, beta(found.a, found.b).ppf(0.25), rtol=1e-9)
    assert (narrow.rank_low >= wide.rank_low).all() and (narrow.rank_high <= wide.rank_high).all()


def test_only_the_first_sellers_are_returned_with_the_same_numbers(tables):
    opened = tables(**SIX)
    assert seller_scorecard(opened, top=2).equals(seller_scorecard(opened).head(2))
    assert len(seller_scorecard(opened, top=100)) == 6
    for top in (0, -1):
        with pytest.raises(ValueError, match=f"top must be at least 1, got {top}"):
            seller_scorecard(opened, top=top)


def test_the_horizon_says_which_requests_are_old_enough(tables):
    card = seller_scorecard(tables(**SIX), horizon_hours=24).set_index("seller_id")
    assert (card.n[9], card.n_events[9], card.n_pending[9]) == (2, 0, 0)
    early = seller_scorecard(tables(**SIX), horizon_hours=0.5)  # all answers take an hour
    assert early.n_events.sum() == 0
    with pytest.raises(ValueError, match="horizon_hours must be more than 0"):
        seller_scorecard(tables(**SIX), horizon_hours=0)


WAITS = {
    "as_of": "2026-03-31",
    "requests": """
        order_id | requested_at | decided_at       | outcome            | requested_by
        1        | 2026-03-01   | 2026-03-01 02:00 | approved_by_seller | buyer
        2        | 2026-03-01   | 2026-03-01 05:00 | rejected_by_seller | buyer
        3        | 2026-03-01   | 2026-03-02 00:00 | approved_by_seller | buyer
        4        | 2026-03-01   | 2026-03-01 00:00 | blocked            | buyer
        5        | 2026-03-01   | 2026-03-01 01:00 | withdrawn_by_buyer | buyer
        6        | 2026-03-01   | 2026-03-01 01:00 | instant_cancelled  | seller
        7        | 2026-03-01   | 2026-03-01 03:00 | approved_by_seller | buyer
    """,
    "orders": "order_id | seller_id \n 1|1 \n 2|1 \n 3|1 \n 4|1 \n 5|2 \n 6|3 \n 7|",
    "refunds": """
        order_id | credited_at
        1        | 2026-03-04 02:00
        3        | 2026-03-12 00:00
        1        | 2026-03-06 02:00
        6        | 2026-03-02 00:00
        7        | 2026-03-02 00:00
    """,
}


def test_waits_are_medians_of_answers_and_refunds(tables):
    card = seller_scorecard(tables(**WAITS))
    assert card.seller_id.tolist() == [1, 2]  # buyers asked no other whose name is known
    assert card.response_median_hours[0] == 5  # of 2, 5 and 24; what was blocked had no answer
    assert np.isnan(card.response_median_hours[1])  # withdrawn before an answer
    assert card.n_refunds.tolist() == [3, 0]
    assert card.refund_median_days[0] == 5  # of 3, 5 and 10
    assert np.isnan(card.refund_median_days[1])


def test_without_refunds_there_is_no_refund_median(tables):
    card = seller_scorecard(tables(**WAITS | {"refunds": None}))
    assert card.refund_median_days.isna().all()
    assert card.n_refunds.tolist() == [0, 0]
    assert card.response_median_hours[0] == 5


def test_a_cards_sellers_may_have_any_id(tables):
    texts = WAITS | {
        "orders": "order_id | seller_id \n 1|b \n 2|b \n 3|b \n 4|b \n 5|a \n 6|c \n 7|"
    }
    card = seller_scorecard(tables(**texts))
    assert card.seller_id.tolist() == ["b", "a"]
    assert card.response_median_hours[0] == 5
    huge = 2**60 + 1
    ids = [huge] * 4 + [huge + 1, huge + 2]
    orders = "\n".join(f"{order}|{seller}" for order, seller in enumerate(ids, start=1))
    card = seller_scorecard(tables(**WAITS | {"orders": f"order_id | seller_id\n{orders}\n7|"}))
    assert card.seller_id.tolist() == [huge, huge + 1]
    assert card.response_median_hours.fillna(-1).tolist() == [5, -1]
    assert card.n_refunds.tolist() == [3, 0]


def test_a_scorecard_needs_sellers(tables):
    opened = tables(requests="request_id\n1", without=("orders.seller_id", "sellers"))
    with pytest.raises(MissingData, match="orders.seller_id .*needed by seller_scorecard"):
        seller_scorecard(opened)
    assert len(seller_scorecard(tables(requests="request_id\n1", without=("sellers",)))) == 1


def test_nobody_asked_is_an_empty_card_and_only_young_requests_the_prior(tables):
    full = seller_scorecard(tables(**WAITS))
    empty = seller_scorecard(tables(requests="request_id", refunds="refund_id"))
    assert len(empty) == 0
    assert list(empty.columns) == list(full.columns)
    young = seller_scorecard(tables(requests="requested_at | outcome \n 2026-06-29 | pending"))
    assert young[["n", "n_events", "n_pending"]].to_numpy().tolist() == [[0, 0, 1]]
    assert young.estimate.to_numpy() == pytest.approx(0.5)  # as likely as not
    assert np.isnan(young.raw_rate[0])
    nameless = tables(requests="order_id\n1", orders="order_id | seller_id \n 1|")
    assert len(seller_scorecard(nameless)) == 0
