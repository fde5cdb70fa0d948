"""What is wider than a phone shows a shadow at the edge beyond which it goes on."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from analysis.report import figure as drawing
from analysis.report.html import join
from analysis.report.html_tables import table_html
from analysis.report.site import _asset

pytestmark = [pytest.mark.slow]

EDGE = 6  # pixels


@pytest.fixture(params=["drawing", "picture"])
def kind(request, monkeypatch):
    """Figures as SVG, and as pictures of dots."""
    if request.param == "picture":
        monkeypatch.setattr(drawing, "MAX_MARKS", 0)
    return request.param


@pytest.fixture
def path(kind, tmp_path):
    """A page with a wide table, a figure and a narrow table."""
    axes = Figure(figsize=(7, 2)).subplots()
    axes.plot([1, 2], [1, 2], "o")
    pieces = [
        table_html(pd.DataFrame({f"column_{i:02}": [i] for i in range(20)})),
        drawing.figure(axes, alt="a line"),
        table_html(pd.DataFrame({"n": [1]})),
    ]
    whole = "<!DOCTYPE html><meta name=viewport content='width=device-width'>"
    whole += f"<style>{_asset('style.css')}</style><main class=front>{join(pieces).markup}</main>"
    (tmp_path / "page.html").write_text(whole, encoding="utf-8")
    return tmp_path / "page.html"


def shadows(box):
    """How much the left and the right edge differ from the paper, halfway down the box."""
    pixels = np.asarray(Image.open(io.BytesIO(box.screenshot())).convert("L"), int)
    paper = int(np.median(pixels))
    low = pixels[-12:-6]  # below the text of tables, inside the margin of figures
    sides = (slice(0, EDGE), slice(-EDGE, None))
    return [int(np.abs(low[:, side] - paper).max()) for side in sides]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_edge_beyond_which_there_is_more_has_a_shadow(path, visit, scheme):
    page = visit(path, width=390, scheme=scheme)
    for box in page.locator(".scroll").all()[:2]:
        assert box.evaluate("e => e.scrollWidth > e.clientWidth")
        left, right = shadows(box)
        assert left < 5 and right > 30
        box.evaluate("e => { e.scrollLeft = 1e6 }")
        left, right = shadows(box)
        assert left > 30 and right < 5
    assert max(shadows(page.locator(".scroll").last)) < 5
