"""Mixes of words: which group uses which word more or less often than its cases make expect.

Unit: a group (a seller) and a word (a reason). A row of counts is the part of one group that lies
in one cell of cases that are alike.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.stats.many_groups.exact import two_sided_p
from analysis.stats.many_groups.funnel import dispersion
from analysis.stats.many_groups.standardising import expected_counts

LEAST_EXPECTED = 1.0  # cases of a word: what is rarer in a group is not tested
_ENOUGH = 5.0  # cases expected of a word, and of all others, to measure the common spread


class MixDepartures(NamedTuple):
    """Observed beside expected counts of words; arrays (groups, words) but ``correlation``."""

    observed: np.ndarray
    expected: np.ndarray
    p_value: np.ndarray  # two-sided; NaN where too little is expected to test
    correlation: float  # of two cases of one group, beyond what their cells explain


def mix_departures(
    group: np.ndarray, cell: np.ndarray, counts: np.ndarray, *, n_groups: int
) -> MixDepartures:
    """Compare each group's mix of words with what all others say in such cases.

    Parameters
    ----------
    group, cell
        Whole numbers from 0, one a row; a pair occurs at most once.
    counts
        Whole counts of shape (rows, words).
    n_groups
        Number of groups.

    Returns
    -------
    MixDepartures
        A word's p-value in a group is NaN where fewer than one case is expected.

    Raises
    ------
    ValueError
        A count is negative or not a number.

    Notes
    -----
    Expected counts by indirect standardisation without the group itself
    (:func:`analysis.stats.expected_counts`), times what makes them add up to the group's cases
    where a word that others never say is expected nevertheless. Given these, a group's counts are
    taken as Dirichlet-multinomial with one correlation for all, so that each word is beta-binomial
    with between-group variance ``correlation * e * (1 - e)``, to which the doubt about ``e`` is
    added; the test is exact and conservative (:func:`analysis.stats.two_sided_p`). The
    correlation is the additive variance of the deviations over ``sqrt(e (1 - e))``, winsorised
    so that the groups looked for do not hide themselves (:func:`analysis.stats.dispersion`),
    from words with at least five cases, and five others, expected.
    Source: Mosimann (1962), Biometrika 49:65-82, for the Dirichlet-multinomial distribution;
    Brier (1980), Biometrika 67:591-596, for its correlation from squared deviations.

    Examples
    --------
    Four groups with 50 cases each; the last says the first word far more often:

    >>> counts = np.array([[15, 35], [14, 36], [16, 34], [40, 10]])
    >>> found = mix_departures(np.arange(4), np.zeros(4, int), counts, n_groups=4)
    >>> found.expected[:, 0].round(1).tolist()
    [23.3, 23.7, 23.0, 15.0]
    """
    counts = np.asarray(counts, float)
    rows = counts.sum(axis=1)
    observed, expected, variance = np.empty((3, n_groups, counts.shape[1]))
    for i, word in enumerate(counts.T):
        one = expected_counts(group, cell, word, rows, n_groups=n_groups)
        observed[:, i], expected[:, i], variance[:, i] = one.k, one.expected, one.variance
    n = np.broadcast_to(observed.sum(axis=1, keepdims=True), observed.shape)
    expected *= _to_whole(expected, n)
    share, chance, doubt = _shares(expected, variance, n)
    correlation = _correlation(observed, expected, n, chance + doubt)
    between = correlation * share * (1 - share) + doubt
    tested = expected >= LEAST_EXPECTED
    p_value = np.full(observed.shape, np.nan)
    p_value[tested] = two_sided_p(observed[tested], n[tested], share[tested], between[tested])
    return MixDepartures(observed, expected, p_value, correlation)


def _to_whole(expected: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Factor that makes the expected counts of each group add up to its cases."""
    whole = expected.sum(axis=1, keepdims=True)
    return np.divide(n, whole, out=np.ones(n.shape), where=whole > 0)


def _shares(
    expected: np.ndarray, variance: np.ndarray, n: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Expected shares, their variance by chance, and what the doubt about them adds."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.nan_to_num(expected / n)
        chance = np.nan_to_num(share * (1 - share) / n)
        doubt = np.nan_to_num(np.maximum(variance / n**2 - chance, 0))
    return share, chance, doubt


def _correlation(
    observed: np.ndarray, expected: np.ndarray, n: np.ndarray, variance: np.ndarray
) -> float:
    enough = (expected >= _ENOUGH) & (n - expected >= _ENOUGH)
    if not enough.any():
        return 0.0
    observed, expected, n, variance = (x[enough] for x in (observed, expected, n, variance))
    most = expected / n * (1 - expected / n)
    found = dispersion((observed - expected) / n / np.sqrt(most), variance / most)
    return min(found.variance, 1.0)
