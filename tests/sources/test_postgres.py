"""Tables that lie in PostgreSQL as people keep them: views, other types, another alphabet."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from tests.measures.random_rows import AS_OF, random_market

from analysis.contract import TABLES, ContractError
from analysis.measures import (
    cancellation_success_rate,
    recovered_sales,
    refund_curve,
    request_rate,
    seller_scorecard,
    success_rate_trend,
)
from analysis.sources import check, open_tables

MEASURES = (
    cancellation_success_rate,
    refund_curve,
    request_rate,
    seller_scorecard,
    success_rate_trend,
    recovered_sales,
)


@pytest.fixture(scope="module")
def frames():
    return random_market(6, 120, weighted=True, text_ids=False)


@pytest.fixture(scope="module")
def stored(frames, postgres, postgres_tables):
    """A schema that holds the rows in the contract's own types."""
    return postgres_tables(frames, AS_OF).backend.current_database


@pytest.fixture
def seen_as(frames, stored, postgres):
    """Return ``seen_as({"id": "{}::numeric", ...})``: the rows through views, a cast each kind."""

    def opened(casts: dict[str, str]):
        schema = postgres.new_schema()
        with postgres.connected() as connection:
            for name, frame in frames.items():
                columns = ", ".join(
                    f"{casts.get(TABLES[name].column(c).kind, '{}').format(c)} AS {c}"
                    for c in frame.column_names
                )
                connection.execute(
                    f"CREATE VIEW {schema}.{name} AS SELECT {columns} FROM {stored}.{name}"
                )
        return open_tables(postgres.backend(schema), as_of=AS_OF)

    return opened


def agree(elsewhere, frames):
    expected = open_tables(frames, as_of=AS_OF)
    for ask in (*MEASURES, check):
        pd.testing.assert_frame_equal(ask(elsewhere), ask(expected), rtol=1e-12, atol=1e-12)


CASTS = {
    "decimals": {
        "id": "{}::numeric(20, 0)",
        "money": "{}::numeric(12, 0)",
        "number": "{}::numeric",
    },
    "small numbers": {"id": "{}::integer", "money": "{}::integer", "count": "{}::smallint"},
    "short text": {"code": "{}::varchar(60)", "text": "{}::varchar"},
    "times without zone": {"time": "({} AT TIME ZONE 'UTC')"},
    "times with fractions": {"time": "({} + interval '0.6 seconds')"},
    "times of another zone": {"time": "(({} AT TIME ZONE 'Asia/Tokyo') AT TIME ZONE 'Asia/Tokyo')"},
}


@pytest.mark.parametrize("casts", CASTS.values(), ids=CASTS)
def test_what_types_the_columns_have_changes_nothing(casts, seen_as, frames):
    agree(seen_as(casts), frames)


def test_words_sorted_by_the_rules_of_a_language_change_nothing(frames, seen_as):
    language = '{}::text COLLATE "en-x-icu"'
    found = seen_as(dict.fromkeys(("id", "code", "text"), language))
    text = {n: as_text(n, frame) for n, frame in frames.items()}
    agree(found, text)


def as_text(name, frame):
    for i, column in enumerate(frame.column_names):
        if TABLES[name].column(column).kind == "id":
            frame = frame.set_column(i, column, frame[column].cast(pa.string()))
    return frame


def test_a_column_that_cannot_be_right_is_named(seen_as):
    with pytest.raises(ContractError, match=r"orders.amount_minor must be .*is decimal\(12, 2\)"):
        seen_as({"money": "{}::numeric(12, 2)"})


def test_a_folder_exported_from_it_gives_the_same(frames, stored, postgres, tmp_path):
    tables = open_tables(postgres.backend(stored), as_of=AS_OF)
    for name, frame in tables.frames.items():
        frame.to_parquet(tmp_path / f"{name}.parquet")
    agree(open_tables(tmp_path, as_of=AS_OF), frames)
