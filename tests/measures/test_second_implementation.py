"""Every measure on random rows equals :mod:`tests.measures.brute`, to the last digits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta
from tests.measures.brute import (
    DAY,
    HOUR,
    NAN,
    Curve,
    business_seconds,
    curve_of,
    cut,
    grouped,
    seconds,
    share,
    table,
    units,
)

from analysis import stats
from analysis.contract import REFUND_PROMISES, codes
from analysis.measures import (
    blocker_shares,
    cancel_flow_funnel,
    cancellation_success_rate,
    naive_versus_right,
    order_end_shares,
    outcome_curve,
    outcome_shares,
    refund_curve,
    refund_mean,
    refund_quantiles,
    refund_sla,
    request_rate,
    response_curve,
    seller_scorecard,
    success_by_order_age,
    why_not,
    window_curve,
)
from analysis.sources import check

BY = [(), ("order_state",), ("size_tier", "is_cancellable_goods")]
ORDERS_BY = [(), ("payment_method", "size_tier")]
BUSINESS = {"calendar": seconds, "business": business_seconds}
HORIZON = 500 * HOUR


def same(found, expected):
    """Equal frames, numbers to 1e-12, dtypes included."""
    pd.testing.assert_frame_equal(found, expected[list(found.columns)], rtol=1e-12, atol=1e-12)


@pytest.fixture(params=["plain", "weighted"])
def market(request):
    return request.getfixturevalue(request.param)


def in_time(row):
    decided = seconds(row["requested_at"], row["decided_at"])
    return decided is not None and decided <= HORIZON


def test_the_random_rows_keep_the_contract_and_have_gaps_wherever_they_may(market):
    opened, _ = market
    found = check(opened)
    assert found.n_broken.sum() == 0
    assert opened.orders.count().execute() == 300
    for name, spec in (("orders", opened.orders), ("requests", opened.requests)):
        gaps = spec.aggregate(**{c: spec[c].isnull().sum() for c in spec.columns}).execute()
        assert (gaps.iloc[0] > 0).sum() >= {"orders": 10, "requests": 4}[name]


@pytest.mark.parametrize("by", BY)
def test_success_rates(market, by):
    opened, data = market
    expected = table(
        data.requests(),
        by,
        lambda rows: [
            share(
                rows,
                lambda row: data.age(row["requested_at"]) >= HORIZON,
                lambda row: row["outcome"] in codes.SUCCESS and in_time(row),
            )
        ],
    )
    same(cancellation_success_rate(opened, by=by, horizon_hours=500), expected)


@pytest.mark.parametrize("by", BY[1:])
def test_outcome_and_blocker_shares(market, by):
    opened, data = market

    def shares(rows, column, words, otherwise):
        for word in words:
            yield {
                column: word,
                **share(
                    rows,
                    lambda row: data.age(row["requested_at"]) >= HORIZON,
                    lambda row, word=word: word == (row[column] if in_time(row) else otherwise),
                    level=0.9,
                ),
            }

    everybody = data.requests(None)
    expected = table(everybody, by, lambda rows: shares(rows, "outcome", codes.OUTCOMES, "pending"))
    options = {"by": by, "horizon_hours": 500, "level": 0.9, "requested_by": None}
    same(outcome_shares(opened, **options), expected)
    blockers = table(everybody, by, lambda rows: shares(rows, "blocker", codes.BLOCKERS, None))
    occurs = blockers.groupby("blocker").n_events.transform("sum") > 0
    expected = blockers[occurs].reset_index(drop=True)
    later = expected.blocker.isin(codes.BLOCKERS_DECIDED_LATER)
    expected["stage"] = np.where(later, "decided_later", "at_submit")
    same(blocker_shares(opened, **options), expected.astype({"stage": "str"}))


@pytest.mark.parametrize("by", ORDERS_BY)
def test_request_rates_and_order_ends(market, by):
    opened, data = market
    moments = {}
    for row in data.requests("buyer"):
        moments.setdefault(row["order_id"], []).append(row["requested_at"])

    def asked(row):
        waits = [seconds(row["paid_at"], moment) for moment in moments.get(row["order_id"], [])]
        return any(0 <= wait <= 100 * HOUR for wait in waits)

    expected = table(
        [row for row in data.orders if row["paid_at"]],
        by,
        lambda rows: [
            share(rows, lambda row: data.age(row["paid_at"]) >= 100 * HOUR, asked, buyers=True)
        ],
    )
    same(request_rate(opened, by=by, horizon_hours=100), expected)

    def ends(rows):
        for word in (*codes.ORDER_ENDS, "open"):
            made = share(rows, lambda _: True, lambda row, w=word: (row["end_code"] or "open") == w)
            yield {"end_code": word, **made}

    expected = table(data.orders, by, ends)
    occurs = expected.groupby("end_code").n_events.transform("sum") > 0
    same(order_end_shares(opened, by=by), expected[occurs].reset_index(drop=True))


AGES = [-np.inf, 0, 1, 6, 24, 48, 96, 168, np.inf]


def test_success_by_order_age(market):
    opened, data = market

    def place(row):
        wait = seconds(row["paid_at"], row["requested_at"]) if row["paid_at"] else -1
        return next(i for i in range(8) if wait < AGES[i + 1] * HOUR)

    def ages(rows):
        for i in range(8):
            members = [row for row in rows if place(row) == i]
            made = share(
                members,
                lambda row: data.age(row["requested_at"]) >= HORIZON,
                lambda row: row["outcome"] in codes.SUCCESS and in_time(row),
            )
            made["interval"] = made["interval"] if members else "none: nobody asked"
            yield {"age_from_hours": AGES[i], "age_to_hours": AGES[i + 1], **made}

    by = ["size_tier", "is_cancellable_goods"]
    found = success_by_order_age(opened, by=by, horizon_hours=500)
    expected = table(data.requests(), by, ages).astype(dict.fromkeys(["age_from_hours"], float))
    same(found.drop(columns="order_age"), expected)


def test_the_funnel(plain):
    opened, data = plain
    words = [*codes.STEPS, "cancelled"]

    def steps(rows):
        for i, word in enumerate(words):
            made = share(rows, lambda _: True, lambda row, word=word: word in row["reached"])
            before = [row for row in rows if i and words[i - 1] in row["reached"]]
            kept = share(before, lambda _: True, lambda row, word=word: word in row["reached"])
            names = {"of_previous": "estimate", "of_previous_low": "ci_low"}
            names |= {"of_previous_high": "ci_high"}
            yield {"step": word, **{name: kept[own] for name, own in names.items()}, **made}

    for by in ORDERS_BY:
        same(cancel_flow_funnel(opened, by=by), table(data.sessions(), by, steps))


# curves


def refund_spell(data, row, clock, horizon):
    credited = BUSINESS[clock](row["due_since"], row["credited_at"])
    age = BUSINESS[clock](row["due_since"], data.as_of)
    time = units(age if credited is None else credited, HOUR)
    return cut(time, int(credited is not None), horizon)


def refund_curves(data, clock, horizon):
    """Make a function from refund legs to their curve."""
    return lambda rows: curve_of(rows, lambda row: refund_spell(data, row, clock, horizon), 1)


def legs_of(data):
    return [row for row in data.refunds() if row["due_since"]]


@pytest.mark.parametrize("clock", ["calendar", "business"])
def test_refund_curves(market, clock):
    opened, data = market
    curve = refund_curves(data, clock, 20 * 24)

    def points(rows):
        made = curve(rows)
        named = made.named("Kaplan-Meier, log-log")
        return [{"time_days": d / 4, **made.ended_row(d * 6), **named} for d in range(81)]

    by = ["method"]
    expected = table(legs_of(data), by, points)
    same(refund_curve(opened, by=by, horizon_days=20, clock=clock), expected)


@pytest.mark.parametrize("clock", ["calendar", "business"])
def test_refund_quantiles_and_means(market, clock):
    opened, data = market
    whole, short = refund_curves(data, clock, 365 * 24), refund_curves(data, clock, 15 * 24)

    def counts(curve):
        ended = sum(cause for _, cause in curve.spells)
        return {"n": len(curve.spells), "n_events": ended, "n_censored": len(curve.spells) - ended}

    def quantiles(rows):
        curve = whole(rows)
        for probability in (0.1, 0.5, 0.75, 0.9):
            value, low, high = (x / 24 for x in curve.quantile(probability))
            limits = {"estimate": value, "ci_low": low, "ci_high": high}
            named = curve.named("Kaplan-Meier, log-log, inverted")
            yield {"probability": probability, **limits, **counts(curve), **named}

    by = ["method"]
    found = refund_quantiles(opened, by=by, probabilities=(0.1, 0.5, 0.75, 0.9), clock=clock)
    expected = table(legs_of(data), by, quantiles)
    same(found, expected)

    def means(rows):
        curve = short(rows)
        mean, low, high = (x / 24 for x in curve.mean(15 * 24))
        limits = {"estimate": mean, "ci_low": low, "ci_high": high}
        named = curve.named("restricted mean, normal", "restricted mean, Student")
        yield {"horizon_days": 15.0, **limits, **counts(curve), **named}

    expected = table(legs_of(data), by, means)
    same(refund_mean(opened, by=by, horizon_days=15, clock=clock), expected)


def test_refund_promises(market):
    opened, data = market

    def promises(rows):
        promise = REFUND_PROMISES.get(rows[0]["method"])
        if promise is None:
            return
        curve = refund_curves(data, promise.clock, 365 * 24)(rows)
        made = curve.ended_row(promise.days * 24)
        if not made["n_at_risk"] and curve.survival(1e9) == 0:  # all came before
            low, _ = share_of_all(curve)
            made |= {"estimate": 1.0, "ci_low": low, "ci_high": 1.0}
        late = made["n"] - made["n_events"] - made["n_censored"]
        made |= curve.named("Kaplan-Meier, log-log")
        yield {"sla_days": promise.days, "clock": promise.clock, "n_late": late, **made}

    def share_of_all(curve):
        came = sum(cause for _, cause in curve.spells)
        return came / (came + curve.z**2), 1.0

    order = list(codes.REFUND_METHODS)
    for by in ([], ["is_cancellable_goods"]):
        expected = table(legs_of(data), [*by, "method"], promises)
        expected["order"] = expected.method.map(order.index)
        expected = expected.sort_values([*by, "order"], kind="stable", ignore_index=True)
        same(refund_sla(opened, by=by), expected)


def minutes(row, data, start):
    """Time to the decision, or to the end of observation, in minutes."""
    decided = seconds(row[start], row["decided_at"])
    return units(data.age(row[start]) if decided is None else decided, 60)


def test_response_curves(market):
    opened, data = market

    def points(rows):
        def spell(row):
            answered = row["outcome"] in ("approved_by_seller", "rejected_by_seller")
            return cut(minutes(row, data, "requested_at"), int(answered), 60 * 30)

        curve = curve_of(rows, spell, 1)
        named = curve.named("Kaplan-Meier, log-log")
        return [{"time_hours": float(h), **curve.ended_row(h * 60), **named} for h in range(31)]

    was_open = [
        row for row in data.requests() if row["outcome"] not in ("blocked", "instant_cancelled")
    ]
    by = ["size_tier"]
    expected = table(was_open, by, points)
    same(response_curve(opened, by=by, horizon_hours=30), expected)


def races(rows, spell, words, horizon, survivor=None, every=10):
    """Rows of a race at some hours: the survivor, then the words that occur."""
    curve = curve_of(rows, spell, len(words))
    named = curve.named("Aalen-Johansen, log-log")
    hours = [*range(0, horizon, every), horizon]
    for cause, word in enumerate([survivor, *words]):
        if word is not None:
            for hour in hours:
                row = curve.row(hour * 60, cause or None)
                yield {"outcome": word, "time_hours": float(hour), **row, **named}


def race_table(rows, by, occur, *args, **options):
    expected = table(rows, by, lambda members: races(members, *args, **options))
    return expected[expected.outcome.isin(occur)].reset_index(drop=True)


def test_outcome_curves(market):
    opened, data = market
    words = [word for word in codes.OUTCOMES if word != "pending"]

    def spell(row):
        cause = 0 if row["outcome"] == "pending" else words.index(row["outcome"]) + 1
        return cut(minutes(row, data, "requested_at"), cause, 60 * 50)

    by = ["size_tier"]
    found = outcome_curve(opened, by=by, horizon_hours=50, requested_by=None)
    found = found[found.time_hours % 10 == 0].reset_index(drop=True)
    occur = set(found.outcome)
    assert len(occur) == 9
    same(found, race_table(data.requests(None), by, occur, spell, words, 50))


@pytest.mark.parametrize("closed_by", [("shipped_at",), ("packed_at", "shipped_at")])
def test_window_curves(market, closed_by):
    opened, data = market
    names = [column.removesuffix("_at") for column in closed_by]
    words = [*names, "cancelled", "ended_otherwise"]

    def spell(row):
        ends = [(seconds(row["paid_at"], row[c]), i) for i, c in enumerate(closed_by, start=1)]
        was_cancelled = row["end_code"] in codes.CANCELLED_ENDS
        ends.append(
            (seconds(row["paid_at"], row["ended_at"]), words.index("cancelled") + 2 - was_cancelled)
        )
        known = [end for end in ends if end[0] is not None]
        time, cause = min(known, default=(data.age(row["paid_at"]), 0))
        return cut(units(time, 60), cause, 60 * 100)

    paid = [row for row in data.orders if row["paid_at"]]
    by = ["size_tier"]
    found = window_curve(opened, by=by, horizon_hours=100, closed_by=closed_by)
    found = found[found.time_hours % 10 == 0].reset_index(drop=True)
    occur = set(found.outcome)
    assert occur >= {"still_open", *names, "ended_otherwise"}
    same(found, race_table(paid, by, occur, spell, words, 100, survivor="still_open"))


# sellers, cards, headlines


def median(rows, spell):
    return Curve([spell(row) for row in rows], 1).quantile(0.5)[0] if rows else NAN


def test_scorecards(plain):
    opened, data = plain
    legs = legs_of(data)

    def answer(row):
        answered = row["outcome"] in ("approved_by_seller", "rejected_by_seller")
        return cut(units(minutes(row, data, "requested_at") * 60, HOUR), int(answered), 240)

    def leg(row):
        credited = seconds(row["due_since"], row["credited_at"])
        time = data.age(row["due_since"]) if credited is None else credited
        return cut(units(time, DAY), int(credited is not None), 120)

    rows = []
    for (seller,), requests in grouped(data.requests(), ["seller_id"]).items():
        if seller is None:
            continue
        old = [row for row in requests if data.age(row["requested_at"]) >= HORIZON]
        n, k = len(old), sum(row["outcome"] in codes.SUCCESS and in_time(row) for row in old)
        opens = [r for r in requests if r["outcome"] not in ("blocked", "instant_cancelled")]
        own = [row for row in legs if row["seller_id"] == seller]
        rows.append(
            {
                "seller_id": seller,
                "raw_rate": k / n if n else NAN,
                "n": n,
                "n_events": k,
                "n_pending": len(requests) - n,
                "response_median_hours": median(opens, answer),
                "refund_median_days": median(own, leg),
                "n_refunds": len(own),
            }
        )
    expected = pd.DataFrame(rows).sort_values(["n", "seller_id"], ascending=[False, True])
    expected = expected.reset_index(drop=True)
    found = seller_scorecard(opened, horizon_hours=500)
    same(found[expected.columns], expected)
    prior = stats.plausible_priors(expected.n_events, expected.n)
    found_at = stats.shrunk_posterior(expected.n_events, expected.n, prior)
    np.testing.assert_allclose(found.estimate, found_at.mean, rtol=1e-12)
    np.testing.assert_allclose(found.ci_low, beta(found_at.a, found_at.b).ppf(0.025), rtol=1e-9)


def test_cards_of_orders(plain):
    opened, data = plain
    listed = {}
    for row in data.rows["blockers"]:
        listed.setdefault(row["request_id"], []).append((row["rank"], row["blocker"]))
    asked = [row["order_id"] for row in data.requests(None)]
    some = sorted(set(asked), key=asked.count)[-4:] + [o["order_id"] for o in data.orders[:4]]
    for order in some:
        requests = [row for row in data.requests(None) if row["order_id"] == order]
        requests.sort(key=lambda row: (row["requested_at"], row["request_id"]))
        expected = []
        for row in requests:
            own = [(1, row["blocker"])] if row["blocker"] else [(None, None)]
            for rank, blocker in sorted(listed.get(row["request_id"], own)):
                expected.append((row["request_id"], row["outcome"], rank, blocker))
        card = why_not(opened, order)
        columns = ["request_id", "outcome", "rank", "blocker"]
        found = card[columns].astype(object).where(card[columns].notna(), None)
        assert list(found.itertuples(index=False, name=None)) == (expected or [(None,) * 4])


def test_naive_headlines(plain):
    opened, data = plain
    legs = legs_of(data)
    naive = naive_versus_right(opened).set_index("headline").naive
    buyers = data.requests()
    worked = sum(row["outcome"] in codes.SUCCESS for row in buyers)
    decided = sum(row["outcome"] != "pending" for row in buyers)
    cancelled = sum(row["end_code"] in codes.CANCELLED_ENDS for row in data.orders)
    credited = [row for row in legs if row["credited_at"]]
    days = [
        min(units(seconds(row["due_since"], row["credited_at"]), HOUR) / 24, 30) for row in credited
    ]
    recent = [row for row in credited if data.age(row["due_since"]) <= 14 * DAY]
    soon = [row for row in recent if seconds(row["due_since"], row["credited_at"]) <= 7 * DAY]
    assert len(recent) > len(soon) > 0
    month = [row for row in buyers if data.age(row["requested_at"]) < 30 * DAY]
    worked_in_it = [
        row
        for row in buyers
        if row["decided_at"]
        and data.age(row["decided_at"]) < 30 * DAY
        and row["outcome"] in codes.SUCCESS
    ]
    due = [row for row in legs if row["due_since"] and data.age(row["due_since"]) < 30 * DAY]
    came = [row for row in credited if data.age(row["credited_at"]) < 30 * DAY]
    expected = {
        "How often cancelling works": cancelled / len(data.orders),
        "Requests that work, counting those decided so far": worked / decided,
        "Requests that work, counting the open ones as failures": worked / len(buyers),
        "Requests that work, by the calendar of the last 30 days": len(worked_in_it) / len(month),
        "Buyers who ask to cancel": len({row["order_id"] for row in buyers}) / len(data.orders),
        "Mean days to the money (at most 30 of each)": np.mean(days),
        "Money back within 7 days, of refunds decided in the last 14 days": len(soon) / len(recent),
        "Money back, by the calendar of the last 30 days": len(came) / len(due),
    }
    np.testing.assert_allclose(naive[list(expected)], list(expected.values()), rtol=1e-12)
