"""Pages as a site: an index with headline figures, one file a page, nothing fetched from anywhere.

Each file carries its style and its one short script, and a content security policy that allows
these two by their hashes and nothing else. The same input gives the same bytes.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.contract import replaced_when_complete
from analysis.report.html import Html, clean
from analysis.report.render import Page

if TYPE_CHECKING:
    from jinja2 import Environment

INDEX = "index"
TEMPLATES = Path(__file__).resolve().parent / "templates"


@dataclass(frozen=True)
class Headline:
    """One figure on the index, as text that is ready to be read."""

    value: str  # "61%"
    label: str  # what it is: "of requests to cancel work"
    interval: str = ""  # "58% to 64%"
    n: str = ""  # "1,164 requests"
    note: str = ""
    page: str = ""  # name of the page that explains it


@dataclass(frozen=True)
class Index:
    """What the index shows, and what every page shares."""

    title: str  # of the site
    summary: str = ""  # a sentence or two under the title
    headlines: Sequence[Headline] = ()
    description: Html | None = None  # of the dataset
    fingerprint: Mapping[str, str] = field(default_factory=dict)
    banner: str = ""  # stands above every page, such as "Synthetic data: ..."


def write_site(pages: Sequence[Page], index: Index, out: Path) -> Path:
    """Write the site to a folder, all of it or nothing.

    Parameters
    ----------
    pages
        In the order of reading.
    index
        The first page, and the banner and title of all.
    out
        Folder; an old site stays until the new one is complete.

    Returns
    -------
    Path
        The file to open.

    Raises
    ------
    ValueError
        Two pages have the same name, a name is no file name, a headline points to no page, or
        ``out`` holds files that this program did not write.
    """
    _require_names(pages, index)
    out = Path(out).absolute()
    with replaced_when_complete(out) as folder:
        for page in pages:
            _write(folder / f"{page.name}.html", page_html(page, pages, index))
        _write(folder / f"{INDEX}.html", index_html(pages, index))
    return out / f"{INDEX}.html"


def page_html(page: Page, pages: Sequence[Page], index: Index) -> str:
    """Return one page between header and footer, with ways to the others."""
    at = [one.name for one in pages].index(page.name)
    before = pages[at - 1] if at > 0 else None
    after = pages[at + 1] if at + 1 < len(pages) else None
    return _filled("page.html", page=page, pages=pages, index=index, before=before, after=after)


def index_html(pages: Sequence[Page], index: Index) -> str:
    """Return the index: headline figures, the dataset, and the pages with their answers."""
    return _filled("index.html", page=None, pages=pages, index=index)


def _require_names(pages: Sequence[Page], index: Index) -> None:
    names = [page.name for page in pages]
    for name in names:
        if names.count(name) > 1 or name in ("", INDEX) or Path(name).name != name:
            raise ValueError(f"a page's name must be a file name of its own, got {name!r}")
    for headline in index.headlines:
        if headline.page and headline.page not in names:
            raise ValueError(f"page of a headline must be one of {names}, got {headline.page!r}")


def _write(path: Path, text: str) -> None:
    path.write_text(clean(text), encoding="utf-8", newline="\n")


def _filled(template: str, **values: Any) -> str:
    style, script = _asset("style.css"), _asset("script.js")
    policy = (
        f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    text = (
        _environment()
        .get_template(template)
        .render(style=style, script=script, policy=policy, **values)
    )
    return text.rstrip() + "\n"


def _asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8").strip()


def _source(content: str) -> str:
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
