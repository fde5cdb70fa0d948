"""What one study of coverage is, and how it is scored.

A study draws many datasets from a law whose truth is known, computes an estimate with its limits on
each, and counts how often the limits hold the truth; and the same for the familiar method.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from analysis import stats

NOMINAL = 0.95
SIZE = 0.05
ANSWERED = 0.98  # a law must let at least so many datasets answer
Seed = tuple[int, ...]  # of a law; estimators on one law see the same datasets
DIGITS = 5  # of every figure that is written


class Found(NamedTuple):
    """Estimates with their limits: one a replication, or replications x units."""

    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray


class Outcome(NamedTuple):
    """What one study found: limits and the truth, or the p-values of a test whose null holds."""

    ours: Found | np.ndarray
    truth: float | np.ndarray = np.nan
    naive: Found | np.ndarray | None = None


class Study(NamedTuple):
    """One estimand, estimated on many datasets drawn from one law."""

    topic: str
    estimand: str
    estimator: str  # public name in ``analysis.stats`` or of a measure
    law: str  # how the datasets are drawn
    cases: str  # how much is in one of them
    draw: Callable[..., Outcome]  # (seed, replications), or (markets, their truth)
    naive_method: str = ""
    unit: str = "share"
    replications: int = 2000
    promise: tuple[float, float] | None = None  # what counts as kept; by default as in ``kept``
    of_markets: bool = False  # on synthetic markets, not on an analytic law
    remark: str = ""

    @property
    def name(self) -> str:
        """What tells this study from all others."""
        return f"{self.topic}: {self.estimand} ~ {self.estimator}, {self.law}"


KEPT = {"interval": (0.93, 0.97), "test": (0.03, 0.07)}
DESCRIBED = ("topic", "estimand", "estimator", "law", "cases", "unit", "naive_method", "remark")


def described(study: Study) -> dict[str, Any]:
    """Return the columns of a study's row that are known before it is run."""
    return {name: getattr(study, name) for name in DESCRIBED}


def joined(parts: list[Outcome]) -> Outcome:
    """Put the outcomes of several sets of replications together."""

    def together(values: list[Any]) -> Any:
        if values[0] is None or np.isscalar(values[0]):
            return values[0]
        if isinstance(values[0], Found):
            return Found(*(np.concatenate(column) for column in zip(*values, strict=True)))
        return np.concatenate(values)

    return Outcome(*(together(list(values)) for values in zip(*parts, strict=True)))


def scored(study: Study, outcome: Outcome) -> dict[str, Any]:
    """Return the row of a study: what it is, what was measured, and whether promises are kept."""
    if isinstance(outcome.ours, Found):
        outcome = _answered(study, outcome)
        figures = {"kind": "interval", "nominal": NOMINAL, **_of_limits(outcome)}
    else:
        figures = {"kind": "test", "nominal": SIZE, **_of_test(outcome)}
    least, most = study.promise or KEPT[figures["kind"]]
    verdict = _verdict(figures["kind"], figures["estimate"], least, most)
    row = {**described(study), **figures, "least": least, "most": most, "verdict": verdict}
    return {name: _rounded(value) for name, value in row.items()}


def _answered(study: Study, outcome: Outcome) -> Outcome:
    """Leave out the few datasets that cannot answer, such as a quantile that is not reached."""
    ours, truth, naive = outcome
    known = ~np.isnan(ours.estimate)
    if known.all():
        return outcome
    if ours.estimate.ndim > 1 or known.mean() < ANSWERED:
        raise ValueError(f"{study.name}: {np.mean(~known):.1%} of the estimates are missing")
    kept = Found(*(column[known] for column in ours))
    truth = truth[known] if np.ndim(truth) else truth
    return Outcome(kept, truth, naive and Found(*(column[known] for column in naive)))


def _verdict(kind: str, measured: float, least: float, most: float) -> str:
    if least <= measured <= most:
        return "kept"
    few, many = ("too narrow", "too wide") if kind == "interval" else ("too shy", "too bold")
    return few if measured < least else many


def _of_limits(outcome: Outcome) -> dict[str, Any]:
    ours, truth, naive = outcome
    inside = _holds(ours, truth)
    error = np.broadcast_to(ours.estimate - truth, ours.estimate.shape)
    bias, bias_error = _mean(error)
    row = {
        "truth": float(np.mean(truth)),
        **_share(inside),
        "bias": bias,
        "bias_error": bias_error,
        "width": _width(ours),
    }
    if naive is None:
        return {**row, "naive": np.nan, "naive_bias": np.nan, "naive_width": np.nan}
    return {
        **row,
        "naive": float(_holds(naive, truth).mean()),
        "naive_bias": float(np.nanmean(naive.estimate - truth)),
        "naive_width": _width(naive),
    }


def _of_test(outcome: Outcome) -> dict[str, Any]:
    missing = dict.fromkeys(("truth", "bias", "bias_error", "width", "naive_bias", "naive_width"))
    row = {**dict.fromkeys(missing, np.nan), **_share(np.asarray(outcome.ours) < SIZE)}
    naive = np.nan if outcome.naive is None else float((outcome.naive < SIZE).mean())
    return {**row, "naive": naive}


def _holds(found: Found, truth: float | np.ndarray) -> np.ndarray:
    """Whether limits hold the truth; a missing limit of an estimate is none at all."""
    known = ~np.isnan(found.estimate)
    low = np.where(np.isnan(found.low), -np.inf, found.low)
    high = np.where(np.isnan(found.high), np.inf, found.high)
    return known & (low <= truth) & (truth <= high)


def _width(found: Found) -> float:
    width = found.high - found.low
    return float(np.mean(width[np.isfinite(width)])) if np.isfinite(width).any() else np.nan


def _mean(values: np.ndarray) -> tuple[float, float]:
    """Mean and its Monte Carlo error; units of one replication are not independent."""
    each = values.reshape(len(values), -1).mean(axis=1)
    return float(each.mean()), float(each.std(ddof=1) / np.sqrt(len(each)))


def _share(true: np.ndarray) -> dict[str, Any]:
    """Share of true ones with limits; ``n`` counts the replications."""
    counts = true.reshape(len(true), -1)
    k, n = counts.sum(axis=1), np.full(len(counts), counts.shape[1])
    found = stats.ratio_interval(np.zeros(len(counts), np.int64), k, n, n_groups=1)
    return {
        "estimate": float(found.estimate[0]),
        "ci_low": float(found.low[0]),
        "ci_high": float(found.high[0]),
        "n": len(counts),
    }


def _rounded(value: Any) -> Any:
    """Fewer digits than machines disagree in."""
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
