"""Markdown of notebooks as safe HTML: no HTML inside, no pictures, no links that run something."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.report.html import clean, escape

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_SAFE_LINK = re.compile(r"(https?:|mailto:|#|[^:]*$)", re.IGNORECASE)


@dataclass(frozen=True)
class Passage:
    """A heading and what follows it, up to the next one; level 0 is what stands before any."""

    level: int
    title: str  # plain text
    heading: str  # markup of the title
    body: str  # markup


def passages(source: str) -> list[Passage]:
    """Split markdown at its headings."""
    renderer = _parser()
    tokens = renderer.parse(clean(source))
    starts = [
        n for n, token in enumerate(tokens) if token.type == "heading_open" and not token.level
    ]
    bounds = [*starts, len(tokens)]
    found = [Passage(0, "", "", _markup(renderer, tokens[: bounds[0]]))]
    for begin, end in zip(bounds, bounds[1:], strict=False):
        inline = tokens[begin + 1]
        found.append(
            Passage(
                level=int(tokens[begin].tag[1]),
                title=_plain(inline),
                heading=_markup(renderer, [inline]),
                body=_markup(renderer, tokens[begin + 3 : end]),
            )
        )
    return [one for one in found if one.level or one.body]


def without_headings(source: str) -> str:
    """Markdown as markup with its headings as bold lines, for text amid a page."""
    parts = []
    for one in passages(source):
        parts += [f"<p><strong>{one.heading}</strong></p>"] if one.level else []
        parts.append(one.body)
    return "\n".join(parts)


def _markup(renderer: MarkdownIt, tokens: Sequence[Token]) -> str:
    return renderer.renderer.render(tokens, renderer.options, {}).strip()


def _plain(inline: Token) -> str:
    return "".join(child.content for child in inline.children or () if child.content)


@functools.cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.validateLink = lambda url: _SAFE_LINK.match(url) is not None
    parser.add_render_rule("heading_open", lambda *_: "<p><strong>")  # those within lists, quotes
    parser.add_render_rule("heading_close", lambda *_: "</strong></p>\n")
    parser.add_render_rule("image", _picture_as_words)
    parser.add_render_rule("link_open", _link_that_tells_nothing)
    parser.add_render_rule("table_open", _table_in_a_box)
    parser.add_render_rule("table_close", _end_of_box)
    return parser


def _picture_as_words(_self: Any, tokens: Sequence[Token], at: int, *_rest: Any) -> str:
    """Return what a picture is called: fetching it would be a request."""
    return f"[{escape(tokens[at].content or 'picture')}]"


def _link_that_tells_nothing(_self: Any, tokens: Sequence[Token], at: int, *_rest: Any) -> str:
    return f'<a href="{escape(tokens[at].attrGet("href") or "")}" rel="noopener noreferrer">'


def _table_in_a_box(*_rest: Any) -> str:
    return '<div class="scroll" role="group" tabindex="0" aria-label="Table"><table>'


def _end_of_box(*_rest: Any) -> str:
    return "</table></div>"
