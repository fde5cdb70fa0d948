"""A matplotlib figure drawn as SVG in one go.

``savefig`` draws a figure twice to cut it to what it shows, and measures its texts anew for the
layout, for the cut and for the drawing. Here it is drawn once, the cut is the view of the SVG,
and one renderer, which remembers the sizes of texts and fonts, serves all three.
"""

from __future__ import annotations

import functools
import io
from typing import TYPE_CHECKING, NamedTuple

import matplotlib as mpl
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.textpath import text_to_path

from analysis.plots.fitting import Fitted
from analysis.report.remembering import remember_places, remember_sizes

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import LayoutEngine

PADDING_INCHES = 0.04
POINTS_PER_INCH = 72  # and pixels, as SVG is drawn
_SETTINGS = {"svg.fonttype": "none", "svg.hashsalt": "order-cancellations"}


class Box(NamedTuple):
    """What is seen of a drawing, in points from its upper left."""

    left: float
    top: float
    width: float
    height: float


class _Renderer(RendererSVG):
    """A renderer that measures a font and a text once; matplotlib does for every figure."""

    def get_text_width_height_descent(
        self, s: str, prop: FontProperties, ismath: bool | str
    ) -> tuple[float, float, float]:
        """Return width, height and descent of a text, in pixels."""
        return text_size(s, prop, ismath)

    def _get_font_height_metrics(self, font: FontProperties) -> tuple[float, float, float]:
        """Return ascent, descent and gap between lines of a font, in pixels."""
        heights = _font_heights(tuple(font.get_family()), font.get_style(), font.get_weight())
        ascent, descent, gap, units = heights
        scale = 1 / units * font.get_size_in_points()
        return ascent * scale, -descent * scale, gap * scale


def text_size(text: str, font: FontProperties, is_math: bool | str) -> tuple[float, float, float]:
    """Return width, height and descent of a text, in points; of each text once."""
    return _text_size(text, font.copy(), is_math)


@functools.lru_cache(10_000)
def _text_size(text: str, font: FontProperties, is_math: bool | str) -> tuple[float, float, float]:
    return text_to_path.get_text_width_height_descent(text, font, is_math)


@functools.cache
def _font_heights(family: tuple[str, ...], style: str, weight: str | int) -> tuple[float, ...]:
    """Return ascent, descent (negative), gap and size of the em, in units of the font."""
    font = get_font(findfont(FontProperties(family=list(family), style=style, weight=weight)))
    heights = font.get_sfnt_table("OS/2")
    names = ("sTypoAscender", "sTypoDescender", "sTypoLineGap")
    return (*(heights[name] for name in names), font.get_sfnt_table("head")["unitsPerEm"])


class _Canvas(FigureCanvasBase):
    """A canvas whose figure measures with the renderer that draws it."""

    def __init__(self, figure: Figure, renderer: _Renderer) -> None:
        super().__init__(figure)
        self.renderer = renderer

    def get_renderer(self) -> _Renderer:
        """Return what measures texts for the layout."""
        return self.renderer


def drawn_as_svg(figure: Figure) -> tuple[str, Box]:
    """Return a figure as SVG, without a background, and the part of it that shows something."""
    file = io.StringIO()
    figure.dpi = POINTS_PER_INCH
    figure.set_facecolor("none")
    width, height = figure.get_size_inches() * POINTS_PER_INCH
    with mpl.rc_context(_SETTINGS):
        renderer = _Renderer(width, height, file, metadata={"Date": None})
        _Canvas(figure, renderer)
        artists = figure.findobj()
        remember_sizes(artists)
        layout = _lay_out(figure)
        remember_places(artists)
        figure.draw(renderer)
        fits = isinstance(layout, Fitted) and layout.fits
        seen = Box(0, 0, width, height) if fits else _seen(figure, renderer)
        renderer.finalize()
    return file.getvalue(), seen


def _seen(figure: Figure, renderer: _Renderer) -> Box:
    box = figure.get_tightbbox(renderer).padded(PADDING_INCHES)
    top = figure.get_figheight() - box.y1
    return Box(*(POINTS_PER_INCH * x for x in (box.x0, top, box.width, box.height)))


def _lay_out(figure: Figure) -> LayoutEngine | None:
    """Place the axes, once and for all; return what has placed them."""
    layout = figure.get_layout_engine()
    if layout is not None and figure.axes:
        place = layout.execute
        place(figure)
        figure.set_layout_engine("none")
    return layout
