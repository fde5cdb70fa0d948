"""Mean times of groups side by side: differences and ratios, with clusters that groups may share.

Unit: one group beside its baseline group, both with a curve of :func:`analysis.stats.kaplan_meier`
or :func:`analysis.stats.aalen_johansen`. A seller with spells in both groups is one cluster of
both: what makes it slow does so in both, and the difference is the surer for it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.curves.cells import Cells, Placed, placed
from analysis.stats.curves.competing import IncidenceCurve, where_some_stay
from analysis.stats.curves.durations import restricted_mean
from analysis.stats.curves.influence import Load, exits
from analysis.stats.curves.segments import checked_limit
from analysis.stats.curves.survival import SurvivalCurve
from analysis.stats.curves.time_lost import restricted_time_lost
from analysis.stats.scales import checked_level, t_p_value, t_quantile


class MeanDifferences(NamedTuple):
    """Each group less its baseline; one value a group, or groups x causes."""

    mean: np.ndarray  # of the group itself, in the curve's unit of time
    baseline_mean: np.ndarray
    estimate: np.ndarray  # mean - baseline mean; NaN where one is unknown, or of the baseline
    std_error: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p_value: np.ndarray  # of no difference
    ratio: np.ndarray  # mean / baseline mean
    ratio_low: np.ndarray
    ratio_high: np.ndarray
    df: np.ndarray  # of the errors; infinite where spells are independent
    n_clusters: np.ndarray  # int64, clusters with spells in either group, one value a group
    clustered: np.ndarray  # bool, likewise: errors allow for clusters, each side having two or more


def mean_differences(
    curve: SurvivalCurve, cells: Cells, tau: float, baseline: np.ndarray, *, level: float = 0.95
) -> MeanDifferences:
    """Compare restricted mean times of groups with those of their baselines.

    Parameters
    ----------
    curve
        From :func:`analysis.stats.kaplan_meier`, nobody entering late.
    cells
        The same spells, by cluster where they have one. With ``cells.cluster`` None, spells are
        independent; a cluster below 0 is a spell on its own.
    tau
        The limit of the means, above 0, in the curve's unit.
    baseline
        For each group the number of the group that it is compared with; below 0: with none.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    MeanDifferences
        One value a group. A group that is its own baseline, or has none, has no difference.

    Raises
    ------
    ValueError
        The cells are not those of the curve, or have entries; ``tau``, ``level`` or ``baseline``
        do not fit.

    Notes
    -----
    Means: Irwin (1949); their difference and ratio: Royston and Parmar (2013), BMC Med. Res.
    Methodol. 13:152; Uno et al. (2014), J. Clin. Oncol. 32:2380-2385. The error is the root of
    the sum of squares, over clusters, of what they add to both means (the infinitesimal jackknife
    of :class:`analysis.stats.Jackknife`), each square enlarged by ``1 / (1 - h)`` with ``h`` the
    cluster's part of its group; Student's limits. With ``v_c`` the variance that cluster ``c``
    would add if spells were independent, ``df = (sum v)**2 / sum v**2 - 1``, at least 1. Without
    clusters, or with fewer than two on one side, spells count as independent, and the error is
    the root of the sum of the two squared errors of R's ``survfit``. The ratio is taken on the
    log scale. In simulations with sellers of different pace, 10 to 60 of
    them, of equal or heavy-tailed size, with spells on both sides evenly or mostly on one, a 95 %
    interval covered the truth 93.2 to 97.3 % of the time; with spells taken as independent,
    50 to 96 %.

    Examples
    --------
    >>> from analysis.stats import Cells, kaplan_meier
    >>> group, time, ones = [0, 0, 0, 1, 1, 1], [1, 2, 3, 2, 4, 6], [1] * 6
    >>> curve = kaplan_meier(group, time, ones, [0] * 6)
    >>> found = mean_differences(curve, Cells(group, time, ones, ones), 6, np.array([-1, 0]))
    >>> found.estimate.tolist(), found.std_error.round(4).tolist()
    ([nan, 2.0], [nan, 1.0541])
    """
    mean = restricted_mean(curve, tau).estimate
    area = curve.segments.sum_from_end(curve.survival * _widths(curve, tau)[0])
    load = _load(curve, curve.n_event[None], -area * _stay(curve, curve.n_event))
    found = _compared(curve, cells, mean[:, None], [load], baseline, level)
    return MeanDifferences(*(part[:, 0] for part in found[:-2]), *found[-2:])


def time_lost_differences(
    curve: IncidenceCurve, cells: Cells, tau: float, baseline: np.ndarray, *, level: float = 0.95
) -> MeanDifferences:
    """Compare the times that groups lose before ``tau`` to each cause with their baselines'.

    Parameters
    ----------
    curve
        From :func:`analysis.stats.aalen_johansen`, nobody entering late.
    cells, tau, baseline, level
        As in :func:`mean_differences`; ``cells.end`` is the number of the cause.

    Returns
    -------
    MeanDifferences
        Groups x causes.

    Raises
    ------
    ValueError
        As :func:`mean_differences`.

    Notes
    -----
    Time lost: Andersen (2013), Stat. Med. 32:5278-5285; Conner and Trinquart (2021), Stat. Med.
    40:2177-2196, for its differences and ratios. Errors as in :func:`mean_differences`.

    Examples
    --------
    >>> from analysis.stats import Cells, aalen_johansen
    >>> group, time, end = [0, 0, 0, 1, 1, 1], [1, 2, 3, 2, 4, 6], [1, 2, 1, 1, 1, 2]
    >>> curve = aalen_johansen(group, time, np.eye(3)[end][:, 1:], [0] * 6)
    >>> cells = Cells(group, time, end, [1] * 6)
    >>> time_lost_differences(curve, cells, 6, np.array([-1, 0])).estimate[1].round(4).tolist()
    [-0.6667, -1.3333]
    """
    lost = restricted_time_lost(curve, tau).estimate
    width, left = _widths(curve, tau)
    events = curve.n_events.T
    stay = _stay(curve, events.sum(axis=0))
    own = curve.segments.previous(curve.survival, 1.0) / curve.n_at_risk * left
    loads = []
    for cause, incidence in enumerate(curve.incidence.T, start=1):
        area = curve.segments.sum_from_end(incidence * width)
        others = -np.maximum(area - incidence * left, 0.0) * stay
        loads.append(_load(curve, events, others, own, cause))
    return _compared(curve, cells, lost, loads, baseline, level)


def _widths(curve: SurvivalCurve | IncidenceCurve, tau: float) -> tuple[np.ndarray, np.ndarray]:
    """From each row to the next, and to ``tau``; 0 beyond it."""
    left = np.maximum(checked_limit(tau) - curve.time, 0.0)
    return left - curve.segments.following(left, 0.0), left


def _stay(curve: SurvivalCurve | IncidenceCurve, events: np.ndarray) -> np.ndarray:
    """One over how many stay at risk after each row."""
    return where_some_stay(curve.n_at_risk, events, np.ones(len(events)))


def _load(
    curve: SurvivalCurve | IncidenceCurve,
    events: np.ndarray,
    every: np.ndarray,
    own: np.ndarray | None = None,
    cause: int = 1,
) -> Load:
    steps = every * events.sum(axis=0)
    if own is not None:
        steps = steps + own * events[cause - 1]
    return Load(every, curve.segments.running_sum(steps / curve.n_at_risk), own, cause)


class _Shares(NamedTuple):
    """What clusters have of two groups together, one value a pair of groups."""

    one: np.ndarray  # sum of squared parts of the group
    other: np.ndarray  # of its baseline
    both: np.ndarray  # sum of products
    n_clusters: np.ndarray  # of either
    enough: np.ndarray  # whether each of them has two or more


def _compared(
    curve: SurvivalCurve | IncidenceCurve,
    cells: Cells,
    mean: np.ndarray,
    loads: list[Load],
    baseline: np.ndarray,
    level: float,
) -> MeanDifferences:
    """Groups x estimates beside their baselines."""
    if cells.entry is not None:
        raise ValueError("cells must have no entries: means of late entries are not compared")
    baseline, level = _checked_baseline(baseline, len(mean)), checked_level(level)
    has = (baseline >= 0) & (baseline != np.arange(len(mean)))
    other = np.where(has, baseline, 0)
    cells = _filled(cells)
    spells = placed(curve, cells)
    pairs = _Pairs(spells, cells.cluster, other)
    moves = [exits(spells, load) for load in loads]
    alone = np.stack([pairs.independent(move) for move in moves], axis=-1)
    beside = np.where(has[:, None], mean[other], np.nan) if len(mean) else mean
    shares = pairs.shares()
    clustered = shares.enough & (cells.cluster is not None)
    beside_alone = alone[other] if len(mean) else alone
    degrees = _degrees(alone, beside_alone, shares)
    degrees = np.where(clustered[:, None], degrees, np.inf)

    def error_of(scale: np.ndarray, other_scale: np.ndarray) -> np.ndarray:
        single = scale**2 * alone + other_scale**2 * beside_alone
        robust = pairs.variance(moves, scale, other_scale)
        return np.sqrt(np.where(clustered[:, None], robust, single))

    with np.errstate(divide="ignore", invalid="ignore"):
        error = error_of(np.ones_like(mean), beside / beside)
        relative = error_of(1 / mean, 1 / beside)
        difference, ratio = mean - beside, mean / beside
        reach = t_quantile(degrees, level)
        low, high = difference - reach * error, difference + reach * error
        factor = np.exp(reach * relative)
        limits = ratio / factor, ratio * factor
    found = (mean, beside, difference, error, low, high, t_p_value(difference, error**2, degrees))
    return MeanDifferences(*found, ratio, *limits, degrees, shares.n_clusters, clustered)


def _filled(cells: Cells) -> Cells:
    """Leave out cells without spells (all of weight 0): the curve may have no row for them."""
    some = np.asarray(cells.n) > 0
    return Cells(*(None if part is None else np.asarray(part)[some] for part in cells))


def _checked_baseline(baseline: np.ndarray, n_groups: int) -> np.ndarray:
    baseline = np.asarray(baseline, dtype=np.int64)
    if baseline.shape != (n_groups,) or baseline.max(initial=-1) >= n_groups:
        raise ValueError(f"baseline must name one of {n_groups} groups for each of them")
    return baseline


def _degrees(one: np.ndarray, other: np.ndarray, shares: _Shares) -> np.ndarray:
    """Satterthwaite's degrees of freedom, at least 1; ``one`` and ``other`` are variances."""
    squares = one**2 * shares.one[:, None] + other**2 * shares.other[:, None]
    squares = squares + 2 * one * other * shares.both[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (one + other) ** 2 / squares - 1
    return np.where(np.isnan(found), np.inf, np.maximum(found, 1.0))


class _Pairs:
    """Sums over the clusters of each group and its baseline, which may be the same clusters."""

    def __init__(self, cells: Placed, cluster: np.ndarray | None, other: np.ndarray) -> None:
        self._cells, self._other, n_groups = cells, other, cells.segments.n_groups
        self._size = np.bincount(cells.group, cells.n, minlength=n_groups)
        self._inside = cells.unit >= 0
        self._part = cells.unit_n / self._size[cells.unit_group]
        name = np.zeros(len(cells.unit_n), dtype=np.int64)  # of each unit: its cluster
        if cluster is not None:
            name[cells.unit[self._inside]] = np.asarray(cluster)[self._inside]
        width = int(name.max(initial=0)) + 1
        key = cells.unit_group * width + name  # rises
        self._match = _places(key, other[cells.unit_group] * width + name)
        outside = ~self._inside
        self._lone = np.bincount(cells.group[outside], cells.n_spells[outside], minlength=n_groups)

    def _sum(self, values: np.ndarray) -> np.ndarray:
        found = np.bincount(self._cells.unit_group, values, minlength=len(self._size))
        return found.astype(float)  # without rows they are whole

    def _crossed(self, values: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Sum over clusters of the group's value times its baseline's."""
        there = self._match >= 0
        return self._sum(np.where(there, values * others[self._match], 0.0))

    def independent(self, move: np.ndarray) -> np.ndarray:
        """Variance of each group if spells were independent."""
        cells = self._cells
        return np.bincount(cells.group, cells.n_squared * move**2, minlength=len(self._size))

    def shares(self) -> _Shares:
        """Parts that clusters have of their groups, and how many clusters there are."""
        cells, outside = self._cells, ~self._inside
        with np.errstate(divide="ignore", invalid="ignore"):
            lone = np.bincount(
                cells.group[outside], cells.n_squared[outside], minlength=len(self._size)
            )
            squares = self._sum(self._part**2) + lone / self._size**2
        count = self._sum(np.ones(len(self._part))) + self._lone
        both = self._crossed(np.ones(len(self._part)), np.ones(len(self._part)))
        n = np.rint(count + count[self._other] - both if len(count) else count).astype(np.int64)
        return _Shares(
            squares,
            squares[self._other] if len(squares) else squares,
            self._crossed(self._part, self._part),
            n,
            np.minimum(count, count[self._other] if len(count) else count) >= 2,
        )

    def variance(
        self, moves: list[np.ndarray], scale: np.ndarray, other_scale: np.ndarray
    ) -> np.ndarray:
        """Variance of ``scale * estimate - other_scale * baseline's``, groups x estimates."""
        cells, outside, n_groups = self._cells, ~self._inside, len(self._size)
        with np.errstate(divide="ignore", invalid="ignore"):
            stretch = np.where(self._part < 1, 1 / np.sqrt(1 - self._part), 0.0)
            own = np.where(cells.n > 0, cells.n_squared / cells.n, 0.0) / self._size[cells.group]
            lone = np.where(own < 1, cells.n_squared / (1 - own), 0.0)
        found = np.empty(scale.shape)
        for column, move in enumerate(moves):
            sums = np.bincount(
                cells.unit[self._inside],
                (cells.n * move)[self._inside],
                minlength=len(self._part),
            )
            sums = sums * stretch
            squares = self._sum(sums**2)
            squares += np.bincount(
                cells.group[outside], (lone * move**2)[outside], minlength=n_groups
            )
            one, other = scale[:, column], other_scale[:, column]
            crossed = self._crossed(sums, sums)
            beside = squares[self._other] if n_groups else squares
            found[:, column] = one**2 * squares + other**2 * beside - 2 * one * other * crossed
        return np.maximum(found, 0.0)


def _places(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Place of each wanted key among rising keys, -1 where it is none of them."""
    if not len(keys):
        return np.zeros(0, dtype=np.int64)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, place, -1)
