"""The site as files: whole or not at all, the same bytes, and a structure that can be navigated."""

from __future__ import annotations

import base64
import hashlib
import re
import signal
import subprocess
import sys
import textwrap

import pytest

from analysis.report.html import note
from analysis.report.render import render_page
from analysis.report.site import Headline, Index, index_html, page_html, write_site

INDEX = Index(
    title="Order cancellations",
    summary="Why not?",
    headlines=(
        Headline("61%", "of requests work", "58% to 64%", "1,164 requests", page="01_b"),
        Headline("3 days", "until the money is back", note="cards only"),
    ),
    description=note("Invented <data>."),
    fingerprint={"version": "1"},
    banner="Synthetic data: invented.",
)


@pytest.fixture
def pages(drawn):
    """Three pages."""
    book = drawn("#: # A question?\n\n## The answer\n\nYes.\n\n### Deeper\n\n## Limits", "a = 1")
    return [
        render_page(book, name=name, fingerprint={"seed": "7"})
        for name in ("00_a_long_one", "01_b", "02_c")
    ]


def files(folder):
    """Name -> bytes of everything in a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_site_is_an_index_and_a_file_a_page(pages, tmp_path):
    index = write_site(pages, INDEX, tmp_path / "site")
    assert index == tmp_path / "site" / "index.html"
    written = [name for name in files(index.parent) if name.endswith(".html")]
    assert sorted(written) == ["00_a_long_one.html", "01_b.html", "02_c.html", "index.html"]


def test_the_same_pages_give_the_same_bytes(pages, tmp_path):
    first = write_site(pages, INDEX, tmp_path / "one").parent
    second = write_site(pages, INDEX, tmp_path / "two").parent
    assert files(first) == files(second)


@pytest.mark.slow
def test_a_notebook_run_twice_gives_the_same_bytes(run, tmp_path):
    source = (
        "import warnings; import pandas as pd; from matplotlib.figure import Figure",
        "from analysis.report.figure import figure; warnings.warn('mind'); print({'b', 'a', 'c'})",
        "axes = Figure().subplots(); axes.plot([1, 2], marker='o', label='x'); axes.legend();",
        "figure(axes, alt='a line')",
        "pd.DataFrame({'a': [1.5]})",
        "import matplotlib.pyplot as plt; plt.plot([1]);",
        "1 / 0",
    )
    sites = []
    for name in ("one", "two"):
        page = render_page(run(*source), name="00_x", fingerprint={})
        sites.append(files(write_site([page], INDEX_WITHOUT_LINKS, tmp_path / name).parent))
    assert sites[0] == sites[1]


INDEX_WITHOUT_LINKS = Index(title="t")


def test_an_old_site_is_replaced_as_a_whole(pages, tmp_path):
    write_site(pages, INDEX, tmp_path / "site")
    write_site(pages[:2], INDEX, tmp_path / "site")
    assert "02_c.html" not in files(tmp_path / "site")
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_folder_of_somebody_else_is_not_replaced(pages, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="files that this program did not write"):
        write_site(pages, INDEX, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_error_while_writing_leaves_the_old_site(pages, tmp_path, monkeypatch):
    before = files(write_site(pages, INDEX, tmp_path / "site").parent)
    monkeypatch.setattr("analysis.report.site.index_html", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_site(pages[:2], INDEX, tmp_path / "site")
    assert files(tmp_path / "site") == before
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL on this system")
@pytest.mark.parametrize("has_old", [True, False])
def test_killed_while_writing_leaves_the_old_site_or_none(pages, tmp_path, has_old):
    target = tmp_path / "site"
    index = Index(title="Order cancellations")
    before = files(write_site(pages, index, target).parent) if has_old else None
    script = textwrap.dedent("""
        import os, signal, sys
        from analysis.report import site
        from analysis.report.render import Page
        original = site._write
        def killed(path, text):
            if path.name == "index.html":
                os.kill(os.getpid(), signal.SIGKILL)
            original(path, text)
        site._write = killed
        pages = [Page("00_new", "New", "", (), {})]
        site.write_site(pages, site.Index(title="New"), sys.argv[1])
    """)
    done = subprocess.run([sys.executable, "-c", script, str(target)], check=False)
    assert done.returncode == -signal.SIGKILL
    left = [path.name for path in tmp_path.iterdir() if path != target]
    assert len(left) == 1 and left[0].startswith(".site.")  # unfinished, under another name
    assert (files(target) if target.exists() else None) == before
    write_site(pages, index, target)
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize("name", ["index", "../up", "a/b", ""])
def test_names_that_are_no_file_of_their_own_are_refused(drawn, tmp_path, name):
    page = render_page(drawn("1"), name="x", fingerprint={})
    odd = type(page)(**{**vars(page), "name": name})
    with pytest.raises(ValueError, match="file name of its own"):
        write_site([odd], INDEX_WITHOUT_LINKS, tmp_path / "site")


def test_names_that_repeat_are_refused(pages, tmp_path):
    with pytest.raises(ValueError, match="file name of its own, got '00_a_long_one'"):
        write_site([pages[0], pages[0]], INDEX_WITHOUT_LINKS, tmp_path / "site")


def test_a_headline_must_lead_to_a_page(pages, tmp_path):
    index = Index(title="t", headlines=[Headline("1", "x", page="99_none")])
    with pytest.raises(ValueError, match="page of a headline must be one of"):
        write_site(pages, index, tmp_path / "site")


def every_file(pages):
    """Return the text of the index and of each page."""
    return [index_html(pages, INDEX), *(page_html(page, pages, INDEX) for page in pages)]


def test_every_file_has_a_language_a_title_landmarks_and_the_banner(pages):
    for text in every_file(pages):
        assert text.startswith('<!DOCTYPE html>\n<html lang="en">')
        assert re.search(r"<title>[^<]*Order cancellations</title>", text)
        for landmark in ("<header", "<nav", "<main", "<footer"):
            assert landmark in text
        assert text.count("Synthetic data: invented.") == 1
        assert 'href="#main"' in text and 'id="main"' in text


def test_headings_come_in_order_and_ids_once(pages):
    for text in every_file(pages):
        levels = [int(level) for level in re.findall(r"<h(\d)", text)]
        assert levels[0] == 1 and levels.count(1) == 1
        assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))
        ids = re.findall(r'\bid="([^"]*)"', text)
        assert len(ids) == len(set(ids))
        labels = re.findall(r'aria-labelledby="([^"]*)"', text)
        anchors = re.findall(r'href="#([^"]*)"', text)
        assert set(labels) | set(anchors) <= set(ids)


def test_the_policy_allows_this_style_and_this_script_and_nothing_else(pages):
    for text in every_file(pages):
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1].replace(
            "&#39;", "'"
        )
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        assert rules == {
            "default-src": "'none'",
            "style-src": hash_of(re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]),
            "script-src": hash_of(re.search(r"<script>(.*?)</script>", text, re.DOTALL)[1]),
            "img-src": "data:",
            "base-uri": "'none'",
            "form-action": "'none'",
        }
        assert text.index("Content-Security-Policy") < text.index("<style>")
        assert not re.search(r"<[^>]* style=", text)


def hash_of(content):
    """Return the source expression that allows this content."""
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def test_nothing_points_out_of_the_site(pages):
    for text in every_file(pages):
        targets = re.findall(r'(?:href|src)="([^"]*)"', text)
        known = {f"{page.name}.html" for page in pages} | {"index.html", "data:,"}
        assert all(target in known or target.startswith("#") for target in targets)
        assert "http" not in re.sub(r'http-equiv="', "", text)


def test_pages_lead_to_each_other(pages):
    first, middle, last = (page_html(page, pages, INDEX) for page in pages)
    assert re.findall(r'<a rel="(\w+)" href="([^"]*)"', middle) == [
        ("prev", "00_a_long_one.html"),
        ("next", "02_c.html"),
    ]
    assert 'rel="prev" href="index.html"' in first
    assert '<a rel="next"' not in last
    for name, text in zip(("A long one", "B", "C"), (first, middle, last), strict=True):
        assert re.findall(r'aria-current="page">([^<]*)<', text) == [name]


def test_the_index_shows_each_figure_with_interval_and_denominator(pages):
    text = index_html(pages, INDEX)
    cards = re.findall(r'<li class="card">(.*?)</li>', text, re.DOTALL)
    words = [" ".join(re.sub(r"<[^>]*>", " ", card).split()) for card in cards]
    assert words == [
        "61% of requests work 58% to 64% 1,164 requests",
        "3 days until the money is back cards only",
    ]
    assert '<a href="01_b.html">of requests work</a>' in text
    assert "Invented &lt;data&gt;." in text


def test_a_failed_page_says_so_at_its_top_and_on_the_index(drawn):
    error = {"output_type": "error", "ename": "E", "evalue": "<b>", "traceback": []}
    book = drawn("#: # T", "x")
    book["cells"][1]["outputs"] = [error]
    page = render_page(book, name="00_x", fingerprint={})
    text = page_html(page, [page], INDEX_WITHOUT_LINKS)
    assert text.index("This page is not complete.") < text.index("Where it happened")
    assert "<li>cell 2: E: &lt;b&gt;</li>" in text
    assert "This page is not complete" in index_html([page], INDEX_WITHOUT_LINKS)


def test_the_foot_has_the_fingerprint(pages):
    assert "<dt>seed</dt><dd><bdi>7</bdi></dd>" in page_html(pages[0], pages, INDEX)
    assert "<dt>version</dt><dd><bdi>1</bdi></dd>" in index_html(pages, INDEX)


def test_without_banner_headlines_description_and_pages():
    text = index_html([], INDEX_WITHOUT_LINKS)
    assert 'class="banner"' not in text and 'class="card"' not in text


def test_half_characters_can_be_written(pages, tmp_path):
    index = Index(title="t \ud800 \u202e")
    assert "t \ufffd \ufffd" in write_site(pages, index, tmp_path / "s").read_text(encoding="utf-8")


def test_files_stay_below_a_megabyte(drawn):
    book = drawn("#: # T", "x")
    piece = note("é" * 300_000)._repr_mimebundle_()
    book["cells"][1]["outputs"] = [
        {"output_type": "display_data", "data": piece, "metadata": {}} for _ in range(5)
    ]
    page = render_page(book, name="00_x", fingerprint={})
    assert len(page_html(page, [page], INDEX_WITHOUT_LINKS).encode()) <= 1_000_000
