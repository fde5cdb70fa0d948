"""Ask a question of the data, then say its answer or show it: what notebooks are made of.

``ask`` calls a measure. Where the data lacks what the question needs, the answer says so instead
of failing, and the rest of the notebook goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.contract import MissingData
from analysis.report import html, say as sentences

if TYPE_CHECKING:
    import pandas as pd

    from analysis.sources import Tables

# measure -> the words that its plot and its sentence are called by, where they are not its own
CALLED = {"cancellation_success_rate": "success_rate"}
MAX_TABLE_ROWS = 60


@dataclass(frozen=True)
class Answer:
    """The table that answers one question, or what is missing to answer it."""

    question: str  # name of the measure
    table: pd.DataFrame | None
    missing: str = ""

    def __bool__(self) -> bool:
        """Whether there is an answer."""
        return self.table is not None

    def _repr_html_(self) -> str:
        return (_missing(self) if self.table is None else _table(self))._repr_html_()

    def __repr__(self) -> str:
        return self.missing if self.table is None else repr(self.table)


def ask(measure: Callable[..., pd.DataFrame], tables: Tables, **options: Any) -> Answer:
    """Call ``measure(tables, **options)``; an answer that says so where the data lacks it."""
    name = measure.__name__
    try:
        return Answer(name, measure(tables, **options))
    except MissingData as lack:
        return Answer(name, None, str(lack))


def say(*answers: Answer) -> html.Html:
    """Return the answers as one paragraph of sentences that the data wrote."""
    known = [_sentence(answer) for answer in answers if answer]
    unknown = [_missing(answer) for answer in answers if not answer]
    parts = [html.paragraph(" ".join(known))] if known else []
    return html.join([*parts, *unknown])


def show(answer: Answer, *, caption: str = "") -> html.Html:
    """Return an answer as its sentence, its figure and (folded) its table."""
    if not answer:
        return _missing(answer)
    from analysis import plots
    from analysis.report.figure import figure

    sentence = _sentence(answer)
    drawn = getattr(plots, f"plot_{_called(answer)}")(answer.table)
    alt = f"{answer.question.replace('_', ' ')}. {sentence}"
    parts = [html.paragraph(sentence), figure(drawn, alt=alt, caption=caption or None)]
    return html.join([*parts, html.folded("The numbers", _table(answer))])


def _called(answer: Answer) -> str:
    return CALLED.get(answer.question, answer.question)


def _sentence(answer: Answer) -> str:
    return getattr(sentences, f"say_{_called(answer)}")(answer.table)


def _missing(answer: Answer) -> html.Html:
    return html.note(f"Not in this data: {answer.missing}.")


def _table(answer: Answer) -> html.Html:
    caption = answer.question.replace("_", " ")
    return html.table_html(answer.table, caption=caption, max_rows=MAX_TABLE_ROWS)
