"""What the written rules say to a request, beside what became of it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from tests.marketplace.worlds import ODD_WORLD, OTHER_POLICIES
from tests.measures.brute import HOUR, grouped, seconds
from tests.measures.random_rows import AS_OF, random_market
from tests.measures.specs.why import STRICT

from analysis.contract import MissingData, codes
from analysis.marketplace import load_policy, make_market, write_market
from analysis.marketplace.blockers import RULES, Moment, applying, is_instant
from analysis.marketplace.plan import END
from analysis.measures import policy_versus_practice
from analysis.measures.moments import NEVER, with_earlier_requests, with_moment
from analysis.measures.practice import PRACTICES, VERDICTS, is_breach
from analysis.sources import collect, open_tables

POLICY = load_policy("aliexpress")


def verdicts(opened, policy=POLICY, **options):
    """Verdict and practice of the counted requests, with how many there are."""
    table = policy_versus_practice(opened, policy=policy, **options)
    names = ["verdict", "practice", "is_breach", "n_events"]
    return [tuple(row) for row in table[names].to_numpy(object)]


# one rule after the other


MOMENTS = [  # of an order paid on 2, packed on 4, shipped on 5, delivered on 15, completed on 20
    ("01 12:00", "awaiting_payment", "may_cancel_at_once"),
    ("02 12:00", "awaiting_shipment", "up_to_the_seller"),
    ("02 12:00", "payment_review", "must_block"),
    ("01 12:00", "payment_review", "must_block"),  # under review, so it was paid
    ("02 12:01", "awaiting_shipment", "up_to_the_seller"),
    ("03 00:00", "awaiting_shipment", "up_to_the_seller"),
    ("03 00:01", "awaiting_shipment", "up_to_the_seller"),
    ("04 00:00", "packed", "up_to_the_seller"),
    ("05 00:00", "shipped", "must_block"),
    ("15 00:00", "delivered", "must_block"),
    ("20 00:00", "completed", "must_block"),
    ("03 00:00", "disputed", "must_block"),
]
COURSE = "2026-03-01 | 2026-03-02 | 2026-03-04 | 2026-03-05 | 2026-03-15 | 2026-03-20 | completed"
TIMES = "placed_at | paid_at | packed_at | shipped_at | delivered_at | ended_at | end_code"
OTHER_VERDICTS = {  # change of the policy -> (moment, verdict) of those that change
    ("cancel_in_review", True): {2: "may_cancel_at_once", 3: "may_cancel_at_once"},
    ("packed_blocks", True): {7: "must_block"},
    ("free_window_hours", 12): {1: "may_cancel_at_once"},
    ("cancel_window_hours", 24): {6: "must_block", 7: "must_block"},
    ("max_requests", 1): {},  # every order was asked about once
}


def told(opened, policy=POLICY):
    """The verdict on each request."""
    table = policy_versus_practice(opened, policy=policy, by=["request_id"])
    return dict(zip(table.request_id, table.verdict, strict=True))


@pytest.fixture(scope="module")
def course(tables):
    rows = "".join(f"\n2026-03-{at} | {state} | rejected_by_seller" for at, state, _ in MOMENTS)
    drawing = {
        "orders": "\n".join([TIMES, *[COURSE] * len(MOMENTS)]),
        "requests": f"requested_at | order_state | outcome{rows}",
    }
    return lambda **options: tables(**drawing, **options)


def test_the_default_rules_at_each_moment_of_an_order(course):
    assert list(told(course()).values()) == [verdict for _, _, verdict in MOMENTS]


def test_rules_that_a_policy_may_have(course):
    opened = course()
    for (name, value), changes in OTHER_VERDICTS.items():
        found = told(opened, dataclasses.replace(POLICY, **{name: value}))
        expected = [changes.get(i, verdict) for i, (_, _, verdict) in enumerate(MOMENTS)]
        assert list(found.values()) == expected, name


def test_columns_that_are_not_there_never_stood_in_the_way(course):
    left_out = ("orders.packed_at", "orders.delivered_at", "orders.is_cancellable_goods")
    opened = course(without=left_out)
    assert list(told(opened).values()) == [verdict for _, _, verdict in MOMENTS]  # it was shipped
    packing = dataclasses.replace(POLICY, packed_blocks=True)
    with pytest.raises(MissingData, match="orders.packed_at .*needed by policy_versus_practice"):
        told(opened, packing)


def test_goods_that_cannot_be_cancelled_and_orders_paid_at_the_door(tables):
    opened = tables(
        requests="requested_at | outcome \n" + "\n".join(["2026-03-02 | rejected_by_seller"] * 4),
        orders="""
            placed_at  | paid_at    | delivered_at | payment_method   | is_cancellable_goods
            2026-03-01 | 2026-03-01 |              | card             | false
            2026-03-01 |            |              | card             | false
            2026-03-01 | 2026-03-09 | 2026-03-09   | cash_on_delivery | true
            2026-03-01 | 2026-03-09 | 2026-03-09   | card             |
        """,
    )
    assert list(told(opened).values()) == [
        "must_block",
        "may_cancel_at_once",  # not paid yet: whatever it is
        "up_to_the_seller",  # on its way, though not paid
        "may_cancel_at_once",
    ]


AGAIN = """
    request_id | order_id | requested_at     | decided_at       | outcome            | requested_by
    1          | 1        | 2026-03-02 00:00 | 2026-03-04 00:00 | rejected_by_seller | buyer
    2          | 1        | 2026-03-03 00:00 | 2026-03-03 00:00 | blocked            | buyer
    3          | 1        | 2026-03-05 00:00 | 2026-03-05 12:00 | approved_by_seller | buyer
    4          | 2        | 2026-03-02 00:00 |                  | pending            | platform
    5          | 2        | 2026-03-02 00:00 | 2026-03-02 00:00 | blocked            | buyer
    6          | 3        | 2026-03-02 00:00 | 2026-03-02 00:00 | instant_cancelled  | buyer
    7          | 3        | 2026-03-02 01:00 | 2026-03-02 01:00 | blocked            | buyer
"""


def test_earlier_requests_of_the_order_count(tables):
    orders = """
        order_id | placed_at  | paid_at    | ended_at         | end_code
        1        | 2026-03-01 | 2026-03-01 | 2026-03-05 12:00 | cancelled_by_request
        2        | 2026-03-01 | 2026-03-01 |                  |
        3        | 2026-03-01 |            | 2026-03-02 00:00 | cancelled_by_request
    """
    opened = tables(orders=orders, requests=AGAIN)
    assert told(opened) == {
        1: "up_to_the_seller",
        2: "must_block",  # the first is still open
        3: "up_to_the_seller",
        5: "must_block",  # one of the platform's is open, made in the same second before it
        6: "may_cancel_at_once",  # it found the order open, though it ended it
        7: "must_block",
    }
    once = dataclasses.replace(POLICY, max_requests=1)
    found = told(opened, once)
    assert (found[1], found[3]) == ("up_to_the_seller", "must_block")
    twice = dataclasses.replace(POLICY, max_requests=2)
    assert told(opened, twice)[3] == "up_to_the_seller"  # the blocked one never reached the seller


# what counts as a breach


def test_what_contradicts_each_verdict():
    seller = {"blocked", "instant_cancelled", "timed_out_early", "past_deadline"}
    silent = {"auto_approved_timeout", "expired_not_cancelled"}
    allowed = {
        "auto_approve": {"auto_approved_timeout"},
        "not_cancelled": {"expired_not_cancelled"},
        "waits": set(),
    }
    for silence, kept in allowed.items():
        breaches = {v: {p for p in PRACTICES if is_breach(v, p, silence)} for v in VERDICTS}
        assert breaches["must_block"] == {*PRACTICES} - {"blocked"}
        assert breaches["may_cancel_at_once"] == {*PRACTICES} - {"instant_cancelled"}
        assert breaches["up_to_the_seller"] == seller | silent - kept


DEADLINES = """
    requested_at | decided_at       | outcome
    2026-03-02   | 2026-03-05 00:00 | auto_approved_timeout
    2026-03-02   | 2026-03-05 01:00 | auto_approved_timeout
    2026-03-02   | 2026-03-05 01:01 | approved_by_seller
    2026-03-02   | 2026-03-04 22:59 | auto_approved_timeout
    2026-03-02   | 2026-03-04 22:59 | approved_by_seller
    2026-03-02   |                  | pending
    2026-03-02   | 2026-03-04 23:30 | expired_not_cancelled
"""


def test_deadlines_are_kept_within_an_hour(tables):
    opened = tables(requests=DEADLINES)
    assert verdicts(opened) == [  # 72 hours
        ("up_to_the_seller", "approved_by_seller", False, 1),
        ("up_to_the_seller", "auto_approved_timeout", False, 2),
        ("up_to_the_seller", "expired_not_cancelled", True, 1),
        ("up_to_the_seller", "timed_out_early", True, 1),
        ("up_to_the_seller", "past_deadline", True, 2),
    ]
    waits = dataclasses.replace(POLICY, silence="waits")
    assert [row[1:] for row in verdicts(opened, waits)] == [
        ("approved_by_seller", False, 2),
        ("auto_approved_timeout", True, 3),
        ("expired_not_cancelled", True, 1),
        ("pending", False, 1),
    ]
    # within 48 hours nothing was decided, and no deadline had passed
    assert [row[1:] for row in verdicts(opened, horizon_hours=48)] == [("pending", False, 7)]


def test_shares_of_one_verdict_add_up_and_breaches_are_counted_once(tables):
    opened = tables(
        as_of="2026-04-15",
        requests="""
            order_id | requested_at | order_state    | outcome
            1        | 2026-03-02   | payment_review | blocked
            2        | 2026-03-02   | payment_review | approved_by_seller
            3        | 2026-03-02   | payment_review | blocked
            4        | 2026-04-14   | payment_review | blocked
        """,
        orders="order_id | weight \n 1|1 \n 2|2 \n 3|1 \n 4|0.5",
    )
    table = policy_versus_practice(opened, policy=POLICY)
    wanted = ["practice", "is_breach", "estimate", "n", "n_events", "n_pending", "policy"]
    assert table[wanted].to_numpy(object).tolist() == [
        ["approved_by_seller", True, 0.5, 4, 2, 0.5, "aliexpress"],
        ["blocked", False, 0.5, 4, 2, 0.5, "aliexpress"],
    ]


def test_the_policy_is_named_or_the_datas_own(tables, tmp_path):
    opened = tables(requests="request_id\n1")
    with pytest.raises(MissingData, match=r"name one: policy=.* is not in this data"):
        policy_versus_practice(opened)
    with pytest.raises(ValueError, match="policy must be one of"):
        policy_versus_practice(opened, policy="nobody")
    own = dataclasses.replace(POLICY, name="own", packed_blocks=True)
    write_market(tmp_path / "market", 300, seed=1, policy=own, workers=1)
    market = open_tables(tmp_path / "market")
    table = policy_versus_practice(market)
    assert set(table.policy) == {"own"}
    pd.testing.assert_frame_equal(table, policy_versus_practice(market, policy=own))
    with pytest.raises(ValueError, match="by must not hold verdict"):
        policy_versus_practice(tables(requests="request_id|verdict\n1|x"), policy=own, by="verdict")


# the same rules in the engine as in the generator


def known(data):
    """What the rules read of each request of a buyer, in plain Python."""

    def at(moment):
        return NEVER if moment is None else int(moment.timestamp())

    everybody = data.requests(None)
    for row in data.requests("buyer"):
        now, review = at(row["requested_at"]), row["order_state"] == "payment_review"
        paid = at(row["paid_at"])
        earlier = [
            other
            for other in everybody
            if other["order_id"] == row["order_id"]
            and (at(other["requested_at"]), other["request_id"]) < (now, row["request_id"])
        ]
        ended = at(row["ended_at"])
        if row["outcome"] in codes.SUCCESS and ended >= now:
            ended = NEVER
        yield (
            row,
            {
                "at": now,
                "paid": min(paid, now) if review else paid,
                "cleared": NEVER if review else paid,
                "packed": at(row["packed_at"]),
                "shipped": at(row["shipped_at"]),
                "delivered": at(row["delivered_at"]),
                "disputed": now if row["order_state"] == "disputed" else NEVER,
                "ended": ended,
                "end": END.get(row["end_code"], -1),
                "is_cancellable": row["is_cancellable_goods"] is not False,
                "has_open_request": any(at(other["decided_at"]) > now for other in earlier),
                "n_before": sum(
                    other["requested_by"] == "buyer"
                    and other["outcome"] not in ("blocked", "instant_cancelled")
                    for other in earlier
                ),
            },
        )


POLICIES = [POLICY, STRICT, *OTHER_POLICIES.values()]


@pytest.fixture(scope="module")
def random_requests(plain):
    opened, data = plain
    rows, read = zip(*known(data), strict=True)
    moment = Moment(**{name: np.array([one[name] for one in read]) for name in read[0]})
    return opened, data, rows, moment


def test_every_rule_gives_the_same_in_the_engine_as_on_arrays(random_requests):
    opened, _, rows, moment = random_requests
    frame = with_earlier_requests(opened, opened.requests_with_context)
    frame = frame.filter(frame.requested_by == "buyer")
    frame, columns = with_moment(frame)
    flags = {
        f"{i}_{code}": rule(columns, policy)
        for i, policy in enumerate(POLICIES)
        for code, rule in RULES
    }
    flags |= {f"{i}_instant": is_instant(columns, policy) for i, policy in enumerate(POLICIES)}
    found = collect(frame.select("request_id", **flags)).set_index("request_id")
    found = found.loc[[row["request_id"] for row in rows]]
    for i, policy in enumerate(POLICIES):
        expected = applying(moment, policy)
        for (code, _), flag in zip(RULES, expected, strict=True):
            np.testing.assert_array_equal(found[f"{i}_{code}"], flag, err_msg=code)
        np.testing.assert_array_equal(found[f"{i}_instant"], is_instant(moment, policy))
    met = np.any([applying(moment, policy) for policy in POLICIES], axis=(0, 2))
    assert met.sum() >= 8  # nearly every rule occurs in these rows


@pytest.mark.parametrize("by", [[], ["size_tier"], ["order_state", "is_cancellable_goods"]])
def test_the_same_row_by_row(random_requests, by):
    opened, data, rows, moment = random_requests
    horizon, deadline, slack = 100 * HOUR, 12 * HOUR, HOUR
    blocked, instant = applying(moment, STRICT).any(axis=0), is_instant(moment, STRICT)
    says = np.where(blocked, VERDICTS[0], np.where(instant, VERDICTS[1], VERDICTS[2]))
    found = []
    for row, verdict in zip(rows, says, strict=True):
        took = seconds(row["requested_at"], row["decided_at"])
        in_time = took is not None and took <= horizon
        word = row["outcome"] if in_time else "pending"
        if verdict == VERDICTS[2]:
            silent = word in ("auto_approved_timeout", "expired_not_cancelled")
            waited = took if in_time else horizon
            if waited > deadline + slack:
                word = "past_deadline"
            elif silent and waited < deadline - slack:
                word = "timed_out_early"
        counts = data.age(row["requested_at"]) >= horizon
        found.append({**row, "verdict": verdict, "practice": word, "counts": counts})
    expected = []
    for group, members in grouped(found, by).items():
        for verdict in VERDICTS:
            own = [row for row in members if row["verdict"] == verdict]
            n = sum(row["counts"] for row in own)
            for word in PRACTICES if own else ():
                k = sum(row["counts"] and row["practice"] == word for row in own)
                share = k / n if n else np.nan
                expected.append((*group, verdict, word, share, n, k, len(own) - n))
    names = [*by, "verdict", "practice", "estimate", "n", "n_events", "n_pending"]
    expected = pd.DataFrame(expected, columns=names)
    occurs = expected.groupby(["verdict", "practice"]).n_events.transform("sum") > 0
    expected = expected[occurs].reset_index(drop=True)
    table = policy_versus_practice(opened, policy=STRICT, by=by, horizon_hours=100)
    pd.testing.assert_frame_equal(table[names], expected, check_dtype=False, rtol=1e-12)


# on markets that keep rules


MARKETS = {name: {"policy": policy} for name, policy in OTHER_POLICIES.items()}
MARKETS["the default"] = {}
MARKETS["paid at the door, slow approval"] = {"world": ODD_WORLD}


def opened_market(options, n_orders=3000):
    frames = make_market(n_orders, seed=12, **options)
    return frames, open_tables(frames, as_of="2025-12-01")


@pytest.mark.parametrize("name", MARKETS)
def test_a_market_keeps_its_own_rules_and_has_them_on_record(name):
    frames, market = opened_market(MARKETS[name])
    policy = MARKETS[name].get("policy", POLICY)
    table = policy_versus_practice(market, policy=policy, horizon_hours=96)
    assert set(table.verdict) == set(VERDICTS)
    assert not table.is_breach.any(), table[table.is_breach]
    assert table.n.groupby(table.verdict).first().min() > 25
    frame = with_earlier_requests(market, market.requests_with_context)
    frame = frame.filter(frame.requested_by == "buyer")
    frame, moment = with_moment(frame)
    found = collect(frame.select("request_id", **{c: rule(moment, policy) for c, rule in RULES}))
    met = found.melt("request_id", var_name="blocker").query("value").drop(columns="value")
    listed = frames["blockers"].to_pandas().astype({"blocker": "str"})
    listed = listed[listed.blocker.isin(codes.BLOCKERS_AT_SUBMIT)]
    both = met.merge(listed, how="outer", on=["request_id", "blocker"], indicator=True)
    assert (both._merge == "both").all()
    assert len(both) > 50


def test_under_other_rules_exactly_the_predicted_requests_are_breaches():
    frames, market = opened_market({})
    requests = frames["requests"].to_pandas().merge(frames["orders"].to_pandas(), on="order_id")
    requests = requests[requests.requested_by == "buyer"]
    age = pd.Timestamp("2025-12-01", tz="UTC") - requests.requested_at
    requests = requests[age >= pd.Timedelta(hours=720)]
    took = (requests.decided_at - requests.requested_at) / pd.Timedelta(hours=1)
    reached = ~requests.outcome.isin(["blocked", "instant_cancelled"])
    in_review = requests.order_state == "payment_review"
    changes = {
        "packed_blocks": (True, reached & (requests.packed_at <= requests.requested_at)),
        "answer_deadline_hours": (24, reached & (took > 25)),
        "cancel_in_review": (
            True,
            requests.outcome.eq("blocked") & in_review & goods_can(requests),
        ),
        "silence": ("waits", requests.outcome.eq("auto_approved_timeout")),
        "free_window_hours": (30, reached & within(requests, 30)),
    }
    for name, (value, expected) in changes.items():
        other = dataclasses.replace(POLICY, **{name: value})
        table = policy_versus_practice(market, policy=other)
        assert table.n_events[table.is_breach].sum() == expected.sum() > 0, name


def goods_can(requests):
    return requests.is_cancellable_goods.astype(bool)


def within(requests, hours):
    return requests.requested_at - requests.paid_at <= pd.Timedelta(hours=hours)


def test_rows_in_another_order_on_another_date_are_the_same():
    frames = random_market(21, 120, weighted=True)
    plain = open_tables(frames, as_of=AS_OF)
    shuffled = {
        name: frame.take(np.random.default_rng(2).permutation(frame.num_rows))
        for name, frame in frames.items()
    }
    mixed = open_tables(shuffled, as_of=AS_OF)
    options = {"policy": STRICT, "by": ["seller_country"]}
    pd.testing.assert_frame_equal(
        policy_versus_practice(mixed, **options),
        policy_versus_practice(plain, **options),
        rtol=1e-12,
    )
