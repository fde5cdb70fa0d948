"""A matplotlib figure as part of a page: inline SVG with its text as text, or PNG if smaller.

The SVG carries no style attributes, no style sheet and no ids but those it needs, so that a page
may forbid inline styles and hold many figures. It is the same for the same figure, always.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import sys
import warnings
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree

from analysis.report.html import Html, clean, escape

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

    from analysis.report.drawing import Box

MAX_SVG_BYTES = 300_000  # a larger drawing is shown as a picture of dots
MAX_MARKS = 4_000  # so is, without being tried, one of more marks, which take 75 bytes or more
PNG_DPI = 200
CSS_PIXELS_PER_INCH = 96
CSS_PIXELS_PER_POINT = CSS_PIXELS_PER_INCH / 72
ID_MARK = "figure-"  # ids are this, twelve digits of the figure's hash, and a number
_NO_MARKER = ("None", "none", " ", "", None)
_DROPPED = frozenset({"font-family", "version"})  # the fonts are the page's own
_POINTER = re.compile(r"#([\w.-]+)")
_LONG_DECIMAL = re.compile(r"-?\d+\.\d{3,}")


def figure(drawn: Axes | Figure, *, alt: str, caption: str | None = None) -> Html:
    """Return a drawing as a piece of a page, and close it.

    Parameters
    ----------
    drawn
        Axes, or their figure. It is closed: nothing shows it a second time.
    alt
        What the figure says, in words, for those who do not see it.
    caption
        Text under the figure.

    Raises
    ------
    ValueError
        ``alt`` is empty.
    """
    if not alt.strip():
        raise ValueError("alt must say in words what the figure shows, got an empty text")
    whole = drawn.get_figure(root=True) or drawn
    artists = _artists(whole)
    _take_text_literally(artists)
    with warnings.catch_warnings():  # the page's fonts have what matplotlib's lack
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        picture = "" if _n_marks(artists) > MAX_MARKS else _svg(whole, artists, alt)
        if not picture or len(picture.encode()) > MAX_SVG_BYTES:
            picture = _png(whole, alt)
    _close(whole)
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    box = f'<div class="scroll" role="group" tabindex="0" aria-label="Figure">{picture}</div>'
    return Html(f"<figure>{box}{below}</figure>", "\n".join(filter(None, (alt, caption))))


def _artists(whole: Figure) -> list[Artist]:
    """All that the figure is made of, the labels of ticks as well."""
    for axes in whole.axes:
        for axis in (axes.xaxis, axes.yaxis):
            axis.get_ticklabels()  # makes them
    return whole.findobj()


def _take_text_literally(artists: list[Artist]) -> None:
    """Dollar signs are dollar signs, not formulas; what cannot be printed is replaced."""
    from matplotlib.text import Text

    for text in artists:
        if not isinstance(text, Text):
            continue
        if r"\mathdefault" not in text.get_text():  # matplotlib's own, on logarithmic axes
            text.set_parse_math(False)
        text.set_text(clean(text.get_text()))


def _n_marks(artists: list[Artist]) -> int:
    from matplotlib.collections import Collection
    from matplotlib.lines import Line2D

    lines = [a for a in artists if isinstance(a, Line2D) and a.get_marker() not in _NO_MARKER]
    many = [a for a in artists if isinstance(a, Collection)]
    several = [max(len(one.get_paths()), len(one.get_offsets())) for one in many]
    return sum(len(line.get_xdata(orig=False)) for line in lines) + sum(several)


class _Line(NamedTuple):
    """How one line of a text of several lines is set."""

    anchor: str
    share: float  # of its width that lies before the anchor
    font: FontProperties


_ANCHORS = {"center": ("middle", 0.5), "right": ("end", 1.0)}


def _lines_of(artists: list[Artist]) -> dict[str, _Line]:
    """Lines of texts of several lines that are centred or set to the right."""
    from matplotlib.text import Text

    found = {}
    for text in artists:
        if not isinstance(text, Text) or "\n" not in text.get_text():
            continue
        lines = text.get_text().split("\n")
        side = text._get_multialignment()  # there is no public way to ask
        if side in _ANCHORS:
            found |= {line: _Line(*_ANCHORS[side], text.get_fontproperties()) for line in lines}
    return found


def _close(whole: Figure) -> None:
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(whole)


def _svg(whole: Figure, artists: list[Artist], alt: str) -> str:
    from analysis.report.drawing import drawn_as_svg

    text, box = drawn_as_svg(whole)
    root = ElementTree.fromstring(clean(text))
    _slim(root)
    _anchor(root, _lines_of(artists))
    _rename_ids(root, hashlib.sha256(text.encode()).hexdigest()[:12])
    _describe(root, box, alt)
    return ElementTree.tostring(root, encoding="unicode")


def _slim(root: ElementTree.Element) -> None:
    """Leave only what draws: no metadata, styles, name spaces or bare groups."""
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = _attributes(element.attrib)
        element.text = element.text if element.text and element.text.strip() else None
        element.tail = None
    wanted = _pointed_at(root)
    for element in root.iter():
        if element.get("id") not in wanted:
            element.attrib.pop("id", None)
    for element in reversed(list(root.iter())):  # the innermost first
        element[:] = [kept for child in element for kept in _kept(child)]


def _kept(element: ElementTree.Element) -> list[ElementTree.Element]:
    if element.tag in ("metadata", "style") or (element.tag == "defs" and not len(element)):
        return []
    return list(element) if element.tag == "g" and not element.attrib else [element]


def _pointed_at(root: ElementTree.Element) -> set[str]:
    values = (value for element in root.iter() for value in element.attrib.values())
    return {name for value in values for name in _POINTER.findall(value)}


def _attributes(given: dict[str, str]) -> dict[str, str]:
    """Attributes with ``style="a: b"`` as ``a="b"``, without name spaces, shorter numbers."""
    plain = {name.rpartition("}")[2]: value for name, value in given.items()}
    styles = (item.partition(":") for item in plain.pop("style", "").split(";") if ":" in item)
    plain |= {name.strip(): value.strip() for name, _, value in styles}
    short = {name: _shorter(value) for name, value in plain.items() if name not in _DROPPED}
    return {name: value for name, value in short.items() if value}


def _shorter(value: str) -> str:
    """Numbers to hundredths of a point, and no turning by nothing."""
    words = " ".join(value.split())
    rounded = _LONG_DECIMAL.sub(lambda number: f"{float(number[0]):.2f}", words)
    return "" if rounded.startswith("rotate(-0 ") else rounded


def _anchor(root: ElementTree.Element, lines: dict[str, _Line]) -> None:
    """Centre lines, or set them to the right, whatever the width of the reader's font.

    matplotlib does so for texts of one line, and places the lines of others by the left end that
    they would have in its own font.
    """
    from analysis.report.drawing import text_size

    for element in root.iter("text"):
        line = lines.get(element.text or "")
        if line and not {"text-anchor", "x"} & element.attrib.keys():
            width = text_size(element.text, line.font, False)[0]
            element.set("x", f"{line.share * width:.2f}")  # before its transform
            element.set("text-anchor", line.anchor)


def _rename_ids(root: ElementTree.Element, digest: str) -> None:
    """Give the ids names of this figure's own."""
    present = dict.fromkeys(e.attrib["id"] for e in root.iter() if "id" in e.attrib)
    names = {old: f"{ID_MARK}{digest}-{n}" for n, old in enumerate(present)}
    for element in root.iter():
        for attribute, value in element.attrib.items():
            if attribute == "id":
                element.set("id", names[value])
            elif attribute == "href" or value.startswith("url(#"):
                element.set(attribute, _POINTER.sub(lambda m: f"#{names[m[1]]}", value))


def _describe(root: ElementTree.Element, box: Box, alt: str) -> None:
    """Size in pixels, the words for it, and paper under it where no style sheet knows better."""
    left, top, width, height = (f"{number:.2f}" for number in box)
    root.attrib = {
        "class": "drawing",
        "role": "img",
        "aria-label": clean(alt),
        "viewBox": f"{left} {top} {width} {height}",
        "width": f"{box.width * CSS_PIXELS_PER_POINT:.0f}",
        "height": f"{box.height * CSS_PIXELS_PER_POINT:.0f}",
        "stroke-linejoin": "round",
        "stroke-linecap": "butt",
    }
    paper = {"class": "paper", "x": left, "y": top, "width": "100%", "height": "100%"}
    root.insert(0, ElementTree.Element("rect", paper | {"fill": "#ffffff"}))


def _png(whole: Figure, alt: str) -> str:
    from analysis.report.drawing import PADDING_INCHES

    file = io.BytesIO()
    whole.savefig(
        file,
        format="png",
        dpi=PNG_DPI,
        facecolor="white",
        bbox_inches="tight",
        pad_inches=PADDING_INCHES,
        metadata={"Software": None},
    )
    content = file.getvalue()
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
    scale = CSS_PIXELS_PER_INCH / PNG_DPI
    data = base64.b64encode(content).decode("ascii")
    return (
        f'<img class="drawing" alt="{escape(alt)}" width="{width * scale:.0f}" '
        f'height="{height * scale:.0f}" src="data:image/png;base64,{data}">'
    )
