"""The site in a real browser: nothing runs, nothing is fetched, everything can be read."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.slow]

PAGES = ("index", "00_hostile", "01_quiet")

# Contrast of every visible text with what lies behind it, as WCAG 2 computes it. Text in figures
# is left out: their colours are turned around by a filter, which computed styles do not show.
CONTRAST = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = numbers(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest("svg, script, style")) continue;
    const pair = [light(numbers(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    found.push([ratio, element.tagName, walker.currentNode.data.slice(0, 40)]);
  }
  return found;
}"""


@pytest.mark.parametrize("name", PAGES)
def test_nothing_runs_and_nothing_is_fetched(hostile_site, visit, name):
    path = hostile_site / f"{name}.html"
    page = visit(path)
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    page.mouse.wheel(0, 100_000)
    assert page.requested == [path.as_uri()]
    assert page.complaints == []
    assert page.evaluate("window.hacked") is None
    assert page.locator("script").count() == 1
    assert page.locator("iframe, object, embed, link[rel=stylesheet], base, form").count() == 0


def test_the_policy_stops_what_escaping_would_miss(hostile_site, visit, tmp_path):
    """Put a script and a picture into a page by hand: the second wall holds."""
    text = (hostile_site / "01_quiet.html").read_text(encoding="utf-8")
    holed = tmp_path / "holed.html"
    put_in = (
        "<script>window.hacked = 1</script>"
        "<img src='https://a.example/x.png' onerror='window.hacked = 2'>"
    )
    holed.write_text(text.replace("</main>", put_in + "</main>"), encoding="utf-8")
    page = visit(holed)
    assert page.evaluate("window.hacked") is None
    stopped = [words for words in page.complaints if "Content Security Policy" in words]
    assert {word for words in stopped for word in ("script-src", "img-src") if word in words} == {
        "script-src",
        "img-src",
    }


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_the_page_does_not_scroll_sideways(hostile_site, visit, name, width):
    page = visit(hostile_site / f"{name}.html", width=width)
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_text_stands_out_from_what_is_behind_it(hostile_site, visit, name, scheme):
    page = visit(hostile_site / f"{name}.html", scheme=scheme)
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    weak = [found for found in page.evaluate(CONTRAST) if found[0] < 4.5]
    assert weak == []


def test_dark_mode_is_dark_and_figures_follow(hostile_site, visit):
    page = visit(hostile_site / "00_hostile.html", scheme="dark")
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(int(word) for word in paper[4:-1].split(",")) < 40
    drawing = page.locator("svg.drawing").first
    shot = drawing.evaluate("e => getComputedStyle(e).filter")
    assert "invert" in shot


def test_tables_can_be_sorted(hostile_site, visit):
    page = visit(hostile_site / "00_hostile.html")
    table = page.locator("table.sortable").first
    last_column = "t => [...t.tBodies[0].rows].map(r => r.cells[r.cells.length - 1].textContent)"
    before = table.evaluate(last_column)
    assert before == sorted(before, key=int) and len(before) == 10
    button = table.locator("thead button").last
    button.press("Enter")
    assert table.evaluate(last_column) == before
    button.click()
    assert table.evaluate(last_column) == before[::-1]
    assert table.locator("th").last.get_attribute("aria-sort") == "descending"


def test_part_of_a_table_cannot_be_sorted(hostile_site, visit):
    page = visit(hostile_site / "00_hostile.html")
    part = page.locator("table:not(.sortable)", has=page.locator("caption"))
    assert part.first.locator("button").count() == 0


def test_the_page_is_whole_without_scripts(hostile_site, visit):
    page = visit(hostile_site / "00_hostile.html", scripts=False)
    assert page.locator("h2", has_text="Tables").is_visible()
    fold = page.locator("details.code").first
    fold.locator("summary").click()
    assert fold.locator("pre").first.is_visible()


def test_keyboard_alone_is_enough(hostile_site, visit):
    page = visit(hostile_site / "01_quiet.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
    page.keyboard.press("Enter")
    assert page.locator("details[open]").count() == 1


def test_paper_shows_what_folds_hide(hostile_site, visit):
    page = visit(hostile_site / "01_quiet.html")
    assert page.locator("details[open]").count() == 0
    page.emulate_media(media="print")
    visible = "[...document.querySelectorAll('details pre')].map(e => e.checkVisibility())"
    assert set(page.evaluate(visible)) == {True}
    assert page.locator("nav.turn").is_hidden()
    assert len(page.pdf(format="A4")) > 1_000


def test_links_lead_from_page_to_page(hostile_site, visit):
    page = visit(hostile_site / "index.html")
    page.locator("ol.pages a").last.click()
    assert page.title().startswith("A quiet page")
    page.locator("a[rel=prev]").click()
    assert page.url.endswith("00_hostile.html")
    page.locator("nav[aria-label=Pages] a").last.click()
    assert page.locator("nav [aria-current=page]").inner_text() == "Quiet"
