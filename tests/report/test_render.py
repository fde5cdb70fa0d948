"""From an executed notebook to a page: sections, answer, folded code, and what is taken as HTML."""

from __future__ import annotations

import re

import pytest

from analysis.report.html import OURS, note, paragraph
from analysis.report.markdown import passages, without_headings
from analysis.report.render import MAX_BODY_BYTES, MAX_SAYS, render_page


@pytest.fixture
def page(drawn):
    """Return ``page(cell, ...)``; a cell is its source or ``(source, [outputs], tags...)``."""

    def rendered(*cells, name="01_refund_time"):
        plain = [one if isinstance(one, str) else (one[0], *one[2:]) for one in cells]
        notebook = drawn(*plain)
        for one, given in zip(notebook["cells"], cells, strict=True):
            if not isinstance(given, str):
                one["outputs"] = given[1]
        return render_page(notebook, name=name, fingerprint={"seed": "7"})

    return rendered


def shown(data, kind="display_data"):
    """Return an output of the notebook format."""
    return {"output_type": kind, "data": data, "metadata": {}}


def body(page):
    """All markup of a page's sections."""
    return "\n".join(block for section in page.sections for block in section.blocks)


def test_the_first_heading_is_the_title_and_the_second_level_makes_sections(page):
    made = page("#: # How long?\n\nWhy it matters.", "#: ## One\n\ntext\n\n## Two", "#: ### Deeper")
    assert made.title == "How long?"
    assert [section.title for section in made.sections] == ["", "One", "Two"]
    assert made.sections[0].blocks == ('<div class="prose"><p>Why it matters.</p></div>',)
    assert made.sections[2].blocks == ('<h3 id="deeper">Deeper</h3>',)


def test_without_a_heading_the_name_is_the_title(page):
    made = page("1", name="03_refund_time")
    assert (made.title, made.label, made.fingerprint) == (
        "Refund time",
        "Refund time",
        {"seed": "7"},
    )


def test_headings_go_down_one_level_at_a_time_and_ids_differ(page):
    made = page("#: # T\n\n#### Jump\n\n## A\n\n##### Far\n\n# Second first\n\n## A\n\n### Main\n")
    levels = [2] + [int(n) for n in re.findall(r"<h(\d)", body(made))]
    assert [section.title for section in made.sections] == ["", "Jump", "A", "Second first", "A"]
    assert levels == [2, 3, 3]
    ids = [s.id for s in made.sections if s.id] + re.findall(r'id="([^"]+)"', body(made))
    assert ids == ["jump", "a", "second-first", "a-2", "far", "main-2"]


def test_code_is_kept_by_section_and_skipped_cells_are_left_out(page):
    made = page(
        "#: # T",
        "a = 1",
        ("b = 2", [shown({"text/plain": "'w'"})], "skip-report"),
        "#: ## One",
        "c = 3",
        "",
        ("d", [shown({"text/plain": "4"})]),
    )
    assert [section.code for section in made.sections] == [("a = 1",), ("c = 3", "d")]
    assert "'w'" not in body(made)


def test_injected_parameters_name_no_place_on_this_machine(page):
    source = '# Parameters\ndataset = "/home/somebody/data/market"\nas_of = None\nby = ["a/b"]'
    made = page((source, [], "injected-parameters"))
    assert made.sections[0].code == (
        '# Parameters\ndataset = "…/market"\nas_of = None\nby = ["a/b"]',
    )


def test_marked_outputs_are_taken_as_html(page):
    made = page(("x", [shown(paragraph("a < b")._repr_mimebundle_())]))
    assert "<p>a &lt; b</p>" in body(made)


@pytest.mark.parametrize(
    "data",
    [
        {"text/html": "<b>x</b>"},
        {"text/html": "<script>1</script>", "text/plain": "<b>"},
        {"application/javascript": "<b>alert(1)</b>"},
        {"image/svg+xml": "<svg onload='alert(1)'><b></svg>"},
        {"text/latex": "$<b>$"},
        {"application/vnd.jupyter.widget-view+json": {"<b>": 1}},
        {OURS: {"says": "<b>"}, "text/plain": "<b>"},
    ],
)
def test_everything_else_is_text(page, data):
    markup = body(page(("x", [shown(data, "execute_result")])))
    assert re.findall(r"<[^>]*>", markup) == ['<pre class="printed">', "</pre>"]


def test_markdown_outputs_have_no_headings_html_or_pictures(page):
    source = "# Big\n\n<b>x</b> ![alt](https://a.example/x.png) [go](javascript:alert(1)) *really*"
    markup = body(page(("x", [shown({"text/markdown": source, "text/plain": "x"})])))
    assert set(re.findall(r"<(\w+)", markup)) == {"p", "strong", "em"}
    assert "[alt]" in markup and "a.example" not in markup


def test_pictures_have_words_and_nothing_but_picture(page):
    good = body(page(("x", [shown({"image/png": "iVBORw0KGgo=\n", "text/plain": "<Figure>"})])))
    assert 'alt="Picture without a description"' in good and "base64,iVBORw0KGgo=" in good
    bad = body(page(("x", [shown({"image/png": '" onerror="alert(1)'})])))
    assert "onerror" not in bad and "cannot be shown" in bad


def test_printed_text_looks_as_on_a_terminal(page):
    printed = "\x1b[31mred\x1b[0m <b>\n10%\r 50%\r100%\nend\r\n"
    out = {"output_type": "stream", "name": "stdout", "text": printed}
    assert body(page(("x", [out]))) == '<pre class="printed">red &lt;b&gt;\n100%\nend</pre>'


def test_very_long_printed_text_is_cut_and_says_so(page):
    out = {"output_type": "stream", "name": "stdout", "text": ["x" * 15_000, "y" * 15_000]}
    markup = body(page(("x", [out])))
    assert len(markup) < 21_000 and "(30,000 characters in all)" in markup


def test_messages_of_a_cell_are_folded_together(page):
    err = {"output_type": "stream", "name": "stderr", "text": "UserWarning: <b>\n"}
    markup = body(page(("x", [err, shown({"text/plain": "1"}), err])))
    assert markup.count("<details") == 1 and markup.count("&lt;b&gt;") == 2


def test_errors_are_shown_and_listed(page):
    error = {
        "output_type": "error",
        "ename": "ValueError",
        "evalue": "<b>",
        "traceback": ["\x1b[0;31mfile <x>\x1b[0m"],
    }
    made = page("1", ("x", [error]))
    assert made.failures == ("cell 2: ValueError: <b>",)
    assert "<strong>ValueError</strong>: &lt;b&gt;" in body(made)
    assert "file &lt;x&gt;" in body(made)


def test_the_answer_is_the_first_sentence_that_the_data_wrote(page):
    bundles = [note("Until 2026."), paragraph("61% work. The rest do not.")]
    outputs = [shown(piece._repr_mimebundle_()) for piece in bundles]
    made = page("#: # T", "#: ## The answer", ("x", outputs), "#: ## More", ("y", outputs[1:]))
    assert made.says == "61% work."
    assert [section.is_answer for section in made.sections] == [False, True, False]


def test_where_nothing_is_said_the_note_of_the_answer_stands_for_it(page):
    outputs = [shown(note("Not in this data: refunds.")._repr_mimebundle_())]
    assert page("#: ## The answer", ("x", outputs)).says == "Not in this data: refunds."
    assert page("#: ## Other", ("x", outputs)).says == ""


def test_a_sentence_without_end_is_cut_on_the_index(page):
    outputs = [shown(paragraph("a" * 5_000)._repr_mimebundle_())]
    made = page("#: ## The answer", ("x", outputs))
    assert len(made.says) == MAX_SAYS and made.says.endswith("…")
    assert "a" * 5_000 in body(made)


def test_two_copies_of_a_figure_have_ids_of_their_own(page):
    from matplotlib.figure import Figure

    from analysis.report.figure import figure

    drawn = Figure().subplots()
    drawn.plot([1, 2], marker="o")
    piece = shown(figure(drawn, alt="a")._repr_mimebundle_())
    markup = body(page(("x", [piece, piece])))
    ids = re.findall(r'\bid="([^"]+)"', markup)
    assert len(ids) == len(set(ids)) >= 4
    pointers = set(re.findall(r'(?:href="|url\()#([^")]+)', markup))
    assert pointers == set(ids)


def test_text_that_looks_like_an_id_is_left_alone(page):
    words = "figure-0123456789ab-1"
    assert words in body(page(("x", [shown(paragraph(words)._repr_mimebundle_())])))


def test_a_page_stays_below_a_megabyte(page):
    outputs = [shown(paragraph("é" * 100_000)._repr_mimebundle_()) for _ in range(12)]
    markup = body(page(("x", outputs), ("y", [shown({"text/plain": "still here"})])))
    assert len(markup.encode()) <= MAX_BODY_BYTES + 12 * 120
    assert markup.count("Left out here for its size: an output of 200,") == 8
    assert "still here" in markup


def test_links_that_run_something_are_text():
    for link in (
        "javascript:alert(1)",
        "JAVAscript:x",
        "data:text/html,x",
        "vbscript:x",
        "file:///x",
        "ms-word:x",
    ):
        assert "<a" not in passages(f"[x]({link})")[0].body
    for link in ("https://a.example/?a=1&b=2", "#there", "01_next.html", "mailto:a@b.example"):
        assert "<a href=" in passages(f"[x]({link})")[0].body


def test_markdown_that_is_html_is_text():
    markup = passages("<script>alert(1)</script>\n\nand <b onclick=x>bold</b> `<i>` &lt;")[0].body
    assert set(re.findall(r"<(\w+)", markup)) == {"p", "code"}


def test_markdown_splits_at_headings_only():
    found = passages("before\n\n# One `code`\n\n> # quoted\n\n## Two")
    assert [(one.level, one.title) for one in found] == [(0, ""), (1, "One code"), (2, "Two")]
    assert found[1].heading == "One <code>code</code>"
    assert "<strong>Two</strong>" in without_headings("## Two")
    assert passages("") == []


def test_a_quoted_heading_stays_out_of_the_order_of_headings(page):
    assert "<h" not in body(page("#: ## A\n\n> ### quoted\n\n- # item"))
