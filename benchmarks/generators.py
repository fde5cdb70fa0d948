"""What others' generators make of an order log: ``python generators.py PEER ORDERS FOLDER``.

Runs in the environment of the peers (``peers.txt``), one peer in one process, writes Parquet into
the folder and prints, as JSON, how many orders, rows and values it made and the wall and CPU
seconds of making and writing them; importing is not in these seconds.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd

SEED = 7
START, END = datetime(2026, 1, 1), datetime(2026, 4, 1)
CATEGORIES = ("phones", "clothes", "shoes", "toys", "kitchen", "garden", "beauty", "sports")
CURRENCIES = ("USD", "EUR", "GBP", "BRL", "PLN")
METHODS = ("card", "wallet", "bank_transfer", "cash_on_delivery")
REASONS = ("changed_mind", "found_cheaper", "wrong_address", "too_slow", "by_mistake")


def faker_loop(orders: int, folder: Path) -> Mapping[str, pd.DataFrame]:
    """Row by row, as tutorials do: an order with its buyer, its times and how it ended."""
    from faker import Faker

    fake = Faker("en_US")
    Faker.seed(SEED)
    random.seed(SEED)
    table = pd.DataFrame([_faked_order(fake, number) for number in range(orders)])
    table.to_parquet(folder / "orders.parquet")
    return {"orders": table}


def _faked_order(fake: object, number: int) -> dict[str, object]:
    placed = fake.date_time_between(START, END)
    paid = placed + timedelta(minutes=random.expovariate(1 / 30))
    shipped = paid + timedelta(hours=random.lognormvariate(3, 0.8))
    asked = paid + timedelta(hours=random.expovariate(1 / 24)) if random.random() < 0.13 else None
    cancelled = asked is not None and asked < shipped and random.random() < 0.8
    return {
        "order_id": number,
        "buyer": fake.name(),
        "buyer_country": fake.country_code(),
        "seller_id": random.randint(1, 4000),
        "placed_at": placed,
        "paid_at": paid,
        "shipped_at": None if cancelled else shipped,
        "delivered_at": None if cancelled else shipped + timedelta(days=random.gammavariate(4, 3)),
        "requested_at": asked,
        "reason": None if asked is None else random.choice(REASONS),
        "status": "cancelled" if cancelled else "completed",
        "payment_method": random.choices(METHODS, (60, 25, 10, 5))[0],
        "category": random.choice(CATEGORIES),
        "currency": random.choice(CURRENCIES),
        "amount_minor": int(random.lognormvariate(8, 1)),
        "n_items": random.randint(1, 5),
    }


def misata_tables(orders: int, folder: Path) -> Mapping[str, pd.DataFrame]:
    """Sellers and orders from a declared schema, and the life of every order as an event log."""
    import misata

    schema = folder / "misata.yaml"
    schema.write_text(json.dumps(_misata_schema(orders)), encoding="utf-8")  # JSON is YAML
    tables = misata.generate_from_schema(misata.load_yaml_schema(schema), seed=SEED)
    misata.to_parquet(tables, folder)
    return tables


def misata_process(orders: int, folder: Path) -> Mapping[str, pd.DataFrame]:
    """Only the event log of orders that are given: the fastest that it has."""
    import misata
    import numpy as np
    from misata.schema import Process

    rng = np.random.default_rng(SEED)
    minutes = int((END - START).total_seconds() // 60)
    placed = pd.Timestamp(START) + pd.to_timedelta(rng.integers(0, minutes, orders), unit="min")
    cases = pd.DataFrame({"order_id": np.arange(orders), "placed_at": placed})
    events, _ = misata.simulate_process(cases, Process(**_order_life()), rng)
    events.to_parquet(folder / "events.parquet")
    return {"events": events}


def _misata_schema(orders: int) -> dict[str, object]:
    dates = {"type": "datetime", "start": f"{START:%Y-%m-%d}", "end": f"{END:%Y-%m-%d}"}
    sellers = max(10, orders // 250)
    return {
        "seed": SEED,
        "tables": {
            "sellers": {
                "rows": sellers,
                "columns": {
                    "seller_id": {"type": "int", "unique": True, "min": 1, "max": sellers},
                    "seller_country": _one_of("CN", "DE", "US", "BR"),
                },
            },
            "orders": {
                "rows": orders,
                "columns": {
                    "order_id": {"type": "int", "unique": True, "min": 1, "max": orders},
                    "seller_id": {"type": "foreign_key"},
                    "placed_at": dates,
                    "status": _one_of("completed"),
                    "payment_method": _one_of(*METHODS),
                    "category": _one_of(*CATEGORIES),
                    "currency": _one_of(*CURRENCIES),
                    "amount_minor": {"type": "int", "min": 100, "max": 90_000},
                    "n_items": {"type": "int", "min": 1, "max": 5},
                },
            },
        },
        "relationships": ["sellers.seller_id -> orders.seller_id"],
        "processes": [_order_life()],
    }


def _one_of(*words: str) -> dict[str, object]:
    return {"type": "categorical", "choices": list(words)}


def _order_life() -> dict[str, object]:
    hours = {"distribution": "lognormal", "mu": 2.0, "sigma": 1.0, "unit": "hours"}
    states = ("placed", "paid", "requested", "shipped", "refund_started")
    return {
        "name": "order_life",
        "cases_table": "orders",
        "case_key": "order_id",
        "start_column": "placed_at",
        "initial": "placed",
        "transitions": {
            "placed": {"paid": 0.95, "expired": 0.05},
            "paid": {"shipped": 0.87, "requested": 0.13},
            "requested": {"refund_started": 0.6, "rejected": 0.1, "shipped": 0.3},
            "refund_started": {"refunded": 1.0},
            "rejected": {"shipped": 1.0},
            "shipped": {"delivered": 1.0},
        },
        "dwell": dict.fromkeys(states, hours),
        "event_table": "events",
        "final_state_column": "status",
    }


PEERS: dict[str, Callable[[int, Path], Mapping[str, pd.DataFrame]]] = {
    "faker_loop": faker_loop,
    "misata_tables": misata_tables,
    "misata_process": misata_process,
}


def main() -> None:
    """Run one peer and print what it made and what that took."""
    peer, orders, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    PEERS[peer](10, folder)  # imports, caches
    start = time.perf_counter(), time.process_time()
    tables = PEERS[peer](orders, folder)
    took = time.perf_counter() - start[0], time.process_time() - start[1]
    rows = sum(len(table) for table in tables.values())
    values = sum(table.size for table in tables.values())
    made = {"orders": orders, "rows": rows, "values": values}
    print(json.dumps({**made, "seconds": took[0], "cpu_seconds": took[1]}))


if __name__ == "__main__":
    main()
