"""Ask a question of the data, then say its answer or show it: what notebooks are made of.

``ask`` calls a measure. Where the data lacks what the question needs, the answer says so instead
of failing, and the rest of the notebook goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.contract import MissingData
from analysis.measures.answers import answered
from analysis.report import data_page, html
from analysis.report import say as sentences
from analysis.report.html_tables import table_html

if TYPE_CHECKING:
    import pandas as pd

    from analysis.sources import Tables

# measure -> the word that its plot and its sentence are called by, where it is not its own name
CALLED = {"cancellation_success_rate": "success_rate"}
TITLES = {
    "describe": "The tables",
    "check_summary": "The rules of the contract",
    "answerable_questions": "The questions",
    "why_not": "The card of one order",
    "coverage_study": "The studies of intervals",
    "size_study": "The studies of tests",
    "estimates_versus_truth": "Estimates beside the truth",
    "scale_costs": "What was measured",
    "dataset_parts": "The parts of the tables",
    "rows_that_leave": "The rows that leave the engine",
    "refund_sla": "Refunds within the time quoted for their method",
}
MAX_TABLE_ROWS = 40
OURS = "analysis"  # the package whose measures give the same answer every time


@dataclass(frozen=True)
class Answer:
    """The table that answers one question, or what is missing to answer it."""

    question: str  # name of the function that was asked
    table: pd.DataFrame | None
    missing: str = ""

    def __bool__(self) -> bool:
        """Whether there is an answer."""
        return self.table is not None

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        piece = _missing(self) if self.table is None else _table(self)
        return piece._repr_mimebundle_(include, exclude)

    def __repr__(self) -> str:
        return f"Not in this data: {self.missing}." if self.table is None else repr(self.table)


def ask(
    measure: Callable[..., pd.DataFrame], tables: Tables | None = None, **options: Any
) -> Answer:
    """Call ``measure(tables, **options)``; where the data lacks what it needs, say so.

    Without ``tables``: a question that is about no dataset.
    """
    name = measure.__name__
    try:
        if tables is None:
            return Answer(name, measure(**options))
        if measure.__module__.partition(".")[0] != OURS:  # it may be changed and asked again
            return Answer(name, measure(tables, **options))
        return Answer(name, answered(measure, tables, **options))
    except MissingData as lack:
        return Answer(name, None, lack.what)


def say(*answers: Answer) -> html.Html:
    """Return the sentences that the data wrote: the first by itself, then what each answer adds."""
    known = [sentence for answer in answers if answer and (sentence := _sentence(answer))]
    unknown = [_missing(answer) for answer in answers if not answer]
    first = html.first_sentence(known[0]) if known else ""
    rest = [text.removeprefix(first).strip() for text in known[:1]] + known[1:]
    return html.join([*(html.paragraph(text) for text in (first, *rest) if text), *unknown])


def show(answer: Answer, *, caption: str | None = None) -> html.Html:
    """Return an answer as its sentence, its figure and, folded, its table."""
    if not answer:
        return _missing(answer)
    sentence = _sentence(answer)
    parts = [html.paragraph(sentence)] if sentence else []
    drawn = _drawn(answer)
    if drawn is None:
        return html.join([*parts, _table(answer)])
    from analysis.report.figure import figure

    alt = f"{_title(answer)}. {sentence}"
    parts.append(figure(drawn, alt=alt, caption=caption))
    return html.join([*parts, html.folded("The numbers", _table(answer))])


def _called(answer: Answer) -> str:
    return CALLED.get(answer.question, answer.question)


def _title(answer: Answer) -> str:
    return TITLES.get(answer.question, answer.question.replace("_", " ").capitalize())


def _sentence(answer: Answer) -> str:
    """What the data says, or nothing for a table that speaks for itself."""
    name = f"say_{_called(answer)}"
    write = getattr(sentences, name, None) or getattr(data_page, name, None)
    return "" if write is None else write(answer.table)


def _drawn(answer: Answer) -> Any:
    from analysis import plots

    draw = getattr(plots, f"plot_{_called(answer)}", None)
    return None if draw is None else draw(answer.table)


def _missing(answer: Answer) -> html.Html:
    return html.note(f"Not in this data: {answer.missing}.")


def _table(answer: Answer) -> html.Html:
    return table_html(answer.table, caption=_title(answer), max_rows=MAX_TABLE_ROWS)
