"""What holds for every figure: any table, no side effects, text as text, nothing that leaks."""

from __future__ import annotations

import io
import sys
import warnings

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from tests.plots import samples

from analysis import plots

ESTIMATES = ("estimate", "ci_low", "ci_high", "naive", "difference", "raw_rate", "of_previous")
HOSTILE = [
    "<script>alert(1)</script>",
    "$x^{2",
    "a" * 300,
    "مرحبا بالعالم " * 4,
    "\x00\x01line\nbreak\u202eevil",
    None,
    "`back` \\alpha_$",
    "",
    "100% of all",
    "漢字 😀",
]
EVERY = pytest.mark.parametrize("name", samples.NAMES)
GROUPABLE = pytest.mark.parametrize("name", list(samples.MAKERS))


def plot(name, table, ax=None):
    return getattr(plots, f"plot_{name}")(table, ax)


def texts(ax):
    """All texts of a figure that are shown."""
    figure = ax.get_figure(root=True)
    return [t.get_text() for t in figure.findobj(Text) if t.get_visible() and t.get_text()]


def rendered(ax):
    """The figure as SVG."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        ax.get_figure(root=True).savefig(file, format="svg")
    return file.getvalue().decode()


@EVERY
def test_returns_the_axes_of_a_figure_that_can_be_rendered(name):
    ax = plot(name, samples.overall(name))
    assert isinstance(ax, Axes)
    assert "<svg" in rendered(ax)


@EVERY
def test_draws_in_the_axes_it_is_given(name):
    ax = Figure(layout="constrained").add_subplot()
    assert plot(name, samples.overall(name), ax) is ax
    assert texts(ax)


@EVERY
def test_a_table_without_rows_says_so(name):
    ax = plot(name, samples.overall(name).head(0))
    assert texts(ax) == ["no rows"]


@EVERY
def test_estimates_that_are_missing_leave_a_gap_and_words(name):
    table = samples.overall(name)
    missing = table.assign(**{c: np.nan for c in ESTIMATES if c in table.columns})
    ax = plot(name, missing)
    assert "<svg" in rendered(ax)
    if name != "why_not":
        words = " ".join(texts(ax))
        assert "no data" in words or "not reached" in words
    assert not any(word in " ".join(texts(ax)) for word in ("nan", "NaN", "None", "inf"))


@EVERY
def test_one_row(name):
    assert "<svg" in rendered(plot(name, samples.overall(name).head(1)))


@GROUPABLE
def test_hostile_groups_are_shown_as_text(name):
    table = samples.grouped(name, HOSTILE, by=["weird $ column"])
    ax = plot(name, table)
    svg = rendered(ax)
    assert "<script" not in svg and "\x00" not in svg and "\u202e" not in svg
    shown = texts(ax)
    assert all(max(map(len, text.split("\n"))) < 110 for text in shown)
    if name != "refund_sla":  # the largest rows do not reach that group
        assert "not recorded" in " ".join(shown)
    assert not any(
        t.get_parse_math() for t in ax.get_figure(root=True).findobj(Text) if "x^{" in t.get_text()
    )


def test_axes_made_elsewhere_show_dollar_signs_too():
    ax = Figure().add_subplot()
    ax.set_yticks([0, 1], labels=["a", "b"])  # texts made with the default settings
    plots.plot_success_rate(samples.grouped("success_rate", ["$x^{2", "$y$"]), ax)
    shown = [t for t in ax.get_figure().findobj(Text) if "$" in t.get_text() and t.get_visible()]
    assert len(shown) == 2 and not any(t.get_parse_math() for t in shown)


@GROUPABLE
def test_more_groups_than_fit_are_counted(name):
    ax = plot(name, samples.grouped(name, [f"g{i}" for i in range(14)]))
    remark = [text for text in texts(ax) if " more " in text and "in the table" in text]
    assert len(remark) == 1
    drawn = {text.split("\n")[0] for text in texts(ax)}
    if name != "refund_sla":  # its rows are groups and methods
        assert "and 2 more groups in the table" in remark[0]
        assert {f"g{i}" for i in range(12)} <= drawn and not {"g12", "g13"} & drawn


@GROUPABLE
@pytest.mark.parametrize("column", [[1, 2], [True, False], [pd.Timestamp("2026-01-01"), pd.NaT]])
def test_groups_of_any_type(name, column):
    shown = " ".join(texts(plot(name, samples.grouped(name, column, by=["column"]))))
    assert {int: "2", bool: "no"}.get(type(column[0]), "2026-01-01") in shown


@EVERY
def test_the_table_is_left_as_it_was(name):
    table = samples.overall(name)
    before = table.copy(deep=True)
    plot(name, table)
    pd.testing.assert_frame_equal(table, before)


@EVERY
def test_the_program_is_left_as_it_was(name):
    mpl.rcParams["font.size"] = 17.0
    before = dict(mpl.rcParams)
    plot(name, samples.overall(name))
    assert dict(mpl.rcParams) == before
    mpl.rcParams["font.size"] = mpl.rcParamsDefault["font.size"]
    if "matplotlib.pyplot" in sys.modules:
        assert sys.modules["matplotlib.pyplot"].get_fignums() == []


@pytest.mark.parametrize("name", ["success_rate", "refund_curve", "why_not"])
def test_the_same_table_gives_the_same_figure(name):
    with mpl.rc_context({"svg.hashsalt": "test"}):
        one, other = (rendered(plot(name, samples.overall(name))) for _ in range(2))
    keep = [line for line in one.splitlines() if "<dc:date>" not in line]
    assert keep == [line for line in other.splitlines() if "<dc:date>" not in line]


@EVERY
def test_n_is_on_the_figure(name):
    table = samples.overall(name)
    if "n" not in table.columns:
        return
    words = " ".join(texts(plot(name, table))).replace(",", "")
    assert str(int(table["n"].max())) in words


@EVERY
def test_text_is_large_enough_and_inside_the_figure(name):
    ax = plot(name, samples.overall(name))
    figure = ax.get_figure(root=True)
    figure.canvas.draw()
    whole = figure.bbox.padded(2)
    for part in figure.findobj(Axes):
        for text in [*part.texts, *part.get_yticklabels(), part.xaxis.label]:
            assert text.get_fontsize() >= 10
            box = text.get_window_extent()
            if text.get_text().strip() and part.axison:
                assert whole.x0 <= box.x0 and box.x1 <= whole.x1, text
                assert whole.y0 <= box.y0 and box.y1 <= whole.y1, text


@EVERY
def test_the_table_of_another_question_is_refused(name):
    if name in samples.WHOLE:
        return
    with pytest.raises(ValueError, match="table must have the column"):
        plot(name, pd.DataFrame({"other": [1]}))
