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


def log_likelihood(k, n, alpha, bet):
    return betabinom.logpmf(k, n, alpha, bet).sum()


def test_rates_are_posterior_means_under_the_prior_of_all_sellers(tables):
    card = seller_scorecard(tables(**SIX))
    assert card.seller_id.tolist() == [2, 3, 5, 1, 7, 9]  # most mature requests, then the id
    assert card.n.tolist() == [10, 10, 10, 1, 1, 0]
    assert card.n_events.tolist() == [4, 9, 2, 1, 1, 0]
    assert card.n_pending.tolist() == [0, 0, 0, 1, 0, 2]
    assert card.raw_rate.tolist()[:5] == [0.4, 0.9, 0.2, 1, 1]
    assert np.isnan(card.raw_rate[5])
    k, n = card.n_events.to_numpy(), card.n.to_numpy()
    a, b = stats.fit_beta_binomial(k, n)
    posterior = beta(a + k, b + n - k)
    np.testing.assert_allclose(card.estimate, posterior.mean(), rtol=1e-12)
    np.testing.assert_allclose(card.ci_low, posterior.ppf(0.025), rtol=1e-9)
    np.testing.assert_allclose(card.ci_high, posterior.ppf(0.975), rtol=1e-9)
    assert (card.estimate[3] < 1, card.estimate[2] > 0.2) == (True, True)  # drawn together
    assert card.estimate[5] == pytest.approx(a / (a + b))  # nothing is known but the prior


def test_the_prior_is_the_likeliest(tables):
    card = seller_scorecard(tables(**SIX))
    k, n = card.n_events.to_numpy(), card.n.to_numpy()
    a, b = stats.fit_beta_binomial(k, n)
    best = log_likelihood(k, n, a, b)
    for other in ((1.02 * a, b), (a, 1.02 * b), (0.98 * a, b), (1.1 * a, 1.1 * b), (1, 1)):
        assert log_likelihood(k, n, *other) < best


def test_the_level_widens_the_interval(tables):
    opened = tables(**SIX)
    narrow, wide = seller_scorecard(opened, level=0.5), seller_scorecard(opened, level=0.99)
    assert (narrow.ci_high - narrow.ci_low < wide.ci_high - wide.ci_low).all()
    k, n = narrow.n_events.to_numpy(), narrow.n.to_numpy()
    a, b = stats.fit_beta_binomial(k, n)
    np.testing.assert_allclose(narrow.ci_low, beta(a + k, b + n - k).ppf(0.25), rtol=1e-9)


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
    assert young.estimate.tolist() == [0.5]  # Jeffreys' prior
    assert np.isnan(young.raw_rate[0])
    nameless = tables(requests="order_id\n1", orders="order_id | seller_id \n 1|")
    assert len(seller_scorecard(nameless)) == 0
