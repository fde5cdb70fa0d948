"""Funnel plots: how far from its target a group must be before chance is no explanation.

Unit: a group with ``k`` of ``n`` and a target rate (the same for all, or what its case mix makes
expect). Limits are narrow for large groups and wide for small ones.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.scales import Pair, checked_level, normal_quantile
from analysis.stats.shares.proportions import checked_counts

WINSORISED = 0.1  # of the z-scores at each end
_HALVINGS = 60


class Dispersion(NamedTuple):
    """How much more than chance scatters the z-scores of groups."""

    phi: float  # mean square of the winsorised z-scores; 1 where chance is all
    variance: float  # between groups, on the scale of the rates (tau squared); at least 0
    n: int  # groups that it rests on


def funnel_limits(target: np.ndarray, n: np.ndarray, *, level: float = 0.95) -> Pair:
    """Exact binomial control limits of the rate of a group of size ``n``, interpolated.

    Parameters
    ----------
    target
        Rate that is expected, in [0, 1].
    n
        Size of the group, at least 0; need not be whole (it is rounded).
    level
        Probability that a group on target lies between the limits, in (0, 1).

    Returns
    -------
    low, high : ndarray
        In [0, 1]; NaN where ``n`` is 0.

    Raises
    ------
    ValueError
        A target is not in [0, 1], a size is negative, ``level`` is not in (0, 1), or so close to 1
        that its tails are rounded to nothing.

    Notes
    -----
    With ``r`` the smallest count whose cumulated probability reaches the tail ``p``, the limit is
    ``(r - a) / n`` with ``a = (F(r) - p) / (F(r) - F(r - 1))``: the distribution function is
    made continuous by straight lines, so that limits do not jump with ``n``.
    Source: Spiegelhalter (2005), Stat. Med. 24:1185-1202, appendix A.1.1.

    Examples
    --------
    >>> low, high = funnel_limits(0.5, np.array([10, 100]))
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.1324, 0.3968], [0.7676, 0.5932])
    """
    target, n = np.broadcast_arrays(np.asarray(target, float), np.rint(np.asarray(n, float)))
    if not ((target >= 0) & (target <= 1)).all():
        raise ValueError("target must be in [0, 1]")
    checked_counts(0, n)
    tail = (1 - checked_level(level)) / 2
    if 1 - tail == 1:
        raise ValueError(f"level must leave tails that are not rounded to nothing, got {level}")
    ends = [_interpolated(target, n, share) for share in (tail, 1 - tail)]
    return ends[0], ends[1]


def _interpolated(target: np.ndarray, n: np.ndarray, share: float) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        r, above, below = (
            found.reshape(n.shape) for found in _binomial_quantile(share, n.ravel(), target.ravel())
        )
        part = np.where(above > below, (above - share) / (above - below), 0)
        limit = np.clip((r - part) / n, 0, 1)
    known = n > 0
    return np.where(known, np.where((target > 0) & (target < 1), limit, target), np.nan)


def _binomial_quantile(
    share: float, n: np.ndarray, p: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Smallest count that has ``share`` at or below it, how much it has, and the one before it.

    From where Cornish and Fisher (1938) expect it, up or down one by one: mostly it is there.
    """
    from scipy.special import ndtri

    z = ndtri(share)
    about = n * p + z * np.sqrt(n * p * (1 - p)) + (1 - 2 * p) * (z**2 - 1) / 6
    count = np.clip(np.ceil(about - 0.5), 0, n)
    here, before = _binomial_share(count, n, p), _binomial_share(count - 1, n, p)
    while len(rows := np.flatnonzero((here < share) | (before >= share))):
        up = here[rows] < share
        count[rows] += np.where(up, 1, -1)
        beyond = _binomial_share(count[rows] - ~up, n[rows], p[rows])
        here[rows], before[rows] = (
            np.where(up, beyond, before[rows]),
            np.where(up, here[rows], beyond),
        )
    return count, here, before


def _binomial_share(count: np.ndarray, n: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Share of the distribution at or below a count."""
    from scipy.special import betainc

    share = betainc(np.maximum(n - count, 1), np.maximum(count, 0) + 1, 1 - p)
    return np.where(count < 0, 0.0, np.where(count < n, share, 1.0))


def dispersion(
    deviation: np.ndarray,
    variance: np.ndarray,
    *,
    winsorise: float = WINSORISED,
    consistent: bool = True,
) -> Dispersion:
    """How much more than chance scatters groups around their targets.

    Parameters
    ----------
    deviation
        Observed minus target of each group.
    variance
        Of the deviation if chance alone acted, above 0; rows where it is not are left out.
    winsorise
        Share of the z-scores at each end that is moved to the quantile there, in [0, 0.5): a few
        outliers then do not hide themselves.
    consistent
        Divide ``phi`` by what winsorising makes of standard normal z-scores (0.68 for a tenth),
        so that it is 1 where chance is all, and find the variance that brings it to 1 (Paule
        and Mandel). The published formula does neither, and the variance is too small where
        groups are of unequal size, since winsorising then cuts the large ones.

    Returns
    -------
    Dispersion
        ``phi`` for multiplicative limits (``z * sqrt(phi)``), ``variance`` (tau squared) for
        additive ones; ``(1, 0, n)`` for fewer than two groups.

    Raises
    ------
    ValueError
        ``winsorise`` is not in [0, 0.5).

    Notes
    -----
    ``tau^2 = (I phi - (I - 1)) / (sum w - sum w^2 / sum w)`` with ``w`` the inverse variances of
    ``I`` groups, and 0 where ``phi < (I - 1) / I``, as published; else the root in ``tau^2`` of
    ``mean square of winsorised deviation / sqrt(variance + tau^2) = phi by chance``.
    Source: Spiegelhalter (2005), Qual. Saf. Health Care 14:347-351, and Spiegelhalter (2005) as
    in :func:`funnel_limits`, appendix A.3; DerSimonian and Laird (1986), Control. Clin. Trials
    7:177-188; Paule and Mandel (1982), J. Res. Natl. Bur. Stand. 87:377-385.
    Quantiles are R's type 7.

    Examples
    --------
    >>> deviation = np.array([-0.2, -0.05, 0.0, 0.04, 0.3])
    >>> found = dispersion(deviation, np.full(5, 0.01), winsorise=0.2, consistent=False)
    >>> round(found.phi, 3), round(found.variance, 4)
    (0.379, 0.0)
    """
    if not 0 <= winsorise < 0.5:
        raise ValueError(f"winsorise must be in [0, 0.5), got {winsorise}")
    deviation, variance = np.asarray(deviation, float), np.asarray(variance, float)
    known = (variance > 0) & np.isfinite(deviation)
    deviation, variance = deviation[known], variance[known]
    size = len(deviation)
    if size < 2:
        return Dispersion(1.0, 0.0, size)
    z = deviation / np.sqrt(variance)
    z = np.clip(z, *np.quantile(z, [winsorise, 1 - winsorise]))
    phi = float(np.mean(z**2)) / (_kept_by_winsorising(winsorise) if consistent else 1.0)
    if consistent:
        return Dispersion(phi, _between(deviation, variance, winsorise), size)
    weight = 1 / variance
    scale = weight.sum() - (weight**2).sum() / weight.sum()
    return Dispersion(phi, max((size * phi - (size - 1)) / scale, 0.0), size)


def _between(deviation: np.ndarray, variance: np.ndarray, winsorise: float) -> float:
    """Variance that makes the winsorised z-scores as large as chance does, by bisection."""
    kept = _kept_by_winsorising(winsorise)

    def is_short(between: float) -> bool:
        z = deviation / np.sqrt(variance + between)
        ends = np.quantile(z, [winsorise, 1 - winsorise])
        return float(np.mean(np.clip(z, *ends) ** 2)) > kept

    low, high = 0.0, float(np.max(deviation**2)) / kept
    if not is_short(low):
        return 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if is_short(middle) else (low, middle)
    return (low + high) / 2


def _kept_by_winsorising(share: float) -> float:
    """Mean square of a winsorised standard normal."""
    from scipy.special import ndtri

    if share == 0:
        return 1.0
    end = -ndtri(share)
    height = np.exp(-(end**2) / 2) / np.sqrt(2 * np.pi)
    return float(1 - 2 * share - 2 * end * height + 2 * share * end**2)


def wide_limits(
    target: np.ndarray,
    variance: np.ndarray,
    *,
    between: float = 0.0,
    phi: float = 1.0,
    level: float = 0.95,
) -> Pair:
    """Control limits that allow for the common spread of groups, additive or multiplicative.

    Parameters
    ----------
    target
        Rate that is expected, in [0, 1].
    variance
        Of the group's rate if chance alone acted; NaN where it has no unit.
    between
        Variance of true rates around their targets (``Dispersion.variance``), for additive
        limits (random effects): the largest groups are given room too.
    phi
        Factor of the variance (``Dispersion.phi``), for multiplicative limits.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    low, high : ndarray
        ``target -+ z sqrt(phi variance + between)``, cut to [0, 1].

    Notes
    -----
    Source: Spiegelhalter (2005), as in :func:`dispersion`.

    Examples
    --------
    >>> low, high = wide_limits(np.array([0.5]), np.array([0.01]), between=0.0125)
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.206], [0.794])
    """
    reach = normal_quantile(level) * np.sqrt(phi * np.asarray(variance, float) + between)
    return np.clip(target - reach, 0, 1), np.clip(target + reach, 0, 1)
