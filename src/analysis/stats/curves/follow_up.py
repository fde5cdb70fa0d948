"""Is what is still open at the end open for good: the plateau of a curve, and whether it is one.

Unit: one group's curve of :func:`analysis.stats.kaplan_meier`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.curves.jackknife import Jackknife
from analysis.stats.curves.survival import SurvivalCurve
from analysis.stats.scales import probability_limits

SIZE = 0.05  # of the test, when nothing else is asked for
CHANCE = 0.875  # that one more end lies in the stretch before the last one, see follow_up


class Plateau(NamedTuple):
    """Height of each group's curve after its last time; NaN for a group without rows."""

    share: np.ndarray  # nobody ended after having waited so long
    low: np.ndarray
    high: np.ndarray
    last_event: np.ndarray  # time of the last end, NaN if there was none
    last_time: np.ndarray  # when the last spell was seen


class FollowUp(NamedTuple):
    """Whether spells were followed for long enough to tell those that never end."""

    p_value: np.ndarray  # small: long enough; 1 where nobody was followed after the last end
    n_late: np.ndarray  # ends in the stretch before the last end, that end included
    is_sufficient: np.ndarray


def plateau(
    curve: SurvivalCurve,
    *,
    level: float = 0.95,
    kind: str = "log-log",
    jackknife: Jackknife | None = None,
) -> Plateau:
    """Share that has not ended after the last time of each group.

    Parameters
    ----------
    curve
        From :func:`analysis.stats.kaplan_meier`.
    level, kind, jackknife
        Of the limits, as in :func:`analysis.stats.survival_limits`.

    Returns
    -------
    Plateau
        One value a group. Limits are NaN where the curve is at 0 or at 1.

    Raises
    ------
    ValueError
        ``level`` is not in (0, 1), or ``kind`` is unknown.

    Notes
    -----
    The estimate of the share that never ends, if follow-up is sufficient; otherwise an estimate
    of something larger. Source: Maller and Zhou (1992), Biometrika 79:731-739.

    Examples
    --------
    >>> from analysis.stats import kaplan_meier
    >>> curve = kaplan_meier([0] * 4, [1, 2, 3, 9], [1, 1, 1, 0], [0, 0, 0, 3])
    >>> found = plateau(curve)
    >>> found.share.round(3).tolist(), found.last_event.tolist(), found.last_time.tolist()
    ([0.5], [3.0], [9.0])
    """
    segments = curve.segments
    share = segments.last(curve.survival, np.nan)
    variance, df = curve.variance, None
    if jackknife is not None:
        variance, df = jackknife.widened("survival", variance), jackknife.df
    variance = segments.last(variance, np.nan)
    low, high = probability_limits(share, variance, level=level, kind=kind, df=df)
    last_event = np.full(segments.n_groups, np.nan)
    ended = curve.n_event > 0
    np.fmax.at(last_event, curve.group[ended], curve.time[ended].astype(float))
    return Plateau(share, low, high, last_event, segments.last(curve.time.astype(float), np.nan))


def follow_up(curve: SurvivalCurve, *, size: float = SIZE) -> FollowUp:
    """Test whether each group was followed for long enough to see a plateau.

    Parameters
    ----------
    curve
        From :func:`analysis.stats.kaplan_meier`.
    size
        Follow-up is called sufficient where the p-value is below this.

    Returns
    -------
    FollowUp
        One value a group. p-value 1 and no ends counted where the last time is an end, or there
        is none.

    Raises
    ------
    ValueError
        ``size`` is not in (0, 1).

    Notes
    -----
    Null hypothesis: follow-up is *not* sufficient, ends could still come after the last time.
    With ``t`` the last time and ``e`` the last end, the number ``N`` of ends in ``(2 e - t, e]``,
    a stretch before the last end as long as what was followed after it, is Maller and Zhou's
    (1994, Biometrics 50:1175-1184). Their p-value ``(1 - N / n)**n``, below 0.05 as soon as ``N``
    is 3, rejects a true null hypothesis up to half of the time where spells began at a steady
    rate. Here, read backwards from the last time, the number of ends within a distance ``x`` is
    taken to grow at most like ``x**3``: steady beginnings give one power, a density of ends that
    itself runs out at the end another. The ends within ``2 x`` are then at most 8 times those
    within ``x``, so that ``N - 1``, those from the first end backwards to twice its distance, is
    at most geometric, ``P(N - 1 >= m) = (7 / 8)**m``: the p-value is that at the ``N - 1`` found.
    It takes 24 ends to reject at 5 %. Own derivation; the tests simulate the size.

    Examples
    --------
    Thirty ends on the first thirty days and two followed for a hundred; then the same, with the
    two seen for half a day longer than the last end:

    >>> from analysis.stats import kaplan_meier
    >>> days, ended = [*range(1, 31), 100], [1] * 30 + [0]
    >>> long = kaplan_meier([0] * 31, days, ended, [0] * 30 + [2])
    >>> follow_up(long).n_late.tolist(), follow_up(long).p_value.round(3).tolist()
    ([30], [0.021])
    >>> short = kaplan_meier([0] * 31, [*days[:-1], 30.5], ended, [0] * 30 + [2])
    >>> follow_up(short).n_late.tolist(), follow_up(short).p_value.tolist()
    ([1], [1.0])
    """
    if not 0 < size < 1:
        raise ValueError(f"size must be in (0, 1), got {size}")
    found = plateau(curve)
    since = (2 * found.last_event - found.last_time)[curve.group]
    late = (curve.time > since) & (curve.time <= found.last_event[curve.group])
    n_groups = curve.segments.n_groups
    n_late = np.bincount(curve.group, np.where(late, curve.n_event, 0), minlength=n_groups)
    p_value = np.where(n_late >= 1, CHANCE ** np.maximum(n_late - 1, 0), 1.0)
    return FollowUp(p_value, np.rint(n_late).astype(np.int64), p_value < size)
