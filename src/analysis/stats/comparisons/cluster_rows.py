"""Rows of counts sorted by cluster, as sparse tables that have a row a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class ClusterRows(NamedTuple):
    """Some of the rows of counts, those of one cluster after those of another."""

    own: np.ndarray  # places of the rows
    starts: np.ndarray  # where among them each cluster begins, and how many they are

    def table(self, values: np.ndarray, place: np.ndarray, n_places: int) -> csr_array:
        """Sum values of rows (all of them are given) at a place of each: clusters x places."""
        from scipy.sparse import csr_array

        shape = (len(self.starts) - 1, n_places)
        return csr_array((values[self.own], place[self.own], self.starts.copy()), shape=shape)


def cluster_rows(cluster: np.ndarray, n_clusters: int, rows: np.ndarray) -> ClusterRows:
    """Sort the rows that are True in ``rows`` by their cluster, a whole number from 0.

    Examples
    --------
    >>> found = cluster_rows(np.array([1, 0, 1]), 2, np.array([True, True, False]))
    >>> found.own.tolist(), found.starts.tolist()
    ([1, 0], [0, 1, 2])
    >>> found.table(np.array([5, 6, 7]), np.array([2, 0, 1]), 3).toarray().tolist()
    [[6, 0, 0], [0, 0, 5]]
    """
    own = np.flatnonzero(rows)
    own = own[np.argsort(cluster[own], kind="stable")]
    return ClusterRows(own, np.searchsorted(cluster[own], np.arange(n_clusters + 1)))


def used_clusters(cluster: np.ndarray, spells: np.ndarray) -> np.ndarray:
    """Number the clusters that have spells from 0; rows without spells go to the first.

    Examples
    --------
    >>> used_clusters(np.array([7, 5, 9]), np.array([0, 2, 1])).tolist()
    [0, 0, 1]
    """
    cluster, spells = np.asarray(cluster), np.asarray(spells)
    names = np.unique(cluster[spells > 0])
    return np.where(spells > 0, np.searchsorted(names, cluster), 0)
