"""One look: colours that can be seen and told apart, and nothing that leaks."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from analysis.plots import theme


def luminance(colour):
    """Relative luminance, WCAG 2.1."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


LOOKS = [*theme.MEANINGS.items(), *((f"group {i}", look) for i, look in enumerate(theme.GROUPS))]


@pytest.mark.parametrize(("word", "look"), LOOKS, ids=[word for word, _ in LOOKS])
def test_marks_stand_out_from_paper(word, look):
    assert contrast(look.colour, theme.PAPER) >= 3  # WCAG 2.1, graphics


def darkened(colour):
    """Colour as the page's dark style shows it: invert(0.9098) hue-rotate(180deg)."""
    turned = np.array([[-0.574, 1.43, 0.144], [0.426, 0.43, 0.144], [0.426, 1.43, -0.856]])
    inverted = 0.9098 - 0.8196 * np.array(to_rgb(colour))
    return tuple(np.clip(turned @ inverted, 0, 1))


EVERY = [*LOOKS, ("estimate", theme.ESTIMATE), ("success", theme.SUCCESS), ("other", theme.OTHER)]
EVERY += [(f"portion {i}", look) for i, look in enumerate(theme.PORTIONS)]


@pytest.mark.parametrize(("word", "look"), EVERY, ids=[word for word, _ in EVERY])
def test_pale_lines_stand_out_in_both_themes_and_are_lighter(word, look):
    few = theme.pale(look.colour)
    many = theme.pale(look.colour, theme.LINE_CONTRAST)
    assert contrast(few, theme.PAPER) >= 3
    assert contrast(darkened(few), darkened(theme.PAPER)) >= 3
    assert luminance(few) >= luminance(many) >= luminance(look.colour)


@pytest.mark.parametrize("colour", [theme.INK, theme.MUTED])
def test_text_stands_out_from_paper(colour):
    assert contrast(colour, theme.PAPER) >= 4.5  # WCAG 2.1, text


FAMILIES = [
    ["instant_cancelled", "approved_by_seller", "auto_approved_timeout", "blocked",
     "rejected_by_seller", "superseded_by_shipment", "expired_not_cancelled",
     "withdrawn_by_buyer", "preempted", "pending"],
    ["still_open", "packed", "shipped", "cancelled", "ended_otherwise"],
    ["at_submit", "decided_later"],
]  # fmt: skip


@pytest.mark.parametrize("words", FAMILIES, ids=["outcomes", "window", "stages"])
def test_what_shares_a_figure_differs_in_colour_and_in_shape(words):
    looks = [theme.look_of(word) for word in words]
    assert len({look.colour for look in looks}) == len(looks)
    assert len({(look.marker, look.line, look.colour) for look in looks}) == len(looks)
    pairs = [(a, b) for i, a in enumerate(looks) for b in looks[i + 1 :]]
    assert all(
        contrast(a.colour, b.colour) >= 1.15 or (a.line, a.marker) != (b.line, b.marker)
        for a, b in pairs
    )


def test_groups_differ_in_line_and_marker():
    assert len({look.line for look in theme.GROUPS}) == len(theme.GROUPS)
    assert len({look.marker for look in theme.GROUPS}) == len(theme.GROUPS)


def test_the_axis_of_shares_ends_where_small_shares_can_be_read():
    assert theme.share_top([0.61]) == 100
    assert theme.share_top([0.04, 0.083]) == 10
    assert theme.share_top([float("nan")]) == 100
    assert theme.share_top([0.2]) == 20


def test_importing_the_room_does_not_import_matplotlib():
    code = "import sys, analysis.plots, analysis.report.say; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
