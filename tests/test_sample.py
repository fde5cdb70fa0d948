"""The tiny committed dataset opens, keeps the contract, and is what the generator makes."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.marketplace import make_market
from analysis.measures import cancellation_success_rate
from analysis.sources import check_files, open_tables, require_valid

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "sample"
WORDS_OF_FAKER = {"seller_name", "reason_text"}  # may change with Faker's own word lists


def test_the_sample_opens_and_keeps_the_contract():
    tables = open_tables(SAMPLE)
    require_valid(tables)
    assert check_files(SAMPLE).empty
    assert tables.manifest.synthetic
    row = cancellation_success_rate(tables).iloc[0]
    assert 0 < row.n_events < row.n


def test_the_sample_is_what_the_generator_makes():
    made_with = open_tables(SAMPLE).manifest.made_with
    market = make_market(made_with["n_orders"], seed=made_with["seed"])
    for name, table in market.items():
        stored = pq.read_table(SAMPLE / name, partitioning=None)
        for column in set(table.column_names) - WORDS_OF_FAKER:
            ours = table.column(column)
            if pa.types.is_dictionary(ours.type):
                ours = ours.cast(ours.type.value_type)
            theirs = stored.column(column).cast(ours.type)
            assert theirs.to_pylist() == ours.to_pylist(), f"{name}.{column}"
