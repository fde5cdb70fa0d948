"""Overlapping rules, and rates of closing windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from tests.parity.comparing import REFERENCE, Comparison, Pairs

from analysis import stats

EDGES = np.array([0, 6, 12, 24, 48])


def _read(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "stats" / name)


def shapley(_: Path | None) -> Pairs:
    """Compare with the sum over all subsets of eight rules, in both games."""
    rows, expected = _read("shapley_patterns.csv"), _read("shapley.csv")
    found = stats.attribute_patterns(
        np.zeros(len(rows), int), rows["pattern"], rows["count"], n_rules=len(expected)
    )
    for game in ("stopped", "freed"):
        yield found.shapley[0], expected[game]
    for name in ("only", "any"):
        yield getattr(found, name)[0], expected[name]


def _spells() -> tuple[stats.Exposure, np.ndarray]:
    """Exposure by seller and interval, as a measure gets it from the engine."""
    rows = _read("rate_spells.csv")
    time = rows["time"].to_numpy()
    piece = np.minimum(np.searchsorted(EDGES, time, side="left") - 1, len(EDGES) - 1)
    rest = np.where(piece < len(EDGES) - 1, time - EDGES[piece], 0)
    cause = np.where(piece < len(EDGES) - 1, rows["cause"], 0)
    seller = rows["seller"].to_numpy() - 1
    made = stats.exposure_of(
        seller, piece, cause, np.ones(len(rows)), rest, widths=np.diff(EDGES), n_causes=2
    )
    return made, np.repeat(np.arange(4)[None], len(made.time), axis=0)


def _events(made: stats.Exposure, end: int) -> np.ndarray:
    return made.events.sum(axis=2) if end == 0 else made.events[..., end - 1]


def rates(_: Path | None) -> Pairs:
    """Compare with ``survSplit`` and a Poisson model with the log of the time as offset."""
    made, piece = _spells()
    for end, expected in _read("rates.csv").groupby("end"):
        found = stats.rate_interval(
            piece.ravel(),
            _events(made, end).ravel(),
            made.time.ravel(),
            members=made.n_at_risk.ravel(),
            clusters=None,
        )
        yield made.n_at_risk.sum(axis=0), expected["at_risk"]
        yield from (
            (found.events, expected["events"]),
            (found.time, expected["hours"]),
            (found.estimate, expected["rate"]),
        )


def score_limits(_: Path | None) -> Pairs:
    """Compare with the roots of the score equation."""
    for _, row in _read("rates.csv").iterrows():
        limits = np.array(stats.poisson_limits(row["events"])) / row["hours"]
        yield limits, (row["low"], row["high"])


def clustered(_: Path | None) -> Pairs:
    """Compare with the HC2 variance of the log rate of the Poisson model by seller."""
    made, piece = _spells()
    for end, expected in _read("rates.csv").groupby("end"):
        events = _events(made, end)
        rate = events.sum(axis=0) / made.time.sum(axis=0)
        squared = (events - rate * made.time) ** 2
        found = stats.residual_variance(
            piece.ravel(), squared.ravel(), made.time.ravel(), (made.time > 0).ravel(), n_groups=4
        )
        yield found.variance / rate**2, expected["clustered"]
        yield found.n_clusters, expected["n_sellers"]


R = "R 4.2.2"
COMPARISONS = [
    Comparison(
        "attribute_patterns",
        "Shapley shares in two games, only, any",
        f"{R}, sum over all subsets",
        "reference/stats/shapley.csv",
        shapley,
        1e-12,
    ),
    Comparison(
        "exposure_of, rate_interval",
        "at risk, events, hours, rates",
        f"{R}, survival::survSplit and glm(poisson)",
        "reference/stats/rates.csv",
        rates,
        1e-12,
    ),
    Comparison(
        "poisson_limits", "limits", f"{R}, uniroot", "reference/stats/rates.csv", score_limits, 1e-9
    ),
    Comparison(
        "residual_variance",
        "clustered variance of log rates",
        f"{R}, sandwich::vcovHC(HC2)",
        "reference/stats/rates.csv",
        clustered,
        1e-9,
    ),
]
