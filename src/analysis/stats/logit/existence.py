"""Whether a logistic model of categorical factors has estimates: rank, and separation."""

from __future__ import annotations

import numpy as np

from analysis.stats.logit.coded import Coded

RANK_TOLERANCE = 1e-9
STILL = 1e-7  # a direction that moves nothing by more than this does not move it


def one_sided(coded: Coded, successes: np.ndarray, cases: np.ndarray) -> bool:
    """Whether all cases of a level, or of all, ended alike: there is no maximum then."""
    pairs = zip(coded.by_level(successes), coded.by_level(cases), strict=True)
    alike = [((n > 0.5) & ((k <= 1e-9 * n) | (k >= n * (1 - 1e-9)))).any() for k, n in pairs]
    return any(alike) or bool(successes[0] in (0, cases[0]))


def estimable(coded: Coded, n: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns to keep, the first ones first, and which cannot be told apart from others."""
    confounded = np.zeros(coded.n_columns, bool)
    gram = coded.gram((n > 0).astype(float))
    rest, kept = gram.copy(), []  # what the columns kept so far leave of each
    for j in columns:
        if rest[j, j] > RANK_TOLERANCE * max(gram[j, j], 1):
            kept.append(j)
            rest -= np.outer(rest[:, j], rest[j]) / rest[j, j]
        else:
            confounded[j] = True
    kept = np.sort(np.array(kept, dtype=np.int64))
    tied = np.flatnonzero(confounded & (np.diag(gram) > 0))
    if len(tied):
        parts = np.linalg.solve(gram[np.ix_(kept, kept)], gram[np.ix_(kept, tied)])
        confounded[kept[(np.abs(parts) > 1e-6).any(axis=1)]] = True
    return kept, confounded


def separation(coded: Coded, kept: np.ndarray, k: np.ndarray, n: np.ndarray) -> np.ndarray | None:
    """Direction in which the likelihood rises for ever, or None.

    Along it no case gets less likely and some get more: cells with both ends must not move.
    """
    from scipy.optimize import linprog

    mixed = (k > 0) & (k < n)
    gram = coded.gram(mixed.astype(float))[np.ix_(kept, kept)]
    values, vectors = np.linalg.eigh(gram)
    free = vectors[:, values <= RANK_TOLERANCE * max(values.max(), 1.0)]
    if free.shape[1] == 0:
        return None
    alike = np.flatnonzero(~mixed & (n > 0))
    rows = coded.matrix(alike)[:, kept] @ free * np.where(k[alike] > 0, 1.0, -1.0)[:, None]
    rows = np.unique(rows.round(12), axis=0)
    found = linprog(
        -rows.sum(axis=0), A_ub=-rows, b_ub=np.zeros(len(rows)), bounds=(-1, 1), method="highs"
    )
    if found.status != 0 or -found.fun < STILL:
        return None
    direction = np.zeros(coded.n_columns)
    direction[kept] = free @ found.x
    return np.where(np.abs(direction) > STILL, direction, 0.0)
