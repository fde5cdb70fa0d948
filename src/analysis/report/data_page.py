"""What a page says of its data: what it is, which rules hold, what it can answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

import analysis
from analysis.contract import CONTRACT_VERSION, TABLES, MissingData
from analysis.measures import MEASURES
from analysis.plots.numbers import count
from analysis.report import html
from analysis.sources import Tables, check, collect

if TYPE_CHECKING:
    from analysis.contract import Manifest

SYNTHETIC = (
    "Synthetic data: made by this project's generator, not observed on any platform. "
    "The numbers show the method, not the world."
)
NEVER_NEEDED = ("weight",)

UNITS = {  # what one row of a measure's table of counts is made of, where it is not orders
    "cancellation_success_rate": "requests",
    "outcome_shares": "requests",
    "request_rate": "requests",
    "outcome_curve": "requests",
    "outcome_difference": "requests",
    "refund_curve": "refunds",
    "refund_quantiles": "refunds",
    "refund_mean": "refunds",
    "refund_sla": "refunds",
    "refund_curve_from_snapshots": "refunds",
    "stage_durations": "refunds",
    "never_refunded_share": "refunds",
    "refund_time_difference": "refunds",
    "refund_drivers": "refunds",
    "response_curve": "requests",
    "blocker_shares": "requests",
    "blocker_overlap": "requests",
    "policy_versus_practice": "requests",
    "success_by_order_age": "requests",
    "seller_scorecard": "requests",
    "seller_spread": "requests",
    "seller_funnel": "requests",
    "reason_gaming": "requests",
    "cancel_flow_funnel": "steps",
    "naive_versus_right": "requests",
}


def banner(manifest: Manifest | None) -> str:
    """Return the line that stands above everything made from this data, or an empty text."""
    return SYNTHETIC if manifest is not None and manifest.synthetic else ""


def about(tables: Tables) -> html.Html:
    """Return what the data is, until when it was observed, and what must be known of it."""
    manifest = tables.manifest
    source = manifest.source.rstrip(".") if manifest is not None and manifest.source else ""
    until = f"{tables.as_of:%Y-%m-%d %H:%M} UTC."
    first = f"{source}, observed until {until}" if source else f"Observed until {until}"
    return html.note(" ".join([first[0].upper() + first[1:], *tables.notes]))


def check_summary(tables: Tables) -> pd.DataFrame:
    """Return, for each table, how many rules of the contract were checked and which are broken.

    Returns
    -------
    DataFrame
        One row per table: ``table, n_rows, n_rules, n_rules_broken, broken``.
    """
    found = check(tables)
    rows = []
    for name, rules in found.groupby("table", sort=False):
        broken = rules[rules.n_broken > 0]
        words = "; ".join(f"{r.rule}: {r.n_broken:,} rows" for r in broken.itertuples())
        rows.append((name, int(rules.n_rows.iloc[0]), len(rules), len(broken), words))
    return pd.DataFrame(rows, columns=["table", "n_rows", "n_rules", "n_rules_broken", "broken"])


def answerable_questions(tables: Tables) -> pd.DataFrame:
    """Return which measures this data can answer, and what the others lack.

    Returns
    -------
    DataFrame
        One row per measure: ``measure, question, answerable, lacks``. Unless the data has all
        that any question needs, each is tried on the same tables without their rows.
    """
    rows = []
    empty = replace(
        tables, frames={name: frame.limit(0) for name, frame in tables.frames.items()}, _kept={}
    )
    is_complete = _is_complete(tables)
    without_rows = {name for name in tables.frames if _is_empty(tables, name)}
    for name, measure in MEASURES.items():
        unit = UNITS.get(name, "orders")
        lacks = "" if is_complete else _lacking(measure, empty)
        if not lacks and unit in without_rows:
            lacks = f"the table {unit} has no rows"
        question = measure.__doc__.strip().splitlines()[0].rstrip(".").replace("``", "")
        rows.append((name, question, lacks == "", lacks))
    return pd.DataFrame(rows, columns=["measure", "question", "answerable", "lacks"])


def _is_complete(tables: Tables) -> bool:
    """Whether there are all tables and columns, but for those that no question needs."""
    return all(
        tables.has(name, *(c for c in spec.names if c not in NEVER_NEEDED))
        for name, spec in TABLES.items()
    )


def _lacking(measure: Callable[..., pd.DataFrame], empty: Tables) -> str:
    try:
        measure(empty)
    except MissingData as lack:
        return lack.what
    return ""


def _is_empty(tables: Tables, name: str) -> bool:
    return collect(tables.need(name).limit(1)).empty


def fingerprint_of(tables: Tables) -> dict[str, str]:
    """Return what identifies the numbers on a page: versions, the data's digest, the seed."""
    marks = {"version": analysis.__version__, "contract": str(CONTRACT_VERSION)}
    if tables.manifest is not None:
        marks["data"] = tables.manifest.digest[:16]
        seed = tables.manifest.made_with.get("seed")
        marks |= {} if seed is None else {"seed": str(seed)}
    return marks | {"as of": f"{tables.as_of:%Y-%m-%dT%H:%M:%SZ}"}


def fingerprint(tables: Tables) -> html.Html:
    """Return the fingerprint as a line for the end of a notebook."""
    marks = fingerprint_of(tables)
    return html.note(" · ".join(f"{name} {value}" for name, value in marks.items()))


def say_describe(table: pd.DataFrame) -> str:
    """Return how much there is: the rows of each table, and which tables there are not."""
    known = table[table["n_rows"].notna()]
    rows = [f"{count(row.n_rows)} {row.table}" for row in known.itertuples()]
    absent = table.loc[table["n_rows"].isna(), "table"].tolist()
    parts = [f"There are {_listed(rows)}."] if rows else []
    placed = known[known["table"] == "orders"]
    if len(placed) and placed["first_at"].notna().all():
        first, last = placed["first_at"].iloc[0], placed["last_at"].iloc[0]
        parts.append(f"The orders were placed between {first:%Y-%m-%d} and {last:%Y-%m-%d}.")
    if absent:
        parts.append(f"The data has no {_listed(absent, 'or')}.")
    return " ".join(parts)


def say_check_summary(table: pd.DataFrame) -> str:
    """Return whether the data keeps the contract."""
    rules, broken = int(table["n_rules"].sum()), int(table["n_rules_broken"].sum())
    if not broken:
        return f"All {count(rules)} rules of the contract that apply hold on every row."
    which = table.loc[table["n_rules_broken"] > 0, "table"].tolist()
    return (
        f"{count(broken)} of {count(rules)} rules of the contract are broken, in {_listed(which)}: "
        "numbers that rest on those rows are not to be trusted."
    )


def say_answerable_questions(table: pd.DataFrame) -> str:
    """Return how many of the suite's questions the data can answer."""
    able = int(table["answerable"].sum())
    if able == len(table):
        return f"The data has what it takes to answer all {count(len(table))} questions."
    lacking = table.loc[~table["answerable"], "measure"].str.replace("_", " ").tolist()
    return (
        f"The data has what it takes to answer {count(able)} of {count(len(table))} questions; "
        f"not {_listed(lacking, 'or')}."
    )


def _listed(words: list[str], last: str = "and") -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
