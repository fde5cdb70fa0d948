"""Variances of estimates whose cases come in clusters, corrected for what each cluster pulls.

Unit: a contrast, that is a weighted sum of the coefficients of a fitted model.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

NO_ROOM = 1e-6  # what a cluster leaves of a direction that it alone determines
LOST = 0.1  # of a contrast's variance: more in such directions leaves nothing to measure it by


class ClusterSums(NamedTuple):
    """Sums over clusters, which add up over parts of them."""

    variance: np.ndarray  # of each contrast; NaN where one cluster alone determines it
    mean: np.ndarray  # of the variance, if cases are independent
    squares: np.ndarray  # what clusters by themselves add to the spread of the variance
    crossed: np.ndarray  # sum of r r' over clusters, a matrix a contrast, whitened

    @property
    def df(self) -> np.ndarray:
        """Satterthwaite's degrees of freedom of the variances."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.mean**2 / (self.squares + (self.crossed**2).sum(axis=(1, 2)))


def bias_reduced(
    contrasts: np.ndarray, information: np.ndarray, scores: np.ndarray, *, power: float = 0.5
) -> tuple[np.ndarray, ClusterSums]:
    """Return how far each cluster moves contrasts, corrected, and the sums over clusters.

    Parameters
    ----------
    contrasts
        Contrasts x coefficients, times the root ``L`` of the model's covariance ``L L'``.
    information
        Clusters x coefficients x coefficients: ``L' M L`` with ``M`` the information in a cluster.
    scores
        Clusters x coefficients: ``L' s`` with ``s`` the score of a cluster.
    power
        How much to correct: the score becomes ``(I - L' M L)^(-power) L' s``.

    Notes
    -----
    With a power of 1/2 variances are right under the model of independent cases: Kauermann and
    Carroll (2001), J. Am. Stat. Assoc. 96:1387-1396. With 1 they are nearly those of leaving out
    one cluster at a time: Mancl and DeRouen (2001), Biometrics 57:126-134. Degrees of freedom
    are those of Bell and McCaffrey (2002), Survey Methodology 28:169-181, under the same model.
    Directions that one cluster alone determines are left out; a contrast that has more than a
    tenth of its variance there is NaN.

    Examples
    --------
    A mean in three clusters of equal size, each of which is a third of the information:

    >>> third = np.full((3, 1, 1), 1 / 3)
    >>> moves, sums = bias_reduced(np.ones((1, 1)), third, np.array([[1], [0], [-1]]))
    >>> moves.round(4).tolist()
    [[1.2247], [0.0], [-1.2247]]
    >>> sums.variance.round(6).tolist(), sums.df.round(6).tolist()
    ([3.0], [2.0])
    """
    values, vectors = np.linalg.eigh(information)
    left = 1 - values
    with np.errstate(divide="ignore", invalid="ignore"):
        stretch = np.where(left > NO_ROOM, left**-power, 0.0)
    along = contrasts @ vectors  # clusters, contrasts, columns
    lost = (along**2 * (left <= NO_ROOM)[:, None, :]).sum(axis=2) > LOST * (contrasts**2).sum(
        axis=1
    )
    turned = along * stretch[:, None, :]
    own = np.einsum("gij,gi->gj", vectors, scores)
    moves = np.einsum("gqj,gj->gq", turned, own)
    theta = (turned**2 * values[:, None, :]).sum(axis=2)
    reach = turned * values[:, None, :]
    mean = (theta - (reach**2).sum(axis=2)).sum(axis=0)
    squares = (theta**2 - 2 * theta * (reach**2).sum(axis=2)).sum(axis=0)
    reach = reach @ vectors.transpose(0, 2, 1)
    crossed = np.matmul(reach.transpose(1, 2, 0), reach.transpose(1, 0, 2))
    variance = np.where(lost.any(axis=0), np.nan, (moves**2).sum(axis=0))
    return moves, ClusterSums(variance, mean, squares, crossed)
