"""Codes, columns and text from the data, in words."""

from __future__ import annotations

import unicodedata

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.contract import codes
from analysis.plots.labels import (
    column_label,
    group_name,
    label,
    plain,
    quoted,
    shorten,
    value_label,
    width,
    wrap,
)

EVERY_CODE = sorted(
    {*codes.ORDER_STATES, *codes.ORDER_ENDS, *codes.OUTCOMES, *codes.BLOCKERS, *codes.REASONS}
    | {*codes.REFUND_METHODS, *codes.STEPS, *codes.SIZE_TIERS}
)


@pytest.mark.parametrize("code", EVERY_CODE)
def test_no_code_is_shown_as_it_is_stored(code):
    assert "_" not in label(code)
    assert label(code)


def test_labels():
    assert label("already_shipped") == "already shipped"
    assert label("jewelry_watches") == "jewelry and watches"
    assert label("toys_hobbies") == "toys and hobbies"
    assert label("Shop_7") == "Shop_7"
    assert column_label("payment_method") == "payment method"
    assert column_label("n_items") == "number of items"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "not recorded"),
        (np.nan, "not recorded"),
        (pd.NaT, "not recorded"),
        (pd.NA, "not recorded"),
        (True, "yes"),
        (np.bool_(False), "no"),
        (7, "7"),
        (np.int64(12000), "12000"),
        (2.5, "2.5"),
        ("packed", "packed"),
        ("", '""'),
        (pd.Timestamp("2026-03-01"), "2026-03-01"),
    ],
)
def test_values_of_groups(value, text):
    assert value_label(value) == text


def test_a_sentence_names_the_column_of_values_that_are_no_code():
    assert (
        group_name(["order_state", "seller_country"], ["packed", "DE"])
        == "packed, seller country DE"
    )
    assert group_name(["is_cancellable_goods"], [True]) == "cancellable goods: yes"
    assert group_name(["category"], [None]) == "category: not recorded"
    assert quoted("nobody. 100% worked") == "“nobody. 100% worked”"


@given(st.text())
def test_text_stays_on_one_line_and_cannot_hide_or_reorder(text):
    shown = plain(text)
    assert "\n" not in shown and "\u202e" not in shown
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in shown)
    assert plain(shown) == shown


@given(st.text(), st.integers(2, 60))
def test_shortened_text_fits_and_says_that_it_was_cut(text, longest):
    cut = shorten(text, longest)
    assert width(cut) <= longest
    assert cut == text or cut.endswith("…")


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "Zs"])), st.integers(5, 40))
def test_wrapped_text_keeps_its_lines_and_their_length(text, columns):
    lines = wrap(text, columns).split("\n")
    assert len(lines) <= 2
    assert all(len(line) <= columns for line in lines)


def test_right_to_left_names_keep_to_themselves():
    assert quoted("مرحبا") == "\u2068مرحبا\u2069"
