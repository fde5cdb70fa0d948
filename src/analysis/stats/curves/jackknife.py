"""Variances of curves that allow for clusters, weights and late entries: the jackknife.

Unit: a group's curve with the spells that it was made of. Every estimate is a smooth function of
the weights of the spells; its variance is the sum over clusters of the squared derivative by the
cluster's weight (the infinitesimal jackknife).
"""

from __future__ import annotations

import numpy as np

from analysis.stats.curves.cells import Cells, Placed, placed
from analysis.stats.curves.competing import IncidenceCurve, where_some_stay
from analysis.stats.curves.influence import (
    Asked,
    Clustered,
    Load,
    Rows,
    final_squares,
    lone_squares,
)
from analysis.stats.curves.segments import Segments, checked_limit
from analysis.stats.curves.survival import SurvivalCurve
from analysis.stats.shares.ratios import satterthwaite


class Jackknife:
    """Cluster-robust variances of the curves of many groups.

    Parameters
    ----------
    curve
        From :func:`analysis.stats.kaplan_meier` or :func:`analysis.stats.aalen_johansen`.
    cells
        The same spells by cluster. A spell on its own (cluster below 0) counts as a cluster.
    corrected
        Whether to enlarge the square of each cluster for having pulled the estimate towards
        itself, by ``1 / (1 - h)`` with ``h`` its part of the group's spells. Without it, the
        variance is that of R's ``survfit(..., cluster, robust = TRUE)``.

    Attributes
    ----------
    n_clusters : ndarray
        Clusters of each group, int64.
    df : ndarray
        Degrees of freedom of the variances of each group, at least 1; infinite with fewer than
        two clusters, where there is no such variance.
    enough : ndarray
        Which groups have at least two clusters.

    Raises
    ------
    ValueError
        Lengths do not fit, or the cells are not those of the curve.

    Notes
    -----
    With late entries this is another variance than Greenwood's: it keeps what those at risk at
    two times have in common. Without them, and without clusters and weights, they are equal.
    Weights are sampling weights (an order that stands for 30 is one observation, not 30).
    Correction and degrees of freedom are those of a share with as many units in each cluster
    (:func:`analysis.stats.cluster_variance`; Bell and McCaffrey 2002); while nobody is censored
    the variance of the curve equals that of the share exactly.
    Source: Jaeckel (1972), Bell Laboratories Memorandum 72-1215-10; Therneau, Crowson and
    Atkinson, vignettes of R's ``survival``; Williams (1995), Biometrics 51:1353-1361, for
    clusters.

    Examples
    --------
    Two sellers, of whom one is slow:

    >>> from analysis.stats import kaplan_meier
    >>> curve = kaplan_meier([0] * 4, [1, 2, 5, 6], [2, 2, 2, 2], [0] * 4)
    >>> cells = Cells([0] * 4, [1, 2, 5, 6], [1] * 4, [2] * 4, [0, 0, 1, 1])
    >>> sellers = Jackknife(curve, cells)
    >>> sellers.n_clusters.tolist(), sellers.df.round(6).tolist()
    ([2], [1.0])
    >>> sellers.survival().round(4).tolist(), curve.variance.round(4).tolist()
    ([0.0625, 0.25, 0.0625, 0.0], [0.0234, 0.0312, 0.0234, nan])
    """

    def __init__(
        self, curve: SurvivalCurve | IncidenceCurve, cells: Cells, *, corrected: bool = True
    ) -> None:
        some = np.asarray(cells.n) > 0  # a cell without spells may lie where no curve has a row
        if not some.all():
            cells = Cells(*(x if x is None else np.asarray(x)[some] for x in cells))
        self._start(curve, placed(curve, cells), corrected)
        self._weighted = cells.n_squared is not None

    def _start(self, curve: SurvivalCurve | IncidenceCurve, cells: Placed, corrected: bool) -> None:
        inside = cells.unit >= 0
        self.curve, self._corrected, self._whole = curve, corrected, cells
        self._clustered, self._single = (_sorted(cells.kept(own)) for own in (inside, ~inside))
        self._measure()

    def _measure(self) -> None:
        """Find the size of every cluster, and what its square counts for."""
        cells, single, n_groups = self._whole, self._single, self.curve.segments.n_groups
        size = np.bincount(cells.group, cells.n, n_groups)
        with np.errstate(divide="ignore", invalid="ignore"):
            own = np.where(single.n > 0, single.n_squared / single.n, 0.0) / size[single.group]
            squares = single.n_squared / size[single.group] ** 2
        whole = cells.unit_n / size[cells.unit_group]
        members = np.bincount(single.group, single.n_spells, n_groups)
        members += np.bincount(cells.unit_group, minlength=n_groups)
        self.n_clusters = np.rint(members).astype(np.int64)
        self.enough = self.n_clusters >= 2
        found = satterthwaite(
            np.concatenate([single.group, cells.unit_group]),
            np.concatenate([squares, whole**2]),
            np.concatenate([own, whole]),
            n_groups,
        )
        self.df = np.where(self.enough, found, np.inf)
        self._part, self._lone = np.ones(len(whole)), single.n_squared
        if self._corrected:
            with np.errstate(divide="ignore", invalid="ignore"):
                self._part, self._lone = 1 / (1 - whole), self._lone / (1 - own)
        self._part = np.where(self.enough[cells.unit_group], self._part, 0.0)
        self._lone = np.where(self.enough[single.group], self._lone, 0.0)

    def alone(self) -> Jackknife:
        """Return the same with every spell a cluster of its own."""
        other = object.__new__(Jackknife)
        other._start(self.curve, self._whole.alone(), self._corrected)
        other._weighted = self._weighted
        return other

    def widened(self, name: str, own: np.ndarray, *arguments: object) -> np.ndarray:
        """Variance ``name``, at least that of spells that are independent of each other.

        A design effect below 1 is taken for luck, as in :func:`analysis.stats.clustered_wilson`.
        Limits from it, with Student's quantile, are too wide where clusters do not differ at all.
        Groups with fewer than two clusters have only the other: ``own``, or, with weights, the
        jackknife of single spells.

        Parameters
        ----------
        name
            Which of the methods below.
        own
            Its variance while spells are independent and weigh 1.
        arguments
            For that method.
        """
        robust = getattr(self, name)(*arguments)
        if self._weighted:
            own = getattr(self.alone(), name)(*arguments)
        enough = (
            self.enough[self._segments.group] if name in ("survival", "hazard") else self.enough
        )
        enough = enough.reshape(-1, *(1,) * (robust.ndim - 1))
        return np.where(enough, np.maximum(robust, own), own)

    def survival(self) -> np.ndarray:
        """Variance of ``survival`` in every row of the curve; 0 where it is 0."""
        return self.curve.survival**2 * self._everywhere(self._relative)

    def hazard(self) -> np.ndarray:
        """Variance of the cumulative hazard (Nelson-Aalen) in every row."""
        return self._everywhere(self._load(1 / self.curve.n_at_risk))

    def incidence(self, times: np.ndarray) -> np.ndarray:
        """Variance of each cumulative incidence, groups x times x causes.

        0 before a group's first row; beyond its last one that of the last row.
        """
        return self.shares(times)[..., 1:]

    def shares(self, times: np.ndarray) -> np.ndarray:
        """Variance of survival and then of each cumulative incidence, as :meth:`incidence`."""
        times = np.atleast_1d(np.asarray(times))
        order = np.argsort(times, kind="stable")
        places = Asked(self._segments, self.curve.time, times[order])
        loads, factors = [[self._relative]], [[self.curve.survival]]
        for cause in range(1, len(self._events) + 1):
            left = self._left(cause)
            loads.append([self._of_cause(cause), self._relative])
            factors.append([np.ones(len(left)), left])
        at_times = [[places.at(factor) for factor in scales] for scales in factors]
        clusters = Clustered(self._clustered, self._part, places).squares(loads, at_times)
        singles = [
            places.at(lone_squares(self._single, self._lone, pair, scales))
            for pair, scales in zip(loads, factors, strict=True)
        ]
        total = np.stack(clusters, axis=-1) + np.stack(singles, axis=-1)
        found = np.empty(total.shape)
        found[:, order] = total
        return found

    def mean(self, tau: float) -> np.ndarray:
        """Variance of the restricted mean up to ``tau``, one value a group."""
        width, _ = self._widths(tau)
        area = self._segments.sum_from_end(self.curve.survival * width)
        return self._final(self._load(-self._stay * area))

    def time_lost(self, tau: float) -> np.ndarray:
        """Variance of the time lost before ``tau`` to each cause, groups x causes."""
        width, left = self._widths(tau)
        before = self._segments.previous(self.curve.survival, 1.0)
        found = []
        for cause, incidence in enumerate(self.curve.incidence.T, start=1):
            area = self._segments.sum_from_end(incidence * width)
            others = -np.maximum(area - incidence * left, 0.0) * self._stay
            own = before / self.curve.n_at_risk * left
            found.append(self._final(self._load(others, own, cause)))
        return np.stack(found, axis=-1)

    @property
    def _segments(self) -> Segments:
        return self.curve.segments

    @property
    def _events(self) -> np.ndarray:
        """Causes x rows."""
        several = isinstance(self.curve, IncidenceCurve)
        return self.curve.n_events.T if several else self.curve.n_event[None]

    @property
    def _stay(self) -> np.ndarray:
        at_risk = self.curve.n_at_risk
        return where_some_stay(at_risk, self._events.sum(axis=0), np.ones(len(at_risk)))

    @property
    def _relative(self) -> Load:
        """Move of ``log survival``, but for the sign."""
        if not hasattr(self, "_log_survival"):
            self._log_survival = self._load(self._stay)
        return self._log_survival

    def _left(self, cause: int) -> np.ndarray:
        """How much the incidence will still rise: small where loads are large."""
        incidence = self.curve.incidence[:, cause - 1]
        last = self._segments.last(incidence, 0.0)
        return np.repeat(last, self._segments.lengths) - incidence

    def _of_cause(self, cause: int) -> Load:
        own = self._segments.previous(self.curve.survival, 1.0) / self.curve.n_at_risk
        return self._load(-self._left(cause) * self._stay, own, cause)

    def _load(self, every: np.ndarray, own: np.ndarray | None = None, cause: int = 1) -> Load:
        events = self._events
        steps = every * events.sum(axis=0)
        if own is not None:
            steps = steps + own * events[cause - 1]
        drift = self._segments.running_sum(steps / self.curve.n_at_risk)
        return Load(every, drift, own, cause)

    def _everywhere(self, load: Load) -> np.ndarray:
        ones = np.ones(self._segments.n_rows)
        places = Rows(self._segments)
        clusters = Clustered(self._clustered, self._part, places).squares([[load]], [[ones]])[0]
        return clusters + lone_squares(self._single, self._lone, [load], [ones])

    def _final(self, load: Load) -> np.ndarray:
        clusters = final_squares(self._clustered, load, self._part, np.zeros(0))
        return clusters + final_squares(self._single, load, np.zeros(0), self._lone)

    def _widths(self, tau: float) -> tuple[np.ndarray, np.ndarray]:
        """From each row to the next, and to ``tau``; 0 beyond it."""
        left = np.maximum(checked_limit(tau) - self.curve.time, 0.0)
        return left - self._segments.following(left, 0.0), left


def _sorted(cells: Placed) -> Placed:
    """Cells by cluster and row: sums do not depend on the order in which they came."""
    width = np.int64(cells.segments.n_rows * cells.kinds)
    return cells.kept(np.argsort(cells.unit * width + cells.kind))
