"""Text of few words is kept as numbers of the words, and nobody who asks can tell."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from analysis.sources import collect
from analysis.sources.connecting import connect
from analysis.sources.engine import kept_in_engine, registered
from analysis.sources.words import MOST_WORDS, in_words

ROWS = {
    "number": [1, 2, 3, 4, 5],
    "state": ["open", None, "it's", "open", "closed"],
    "empty": pa.array([None] * 5, pa.string()),
}


def kept(rows, columns):
    """The rows as they were, and as a table that is kept with ``columns`` in words."""
    backend = connect()
    frame = registered(backend, "rows", pa.table(rows))
    return backend, frame, kept_in_engine(backend, "kept", [in_words(backend, frame, columns)])


def kinds(backend, frame):
    found = backend.con.sql(f"DESCRIBE {backend.compile(frame)}").to_arrow_table()
    columns = (found[name].to_pylist() for name in ("column_name", "column_type"))
    return dict(zip(*columns, strict=True))


def test_few_words_are_kept_as_numbers_and_read_as_text():
    backend, frame, found = kept(ROWS, ["number", "state", "empty", "nothing"])
    assert kinds(backend, found)["state"] == "ENUM('closed', 'it''s', 'open')"
    assert kinds(backend, found)["empty"] == "VARCHAR"
    assert found.schema() == frame.schema()
    rows = (collect(one.order_by("number")) for one in (found, frame))
    pd.testing.assert_frame_equal(*rows)


def test_who_wants_no_words_gets_their_numbers():
    _, frame, found = kept(ROWS, ["state"])
    rows = collect(found.order_by("number"), in_words=False)
    assert rows["state"].dtype == "category"
    assert rows["state"].astype("str").equals(collect(frame.order_by("number"))["state"])


def test_packed_rows_of_several_parts_are_the_rows():
    backend, frame, _ = kept(ROWS, ["state"])
    words = in_words(backend, frame, ["state"])
    parts = [words.filter(words.number < 3), words.filter(words.number >= 3)]
    found = kept_in_engine(backend, "packed", parts, packed=True)
    assert kinds(backend, found)["state"].startswith("ENUM")
    rows = (collect(one.order_by("number")) for one in (found, frame))
    pd.testing.assert_frame_equal(*rows)


@pytest.mark.parametrize(
    "ask",
    [
        lambda t: t.group_by("state").aggregate(n=t.count()).order_by("state"),
        lambda t: t.aggregate(first=t.state.min(), last=t.state.max()),
        lambda t: t.filter(t.state.isin(["open", "no such word"])).order_by("number"),
        lambda t: t.select(t.number, word=t.state.fill_null("no such word")).order_by("number"),
        lambda t: t.select(n=(t.state == "no such word").sum(), m=(t.state != "open").sum()),
        lambda t: t.join(t.view(), "state").count().as_table(),
    ],
)
def test_who_asks_gets_what_text_would_give(ask):
    _, frame, found = kept(ROWS, ["state"])
    pd.testing.assert_frame_equal(collect(ask(found)), collect(ask(frame)))


@pytest.mark.parametrize(("n_words", "kind"), [(MOST_WORDS, "ENUM"), (MOST_WORDS + 1, "VARCHAR")])
def test_text_of_many_words_stays_text(n_words, kind):
    backend, _, found = kept({"word": [f"word {i}" for i in range(n_words)]}, ["word"])
    assert kinds(backend, found)["word"].startswith(kind)


@pytest.mark.spark
def test_other_engines_keep_text(tables):
    opened = tables(orders="order_id\n1")
    frame = opened.frames["orders"]
    same = in_words(opened.backend, frame, ["currency"])
    assert opened.backend.name == "duckdb" or same is frame
