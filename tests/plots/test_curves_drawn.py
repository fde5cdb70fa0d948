"""What is drawn in figures of curves: lines, bands, marks of the censored, who is still counted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.plots import samples

from analysis import plots
from analysis.plots.curves import deadline_of
from analysis.plots.lines import spread
from analysis.plots.theme import ESTIMATE, GROUPS, MEANINGS, SUCCESS, pale


def curve(estimates, *, time="time_days", at_risk=None, censored=None, n=100, **columns):
    """One small curve, with limits 5 points around."""
    estimates = np.asarray(estimates, float)
    size = len(estimates)
    return pd.DataFrame(
        {
            **columns,
            time: np.arange(size, dtype=float),
            "estimate": estimates,
            "ci_low": np.clip(estimates - 0.05, 0, 1),
            "ci_high": np.clip(estimates + 0.05, 0, 1),
            "n_at_risk": at_risk or [n - 10 * i for i in range(size)],
            "n_events": 0,
            "n_censored": censored or [0] * size,
            "n": n,
            "interval": "Kaplan-Meier, log-log",
        }
    )


def lines(ax):
    """Curves by label."""
    return {
        line.get_label(): line
        for line in ax.get_lines()
        if not line.get_label().startswith("_") and len(line.get_xdata()) > 2
    }


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_a_curve_is_a_step_line_in_percent_with_its_band():
    ax = plots.plot_refund_curve(curve([0, 0.25, 0.5, 0.75]))
    (line,) = lines(ax).values()
    assert line.get_ydata().tolist() == [0, 25, 50, 75]
    assert line.get_drawstyle() == "steps-post"
    assert line.get_color() == ESTIMATE.colour
    (band,) = ax.collections
    corners = {(x, round(y, 6)) for x, y in band.get_paths()[0].vertices.tolist()}
    assert {(2, 45.0), (2, 55.0), (3, 70.0), (3, 80.0)} <= corners
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, 3), (0, 100))
    assert ax.get_xlabel() == "days since the decision"
    assert "share of refunds credited by then (%)" in texts(ax)


def test_the_line_stops_where_the_table_knows_nothing():
    ax = plots.plot_refund_curve(curve([0, 0.25, 0.5, np.nan, np.nan, np.nan, np.nan, np.nan]))
    (line,) = lines(ax).values()
    assert np.isnan(line.get_ydata()[3:]).all()
    assert ax.get_xlim()[1] == pytest.approx(2.1)  # the last estimate and a little


def test_the_strip_has_the_numbers_of_the_table_at_the_ticks():
    ax = plots.plot_refund_curve(curve([0, 0.25, 0.5, 0.75], at_risk=[100, 77, 55, 33]))
    assert {"still waiting, of 100:", "100", "77", "55", "33"} <= set(texts(ax))


def test_censored_are_marked_on_the_line_where_they_are_new():
    ax = plots.plot_refund_curve(curve([0, 0.25, 0.5, 0.75], censored=[0, 3, 3, 5]))
    (marks,) = [line for line in ax.get_lines() if line.get_label().startswith("_censored")]
    assert marks.get_xdata().tolist() == [1, 3]
    assert marks.get_ydata().tolist() == [25, 75]
    assert any("last seen without an end" in text for text in texts(ax))
    none = plots.plot_refund_curve(curve([0, 0.25, 0.5, 0.75]))
    assert not any("last seen without an end" in text for text in texts(none))


def test_few_groups_share_axes_and_differ_in_colour_and_dashes():
    parts = [
        curve([0, 0.2 + 0.1 * i, 0.5 + 0.1 * i], method=m) for i, m in enumerate(["card", "paypal"])
    ]
    ax = plots.plot_refund_curve(pd.concat(parts, ignore_index=True))
    drawn = lines(ax)
    assert list(drawn) == ["card", "PayPal"]
    assert [line.get_color() for line in drawn.values()] == [look.colour for look in GROUPS[:2]]
    assert len(ax.collections) == 2
    assert {"card\nn = 100", "PayPal\nn = 100"} <= set(texts(ax))


def test_many_groups_have_a_panel_each_with_the_others_behind():
    table = samples.grouped("refund_curve", ["a", "b", "c", "d", "e"])
    ax = plots.plot_refund_curve(table)
    assert len(ax.child_axes) == 5
    panel = ax.child_axes[1]
    assert list(lines(panel)) == ["b"]
    behind = [line for line in panel.get_lines() if line.get_label() in ("_a", "_c", "_d", "_e")]
    assert len(behind) == 4
    assert any("b\nn = 800" in text for text in texts(panel))


def test_long_curves_are_thinned():
    ax = plots.plot_refund_curve(curve(np.linspace(0, 1, 5000), at_risk=[10] * 5000))
    (line,) = lines(ax).values()
    assert len(line.get_xdata()) <= 250
    assert line.get_xdata()[[0, -1]].tolist() == [0, 4999]


def test_few_cases_are_pale():
    ax = plots.plot_refund_curve(curve([0, 0.25, 0.5], n=29))
    (line,) = lines(ax).values()
    assert line.get_color() == pale(ESTIMATE.colour) != ESTIMATE.colour
    assert "pale: fewer than 30 cases" in "\n".join(texts(ax))


def test_outcomes_keep_the_colour_of_their_meaning_and_their_band():
    table = samples.overall("outcome_curve")
    ax = plots.plot_outcome_curve(table)
    drawn = lines(ax)
    assert len(drawn) == table["outcome"].nunique() == len(ax.collections)
    assert drawn["blocked at once"].get_color() == MEANINGS["blocked"].colour
    assert drawn["approved by the seller"].get_color() == MEANINGS["approved_by_seller"].colour


def hazard(at_risk, rates):
    """Rates of one end in intervals of a day."""
    rates, hours = np.asarray(rates), np.arange(len(rates)) * 24.0
    return pd.DataFrame(
        {
            "outcome": "closed_in_any_way",
            "from_hours": hours,
            "to_hours": hours + 24,
            "estimate": rates,
            "ci_low": rates / 2,
            "ci_high": rates * 1.2,
            "n_at_risk": at_risk,
            "n_events": 1,
            "exposure_hours": 24.0,
            "n": max(at_risk),
            "n_clusters": 9,
            "interval": "Poisson score",
        }
    )


def test_rates_of_enough_orders_fit_and_others_that_are_cut_off_are_announced():
    ax = plots.plot_window_hazard(hazard([100, 60, 29], [0.01, 0.035, 0.09]))
    assert 3.5 < ax.get_ylim()[1] < 9
    words = "\n".join(texts(ax)).replace("\n", " ")
    assert "(cut off: wider intervals, and rates of fewer than 30 at risk)" in words
    enough = plots.plot_window_hazard(hazard([100, 60, 30], [0.01, 0.035, 0.09]))
    assert enough.get_ylim()[1] > 9
    assert "cut off" not in "\n".join(texts(enough))


def test_strips_of_windows_say_which_moment_they_count_at():
    ax = plots.plot_window_hazard(hazard([100, 60, 29], [0.01, 0.035, 0.09]))
    shown = texts(ax)
    assert "open as the interval begins, of 100:" in shown
    assert {"100", "60", "29"} <= set(shown)
    assert ax.get_xticks()[-1] == 72 and "28" not in shown  # no interval begins at the end
    curves = plots.plot_window_curve(samples.overall("window_curve"))
    assert any(text.startswith("still open just before, of ") for text in texts(curves))


def test_groups_of_races_have_a_panel_each_and_one_legend():
    table = samples.grouped("window_curve", ["card", "wallet", "paypal"])
    ax = plots.plot_window_curve(table)
    assert len(ax.child_axes) == 3
    shown = [text.get_text() for text in ax.get_legend().get_texts()]
    assert shown == ["can still be cancelled", "shipped", "cancelled", "ended otherwise"]


def test_the_deadline_is_marked_with_who_was_still_waiting():
    table = curve(
        [0, 0.5, 0.6, 0.6, np.nan],
        time="time_hours",
        at_risk=[100, 50, 41, 38, 0],
        censored=[0, 1, 2, 40, 40],
    )
    assert deadline_of(table)["time_hours"] == 3
    ax = plots.plot_response_curve(table)
    assert "38 still without\nan answer at 3 hours" in texts(ax)
    (line,) = lines(ax).values()
    assert line.get_color() == SUCCESS.colour


def test_no_deadline_where_few_stop_waiting_at_a_time():
    table = curve([0, 0.5, 0.6], time="time_hours", censored=[0, 5, 9])
    assert deadline_of(table) is None
    assert not any("an answer at" in text for text in texts(plots.plot_response_curve(table)))


@pytest.mark.parametrize("wanted", [[0, 0, 0], [100, 100, 99], [50, 10, 52], [0, 50, 100]])
def test_labels_at_the_ends_of_lines_do_not_overlap(wanted):
    places = sorted(spread(wanted, [8.0] * 3, 100))
    assert all(b - a >= 8 - 1e-9 for a, b in zip(places, places[1:], strict=False))
    assert places[-1] <= 100
    assert (
        np.argsort(spread(wanted, [8.0] * 3, 100), kind="stable").tolist()
        == np.argsort(wanted, kind="stable").tolist()
    )
