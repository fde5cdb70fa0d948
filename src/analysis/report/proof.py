"""Can these numbers be trusted: studies of coverage, and estimates beside the truth.

The studies are run by ``make coverage`` (``benchmarks/coverage``) and their table is part of the
package. The truth lies beside synthetic data; only tests and one notebook read it, through here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd

from analysis.contract import MissingData
from analysis.marketplace.estimands import ANSWER_HOURS, MEAN_DAYS, REFUND_DAYS, WINDOW_HOURS
from analysis.measures import (
    blocker_shares,
    cancellation_success_rate,
    outcome_shares,
    refund_curve,
    refund_mean,
    refund_quantiles,
    request_rate,
    response_curve,
    window_curve,
)
from analysis.measures.answers import answered
from analysis.plots.labels import label
from analysis.sources import Tables

STUDIES = "coverage.csv"
TRUTH = "truth/estimands.json"
LABELS = ("outcome", "blocker", "hours", "days", "method", "end_code")
STUDY = ["topic", "estimand", "estimator", "law", "cases"]
MEASURED = ["estimate", "ci_low", "ci_high", "nominal", "least", "most"]
COVERAGE_COLUMNS = [*STUDY, *MEASURED, "unit", "truth", "bias", "bias_error", "width"]
COVERAGE_COLUMNS += ["naive_method", "naive", "naive_bias", "naive_width", "n", "verdict"]
SIZE_COLUMNS = [*STUDY, *MEASURED, "naive_method", "naive", "n", "verdict"]
TRUTH_COLUMNS = ["topic", "estimand", "estimate", "ci_low", "ci_high", "truth", "difference"]
TRUTH_COLUMNS += ["is_inside", "unit", "n", "interval"]

Row = tuple[str, str, pd.Series, str, dict[str, str]]  # topic, words, estimate, name and labels


def coverage_study(*, topic: str | None = None) -> pd.DataFrame:
    """How often nominal 95% intervals held the truth, ours and those of the familiar methods.

    Parameters
    ----------
    topic
        Only the studies of one topic, such as "curves"; None gives all.

    Returns
    -------
    DataFrame
        One row per study, in the order in which they are run: ``topic, estimand, estimator, law,
        cases, estimate, ci_low, ci_high, nominal, least, most, unit, truth, bias, bias_error,
        width, naive_method, naive, naive_bias, naive_width, n, verdict``. ``estimate`` is the
        share of ``n`` datasets whose interval held the truth, with its own limits; ``naive`` that
        share for the familiar method. ``bias``, its Monte Carlo error and the mean ``width`` are
        in ``unit``. ``verdict`` is "kept" where the estimate is from ``least`` to ``most``.

    Raises
    ------
    ValueError
        There is no such topic.

    Notes
    -----
    The numbers are those of the last ``make coverage``; seeds are fixed.
    """
    return _studies("interval", topic)[COVERAGE_COLUMNS]


def size_study(*, topic: str | None = None) -> pd.DataFrame:
    """How often tests at 5% found a difference where there was none, ours and familiar ones.

    Parameters
    ----------
    topic
        As in :func:`coverage_study`.

    Returns
    -------
    DataFrame
        One row per study: ``topic, estimand, estimator, law, cases, estimate, ci_low, ci_high,
        nominal, least, most, naive_method, naive, n, verdict``; columns as in
        :func:`coverage_study`, but ``estimate`` is the share of datasets with a p-value below 5%.

    Raises
    ------
    ValueError
        There is no such topic.
    """
    return _studies("test", topic)[SIZE_COLUMNS]


def _studies(kind: str, topic: str | None) -> pd.DataFrame:
    with resources.files("analysis.report").joinpath(STUDIES).open(encoding="utf-8") as file:
        table = pd.read_csv(file)
    table = table[table["kind"] == kind]
    if topic is None:
        return table.reset_index(drop=True)
    topics = list(dict.fromkeys(table["topic"]))
    if topic not in topics:
        raise ValueError(f"topic must be one of {', '.join(topics)}, got {topic!r}")
    return table[table["topic"] == topic].reset_index(drop=True)


def estimates_versus_truth(tables: Tables, *, level: float = 0.95) -> pd.DataFrame:
    """Each published estimand of a synthetic dataset: the estimate, its interval and the truth.

    Parameters
    ----------
    tables
        Dataset opened from its folder, with the truth beside it.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    DataFrame
        One row per estimand: ``topic, estimand, estimate, ci_low, ci_high, truth, difference,
        is_inside, unit, n, interval``. ``difference`` is estimate minus truth; ``is_inside`` says
        whether the interval holds the truth; ``unit`` is "share" or "days".

    Raises
    ------
    MissingData
        The data was not opened from a folder with its truth: it is real, or in memory.

    Notes
    -----
    The truth is what became of the very orders on record, followed beyond ``as_of``. Intervals
    allow for other sellers and other buyers too, so they should hold it more often than ``level``.
    """
    truth = _truth_beside(tables)
    rows = []
    for make in (_requests, _blockers, _orders, _answers, _refunds):
        try:
            rows += [_compared(row, truth) for row in make(tables, level)]
        except MissingData:
            continue
    table = pd.DataFrame([row for row in rows if row is not None], columns=TRUTH_COLUMNS)
    return table.astype({"is_inside": bool, "n": "int64"})


def _truth_beside(tables: Tables) -> dict[tuple, dict[str, Any]]:
    """Published true values by name and labels."""
    path = tables.folder / TRUTH if tables.folder is not None else None
    if path is None or not path.exists():
        raise MissingData("the truth", needed_by="estimates_versus_truth")
    found = json.loads(path.read_text(encoding="utf-8"))
    return {_key(row["name"], {k: row[k] for k in LABELS if k in row}): row for row in found}


def _key(name: str, labels: dict[str, str]) -> tuple:
    return name, *sorted(labels.items())


def _compared(row: Row, truth: dict[tuple, dict[str, Any]]) -> dict[str, Any] | None:
    topic, words, found, name, labels = row
    known = truth.get(_key(name, labels))
    if known is None or known["value"] is None:
        return None
    estimate, low, high, true = (
        float(x) for x in (found["estimate"], found["ci_low"], found["ci_high"], known["value"])
    )
    return {
        "topic": topic,
        "estimand": words,
        **{"estimate": estimate, "ci_low": low, "ci_high": high, "truth": true},
        "difference": estimate - true,
        "is_inside": _holds(estimate, low, high, true),
        "unit": known["unit"],
        "n": int(found["n"]),
        "interval": found["interval"],
    }


def _holds(estimate: float, low: float, high: float, true: float) -> bool:
    """Whether limits hold the truth; a missing limit of an estimate is none."""
    above = np.isnan(low) or low <= true
    return bool(not np.isnan(estimate) and above and (np.isnan(high) or true <= high))


def _requests(tables: Tables, level: float) -> Iterator[Row]:
    success = answered(cancellation_success_rate, tables, level=level).iloc[0]
    yield "requests", "success rate", success, "success_rate", {}
    shares = answered(outcome_shares, tables, level=level)
    for _, row in shares[shares["n_events"] > 0].iterrows():
        word = row["outcome"]
        yield "requests", label(word), row, "outcome_share", {"outcome": word}


def _blockers(tables: Tables, level: float) -> Iterator[Row]:
    for _, row in answered(blocker_shares, tables, level=level).iterrows():
        word = row["blocker"]
        yield "stopped by", label(word), row, "blocker_share", {"blocker": word}


def _orders(tables: Tables, level: float) -> Iterator[Row]:
    asked = answered(request_rate, tables, level=level).iloc[0]
    yield "orders", "request rate", asked, "request_rate", {}
    curve = answered(window_curve, tables, horizon_hours=max(WINDOW_HOURS), level=level)
    curve = curve[curve["outcome"] == "still_open"]
    for hours, row in _at(curve, "time_hours", WINDOW_HOURS):
        words = f"can be cancelled after {_so_many(hours, 'hour')}"
        yield "orders", words, row, "window_open", {"hours": str(hours)}


def _answers(tables: Tables, level: float) -> Iterator[Row]:
    curve = answered(response_curve, tables, level=level)
    for hours, row in _at(curve, "time_hours", ANSWER_HOURS):
        words = f"answered within {_so_many(hours, 'hour')}"
        yield "sellers", words, row, "answered", {"hours": str(hours)}


def _refunds(tables: Tables, level: float) -> Iterator[Row]:
    curve = answered(refund_curve, tables, level=level)
    for days, row in _at(curve, "time_days", REFUND_DAYS):
        words = f"credited within {_so_many(days, 'day')}"
        yield "refunds", words, row, "refund_credited", {"days": str(days)}
    quantiles = answered(refund_quantiles, tables, level=level)
    for _, row in quantiles[quantiles["probability"] == 0.5].iterrows():
        yield "refunds", "median days to the money", row, "refund_median", {}
    mean = answered(refund_mean, tables, horizon_days=MEAN_DAYS, level=level).iloc[0]
    yield "refunds", f"mean days, at most {MEAN_DAYS} of each", mean, "refund_mean", {}


def _at(curve: pd.DataFrame, column: str, times: tuple) -> Iterator[tuple[int, pd.Series]]:
    for time in times:
        for _, row in curve[curve[column] == time].iterrows():
            yield time, row


def _so_many(n: int, unit: str) -> str:
    return f"{n} {unit}" if n == 1 else f"{n} {unit}s"
