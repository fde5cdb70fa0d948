"""Pieces of HTML: what enters as text leaves as text, and numbers keep their exact value."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.report.html import (
    OURS,
    Html,
    escape,
    first_sentence,
    folded,
    join,
    note,
    paragraph,
)
from analysis.report.html_tables import LONG_TEXT, MISSING, table_html


class Reader(HTMLParser):
    """The tags and the text that a reader of HTML sees."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def body_of(frame, **options):
    """Text of the body cells of a table, row by row."""
    markup = table_html(frame, **options).markup
    rows = markup.split("<tbody>")[1].split("</tbody>")[0].split("</tr>")[:-1]
    return [[Reader(cell).text.strip() for cell in row.split("</td>")[:-1]] for row in rows]


@given(st.text())
def test_escaped_text_has_no_tags_and_reads_as_written(text):
    seen = Reader(f'<p title="{escape(text)}">{escape(text)}</p>')
    assert [tag for tag, _ in seen.tags] == ["p"]
    printable = [c for c in text if c.isprintable()]
    assert [c for c in seen.text if c.isprintable() and c != "\ufffd"] == [
        c for c in printable if c != "\ufffd"
    ]
    assert seen.tags[0][1]["title"] == seen.text


@pytest.mark.parametrize("odd", ["\x00", "\x1b", "\ud800", "\u202e", "\uffff", "\x85"])
def test_what_cannot_be_printed_is_replaced_and_the_result_can_be_written(odd):
    assert escape(f"a{odd}b") == "a\ufffdb"
    escape(odd).encode("utf-8")


def test_a_piece_shows_in_jupyter_as_html_and_in_a_terminal_as_text():
    piece = paragraph("It costs $5 & $6.")
    bundle = piece._repr_mimebundle_()
    assert bundle["text/plain"] == repr(piece) == "It costs $5 & $6."
    assert bundle["text/html"] == piece._repr_html_()
    assert "<p>It costs $5 &amp; $6.</p>" in bundle["text/html"]
    assert "mathjax_ignore" in bundle["text/html"]  # no formula between the dollar signs
    assert bundle[OURS] == {"says": "It costs $5 & $6."}


def test_text_is_made_only_where_it_is_asked_for_and_from_the_table_as_it_was():
    made = []
    piece = folded("more", Html("<b>b</b>", lambda: made.append(1) or "b"))
    assert set(piece._repr_mimebundle_(include=["text/html"])) == {"text/html", OURS}
    assert not made
    assert piece._repr_mimebundle_()["text/plain"] == "more\nb"
    frame = pd.DataFrame({"a": [1]})
    table = table_html(frame)
    frame.loc[0, "a"] = 2
    assert table.text.split() == ["a", "1"]


def test_joined_pieces_say_what_the_first_answer_among_them_says():
    parts = [note("Not in this data: refunds."), paragraph("61% work. Others do not."), note("x")]
    whole = join(parts)
    assert whole.says == "61% work."
    assert whole.text == "Not in this data: refunds.\n\n61% work. Others do not.\n\nx"
    assert join([]).markup == ""
    assert folded("The <numbers>", whole).markup.startswith(
        "<details><summary>The &lt;numbers&gt;</summary>"
    )


def test_no_line_ends_between_n_and_its_number():
    piece = paragraph("61% (58% to 64%, n = 1,164) work.")
    assert "n\u00a0=\u00a01,164" in piece.markup and "n = 1,164" in piece.text


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (
            "61% (58% to 64%, n = 1,164) work. The rest does not.",
            "61% (58% to 64%, n = 1,164) work.",
        ),
        ("It takes 3.5 days. 7 in ten wait.", "It takes 3.5 days."),
        ("Of those, e.g. cards, half.", "Of those, e.g. cards, half."),
        ("No stop", "No stop"),
        ("", ""),
    ],
)
def test_first_sentence(text, first):
    assert first_sentence(text) == first


def test_a_table_has_a_caption_column_heads_and_no_blank_corner():
    seen = Reader(table_html(pd.DataFrame({"a": [1], "b": ["x"]}), caption="Two <columns>").markup)
    heads = [attributes for tag, attributes in seen.tags if tag == "th"]
    assert [head["scope"] for head in heads] == ["col", "col"]
    assert "Two <columns>" in seen.text
    assert ("caption", {}) in seen.tags
    box = seen.tags[0][1]
    assert (box["tabindex"], box["aria-label"]) == ("0", "Two <columns>")


def test_an_index_with_meaning_becomes_row_heads_with_a_name():
    frame = pd.DataFrame({"n": [1, 2]}, index=pd.Index(["<b>", "y"], name="who"))
    seen = Reader(table_html(frame).markup)
    scopes = [attributes["scope"] for tag, attributes in seen.tags if tag == "th"]
    assert scopes == ["col", "col", "row", "row"]
    assert "who" in seen.text and "b" not in [tag for tag, _ in seen.tags]
    unnamed = Reader(table_html(pd.DataFrame({"n": [1]}, index=["x"])).markup)
    assert "row" in unnamed.text  # for those who hear the table


def test_several_levels_and_names_that_repeat():
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    assert body_of(frame) == [["1", "2"]]
    wide = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("x", "<a>"), ("x", "b")]))
    assert "x / <a>" in Reader(table_html(wide).markup).text


def test_numbers_are_aligned_and_keep_ten_figures_and_all_of_whole_numbers():
    frame = pd.DataFrame({"estimate": [0.6134020618556701], "n": [1_164], "owed": [123456789012.0]})
    seen = Reader(table_html(frame).markup)
    cells = [attributes for tag, attributes in seen.tags if tag == "td"]
    assert [cell["class"] for cell in cells] == ["number"] * 3
    assert [cell["data-value"] for cell in cells] == ["0.6134020619", "1164", "123456789012.0"]


def test_the_order_in_which_an_engine_adds_up_is_not_seen():
    sums = (0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1)
    assert sums[0] != sums[1]
    assert len({table_html(pd.DataFrame({"estimate": [one]})).markup for one in sums}) == 1


def test_an_estimate_and_its_limits_have_the_same_decimals():
    frame = pd.DataFrame({"estimate": [0.61], "ci_low": [0.0583], "ci_high": [0.64999]})
    assert body_of(frame) == [["0.610", "0.058", "0.650"]]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([1.0, 2.0], ["1", "2"]),
        ([0.5, 0.25], ["0.500", "0.250"]),
        ([0.5, 0.0001], ["0.500", "0.0001"]),
        ([72.25, 3.5], ["72.2", "3.5"]),
        ([1_234_567.5, 0.0], ["1,234,567.5", "0.0"]),
        ([0.5, np.inf], ["0.500", "inf"]),
        ([np.nan, 2.0], [MISSING, "2"]),
        ([-3], ["-3"]),
        ([True, False], ["yes", "no"]),
        ([None, "x"], [MISSING, "x"]),
    ],
)
def test_values_as_text(values, shown):
    assert body_of(pd.DataFrame({"value": values})) == [[text] for text in shown]


def test_ids_are_names_not_quantities():
    assert body_of(pd.DataFrame({"seller_id": [1_234_567]})) == [["1234567"]]


def test_missing_integers_and_moments():
    frame = pd.DataFrame(
        {
            "n": pd.array([1, None], dtype="Int64"),
            "day": pd.to_datetime(["2026-03-01", None]),
            "at": pd.to_datetime(["2026-03-01 12:30", None], utc=True),
        }
    )
    assert body_of(frame) == [["1", "2026-03-01", "2026-03-01 12:30"], [MISSING] * 3]


def test_formats_are_chosen_by_the_caller_and_change_no_data():
    frame = pd.DataFrame({"share": [0.6134], "hours": [30.0]})
    before = frame.copy()
    formats = {"share": ".1%", "hours": lambda hours: f"{hours / 24:g} <days>"}
    assert body_of(frame, formats=formats) == [["61.3%", "1.25 <days>"]]
    pd.testing.assert_frame_equal(frame, before)


def test_long_text_is_folded_and_kept_whole():
    text = "word " * 100
    markup = table_html(pd.DataFrame({"text": [text, "short"]})).markup
    assert markup.count("<details") == 1
    assert text in Reader(markup).text
    exactly = "x" * LONG_TEXT
    assert "<details" not in table_html(pd.DataFrame({"text": [exactly]})).markup


def test_text_keeps_its_direction_to_itself():
    assert "<td><bdi>\u05e9</bdi></td>" in table_html(pd.DataFrame({"t": ["\u05e9"]})).markup


def test_columns_are_set_by_what_they_hold():
    frame = pd.DataFrame(
        {
            "code": ["a"],
            "sentence": ["one rule that stood in the way of one request"],
            "n": [1],
            "is_open": [True],
            "at": pd.to_datetime(["2026-03-01"]),
        }
    )
    cells = [a.get("class") for tag, a in Reader(table_html(frame).markup).tags if tag == "td"]
    assert cells == [None, "words", "number", None, "moment"]


def test_too_many_rows_are_counted_and_not_sortable():
    frame = pd.DataFrame({"n": range(1_234)})
    part = table_html(frame, max_rows=2)
    assert part.markup.count("<tr>") == 3
    assert "First 2 of 1,234 rows." in part.markup and "First 2 of 1,234 rows." in part.text
    assert "sortable" not in part.markup
    assert 'class="sortable"' in table_html(frame, max_rows=1_234).markup


def test_a_table_without_rows_or_columns():
    assert body_of(pd.DataFrame({"a": [], "b": []})) == []
    assert "<table" in table_html(pd.DataFrame()).markup


def test_max_rows_must_be_positive():
    with pytest.raises(ValueError, match="max_rows must be 1 or more, got 0"):
        table_html(pd.DataFrame({"a": [1]}), max_rows=0)


def test_hostile_text_stays_text_wherever_it_stands(hostile):
    frame = pd.DataFrame({word: hostile for word in hostile})
    frame.index = pd.Index(hostile, name=hostile[0])
    expected = {"div", "table", "caption", "thead", "tbody", "tr", "th", "td", "bdi", "details"}
    seen = Reader(table_html(frame, caption=hostile[1]).markup)
    assert {tag for tag, _ in seen.tags} == expected | {"summary"}
    allowed = {"class", "role", "tabindex", "aria-label", "scope"}
    assert {name for _, attributes in seen.tags for name in attributes} == allowed
    for piece in (paragraph, note):
        for word in hostile:
            assert [tag for tag, _ in Reader(piece(word).markup).tags] == ["p"]
