"""What goes with success: levels, references, what is refused, and the numbers by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.measures.random_rows import AS_OF, random_market

from analysis.contract import MissingData, codes
from analysis.measures import success_drivers
from analysis.sources import open_tables


def requests(*groups):
    """Drawn requests: (how many, how many of them worked, other cells) each."""
    lines = []
    for n, worked, cells in groups:
        for i in range(n):
            end = "approved_by_seller" if i < worked else "rejected_by_seller"
            lines.append(f"{end} | {cells}")
    return lines


def drawn(tables, head, lines, **options):
    return tables(requests="\n".join([f"outcome | {head}", *lines]), **options)


def by_level(table, factor):
    return table[table.factor == factor].set_index("level")


def test_one_factor_is_a_difference_of_two_shares(tables):
    lines = requests((40, 30, "changed_mind"), (20, 5, "too_slow"))
    table = by_level(success_drivers(drawn(tables, "reason", lines), factors=["reason"]), "reason")
    slow = table.loc["too_slow"]
    assert slow.reference == "changed_mind"  # the commonest
    assert slow.estimate == pytest.approx(5 / 20 - 30 / 40)
    assert slow.crude_difference == pytest.approx(5 / 20 - 30 / 40)
    assert slow.odds_ratio == pytest.approx((5 / 15) / (30 / 10))
    assert (slow.n, slow.n_events, slow.n_clusters) == (20, 5, 20)
    # every request has its own seller: the variance of two independent shares, a little wider
    error = np.sqrt(0.75 * 0.25 / 40 + 0.25 * 0.75 / 20)
    assert 1.9 * error < slow.estimate - slow.ci_low < 2.3 * error
    base = table.loc["changed_mind"]
    assert base.interval == "reference"
    assert np.isnan([base.estimate, base.crude_difference, base.p_value]).all()


def test_a_crude_difference_that_another_circumstance_explains_goes_away(tables):
    lines = requests(  # reasons work alike in each state, but are made in different states
        (60, 45, "changed_mind | awaiting_shipment"),
        (20, 5, "changed_mind | packed"),
        (20, 15, "too_slow | awaiting_shipment"),
        (60, 15, "too_slow | packed"),
    )
    opened = drawn(tables, "reason | order_state", lines)
    table = success_drivers(opened, factors=["reason", "order_state"])
    slow = by_level(table, "reason").loc["too_slow"]
    assert slow.crude_difference == pytest.approx(30 / 80 - 50 / 80)
    assert slow.estimate == pytest.approx(0, abs=1e-9)
    assert slow.p_value == pytest.approx(1)
    packed = by_level(table, "order_state").loc["packed"]
    assert packed.estimate == pytest.approx(-0.5)
    assert packed.q_value == pytest.approx(2 * packed.p_value)  # two tests


def test_levels_that_settle_the_outcome_are_set_apart(tables):
    lines = requests(
        (30, 0, "changed_mind | shipped"),
        (35, 35, "changed_mind | awaiting_payment"),
        (40, 30, "changed_mind | awaiting_shipment"),
        (20, 10, "too_slow | awaiting_shipment"),
        (5, 0, "too_slow | packed"),
    )
    opened = drawn(tables, "reason | order_state", lines)
    table = success_drivers(opened, factors=["reason", "order_state"])
    states = by_level(table, "order_state")
    assert states.loc["shipped", "interval"] == "none: no request worked"
    assert states.loc["awaiting_payment", "interval"] == "none: every request worked"
    assert states.loc["shipped", ["n", "n_events"]].tolist() == [30, 0]
    assert states.loc["shipped", "crude_difference"] == pytest.approx(-40 / 60)
    assert states.loc[["shipped", "awaiting_payment"], "estimate"].isna().all()
    # five that all failed are not enough to call a state settled: Firth's penalty
    packed = states.loc["packed"]
    assert -1 < packed.estimate < -0.3
    assert packed.ci_high < 0.2
    assert packed.interval.endswith("Firth's penalty")
    reasons = by_level(table, "reason")
    assert reasons.n.tolist() == [40, 25]  # of the rest


def test_levels_that_always_come_together_have_no_estimate_and_say_so(tables):
    lines = requests(
        (20, 10, "changed_mind | awaiting_shipment"),
        (20, 12, "too_slow | awaiting_shipment"),
        (20, 5, "found_cheaper | packed"),
    )
    opened = drawn(tables, "reason | order_state", lines)
    table = success_drivers(opened, factors=["reason", "order_state"])
    tied = table[table.interval == "none: always together with another level"]
    assert set(tied.level) == {"found_cheaper", "packed"}
    assert tied.estimate.isna().all()
    assert tied.crude_difference.notna().all()
    assert by_level(table, "reason").loc["too_slow", "estimate"] == pytest.approx(0.1)


def test_a_level_that_one_seller_has_takes_the_limits_of_the_model_and_says_so(tables):
    lines = requests((12, 8, "changed_mind"), (12, 7, "found_cheaper"), (6, 4, "too_slow"))
    sellers = [1 + i % 4 for i in range(24)] + [1] * 6  # only the first has too_slow
    orders = ["order_id | seller_id", *(f"{i} | {one}" for i, one in enumerate(sellers, 1))]
    lines = [f"{line} | {i}" for i, line in enumerate(lines, 1)]
    opened = drawn(tables, "reason | order_id", lines, orders="\n".join(orders))
    levels = by_level(success_drivers(opened, factors=["reason"]), "reason")
    several, slow = levels.loc["found_cheaper"], levels.loc["too_slow"]
    assert several.interval == "delta method, clustered by seller"
    assert slow.interval == "delta method, of one seller: not clustered"
    by_hand = np.sqrt(8 / 12 * (4 / 12) / 12 + 4 / 6 * (2 / 6) / 6)  # of two independent shares
    assert slow.ci_high - slow.estimate == pytest.approx(1.96 * by_hand, rel=1e-3)


def test_rare_levels_are_pooled_and_missing_ones_are_a_level(tables):
    reasons = [r for r in codes.REASONS[:6] for _ in range(4 + 2 * codes.REASONS.index(r))]
    ends = ("approved_by_seller", "rejected_by_seller")
    lines = [f"{ends[i % 2]} | {r} | {i}" for i, r in enumerate(reasons, 1)]
    orders = ["order_id | colour", *(f"{i} | {'red' if i % 3 else ''}" for i in range(1, 55))]
    opened = tables(
        requests="\n".join(["outcome | reason | order_id", *lines]), orders="\n".join(orders)
    )
    table = success_drivers(opened, factors=["reason", "colour"], most_levels=4)
    levels = by_level(table, "reason")
    assert levels.index.tolist() == [*codes.REASONS[:2:-1][-3:], "all others"]
    assert levels.n.tolist() == [14, 12, 10, 4 + 6 + 8]
    colours = by_level(table, "colour")
    assert colours.index.tolist() == ["red", "not recorded"]
    assert (colours.known == "taken on trust").all()
    assert (levels.known == "when the request is made").all()


def test_numbers_and_moments_with_many_values_are_fifths(tables):
    lines = [f"{'approved_by_seller' if i % 3 else 'blocked'} | {i}" for i in range(1, 51)]
    orders = ["order_id | amount_minor", *(f"{i} | {i * 100}" for i in range(1, 51))]
    opened = tables(requests="\n".join(["outcome | order_id", *lines]), orders="\n".join(orders))
    table = success_drivers(opened, factors=["amount_minor"])
    assert table.level.tolist() == [
        "up to 1,000",
        "up to 2,000",
        "up to 3,000",
        "up to 4,000",
        "above 4,000",
    ]
    assert table.n.tolist() == [10] * 5


def test_ages_of_orders_and_shops_are_classes_of_what_was_known_when_asking(tables):
    opened = tables(
        as_of="2026-06-30",
        requests="order_id | requested_at \n 1|2026-05-01 00:30 \n 2|2026-05-03 \n 3|2026-05-01",
        orders="""
            order_id | paid_at    | placed_at  | seller_id
            1        | 2026-05-01 | 2026-04-01 | 1
            2        | 2026-05-01 | 2026-04-01 | 2
            3        | 2026-05-02 | 2026-04-01 | 2
        """,
        sellers="seller_id | opened_at \n 1|2026-01-01 \n 2|",
    )
    table = success_drivers(opened, factors=["order_age", "seller_age"])
    assert by_level(table, "order_age").n.to_dict() == {
        "before payment": 1,
        "under 1 hour": 1,
        "2 to 4 days": 1,
    }
    assert by_level(table, "seller_age").n.to_dict() == {"under 1 year": 1, "not recorded": 2}


@pytest.mark.parametrize(
    "column", ["decided_by", "outcome", "blocker", "ended_at", "end_code", "shipped_at", "paid_at"]
)
def test_what_is_known_only_after_asking_is_refused(tables, column):
    with pytest.raises(ValueError, match=f"\n  {column} is known .*\nallowed are"):
        success_drivers(tables(requests="request_id\n1"), factors=["reason", column])


def test_ids_weights_nonsense_and_absent_columns_are_refused(tables):
    opened = tables(requests="request_id\n1", without=("orders.paid_at", "sellers"))
    with pytest.raises(ValueError, match="factors must not hold seller_id, weight"):
        success_drivers(opened, factors=["seller_id", "weight"])
    with pytest.raises(MissingData, match="the column colour is not in this data"):
        success_drivers(opened, factors=["colour"])
    with pytest.raises(MissingData, match="the column paid_at is not in this data"):
        success_drivers(opened, factors=["order_age"])
    with pytest.raises(ValueError, match="most_levels must be at least 2, got 1"):
        success_drivers(opened, most_levels=1)
    assert set(success_drivers(opened).factor) == {"order_state", "reason", "payment_method"}


def test_weights_count_as_so_many_requests():
    frames = random_market(6, 150, weighted=True)
    options = {"factors": ["payment_method", "size_tier"], "horizon_hours": 200}
    found = success_drivers(open_tables(frames, as_of=AS_OF), **options)
    orders = frames["orders"].to_pandas()
    weight = orders.weight.fillna(1).astype(int)
    times = orders.order_id.map(dict(zip(orders.order_id, weight, strict=True)))
    copied = orders.loc[orders.index.repeat(times)].drop(columns="weight")
    copied["copy"] = copied.groupby("order_id").cumcount()
    asked = frames["requests"].to_pandas().merge(copied[["order_id", "copy"]], on="order_id")
    for table in (copied, asked):
        table["order_id"] = table["order_id"] * 10 + table.pop("copy")
    asked["request_id"] = np.arange(len(asked))
    same = {"orders": copied, "requests": asked, "sellers": frames["sellers"]}
    for table in (copied,):
        table["replaces_order_id"] = pd.array([None] * len(table), dtype="Int64")
    written = success_drivers(open_tables(same, as_of=AS_OF), **options)
    columns = ["estimate", "odds_ratio", "crude_difference", "n", "n_events", "n_pending"]
    np.testing.assert_allclose(found[columns], written[columns].astype(float), rtol=1e-6)


def market(seed, n_sellers=80):
    """Requests of sellers who differ, with a true effect of each level, as frames."""
    rng = np.random.default_rng(seed)
    volume = np.minimum(np.maximum(rng.lognormal(2.2, 0.9, n_sellers), 2), 120).astype(int)
    seller = np.repeat(np.arange(n_sellers), volume)
    n = len(seller)
    state = np.where(rng.random(n) < 0.3 + 0.4 * (seller % 2), "packed", "awaiting_shipment")
    reason = np.where(rng.random(n) < 0.5 - 0.3 * (state == "packed"), "too_slow", "changed_mind")
    eta = 0.9 - 1.0 * (state == "packed") - 0.6 * (reason == "too_slow")
    lean = rng.normal(0, 0.7, n_sellers)[seller]
    worked = rng.random(n) < 1 / (1 + np.exp(-(eta + lean)))
    return seller, state, reason, worked, eta


@pytest.mark.study
def test_limits_cover_the_truth_in_a_market_of_sellers_that_differ():
    from analysis.measures.cases import Cases
    from analysis.measures.drivers import _table

    nodes, weights = np.polynomial.hermite_e.hermegauss(40)

    def share(eta):
        """Success over all sellers, whatever their lean."""
        return (1 / (1 + np.exp(-(eta[:, None] + 0.7 * nodes))) * weights).sum(1) / weights.sum()

    covered, crude = [], []
    for seed in range(300):
        seller, state, reason, worked, eta = market(seed)
        is_slow = reason == "too_slow"
        truth = (share(eta - 0.6 * ~is_slow) - share(eta + 0.6 * is_slow)).mean()
        codes_ = np.column_stack([state == "packed", is_slow]).astype(np.int64)
        names = [["awaiting_shipment", "packed"], ["changed_mind", "too_slow"]]
        one, none = np.ones(len(seller)), np.zeros(len(seller), bool)
        cases = Cases(
            ["order_state", "reason"], names, codes_, worked * 1.0, one, none * 1.0, seller, none
        )
        table = _table(cases, 0.95)
        row = by_level(table, "reason").loc["too_slow"]
        flip = -1 if row.reference == "too_slow" else 1
        assert flip == 1
        covered.append(row.ci_low <= truth <= row.ci_high)
        crude.append(row.crude_difference)
    assert 0.93 <= np.mean(covered) <= 0.975
