"""Proportional hazards, the sums: who was at risk at each event, and what that says of a model.

Unit: a *point*, one time of one stratum at which somebody had the event. Spells are counted by
their pattern of covariates, so sums over everybody at risk are sums over patterns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.stats.curves.life_tables import checked_groups, checked_rows, sorted_pairs
from analysis.stats.curves.segments import Segments, summed_table

if TYPE_CHECKING:
    from scipy.sparse import csr_array

TIES = ("efron", "breslow")
_BLOCK = 20_000  # tied events whose sums are made at once


class Rows(NamedTuple):
    """Counted spells, one row per pattern, time, and whatever else tells them apart."""

    pattern: np.ndarray
    time: np.ndarray
    n_event: np.ndarray
    n_spells: np.ndarray  # with or without the event
    weight: np.ndarray  # what a spell counts for
    entry: np.ndarray | None


class Points(NamedTuple):
    """The times at which somebody had the event, and where on them each row of counts lies."""

    segments: Segments  # which points are of which stratum
    time: np.ndarray
    died: np.ndarray  # how many had the event
    first: np.ndarray  # of each row: the first point at which it is at risk
    last: np.ndarray  # of each row: the last one; before ``first`` if there is none
    origin: np.ndarray  # of each row: the first point of its stratum


class Problem(NamedTuple):
    """Counts in the shape in which every likelihood is a few products of matrices."""

    x: np.ndarray  # patterns x covariates
    points: Points
    rows: Rows
    change: csr_array  # points x patterns: weight that leaves after a point, less what enters
    dying: csr_array  # points x patterns: weight of those who have the event
    ties: str


class Sums(NamedTuple):
    """What a model says at each point; see :func:`sums`."""

    log_likelihood: float
    hazard: np.ndarray  # exp(x beta) of each pattern
    at_risk: np.ndarray  # points x moments (1, x, products of x) over those at risk
    dead: np.ndarray  # likewise over those who have the event
    mean_weight: np.ndarray  # of those who have the event
    powers: np.ndarray  # 5 x points, see :func:`_tied`


def points_of(stratum: np.ndarray, rows: Rows) -> Points:
    """Find the event times of each stratum, and between which of them each row is at risk.

    Examples
    --------
    >>> one, events = np.ones(3), np.array([1, 2, 0])
    >>> rows = Rows(np.zeros(3, int), np.array([1, 3, 2]), events, one + 1, one, None)
    >>> points = points_of(np.zeros(3, int), rows)
    >>> points.time.tolist(), points.died.tolist(), points.last.tolist()
    ([1, 3], [1.0, 2.0], [0, 1, 0])
    """
    time, n_event, entry = rows.time, rows.n_event, rows.entry
    happens = n_event > 0
    own, when = stratum[happens], time[happens]
    pairs, n_strata = sorted_pairs(own, when), int(stratum.max(initial=-1)) + 1
    times, segments = pairs.time, Segments(np.searchsorted(pairs.group, np.arange(n_strata + 1)))
    point = np.cumsum(pairs.first) - 1
    died = np.bincount(point, n_event[happens][pairs.order], minlength=len(times))
    last = _points_passed(segments, times, stratum, time) - 1
    origin = segments.starts[stratum]
    begin = origin if entry is None else _points_passed(segments, times, stratum, entry)
    return Points(segments, times, died, begin, last, origin)


def _points_passed(
    segments: Segments, times: np.ndarray, stratum: np.ndarray, at: np.ndarray
) -> np.ndarray:
    """Return the number of the first point after ``at`` in each row's stratum."""
    if segments.n_groups == 1:
        return np.searchsorted(times, at, side="right")
    passed = np.empty(len(at), dtype=np.int64)
    order = np.argsort(stratum, kind="stable")
    bounds = np.searchsorted(stratum[order], np.arange(segments.n_groups + 1))
    for one in range(segments.n_groups):
        rows = order[bounds[one] : bounds[one + 1]]
        begin, end = segments.starts[one : one + 2]
        passed[rows] = begin + np.searchsorted(times[begin:end], at[rows], side="right")
    return passed


def problem_of(x: np.ndarray, points: Points, rows: Rows, ties: str) -> Problem:
    """Gather rows of counts into weights by point and pattern.

    Examples
    --------
    >>> count = np.array([1.0, 2.0])
    >>> rows = Rows(np.array([0, 1]), np.array([1, 3]), count, count, np.ones(2), None)
    >>> made = problem_of(np.eye(2), points_of(np.zeros(2, int), rows), rows, "efron")
    >>> made.change.toarray().tolist()
    [[1.0, 0.0], [0.0, 2.0]]
    """
    shape, pattern = (len(points.time), len(x)), rows.pattern
    seen = points.last >= points.first  # at risk at one event at least
    late = seen & (points.first > points.origin)
    total = rows.n_spells * rows.weight
    change = summed_table(
        np.concatenate([total[seen], -total[late]]),
        np.concatenate([points.last[seen], points.first[late] - 1]),
        np.concatenate([pattern[seen], pattern[late]]),
        shape,
    )
    dies = rows.n_event > 0
    events = (rows.n_event * rows.weight)[dies]
    dying = summed_table(events, points.last[dies], pattern[dies], shape)
    return Problem(x, points, rows, change, dying, ties)


def sums(problem: Problem, beta: np.ndarray) -> Sums:
    """Sum moments of the covariates over those at risk and those who have the event.

    Parameters
    ----------
    problem
        From :func:`problem_of`.
    beta
        One value a covariate.

    Notes
    -----
    Moments are weighted with ``exp(x beta)``. ``log_likelihood`` is the partial likelihood of Cox
    (1972), J. R. Stat. Soc. B 34:187-220, with the ties of Efron (1977), J. Am. Stat. Assoc.
    72:557-565, or Breslow (1974), Biometrics 30:89-99.

    Examples
    --------
    >>> one = np.ones(2)
    >>> rows = Rows(np.array([0, 1]), np.array([1, 3]), one, one, one, None)
    >>> problem = problem_of(np.eye(2), points_of(np.zeros(2, int), rows), rows, "efron")
    >>> round(sums(problem, np.zeros(2)).log_likelihood, 6)
    -0.693147
    """
    linear = problem.x @ beta
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        hazard = np.exp(linear)
        moments = hazard[:, None] * _moments(problem.x)
        at_risk = _from_end(problem.points.segments, problem.change @ moments)
        dead = problem.dying @ moments
        weights = np.asarray(problem.dying.sum(axis=1)).ravel()
        died = problem.points.died
        mean_weight = weights / died
        logs, powers = _tied(at_risk[:, 0], dead[:, 0], died, problem.ties)
        own = np.asarray(problem.dying.sum(axis=0)).ravel() @ linear
        value = float(own - mean_weight @ logs)
    return Sums(value, hazard, at_risk, dead, mean_weight, powers)


def score(problem: Problem, found: Sums) -> np.ndarray:
    """Return points x covariates: observed less expected covariates of those with the event.

    Examples
    --------
    >>> one = np.ones(2)
    >>> rows = Rows(np.array([0, 1]), np.array([1, 3]), one, one, one, None)
    >>> problem = problem_of(np.eye(2), points_of(np.zeros(2, int), rows), rows, "efron")
    >>> score(problem, sums(problem, np.zeros(2))).tolist()
    [[0.5, -0.5], [0.0, 0.0]]
    """
    n = problem.x.shape[1] + 1
    a, b = found.powers[:2]
    expected = a[:, None] * found.at_risk[:, 1:n] - b[:, None] * found.dead[:, 1:n]
    return problem.dying @ problem.x - found.mean_weight[:, None] * expected


def information(found: Sums, n_covariates: int, factor: np.ndarray | None = None) -> np.ndarray:
    """Return the sum over points of ``factor`` times the variance of the covariates there.

    Examples
    --------
    >>> one = np.ones(2)
    >>> rows = Rows(np.array([0, 1]), np.array([1, 3]), one, one, one, None)
    >>> problem = problem_of(np.eye(2), points_of(np.zeros(2, int), rows), rows, "efron")
    >>> information(sums(problem, np.zeros(2)), 2).tolist()
    [[0.25, -0.25], [-0.25, 0.25]]
    """
    n = n_covariates + 1
    weight = found.mean_weight if factor is None else found.mean_weight * factor
    a, b, c0, c1, c2 = found.powers * weight
    first, dead = found.at_risk[:, 1:n], found.dead[:, 1:n]
    crossed = (first * c1[:, None]).T @ dead
    squares = (first * c0[:, None]).T @ first - crossed - crossed.T
    squares += (dead * c2[:, None]).T @ dead
    products = a @ found.at_risk[:, n:] - b @ found.dead[:, n:]
    whole = np.empty((n_covariates, n_covariates))
    rows, columns = np.triu_indices(n_covariates)
    whole[rows, columns] = whole[columns, rows] = products
    return whole - squares


def _moments(x: np.ndarray) -> np.ndarray:
    """Return 1, x and the products of two of x for each pattern."""
    rows, columns = np.triu_indices(x.shape[1])
    return np.hstack([np.ones((len(x), 1)), x, x[:, rows] * x[:, columns]])


def _from_end(segments: Segments, x: np.ndarray) -> np.ndarray:
    """Sum from each point to the last of its stratum, in every column."""
    if segments.n_groups <= 1:
        return np.cumsum(x[::-1], axis=0)[::-1]
    return np.stack([segments.sum_from_end(column) for column in x.T], axis=1)


def _tied(
    at_risk: np.ndarray, dead: np.ndarray, died: np.ndarray, ties: str
) -> tuple[np.ndarray, np.ndarray]:
    """Sums over the events that tie at a point, the k-th of d with ``f = k / d``.

    Returns the sum of ``log(Y - f D)``; and those of ``1 / (Y - f D)``, ``f / (Y - f D)``, and
    ``1``, ``f`` and ``f**2`` over its square. Breslow: f is 0.
    """
    if ties == "breslow":
        one = died / at_risk
        none = np.zeros(len(died))
        return died * np.log(at_risk), np.array([one, none, one / at_risk, none, none])
    parts = [np.zeros((6, 0))]
    blocks = np.cumsum(died) // _BLOCK
    for rows in np.split(np.arange(len(died)), np.flatnonzero(np.diff(blocks)) + 1):
        parts.append(_tied_block(at_risk[rows], dead[rows], died[rows].astype(np.int64)))
    logs, *powers = np.concatenate(parts, axis=1)
    return logs, np.array(powers)


def _tied_block(at_risk: np.ndarray, dead: np.ndarray, died: np.ndarray) -> np.ndarray:
    """Sums of :func:`_tied` over so few events that the processor keeps them at hand."""
    if not len(died):
        return np.zeros((6, 0))
    begin = np.cumsum(died) - died
    f = (np.arange(died.sum()) - np.repeat(begin, died)) / np.repeat(died, died)
    left = np.repeat(at_risk, died) - f * np.repeat(dead, died)
    inverse = 1 / left
    square = inverse**2
    shifted = f * square
    parts = (np.log(left), inverse, f * inverse, square, shifted, f * shifted)
    return np.array([np.add.reduceat(part, begin) for part in parts])


def checked_spells(
    x: np.ndarray,
    pattern: np.ndarray,
    time: np.ndarray,
    counts: list[np.ndarray],
    entry: np.ndarray | None,
    ties: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Return covariates as floats and patterns as int64 if everything fits.

    Raises
    ------
    ValueError
        It does not.

    Examples
    --------
    >>> checked_spells(np.ones((1, 1)), [0], np.array([1]), [np.array([0.5])], None, "efron")
    Traceback (most recent call last):
    ValueError: n_event must be whole for ties 'efron'; put weights into weight
    """
    if ties not in TIES:
        raise ValueError(f"ties must be one of {', '.join(TIES)}, got {ties!r}")
    x = np.asarray(x, dtype=float)
    if x.ndim != 2 or not np.isfinite(x).all():
        raise ValueError("covariates must be patterns x covariates, all of them finite")
    pattern, _ = checked_groups(pattern, len(x))
    checked_rows(pattern, time, counts if entry is None else [*counts, entry])
    if ties == "efron" and (counts[0] % 1 != 0).any():
        raise ValueError("n_event must be whole for ties 'efron'; put weights into weight")
    if entry is not None and (entry >= time).any():
        raise ValueError("entry must be before time")
    return x, pattern
