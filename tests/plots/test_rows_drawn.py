"""What is drawn in figures of rows: marks where the table says, in the colour of their meaning."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text
from tests.plots import samples

from analysis import plots
from analysis.plots.theme import ESTIMATE, LINE_CONTRAST, MEANINGS, NAIVE, SUCCESS, pale


def marks(ax):
    """Single marks as (x, y, colour, hollow), from the top."""
    found = [
        (
            round(float(x), 6),
            round(float(y), 6),
            line.get_color(),
            to_hex(line.get_markerfacecolor()) == "#ffffff",
        )
        for line in ax.get_lines()
        if line.get_linestyle() == "None"
        for x, y in line.get_xydata()
    ]
    return sorted(found, key=lambda mark: mark[1])


def pieces(ax):
    """Drawn intervals as (ends, line), from the top; those alike are pieces of one line."""
    found = [
        (line.get_xydata()[i : i + 2], line)
        for line in ax.get_lines()
        if line.get_linestyle() != "None"
        for i in range(0, len(line.get_xdata()), 3)
    ]
    return sorted(found, key=lambda piece: piece[0][0, 1])


def intervals(ax):
    """Ends of the drawn intervals, from the top."""
    return [tuple(round(float(x), 6) for x in ends[:, 0]) for ends, _ in pieces(ax)]


def is_name(text):
    """Names of rows end left of the axes; counts, and remarks in italics, stand further right."""
    return text.get_position()[0] == 0 and text.get_horizontalalignment() == "right"


def names(ax):
    return [text.get_text() for text in ax.texts if is_name(text)]


def texts(ax):
    return [text.get_text() for text in ax.texts if not is_name(text)]


def rates(*rows, by="payment_method"):
    """Table of shares: (group, events, n)."""
    table = [{by: group, **samples.numbers.share(k, n)} for group, k, n in rows]
    return pd.DataFrame(table)


def test_success_rates_are_dots_in_percent_with_their_intervals():
    table = rates(("card", 61, 100), ("wallet", 5, 10), ("paypal", 0, 0))
    ax = plots.plot_success_rate(table)
    assert marks(ax) == [(61.0, 0, SUCCESS.colour, False), (50.0, 1, SUCCESS.colour, True)]
    expected = (table[["ci_low", "ci_high"]].dropna() * 100).round(6)
    assert intervals(ax) == [tuple(row) for row in expected.to_numpy().tolist()]
    assert names(ax) == ["card", "wallet", "PayPal"]
    assert ax.get_xlim() == (0, 100)
    assert ax.yaxis_inverted()  # the first row of the table is on top
    assert ax.get_xlabel() == "share of requests that ended in a cancelled order (%)"
    assert {"61%", "100", "50%", "10", "no data", "payment method"} <= set(texts(ax))
    assert "hollow: fewer than 30 cases" in texts(ax)


def test_dimmed_only_below_the_smallest_number_of_cases():
    ax = plots.plot_success_rate(rates(("a", 3, 29), ("b", 3, 30)))
    assert [hollow for *_, hollow in marks(ax)] == [True, False]


def test_two_group_columns_stand_under_headings():
    table = rates(("card", 61, 100), ("wallet", 50, 100), ("card", 20, 100))
    table.insert(0, "order_state", ["packed", "packed", "shipped"])
    ax = plots.plot_success_rate(table)
    assert names(ax) == ["packed", "card", "wallet", "shipped", "card"]
    assert [y for _, y, *_ in marks(ax)] == [1, 2, 4]


def test_small_shares_have_an_axis_that_says_where_it_ends():
    ax = plots.plot_request_rate(rates(("card", 60, 1000)))
    assert ax.get_xlim() == (0, 10)
    assert ax.get_xlabel().endswith("(%)\n(this axis ends at 10%)")
    assert marks(ax)[0][2] == ESTIMATE.colour


def test_outcomes_have_the_colour_of_their_meaning_and_zeros_are_kept():
    ax = plots.plot_outcome_shares(samples.overall("outcome_shares"))
    assert [colour for *_, colour, _ in marks(ax)] == [
        MEANINGS[word].colour for word in samples.shares.MIX
    ]
    assert "n = 1,200" in ax.get_xlabel()


def test_groups_of_outcomes_have_a_panel_each_on_one_scale():
    table = samples.grouped("outcome_shares", ["card", "wallet"])
    ax = plots.plot_outcome_shares(table)
    occurs = table.groupby("outcome", sort=False)["n_events"].sum() > 0
    assert len(ax.child_axes) == occurs.sum()
    assert {panel.get_xlim() for panel in ax.child_axes} == {(0, 100)}
    first = ax.child_axes[0]
    cells = table[table["outcome"] == "instant_cancelled"]["estimate"] * 100
    assert [x for x, *_ in marks(first)] == cells.round(6).tolist()
    assert names(first) == ["card\nn = 1,600", "wallet\nn = 800"]
    assert names(ax.child_axes[1]) == []


def test_blockers_are_coloured_by_when_they_stood_in_the_way():
    ax = plots.plot_blocker_shares(samples.overall("blocker_shares"))
    stages = [samples.shares.STAGES[word] for word in samples.shares.BLOCKED]
    assert [colour for *_, colour, _ in marks(ax)] == [MEANINGS[s].colour for s in stages]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["when asked", "decided later"]


def test_blockers_of_groups_keep_their_colours():
    ax = plots.plot_blocker_shares(samples.grouped("blocker_shares", ["card", "wallet"]))
    first, *_, last = ax.child_axes
    assert {colour for *_, colour, _ in marks(first)} == {MEANINGS["at_submit"].colour}
    assert {colour for *_, colour, _ in marks(last)} == {MEANINGS["decided_later"].colour}


def test_ages_of_orders_stand_in_their_order_and_without_requests_say_so():
    ax = plots.plot_success_by_order_age(samples.overall("success_by_order_age"))
    assert names(ax) == [age for age, *_ in samples.shares.AGES]
    assert "no data" in texts(ax)
    assert len(marks(ax)) == len(samples.shares.AGES) - 1


def test_rows_that_look_alike_are_drawn_as_one_mark():
    ax = plots.plot_success_rate(rates(("card", 40, 100), ("wallet", 30, 90), ("cash", 3, 9)))
    assert len(marks(ax)) == 3 and len(intervals(ax)) == 3
    assert len(ax.get_lines()) == 4  # dots and intervals, of many cases and of few


def test_quantiles_are_drawn_in_days_and_what_is_not_reached_is_said():
    table = samples.overall("refund_quantiles").assign(
        estimate=[5.0, 12.0, np.nan], ci_low=[4.0, 10.0, 14.0], ci_high=[6.0, np.nan, np.nan]
    )
    ax = plots.plot_refund_quantiles(table)
    assert [(x, y) for x, y, *_ in marks(ax)] == [(5.0, 0), (12.0, 1)]
    assert intervals(ax) == [(4.0, 6.0), (10.0, ax.get_xlim()[1])]
    assert [line.get_linestyle() == "-" for _, line in pieces(ax)] == [True, False]
    assert {"not reached", "5", "12"} <= set(texts(ax))
    assert "days" in ax.get_xlabel()


def test_promises_are_named_with_their_days():
    ax = plots.plot_refund_sla(samples.overall("refund_sla"))
    assert names(ax) == [
        "card\nwithin 20 business days",
        "wallet\nwithin 3 days",
        "PayPal\nwithin 30 days",
    ]
    assert ax.get_xlim() == (0, 100)


def test_the_funnel_has_a_bar_per_step_and_its_share_of_the_step_before():
    table = samples.overall("cancel_flow_funnel")
    ax = plots.plot_cancel_flow_funnel(table)
    widths = [round(bar.get_width(), 6) for bar in ax.patches]
    assert widths == (table["estimate"] * 100).round(6).tolist()
    assert to_hex(ax.patches[-1].get_facecolor()) == pale(SUCCESS.colour, LINE_CONTRAST)
    assert len(intervals(ax)) == len(table)
    assert "of step\nbefore" in texts(ax)


def test_sellers_show_the_raw_rate_and_an_arrow_to_the_estimate():
    table = samples.sellers.seller_scorecard(3).assign(
        estimate=[0.5, 0.6, 0.7], raw_rate=[0.5, 0.2, np.nan], n=[200, 40, 0]
    )
    ax = plots.plot_seller_scorecard(table)
    crosses = [x for x, _, colour, _ in marks(ax) if colour == NAIVE.colour]
    assert crosses == [50.0, 20.0]
    arrows = [t for t in ax.texts if getattr(t, "arrow_patch", None) is not None]
    assert [(round(a.xyann[0], 6), round(a.xy[0], 6)) for a in arrows] == [(20.0, 60.0)]


def test_only_the_sellers_with_most_requests_are_drawn_and_the_others_counted():
    ax = plots.plot_seller_scorecard(samples.sellers.seller_scorecard(120))
    assert len(names(ax)) == 30
    remark = "and 90 more sellers in the table (those with the most requests are drawn)"
    assert remark in "\n".join(texts(ax))


def test_places_among_very_many_sellers_keep_clear_of_the_next_column():
    table = samples.sellers.seller_scorecard(3).assign(
        n=54_640, rank_low=[2, 99, 382_111], rank_high=[9, 999, 396_120]
    )
    ax = plots.plot_seller_scorecard(table)
    ax.figure.canvas.draw()
    found = {text.get_text(): text.get_window_extent() for text in ax.texts}
    counts, places = found["54,640"], found["382,111–396,120"]
    assert counts.x1 < places.x0 - 5
    assert found["99–999"].x1 == pytest.approx(places.x1)


def test_the_familiar_number_stands_beside_the_right_one():
    table = samples.naive.naive_versus_right()
    ax = plots.plot_naive_versus_right(table)
    assert len(ax.child_axes) == len(table)
    first, days = ax.child_axes[0], ax.child_axes[2]
    assert {(x, colour) for x, _, colour, _ in marks(first)} == {
        (4.8, NAIVE.colour),
        (61.2, ESTIMATE.colour),
    }
    assert (61.2, 4.8) in intervals(first)  # the size of the mistake
    assert first.get_xlim() == (0, 100)
    assert days.get_xlim()[0] == 0 and days.get_xlim()[1] > 6.7
    assert "usually 4.8%, right 61% (58% to 64%, n = 1,164): off by 56 percentage points" in texts(
        first
    )


def test_a_familiar_number_that_differs_does_not_read_like_the_right_one():
    near = samples.naive.naive_versus_right().iloc[[1]]
    near = near.assign(naive=0.575, estimate=0.567, ci_low=0.494, ci_high=0.636, difference=0.008)
    (panel,) = plots.plot_naive_versus_right(near).child_axes
    assert any(text.startswith("usually 57.5%, right 56.7% (49.4% to") for text in texts(panel))


@pytest.mark.parametrize(
    ("until", "state", "marker"), [("2025-11-03 14:05", "closed", "|"), (None, "closed", ">")]
)
def test_the_card_shows_until_when_the_window_was_open(until, state, marker):
    ax = plots.plot_why_not(samples.card.why_not(until=until))
    (end,) = [line for line in ax.get_lines() if line.get_label() == state]
    assert end.get_marker() == marker
    right = pd.Timestamp(until).timestamp() / 86400 if until else ax.get_xlim()[1]
    assert float(ax.convert_xunits(end.get_xdata()[0])) == pytest.approx(right)


def test_the_card_has_a_line_per_request_and_rule():
    ax = plots.plot_why_not(samples.card.why_not())
    assert names(ax) == [
        "could be cancelled\nuntil 2025-11-03 14:05 UTC",
        "asked to cancel\n2025-11-03 20:05 UTC",
        "already shipped\nsince 2025-11-03 14:05 UTC",
    ]
    (rule,) = [line for line in ax.get_lines() if line.get_label() == "rule"]
    start, stop = (
        pd.Timestamp(t).timestamp() / 86400 for t in ("2025-11-03 14:05", "2025-11-03 20:05")
    )
    assert list(rule.get_xdata()) == pytest.approx([start, stop])
    assert rule.get_color() == MEANINGS["at_submit"].colour
    assert "shipped: blocked at once" in texts(ax)


def test_the_card_of_goods_that_cannot_be_cancelled_draws_no_window():
    row = (
        9,
        "2025-11-03 20:05",
        "awaiting_shipment",
        "blocked",
        1,
        "non_cancellable_goods",
        "2025-11-01",
    )
    ax = plots.plot_why_not(samples.card.why_not([row], until="2025-11-01"))
    assert names(ax)[0] == "could be cancelled\nat no time"
    assert not [line for line in ax.get_lines() if line.get_label() in ("open", "closed")]


def test_an_order_that_nobody_asked_about():
    ax = plots.plot_why_not(samples.card.why_not([(None,) * 7], until=None))
    shown = [t.get_text() for t in ax.get_figure(root=True).findobj(Text) if t.get_text()]
    assert shown == ["nobody asked to cancel this order"]


def test_ratios_beyond_the_axis_are_cut_at_it_and_said_so():
    table = samples.sides.refund_drivers()
    assert "run off the axis" not in "\n".join(texts(plots.plot_refund_drivers(table)))
    table.loc[1, ["ci_low", "ci_high"]] = [1e-6, 1e6]
    ax = plots.plot_refund_drivers(table)
    left, right = ax.get_xlim()
    assert min(intervals(ax)) == (pytest.approx(left, abs=1e-6), pytest.approx(right))
    assert "intervals that run off the axis are cut" in "\n".join(texts(ax))
    assert len(ax.get_xticks()) <= 9


def test_an_axis_of_ratios_holds_every_estimate():
    table = samples.sides.refund_drivers()
    table.loc[1, ["estimate", "ci_high"]] = [900.0, 1e6]
    assert plots.plot_refund_drivers(table).get_xlim()[1] > 900


def test_only_reasons_that_could_be_tested_are_drawn_and_crosses_are_whole():
    table = samples.sellers.reason_gaming().assign(expected_share=0.0)
    table.loc[2:, "p_value"] = np.nan
    ax = plots.plot_reason_gaming(table)
    assert len(names(ax)) == 2
    assert "all that could be tested are drawn: 2" in "\n".join(texts(ax))
    (crosses,) = [line for line in ax.get_lines() if line.get_marker() == NAIVE.marker]
    assert not crosses.get_clip_on()
    none = plots.plot_reason_gaming(table.assign(p_value=np.nan))
    assert texts(none) == ["no data"]


def test_the_least_explained_reasons_are_counted_among_the_tested():
    ax = plots.plot_reason_gaming(samples.sellers.reason_gaming())
    assert "the 16 least explained by luck of 90 tested are drawn" in "\n".join(texts(ax))


def test_long_names_of_rows_of_panels_have_two_lines_before_they_are_cut():
    table = samples.grouped(
        "outcome_shares", ["coupon_or_discount_forgotten", "seller_unresponsive"]
    )
    ax = plots.plot_outcome_shares(table)
    assert names(ax.child_axes[0]) == [
        "coupon or\ndiscount forgott…\nn = 1,600",
        "seller\nunresponsive\nn = 800",
    ]


def test_intervals_of_few_cases_are_thinner_and_paler_but_can_be_seen():
    ax = plots.plot_success_rate(rates(("a", 30, 100), ("b", 3, 9)))
    (_, many), (_, few) = pieces(ax)
    assert few.get_linewidth() < many.get_linewidth()
    assert few.get_color() == pale(SUCCESS.colour)
    assert few.get_alpha() is None and many.get_alpha() is None


def test_the_funnel_of_few_requests_has_several_sizes_and_signs_of_its_differences():
    table = samples.sellers.seller_funnel(4).assign(
        n=[4, 3, 2, 1], difference=[-0.3, 0.2, 0.1, 0.0], is_outlier=False
    )
    ax = plots.plot_seller_funnel(table)
    ax.figure.canvas.draw()
    assert [text.get_text() for text in ax.get_xticklabels()] == ["1", "2", "3", "4"]
    heights = {text.get_text() for text in ax.get_yticklabels()}
    assert {"+20", "−20", "0"} <= heights and not any("-" in text for text in heights)


def test_where_nothing_is_owed_that_is_said():
    table = samples.overall("open_refund_liability")
    first = table["currency"] == table["currency"].iloc[0]
    zero = dict.fromkeys(["estimate", "ci_low", "ci_high", "open_minor", "n_open"], 0.0)
    ax = plots.plot_open_refund_liability(
        table.assign(**{name: table[name].where(~first, value) for name, value in zero.items()})
    )
    assert "none owed" in texts(ax) and "no data" not in texts(ax)


def test_each_line_of_costs_has_its_own_mark_and_limits_stand_beside_each_other():
    table = samples.overall("scale_costs")
    other = table.iloc[[3]].assign(peer="a third generator")
    table = pd.concat([table, other], ignore_index=True)
    table.loc[5, ["ci_low", "ci_high"]] = [0.0, 9000.0]
    ax = plots.plot_scale_costs(table)
    legend = [line for line in ax.get_lines() if list(line.get_xdata()) == [1.035]]
    assert len({line.get_marker() for line in legend}) == len(legend) == 4
    upright = [line.get_xdata() for line in ax.get_lines() if line.get_linewidth() == 2.4]
    assert len(upright) == 4 and len({x[0] for x in upright}) == 2
    assert all(1e9 < x[0] < ax.get_xlim()[1] for x in upright)
    assert "dotted: the lower limit is off the axis" in "\n".join(texts(ax))


def test_ages_and_the_ways_of_counting_are_named_as_their_rows_read():
    assert "asked, from payment" in texts(
        plots.plot_success_by_order_age(samples.overall("success_by_order_age"))
    )
    words = "\n".join(texts(plots.plot_blocker_overlap(samples.overall("blocker_overlap"))))
    assert "lines: from stopped by this rule alone to stopped by it at all" in words
