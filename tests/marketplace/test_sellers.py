"""Sellers: their number, their volume, their traits; and the words people see."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from analysis.marketplace import load_world
from analysis.marketplace.draws import Draws
from analysis.marketplace.sellers import make_sellers, n_sellers_for
from analysis.marketplace.text import make_texts

WORLD = load_world("aliexpress")
TRAITS = WORLD.sellers
SELLERS = make_sellers(TRAITS, 5_000, Draws(7))


@pytest.mark.parametrize(
    ("n_orders", "n_sellers"), [(1, 40), (10_000, 40), (10_250, 41), (10_000_000, 40_000)]
)
def test_a_seller_for_every_250_orders_but_at_least_40(n_orders, n_sellers):
    assert n_sellers_for(TRAITS, n_orders) == n_sellers


@pytest.mark.parametrize("n_sellers", [1, 7, 40, 5_000])
def test_volumes_add_up_fall_and_keep_to_the_cap(n_sellers):
    volume = make_sellers(TRAITS, n_sellers, Draws(7)).volume
    assert volume.sum() == pytest.approx(1)
    assert (np.diff(volume) <= 1e-15).all()
    assert volume.max() <= max(TRAITS.largest_share, 1 / n_sellers) * (1 + 1e-9)


def test_sellers_are_drawn_by_volume():
    drawn = SELLERS.pick(Draws(7), "who", np.arange(400_000))
    counts = np.bincount(drawn, minlength=5_000)
    expected = SELLERS.volume * 400_000
    big = expected > 200
    assert counts[big] == pytest.approx(expected[big], rel=0.35)
    assert abs(counts[:50].sum() / expected[:50].sum() - 1) < 0.02
    assert abs(counts[-2_500:].sum() / expected[-2_500:].sum() - 1) < 0.02


def test_traits_have_the_means_and_spreads_of_the_world():
    assert SELLERS.answers.sum(axis=1) == pytest.approx(np.ones(5_000))
    assert SELLERS.answers.mean(axis=0) == pytest.approx(TRAITS.answer_shares, abs=0.01)
    mean = np.asarray(TRAITS.answer_shares)
    sd = np.sqrt(mean * (1 - mean) / (TRAITS.answer_concentration + 1))  # of a Dirichlet
    assert SELLERS.answers.std(axis=0) == pytest.approx(sd, rel=0.05)
    assert SELLERS.stock_out.mean() == pytest.approx(TRAITS.stock_out_share, rel=0.1)
    assert np.log(SELLERS.handling_x).std() == pytest.approx(TRAITS.handling_log_sd, rel=0.05)
    assert np.log(SELLERS.response_x).std() == pytest.approx(TRAITS.response_log_sd, rel=0.05)


def test_large_sellers_are_few_and_first():
    assert (np.diff(SELLERS.tier.astype(int)) <= 0).all()
    shares = np.bincount(SELLERS.tier) / 5_000
    assert 0 < shares[2] < shares[1] < shares[0]


def test_words_are_the_same_for_the_same_seed_and_fit_the_country():
    texts = make_texts(WORLD, 7)
    assert texts.reasons == make_texts(WORLD, 7).reasons
    assert texts.shop_names != make_texts(WORLD, 8).shop_names
    korea = [c.code for c in WORLD.buyers.countries].index("KR")
    first, size = texts.reason_first[korea, 0], texts.reason_size[korea, 0]
    pool = texts.reasons[first : first + size]
    assert all(any("가" <= letter <= "힣" for letter in text) for text in pool)


def test_words_hold_what_real_text_fields_hold():
    written = "".join(make_texts(WORLD, 7).reasons)
    for piece in ("🙏", "<b>", "`", "$", '"', "العنوان", "Größe"):
        assert piece in written, piece


def test_a_language_without_words_is_refused():
    countries = (dataclasses.replace(WORLD.buyers.countries[0], language="tlh", share=1.0),)
    buyers = dataclasses.replace(WORLD.buyers, countries=countries)
    with pytest.raises(ValueError, match="language must be one of en, .*'tlh'"):
        make_texts(dataclasses.replace(WORLD, buyers=buyers), 7)


def test_what_buyers_write_goes_with_the_true_reason(market, truth):
    both = market["requests"].merge(truth["truth/requests"], on="request_id")
    written = both[both.reason_text.notna()]
    assert 0.2 < len(written) / (both.requested_by == "buyer").sum() < 0.3
    moved = written[written.reason_text.str.contains("zip code is wrong")]
    assert (moved.true_reason == "wrong_address").all() and len(moved) > 3
    late = written[written.reason_text == "배송이 너무 늦어요"]
    assert (late.true_reason == "too_slow").all()
