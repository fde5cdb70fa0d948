"""An executed notebook as a page: sections of prose and outputs, the code folded below them.

HTML is taken over from outputs that this package made and marked (``html.OURS``); anything else,
whatever it says it is, appears as text or as a picture.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from analysis.report import markdown
from analysis.report.execute import failures
from analysis.report.figure import ID_MARK
from analysis.report.html import OURS, escape, first_sentence
from analysis.report.parameters import INJECTED, SKIPPED, Notebook, tags_of

ANSWER = "The answer"  # title of the section that is set apart
MAX_BODY_BYTES = 950_000  # of a page of 1 MB; an output beyond it is named instead of shown
MAX_SAYS = 300  # characters of the sentence that stands for a page
MAX_PRINTED = 20_000  # characters of one printed output
_PICTURES = ("image/png", "image/jpeg")
_COLOUR_CODE = re.compile("\x1b\\[[0-9;]*[A-Za-z]")
_FIGURE_ID = re.compile(rf'(\bid="|\bhref="#|url\(#){ID_MARK}[0-9a-f]{{12}}-')
_PLACE = re.compile(r"""(["'])(?:/|[A-Za-z]:\\)[^"'\n]*[/\\]([^"'/\\\n]+)\1""")


@dataclass(frozen=True)
class Section:
    """A heading of the second level with all that belongs to it. The first has no heading."""

    id: str
    title: str
    heading: str  # markup
    blocks: tuple[str, ...]  # markup
    code: tuple[str, ...]  # text

    @property
    def is_answer(self) -> bool:
        """Whether this is the section with the answer."""
        return self.title == ANSWER


@dataclass(frozen=True)
class Page:
    """A notebook, ready to be set between header and footer."""

    name: str  # of its file, without ending: "01_cancellation_success"
    title: str
    says: str  # first sentence of the answer, as text
    sections: tuple[Section, ...]
    fingerprint: Mapping[str, str]
    failures: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Short name for navigation, from the name of the file."""
        words = self.name.lstrip("0123456789_-").replace("_", " ").strip() or self.name
        return words[0].upper() + words[1:]


@dataclass
class _Draft:
    """A page in the making."""

    title: str = ""
    sections: list[dict[str, Any]] = field(default_factory=list)
    ids: set[str] = field(default_factory=lambda: {"main"})
    level: int = 1  # of the last heading
    n_bytes: int = 0
    n_figures: int = 0
    says: str = ""
    answer_texts: list[str] = field(default_factory=list)


def render_page(notebook: Notebook, *, name: str, fingerprint: Mapping[str, str]) -> Page:
    """Turn an executed notebook into a page.

    Parameters
    ----------
    notebook
        Executed notebook. Cells tagged ``skip-report`` are left out; of injected parameters,
        places on this machine are shown by their last part only.
    name
        Name of the page's file, without ending.
    fingerprint
        What identifies the numbers, for the foot of the page: name -> value.
    """
    draft = _Draft()
    _begin_section(draft, "", "")
    for cell in notebook["cells"]:
        if SKIPPED in tags_of(cell):
            continue
        if cell["cell_type"] == "markdown":
            _add_markdown(draft, "".join(cell["source"]))
        elif cell["cell_type"] == "code":
            _add_code(draft, cell)
    sections = tuple(
        Section(s["id"], s["title"], s["heading"], tuple(s["blocks"]), tuple(s["code"]))
        for s in draft.sections
    )
    says = draft.says or first_sentence(" ".join(draft.answer_texts[-1:]))
    says = says if len(says) <= MAX_SAYS else f"{says[: MAX_SAYS - 1].rstrip()}…"
    page = Page(name, "", says, sections, dict(fingerprint), tuple(failures(notebook)))
    return Page(**{**vars(page), "title": draft.title or page.label})


def _begin_section(draft: _Draft, title: str, heading: str) -> None:
    words = _new_id(draft, title) if title else ""
    draft.sections.append(
        {"id": words, "title": title, "heading": heading, "blocks": [], "code": []}
    )


def _new_id(draft: _Draft, title: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "section"
    found, n = words, 1
    while found in draft.ids:
        n += 1
        found = f"{words}-{n}"
    draft.ids.add(found)
    return found


def _add_markdown(draft: _Draft, source: str) -> None:
    for passage in markdown.passages(source):
        if passage.level == 1 and not draft.title:
            draft.title = passage.title
        elif passage.level:
            _add_heading(draft, passage)
        if passage.body:
            _add_block(draft, f'<div class="prose">{passage.body}</div>')


def _add_heading(draft: _Draft, passage: markdown.Passage) -> None:
    """Add a heading, never more than one level below the one before."""
    draft.level = max(2, min(passage.level, draft.level + 1))
    if draft.level == 2:
        _begin_section(draft, passage.title, passage.heading)
        return
    tag, words = f"h{draft.level}", _new_id(draft, passage.title)
    _add_block(draft, f'<{tag} id="{words}">{passage.heading}</{tag}>')


def _add_code(draft: _Draft, cell: Mapping[str, Any]) -> None:
    source = "".join(cell["source"]).strip()
    if INJECTED in tags_of(cell):
        source = _PLACE.sub(r"\1…/\2\1", source)
    if source:
        draft.sections[-1]["code"].append(source)
    messages = []
    for output in cell["outputs"]:
        if output.get("name") == "stderr":
            messages.append(_joined(output["text"]))
        else:
            _add_output(draft, output)
    if messages:
        _add_block(draft, _messages("".join(messages)))


def _add_output(draft: _Draft, output: Mapping[str, Any]) -> None:
    if output["output_type"] == "stream":
        _add_block(draft, f'<pre class="printed">{_printed(_joined(output["text"]))}</pre>')
    elif output["output_type"] == "error":
        _add_block(draft, _error(output))
    else:
        _add_display(draft, output["data"])


def _add_display(draft: _Draft, data: Mapping[str, Any]) -> None:
    text = _joined(data.get("text/plain", ""))
    if draft.sections[-1]["title"] == ANSWER:
        draft.answer_texts.append(text)
    if OURS in data and "text/html" in data:
        draft.says = draft.says or data[OURS].get("says", "")
        _add_block(draft, _joined(data["text/html"]))
    elif picture := next((kind for kind in _PICTURES if kind in data), None):
        source = "".join(_joined(data[picture]).split())
        _add_block(draft, _picture(picture, source))
    elif "text/markdown" in data:
        _add_block(draft, markdown.without_headings(_joined(data["text/markdown"])))
    else:
        shown = text or next((_joined(value) for value in data.values()), "")
        _add_block(draft, f'<pre class="printed">{_printed(shown)}</pre>')


def _add_block(draft: _Draft, markup: str) -> None:
    """Add markup to the section, with ids of its own, unless the page would get too large."""
    size = len(markup.encode())
    if draft.n_bytes + size > MAX_BODY_BYTES:
        markup = f'<p class="note">Left out here for its size: an output of {size:,} bytes.</p>'
    draft.n_bytes += min(size, len(markup.encode()))
    draft.n_figures += 1
    draft.sections[-1]["blocks"].append(
        _FIGURE_ID.sub(rf"\g<1>{ID_MARK}{draft.n_figures}-", markup)
    )


def _joined(text: Any) -> str:
    """Text of the notebook format, which may be cut into lines."""
    return "".join(text) if isinstance(text, list) else str(text)


def _printed(text: str) -> str:
    """Printed text as a terminal would show it at the end: no colours, no overwritten lines."""
    plain = _COLOUR_CODE.sub("", text)
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in plain.split("\n")]
    shown = "\n".join(lines).rstrip()
    cut = f"{shown[:MAX_PRINTED]}\n… ({len(shown):,} characters in all)"
    return escape(shown if len(shown) <= MAX_PRINTED else cut)


def _messages(text: str) -> str:
    return (
        '<details class="messages"><summary>Messages while this ran</summary>'
        f"<pre>{_printed(text)}</pre></details>"
    )


def _error(output: Mapping[str, Any]) -> str:
    trace = _printed("\n".join(output["traceback"]))
    return (
        f'<div class="error"><p><strong>{escape(output["ename"])}</strong>: '
        f"{escape(output['evalue'])}</p>"
        f"<details><summary>Where it happened</summary><pre>{trace}</pre></details></div>"
    )


def _picture(kind: str, source: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9+/=]+", source):
        return '<p class="note">A picture that cannot be shown.</p>'
    words = "Picture without a description"
    return f'<img class="drawing" alt="{words}" src="data:{kind};base64,{source}">'
