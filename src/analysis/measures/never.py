"""Never: the share of refunds that does not arrive at all, as far as anybody can tell.

Unit: one leg of a refund, from the decision that caused it. A leg that has not arrived may be slow
or lost, and no single leg says which. A share can be told only where many legs were followed for
much longer than it took the last one that did arrive; where they were not, no share is claimed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis import stats
from analysis.measures.counting import as_counts, positive, with_columns
from analysis.measures.curves import jackknife_of, survival_of
from analysis.measures.durations import refund_spells
from analysis.measures.spells import Spells
from analysis.sources import Tables
from analysis.stats.scales import interval_names

SUFFICIENT, NOT_SUFFICIENT, NOBODY = "sufficient", "not sufficient", "nobody left waiting"
MODELS = {"weibull": "Weibull", "lognormal": "log-normal"}
METHOD = "Kaplan-Meier plateau, log-log"
SOONEST_HOURS = 0.5  # what arrived within the first hour took half of it, for the models


def never_refunded_share(
    tables: Tables,
    *,
    by: Sequence[str] = (),
    horizon_days: float = 365,
    level: float = 0.95,
) -> pd.DataFrame:
    """Share of refund legs that never arrive, where the data can tell.

    Parameters
    ----------
    tables
        Opened dataset; needs ``refunds``, ``requests`` and ``orders``.
    by
        Grouping columns of refunds, orders or sellers, e.g. ``["method"]``.
    horizon_days
        Legs are followed for so long at most; one credited later counts as still open.
    level
        Confidence level, in (0, 1).

    Returns
    -------
    DataFrame
        One row per group: ``*by, estimate, ci_low, ci_high, at_most, follow_up, follow_up_p,
        model, model_estimate, model_low, model_high, n, n_events, n_censored, n_late, n_clusters,
        interval``. ``follow_up`` is "sufficient", "not sufficient", or "nobody left waiting" (the
        leg that took longest has arrived). Where it is not sufficient the estimate, its limits
        and those of the model are missing; ``at_most`` is then still an upper limit, because
        what has not arrived yet is at least what never will. ``n_late`` is the number of
        arrivals that the test of follow-up rests on, ``follow_up_p`` its p-value.

    Raises
    ------
    MissingData
        There is no table ``refunds``, or a column in ``by`` is in none of the tables.

    Notes
    -----
    Estimate: height of the Kaplan-Meier plateau (Maller and Zhou 1992) on whole hours, rounded
    up, log-log limits, Wilson's at 0; with the jackknife over sellers and Student's quantile where
    sellers are known (:class:`analysis.stats.Jackknife`; a leg without seller is a cluster of its
    own). A column ``weight`` is not used, but legs of weight 0 are left out. Follow-up:
    :func:`analysis.stats.follow_up` at 5 %. Beside it a mixture cure model,
    :func:`analysis.stats.cure_fit`, of the law (Weibull or log-normal) that fits better; where the
    two differ much, the law does not fit and the plateau is the safer of them. Its limits allow for
    sellers by :func:`analysis.stats.cure_limits`; the test takes legs of one seller as independent.
    """
    horizon = positive("horizon_days", horizon_days)
    spells = _unweighted(refund_spells(tables, by, horizon_days=horizon, clock="calendar"))
    groups = spells.groups
    curve = survival_of(spells)
    found = jackknife_of(spells, curve)
    plateau = stats.plateau(curve, level=level, jackknife=found)
    followed = stats.follow_up(curve)
    n = np.bincount(groups.index, spells.events[:, 0] + spells.censored, minlength=groups.n)
    ended = np.bincount(groups.index, spells.events[:, 0], minlength=groups.n)
    none_left = plateau.share == 0
    claimed = none_left | followed.is_sufficient
    none, df = np.zeros(groups.n), np.inf if found is None else found.df
    high = stats.clustered_wilson(none, ended, none, df=df, level=level)[1]
    high = np.where(none_left, high, 1.0)
    high = np.where(np.isnan(plateau.high), np.where(n > 0, high, np.nan), plateau.high)
    words = np.where(followed.is_sufficient, SUFFICIENT, NOT_SUFFICIENT)
    columns = {
        "estimate": np.where(claimed, plateau.share, np.nan),
        "ci_low": np.where(claimed, np.where(none_left, 0.0, plateau.low), np.nan),
        "ci_high": np.where(claimed, high, np.nan),
        "at_most": high,
        "follow_up": np.where(none_left, NOBODY, words).astype(object),
        "follow_up_p": np.where(n > 0, followed.p_value, np.nan),
        **_model(spells, claimed, level),
        "n": as_counts(n),
        "n_events": as_counts(ended),
        "n_censored": as_counts(n - ended),
        "n_late": followed.n_late,
        "n_clusters": as_counts(n) if found is None else found.n_clusters,
        "interval": np.full(groups.n, METHOD)
        if found is None
        else interval_names(METHOD, "seller", found.enough),
    }
    return with_columns(groups.frame, **columns)


def _unweighted(spells: Spells) -> Spells:
    """Return the spells, each counted once."""
    ended = spells.n_spells * (spells.end > 0)
    return spells._replace(events=ended[:, None], censored=spells.n_spells - ended, n_squared=None)


def _model(spells: Spells, claimed: np.ndarray, level: float) -> dict[str, np.ndarray]:
    """Share by the cure model of the better law, for the groups for which one is claimed."""
    rows = claimed[spells.groups.index]
    hours = np.maximum(spells.time[rows] - 0.5, SOONEST_HOURS)  # in the middle of the hour
    counts = (spells.groups.index[rows], hours, spells.events[rows, 0], spells.censored[rows])
    fits = [
        stats.cure_fit(*counts, latency=law, n_groups=spells.groups.n, level=level)
        for law in MODELS
    ]
    likelihood = np.stack([fit.log_likelihood for fit in fits])
    fitted = ~np.isnan(likelihood).all(axis=0)
    best = np.nan_to_num(likelihood, nan=-np.inf).argmax(axis=0)

    limits = [(fit.low, fit.high) for fit in fits]
    if spells.cluster is not None:
        limits = [
            stats.cure_limits(fit, *counts, spells.cluster[rows], latency=law, level=level)
            for fit, law in zip(fits, MODELS, strict=True)
        ]
    low, high = (np.choose(best, side) for side in zip(*limits, strict=True))
    names = np.array(list(MODELS.values()), dtype=object)[best]
    return {
        "model": np.where(fitted, names, "none").astype(object),
        "model_estimate": np.choose(best, [fit.share for fit in fits]),
        "model_low": low,
        "model_high": high,
    }
