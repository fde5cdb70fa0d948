"""Figures in a page: words for those who do not see them, no style attribute, the same bytes."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from analysis.report.figure import MAX_SVG_BYTES, figure


def axes():
    """Fresh axes with a line, a band, bars and text of two lines."""
    drawn = Figure(figsize=(4, 3)).subplots()
    drawn.plot([1, 2, 3], [1, 3, 2], marker="o", label="a")
    drawn.fill_between([1, 2, 3], [0, 1, 1], [2, 3, 4], alpha=0.2)
    drawn.bar([1, 2], [1, 1], hatch="//")
    drawn.set_yticks([0, 1], ["first line\nand a longer second", "x"])
    drawn.legend()
    return drawn


def svg_of(piece):
    """Return the drawing as a tree; parsing it at all says that it is well-formed."""
    return ElementTree.fromstring(re.search(r"<svg.*</svg>", piece.markup, re.DOTALL)[0])


def test_the_words_for_it_are_in_the_markup_and_in_the_plain_text():
    piece = figure(axes(), alt='61% <"most"> work', caption="Source: <us>")
    root = svg_of(piece)
    assert (root.get("role"), root.get("aria-label")) == ("img", '61% <"most"> work')
    assert "<figcaption>Source: &lt;us&gt;</figcaption>" in piece.markup
    assert repr(piece) == '61% <"most"> work\nSource: <us>'
    assert piece._repr_html_().count("<svg") == 1


@pytest.mark.parametrize("alt", ["", "  \n"])
def test_a_figure_without_words_is_refused(alt):
    with pytest.raises(ValueError, match="alt must say in words"):
        figure(axes(), alt=alt)


def test_the_same_figure_gives_the_same_bytes():
    assert figure(axes(), alt="a") == figure(axes(), alt="a")


def test_a_page_may_forbid_inline_styles():
    root = svg_of(figure(axes(), alt="a"))
    assert all("style" not in element.attrib for element in root.iter())
    assert {element.tag for element in root.iter()} & {"style", "script", "metadata", "a"} == set()
    colours = {element.get("stroke") for element in root.iter()}
    assert "#1f77b4" in colours  # what the style attributes said


def test_every_pointer_has_its_target_and_every_id_its_pointer():
    root = svg_of(figure(axes(), alt="a"))
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    values = [value for element in root.iter() for value in element.attrib.values()]
    wanted = {name for value in values for name in re.findall(r"#(figure-[\w-]+)", value)}
    assert len(ids) == len(set(ids)) and set(ids) == wanted
    assert len(ids) >= 3  # a clip path, a marker, a hatch


def test_text_is_text_and_lines_are_set_to_the_same_side():
    root = svg_of(figure(axes(), alt="a"))
    lines = [one for one in root.iter("text") if one.text in ("first line", "and a longer second")]
    ends = [
        float(one.get("x")) + float(re.search(r"translate\((-?[\d.]+)", one.get("transform"))[1])
        for one in lines
    ]
    assert [one.get("text-anchor") for one in lines] == ["end", "end"]
    assert ends[0] == pytest.approx(ends[1], abs=0.05)


def test_dollar_signs_and_controls_are_shown_not_obeyed(hostile):
    drawn = axes()
    drawn.set_title("costs $\\frac{1}{0$ and \x07 \ud800")
    drawn.set_xticks(range(len(hostile)), [word[:80] for word in hostile])
    words = [one.text for one in svg_of(figure(drawn, alt=" ".join(hostile))).iter("text")]
    assert "costs $\\frac{1}{0$ and \ufffd \ufffd" in words
    assert "<script>window.hacked = 1</script>" in words
    assert "\ufffdright to left\u202c and \u05e9\u05dc\u05d5\u05dd" in words


def test_logarithmic_axes_keep_their_powers():
    drawn = axes()
    drawn.set_xscale("log")
    markup = figure(drawn, alt="a").markup
    assert "mathdefault" not in markup and "<tspan" in markup


def test_a_drawing_of_many_marks_becomes_a_picture():
    drawn = Figure(figsize=(4, 3)).subplots()
    values = np.arange(20_000)
    drawn.scatter(values, np.sqrt(values))
    markup = figure(drawn, alt='many "marks"').markup
    assert 'alt="many &quot;marks&quot;"' in markup and "data:image/png;base64," in markup
    assert len(markup) < MAX_SVG_BYTES
    width, height = re.search(r'width="(\d+)" height="(\d+)"', markup).groups()
    assert (int(width), int(height)) == (pytest.approx(384, abs=40), pytest.approx(288, abs=40))


def test_a_figure_of_pyplot_is_closed():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    whole, drawn = pyplot.subplots()
    figure(drawn, alt="a")
    assert whole.number not in pyplot.get_fignums()


def test_a_whole_figure_with_several_axes():
    whole = Figure(figsize=(4, 3))
    for drawn in whole.subplots(1, 2):
        drawn.set_title("one of two")
    words = [one.text for one in svg_of(figure(whole, alt="a")).iter("text")]
    assert words.count("one of two") == 2
