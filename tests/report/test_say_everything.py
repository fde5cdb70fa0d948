"""What holds for every sentence: numbers of the table only, words that follow the data."""

from __future__ import annotations

import re
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.plots import samples

from analysis.plots.groups import group_columns
from analysis.plots.labels import plain
from analysis.plots.numbers import (
    MIN_N,
    amount,
    count,
    days,
    days_or_hours,
    hours,
    moment,
    percent,
    points,
    ratio,
)
from analysis.report.say.curves import after

SAY = sys.modules["analysis.report.say.curves"].__package__
EVERY = pytest.mark.parametrize("name", samples.NAMES)
GROUPABLE = pytest.mark.parametrize("name", list(samples.MAKERS))
ESTIMATES = ("estimate", "ci_low", "ci_high", "naive", "difference", "raw_rate", "of_previous")
NUMBER = re.compile(r"\d(?:[\d,]*\d)?(?:\.\d+)?")


TENTHS = (  # of narrow intervals
    lambda share: f"{share * 100:.1f}%",
    lambda time: f"{time:.1f}",
    lambda days_: f"{days_ * 24:.1f}",
)


def euros(minor):
    return amount(minor, "EUR")


def say(name, table):
    return getattr(sys.modules[SAY], f"say_{name}")(table)


def numbers(text):
    """Every number in a text."""
    return set(NUMBER.findall(text))


def allowed(table):
    """Every number that the values of a table round to, the counts of rows and groups included."""
    units = (percent, points, days, days_or_hours, hours, after, count, ratio, euros, *TENTHS)
    texts = [f"{unit(value)}" for value in values(table) for unit in units]
    texts += [plain(str(value)) for value in texts_of(table)]
    texts += [f"{n:,}" for n in range(len(table) + 1)] + [str(MIN_N)]
    texts += [moment(t) for c in table.select_dtypes("datetimetz") for t in table[c].dropna()]
    return set().union(*map(numbers, texts))


def values(table):
    frame = table.select_dtypes("number")
    known = [float(v) for v in np.unique(frame.to_numpy(float)) if np.isfinite(v)]
    return [*known, *(-v for v in known if v < 0)]  # a sentence may say the sign in words


def texts_of(table):
    return pd.unique(table.select_dtypes(["object", "str"]).to_numpy(object).ravel())


@EVERY
def test_every_number_is_in_the_table(name):
    table = samples.overall(name)
    text = say(name, table)
    if name == "why_not":
        text = text.replace("6 hours before", "")  # the time between two moments of the table
    assert numbers(text)
    assert numbers(text) <= allowed(table)


@GROUPABLE
@pytest.mark.parametrize("n_groups", [1, 3, 9])
def test_every_number_is_in_the_table_of_groups(name, n_groups):
    table = samples.grouped(name, ["DE", "US", "FR", "ES", "IT", "PL", "NL", "BE", None][:n_groups])
    assert numbers(say(name, table)) <= allowed(table)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000), n=st.integers(0, 5000), name=st.sampled_from(list(samples.MAKERS))
)
def test_every_number_is_in_the_table_whatever_it_holds(seed, n, name):
    if n == 0 and name in ("outcome_curve", "window_curve", "refund_curve", "response_curve"):
        return  # a sample of no spell has no curve
    table = samples.overall(name, n=n, seed=seed)
    text = say(name, table)
    assert numbers(text) <= allowed(table)
    assert not re.search(r"\b(nan|NaN|NaT|None|inf|<NA>)\b", text)


@EVERY
def test_tables_without_rows_are_said_to_have_none(name):
    text = say(name, samples.overall(name).head(0))
    assert text.endswith(".") and not numbers(text)


@EVERY
def test_missing_estimates_are_never_printed(name):
    table = samples.overall(name)
    table = table.assign(**{c: np.nan for c in ESTIMATES if c in table.columns})
    text = say(name, table)
    assert text.endswith(".")
    assert not re.search(r"\b(nan|NaN|NaT|None|inf|<NA>)\b", text)
    assert "%" not in text or name == "refund_quantiles"  # says which shares are not reached


@GROUPABLE
def test_missing_estimates_of_groups_are_never_printed(name):
    table = samples.grouped(name, ["a", "b"])
    table = table.assign(**{c: np.nan for c in ESTIMATES if c in table.columns})
    text = say(name, table)
    assert text.endswith(".") and not re.search(r"\b(nan|NaN|NaT|None|inf)\b", text)


@EVERY
def test_one_row(name):
    assert say(name, samples.overall(name).head(1)).endswith(".")


@EVERY
def test_sentences_begin_with_a_capital_and_have_single_spaces(name):
    text = say(name, samples.overall(name))
    assert text[0].isupper() or text[0].isdigit()
    assert "  " not in text and "\n" not in text and ".." not in text


@GROUPABLE
def test_hostile_names_stand_as_text(name):
    table = samples.grouped(name, ["<b>$x^{2</b>", "line\nbreak\u202e\x00", "nobody. 100% worked"])
    text = say(name, table)
    assert "\n" not in text and "\u202e" not in text and "\x00" not in text
    assert "“" in text


@GROUPABLE
def test_the_table_is_left_as_it_was(name):
    table = samples.grouped(name, ["a", "b", None])
    before = table.copy(deep=True)
    say(name, table)
    pd.testing.assert_frame_equal(table, before)


@GROUPABLE
def test_words_follow_the_data(name):
    """A table with other numbers is described by another text."""
    assert say(name, samples.overall(name, seed=1)) != say(name, samples.overall(name, seed=2))


@GROUPABLE
def test_groups_alike_are_not_called_different(name):
    table = pd.concat(
        [samples.overall(name, n=400).assign(**{"group": g}) for g in ("a", "b", "c")],
        ignore_index=True,
    )
    table = table[["group", *table.columns.drop("group")]]
    assert group_columns(table, table.columns[1]) == ["group"]
    text = say(name, table)
    assert "clearly" not in text.replace("clearly fewer", "") or name == "success_by_order_age"
    assert "runs from" not in text
