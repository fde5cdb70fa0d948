"""Notebooks drawn in a line, a warm process to run them in, and one browser for all tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.report.execute import execute_all, warm_processes

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
BROWSER_FLAGS = (  # quiet: no looking up of hosts, no updates
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HOSTILE = (
    "<script>window.hacked = 1</script>",
    '"><img src=x onerror="window.hacked = 2">',
    "<svg/onload=window.hacked=3><iframe src='https://example.com'></iframe>",
    "javascript:window.hacked=4",
    "</style></script></title></textarea><b>bold</b>",
    "costs $x$ and $\\frac{1}{0$, `code` and ${window.hacked=5}",
    "{{ 7 * 7 }} {% raw %} &lt;i&gt;",
    "\u202eright to left\u202c and \u05e9\u05dc\u05d5\u05dd",
    "control \x00 \x07 \x1b[31m",
    "long " + "a" * 5_000,
)


def cell(source: str, *tags: str) -> dict[str, Any]:
    """Return a code cell, or a markdown cell if the source starts with ``#:``."""
    common = {"metadata": {"tags": list(tags)}}
    if source.startswith("#:"):
        return {"cell_type": "markdown", "source": source[2:].lstrip(" "), **common}
    return {
        "cell_type": "code",
        "source": source,
        "outputs": [],
        "execution_count": None,
        **common,
    }


@pytest.fixture(scope="session")
def drawn() -> Callable[..., dict[str, Any]]:
    """Return ``drawn("a = 1", ("b = a", "some-tag"), "#: markdown")``: a notebook."""

    def notebook(*sources: str | tuple[str, ...]) -> dict[str, Any]:
        cells = [cell(*((one,) if isinstance(one, str) else one)) for one in sources]
        for number, one in enumerate(cells):
            one["id"] = f"cell-{number}"
        return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}

    return notebook


@pytest.fixture(scope="session")
def warm() -> Iterator[Any]:
    """Give one warm process that all tests of a session share."""
    with warm_processes(1) as processes:
        yield processes


@pytest.fixture(scope="session")
def run(drawn: Callable[..., dict[str, Any]], warm: Any) -> Callable[..., dict[str, Any]]:
    """Return ``run("a = 1", ..., parameters={}, timeout_seconds=60)``: the executed notebook."""

    def executed(*sources: str | tuple[str, ...], **options: Any) -> dict[str, Any]:
        return execute_all([drawn(*sources)], warm=warm, **options)[0]

    return executed


@pytest.fixture(scope="session")
def hostile() -> tuple[str, ...]:
    """Text that tries to run, to break out, or to break the page."""
    return HOSTILE


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One headless Chromium for all tests; they skip where it or playwright is missing."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next((path for path in map(shutil.which, CHROMIUM) if path), None)
    if found is None:
        pytest.skip("there is no Chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=list(BROWSER_FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Return ``visit(path, width=1280, scheme="light", scripts=True)``: the opened page.

    ``page.requested`` has every address asked for, ``page.complaints`` what the console said.
    """
    contexts = []

    def opened(
        path: Path, *, width: int = 1280, scheme: str = "light", scripts: bool = True
    ) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 844},
            color_scheme=scheme,
            java_script_enabled=scripts,
        )
        contexts.append(context)
        page = context.new_page()
        page.requested, page.complaints = [], []
        page.on("request", lambda request: page.requested.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("dialog", lambda dialog: page.complaints.append(dialog.message))
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()


HOSTILE_CELLS = (
    "import pandas as pd; from analysis.report import html; from matplotlib.figure import Figure",
    "from analysis.report.figure import figure; from analysis.report.html_tables import table_html",
    "table = pd.DataFrame({'text': words, words[0]: words, words[1]: range(len(words))})",
    "#: ## The answer",
    "html.join([html.note(words[2]), html.paragraph('It held. ' + ' '.join(words))])",
    "#: ## Tables",
    "table",
    "table_html(table.set_index('text'), caption=words[1])",
    "html.folded(words[0], table_html(table, caption=words[5], max_rows=3))",
    "#: ## Figures",
    "axes = Figure().subplots(); axes.set_title(words[0])",
    "axes.barh([w[:60] for w in words], range(len(words)), label=words[5]); axes.legend()",
    "figure(axes, alt=' '.join(words), caption=words[1])",
    "axes = Figure().subplots(); axes.set_xlabel(words[6]); figure(axes, alt=words[1])",
    "#: ## Others' outputs",
    "from IPython.display import HTML, SVG, Image, Javascript, Markdown, display",
    "for word in words: print(word); display(HTML(word), Javascript('window.hacked = 9'))",
    "display(Markdown('# ' + words[0] + '\\n\\n[x](javascript:alert(1)) ![y](https://a.example/y.png)'))",
    'display(SVG(\'<svg xmlns="http://www.w3.org/2000/svg" onload="window.hacked=8"></svg>\'))',
    "display({'text/html': words[0], 'text/latex': words[5]}, raw=True)",
    "table.style",
    "import warnings; warnings.warn(words[0])",
    "#: # Another first heading <script>window.hacked = 7</script>\n\n"
    "<img src=x onerror=window.hacked=6> [link](javascript:alert(1)) ![p](https://a.example/p.png)\n\n"
    "#### Deep `code`\n\n| a | b |\n|---|---|\n| <b>1</b> | 2 |",
    ("raise ValueError(words[0])", "raises-exception"),
    "raise KeyError(words[1])",
)


@pytest.fixture(scope="session")
def hostile_site(
    run: Callable[..., dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Folder of a site of two pages with hostile text wherever text can come from."""
    from analysis.report.html_tables import table_html
    from analysis.report.render import render_page
    from analysis.report.site import Headline, Index, write_site

    first = run(
        "#: # Does " + HOSTILE[0] + " hold?\n\nA question with " + HOSTILE[1],
        ("words = []", "parameters"),
        *HOSTILE_CELLS,
        parameters={"words": list(HOSTILE)},
    )
    second = run(
        "#: # A quiet page\n\n## The answer",
        "from analysis.report.html import paragraph",
        "paragraph('61% (58% to 64%, n = 1,164) went through. The rest did not.')",
    )
    marks = {word: word for word in HOSTILE}
    pages = [
        render_page(first, name="00_hostile", fingerprint=marks),
        render_page(second, name="01_quiet", fingerprint={"version": "1"}),
    ]
    import pandas as pd

    index = Index(
        title=HOSTILE[4],
        summary=HOSTILE[0],
        headlines=[Headline(w, w, w, w, w, page="00_hostile") for w in HOSTILE],
        description=table_html(pd.DataFrame({"word": HOSTILE})),
        fingerprint=marks,
        banner=HOSTILE[1],
    )
    return write_site(pages, index, tmp_path_factory.mktemp("hostile") / "site").parent
