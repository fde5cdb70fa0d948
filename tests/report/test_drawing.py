"""A figure drawn as SVG in one go: what is seen of it, and what its layout leaves inside."""

from __future__ import annotations

import io
import re

import pandas as pd
import pytest
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.figure import Figure

from analysis.plots import plot_request_rate
from analysis.plots.theme import axes
from analysis.report import drawing
from analysis.report.drawing import PADDING_INCHES, _Renderer, drawn_as_svg


def rates(words):
    """A table with one row per group."""
    row = {"estimate": 0.5, "ci_low": 0.4, "ci_high": 0.6, "n": 90, "interval": "wilson"}
    return pd.DataFrame([{"payment_method": word, **row} for word in words])


def test_what_stands_outside_of_the_figure_is_seen_and_empty_paper_is_not():
    drawn = Figure(figsize=(4, 3)).add_axes([-0.25, 0.25, 0.5, 0.5])  # 144 by 108 points
    drawn.set(xticks=[], yticks=[])
    _, box = drawn_as_svg(drawn.get_figure())
    padding = 72 * PADDING_INCHES
    wanted = (-72 - padding, 54 - padding, 144 + 2 * padding, 108 + 2 * padding)
    assert tuple(box) == pytest.approx(wanted, abs=1)


def test_a_long_name_takes_room_from_the_axes_not_from_the_page():
    short, long = (plot_request_rate(rates([word, "b"])) for word in ("a", "a" * 24))
    boxes = [drawn_as_svg(ax.get_figure())[1] for ax in (short, long)]
    assert boxes[0].width == pytest.approx(boxes[1].width, abs=12)
    assert short.get_position().width > long.get_position().width + 0.08


@pytest.mark.parametrize(
    ("height", "label", "is_cut"),
    [(2.0, "label " * 8, False), (2.0, "label " * 14, True), (0.4, "label", True)],
)
def test_a_figure_is_cut_only_where_its_axes_could_not_be_made_to_fit(height, label, is_cut):
    ax = axes(None, height=height)
    ax.set_xlabel(label)
    ax.text(0, 0.5, "a name " * 5, transform=ax.transAxes, ha="right")
    whole = ax.get_figure()
    _, box = drawn_as_svg(whole)
    page = whole.get_size_inches() * 72
    assert (tuple(box) == pytest.approx((0, 0, *page))) != is_cut
    for text in (ax.texts[0], ax.xaxis.label):
        seen = text.get_window_extent()
        assert box.left <= seen.x0 + 0.01
        assert seen.x1 <= box.left + box.width + 0.01
        assert box.top <= page[1] - seen.y1 + 0.01
        assert page[1] - seen.y0 <= box.top + box.height + 0.01


def test_the_drawing_says_what_the_figure_says():
    text, _ = drawn_as_svg(plot_request_rate(rates(["card"])).get_figure())
    assert {"card", "50%", "90"} <= set(re.findall(r">([^<>]+)</text>", text))


def test_what_is_remembered_is_what_matplotlib_works_out_anew(monkeypatch):
    def draw():
        ax = plot_request_rate(rates(["card", "pay later", "a" * 24]))
        ax.annotate("away", (0.2, 1), (9, 9), xycoords="data", textcoords="offset points")
        ax.set_title("two\nlines")
        ax.legend([ax.lines[0]], ["a line"])
        return drawn_as_svg(ax.get_figure())

    remembered = draw()
    for name in ("remember_sizes", "remember_places"):
        monkeypatch.setattr(drawing, name, lambda artists: None)
    assert draw() == remembered


@pytest.mark.parametrize("font", [{"size": 9}, {"weight": "bold", "style": "italic"}])
def test_texts_are_as_high_as_with_matplotlib_alone(font):
    whole = Figure(dpi=72)
    text = whole.text(0.5, 0.5, "two\nlines", fontdict=font)
    boxes = [
        text.get_window_extent(renderer(360, 360, io.StringIO())).bounds
        for renderer in (RendererSVG, _Renderer)
    ]
    assert boxes[0] == boxes[1]
