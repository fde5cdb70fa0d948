"""The measures a second time: row by row, in plain Python, with exact fractions, no engine.

Slow and simple on purpose; nothing is shared with the code under test but the words of the
contract and the promises of the rails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm, t

from analysis.contract import codes

Row = dict[str, Any]
NAN = float("nan")
HOUR, DAY = 3600, 86_400


class Data:
    """All rows of a dataset, and the joins that people do by hand."""

    def __init__(self, frames: dict[str, Any], as_of: Any) -> None:
        self.as_of = pd.Timestamp(as_of).tz_convert(UTC).to_pydatetime()
        self.rows = {name: frame.to_pylist() for name, frame in frames.items()}
        sellers = {row["seller_id"]: row for row in self.rows["sellers"]}
        nobody = dict.fromkeys(self.rows["sellers"][0])
        self.orders = [
            {**sellers.get(row["seller_id"], nobody), **row} for row in self.rows["orders"]
        ]
        self._order = {row["order_id"]: row for row in self.orders}
        self._request = {row["request_id"]: row for row in self.rows["requests"]}

    def requests(self, requested_by: str | None = "buyer") -> list[Row]:
        """Requests with their order and seller."""
        return [
            {**self._order[row["order_id"]], **row}
            for row in self.rows["requests"]
            if requested_by in (None, row["requested_by"])
        ]

    def refunds(self) -> list[Row]:
        """Refund legs with their order and seller, and the decision that caused them."""
        joined = []
        for row in self.rows["refunds"]:
            request = self._request.get(row["request_id"], {})
            order = self._order[row["order_id"]]
            due = request.get("decided_at") or order["ended_at"]
            joined.append({**order, **row, "due_since": due})
        return joined

    def sessions(self) -> list[Row]:
        """Walks through the dialogue with their order, and how far they came."""
        asked = {
            (row["order_id"], row["requested_at"])
            for row in self.rows["requests"]
            if row["outcome"] in codes.SUCCESS
        }
        found: dict[Any, Row] = {}
        for row in self.rows["steps"]:
            session = found.setdefault(
                row["session_id"], {**self._order[row["order_id"]], "reached": set()}
            )
            session["reached"].add(row["step"])
            if row["step"] == "submit" and (row["order_id"], row["occurred_at"]) in asked:
                session["reached"].add("cancelled")
        return list(found.values())

    def age(self, moment: datetime) -> int:
        """Seconds from a moment to the end of observation."""
        return seconds(moment, self.as_of)


def seconds(start: datetime, end: datetime | None) -> int | None:
    """Seconds from one moment to another, None if there is no end."""
    return None if end is None else int((end - start).total_seconds())


def business_seconds(start: datetime, end: datetime | None) -> int | None:
    """Seconds of Monday to Friday, day by day."""
    if end is None:
        return None
    total, begin = 0, start
    while begin < end:
        midnight = begin.replace(hour=0, minute=0, second=0) + timedelta(days=1)
        until = min(midnight, end)
        total += seconds(begin, until) if begin.weekday() < 5 else 0
        begin = until
    return total


def grouped(rows: Iterable[Row], by: Sequence[str]) -> dict[tuple, list[Row]]:
    """Rows by group, sorted, missing last; one group of all without ``by``."""
    groups: dict[tuple, list[Row]] = {} if by else {(): []}
    for row in rows:
        groups.setdefault(tuple(row[column] for column in by), []).append(row)
    order = sorted(groups, key=lambda g: [(v is None, 0 if v is None else v) for v in g])
    return {group: groups[group] for group in order}


def table(
    rows: Iterable[Row], by: Sequence[str], make: Callable[[list[Row]], Iterable[Row]]
) -> pd.DataFrame:
    """One table of what ``make`` returns for the rows of each group."""
    made = [
        {**dict(zip(by, group, strict=True)), **row}
        for group, members in grouped(rows, by).items()
        for row in make(members)
    ]
    return pd.DataFrame(made)


# Shares: every row that counts twice is written down twice.


def share(
    rows: list[Row],
    counts: Callable[[Row], bool],
    event: Callable[[Row], bool],
    *,
    level: float = 0.95,
    buyers: bool = False,
) -> Row:
    """Share of the rows that count for which the event holds, clustered by seller (and buyer)."""
    units: list[tuple[Any, bool]] = []
    bought: list[Any] = []
    pending = 0
    for i, row in enumerate(rows):
        weight = 1 if row.get("weight") is None else int(row["weight"])
        if not counts(row):
            pending += weight
            continue
        alone = row["seller_id"] is None
        units += [(("row", i) if alone else ("seller", row["seller_id"]), event(row))] * weight
        bought += [row["buyer_id"] if buyers else None] * weight
    y = np.array([happened for _, happened in units], dtype=float)
    names = sorted({str(name) for name, _ in units})
    member = np.array([[str(name) == one for one in names] for name, _ in units], dtype=float)
    ways = (bought, list(zip([name for name, _ in units], bought, strict=True)))
    low, high = _limits(y, member, level, ways if len(set(bought)) > 1 else None)
    few = "too few to cluster" if len(names) < 2 else "clustered"
    method = f"Wilson, {few} by seller"
    if len(set(bought)) > 1:
        method = f"Wilson, clustered by buyer, {few} by seller"
        method = method if len(names) < 2 else "Wilson, clustered by seller and buyer"
    return {
        "estimate": y.mean() if len(y) else NAN,
        "ci_low": low,
        "ci_high": high,
        "n": len(y),
        "n_events": int(y.sum()),
        "n_pending": pending,
        "n_clusters": len(names),
        "interval": method,
    }


def _limits(
    y: np.ndarray, member: np.ndarray, level: float, ways: tuple[list, list] | None = None
) -> tuple[float, float]:
    """Wilson limits at the sample size that the bias-reduced cluster variance is worth.

    ``ways``: the buyer of each unit, and its pair of seller and buyer, for a second way of
    clustering: its variance is added and that of the pairs taken away.
    """
    n = len(y)
    if not n:
        return NAN, NAN
    p = y.mean()
    second = _squares(y - p, ways[0]) / n**2 if ways else 0.0
    buyers = len(set(ways[0])) if ways else 0
    second *= buyers / (buyers - 1) if ways else 1
    if member.shape[1] < 2 and ways:
        worth = n if second == 0 or p in (0, 1) else min(p * (1 - p) / second, n)
        return wilson(p, worth, t.ppf((1 + level) / 2, buyers - 1))
    if member.shape[1] < 2:
        return wilson(p, n, norm.ppf((1 + level) / 2))
    residual = member.T @ (y - p)
    size = member.sum(axis=0)
    stretch = 1 / np.sqrt(1 - size / n)
    variance = ((stretch * residual) ** 2).sum() / n**2
    # Satterthwaite: each cluster's part of the variance as a quadratic form in independent errors
    forms = stretch * (member - size / n) / n  # rows x clusters
    gram = forms.T @ forms
    df = max(np.trace(gram) ** 2 / (gram**2).sum(), 1)
    if ways:
        whole = max(variance + second - _squares(y - p, ways[1]) / n**2, variance, second)
        df = max(df * (whole / variance) ** 2, 1) if variance > 0 else df
        variance = whole
    worth = n if variance == 0 or p in (0, 1) else min(p * (1 - p) / variance, n)
    return wilson(p, worth, t.ppf((1 + level) / 2, df))


def _squares(residual: np.ndarray, names: list) -> float:
    """Sum over names of the squared sum of their residuals."""
    sums: dict[str, float] = {}
    for name, value in zip(names, residual, strict=True):
        sums[str(name)] = sums.get(str(name), 0.0) + value
    return sum(value**2 for value in sums.values())


def wilson(p: float, n: float, z: float) -> tuple[float, float]:
    """Wilson (1927), centre and half width."""
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return (0.0 if p == 0 else centre - half), (1.0 if p == 1 else centre + half)


# Curves: spells as (time in whole units, cause or 0), exact fractions.


def units(seconds_: int, unit: int) -> int:
    """Whole units, rounded up."""
    return max(-(-seconds_ // unit), 0)


class Curve:
    """Aalen-Johansen of spells; with one cause one minus Kaplan-Meier."""

    def __init__(
        self,
        spells: list[tuple[int, int]],
        n_causes: int,
        *,
        names: Sequence[Any] | None = None,  # cluster of each spell; None: there are none
        rows: Sequence[int] | None = None,  # if weighted: a row that counts twice is there twice
    ):
        self.spells, self.causes = spells, range(1, n_causes + 1)
        self.names, self.rows = names, rows
        n = len(spells)
        self.n_clusters = n if names is None else len(set(names))
        self.clustered = names is not None and self.n_clusters >= 2
        self.z = norm.ppf(0.975)
        if self.clustered:
            member = membership(names)
            size = member.sum(axis=0)
            forms = (member - size / n) / n / np.sqrt(1 - size / n)  # as in ``_limits``
            gram = forms.T @ forms
            self.z = t.ppf(0.975, max(np.trace(gram) ** 2 / (gram**2).sum(), 1))
        self.steps = []  # time, at risk, ends by cause, survival just before
        survival = Fraction(1)
        for time in sorted({time for time, _ in spells}):
            at_risk = sum(end >= time for end, _ in spells)
            ends = [sum(spell == (time, cause) for spell in spells) for cause in self.causes]
            self.steps.append((time, at_risk, ends, survival))
            survival *= Fraction(at_risk - sum(ends), at_risk)
        self.moves = self._moves()

    def _moves(self) -> list[np.ndarray]:
        """Derivatives by each spell's weight after each step: survival, then each incidence."""
        time, cause = (np.array([s[i] for s in self.spells], dtype=int) for i in (0, 1))
        moves, found = np.zeros((len(self.causes) + 1, len(time))), []
        for at, at_risk, ends, before in self.steps:
            hazards = np.array([end / at_risk for end in ends])[:, None]
            own = np.array([(time == at) & (cause == c) for c in self.causes])
            change = (own - (time >= at) * hazards) / at_risk
            ended = moves[0] * hazards + float(before) * change
            moves = moves + np.vstack([-ended.sum(axis=0), ended])
            found.append(moves)
        return found

    def robust(self, moves: np.ndarray, independent: float | None) -> float:
        """Sum over clusters of squared moves, enlarged; at least that of independent spells."""

        def squares(names: Sequence[Any]) -> float:
            member = membership(names)
            part = member.sum(axis=0) / len(names)
            return float(((moves @ member) ** 2 / (1 - part)).sum()) if len(part) > 1 else 0.0

        if self.rows is not None:
            independent = squares(self.rows)
        return max(squares(self.names), independent) if self.clustered else independent

    def named(self, base: str, clustered: str | None = None) -> Row:
        """How many clusters, and the name of the limits."""
        if self.names is None:
            return {"n_clusters": self.n_clusters, "interval": base}
        few = f"{base}, too few to cluster by seller"
        wide = f"{clustered or base}, clustered by seller"
        return {"n_clusters": self.n_clusters, "interval": wide if self.clustered else few}

    def survival(self, at: float) -> Fraction:
        """Share not ended by ``at``."""
        left = Fraction(1)
        for _, at_risk, ends, _ in self._until(at):
            left *= Fraction(at_risk - sum(ends), at_risk)
        return left

    def incidence(self, cause: int, at: float) -> Fraction:
        """Share ended in one way by ``at``."""
        jumps = (before * Fraction(ends[cause - 1], y) for _, y, ends, before in self._until(at))
        return sum(jumps, Fraction(0))

    def survival_variance(self, at: float) -> Fraction | None:
        """Greenwood (1926); None once nobody is left."""
        total = Fraction(0)
        for _, at_risk, ends, _ in self._until(at):
            if sum(ends) == at_risk:
                return None
            total += Fraction(sum(ends), at_risk * (at_risk - sum(ends)))
        return self.survival(at) ** 2 * total

    def incidence_variance(self, cause: int, at: float) -> Fraction:
        """Multinomial variance of the ends at each time, carried to ``at``."""
        total, final = Fraction(0), self.incidence(cause, at)
        for time, at_risk, ends, before in self._until(at):
            stay = at_risk - sum(ends)
            to_come = (final - self.incidence(cause, time)) / stay if stay else Fraction(0)
            change = [before / at_risk * (j == cause) - to_come for j in self.causes]
            squares = sum(d * c**2 for d, c in zip(ends, change, strict=True))
            mean = sum(d * c for d, c in zip(ends, change, strict=True))
            total += squares - mean**2 / at_risk
        return total

    def variance(self, at: float, cause: int | None) -> float:
        """Variance of the share ended by the cause, or not ended for None, clustered or not."""
        own = self.survival_variance(at) if cause is None else self.incidence_variance(cause, at)
        return self.robust(self.moves[len(self._until(at)) - 1][cause or 0], float(own))

    def row(self, at: float, cause: int | None) -> Row:
        """Estimate, limits and counts at one time; ``cause`` None is the share not ended."""
        past = [(time, c) for time, c in self.spells if time <= at]
        ended = sum(c != 0 if cause is None else c == cause for _, c in past)
        censored = sum(c == 0 for _, c in past)
        counts = {
            "n_at_risk": sum(time >= at for time, _ in self.spells),
            "n_events": ended,
            "n_censored": censored,
            "n": len(self.spells),
        }
        if not counts["n_at_risk"]:
            return {"estimate": NAN, "ci_low": NAN, "ci_high": NAN, **counts}
        share_ = self.survival(at) if cause is None else self.incidence(cause, at)
        if share_ in (0, 1):
            known = max(len(self.spells) - censored, ended)
            low, high = wilson(float(share_), known, self.z) if known else (NAN, NAN)
        else:
            low, high = self.log_log(float(share_), self.variance(at, cause))
        return {"estimate": float(share_), "ci_low": low, "ci_high": high, **counts}

    def ended_row(self, at: float) -> Row:
        """One minus Kaplan-Meier: limits are those of survival, turned round."""
        made = self.row(at, 1)
        left = self.survival(at)
        if 0 < left < 1 and made["n_at_risk"]:
            low, high = self.log_log(float(left), self.variance(at, None))
            made |= {"ci_low": 1 - high, "ci_high": 1 - low}
        return made

    def log_log(self, share_: float, variance: float) -> tuple[float, float]:
        """Limits symmetric on log(-log)."""
        factor = np.exp(self.z * np.sqrt(variance) / abs(share_ * np.log(share_)))
        return share_**factor, share_ ** (1 / factor)

    def quantile(self, probability: float) -> tuple[float, float, float]:
        """Time at which survival, and its limits, come down to 1 - probability."""
        lines = []
        for time in (step[0] for step in self.steps):
            left = self.survival(time)
            flat = left in (0, 1)
            low, high = (NAN, NAN) if flat else self.log_log(float(left), self.variance(time, None))
            lines.append((time, float(left), low, high))
        return tuple(self._crossing(lines, i, 1 - probability) for i in (1, 2, 3))

    @staticmethod
    def _crossing(lines: list[tuple], i: int, level: float) -> float:
        reached = [line[0] for line in lines if line[i] <= level + 1e-8]
        passed = [line[0] for line in lines if line[i] < level - 1e-8]
        if not reached:
            return NAN
        return (reached[0] + (passed[0] if passed else lines[-1][0])) / 2

    def mean(self, tau: int) -> tuple[float, float, float]:
        """Area under survival up to ``tau``, with symmetric limits."""
        last = max((time for time, _ in self.spells), default=-1)
        if not self.spells or (last < tau and self.survival(last) > 0):
            return NAN, NAN, NAN

        def area(since: int) -> Fraction:
            edges = sorted({since, tau} | {s[0] for s in self.steps if since < s[0] < tau})
            pairs = zip(edges, edges[1:], strict=False)
            return sum((self.survival(a) * (b - a) for a, b in pairs), Fraction(0))

        variance = Fraction(0)
        for time, at_risk, ends, _ in self.steps:
            if time < tau and 0 < sum(ends) < at_risk:
                jump = Fraction(sum(ends), at_risk * (at_risk - sum(ends)))
                variance += jump * area(time) ** 2
        ends = [*(step[0] for step in self.steps if step[0] < tau), tau]
        moved = sum(
            (self.moves[i][0] * (b - a) for i, (a, b) in enumerate(pairwise(ends))),
            np.zeros(len(self.spells)),
        )
        mean, half = float(area(0)), self.z * np.sqrt(self.robust(moved, float(variance)))
        return mean, max(mean - half, 0), min(mean + half, tau)

    def _until(self, at: float) -> list[tuple]:
        return [step for step in self.steps if step[0] <= at]


def membership(names: Sequence[Any]) -> np.ndarray:
    """Which spell is of which cluster: spells x clusters, 0 or 1."""
    words = [str(name) for name in names]
    return np.array([[word == one for one in sorted(set(words))] for word in words], dtype=float)


def curve_of(rows: list[Row], spell: Callable[[Row], tuple[int, int]], n_causes: int) -> Curve:
    """Curve of rows that may have sellers and whole weights."""
    spells, names, numbers = [], [], []
    for i, row in enumerate(rows):
        weight = 1 if row.get("weight") is None else int(row["weight"])
        seller = row["seller_id"]
        spells += [spell(row)] * weight
        names += [("row", i) if seller is None else ("seller", seller)] * weight
        numbers += [i] * weight
    weighted = any("weight" in row and row["weight"] is not None for row in rows)
    return Curve(spells, n_causes, names=names, rows=numbers if weighted else None)


def cut(time: int, cause: int, horizon: int) -> tuple[int, int]:
    """What lies beyond the horizon of a curve is censored just after it."""
    return (time, cause) if time <= horizon else (horizon + 1, 0)
