"""Every rule of the contract is seen to fail, once, where it is broken and nowhere else.

Each case below is a small legal history (a seller, an order, a request with its blocker, a
refund, a step) in which one thing is changed so that one rule breaks. All cases lie side by side
in one dataset, so a rule that also fires on the case of another one counts 2 and fails here.
"""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.drawn import arrow_rows

from analysis.contract import JOINED_RULES, REFERENCES, ROW_RULES, TABLES, ContractError
from analysis.sources import check, open_tables, require_valid
from analysis.sources.checking import PROMISES

AS_OF = "2026-06-30"
NOBODY = 10**6  # no history has such an id


def moment(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


FUTURE, PAST = moment("2026-07-01"), moment("2025-12-31")


def history(i: int) -> dict[str, dict[str, Any]]:
    """Return one legal row of every table, with all ids ``i``."""
    day = [moment(f"2026-01-0{d}") for d in range(1, 8)]
    return {
        "sellers": {
            "seller_id": i,
            "seller_country": "CN",
            "opened_at": moment("2020-01-01"),
            "size_tier": "small",
        },
        "orders": {
            "order_id": i,
            "buyer_id": i,
            "seller_id": i,
            "placed_at": day[0],
            "paid_at": day[0],
            "ship_by_at": day[5],
            "packed_at": day[2],
            "shipped_at": day[3],
            "delivered_at": day[4],
            "ended_at": day[5],
            "end_code": "completed",
            "payment_method": "card",
            "category": "toys",
            "buyer_country": "FR",
            "currency": "EUR",
            "amount_minor": 0,
            "n_items": 1,
            "weight": 0.0,
        },
        "requests": {
            "request_id": i,
            "order_id": i,
            "requested_at": day[1],
            "requested_by": "buyer",
            "reason": "changed_mind",
            "order_state": "awaiting_shipment",
            "decided_at": day[2],
            "decided_by": "seller",
            "outcome": "rejected_by_seller",
            "blocker": "seller_rejected",
        },
        "blockers": {"request_id": i, "blocker": "seller_rejected", "rank": 1},
        "refunds": {
            "refund_id": i,
            "order_id": i,
            "request_id": i,
            "method": "card",
            "currency": "EUR",
            "amount_minor": 0,
            "started_at": day[2],
            "credited_at": day[2],
            "n_failures": 0,
        },
        "steps": {"session_id": i, "order_id": i, "step": "submit", "occurred_at": day[0]},
    }


class Break(NamedTuple):
    """What to change in a legal history so that one rule breaks."""

    changes: dict[str, Any] = {}  # "table.column" -> value
    without: str = ""  # tables whose row is taken out, so that nothing else breaks
    twice: str = ""  # the table whose row is there twice


NO_TIMES = {
    f"orders.{c}": None for c in ("paid_at", "packed_at", "shipped_at", "delivered_at", "ended_at")
} | {"orders.ship_by_at": None}
UNDECIDED = {
    "requests.outcome": "pending",
    "requests.decided_at": None,
    "requests.decided_by": None,
}
CHILDREN = "requests blockers refunds steps"

# What else must change so that a value breaks its own rule only.
ELSE: dict[str, Break] = {
    "sellers.seller_id is never null": Break({"orders.seller_id": None}),
    "orders.order_id is never null": Break(without=CHILDREN),
    "requests.request_id is never null": Break({"refunds.request_id": None}, "blockers"),
    "requests.order_id is never null": Break(without="refunds"),
    "blockers.blocker is one of the words": Break({"blockers.rank": 2}),
    "requests.blocker is one of the words": Break(without="blockers"),
    "orders.placed_at is not after as_of": Break(NO_TIMES, CHILDREN),
    "orders.packed_at is not after as_of": Break({"orders.shipped_at": None}),
    "orders.shipped_at is not after as_of": Break({"orders.delivered_at": None}),
    "requests.requested_at is not after as_of": Break(UNDECIDED),
    "requests.decided_at is not after as_of": Break(without="refunds"),
    "refunds.started_at is not after as_of": Break({"refunds.credited_at": None}),
}

OWN: dict[str, Break] = {
    "orders: paid_at is empty or not before placed_at": Break({"orders.paid_at": PAST}),
    "orders: ship_by_at is empty or not before placed_at": Break({"orders.ship_by_at": PAST}),
    "orders: packed_at is empty or not before placed_at": Break({"orders.packed_at": PAST}),
    "orders: shipped_at is empty or not before placed_at": Break(
        {"orders.shipped_at": PAST, "orders.packed_at": None}
    ),
    "orders: shipped_at is empty or not before packed_at": Break(
        {"orders.shipped_at": moment("2026-01-02 23:59:59")}
    ),
    "orders: delivered_at is empty or not before shipped_at": Break(
        {"orders.delivered_at": moment("2026-01-03 23:59:59")}
    ),
    "orders: ended_at is empty or not before placed_at": Break({"orders.ended_at": PAST}),
    "orders: amount_minor is at least 0": Break({"orders.amount_minor": -1}),
    "orders: n_items is at least 1": Break({"orders.n_items": 0}),
    "orders: weight is finite and at least 0": Break({"orders.weight": -0.5}),
    "orders: an order does not replace itself": Break({"orders.replaces_order_id": "own"}),
    "orders: seller_id is found in sellers": Break({"orders.seller_id": NOBODY}),
    "orders: replaces_order_id is found in orders": Break({"orders.replaces_order_id": NOBODY}),
    "requests: decided_at is empty or not before requested_at": Break(
        {"requests.decided_at": moment("2026-01-01 23:59:59")}
    ),
    "requests: decided_at is given unless outcome is pending": Break(
        {"requests.decided_at": None, "requests.decided_by": None}
    ),
    "requests: decided_by is only given with decided_at": Break(
        UNDECIDED | {"requests.decided_by": "seller"}
    ),
    "requests: a blocked request names its blocker": Break(
        {"requests.outcome": "blocked", "requests.blocker": None}
    ),
    "requests: a successful request has no blocker": Break(
        {"requests.outcome": "approved_by_seller"}
    ),
    "requests: order_id is found in orders": Break({"requests.order_id": NOBODY}, "refunds"),
    "requests: requested_at is empty or not before the order's placed_at": Break(
        {"requests.requested_at": PAST}
    ),
    "blockers: rank is at least 1": Break({"blockers.rank": 0}),
    "blockers: request_id is found in requests": Break({"blockers.request_id": NOBODY}),
    "blockers: the blocker of rank 1 is the request's blocker": Break(
        {"blockers.blocker": "already_shipped"}
    ),
    "refunds: credited_at is empty or not before started_at": Break({"refunds.credited_at": PAST}),
    "refunds: amount_minor is at least 0": Break({"refunds.amount_minor": -1}),
    "refunds: n_failures is at least 0": Break({"refunds.n_failures": -1}),
    "refunds: order_id is found in orders": Break(
        {"refunds.order_id": NOBODY, "refunds.request_id": None}
    ),
    "refunds: request_id is found in requests": Break({"refunds.request_id": NOBODY}),
    "refunds: started_at is empty or not before the order's placed_at": Break(
        {"refunds.started_at": PAST, "refunds.request_id": None}
    ),
    "refunds: currency is that of the order": Break({"refunds.currency": "USD"}),
    "refunds: started_at is empty or not before the request's decided_at": Break(
        {"refunds.started_at": moment("2026-01-02 23:59:59")}
    ),
    "refunds: order_id is that of the request": Break({"refunds.order_id": 1}),
    "steps: order_id is found in orders": Break({"steps.order_id": NOBODY}),
    "steps: occurred_at is empty or not before the order's placed_at": Break(
        {"steps.occurred_at": PAST}
    ),
}


def generic_breaks() -> dict[str, Break]:
    """Breaks of the rules that every column of a kind has."""
    breaks = {}
    for name, spec in TABLES.items():
        cases = [(f"{c.name} is never null", c, None) for c in spec.columns if not c.optional]
        for c in spec.columns:
            if c.codes:
                cases.append((f"{c.name} is one of the words {', '.join(c.codes)}", c, "nonsense"))
            if c.kind == "time" and c.name not in PROMISES:
                cases.append((f"{c.name} is not after as_of", c, FUTURE))
        for sentence, column, value in cases:
            key = next((k for k in ELSE if f"{name}.{sentence}".startswith(k)), None)
            other = ELSE[key] if key else Break()
            changes = {f"{name}.{column.name}": value} | other.changes
            breaks[f"{name}: {sentence}"] = other._replace(changes=changes)
        words = (
            f"{' and '.join(spec.key)} together are" if len(spec.key) > 1 else f"{spec.key[0]} is"
        )
        breaks[f"{name}: {words} unique"] = Break(twice=name)
    return breaks


BREAKS = generic_breaks() | OWN


def broken_rows(i: int, case: Break) -> list[tuple[str, dict[str, Any]]]:
    """Return the rows (table, row) of history ``i`` with the changes of ``case``."""
    rows = history(i)
    for place, value in case.changes.items():
        table, column = place.split(".")
        rows[table][column] = i if value == "own" else value
    kept = [(name, row) for name, row in rows.items() if name not in case.without.split()]
    return kept + ([(case.twice, rows[case.twice])] if case.twice else [])


def dataset(cases: list[Break]) -> dict[str, pa.Table]:
    """Return one dataset: a legal history, and after it one for each case."""
    rows = [broken_rows(i, case) for i, case in enumerate([Break(), *cases], start=1)]
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    for name, row in itertools.chain.from_iterable(rows):
        tables[name].append(row)
    return {name: arrow_rows(name, rows) for name, rows in tables.items()}


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    """Return what ``check`` finds on the dataset in which every rule is broken once."""
    table = check(open_tables(dataset(list(BREAKS.values())), AS_OF))
    return table.set_index(table.table + ": " + table.rule)


@pytest.mark.parametrize("rule", BREAKS)
def test_a_broken_rule_is_counted_once_and_on_its_case_only(found, rule):
    assert found.n_broken[rule] == 1


def test_every_rule_that_is_checked_has_a_case(found):
    assert set(found.index) == set(BREAKS)


def test_every_rule_of_the_contract_is_checked(found):
    own = {f"{name}: {rule.sentence}" for name, rules in ROW_RULES.items() for rule in rules}
    own |= {f"{ref.table}: {ref.column} is found in {ref.target}" for ref in REFERENCES}
    for (child, parent), rules in JOINED_RULES.items():
        named = [rule.sentence.replace("parent_", f"the {parent[:-1]}'s ") for rule in rules]
        own |= {f"{child}: {sentence}" for sentence in named}
    assert own == set(OWN)


def test_rows_are_counted_per_table(found):
    tables = dataset(list(BREAKS.values()))
    assert found.groupby("table").n_rows.unique().map(list).to_dict() == {
        name: [table.num_rows] for name, table in tables.items()
    }


def test_a_legal_history_breaks_no_rule():
    opened = open_tables(dataset([]), AS_OF)
    assert check(opened).n_broken.sum() == 0
    require_valid(opened)


def test_all_that_is_wrong_is_one_error(found):
    opened = open_tables(dataset(list(BREAKS.values())), AS_OF)
    with pytest.raises(ContractError) as caught:
        require_valid(opened)
    assert caught.value.failures == dict.fromkeys(found.index, 1)
    assert f"orders breaks {(found.table == 'orders').sum()} rules:" in str(caught.value)


@pytest.mark.parametrize("sparsest", [64, 0], ids=["marked", "counted"])
def test_of_very_many_rows_it_finds_the_same(found, sparsest, monkeypatch):
    monkeypatch.setattr("analysis.sources.ranges.MOST_JOINED", 9)
    monkeypatch.setattr("analysis.sources.dense.SPARSEST", sparsest)
    monkeypatch.setattr("analysis.sources.dense.MOST_BYTES", 30)
    in_ranges = check(open_tables(dataset(list(BREAKS.values())), AS_OF))
    pd.testing.assert_frame_equal(in_ranges, found.reset_index(drop=True))


@pytest.mark.slow
def test_spark_finds_the_same(found, spark_tables):
    on_spark = check(spark_tables(dataset(list(BREAKS.values())), AS_OF))
    pd.testing.assert_frame_equal(on_spark, found.reset_index(drop=True))


def test_postgres_finds_the_same(found, postgres_tables):
    elsewhere = check(postgres_tables(dataset(list(BREAKS.values())), AS_OF))
    pd.testing.assert_frame_equal(elsewhere, found.reset_index(drop=True))


def test_several_rows_without_a_key_are_missing_keys_and_not_copies():
    rows = [history(i)["requests"] for i in (1, 2, 3)]
    frames = dataset([Break(), Break()])
    frames["requests"] = arrow_rows("requests", [row | {"request_id": None} for row in rows])
    broken = check(open_tables({n: frames[n] for n in ("orders", "requests")}, AS_OF))
    assert broken.query("n_broken > 0")[["rule", "n_broken"]].to_numpy().tolist() == [
        ["request_id is never null", 3]
    ]


def test_a_request_that_is_pending_has_no_date_of_decision():
    case = Break({"requests.outcome": "pending"})
    broken = check(open_tables(dataset([case]), AS_OF)).query("n_broken > 0")
    assert broken.rule.tolist() == ["decided_at is given unless outcome is pending"]


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), -float("inf")])
def test_a_weight_that_is_not_finite_breaks_its_rule(tmp_path, weight):
    frames = dataset([Break()])
    place = frames["orders"].column_names.index("weight")
    weights = pa.array([1.0, weight])
    frames["orders"] = frames["orders"].set_column(place, "weight", weights)
    for name in ("orders", "requests"):  # of frames in memory NaN is a missing value
        pq.write_table(frames[name], tmp_path / f"{name}.parquet")
    broken = check(open_tables(tmp_path, AS_OF)).query("n_broken > 0")
    assert broken.rule.tolist() == ["weight is finite and at least 0"]
    assert broken.n_broken.tolist() == [1]


def test_columns_of_the_readers_may_be_called_as_those_of_the_check():
    frames = dataset([Break({"requests.requested_at": PAST})])
    for name in ("parent_key", "parent_placed_at", "parent_decided_at", "found", "n", "extra"):
        for table, frame in frames.items():
            frames[table] = frame.append_column(name, pa.array(["x"] * len(frame)))
    broken = check(open_tables(frames, AS_OF)).query("n_broken > 0")
    assert broken.rule.tolist() == ["requested_at is empty or not before the order's placed_at"]


def test_a_rule_is_checked_only_where_its_columns_are():
    frames = dataset([Break({"orders.packed_at": PAST})])
    frames["orders"] = frames["orders"].drop_columns(["packed_at", "ended_at"])
    rules = set(check(open_tables({n: frames[n] for n in ("orders", "requests")}, AS_OF)).rule)
    assert not {rule for rule in rules if "packed_at" in rule or "ended_at" in rule}
    assert not {rule for rule in rules if "sellers" in rule}
    assert "shipped_at is empty or not before placed_at" in rules


@pytest.mark.spark
def test_words_that_are_none_of_the_contracts_are_shown(tables):
    opened = tables(
        requests="""
            reason
            Changed mind
            Changed mind
            changed_mind
            it's late
            b
            a
        """,
    )
    found = check(opened).query("n_broken > 0")
    assert found.examples.tolist() == ["""'Changed mind', 'a', 'b'"""]
    assert found.n_broken.tolist() == [5]
    assert set(check(opened).query("n_broken == 0").examples) == {""}
    words = r"reason is one of the words .* \(found 'Changed mind', 'a', 'b'\): 5 rows"
    with pytest.raises(ContractError, match=words) as caught:
        require_valid(opened)
    assert caught.value.failures == {f"requests: {found.rule.iloc[0]}": 5}
