"""The same estimates a second time: spell by spell, plain Python, exact fractions.

A spell is ``(entry, exit, cause)``; cause 0 is censored. Entry None: at risk from the beginning.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

Spell = tuple[int | None, int, int]


def at_risk(spell: Spell, time: int) -> bool:
    """At risk over (entry, exit]."""
    entry, end, _ = spell
    return (entry is None or entry < time) and time <= end


def aalen_johansen(
    spells: Sequence[Spell], causes: int, weights: Sequence[Fraction] | None = None
) -> list[dict]:
    """One dict per time at which somebody leaves; Kaplan-Meier is the share ``survival``."""
    weights = weights or [Fraction(1)] * len(spells)
    survival, incidence, hazard = Fraction(1), [Fraction(0)] * causes, Fraction(0)
    greenwood, hazard_variance = Fraction(0), Fraction(0)
    rows = []
    for time in sorted({end for _, end, _ in spells}):
        here = [(w, s) for w, s in zip(weights, spells, strict=True) if at_risk(s, time)]
        risk = sum(w for w, _ in here)
        ends = [sum(w for w, s in here if s[1:] == (time, c)) for c in range(causes + 1)]
        events = sum(ends[1:])
        incidence = [f + survival * d / risk for f, d in zip(incidence, ends[1:], strict=True)]
        hazard += Fraction(events) / risk
        hazard_variance += Fraction(events) / risk**2
        survival *= 1 - Fraction(events) / risk
        if survival:
            greenwood += Fraction(events) / (risk * (risk - events))
        rows.append(
            {
                "time": time,
                "n_at_risk": risk,
                "n_events": ends[1:],
                "n_censored": ends[0],
                "survival": survival,
                "variance": survival**2 * greenwood if survival else None,
                "hazard": hazard,
                "hazard_variance": hazard_variance,
                "incidence": incidence,
            }
        )
    return rows


def jackknife_variance(spells: Sequence[Spell], causes: int) -> np.ndarray:
    """Infinitesimal jackknife: squared derivatives by each spell's weight, summed; time x cause."""
    step = Fraction(1, 10**8)
    total = 0.0
    for i in range(len(spells)):
        shares = []
        for sign in (1, -1):
            weights = [Fraction(1) + sign * step * (j == i) for j in range(len(spells))]
            rows = aalen_johansen(spells, causes, weights)
            shares.append([row["incidence"] for row in rows])
        slope = [
            [float((up - down) / (2 * step)) for up, down in zip(*pair, strict=True)]
            for pair in zip(*shares, strict=True)
        ]
        total = total + np.array(slope) ** 2
    return total


def restricted_mean(spells: Sequence[Spell], tau: int) -> Fraction:
    """Area under the exact curve from 0 to ``tau``."""
    area, since, level = Fraction(0), 0, Fraction(1)
    for row in aalen_johansen(spells, max(1, *(s[2] for s in spells))):
        until = min(row["time"], tau)
        area, since, level = area + level * (until - since), until, row["survival"]
    return area + level * (tau - since)


def quantile(spells: Sequence[Spell], prob: Fraction) -> Fraction | None:
    """First time the share with the event is ``prob``; the middle of the stretch if it stays."""
    rows = aalen_johansen(spells, max(1, *(s[2] for s in spells)))
    reached = [row["time"] for row in rows if 1 - row["survival"] >= prob]
    passed = [row["time"] for row in rows if 1 - row["survival"] > prob]
    if not reached:
        return None
    return Fraction(reached[0] + (passed[0] if passed else rows[-1]["time"]), 2)


def counts_of(spells: Sequence[Spell], causes: int) -> dict[str, np.ndarray]:
    """One row of counts per spell, and one more per entry if anybody enters late."""
    end = np.array([s[1] for s in spells], dtype=np.int64)
    cause = np.array([s[2] for s in spells], dtype=np.int64)
    n_events = (cause[:, None] == np.arange(1, causes + 1)).astype(np.int64)
    rows = {"time": end, "n_events": n_events, "n_censored": (cause == 0).astype(np.int64)}
    entry = [s[0] for s in spells if s[0] is not None]
    if entry:
        nobody = np.zeros(len(entry), dtype=np.int64)
        rows = {
            "time": np.concatenate([end, np.array(entry, dtype=np.int64)]),
            "n_events": np.concatenate([n_events, np.zeros((len(entry), causes), np.int64)]),
            "n_censored": np.concatenate([rows["n_censored"], nobody]),
            "n_entered": np.concatenate([np.zeros(len(end), np.int64), nobody + 1]),
        }
    return rows


def cluster_variance(k: np.ndarray, n: np.ndarray) -> tuple[float, float]:
    """CR2 variance of sum k / sum n and its degrees of freedom, by the matrices of the paper.

    Bell and McCaffrey (2002): regression of the units on a constant, clusters of ``n`` units,
    working model of independent units. Matrices are as large as there are units.
    """
    cluster = np.repeat(np.arange(len(n)), n)
    y = np.concatenate([np.arange(size) < ones for ones, size in zip(k, n, strict=True)])
    size = len(y)
    annihilator = np.eye(size) - np.ones((size, size)) / size
    residual = annihilator @ y
    variance, columns = 0.0, []
    for c in range(len(n)):
        own = cluster == c
        values, vectors = np.linalg.eigh(annihilator[np.ix_(own, own)])
        root = vectors @ np.diag(1 / np.sqrt(values)) @ vectors.T
        weights = root @ np.ones(own.sum()) / size
        variance += (weights @ residual[own]) ** 2
        columns.append(annihilator[:, own] @ weights)
    inner = np.stack(columns, axis=1).T @ np.stack(columns, axis=1)
    return variance, np.trace(inner) ** 2 / np.trace(inner @ inner)
