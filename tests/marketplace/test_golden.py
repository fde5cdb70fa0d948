"""Fingerprints of a small market at a fixed seed: they change only when its meaning changes.

If one fails after a change that was meant to change what is drawn, run this file as a program
(``python tests/marketplace/test_golden.py``), put the printed lines in here, and say in the
changelog what a reader's numbers do. If it fails without such a change, it is a mistake: a
stream was renamed, a draw keyed differently, or NumPy rounds differently here.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

import pyarrow as pa
import pytest

from analysis.marketplace import make_market, make_truth

WORDS_OF_FAKER = ("seller_name", "reason_text")  # they change with the version of Faker
GOLDEN = {
    "sellers": "cdc8e88f2a669551",
    "orders": "1ac428e0772fb14a",
    "requests": "835b65c2003a2b5e",
    "blockers": "0c11037cf2118779",
    "refunds": "11e33d37fdbb2def",
    "steps": "49d4bb3efc763575",
    "truth/requests": "8060c7e39987012f",
    "truth/refunds": "76e73c70da84654c",
    "truth/buyers": "247b8e451346be39",
    "truth/sellers": "2f5918b2c92237ac",
    "truth/estimands": "fffcc674a84234d9",
}


def fingerprints() -> dict[str, str]:
    truth = make_truth(2_000, seed=7)
    made = {**make_market(2_000, seed=7), **truth}
    return {name: fingerprint(table) for name, table in made.items()}


def fingerprint(table: pa.Table | list) -> str:
    rows = table.to_pylist() if isinstance(table, pa.Table) else table
    tidy = [{name: rounded(name, value) for name, value in row.items()} for row in rows]
    text = json.dumps(tidy, default=moment, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def rounded(name: str, value: object) -> object:
    if name in WORDS_OF_FAKER:
        return value is not None
    return float(f"{value:.5g}") if isinstance(value, float) else value


def moment(value: datetime) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    return fingerprints()


@pytest.mark.parametrize("name", GOLDEN)
def test_the_market_of_seed_7_is_what_it_was(found, name):
    assert found[name] == GOLDEN[name], (
        f"{name} of make_market(2_000, seed=7) is not what it was: see the head of this file"
    )


def test_every_table_has_a_fingerprint(found):
    assert set(found) == set(GOLDEN)


if __name__ == "__main__":
    for table_name, digest in fingerprints().items():
        print(f'    "{table_name}": "{digest}",')
