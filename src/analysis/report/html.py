"""Safe pieces of HTML: every text that enters is escaped here and nowhere else.

A piece is an :class:`Html`: markup for the page and JupyterLab, and the same in plain text. Only
pieces made of these reach the report as HTML, tables of pandas anew by
:mod:`analysis.report.html_tables`; :mod:`analysis.report.render` shows what else a notebook
displays as text.
"""

from __future__ import annotations

import html as stdlib_html
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

PLAIN = "text/plain"
OURS = "application/vnd.cancellations.html+json"  # beside text/html: this markup was made here

# Controls that no text needs, halves of a character, and marks that reverse the text around them
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202d\u202e\ufffe\uffff]"
)


@dataclass(frozen=True, repr=False)
class Html:
    """A piece of safe markup and its plain text, or what makes that: a page never asks for it.

    ``says`` is the first sentence of an answer in words, empty for notes, tables and figures.
    """

    markup: str
    words: str | Callable[[], str]
    says: str = ""

    @property
    def text(self) -> str:
        """The same in plain text."""
        return self.words if isinstance(self.words, str) else self.words()

    def _repr_html_(self) -> str:
        # The classes keep JupyterLab from reading dollar signs in data as formulas.
        return f'<div class="piece mathjax_ignore tex2jax_ignore">{self.markup}</div>'

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: object = None
    ) -> dict[str, Any]:
        plain = {} if include and PLAIN not in include else {PLAIN: self.text}
        return {**plain, "text/html": self._repr_html_(), OURS: {"says": self.says}}

    def __repr__(self) -> str:
        return self.text


def clean(text: object) -> str:
    """Text without what cannot be printed; each such character becomes a replacement mark."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", str(text))


def escape(text: object) -> str:
    """Text as HTML that shows it: safe between tags and inside quoted attributes."""
    return stdlib_html.escape(clean(text), quote=True)


def paragraph(text: str) -> Html:
    """Sentences as one paragraph, in which no line ends between ``n`` and its number."""
    markup = escape(text).replace("n = ", "n\u00a0=\u00a0")
    return Html(f"<p>{markup}</p>", text, says=first_sentence(text))


def note(text: str) -> Html:
    """Return a remark that is not an answer, such as "Not in this data: ..."."""
    return Html(f'<p class="note">{escape(text)}</p>', text)


def printed(text: str) -> Html:
    """Text as it stands, with its lines: code."""
    return Html(f"<pre>{escape(text)}</pre>", text)


def folded(summary: str, content: Html) -> Html:
    """Content behind a line that opens it."""
    markup = f"<details><summary>{escape(summary)}</summary>{content.markup}</details>"
    return Html(markup, lambda: f"{summary}\n{content.text}", says=content.says)


def join(parts: Iterable[Html]) -> Html:
    """Pieces one below the other, as one piece."""
    kept = list(parts)
    return Html(
        "\n".join(part.markup for part in kept),
        lambda: "\n\n".join(part.text for part in kept),
        says=next((part.says for part in kept if part.says), ""),
    )


def first_sentence(text: str) -> str:
    """Text up to the first full stop that a new sentence follows."""
    return re.split(r"(?<=[.!?])\s+(?=[^\sa-z])", text.strip(), maxsplit=1)[0]
