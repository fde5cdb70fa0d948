"""Logistic regression of successes on categorical factors, from counts.

Unit: a row of counts, ``k`` successes of ``n`` cases that share one level of each factor. Rows may
be cells, single cases, or anything between: sums over rows are all that is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from analysis.stats.logit.coded import Coded
from analysis.stats.logit.existence import estimable, one_sided, separation
from analysis.stats.shares.proportions import checked_counts

PENALTIES = ("none", "firth")
MOST_STEPS = 200
PATIENCE = 15  # steps after which a fit that still moves is searched for separation
LONGEST_STEP = 5.0  # log-odds
SHORTER_STEPS = (0.5, 0.05)  # what a penalised fit that does not settle is tried with next
SETTLED_STEP = 1e-8  # of what Newton's method squares at every step: the next would change nothing
SAMPLE_ABOVE = 60_000  # rows: more are fitted from where one in SAMPLED of them leads
SAMPLED = 16


class LogisticFit(NamedTuple):
    """One fitted model. Columns are the intercept, then each factor's levels but the reference."""

    coefficients: np.ndarray  # log-odds; NaN where aliased, infinite where separated
    covariance: np.ndarray  # of cases that are independent; NaN where there is no coefficient
    aliased: np.ndarray  # bool: left out, since the columns before it determine it
    confounded: np.ndarray  # bool: cannot be told apart from other columns (aliased ones too)
    separated: np.ndarray  # bool: the likelihood has no maximum along this column
    deviance: float  # -2 log-likelihood of the single cases
    null_deviance: float  # the same with the intercept alone
    n_steps: int  # of Newton's method, over all rows
    penalty: str
    coded: Coded  # the rows that have cases
    k: np.ndarray
    n: np.ndarray

    @property
    def usable(self) -> np.ndarray:
        """Numbers of the columns that have a finite coefficient."""
        return np.flatnonzero(~(self.aliased | self.separated))

    @property
    def beta(self) -> np.ndarray:
        """Coefficients with 0 where there is no finite one."""
        found = np.zeros(self.coded.n_columns)
        found[self.usable] = self.coefficients[self.usable]
        return found


class Evaluated(NamedTuple):
    """Score and information at some coefficients."""

    score: np.ndarray
    information: np.ndarray


def logistic_fit(
    codes: np.ndarray,
    k: np.ndarray,
    n: np.ndarray,
    *,
    n_levels: Sequence[int] | None = None,
    reference: Sequence[int] | None = None,
    penalty: str = "none",
) -> LogisticFit:
    """Fit ``logit P(success) = intercept + one effect per factor and level``.

    Parameters
    ----------
    codes
        Level of each factor (columns) in each row, whole numbers from 0. No column: the
        intercept alone.
    k, n
        Successes and cases of each row, ``0 <= k <= n``; rows without cases are ignored.
    n_levels
        Number of levels of each factor; by default the largest code plus 1.
    reference
        Level of each factor that the others are compared with, by default 0.
    penalty
        ``"none"`` for maximum likelihood, ``"firth"`` for Firth's penalty, whose estimates are
        always finite.

    Returns
    -------
    LogisticFit
        A level that the levels before it determine (``aliased``) has no coefficient; it and those
        that it cannot be told apart from are ``confounded``. Where levels are ``separated``, no
        finite value maximises the likelihood: their coefficients are infinite and the others are
        those of the cases that are not settled by them.

    Raises
    ------
    ValueError
        Counts or codes do not fit, ``penalty`` is unknown, or no step improves the fit.

    Notes
    -----
    Newton's method, that is iteratively reweighted least squares: McCullagh and Nelder (1989),
    4.4; a step is halved until the slope at its end has not turned against it, which for a
    concave log-likelihood means that it went up. Large data that are no full table start from the
    fit of a sixteenth of the rows. Existence of the maximum: Albert and Anderson (1984),
    Biometrika 71:1-10; separation is found by linear programming as in Konis (2007), and only
    looked for where a level has no success or no failure or the method does not settle. Penalty:
    Firth (1993), Biometrika 80:27-38; Heinze and Schemper (2002), Stat. Med. 21:2409-2419.

    Examples
    --------
    >>> fit = logistic_fit(np.array([[0], [1]]), np.array([20, 30]), np.array([80, 40]))
    >>> fit.coefficients.round(4).tolist(), np.log([20 / 60, 30 / 10 * 60 / 20]).round(4).tolist()
    ([-1.0986, 2.1972], [-1.0986, 2.1972])
    >>> round(fit.deviance, 4), round(fit.null_deviance, 4)
    (134.9604, 163.0064)
    """
    if penalty not in PENALTIES:
        raise ValueError(f"penalty must be one of {', '.join(PENALTIES)}, got {penalty!r}")
    coded, (k, n) = _checked(codes, k, n, n_levels, reference)
    columns = np.arange(coded.n_columns)
    kept, confounded = estimable(coded, n, columns)
    beta, infinite = np.zeros(coded.n_columns), np.zeros(coded.n_columns)
    information, steps, inside = np.zeros((0, 0)), 0, np.ones(coded.n_rows, bool)
    while len(kept):
        part = coded if inside.all() else coded.some(inside)
        beta, information, steps, settled = _maximum(part, kept, k[inside], n[inside], penalty)
        searched = not settled and penalty == "none"
        direction = separation(part, kept, k[inside], n[inside]) if searched else None
        if direction is None and not settled:
            raise ValueError(f"no maximum found in {MOST_STEPS} steps, and no separation")
        if direction is None:
            break
        infinite = np.where(infinite == 0, np.sign(direction), infinite)
        inside &= np.abs(coded.predictor(direction)) <= 1e-7
        first = np.concatenate([columns[infinite == 0], columns[infinite != 0]])
        kept, _ = estimable(coded.some(inside), n[inside], first)
        beta, information = np.zeros(coded.n_columns), np.zeros((0, 0))
    return _result(
        coded, k, n, beta, kept, infinite, confounded, information, steps, penalty, inside
    )


def _result(
    coded: Coded,
    k: np.ndarray,
    n: np.ndarray,
    beta: np.ndarray,
    kept: np.ndarray,
    infinite: np.ndarray,
    confounded: np.ndarray,
    information: np.ndarray,
    steps: int,
    penalty: str,
    inside: np.ndarray,
) -> LogisticFit:
    covariance = np.full((coded.n_columns, coded.n_columns), np.nan)
    if len(kept):
        covariance[np.ix_(kept, kept)] = np.linalg.inv(information)
    coefficients = np.full(coded.n_columns, np.nan)
    coefficients[kept] = beta[kept]
    coefficients = np.where(infinite != 0, np.copysign(np.inf, infinite), coefficients)
    covariance[infinite != 0] = covariance[:, infinite != 0] = np.nan
    missing = np.isnan(coefficients)
    rows = coded if inside.all() else coded.some(inside)
    deviance = -2 * _log_likelihood(rows, beta, k[inside], n[inside])
    whole, successes = n.sum(), k.sum()
    null = -2 * float(_times_log(successes, successes / whole if whole else 0.0))
    null -= 2 * float(_times_log(whole - successes, 1 - successes / whole if whole else 0.0))
    return LogisticFit(
        coefficients,
        covariance,
        missing,
        confounded | missing,
        infinite != 0,
        deviance,
        null,
        steps,
        penalty,
        coded,
        k,
        n,
    )


def _times_log(count: float, share: float) -> float:
    return count * np.log(share) if count > 0 else 0.0


def _log_likelihood(coded: Coded, beta: np.ndarray, k: np.ndarray, n: np.ndarray) -> float:
    return float(coded.total(k) @ beta - (n * np.log1p(coded.odds(beta))).sum())


def _maximum(
    coded: Coded, kept: np.ndarray, k: np.ndarray, n: np.ndarray, penalty: str
) -> tuple[np.ndarray, np.ndarray, int, bool]:
    """Coefficients, information there, steps, and whether the method settled."""
    beta = np.zeros(coded.n_columns)
    if 0 in kept:
        beta[0] = np.log((k.sum() + 0.5) / (n.sum() - k.sum() + 0.5))
    if penalty == "none" and one_sided(coded, coded.total(k), coded.total(n)):
        return beta, np.zeros((0, 0)), 0, False
    if coded.codes is not None and coded.n_rows > SAMPLE_ABOVE:  # steps on a table take little
        beta = _start(coded, kept, k, n, beta)
    found = _newton(coded, kept, k, n, beta, penalty, MOST_STEPS)
    for longest in SHORTER_STEPS if penalty == "firth" else ():
        if not found[-1]:
            most = round(MOST_STEPS / longest)
            found = _newton(coded, kept, k, n, beta, penalty, most, longest)
    return found


def _start(
    coded: Coded, kept: np.ndarray, k: np.ndarray, n: np.ndarray, beta: np.ndarray
) -> np.ndarray:
    """Where a part of the rows, spread over all of them, leads; ``beta`` if it leads nowhere."""
    stride = int(coded.n_rows * 0.6180339887) | 1
    while np.gcd(stride, coded.n_rows) != 1:
        stride += 2
    rows = np.sort(np.arange(coded.n_rows // SAMPLED) * stride % coded.n_rows)
    part = coded.some(rows)
    found, _, _, settled = _newton(part, kept, k[rows], n[rows], beta, "none", PATIENCE)
    return found if settled and np.abs(found).max() < LONGEST_STEP else beta


def _newton(
    coded: Coded,
    kept: np.ndarray,
    k: np.ndarray,
    n: np.ndarray,
    beta: np.ndarray,
    penalty: str,
    most: int,
    longest: float = LONGEST_STEP,
) -> tuple[np.ndarray, np.ndarray, int, bool]:
    successes = coded.total(k)
    here = _evaluated(coded, kept, successes, n, beta, penalty)
    for steps in range(1, most + 1):
        step = _solved(here)
        if step is None or (penalty == "none" and steps > PATIENCE and np.abs(step).max() > 0.5):
            return beta, here.information, steps, False
        step *= min(1.0, longest / max(np.abs(step).max(), 1e-300))
        if np.abs(step).max() <= SETTLED_STEP:
            beta = beta.copy()
            beta[kept] += step
            return beta, here.information, steps, True
        slope, length = here.score @ step, 1.0
        for _ in range(30):
            there = beta.copy()
            there[kept] += length * step
            ahead = _evaluated(coded, kept, successes, n, there, penalty)
            if ahead.score @ step >= -0.5 * slope:
                break
            length /= 2
        beta, here = there, ahead
    return beta, here.information, most, False


def _solved(here: Evaluated) -> np.ndarray | None:
    """Newton's step; None where the information is singular."""
    try:
        root = np.linalg.cholesky(here.information)
    except np.linalg.LinAlgError:
        return None
    step = np.linalg.solve(root.T, np.linalg.solve(root, here.score))
    return step if np.isfinite(step).all() else None


def _evaluated(
    coded: Coded,
    kept: np.ndarray,
    successes: np.ndarray,
    n: np.ndarray,
    beta: np.ndarray,
    penalty: str,
) -> Evaluated:
    odds = coded.odds(beta)
    share = 1 + odds
    np.divide(1, share, out=share)
    odds *= share
    expected = n * odds
    weight = np.multiply(expected, share, out=odds)
    information = coded.gram(weight)[np.ix_(kept, kept)]
    score = successes - coded.total(expected)
    if penalty == "firth":
        variance = np.zeros((coded.n_columns, coded.n_columns))
        variance[np.ix_(kept, kept)] = np.linalg.pinv(information)
        score = score + coded.total(weight * coded.quadratic(variance) * (share - 0.5))
    return Evaluated(score[kept], information)


def _checked(
    codes: np.ndarray,
    k: np.ndarray,
    n: np.ndarray,
    n_levels: Sequence[int] | None,
    reference: Sequence[int] | None,
) -> tuple[Coded, list[np.ndarray]]:
    codes = np.asarray(codes)
    k, n = checked_counts(k, n)
    if codes.ndim != 2 or not len(codes) == k.size == n.size:
        raise ValueError(f"codes must have a row a count, got {codes.shape} and {k.size} counts")
    if codes.size and (not np.issubdtype(codes.dtype, np.integer) or codes.min() < 0):
        raise ValueError("codes must be whole numbers from 0")
    if n_levels is None:
        n_levels = [int(codes[:, f].max(initial=0)) + 1 for f in range(codes.shape[1])]
    if len(n_levels) != codes.shape[1] or any(
        codes[:, f].max(initial=0) >= levels for f, levels in enumerate(n_levels)
    ):
        raise ValueError(f"codes must be below n_levels, one a factor, got {list(n_levels)}")
    reference = [0] * codes.shape[1] if reference is None else reference
    outside = [not 0 <= r < levels for r, levels in zip(reference, n_levels, strict=True)]
    if any(outside):
        raise ValueError(f"reference must be a level of each factor, got {list(reference)}")
    has = n > 0
    if not has.all():
        codes, k, n = codes[has], k[has], n[has]
    return Coded.pooled(codes, n_levels, reference, k, n)
