"""What a notebook says first: a sentence by itself, then what each question adds."""

from __future__ import annotations

import re

import pytest

from analysis.contract import MissingData
from analysis.report import ask as asking
from analysis.report.ask import Answer, ask, say, show


@pytest.fixture
def answer(monkeypatch):
    """An answer that says the given words."""
    monkeypatch.setattr(asking, "_sentence", lambda answer: answer.table)
    return lambda words: Answer("a_question", words)


def paragraphs(piece):
    return re.findall(r"<p[^>]*>(.*?)</p>", piece.markup)


def test_the_first_sentence_stands_alone_and_each_answer_follows(answer):
    said = say(answer("Half work. 3 more do not. Few."), answer("It takes a day. Or two."))
    assert paragraphs(said) == ["Half work.", "3 more do not. Few.", "It takes a day. Or two."]
    assert said.says == "Half work."
    assert said.text == "Half work.\n\n3 more do not. Few.\n\nIt takes a day. Or two."


def test_one_sentence_is_one_paragraph(answer):
    assert paragraphs(say(answer("Half work."))) == ["Half work."]
    assert paragraphs(say(answer("Half work."), answer(""))) == ["Half work."]


def test_what_is_missing_comes_last(answer):
    said = say(Answer("a_question", None, "the table refunds"), answer("Half work. Few."))
    assert paragraphs(said) == ["Half work.", "Few.", "Not in this data: the table refunds."]
    assert paragraphs(say(Answer("a_question", None, "all"))) == ["Not in this data: all."]


def test_a_page_says_shortly_what_is_missing_and_the_exception_says_all():
    lack = MissingData("the column colour", needed_by="refund_mean", known=["size", "weight"])

    def refund_mean():
        raise lack

    answer = ask(refund_mean)
    assert paragraphs(show(answer)) == ["Not in this data: the column colour."]
    assert repr(answer) == "Not in this data: the column colour."
    assert str(lack) == (
        "the column colour is not in this data, needed by refund_mean; there are: size, weight"
    )
