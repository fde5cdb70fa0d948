"""Sentences of curves and durations, word for word."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.report.say import (
    say_open_refund_liability,
    say_outcome_curve,
    say_refund_curve,
    say_refund_mean,
    say_refund_quantiles,
    say_refund_sla,
    say_response_curve,
    say_stage_durations,
    say_window_curve,
    say_window_hazard,
)

NAN = np.nan
LIMITS = ("ci_low", "ci_high")


def point(time, estimate, *, name="time_days", at_risk=50, censored=0, n=100, events=1, **columns):
    """Row of a curve; its limits are 5 points around."""
    limits = {"estimate": estimate, "ci_low": estimate - 0.05, "ci_high": estimate + 0.05}
    counts = {"n_at_risk": at_risk, "n_events": events, "n_censored": censored, "n": n}
    return {**columns, name: float(time), **limits, **counts, "interval": "Kaplan-Meier, log-log"}


def test_refund_curve():
    table = pd.DataFrame([point(t, p) for t, p in ((0, 0.05), (3, 0.2), (7, 0.6), (14, 0.9))])
    assert say_refund_curve(table) == (
        "Of 100 refunds, 20% (15% to 25%) were credited within 3 days, 60% (55% to 65%) within "
        "7 days and 90% (85% to 95%) within 14 days."
    )


def test_a_curve_that_ends_early_says_so():
    table = pd.DataFrame([point(3, 0.2), point(7, 0.6), point(14, NAN)])
    assert say_refund_curve(table).endswith("Nothing was observed beyond 7 days.")


def test_groups_of_a_curve_are_compared_at_one_time():
    table = pd.DataFrame(
        [point(t, p, method=m) for m, p in (("card", 0.5), ("wallet", 0.9)) for t in (3, 7)]
    )
    assert say_refund_curve(table) == (
        "By method, the share of refunds credited 7 days after the decision: card 50% (45% to 55%, "
        "n = 100) and wallet 90% (85% to 95%, n = 100). It is clearly higher for wallet than for "
        "card."
    )


def test_a_group_that_was_not_observed_so_long_is_left_out():
    rows = [point(7, p, method=m) for m, p in (("card", 0.5), ("wallet", 0.9), ("paypal", NAN))]
    text = say_refund_curve(pd.DataFrame(rows))
    assert text.endswith("1 of 3 groups is left out here (no estimate).")


def test_response_curve_with_a_deadline():
    rows = [(6, 0.5, 50, 0), (24, 0.7, 30, 1), (72, 0.8, 15, 20), (73, NAN, 0, 20)]
    table = pd.DataFrame(
        [point(t, p, name="time_hours", at_risk=r, censored=c) for t, p, r, c in rows]
    )
    assert say_response_curve(table) == (
        "Of 100 open requests, 50% (45% to 55%) were answered within 6 hours, 70% (65% to 75%) "
        "within 24 hours and 80% (75% to 85%) within 72 hours. Nothing was observed beyond "
        "72 hours. At 72 hours, 15 still had no answer; then the waiting ends for many."
    )


def test_the_end_of_one_request_is_no_deadline():
    rows = [(6, 0.4, 8, 0), (9, 0.5, 6, 1), (24, 0.7, 3, 1)]
    table = pd.DataFrame(
        [point(t, p, name="time_hours", at_risk=r, censored=c, n=13) for t, p, r, c in rows]
    )
    assert "waiting ends" not in say_response_curve(table)
    assert "waiting ends" in say_response_curve(table.assign(n_censored=[0, 5, 5]))


def test_outcome_curve():
    rows = [
        point(t, p, name="time_hours", at_risk=r, outcome=o)
        for o, at in {"blocked": (0.3, 0.3), "approved_by_seller": (0.2, 0.6)}.items()
        for t, p, r in zip((24, 240), at, (50, 1), strict=True)
    ]
    assert say_outcome_curve(pd.DataFrame(rows)) == (
        "Of 100 requests, 30% (25% to 35%) were blocked at once and 20% (15% to 25%) were approved "
        "by the seller 24 hours after asking; 10 days after asking, 60% (55% to 65%) were approved "
        "by the seller and 30% (25% to 35%) were blocked at once. 1 was undecided until then."
    )


def test_window_curve():
    stays, shipped = ((24, 0.9), (72, 0.45), (240, 0.1)), ((24, 0.1), (72, 0.55), (240, 0.9))
    rows = [point(t, p, name="time_hours", outcome="still_open") for t, p in stays]
    rows += [point(t, p, name="time_hours", outcome="shipped") for t, p in shipped]
    assert say_window_curve(pd.DataFrame(rows)) == (
        "Of 100 paid orders, 90% (85% to 95%) could still be cancelled 24 hours after payment and "
        "45% (40% to 50%) after 72 hours. Half of the windows had closed by 72 hours. By 10 days "
        "after payment, 90% (85% to 95%) had been shipped."
    )
    early = pd.DataFrame(rows)[lambda t: t["time_hours"] == 24]
    assert "More than half could still be cancelled when observation ended." in say_window_curve(
        early
    )


def quantile(p, estimate, low, high, n=200, censored=0, **columns):
    limits = {"estimate": estimate, "ci_low": low, "ci_high": high}
    return {**columns, "probability": p, **limits, "n": n, "n_events": n - censored,
            "n_censored": censored, "interval": "Kaplan-Meier, log-log, inverted"}  # fmt: skip


def test_quantiles():
    table = pd.DataFrame(
        [quantile(0.5, 5.2, 5.0, 5.5, censored=9), quantile(0.9, 12.4, 11.2, NAN, censored=9),
         quantile(0.95, NAN, NAN, NAN, censored=9)]
    )  # fmt: skip
    assert say_refund_quantiles(table) == (
        "Of 200 refunds, half were credited within 5.2 days (5 to 5.5) and 90% within 12 days "
        "(at least 11 days). Too few are credited so far to say when 95% will be. 9 of 200 had not "
        "been credited when last seen."
    )


def test_short_times_are_said_in_hours():
    table = pd.DataFrame([quantile(0.5, 0.25, 0.2, 1.5, method="wallet"),
                          quantile(0.5, 6.0, 5.0, 7.0, method="card")])  # fmt: skip
    assert say_refund_quantiles(table) == (
        "By method, the time until half of refunds are credited: wallet 6 hours (4.8 hours to "
        "1.5 days, n = 200) and card 6 days (5 to 7, n = 200). It is clearly longer for card than "
        "for wallet."
    )


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (
            6.3,
            "A refund takes 6.3 days (6 to 6.6, n = 90) on average, counting at most 30 days of "
            "each.",
        ),
        (NAN, "The mean up to 30 days is not known: nothing was observed for so long."),
    ],
)
def test_mean(estimate, text):
    limits = {"estimate": estimate, "ci_low": estimate - 0.3, "ci_high": estimate + 0.3}
    table = pd.DataFrame(
        [{"horizon_days": 30.0, **limits, "n": 90, "n_events": 80, "n_censored": 10}]
    )
    assert say_refund_mean(table) == text


def promise(method, days, clock, estimate, low, high, n, late):
    limits = {"estimate": estimate, "ci_low": low, "ci_high": high}
    counts = {"n": n, "n_events": n - late, "n_censored": 0, "n_late": late}
    return {"method": method, "sla_days": days, "clock": clock, **limits, **counts, "interval": "x"}


def test_promises():
    table = pd.DataFrame(
        [promise("card", 20, "business", 0.97, 0.95, 0.98, 400, 12),
         promise("wallet", 1, "calendar", 1.0, 0.97, 1.0, 100, 0),
         promise("other", 14, "calendar", NAN, NAN, NAN, 0, 0)]
    )  # fmt: skip
    assert say_refund_sla(table) == (
        "Of refunds by card, 97% (95% to 98%, n = 400) were credited within 20 business days; 12 "
        "came later or are overdue. Of refunds by wallet, 100% (97% to 100%, n = 100) were "
        "credited within 1 day. 1 of 3 rows is left out here (no estimate)."
    )
    few = table.assign(n=[400, 100, 3], estimate=[0.97, 1.0, 0.5])
    assert say_refund_sla(few).endswith("1 of 3 rows is left out here (fewer than 30 cases).")


def test_of_many_promises_the_least_and_the_best_kept():
    rows = [
        promise(m, 5, "calendar", p, p - 0.02, p + 0.02, 300, 1)
        for m, p in (
            ("card", 0.9),
            ("wallet", 0.95),
            ("paypal", 0.7),
            ("other", 0.92),
            ("gift_card", 0.93),
        )
    ]
    text = say_refund_sla(pd.DataFrame(rows))
    assert text.startswith("Promises are kept least often for refunds by PayPal: 70%")
    lead = "(without a clear lead over gift card)"
    assert f"They are kept most often for refunds by wallet {lead}: 95%" in text
    alike = pd.DataFrame(rows).assign(ci_low=0.5, ci_high=0.99)
    assert say_refund_sla(alike).startswith("Promises are kept alike, as far as one can tell.")


def stage(name, estimate, share, n=100):
    limits = {"estimate": estimate, "ci_low": estimate - 0.1, "ci_high": estimate + 0.1}
    return {"stage": name, "horizon_days": 30.0, **limits, "share_of_total": share, "n": n}


@pytest.mark.parametrize(
    ("whole", "text"), [(7.95, "80% of the whole"), (7.5, "6.4 days on average")]
)
def test_stages_are_parts_of_the_whole_only_where_they_add_up_to_it(whole, text):
    table = pd.DataFrame([stage("decision", 0.6, 0.08), stage("start", 1.0, 0.12),
                          stage("arrival", 6.4, 0.8), stage("total", whole, 1.0)])  # fmt: skip
    slow = f"The slow stage is that from sending off to the credit, {text}."
    assert say_stage_durations(table).endswith(slow)


def test_money_without_limits_says_why_it_has_none():
    owed = {"currency": "EUR", "open_minor": 64830.0, "unknown_minor": 0.0, "n_open": 5, "n": 90}
    table = pd.DataFrame(
        [
            {**owed, "horizon_days": 7.0, "estimate": 4e4, "ci_low": 3e4, "ci_high": 5e4},
            {**owed, "horizon_days": 90.0, **dict.fromkeys(("estimate", *LIMITS), 64830.0)},
        ]
    )
    assert say_open_refund_liability(table) == (
        "648 EUR are owed in 5 refunds: expected with the buyers are 400 EUR (300 to 500) within "
        "7 days and 648 EUR within 90 days. Where no limits are given, all that was followed for "
        "so long has arrived."
    )
    near = table.assign(ci_low=[3e4, 64829.6], open_minor=64830.2)
    assert "648 EUR (648 to 648) within 90 days." in say_open_refund_liability(near)


def window(start, estimate, at_risk):
    limits = {"estimate": estimate, "ci_low": estimate / 2, "ci_high": estimate * 1.4}
    counts = {"n_at_risk": at_risk, "n_events": 3, "n": 200}
    ends = {"from_hours": start, "to_hours": start + 6.0}
    return {"outcome": "any", **ends, **limits, **counts, "interval": "Wilson"}


def test_intervals_with_few_open_windows_are_said_to_be_left_out():
    table = pd.DataFrame([window(0.0, 0.01, 200), window(6.0, 0.03, 90), window(12.0, 0.2, 9)])
    begin = "The windows of 200 paid orders close fastest between 6 hours and 12 hours after"
    among = ", of the intervals with 30 or more still open"
    assert say_window_hazard(table).startswith(f"{begin} payment{among}: 3.0% (1.5% to 4.2%)")
    enough = table[table["n_at_risk"] >= 30]
    assert say_window_hazard(enough).startswith(f"{begin} payment: 3.0%")
